//! When something comes: five fields of cron, read in a time zone. `croner` reads and counts, `chrono-tz` knows when clocks are put forward and back.
//!
//! What has fixed minutes and hours comes once a day whatever the clocks do: what falls into an hour that is left out comes right after it, and what
//! falls into one that comes twice, the first time. What comes at intervals comes at each of them that there is.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use crate::error::{Code, Refusal};

/// Longest expression, in characters.
const CRON_MAX: usize = 100;
/// What the fields are called, in their order.
const FIELDS: [&str; 5] = ["minute", "hour", "day_of_month", "month", "day_of_week"];

/// Neither seconds nor years: nobody is at work to the second.
static PARSER: LazyLock<CronParser> = LazyLock::new(|| {
    let parser = CronParser::builder();
    parser
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
});

/// When something comes.
#[derive(Clone, Debug)]
pub(crate) struct Timetable {
    cron: Cron,
    zone: Tz,
}

impl Timetable {
    /// From an expression and the name of a zone.
    ///
    /// # Errors
    /// When either cannot be understood.
    pub(crate) fn new(cron: &str, zone: &str) -> Result<Self, Refusal> {
        Ok(Self {
            cron: parse(cron)?,
            zone: parse_zone(zone)?,
        })
    }

    /// The first time behind this moment; none when it never comes.
    pub(crate) fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let after = after.with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&after, false).ok()?;
        Some(next.with_timezone(&Utc))
    }

    /// The last time up to this moment.
    pub(crate) fn last(&self, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let until = until.with_timezone(&self.zone);
        let last = self.cron.find_previous_occurrence(&until, true).ok()?;
        Some(last.with_timezone(&Utc))
    }

    /// The first so many times behind this moment.
    pub(crate) fn upcoming(&self, after: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        let first = self.next(after);
        std::iter::successors(first, |time| self.next(*time))
            .take(count)
            .collect()
    }
}

/// An expression as it is kept: one blank between its fields.
///
/// # Errors
/// When it is none, or never comes, seen from `now`.
pub(super) fn parse_cron(text: &str, now: DateTime<Utc>) -> Result<String, Refusal> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cron = parse(&text)?;
    match cron.find_next_occurrence(&now, false) {
        Ok(_) => Ok(text),
        Err(_) => Err(Refusal::new(Code::NeverComes, "cron").with("value", text)),
    }
}

/// The name of a zone as it is kept.
///
/// # Errors
/// When there is no such zone.
pub(super) fn parse_zone(name: &str) -> Result<Tz, Refusal> {
    let name = name.trim();
    name.parse()
        .map_err(|_unknown| Refusal::new(Code::UnknownTimeZone, "timeZone").with("value", name))
}

fn parse(text: &str) -> Result<Cron, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new(Code::Required, "cron"));
    }
    if text.chars().count() > CRON_MAX {
        return Err(Refusal::new(Code::TooLong, "cron").with("max", CRON_MAX));
    }
    PARSER.parse(text).map_err(|_wrong| {
        let refusal = Refusal::new(Code::InvalidCron, "cron").with("value", text);
        refusal.with("field", wrong_field(text).unwrap_or("none"))
    })
}

