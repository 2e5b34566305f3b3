//! Decisions about exchange rates that need nothing but their arguments.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::NewExchangeRate;
use crate::{
    account::parse_commodity,
    decimal::within,
    error::{Code, Refusal, Refusals, Result},
    text,
};

/// Decimal places of a rate.
const PLACES: u32 = 12;
/// Highest rate: 12 digits in front of the point.
const RATE_MAX: Decimal = Decimal::from_parts(3_567_587_327, 232, 0, false, 0);
/// Longest source, in characters.
const SOURCE_MAX: usize = 200;
/// Length of a currency's code; those of metals are longer.
const CURRENCY_LENGTH: usize = 3;

/// A rate's values, valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) currency: String,
    pub(super) rate: Decimal,
    pub(super) date: Option<NaiveDate>,
    pub(super) source: String,
}

pub(super) fn parse(new: &NewExchangeRate) -> Result<Parsed> {
    let NewExchangeRate {
        commodity,
        rate,
        date,
        source,
    } = new;
    let mut refusals = Refusals::default();
    let currency = refusals.take(parse_currency(commodity));
    let bounds = (Decimal::new(1, PLACES), RATE_MAX);
    let rate = refusals.take(within("rate", *rate, bounds, PLACES));
    let source = refusals.take(text::line("source", source, 1, SOURCE_MAX));
    let parsed = (|| {
        Some(Parsed {
            currency: currency?,
            rate: rate?,
            date: *date,
            source: source?,
        })
    })();
    refusals.into_result(parsed)
}

/// Metals have rates of their own.
fn parse_currency(text: &str) -> Result<String, Refusal> {
    let code = parse_commodity("commodity", text)?;
    if code.len() == CURRENCY_LENGTH {
        return Ok(code);
    }
    Err(Refusal::new(Code::NotACurrency, "commodity").with("value", code))
}

/// What is still to come nobody knows.
pub(super) fn check_date(date: NaiveDate, today: NaiveDate) -> Result<NaiveDate, Refusal> {
    let min = NaiveDate::from_ymd_opt(1000, 1, 1).unwrap_or(NaiveDate::MIN);
    if (min..=today).contains(&date) {
        return Ok(date);
    }
    let refusal = Refusal::new(Code::TimeOutOfRange, "date");
    Err(refusal.with("min", min).with("max", today))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn codes(change: impl FnOnce(&mut NewExchangeRate)) -> Vec<(Code, String)> {
        let mut new = NewExchangeRate {
            commodity: "usd".to_owned(),
            rate: Decimal::from(1_100_000),
            date: None,
            source: "bazaar".to_owned(),
        };
        change(&mut new);
        match parse(&new) {
            Ok(_) => Vec::new(),
            Err(Error::Refused(refusals)) => refusals
                .iter()
                .map(|refusal| (refusal.code, refusal.path.join(".")))
                .collect(),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_rate_is_of_a_currency_and_above_nothing() {
        assert!(codes(|_| {}).is_empty());
        let refused = codes(|new| new.commodity = "GOLD".to_owned());
        assert_eq!(refused, [(Code::NotACurrency, "commodity".to_owned())]);
        for rate in ["0", "-1", "0.0000000000001", "1000000000000"] {
            let refused = codes(|new| new.rate = rate.parse().unwrap());
            assert_eq!(refused, [(Code::OutOfRange, "rate".to_owned())], "{rate}");
        }
        assert!(codes(|new| new.rate = Decimal::new(1, 12)).is_empty());
        assert!(codes(|new| new.rate = RATE_MAX).is_empty());
    }

    #[test]
    fn no_rate_is_of_a_day_to_come() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let today = day("2026-05-01");
        assert!(check_date(today, today).is_ok());
        assert!(check_date(day("1979-01-01"), today).is_ok());
        assert!(check_date(day("2026-05-02"), today).is_err());
        assert!(check_date(NaiveDate::MIN, today).is_err());
    }
}
