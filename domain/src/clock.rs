//! Time and ids: the two things a decision may depend on that are not in the database. Both are parameters.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present time.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else is given"
    )]
    fn now(&self) -> DateTime<Utc> {
        // As exact as PostgreSQL keeps it: what a change answers is what is read later.
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands still until it is told to go on. For tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: DateTime<Utc>) -> Self {
        Self(Mutex::new(start))
    }

    /// Lets time pass.
    pub fn advance(&self, by: chrono::TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts inside a millisecond, so that ids made one after the other sort in that order.
static WITHIN_MILLISECOND: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// A new UUIDv7 for something made at `now`.
#[must_use]
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    let context = WITHIN_MILLISECOND
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    Uuid::new_v7(Timestamp::from_unix(
        &*context,
        seconds,
        now.timestamp_subsec_nanos(),
    ))
}

#[cfg(test)]
mod tests {
    use super::{Clock, SystemClock, new_id};

    #[test]
    fn ids_made_in_the_same_instant_sort_in_the_order_they_were_made() {
        let now = SystemClock.now();
        let ids: Vec<_> = (0..1000).map(|_| new_id(now)).collect();
        assert!(ids.is_sorted());
    }
}
