//! How long a failed task waits before its next attempt.

use std::time::Duration;

use super::message::Run;

/// Exponential back-off: `base`, `2 base`, `4 base` … up to `cap`, each shortened by up to a half.
///
/// The shortening is computed from the task's id and attempt instead of drawn at random: tasks that failed
/// together come back apart all the same, and the delay of a given run can be foretold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait after the first failure.
    pub base: Duration,
    /// The longest wait after any failure.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(600),
        }
    }
}

impl Backoff {
    /// The wait after `run` has failed.
    #[must_use]
    pub fn delay(&self, run: &Run) -> Duration {
        let doublings = run.attempt.saturating_sub(1).min(31);
        let longest = self.base.saturating_mul(1 << doublings).min(self.cap);
        let half = longest / 2;
        let spread = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX - 1);
        half + Duration::from_nanos(run.scatter() % (spread + 1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::*;

    fn run(id: u128, attempt: u32) -> Run {
        Run {
            id: Uuid::from_u128(id),
            attempt,
            max_attempts: 99,
        }
    }

    #[test]
    fn the_wait_doubles_up_to_the_cap_and_keeps_at_least_half() {
        let backoff = Backoff {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(10),
        };
        for (attempt, longest) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (99, 10)] {
            let longest = Duration::from_secs(longest);
            let delay = backoff.delay(&run(7, attempt));
            assert!(
                delay >= longest / 2 && delay <= longest,
                "{attempt}: {delay:?}"
            );
        }
    }

    #[test]
    fn tasks_that_fail_together_come_back_apart() {
        let delays: HashSet<_> = (0..100)
            .map(|id| Backoff::default().delay(&run(id, 1)))
            .collect();
        assert!(delays.len() > 90, "{}", delays.len());
    }

    #[test]
    fn no_setting_overflows() {
        let endless = Backoff {
            base: Duration::MAX,
            cap: Duration::MAX,
        };
        assert!(endless.delay(&run(1, u32::MAX)) > Duration::ZERO);
        let none = Backoff {
            base: Duration::ZERO,
            cap: Duration::ZERO,
        };
        assert_eq!(none.delay(&run(1, 1)), Duration::ZERO);
    }
}
