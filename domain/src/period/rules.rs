//! Decisions about fiscal years and periods that need nothing but their arguments.

use chrono::{Days, NaiveDate};
use entity::period::Model as Period;

use super::{NewFiscalYear, PERIODS_MAX};
use crate::{
    error::{Code, Refusal, Refusals, Result},
    text,
};

/// Longest name, in characters.
const NAME_MAX: usize = 100;
/// Longest reason, in characters.
const REASON_MAX: usize = 500;
/// Most days of a fiscal year: a first one may be longer than a year.
const DAYS_MAX: i64 = 800;

/// A part of a fiscal year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) starts_on: NaiveDate,
    pub(super) ends_on: NaiveDate,
}

/// Its name, and its parts without gaps.
pub(super) fn parse(new: &NewFiscalYear) -> Result<(String, Vec<Part>)> {
    let NewFiscalYear {
        name,
        starts_on,
        ends_on,
        periods,
    } = new;
    let mut refusals = Refusals::default();
    let name = refusals.take(text::line("name", name, 1, NAME_MAX));
    let last = starts_on
        .checked_add_days(Days::new(DAYS_MAX.unsigned_abs() - 1))
        .unwrap_or(NaiveDate::MAX);
    if !(*starts_on..=last).contains(ends_on) {
        refusals.push(between("endsOn", *starts_on, last));
    }
    if periods.len() > PERIODS_MAX {
        refusals.push(Refusal::new(Code::TooMany, "periods").with("max", PERIODS_MAX));
    }
    let parts = parts(new, &mut refusals);
    refusals.into_result(name.map(|name| (name, parts)))
}

fn parts(new: &NewFiscalYear, refusals: &mut Refusals) -> Vec<Part> {
    if new.periods.is_empty() {
        return vec![Part {
            name: new.name.trim().to_owned(),
            starts_on: new.starts_on,
            ends_on: new.ends_on,
        }];
    }
    let mut parts: Vec<Part> = Vec::new();
    for (index, period) in new.periods.iter().take(PERIODS_MAX).enumerate() {
        let path = format!("periods.{index}.startsOn");
        let first = parts
            .last()
            .map_or(Some(new.starts_on), |before| before.starts_on.succ_opt());
        let first = first.unwrap_or(NaiveDate::MAX);
        // The first begins with the year, every other one behind the one before it.
        let last = if index == 0 { first } else { new.ends_on };
        if !(first..=last).contains(&period.starts_on) {
            refusals.push(between(&path, first, last));
        }
        let name = text::line(&format!("periods.{index}.name"), &period.name, 1, NAME_MAX);
        let name = refusals.take(name).unwrap_or_default();
        if let (Some(before), Some(day)) = (parts.last_mut(), period.starts_on.pred_opt()) {
            before.ends_on = day;
        }
        parts.push(Part {
            name,
            starts_on: period.starts_on,
            ends_on: new.ends_on,
        });
    }
    parts
}

fn between(path: &str, min: NaiveDate, max: NaiveDate) -> Refusal {
    Refusal::new(Code::TimeOutOfRange, path)
        .with("min", min)
        .with("max", max)
}

pub(crate) fn parse_reason(reason: &str) -> Result<String, Refusal> {
    text::line("reason", reason, 1, REASON_MAX)
}

/// What is closed lies in the past: what moves today is not to be refused.
pub(super) fn check_over(period: &Period, today: NaiveDate) -> Result<(), Refusal> {
    if period.ends_on < today {
        return Ok(());
    }
    Err(Refusal::new(Code::PeriodNotOver, "id").with("endsOn", period.ends_on))
}

#[cfg(test)]
mod tests {
    use super::{super::NewPeriod, *};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap_or_default()
    }

    fn year(periods: &[&str]) -> NewFiscalYear {
        let periods = periods
            .iter()
            .enumerate()
            .map(|(index, starts_on)| NewPeriod {
                name: format!("{}", index + 1),
                starts_on: day(starts_on),
            });
        NewFiscalYear {
            name: "1405".to_owned(),
            starts_on: day("2026-03-21"),
            ends_on: day("2027-03-20"),
            periods: periods.collect(),
        }
    }

    #[test]
    fn the_months_of_a_persian_year_follow_one_another_without_gaps() {
        let months = [
            "2026-03-21",
            "2026-04-21",
            "2026-05-22",
            "2026-06-22",
            "2026-07-23",
            "2026-08-23",
            "2026-09-23",
            "2026-10-23",
            "2026-11-22",
            "2026-12-22",
            "2027-01-21",
            "2027-02-20",
        ];
        let (_, parts) = parse(&year(&months)).unwrap_or_default();
        assert_eq!(parts.len(), 12);
        for pair in parts.windows(2) {
            assert_eq!(pair[0].ends_on.succ_opt(), Some(pair[1].starts_on));
        }
        assert_eq!(parts[11].ends_on, day("2027-03-20"));
    }

    #[test]
    fn a_year_without_parts_is_one() {
        let (_, parts) = parse(&year(&[])).unwrap_or_default();
        assert_eq!(parts.len(), 1);
        assert_eq!(
            (parts[0].name.as_str(), parts[0].ends_on),
            ("1405", day("2027-03-20"))
        );
    }

    #[test]
    fn parts_begin_with_the_year_and_go_forward() {
        for wrong in [
            &["2026-03-22"][..],
            &["2026-03-21", "2026-03-21"],
            &["2026-03-21", "2027-03-21"],
        ] {
            assert!(parse(&year(wrong)).is_err(), "{wrong:?}");
        }
        let mut long = year(&[]);
        long.ends_on = day("2029-03-20");
        assert!(parse(&long).is_err());
        long.ends_on = day("2026-03-20");
        assert!(parse(&long).is_err());
    }
}
