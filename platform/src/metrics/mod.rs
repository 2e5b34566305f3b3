//! What programs count and measure, in Prometheus' text format.
//!
//! Each program has one [`Metrics`] and says what is in it; here is how it is put together and told of. What a value may be labelled with is
//! the caller's to bound: nothing that clients choose may become a label. A count on a hot path is kept by whoever counts, so that no label
//! is looked up there.

mod connections;
mod listener;
mod process;
#[cfg(test)]
mod tests;
mod trusted;

use std::{sync::Arc, time::Duration};

use futures::future::{BoxFuture, join_all};
pub use prometheus::{
    Counter, CounterVec, Error as MetricsError, Gauge, GaugeVec, Histogram, HistogramOpts,
    HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
};
use prometheus::{Registry, TextEncoder, core::Collector};
use tokio::sync::Mutex;

pub use self::{
    connections::{commands, statements},
    listener::serve,
    trusted::Trusted,
};

/// The content type of the text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long a look may take. What it would have found stays as it was.
const LOOK_MAX: Duration = Duration::from_secs(3);

/// Bounds of durations from a tenth of a millisecond to ten seconds: requests, statements and the like.
pub const SHORT: &[f64] = &[
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Bounds of durations from ten milliseconds to hours: work in the background.
pub const LONG: &[f64] = &[
    0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21600.0,
];

/// Looks at something and sets what it has found. False when it cannot be seen just now.
type Look = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// Puts together what a program tells of.
pub struct Builder {
    registry: Registry,
    looks: Vec<(Look, IntGauge)>,
    seen: IntGaugeVec,
}

impl Builder {
    /// Begins with what every program tells of: what it is, and what it takes of the machine.
    ///
    /// # Errors
    /// When a name is not allowed or taken, as with all of this: a fault of the program.
    pub fn new(program: &str) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let seen = Opts::new(
            "goldshop_source_up",
            "Whether this source could be asked for the scrape; what comes from it is old otherwise.",
        );
        let seen = IntGaugeVec::new(seen, &["source"])?;
        registry.register(Box::new(seen.clone()))?;
        let mut builder = Self {
            registry,
            looks: Vec::new(),
            seen,
        };
        let build = builder.gauges(
            "goldshop_build_info",
            "Which program and release this is; always 1.",
            &["program", "version"],
        )?;
        build
            .get_metric_with_label_values(&[program, env!("CARGO_PKG_VERSION")])?
            .set(1);
        process::register(&mut builder)?;
        Ok(builder)
    }

    /// Tells of something that somebody else keeps.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn register(
        &self,
        metric: &(impl Collector + Clone + 'static),
    ) -> Result<(), MetricsError> {
        self.registry.register(Box::new(metric.clone()))
    }

    /// A count without labels.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn counter(&self, name: &str, help: &str) -> Result<IntCounter, MetricsError> {
        self.kept(IntCounter::with_opts(Opts::new(name, help))?)
    }

    /// Counts by these labels.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, MetricsError> {
        self.kept(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    /// A number that goes up and down.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, MetricsError> {
        self.kept(IntGauge::with_opts(Opts::new(name, help))?)
    }

    /// Numbers that go up and down, by these labels.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn gauges(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntGaugeVec, MetricsError> {
        self.kept(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    /// A number with fractions that goes up and down.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn fraction(&self, name: &str, help: &str) -> Result<Gauge, MetricsError> {
        self.kept(Gauge::with_opts(Opts::new(name, help))?)
    }

    /// The same by these labels.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn fractions(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<GaugeVec, MetricsError> {
        self.kept(GaugeVec::new(Opts::new(name, help), labels)?)
    }

    /// How values are spread over these bounds, by these labels.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn histograms(
        &self,
        name: &str,
        help: &str,
        bounds: &[f64],
        labels: &[&str],
    ) -> Result<HistogramVec, MetricsError> {
        let opts = HistogramOpts::new(name, help).buckets(bounds.to_vec());
        self.kept(HistogramVec::new(opts, labels)?)
    }

    /// How values are spread over these bounds.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn histogram(
        &self,
        name: &str,
        help: &str,
        bounds: &[f64],
    ) -> Result<Histogram, MetricsError> {
        let opts = HistogramOpts::new(name, help).buckets(bounds.to_vec());
        self.kept(Histogram::with_opts(opts)?)
    }

    fn kept<C: Collector + Clone + 'static>(&self, metric: C) -> Result<C, MetricsError> {
        self.register(&metric)?;
        Ok(metric)
    }

    /// Looks at something whenever it is to be told of, one look of its kind at a time, and no longer than some seconds.
    ///
    /// # Errors
    /// As [`Builder::new`].
    pub fn look<F>(
        &mut self,
        source: &'static str,
        look: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<(), MetricsError>
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let seen = self.seen.get_metric_with_label_values(&[source])?;
        let look: Look = Box::new(move || -> BoxFuture<'static, bool> { Box::pin(look()) });
        self.looks.push((look, seen));
        Ok(())
    }

    /// All of it, ready to be told of.
    #[must_use]
    pub fn finish(self) -> Metrics {
        Metrics(Arc::new(Parts {
            registry: self.registry,
            looks: self.looks,
            turn: Mutex::new(()),
        }))
    }
}

/// What a program counts and measures. Clones share it.
#[derive(Clone)]
pub struct Metrics(Arc<Parts>);

struct Parts {
    registry: Registry,
    looks: Vec<(Look, IntGauge)>,
    /// Whoever tells has it, so that looks are not made twice at a time.
    turn: Mutex<()>,
}

impl Metrics {
    /// All of it as text, [`CONTENT_TYPE`].
    ///
    /// # Errors
    /// When it cannot be written: a fault of the program.
    pub async fn text(&self) -> Result<String, MetricsError> {
        let parts = &self.0;
        let _turn = parts.turn.lock().await;
        let mut looks = Vec::with_capacity(parts.looks.len());
        for (look, seen) in &parts.looks {
            looks.push(async move {
                let found = tokio::time::timeout(LOOK_MAX, look()).await;
                seen.set(i64::from(found.unwrap_or(false)));
            });
        }
        join_all(looks).await;
        TextEncoder::new().encode_to_string(&parts.registry.gather())
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}
