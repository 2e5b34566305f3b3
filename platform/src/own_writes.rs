//! How far a replica must have got until it may answer somebody: behind what they have written, and behind what they have been told.
//!
//! Kept in Redis for each user, so that every process knows, and for longer than a replica may be behind. A mutation is counted before it is
//! begun: should its end never be heard of, nobody takes what it has written for missing.

use std::{sync::LazyLock, time::Duration};

use domain::replica::{LAG_MAX, Position};
use redis::Script;
use uuid::Uuid;

use crate::redis::{Redis, RedisUnavailable};

/// How long it is kept after the last write. A replica that lacks an older one is not read from, whatever is kept here.
const KEPT_FOR: Duration = Duration::from_secs(2 * LAG_MAX.as_secs());

/// KEYS: what is kept of the user. ARGV: by how much the number of mutations under way changes; the position that must not be missed, or
/// nothing; for how many milliseconds it is kept. Positions are texts in the order of the log.
const KEEP: &str = r"
if ARGV[1] ~= '0' and redis.call('HINCRBY', KEYS[1], 'under_way', ARGV[1]) <= 0 then
    redis.call('HDEL', KEYS[1], 'under_way')
end
local upto = redis.call('HGET', KEYS[1], 'upto')
if ARGV[2] ~= '' and (not upto or upto < ARGV[2]) then
    redis.call('HSET', KEYS[1], 'upto', ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 0
";

static KEEP_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(KEEP));

/// What somebody must not miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// All up to this position.
    UpTo(Position),
    /// Something that is being written, or of which nobody knows whether it was.
    UnderWay,
}

/// What users must not miss. Clones share the Redis pool.
#[derive(Clone, Debug)]
pub struct OwnWrites {
    redis: Redis,
}

impl OwnWrites {
    /// Kept in this Redis.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// The user begins to write.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn begun(&self, user: Uuid) -> Result<(), RedisUnavailable> {
        self.keep(user, 1, "").await
    }

    /// The user has written, if at all, before this position.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn ended(&self, user: Uuid, position: Position) -> Result<(), RedisUnavailable> {
        self.keep(user, -1, &position.to_string()).await
    }

    /// The user is told of something that was written before this position.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn told(&self, user: Uuid, position: Position) -> Result<(), RedisUnavailable> {
        self.keep(user, 0, &position.to_string()).await
    }

    /// What the user must not miss.
    ///
    /// # Errors
    /// When Redis does not answer, or what is kept there is not ours.
    pub async fn of(&self, user: Uuid) -> Result<Own, RedisUnavailable> {
        let mut kept = redis::cmd("HMGET");
        kept.arg(self.key(user)).arg("under_way").arg("upto");
        let (under_way, upto): (Option<i64>, Option<String>) = self.redis.query(&kept).await?;
        Ok(match (under_way, upto) {
            (None, None) => Own::UpTo(Position::default()),
            (None, Some(upto)) => upto.parse().map_or(Own::UnderWay, Own::UpTo),
            (Some(_), _) => Own::UnderWay,
        })
    }

    async fn keep(&self, user: Uuid, more: i64, upto: &str) -> Result<(), RedisUnavailable> {
        let mut script = KEEP_SCRIPT.key(self.key(user));
        script.arg(more).arg(upto).arg(KEPT_FOR.as_secs() * 1000);
        self.redis.run::<i64>(&script).await?;
        Ok(())
    }

    fn key(&self, user: Uuid) -> String {
        self.redis.key("own-writes", user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::tests::connect;

    fn at(number: u64) -> Position {
        format!("{number:016x}").parse().unwrap()
    }

    #[tokio::test]
    async fn whoever_has_written_must_not_miss_it() {
        let writes = OwnWrites::new(connect());
        let [ann, bob] = [1, 2].map(Uuid::from_u128);
        assert_eq!(writes.of(ann).await.unwrap(), Own::UpTo(at(0)));
        writes.begun(ann).await.unwrap();
        assert_eq!(writes.of(ann).await.unwrap(), Own::UnderWay);
        writes.ended(ann, at(0x99)).await.unwrap();
        assert_eq!(writes.of(ann).await.unwrap(), Own::UpTo(at(0x99)));
        writes.told(ann, at(0x100)).await.unwrap();
        writes.told(ann, at(0xa0)).await.unwrap();
        assert_eq!(writes.of(ann).await.unwrap(), Own::UpTo(at(0x100)));
        assert_eq!(writes.of(bob).await.unwrap(), Own::UpTo(at(0)));
    }

    #[tokio::test]
    async fn one_of_two_that_ends_does_not_end_the_other() {
        let writes = OwnWrites::new(connect());
        let ann = Uuid::from_u128(3);
        writes.begun(ann).await.unwrap();
        writes.begun(ann).await.unwrap();
        writes.ended(ann, at(2)).await.unwrap();
        assert_eq!(writes.of(ann).await.unwrap(), Own::UnderWay);
        writes.ended(ann, at(1)).await.unwrap();
        assert_eq!(writes.of(ann).await.unwrap(), Own::UpTo(at(2)));
        // An end whose beginning Redis has missed leaves nothing behind that would never end.
        writes.ended(ann, at(3)).await.unwrap();
        assert_eq!(writes.of(ann).await.unwrap(), Own::UpTo(at(3)));
    }
}
