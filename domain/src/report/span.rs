//! Which turnovers make up the columns of a report: each day is read once, however many columns it is part of.
//!
//! The days on which columns begin and end cut time into intervals. An interval is read as whole months and the days around them, and what a
//! column has is the sum of its intervals.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::Column;

/// Turnovers to read: of this span, from the one day to the other, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// To which interval they belong.
    pub(super) interval: usize,
    /// Whole months, by their first days; or days.
    pub(super) is_month: bool,
    pub(super) since: NaiveDate,
    pub(super) until: NaiveDate,
}

/// Days in a row, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) since: NaiveDate,
    pub(super) until: NaiveDate,
}

/// The intervals that columns are made of.
#[derive(Debug)]
pub(super) struct Spans {
    /// Each with the place that rows tell.
    intervals: Vec<Interval>,
    /// Of each column, its first interval and the one behind its last.
    columns: Vec<(usize, usize)>,
}

impl Spans {
    pub(super) fn of(columns: &[Column]) -> Self {
        let mut ends: Vec<_> = columns
            .iter()
            .flat_map(|column| {
                let before = column.from.and_then(|from| from.pred_opt());
                before.into_iter().chain([column.until])
            })
            .collect();
        ends.sort_unstable();
        ends.dedup();
        let mut since = beginning();
        let intervals = ends.iter().map(|until| {
            let interval = Interval {
                since,
                until: *until,
            };
            since = until.succ_opt().unwrap_or(*until);
            interval
        });
        let intervals = intervals.collect();
        let behind = |day: NaiveDate| ends.partition_point(|end| *end <= day);
        let columns = columns.iter().map(|column| {
            let before = column.from.and_then(|from| from.pred_opt());
            (before.map_or(0, behind), behind(column.until))
        });
        Self {
            columns: columns.collect(),
            intervals,
        }
    }

    /// The intervals that some column has, with their places.
    pub(super) fn needed(&self) -> Vec<(usize, Interval)> {
        let is_needed = |place: usize| {
            let mut columns = self.columns.iter();
            columns.any(|(first, behind)| (*first..*behind).contains(&place))
        };
        let all = self.intervals.iter().copied().enumerate();
        all.filter(|(place, _)| is_needed(*place)).collect()
    }

    /// What is to be read for them.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let needed = self.needed();
        let pieces = needed
            .into_iter()
            .flat_map(|(place, interval)| pieces(place, interval));
        pieces.collect()
    }

    /// Of which columns an interval is a part.
    pub(super) fn columns_of(&self, interval: usize) -> impl Iterator<Item = usize> {
        let columns = self.columns.iter().enumerate();
        columns
            .filter(move |(_, (first, behind))| (*first..*behind).contains(&interval))
            .map(|(column, _)| column)
    }
}

fn pieces(interval: usize, Interval { since, until }: Interval) -> Vec<Piece> {
    let first_month = if since.day() == 1 {
        since
    } else {
        month(since) + Months::new(1)
    };
    let behind = until.succ_opt().unwrap_or(until);
    let last_days = month(behind);
    let day_before = |day: NaiveDate| day.checked_sub_days(Days::new(1)).unwrap_or(day);
    let parts = if first_month <= last_days {
        [
            (false, since, day_before(first_month)),
            (true, first_month, day_before(last_days)),
            (false, last_days, until),
        ]
        .to_vec()
    } else {
        vec![(false, since, until)]
    };
    parts
        .into_iter()
        .filter(|(_, since, until)| since <= until)
        .map(|(is_month, since, until)| Piece {
            interval,
            is_month,
            since,
            until,
        })
        .collect()
}

/// Earlier than anything that is posted.
fn beginning() -> NaiveDate {
    NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default()
}

fn month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn day(number: i32) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(738_000 + number).unwrap()
    }

    /// Of each interval, how often each day is read.
    fn read(spans: &Spans) -> BTreeMap<NaiveDate, Vec<usize>> {
        let mut days: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for piece in spans.pieces() {
            if piece.is_month {
                assert_eq!(piece.since.day(), 1);
                assert_eq!(piece.until.succ_opt().unwrap().day(), 1);
            }
            let mut day = piece.since.max(day(-100));
            while day <= piece.until {
                days.entry(day).or_default().push(piece.interval);
                day = day.succ_opt().unwrap();
            }
        }
        days
    }

    proptest! {
        #[test]
        fn each_column_reads_each_of_its_days_once(
            columns in prop::collection::vec((prop::option::of(0..200_i32), 0..200_i32), 1..=12)
        ) {
            let columns: Vec<_> = columns
                .into_iter()
                .map(|(from, until)| Column { from: from.map(|from| day(from.min(until))), until: day(until) })
                .collect();
            let spans = Spans::of(&columns);
            let days = read(&spans);
            for (place, column) in columns.iter().enumerate() {
                for number in -50..220 {
                    let day = day(number);
                    let times = days.get(&day).into_iter().flatten()
                        .filter(|interval| spans.columns_of(**interval).any(|of| of == place))
                        .count();
                    let is_in = column.from.is_none_or(|from| from <= day) && day <= column.until;
                    prop_assert_eq!(times, usize::from(is_in));
                }
            }
        }
    }

    #[test]
    fn a_year_is_read_by_months() {
        let column = Column {
            from: NaiveDate::from_ymd_opt(2025, 3, 21),
            until: NaiveDate::from_ymd_opt(2026, 3, 20).unwrap(),
        };
        let pieces = Spans::of(&[column]).pieces();
        let spans: Vec<_> = pieces
            .iter()
            .map(|piece| {
                (
                    piece.is_month,
                    piece.since.to_string(),
                    piece.until.to_string(),
                )
            })
            .collect();
        let text = |is_month, since: &str, until: &str| (is_month, since.into(), until.into());
        assert_eq!(
            spans,
            [
                text(false, "2025-03-21", "2025-03-31"),
                text(true, "2025-04-01", "2026-02-28"),
                text(false, "2026-03-01", "2026-03-20"),
            ]
        );
    }
}
