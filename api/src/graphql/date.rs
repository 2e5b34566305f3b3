//! Days of the calendar.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::NaiveDate;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A day of the Gregorian calendar, after ISO 8601, such as `"2026-03-21"`.
#[Scalar(
    name = "Date",
    specified_by_url = "https://www.w3.org/TR/xmlschema11-2/#date"
)]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
        // Nothing but four digits, two and two.
        let day = day.ok().filter(|_| text.len() == "2026-03-21".len());
        day.map(Self)
            .ok_or_else(|| InputValueError::custom("not a day such as 2026-03-21"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_written_and_nothing_else_is() {
        let read = |text: &str| Date::parse(Value::String(text.to_owned())).ok();
        let day = read("2026-02-28").map(|day| day.to_value());
        assert_eq!(day, Some(Value::String("2026-02-28".to_owned())));
        for wrong in [
            "2026-02-29",
            "2026-2-28",
            "28.02.2026",
            "2026-02-28T00:00:00Z",
            "+12026-01-01",
            "",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(Date::parse(Value::from(20_260_228)).is_err());
    }
}
