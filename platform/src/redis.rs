//! Access to Redis: a bounded pool that connects when it is first needed, so that a program starts and serves
//! what it can while Redis is down, and names for keys under the installation's prefix.

use std::{fmt::Display, sync::Arc, time::Instant};

use bb8_redis::{
    RedisConnectionManager,
    bb8::{Pool, PooledConnection, RunError},
    redis::{Cmd, FromRedisValue, RedisError, ScriptInvocation},
};
use secrecy::ExposeSecret;
use thiserror::Error;

use crate::{
    config,
    metrics::{Histogram, IntCounter},
};

/// A connection that returns to the pool when it is dropped.
pub type RedisConnection<'a> = PooledConnection<'a, RedisConnectionManager>;

/// Redis did not do what it was asked: it is down, too slow, full, or refused the command.
#[derive(Debug, Error)]
pub enum RedisUnavailable {
    /// No working connection within the configured time.
    #[error("no connection to Redis in time")]
    NoConnection,
    /// The connection broke, or the answer was an error or came too late.
    #[error("Redis did not carry out a command")]
    Failed(#[from] RedisError),
}

impl From<RunError<RedisError>> for RedisUnavailable {
    fn from(error: RunError<RedisError>) -> Self {
        match error {
            RunError::TimedOut => Self::NoConnection,
            RunError::User(error) => Self::Failed(error),
        }
    }
}

/// A pool of connections to Redis. Clones share it.
#[derive(Clone, Debug)]
pub struct Redis {
    pool: Pool<RedisConnectionManager>,
    prefix: Arc<str>,
    meter: Option<Meter>,
}

/// Where it is counted what Redis does.
#[derive(Clone, Debug)]
pub struct Meter {
    /// How long commands and scripts take, waiting for a connection included, in seconds.
    pub duration: Histogram,
    /// Those that were not carried out.
    pub failed: IntCounter,
}

/// The pool at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStanding {
    /// Connections that it has.
    pub open: u32,
    /// Of these, those that nobody uses.
    pub idle: u32,
}

impl Redis {
    /// Prepares a pool without connecting. Must be called inside a Tokio runtime.
    ///
    /// A connection is tried out before it is lent, so that a restart of Redis costs nobody an error. A command
    /// that is not answered within half a second fails.
    ///
    /// # Errors
    /// When the URL is not one of a Redis server.
    pub fn connect(settings: &config::Redis) -> Result<Self, RedisUnavailable> {
        let manager = RedisConnectionManager::new(settings.url.expose_secret())?;
        let pool = Pool::builder()
            .max_size(settings.max_connections)
            .connection_timeout(settings.acquire_timeout)
            .test_on_check_out(true)
            .build_unchecked(manager);
        Ok(Self {
            pool,
            prefix: settings.key_prefix.as_str().into(),
            meter: None,
        })
    }

    /// The same, counted there.
    #[must_use]
    pub fn counted(self, meter: Meter) -> Self {
        Self {
            meter: Some(meter),
            ..self
        }
    }

    /// How the pool stands. Redis is not asked for it.
    #[must_use]
    pub fn standing(&self) -> PoolStanding {
        let state = self.pool.state();
        PoolStanding {
            open: state.connections,
            idle: state.idle_connections,
        }
    }

    /// The name of a key: the installation's prefix, what kind of thing it holds, and which one.
    #[must_use]
    pub fn key(&self, kind: &str, id: impl Display) -> String {
        format!("{}:{kind}:{id}", self.prefix)
    }

    /// A connection of the pool.
    ///
    /// # Errors
    /// When there is none within the configured time.
    pub async fn connection(&self) -> Result<RedisConnection<'_>, RedisUnavailable> {
        Ok(self.pool.get().await?)
    }

    /// Carries out one command.
    ///
    /// # Errors
    /// When Redis does not carry it out.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisUnavailable> {
        self.timed(async {
            let mut connection = self.connection().await?;
            Ok(command.query_async(&mut *connection).await?)
        })
        .await
    }

    /// Runs a script, which Redis carries out as a whole or not at all.
    ///
    /// # Errors
    /// When Redis does not carry it out.
    pub async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, RedisUnavailable> {
        self.timed(async {
            let mut connection = self.connection().await?;
            Ok(script.invoke_async(&mut *connection).await?)
        })
        .await
    }

    async fn timed<T>(
        &self,
        work: impl Future<Output = Result<T, RedisUnavailable>>,
    ) -> Result<T, RedisUnavailable> {
        let begun = Instant::now();
        let done = work.await;
        if let Some(meter) = &self.meter {
            meter.duration.observe(begun.elapsed().as_secs_f64());
            if done.is_err() {
                meter.failed.inc();
            }
        }
        done
    }

    /// Asks Redis for a sign of life.
    ///
    /// # Errors
    /// When it gives none.
    pub async fn ping(&self) -> Result<(), RedisUnavailable> {
        self.query(&redis::cmd("PING")).await
    }
}

#[cfg(test)]
pub(crate) mod tests;
