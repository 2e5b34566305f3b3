//! Which points a series has, and what is in each: no database.

use std::collections::BTreeMap;

use chrono::{Days, Months, NaiveDate, Weekday};
use entity::id::{CategoryId, ItemId, LocationId, UnitOfMeasureId};

use super::{Flow, Interval, Level, Point, Series, SeriesOf, Way};
use crate::{
    error::{Code, Refusal},
    stock::check_conditions,
};

/// Most points of one series: three years of days.
const POINTS_MAX: usize = 1_100;
/// Most series of one answer.
const SERIES_MAX: usize = 100;
/// Most points of one answer.
const ALL_POINTS_MAX: usize = 20_000;
/// Nobody's stock is older, nor will it be asked for later.
const YEARS: (i32, i32) = (1900, 2200);

/// Bounds what a client can make us read, and tells the first days of all points.
pub(super) fn check(asked: &SeriesOf) -> Result<Vec<NaiveDate>, Refusal> {
    let filter = &asked.filter;
    check_conditions(
        filter.item_ids.as_ref().map_or(0, Vec::len)
            + filter.location_ids.as_ref().map_or(0, Vec::len),
    )?;
    let (first, last) = (january(YEARS.0), january(YEARS.1));
    let bounds = [
        ("from", asked.from, first, last.pred_opt()),
        ("until", asked.until, asked.from.max(first), Some(last)),
    ];
    for (path, day, min, max) in bounds {
        let max = max.unwrap_or(last);
        if day < min || day > max || path == "until" && day == asked.from {
            let min = if path == "until" {
                min + Days::new(1)
            } else {
                min
            };
            let refusal = Refusal::new(Code::TimeOutOfRange, path);
            return Err(refusal.with("min", min).with("max", max));
        }
    }
    let starts: Vec<_> = starts(asked).take(POINTS_MAX + 1).collect();
    if starts.len() > POINTS_MAX {
        return Err(Refusal::new(Code::TooMany, "interval").with("max", POINTS_MAX));
    }
    Ok(starts)
}

fn january(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default()
}

/// How many series an answer may have whose series have so many points.
pub(super) fn series_max(points: usize) -> usize {
    (ALL_POINTS_MAX / points.max(1)).clamp(1, SERIES_MAX)
}

/// The first days of all points: the first point begins where it is asked for, the others where their intervals do.
fn starts(asked: &SeriesOf) -> impl Iterator<Item = NaiveDate> {
    let (interval, until) = (asked.interval, asked.until);
    let begin = begin(interval, asked.week_start, asked.from);
    let following = std::iter::successors(Some(begin), move |day| next(interval, *day)).skip(1);
    std::iter::once(asked.from).chain(following.take_while(move |day| *day < until))
}

/// The first day of the interval in which a day is.
fn begin(interval: Interval, week_start: Weekday, day: NaiveDate) -> NaiveDate {
    use chrono::Datelike as _;
    let first = match interval {
        Interval::Day => Some(day),
        Interval::Week => Some(day.week(week_start).first_day()),
        Interval::Month => day.with_day(1),
        Interval::Year => Some(january(day.year())),
    };
    first.unwrap_or(day)
}

fn next(interval: Interval, day: NaiveDate) -> Option<NaiveDate> {
    match interval {
        Interval::Day => day.checked_add_days(Days::new(1)),
        Interval::Week => day.checked_add_days(Days::new(7)),
        Interval::Month => day.checked_add_months(Months::new(1)),
        Interval::Year => day.checked_add_months(Months::new(12)),
    }
}

/// What a series is about. They are told in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct About {
    pub(super) item_id: Option<ItemId>,
    pub(super) location_id: Option<LocationId>,
    pub(super) category_id: Option<CategoryId>,
    pub(super) unit_id: UnitOfMeasureId,
}

/// A sum that the database has made.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    /// The first day of its point; none of what is in front of all of them.
    pub(super) start: Option<NaiveDate>,
    /// Which way; none of what lay there.
    pub(super) way: Option<Way>,
    /// How much.
    pub(super) flow: Flow,
}

/// The series of these sums, each with a point for each of these days and the last until then.
pub(super) fn fill(
    sums: BTreeMap<About, Vec<Sum>>,
    starts: &[NaiveDate],
    until: NaiveDate,
) -> Vec<Series> {
    let series = sums
        .into_iter()
        .map(|(about, sums)| one(about, &sums, starts, until));
    series.collect()
}

fn one(about: About, sums: &[Sum], starts: &[NaiveDate], until: NaiveDate) -> Series {
    let mut flows = vec![[Flow::default(); Way::ALL.len()]; starts.len()];
    let mut opening = Level::default();
    for sum in sums {
        let point = sum
            .start
            .and_then(|start| starts.binary_search(&start).ok());
        match (point, sum.way) {
            (Some(point), Some(way)) => {
                let flow = &mut flows[point][way as usize];
                *flow = flow.plus(sum.flow);
            }
            (_, way) => opening = changed(opening, way.is_none_or(Way::is_in), &sum.flow),
        }
    }
    let ends = starts.iter().skip(1).copied().chain([until]);
    let mut level = opening;
    let points = starts
        .iter()
        .zip(ends)
        .zip(flows)
        .map(|((from, end), flows)| {
            for way in Way::ALL {
                level = changed(level, way.is_in(), &flows[way as usize]);
            }
            Point {
                from: *from,
                until: end,
                level,
                flows,
            }
        });
    let points = points.collect();
    let About {
        item_id,
        location_id,
        category_id,
        unit_id,
    } = about;
    Series {
        item_id,
        location_id,
        category_id,
        unit_id,
        opening,
        points,
    }
}

/// What lies there after so much has come, or gone.
fn changed(level: Level, is_in: bool, flow: &Flow) -> Level {
    let [quantity, weight, fine_weight] = [flow.quantity, flow.weight, flow.fine_weight]
        .map(|amount| if is_in { amount } else { -amount });
    Level {
        quantity: level.quantity + quantity,
        weight: level.weight + weight,
        fine_weight: level.fine_weight + fine_weight,
    }
}
