//! Looking again and again for something to do, until the worker stops.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Looks so often until it is time to stop. After one that took long the next ones do not follow at once.
pub(crate) struct Looks {
    every: Interval,
    stop: CancellationToken,
}

impl Looks {
    /// The first look is at once.
    pub(crate) fn new(period: Duration, stop: CancellationToken) -> Self {
        let mut every = interval(period);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { every, stop }
    }

    /// Waits for the next look; false when it is time to stop.
    pub(crate) async fn next(&mut self) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            _ = self.every.tick() => true,
        }
    }

    /// Does this, unless it is time to stop before it is done; none then. What is left undone is undone by the database, too, and done by another.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(work).await
    }

    /// Whether it is time to stop.
    pub(crate) fn are_over(&self) -> bool {
        self.stop.is_cancelled()
    }
}
