//! What can be seen of the connections to PostgreSQL from outside: how long statements take, and how the pools stand.
//!
//! Nothing here knows who counts: a program hands in a function, and is told of each statement.

use std::{fmt, sync::Arc, time::Duration};

use sea_orm::DatabaseConnection;

/// Which connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pool {
    /// Those that single reading statements go over.
    Reads,
    /// Those to replicas, whichever.
    Replicas,
    /// Those of transactions.
    Writes,
}

impl Pool {
    /// The stable text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Replicas => "replicas",
            Self::Writes => "writes",
        }
    }
}

/// What is called behind each statement: over which pool it went, how long it took, and whether it failed.
type Told = dyn Fn(Pool, Duration, bool) + Send + Sync;

/// Somebody who is told of each statement, or nobody. Clones are the same one.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Told>>);

impl Observer {
    /// This function is called behind each statement, by whoever has waited for it: it has to be quick.
    pub fn new(told: impl Fn(Pool, Duration, bool) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(crate) fn tell(&self, pool: Pool, took: Duration, failed: bool) {
        if let Some(told) = &self.0 {
            told(pool, took, failed);
        }
    }

    /// Lets the pool tell of its statements. Without anybody to tell, it does not even look at the clock.
    pub(crate) fn watch(&self, db: &mut DatabaseConnection, pool: Pool) {
        if let Some(told) = self.0.clone() {
            db.set_metric_callback(move |info| told(pool, info.elapsed, info.failed));
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}

/// A pool at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStanding {
    /// Which pool.
    pub pool: Pool,
    /// Connections that it may have.
    pub max: u32,
    /// Connections that it has.
    pub open: u32,
    /// Of these, those that nobody uses.
    pub idle: u32,
    /// How often and for how long somebody had to wait for one; not known of all pools.
    pub waits: Option<Waits>,
}

/// What waiting for a connection of a pool has come to since the program began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// How often a connection was there at once.
    pub direct: u64,
    /// How often somebody had to wait for one, and got it.
    pub waited: u64,
    /// How often somebody got none in time.
    pub timed_out: u64,
    /// How long all of them have waited together.
    pub time: Duration,
}
