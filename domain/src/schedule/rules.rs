//! What is said of schedules, and what becomes of a time that has come.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{
    NewSchedule, Outcome, ScheduleChange, WhenMissed,
    timetable::{Timetable, parse_cron, parse_zone},
};
use crate::{
    errand::{Errand, Order},
    error::{Code, Refusal, Refusals, Result},
    patch::Patch,
    text::{self, NAME_MAX},
};

/// Most schedules there may be.
pub const SCHEDULES_MAX: i64 = 100;
/// Most times that are told at once.
pub const UPCOMING_MAX: i32 = 20;
/// How late a time may come and still be on time.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// A schedule to be, as it will be kept.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) cron: String,
    pub(super) time_zone: Option<String>,
    pub(super) errand: Errand,
    pub(super) enabled: bool,
    pub(super) when_missed: WhenMissed,
    pub(super) allow_overlap: bool,
}

/// A change, as it will be kept.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DraftChange {
    pub(super) name: Option<String>,
    pub(super) cron: Option<String>,
    pub(super) time_zone: Patch<String>,
    pub(super) when_missed: Option<WhenMissed>,
    pub(super) allow_overlap: Option<bool>,
}

pub(super) fn parse_new(new: NewSchedule, now: DateTime<Utc>) -> Result<Draft> {
    let NewSchedule {
        name,
        cron,
        time_zone,
        errand,
        enabled,
        when_missed,
        allow_overlap,
    } = new;
    let mut refusals = Refusals::default();
    let name = refusals.take(parse_name(&name));
    let cron = refusals.take(parse_cron(&cron, now));
    let time_zone = refusals.take(time_zone.as_deref().map(zone).transpose());
    let order = refusals.take(Order::parse_scheduled(errand));
    let draft = name.zip(cron).zip(time_zone).zip(order);
    let draft = draft.map(|(((name, cron), time_zone), _)| Draft {
        name,
        cron,
        time_zone,
        errand,
        enabled,
        when_missed,
        allow_overlap,
    });
    refusals.into_result(draft)
}

pub(super) fn parse_change(change: ScheduleChange, now: DateTime<Utc>) -> Result<DraftChange> {
    let ScheduleChange {
        name,
        cron,
        time_zone,
        when_missed,
        allow_overlap,
    } = change;
    let mut refusals = Refusals::default();
    let name = refusals.take(name.as_deref().map(parse_name).transpose());
    let cron = refusals.take(cron.map(|cron| parse_cron(&cron, now)).transpose());
    let time_zone = refusals.take(time_zone.try_map(|name| zone(&name)));
    let draft = name.zip(cron).zip(time_zone);
    let draft = draft.map(|((name, cron), time_zone)| DraftChange {
        name,
        cron,
        time_zone,
        when_missed,
        allow_overlap,
    });
    refusals.into_result(draft)
}

fn parse_name(name: &str) -> Result<String, Refusal> {
    text::line("name", name, 1, NAME_MAX)
}

fn zone(name: &str) -> Result<String, Refusal> {
    Ok(parse_zone(name)?.name().to_owned())
}

/// How many times are told.
pub(super) fn parse_count(count: i32) -> Result<usize, Refusal> {
    usize::try_from(count)
        .ok()
        .filter(|_| count <= UPCOMING_MAX)
        .ok_or_else(|| {
            let refusal = Refusal::new(Code::OutOfRange, "count");
            refusal.with("min", 0).with("max", UPCOMING_MAX)
        })
}

/// A time that has come, and what there is to be known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// The first time that nothing has been decided about.
    pub(super) since: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
    pub(super) when_missed: WhenMissed,
    /// Whether the last job stands in the way.
    pub(super) is_occupied: bool,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// The last of all times that have come.
    pub(super) tick: DateTime<Utc>,
    /// The first of those in front of it.
    pub(super) missed_since: Option<DateTime<Utc>>,
    pub(super) outcome: Outcome,
}

/// However many times have come, one thing becomes of them: that of the last.
pub(super) fn decide(timetable: &Timetable, due: Due) -> Decision {
    let tick = timetable.last(due.now).unwrap_or(due.since).max(due.since);
    let is_late = due.now - tick > GRACE;
    let outcome = match due.when_missed {
        WhenMissed::Skip if is_late => Outcome::Missed,
        WhenMissed::Skip | WhenMissed::RunOnce if due.is_occupied => Outcome::Overlapped,
        WhenMissed::Skip | WhenMissed::RunOnce => Outcome::Fired,
    };
    Decision {
        tick,
        missed_since: Some(due.since).filter(|since| *since < tick),
        outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-28T{text}Z").parse().unwrap()
    }

    /// Each hour, last decided about before `since`.
    fn decided(
        since: &str,
        now: &str,
        when_missed: WhenMissed,
        is_occupied: bool,
    ) -> (String, bool, Outcome) {
        let timetable = Timetable::new("0 * * * *", "UTC").unwrap();
        let due = Due {
            since: at(since),
            now: at(now),
            when_missed,
            is_occupied,
        };
        let Decision {
            tick,
            missed_since,
            outcome,
        } = decide(&timetable, due);
        assert!(missed_since.is_none_or(|first| first == at(since)));
        (
            tick.format("%H:%M").to_string(),
            missed_since.is_some(),
            outcome,
        )
    }

    #[test]
    fn what_is_on_time_is_done() {
        for when_missed in [WhenMissed::RunOnce, WhenMissed::Skip] {
            for now in ["08:00:00", "08:00:00.7", "08:01:00"] {
                let fired = ("08:00".to_owned(), false, Outcome::Fired);
                assert_eq!(decided("08:00:00", now, when_missed, false), fired);
            }
            let overlapped = ("08:00".to_owned(), false, Outcome::Overlapped);
            assert_eq!(
                decided("08:00:00", "08:00:01", when_missed, true),
                overlapped
            );
        }
    }

    #[test]
    fn what_was_missed_is_made_good_once_or_left_out() {
        let made_good = ("11:00".to_owned(), true, Outcome::Fired);
        assert_eq!(
            decided("08:00:00", "11:20:00", WhenMissed::RunOnce, false),
            made_good
        );
        let left_out = ("11:00".to_owned(), true, Outcome::Missed);
        assert_eq!(
            decided("08:00:00", "11:20:00", WhenMissed::Skip, false),
            left_out
        );
        assert_eq!(
            decided("08:00:00", "11:20:00", WhenMissed::Skip, true),
            left_out,
            "it was missed before anything stood in its way"
        );
        // The last of them is on time: it is done, whatever was missed.
        let on_time = ("11:00".to_owned(), true, Outcome::Fired);
        assert_eq!(
            decided("08:00:00", "11:00:30", WhenMissed::Skip, false),
            on_time
        );
    }

    #[test]
    fn no_more_than_twenty_times_are_told() {
        assert_eq!(parse_count(20), Ok(20));
        assert!(parse_count(21).is_err() && parse_count(-1).is_err());
    }
}
