//! Decisions about metal rates that need nothing but their arguments.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use entity::metal_rate::Metal;
use rust_decimal::Decimal;

use super::NewMetalRate;
use crate::{
    currency::Currency,
    decimal::within,
    error::{Code, Refusal, Refusals, Result},
    fineness::Fineness,
    text,
};

/// How far ahead a rate's time may lie: clocks differ. A rate of tomorrow would change prices while nobody looks, and without an event.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(5);
/// Longest source, in characters.
const SOURCE_MAX: usize = 200;
/// Highest price of a gram: 12 digits in front of the point.
const PRICE_MAX: Decimal = Decimal::from_parts(3_567_587_327, 232, 0, false, 0);

/// A rate's values, valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) metal: Metal,
    pub(super) fineness: Decimal,
    pub(super) currency: Currency,
    pub(super) price_per_gram: Decimal,
    pub(super) effective_at: DateTime<Utc>,
    pub(super) source: String,
}

pub(super) fn parse_new(new: &NewMetalRate, now: DateTime<Utc>) -> Result<Draft> {
    let NewMetalRate {
        metal,
        fineness,
        currency,
        price_per_gram,
        effective_at,
        source,
    } = new;
    let mut refusals = Refusals::default();
    let fineness = refusals.take(Fineness::parse("fineness", fineness));
    let currency = refusals.take(Currency::parse("currency", currency));
    let bounds = (Decimal::new(1, 6), PRICE_MAX);
    let price = refusals.take(within("pricePerGram", *price_per_gram, bounds, 6));
    let effective_at = refusals.take(parse_time(effective_at.unwrap_or(now), now));
    let source = refusals.take(text::line("source", source, 1, SOURCE_MAX));
    let draft = (|| {
        Some(Draft {
            metal: *metal,
            fineness: fineness?.parts_per_thousand(),
            currency: currency?,
            price_per_gram: price?,
            effective_at: effective_at?,
            source: source?,
        })
    })();
    refusals.into_result(draft)
}

fn parse_time(time: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let (min, max) = (DateTime::UNIX_EPOCH, now + AHEAD_MAX);
    if (min..=max).contains(&time) {
        // As exact as PostgreSQL keeps it.
        return Ok(time.trunc_subsecs(6));
    }
    Err(Refusal::new(Code::TimeOutOfRange, "effectiveAt")
        .with("min", min.to_rfc3339())
        .with("max", max.to_rfc3339()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    const NOW: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

    fn new(change: impl FnOnce(&mut NewMetalRate)) -> Result<Draft, Vec<(Code, String)>> {
        let mut new = NewMetalRate {
            metal: Metal::Gold,
            fineness: "18K".to_owned(),
            currency: "irr".to_owned(),
            price_per_gram: Decimal::from(81_234_567),
            effective_at: None,
            source: " bazaar ".to_owned(),
        };
        change(&mut new);
        parse_new(&new, NOW).map_err(|error| match error {
            Error::Refused(refusals) => refusals
                .into_iter()
                .map(|refusal| (refusal.code, refusal.path.join(".")))
                .collect(),
            other => vec![(Code::Unreadable, other.to_string())],
        })
    }

    #[test]
    fn a_rate_holds_from_now_on_unless_it_says_otherwise() {
        let draft = new(|_| {}).unwrap();
        assert_eq!(draft.effective_at, NOW);
        assert_eq!(draft.fineness, Decimal::from(750));
        assert_eq!(
            (draft.currency.as_str(), draft.source.as_str()),
            ("IRR", "bazaar")
        );
        let long_ago = NOW - TimeDelta::days(3000);
        let draft = new(|new| new.effective_at = Some(long_ago));
        assert!(draft.is_ok_and(|draft| draft.effective_at == long_ago));
        assert!(new(|new| new.effective_at = Some(NOW + AHEAD_MAX)).is_ok());
    }

    #[test]
    fn times_that_no_rate_can_have_are_refused() {
        for time in [
            NOW + AHEAD_MAX + TimeDelta::seconds(1),
            DateTime::<Utc>::MIN_UTC,
            DateTime::<Utc>::MAX_UTC,
        ] {
            let refused = new(|new| new.effective_at = Some(time));
            assert_eq!(
                refused,
                Err(vec![(Code::TimeOutOfRange, "effectiveAt".to_owned())])
            );
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let refused = new(|new| {
            new.fineness = "1001".to_owned();
            new.currency = "rial".to_owned();
            new.price_per_gram = Decimal::ZERO;
            new.source = " ".to_owned();
        });
        let expected = [
            (Code::OutOfRange, "fineness"),
            (Code::InvalidFormat, "currency"),
            (Code::OutOfRange, "pricePerGram"),
            (Code::Required, "source"),
        ];
        assert_eq!(
            refused,
            Err(expected
                .map(|(code, path)| (code, path.to_owned()))
                .to_vec())
        );
    }

    #[test]
    fn the_highest_price_has_twelve_digits() {
        assert_eq!(PRICE_MAX.to_string(), "999999999999");
    }
}
