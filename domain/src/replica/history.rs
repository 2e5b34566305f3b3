//! When the primary got where, as far as it matters for how far others are behind.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{Position, watch::EVERY};

/// The longest lag that can be told. What a replica lacks longer than that it lacks for too long, whatever is allowed.
pub const LAG_MAX: Duration = Duration::from_secs(300);

/// Enough for a primary that gets on at every look for longer than [`LAG_MAX`].
const ENTRIES_MAX: usize = 4096;

const _: () = assert!(ENTRIES_MAX as u128 * EVERY.as_millis() > LAG_MAX.as_millis());

/// Where the primary was, and when that was seen first; the oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Nobody knows how old what lies before this is.
    since: Position,
    entries: VecDeque<(Position, Instant)>,
}

impl History {
    /// The primary is here now.
    pub(super) fn record(&mut self, position: Position, now: Instant) {
        let last = self.entries.back().map_or(self.since, |(last, _)| *last);
        if last == Position::default() || position < last {
            // Nothing is known of it yet; or another server has taken its place, which has not got as far.
            self.entries.clear();
            self.since = position;
        } else if position > last {
            self.entries.push_back((position, now));
        }
        if self.entries.len() > ENTRIES_MAX
            && let Some((forgotten, _)) = self.entries.pop_front()
        {
            self.since = forgotten;
        }
    }

    /// How old the oldest write is that somebody lacks who has got so far; none when it is older than we remember.
    pub(super) fn lag(&self, replayed: Position, now: Instant) -> Option<Duration> {
        if replayed < self.since {
            return None;
        }
        let lacked = self
            .entries
            .partition_point(|(position, _)| *position <= replayed);
        let lacked = self.entries.get(lacked);
        Some(lacked.map_or(Duration::ZERO, |(_, seen)| now.duration_since(*seen)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u64) -> Position {
        format!("{number:016x}").parse().unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_lag_is_the_age_of_the_oldest_write_that_is_lacking() {
        let (mut history, start) = (History::default(), Instant::now());
        history.record(at(100), start);
        history.record(at(200), start + SECOND);
        history.record(at(200), start + SECOND * 2);
        history.record(at(300), start + SECOND * 3);
        let now = start + SECOND * 10;
        let lag = |replayed| history.lag(at(replayed), now);
        assert_eq!(lag(300), Some(Duration::ZERO));
        assert_eq!(lag(299), Some(SECOND * 7));
        assert_eq!(lag(200), Some(SECOND * 7));
        assert_eq!(lag(199), Some(SECOND * 9));
        assert_eq!(lag(100), Some(SECOND * 9));
        assert_eq!(lag(99), None, "nobody knows since when");
    }

    #[test]
    fn nothing_is_behind_a_primary_that_rests() {
        let (mut history, start) = (History::default(), Instant::now());
        history.record(at(100), start);
        assert_eq!(
            history.lag(at(100), start + SECOND * 900),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn what_was_forgotten_is_never_taken_for_new() {
        let (mut history, start) = (History::default(), Instant::now());
        let last = ENTRIES_MAX as u64 + 11;
        for number in 1..=last {
            history.record(at(number), start + EVERY * u32::try_from(number).unwrap());
        }
        let now = start + EVERY * u32::try_from(last).unwrap();
        assert_eq!(history.entries.len(), ENTRIES_MAX);
        assert_eq!(history.lag(at(10), now), None);
        assert!(history.lag(at(11), now).unwrap() > LAG_MAX);
    }

    #[test]
    fn a_primary_that_is_further_back_begins_anew() {
        let (mut history, start) = (History::default(), Instant::now());
        history.record(at(500), start);
        history.record(at(600), start + SECOND);
        history.record(at(50), start + SECOND * 2);
        history.record(at(60), start + SECOND * 3);
        let now = start + SECOND * 4;
        assert_eq!(history.lag(at(60), now), Some(Duration::ZERO));
        assert_eq!(history.lag(at(50), now), Some(SECOND));
        assert_eq!(history.lag(at(49), now), None);
    }
}
