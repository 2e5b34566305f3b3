//! Signs of life: each worker leaves one in Redis now and then, and whoever wants to know counts the recent ones. Only the clock of
//! Redis counts: those of the machines may disagree.

use std::{sync::LazyLock, time::Duration};

use ::redis::Script;

use crate::redis::{Redis, RedisUnavailable};

/// How long a sign of life counts.
pub const PRESENT_FOR: Duration = Duration::from_secs(15);

/// KEYS: the signs, a sorted set of worker names by the time of their last sign in milliseconds. ARGV: for how many milliseconds a sign
/// counts, and the worker that gives one, if any. Answers how many workers there are.
const SIGNS: &str = r"
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
if ARGV[2] then redis.call('ZADD', KEYS[1], now, ARGV[2]) end
return redis.call('ZCARD', KEYS[1])
";

static SIGNS_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SIGNS));

/// KEYS as above. ARGV: for how many milliseconds a sign counts. Answers pairs of a worker and the time of its last sign.
const LIST: &str = r"
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local signs = redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf', 'WITHSCORES')
local list = {}
for i = 1, #signs, 2 do
  list[#list + 1] = { signs[i], tonumber(signs[i + 1]) }
end
return list
";

static LIST_SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(LIST));

/// A worker's last sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// Which worker.
    pub worker: String,
    /// When it gave it, in milliseconds since 1970, by the clock of Redis.
    pub at_millis: i64,
}

/// The workers that are at work.
#[derive(Clone, Debug)]
pub struct Presence {
    redis: Redis,
}

impl Presence {
    /// Signs of life in this Redis.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    fn key(&self) -> String {
        self.redis.key("presence", "workers")
    }

    /// Leaves a sign of life, and forgets workers that have been silent for long.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn announce(&self, worker: &str) -> Result<(), RedisUnavailable> {
        let mut signs = SIGNS_SCRIPT.key(self.key());
        let announce = signs.arg(millis(PRESENT_FOR)).arg(worker);
        self.redis.run::<u64>(announce).await?;
        Ok(())
    }

    /// Takes the sign of life back: the worker is going.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn leave(&self, worker: &str) -> Result<(), RedisUnavailable> {
        let mut leave = ::redis::cmd("ZREM");
        self.redis
            .query::<()>(leave.arg(self.key()).arg(worker))
            .await
    }

    /// The workers that have given a sign of life lately, and when, by their names.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn list(&self) -> Result<Vec<Sign>, RedisUnavailable> {
        let mut list = LIST_SCRIPT.key(self.key());
        let list = list.arg(millis(PRESENT_FOR));
        let signs: Vec<(String, i64)> = self.redis.run(list).await?;
        let mut signs: Vec<_> = signs
            .into_iter()
            .map(|(worker, at_millis)| Sign { worker, at_millis })
            .collect();
        signs.sort_unstable_by(|a, b| a.worker.cmp(&b.worker));
        Ok(signs)
    }

    /// How many workers have given a sign of life lately.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn count(&self) -> Result<u64, RedisUnavailable> {
        let mut signs = SIGNS_SCRIPT.key(self.key());
        self.redis.run(signs.arg(millis(PRESENT_FOR))).await
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{PRESENT_FOR, Presence};
    use crate::redis::tests::connect;

    #[tokio::test]
    async fn workers_are_counted_once_each_until_they_go() {
        let presence = Presence::new(connect());
        assert_eq!(presence.count().await.unwrap(), 0);
        for worker in ["one", "two", "one"] {
            presence.announce(worker).await.unwrap();
        }
        assert_eq!(presence.count().await.unwrap(), 2);
        let signs = presence.list().await.unwrap();
        let names: Vec<_> = signs.iter().map(|sign| sign.worker.as_str()).collect();
        assert_eq!(names, ["one", "two"]);
        assert!(signs.iter().all(|sign| sign.at_millis > 1_700_000_000_000));
        presence.leave("one").await.unwrap();
        assert_eq!(presence.count().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_worker_that_fell_silent_no_longer_counts_by_the_clock_of_redis() {
        let redis = connect();
        let presence = Presence::new(redis.clone());
        presence.announce("here").await.unwrap();
        presence.announce("silent").await.unwrap();
        let mut age = ::redis::cmd("ZINCRBY");
        // A millisecond more: all of this may happen within one.
        let by = -i64::try_from(PRESENT_FOR.as_millis() + 1).unwrap();
        let age = age.arg(presence.key()).arg(by).arg("silent");
        redis.query::<()>(age).await.unwrap();
        assert_eq!(presence.list().await.unwrap().len(), 1);
        assert_eq!(presence.count().await.unwrap(), 1);
    }
}
