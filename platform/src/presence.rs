//! Signs of life: each worker leaves one in Redis now and then, and whoever wants to know counts the recent ones.

use chrono::{DateTime, TimeDelta, Utc};

use crate::redis::{Redis, RedisUnavailable};

/// How long a sign of life counts.
pub const PRESENT_FOR: TimeDelta = TimeDelta::seconds(15);

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

    /// One sorted set: worker name to the time of its last sign, in milliseconds.
    fn key(&self) -> String {
        self.redis.key("presence", "workers")
    }

    /// Leaves a sign of life, and forgets workers that have been silent for long.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn announce(&self, worker: &str, now: DateTime<Utc>) -> Result<(), RedisUnavailable> {
        let mut announce = ::redis::cmd("ZADD");
        self.redis.query::<()>(announce.arg(self.key()).arg(now.timestamp_millis()).arg(worker)).await?;
        let mut forget = ::redis::cmd("ZREMRANGEBYSCORE");
        let before = (now - PRESENT_FOR).timestamp_millis();
        self.redis.query::<()>(forget.arg(self.key()).arg("-inf").arg(format!("({before}"))).await
    }

    /// Takes the sign of life back: the worker is going.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn leave(&self, worker: &str) -> Result<(), RedisUnavailable> {
        self.redis.query::<()>(::redis::cmd("ZREM").arg(self.key()).arg(worker)).await
    }

    /// How many workers have given a sign of life lately.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn count(&self, now: DateTime<Utc>) -> Result<u64, RedisUnavailable> {
        let since = (now - PRESENT_FOR).timestamp_millis();
        self.redis.query(::redis::cmd("ZCOUNT").arg(self.key()).arg(since).arg("+inf")).await
    }
}
