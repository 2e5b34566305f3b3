//! Exact numbers. None of them ever passes through floating point, where 1234567890.12345678 would become 1234567890.1234568.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use rust_decimal::Decimal as Exact;

/// An exact decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub Exact);

impl Decimal {
    /// As people write it: trailing zeros are a column's, not the number's.
    #[must_use]
    pub fn shown(number: Exact) -> Self {
        Self(number.normalize())
    }
}

/// An exact decimal number of at most 28 digits, as a string such as `"1234.50"`: digits with at most one point and at most one sign in
/// front, no exponent. Whole numbers may be sent without quotes, fractions may not: on their way most programs would round them.
#[Scalar(
    name = "Decimal",
    specified_by_url = "https://www.w3.org/TR/xmlschema11-2/#decimal"
)]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let exact = match &value {
            Value::String(text) => from_text(text),
            Value::Number(number) => {
                let whole = number
                    .as_i64()
                    .map(Exact::from)
                    .or_else(|| number.as_u64().map(Exact::from));
                return whole
                    .map(Self)
                    .ok_or_else(|| InputValueError::custom("send decimals as strings"));
            }
            _ => return Err(InputValueError::expected_type(value)),
        };
        exact
            .map(Self)
            .ok_or_else(|| InputValueError::custom("not a decimal number of at most 28 digits"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// What would have to be rounded is no such number.
fn from_text(text: &str) -> Option<Exact> {
    let is_plain = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+'));
    is_plain.then(|| Exact::from_str_exact(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use async_graphql::Number;

    use super::*;

    fn parsed(value: impl Into<Value>) -> Option<String> {
        Decimal::parse(value.into())
            .ok()
            .map(|decimal| decimal.0.to_string())
    }

    fn number(json: &str) -> Option<Value> {
        serde_json::from_str::<Number>(json).ok().map(Value::Number)
    }

    #[test]
    fn texts_are_taken_as_they_are() {
        for text in [
            "0",
            "-12.50",
            "1234567890123456789.12345678",
            "0.0000000000000000000000000001",
            "9007199254740993",
        ] {
            assert_eq!(parsed(text).as_deref(), Some(text));
        }
        assert_eq!(parsed("+7").as_deref(), Some("7"));
    }

    #[test]
    fn whole_numbers_are_exact_and_fractions_are_refused() {
        for json in ["0", "-7", "9007199254740993", "18446744073709551615"] {
            assert_eq!(number(json).and_then(parsed).as_deref(), Some(json));
        }
        for json in ["0.1", "1.0", "1e3", "18446744073709551616"] {
            assert_eq!(number(json).map(parsed), Some(None), "{json}");
        }
    }

    #[test]
    fn whatever_would_be_rounded_or_is_no_number_is_refused() {
        for text in [
            "",
            "1e3",
            "1_000",
            " 1",
            "0x1",
            "NaN",
            "1.2.3",
            "0.12345678901234567890123456789",
            "99999999999999999999999999999",
            "۱۲",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
        assert_eq!(parsed(true), None);
    }
}
