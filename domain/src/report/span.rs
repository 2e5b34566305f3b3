//! Which turnovers make up the columns of a report: each day is read once, however many columns it is part of.
//!
//! The days on which columns begin and end cut time into intervals. An interval is read as whole months and the days around them, or as whole
//! years, the months around them and the days around those; and what a column has is the sum of its intervals.

use chrono::{Datelike, Months, NaiveDate};

use super::Column;

/// How long the time is that a turnover is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    Day,
    Month,
    /// Only subsidiary accounts have these.
    Year,
}

impl Span {
    /// As the tables call it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// Turnovers to read: of this span, from the one day to the other, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// To which interval they belong.
    pub(super) interval: usize,
    /// Months and years go by their first days.
    pub(super) span: Span,
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

    /// The same where there are turnovers of years.
    pub(super) fn pieces_with_years(&self) -> Vec<Piece> {
        self.pieces().into_iter().flat_map(of_years).collect()
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
    let behind = behind(until);
    let whole = (first_month, month(behind));
    split(interval, (since, until), whole, (Span::Day, Span::Month))
}

/// Months as whole years and the months around them.
fn of_years(piece: Piece) -> Vec<Piece> {
    let Piece {
        interval,
        span,
        since,
        until,
    } = piece;
    if span != Span::Month {
        return vec![piece];
    }
    let first_year = if since.month() == 1 {
        since
    } else {
        year(since) + Months::new(12)
    };
    let whole = (first_year, year(behind(until)));
    split(interval, (since, until), whole, (Span::Month, Span::Year))
}

/// Days in a row as longer spans, from the first of them to where the last ends, and shorter ones around those.
fn split(
    interval: usize,
    (since, until): (NaiveDate, NaiveDate),
    (first, end): (NaiveDate, NaiveDate),
    (short, long): (Span, Span),
) -> Vec<Piece> {
    let parts = if first <= end {
        vec![
            (short, since, before(first)),
            (long, first, before(end)),
            (short, end, until),
        ]
    } else {
        vec![(short, since, until)]
    };
    let parts = parts.into_iter();
    parts
        .filter(|(_, since, until)| since <= until)
        .map(|(span, since, until)| Piece {
            interval,
            span,
            since,
            until,
        })
        .collect()
}

fn before(day: NaiveDate) -> NaiveDate {
    day.pred_opt().unwrap_or(day)
}

fn behind(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(day)
}

/// Earlier than anything that is posted.
fn beginning() -> NaiveDate {
    NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or_default()
}

fn month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

fn year(day: NaiveDate) -> NaiveDate {
    month(day).with_month(1).unwrap_or(day)
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
    fn read(pieces: Vec<Piece>) -> BTreeMap<NaiveDate, Vec<usize>> {
        let mut days: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for piece in pieces {
            let ends = [piece.since, piece.until.succ_opt().unwrap()];
            for end in ends {
                match piece.span {
                    Span::Day => {}
                    Span::Month => assert_eq!(end.day(), 1),
                    Span::Year => assert_eq!(end.ordinal(), 1),
                }
            }
            let mut day = piece.since.max(day(-500));
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
            columns in prop::collection::vec((prop::option::of(0..1_000_i32), 0..1_000_i32), 1..=12), years: bool
        ) {
            let columns: Vec<_> = columns
                .into_iter()
                .map(|(from, until)| Column { from: from.map(|from| day(from.min(until))), until: day(until) })
                .collect();
            let spans = Spans::of(&columns);
            let days = read(if years { spans.pieces_with_years() } else { spans.pieces() });
            for (place, column) in columns.iter().enumerate() {
                for number in -450..1_020 {
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

    fn told(pieces: Vec<Piece>) -> Vec<(&'static str, String, String)> {
        let pieces = pieces.into_iter();
        pieces
            .map(|piece| {
                (
                    piece.span.as_str(),
                    piece.since.to_string(),
                    piece.until.to_string(),
                )
            })
            .collect()
    }

    fn text(span: &'static str, since: &str, until: &str) -> (&'static str, String, String) {
        (span, since.into(), until.into())
    }

    #[test]
    fn a_year_is_read_by_months_and_many_by_years() {
        let column = Column {
            from: NaiveDate::from_ymd_opt(2025, 3, 21),
            until: NaiveDate::from_ymd_opt(2026, 3, 20).unwrap(),
        };
        assert_eq!(
            told(Spans::of(&[column]).pieces()),
            [
                text("day", "2025-03-21", "2025-03-31"),
                text("month", "2025-04-01", "2026-02-28"),
                text("day", "2026-03-01", "2026-03-20"),
            ]
        );
        let column = Column {
            from: NaiveDate::from_ymd_opt(2023, 3, 21),
            until: NaiveDate::from_ymd_opt(2026, 3, 20).unwrap(),
        };
        assert_eq!(
            told(Spans::of(&[column]).pieces_with_years()),
            [
                text("day", "2023-03-21", "2023-03-31"),
                text("month", "2023-04-01", "2023-12-31"),
                text("year", "2024-01-01", "2025-12-31"),
                text("month", "2026-01-01", "2026-02-28"),
                text("day", "2026-03-01", "2026-03-20"),
            ]
        );
    }
}
