use std::collections::BTreeMap;

use chrono::{NaiveDate, Weekday};
use entity::id::UnitOfMeasureId;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    By, Flow, Interval, Level, SeriesFilter, SeriesOf, Way,
    rules::{About, Sum, check, fill, series_max},
};
use crate::error::Code;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn asked(interval: Interval, from: &str, until: &str) -> SeriesOf {
    SeriesOf {
        filter: SeriesFilter::default(),
        from: day(from),
        until: day(until),
        interval,
        week_start: Weekday::Sat,
        by: By::All,
    }
}

fn starts(interval: Interval, from: &str, until: &str) -> Vec<String> {
    let starts = check(&asked(interval, from, until)).unwrap();
    starts.iter().map(ToString::to_string).collect()
}

#[test]
fn points_begin_where_their_intervals_do_but_the_first() {
    use Interval::{Day, Month, Week, Year};
    assert_eq!(
        starts(Day, "2024-02-28", "2024-03-02"),
        ["2024-02-28", "2024-02-29", "2024-03-01"]
    );
    // The 28th of November 2026 is a Saturday.
    assert_eq!(
        starts(Week, "2026-11-25", "2026-12-06"),
        ["2026-11-25", "2026-11-28", "2026-12-05"]
    );
    assert_eq!(starts(Week, "2026-11-28", "2026-12-05"), ["2026-11-28"]);
    assert_eq!(
        starts(Month, "2026-01-31", "2026-04-01"),
        ["2026-01-31", "2026-02-01", "2026-03-01"]
    );
    assert_eq!(
        starts(Year, "2024-02-29", "2026-01-02"),
        ["2024-02-29", "2025-01-01", "2026-01-01"]
    );
}

#[test]
fn days_that_are_none_or_too_many_are_refused() {
    let refused = |interval, from: &str, until: &str| {
        let refusal = check(&asked(interval, from, until)).unwrap_err();
        (refusal.code, refusal.path.join("."))
    };
    let out_of_range = |path: &str| (Code::TimeOutOfRange, path.to_owned());
    assert_eq!(
        refused(Interval::Day, "2026-01-02", "2026-01-02"),
        out_of_range("until")
    );
    assert_eq!(
        refused(Interval::Day, "2026-01-02", "2026-01-01"),
        out_of_range("until")
    );
    assert_eq!(
        refused(Interval::Year, "1899-12-31", "2026-01-01"),
        out_of_range("from")
    );
    assert_eq!(
        refused(Interval::Year, "2026-01-01", "2200-01-02"),
        out_of_range("until")
    );
    assert_eq!(
        refused(Interval::Day, "2020-01-01", "2023-01-06"),
        (Code::TooMany, "interval".to_owned())
    );
    assert_eq!(
        starts(Interval::Day, "2020-01-01", "2023-01-05").len(),
        1_100
    );
    assert_eq!([1, 200, 366, 1_100].map(series_max), [100, 100, 54, 18]);
}

#[test]
fn what_lay_there_is_carried_over_gaps() {
    let flow = |quantity: i64| Flow {
        movements: 1,
        quantity: Decimal::from(quantity),
        ..Flow::default()
    };
    let about = About {
        item_id: None,
        location_id: None,
        category_id: None,
        unit_id: UnitOfMeasureId(Uuid::nil()),
    };
    let sum = |start: Option<&str>, way, quantity| Sum {
        start: start.map(day),
        way,
        flow: flow(quantity),
    };
    let sums = vec![
        sum(None, None, 10),
        sum(None, Some(Way::Sold), 3),
        sum(Some("2026-01-01"), Some(Way::Purchased), 5),
        sum(Some("2026-01-01"), Some(Way::MovedOut), 1),
        sum(Some("2026-01-03"), Some(Way::Lost), 2),
    ];
    let starts = ["2026-01-01", "2026-01-02", "2026-01-03"].map(day);
    let series = fill(BTreeMap::from([(about, sums)]), &starts, day("2026-01-05"));
    let [series] = series.as_slice() else {
        panic!("{series:?}")
    };
    let level = |quantity: i64| Level {
        quantity: Decimal::from(quantity),
        ..Level::default()
    };
    assert_eq!(series.opening, level(7));
    let levels: Vec<_> = series.points.iter().map(|point| point.level).collect();
    assert_eq!(levels, [level(11), level(11), level(9)]);
    let ends: Vec<_> = series
        .points
        .iter()
        .map(|point| point.until.to_string())
        .collect();
    assert_eq!(ends, ["2026-01-02", "2026-01-03", "2026-01-05"]);
    assert_eq!(series.points[0].across(true), flow(5));
    assert_eq!(series.points[0].across(false), Flow::default());
    assert_eq!(series.points[0].flow(Way::MovedOut), flow(1));
    assert_eq!(series.points[2].across(false), flow(2));
}
