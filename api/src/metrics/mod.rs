//! What the server counts, put together: requests, statements, Redis, caches, queues and the figures of the shop.

mod pools;
mod roots;
mod shop;

use domain::{Domain, observe::Observer};
use platform::{
    metrics::{Builder, IntCounter, IntCounterVec, Metrics, MetricsError},
    presence::Presence,
    redis::{Meter, Redis},
};

use crate::http::HttpMetrics;

/// How often a cache had what was asked of it.
#[derive(Clone, Debug)]
pub struct Lookups {
    hits: IntCounter,
    misses: IntCounter,
}

impl Lookups {
    fn new(all: &IntCounterVec, cache: &str) -> Result<Self, MetricsError> {
        Ok(Self {
            hits: all.get_metric_with_label_values(&[cache, "hit"])?,
            misses: all.get_metric_with_label_values(&[cache, "miss"])?,
        })
    }

    /// Something was asked for; `is_fresh` when it had to be read.
    pub fn count(&self, is_fresh: bool) {
        if is_fresh {
            self.misses.inc();
        } else {
            self.hits.inc();
        }
    }
}

/// The server's counts while it is put together.
pub struct Counting {
    builder: Builder,
    lookups: IntCounterVec,
}

impl Counting {
    /// Nothing is counted yet.
    ///
    /// # Errors
    /// When a name is taken, as with all of this: a fault of the program.
    pub fn new() -> Result<Self, MetricsError> {
        let builder = Builder::new("goldshop-api")?;
        let lookups = builder.counters(
            "goldshop_cache_lookups_total",
            "What was asked of the caches of this program, by whether they had it.",
            &["cache", "outcome"],
        )?;
        Ok(Self { builder, lookups })
    }

    /// Whom the domain tells of its statements.
    ///
    /// # Errors
    /// As [`Counting::new`].
    pub fn statements(&self) -> Result<Observer, MetricsError> {
        platform::metrics::statements(&self.builder)
    }

    /// Where Redis' commands are counted.
    ///
    /// # Errors
    /// As [`Counting::new`].
    pub fn commands(&self) -> Result<Meter, MetricsError> {
        platform::metrics::commands(&self.builder)
    }

    /// What is known of users, and of tokens.
    ///
    /// # Errors
    /// As [`Counting::new`].
    pub fn credentials(&self) -> Result<[Lookups; 2], MetricsError> {
        let lookups = &self.lookups;
        Ok([
            Lookups::new(lookups, "users")?,
            Lookups::new(lookups, "tokens")?,
        ])
    }

    /// What the HTTP layer counts.
    ///
    /// # Errors
    /// As [`Counting::new`].
    pub fn http(&self) -> Result<HttpMetrics, MetricsError> {
        HttpMetrics::new(&self.builder, roots::of_schema(), &self.lookups)
    }

    /// All of it, with what is looked at when somebody asks.
    ///
    /// # Errors
    /// As [`Counting::new`].
    pub fn finish(mut self, domain: &Domain, redis: &Redis) -> Result<Metrics, MetricsError> {
        pools::register(&mut self.builder, domain, redis)?;
        shop::register(&mut self.builder, domain, &Presence::new(redis.clone()))?;
        Ok(self.builder.finish())
    }
}
