//! Counting the queue, for dashboards and alarms.

use std::time::Duration;

use super::{Error, Queue, scripts};

/// The queue at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Tasks that could run now.
    pub ready: u64,
    /// Tasks that wait for their time.
    pub scheduled: u64,
    /// Tasks that a worker holds.
    pub leased: u64,
    /// Tasks that failed for good and are still remembered.
    pub dead: u64,
    /// Acknowledgements refused since the queue began, because the attempt had lost its lease.
    pub fenced: u64,
    /// How long the ready task that waits longest has waited.
    pub oldest_ready: Option<Duration>,
}

impl Queue {
    /// Counts the tasks of each state.
    ///
    /// # Errors
    /// [`Error::Redis`] when Redis cannot be asked.
    pub async fn stats(&self) -> Result<Stats, Error> {
        let call = self.keys.call(&scripts::STATS);
        let (ready, scheduled, leased, dead, fenced, oldest) = self
            .link
            .run::<(u64, u64, u64, u64, u64, i64)>(&call)
            .await?;
        Ok(Stats {
            ready,
            scheduled,
            leased,
            dead,
            fenced,
            oldest_ready: u64::try_from(oldest).ok().map(Duration::from_millis),
        })
    }
}
