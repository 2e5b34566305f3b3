//! What a worker counts: its jobs, its connections and itself. Queues as a whole are told of by `api`, which is there when no worker is.

use std::time::Instant;

use domain::observe::Observer;
use platform::{
    metrics::{Builder, HistogramVec, IntGaugeVec, LONG, Metrics, MetricsError},
    redis::Meter,
};

/// The kind of a job that this release does not understand.
pub const UNKNOWN: &str = "unknown";

/// How an attempt at a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Succeeded,
    /// It comes again.
    Failed,
    /// It is given up.
    Dead,
    /// Somebody has asked for that.
    Cancelled,
    /// The worker is going down; it does not count.
    GivenBack,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::GivenBack => "given_back",
        }
    }
}

/// Counts attempts. Clones share the counts.
#[derive(Clone, Debug)]
pub struct Attempts {
    durations: HistogramVec,
    running: IntGaugeVec,
}

impl Attempts {
    fn new(builder: &Builder) -> Result<Self, MetricsError> {
        Ok(Self {
            durations: builder.histograms(
                "goldshop_job_duration_seconds",
                "How long attempts at jobs took, by the kind of job and how they ended, in seconds.",
                LONG,
                &["kind", "outcome"],
            )?,
            running: builder.gauges(
                "goldshop_jobs_running",
                "Attempts that run in this worker.",
                &["kind"],
            )?,
        })
    }

    /// An attempt at a job of this kind begins; kinds are those that the domain knows, or [`UNKNOWN`].
    #[must_use]
    pub fn begin(&self, kind: &'static str) -> Running {
        self.running.with_label_values(&[kind]).inc();
        Running {
            attempts: self.clone(),
            kind,
            begun: Instant::now(),
        }
    }
}

/// An attempt that runs until this is dropped.
#[derive(Debug)]
pub struct Running {
    attempts: Attempts,
    kind: &'static str,
    begun: Instant,
}

impl Running {
    /// It has ended so.
    pub fn ended(&self, outcome: Outcome) {
        let durations = &self.attempts.durations;
        durations
            .with_label_values(&[self.kind, outcome.as_str()])
            .observe(self.begun.elapsed().as_secs_f64());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let running = &self.attempts.running;
        running.with_label_values(&[self.kind]).dec();
    }
}

/// A worker's counts while it is put together.
pub struct Counting {
    builder: Builder,
    /// Where attempts are counted.
    pub attempts: Attempts,
    /// Whom the domain tells of its statements.
    pub statements: Observer,
}

impl Counting {
    /// Nothing is counted yet.
    ///
    /// # Errors
    /// When a name is taken, as with all of this: a fault of the program.
    pub fn new() -> Result<Self, MetricsError> {
        let builder = Builder::new("goldshop-worker")?;
        Ok(Self {
            attempts: Attempts::new(&builder)?,
            statements: platform::metrics::statements(&builder)?,
            builder,
        })
    }

    /// Where commands to Redis are counted.
    ///
    /// # Errors
    /// As [`Counting::new`].
    pub fn commands(&self) -> Result<Meter, MetricsError> {
        platform::metrics::commands(&self.builder)
    }

    /// All of it.
    #[must_use]
    pub fn finish(self) -> Metrics {
        self.builder.finish()
    }
}