/// Which of five fields is none, when the others do not matter.
fn wrong_field(text: &str) -> Option<&'static str> {
    let fields: Vec<_> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return None;
    }
    let is_wrong = |index: usize| {
        let mut alone = ["*"; FIELDS.len()];
        alone[index] = fields[index];
        PARSER.parse(&alone.join(" ")).is_err()
    };
    (0..FIELDS.len())
        .find(|index| is_wrong(*index))
        .map(|index| FIELDS[index])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn times(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let timetable = Timetable::new(cron, zone).unwrap();
        let times = timetable.upcoming(at(after), count);
        times
            .into_iter()
            .map(|time| time.format("%d.%m. %H:%M").to_string())
            .collect()
    }

    fn refused(cron: &str) -> (Code, Option<String>) {
        let refusal = parse_cron(cron, at("2026-11-28T00:00:00Z")).unwrap_err();
        assert_eq!(refusal.path, ["cron"]);
        (refusal.code, refusal.params.get("field").cloned())
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (cron, field) in [
            ("99 * * * *", "minute"),
            ("* 24 * * *", "hour"),
            ("* * 0 * *", "day_of_month"),
            ("* * * 13 *", "month"),
            ("* * * * 8", "day_of_week"),
            ("*/0 * * * *", "minute"),
            ("5-1 * * * *", "minute"),
            ("* * * * * *", "none"),
            ("* * * * * * *", "none"),
            ("* * * *", "none"),
            ("@reboot", "none"),
            ("@every 5m", "none"),
            ("گ * * * *", "minute"),
        ] {
            let expected = (Code::InvalidCron, Some(field.to_owned()));
            assert_eq!(refused(cron), expected, "{cron}");
        }
        assert_eq!(refused("  ").0, Code::Required);
        assert_eq!(refused(&"1,".repeat(51)).0, Code::TooLong);
    }

    #[test]
    fn what_never_comes_is_refused_at_once() {
        let begun = std::time::Instant::now();
        for cron in ["0 0 30 2 *", "* * 31 2,4,6 *", "*/7 */5 31 11 *"] {
            assert_eq!(refused(cron).0, Code::NeverComes, "{cron}");
        }
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
        let leap = parse_cron("0 0 29 2 *", at("2026-11-28T00:00:00Z"));
        assert_eq!(leap.unwrap(), "0 0 29 2 *");
    }

    #[test]
    fn expressions_are_kept_as_written() {
        let now = at("2026-11-28T00:00:00Z");
        assert_eq!(
            parse_cron(" 0   2 * *  mon-FRI ", now).unwrap(),
            "0 2 * * mon-FRI"
        );
        assert_eq!(parse_cron("@daily", now).unwrap(), "@daily");
        assert_eq!(
            times("@daily", "UTC", "2026-11-28T00:00:00Z", 2),
            ["29.11. 00:00", "30.11. 00:00"]
        );
    }

    #[test]
    fn hours_are_those_of_the_zone() {
        // Tehran has not put its clocks forward since 2022.
        assert_eq!(
            times("30 2 * * *", "Asia/Tehran", "2026-03-20T12:00:00Z", 3),
            ["20.03. 23:00", "21.03. 23:00", "22.03. 23:00"]
        );
        assert_eq!(
            times("0 2 * * *", "Europe/Berlin", "2026-06-01T12:00:00Z", 1),
            ["02.06. 00:00"]
        );
    }

    /// Berlin, 29 March 2026: behind 01:59 comes 03:00.
    #[test]
    fn what_falls_into_an_hour_that_is_left_out_comes_right_after_it() {
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
            ["28.03. 01:30", "29.03. 01:00", "30.03. 00:30"]
        );
        assert_eq!(
            times("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", 3),
            ["29.03. 00:30", "29.03. 01:00", "29.03. 01:30"]
        );
    }

    /// Berlin, 25 October 2026: behind 02:59 comes 02:00.
    #[test]
    fn what_falls_into_an_hour_that_comes_twice_comes_once() {
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["25.10. 00:30", "26.10. 01:30"]
        );
        assert_eq!(
            times("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", 4),
            [
                "25.10. 00:30",
                "25.10. 01:00",
                "25.10. 01:30",
                "25.10. 02:00"
            ]
        );
    }

    proptest! {
        /// Nothing lies between a moment and the times around it, at any time of any of these zones.
        #[test]
        fn last_and_next_are_neighbours(
            cron in prop::sample::select(vec![
                "* * * * *", "*/7 * * * *", "30 2 * * *", "0 0 * * *", "15 1,2,3 * * *", "0 2 * * SUN", "45 23 31 * *", "0 3 29 2 *", "5 * * * *",
            ]),
            zone in prop::sample::select(vec!["UTC", "Asia/Tehran", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
            seconds in 1_577_836_800_i64..1_893_456_000,
        ) {
            let timetable = Timetable::new(cron, zone).unwrap();
            let moment = DateTime::from_timestamp(seconds, 500_000_000).unwrap();
            let next = timetable.next(moment).unwrap();
            let last = timetable.last(moment).unwrap();
            prop_assert!(last <= moment && moment < next);
            prop_assert_eq!(timetable.next(last), Some(next));
            prop_assert_eq!(timetable.last(next), Some(next));
        }
    }
}
