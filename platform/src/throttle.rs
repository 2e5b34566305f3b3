//! Slows down guessing: counts the failed attempts at a login within a window of time, in Redis, for all servers
//! together. An attempt is counted before the password is checked, so that many at once cannot slip through; the
//! right password clears the count.

use std::{net::IpAddr, sync::LazyLock, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use redis::Script;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    config,
    redis::{Redis, RedisUnavailable},
};

/// KEYS: the attempts. ARGV: now, end of the window before now, length of the window, most attempts, name of this
/// attempt. Answers 0, or for how many milliseconds nothing more is allowed.
const RESERVE: &str = r"
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then
    local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    return math.max(1, tonumber(oldest[2]) - tonumber(ARGV[2]))
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 0
";

static RESERVE_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(RESERVE));

/// Whose attempts are counted together: those at one login name from one address. The name is only kept as a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted(String);

impl Attempted {
    /// Attempts at the login name, in whatever case it is written, from the address. Of an IPv6 address the
    /// network (its first 64 bits) counts, because a household commands all the rest.
    #[must_use]
    pub fn login(name: &str, address: IpAddr) -> Self {
        let mut hash = Sha256::new();
        hash.update(name.trim().to_lowercase());
        hash.update([0]);
        hash.update(network(address).to_string());
        Self(URL_SAFE_NO_PAD.encode(hash.finalize()))
    }
}

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Yes, and it has been counted.
    Allowed(Reservation),
    /// No, there were too many.
    Refused {
        /// After which time the next one is allowed.
        retry_after: Duration,
    },
}

/// A counted attempt, to be taken back with [`Throttle::release`] when nothing was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation(Uuid);

/// Counts attempts at logins. Clones share the Redis pool.
#[derive(Clone, Debug)]
pub struct Throttle {
    redis: Redis,
    limit: u32,
    window: Duration,
}

impl Throttle {
    /// Allows the configured number of failed logins within the configured window.
    #[must_use]
    pub fn new(redis: Redis, settings: &config::Auth) -> Self {
        Self {
            redis,
            limit: settings.login_attempts,
            window: settings.login_window,
        }
    }

    /// Asks for one attempt and counts it as failed until [`Throttle::reset`] or [`Throttle::release`].
    ///
    /// # Errors
    /// When Redis does not answer: then nothing may be tried.
    pub async fn reserve(
        &self,
        attempted: &Attempted,
        now: DateTime<Utc>,
    ) -> Result<Attempt, RedisUnavailable> {
        let reservation = Reservation(random_id());
        let mut script = RESERVE_SCRIPT.key(self.key(attempted));
        script
            .arg(now.timestamp_millis())
            .arg((now - self.window).timestamp_millis());
        script
            .arg(self.window.as_secs() * 1000)
            .arg(self.limit)
            .arg(reservation.0.to_string());
        let blocked_for = self.redis.run(&script).await?;
        Ok(match blocked_for {
            0 => Attempt::Allowed(reservation),
            millis => Attempt::Refused {
                retry_after: Duration::from_millis(millis),
            },
        })
    }

    /// Takes an attempt back that was allowed but not made, because the server failed on the way.
    ///
    /// # Errors
    /// When Redis does not answer; the attempt then counts.
    pub async fn release(
        &self,
        attempted: &Attempted,
        reservation: Reservation,
    ) -> Result<(), RedisUnavailable> {
        let command = redis::Cmd::zrem(self.key(attempted), reservation.0.to_string());
        self.redis.query(&command).await
    }

    /// Forgets all attempts, because the password was right.
    ///
    /// # Errors
    /// When Redis does not answer; the attempts then count until the window has passed.
    pub async fn reset(&self, attempted: &Attempted) -> Result<(), RedisUnavailable> {
        self.redis
            .query(&redis::Cmd::del(self.key(attempted)))
            .await
    }

    fn key(&self, attempted: &Attempted) -> String {
        self.redis.key("attempts", &attempted.0)
    }
}

/// Tells attempts of the same millisecond apart.
fn random_id() -> Uuid {
    Uuid::from_u128(rand::random())
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::from((v6.to_bits() & !u128::from(u64::MAX)).to_be_bytes()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests;
