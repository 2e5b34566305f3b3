//! The dials of a backend.

use std::time::Duration;

use super::Backoff;

/// How a worker uses the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many tasks the worker may hold at once; give the same number to `WorkerBuilder::concurrency`.
    pub concurrency: usize,
    /// How long a worker that fell silent keeps its tasks. Leases are renewed each third of it.
    pub lease: Duration,
    /// How often an idle worker looks by itself, should a wake-up get lost.
    pub poll: Duration,
    /// The wait between failed attempts, unless the handler asks for another one.
    pub backoff: Backoff,
    /// How long a finished task is remembered, so that pushing it again does nothing.
    pub retention: Duration,
    /// How many dead tasks are remembered; the oldest are forgotten first.
    pub dead_limit: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 10,
            lease: Duration::from_secs(15),
            poll: Duration::from_millis(250),
            backoff: Backoff::default(),
            retention: Duration::from_secs(3600),
            dead_limit: 10_000,
        }
    }
}
