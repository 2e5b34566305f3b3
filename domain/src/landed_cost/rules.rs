//! How an amount is spread over lines.

use std::{cmp::Reverse, collections::HashSet};

use rust_decimal::Decimal;

use super::Particulars;
use crate::{
    error::{Code, Error, Refusal, Refusals, Result},
    exact::Exact,
    stock::parse_document,
    text,
};

/// Longest description, in characters.
const DESCRIPTION_MAX: usize = 2_000;
/// Most that is taken, in the currency's main unit, either way: the column holds 24 digits, 6 of them after the point.
const AMOUNT_MAX: i64 = 999_999_999_999_999;

/// What there is to say of it, as it is kept.
pub(super) struct Texts {
    pub(super) document: Option<String>,
    pub(super) description: Option<String>,
}

pub(super) fn parse(particulars: &Particulars) -> Result<Texts> {
    let Particulars {
        document,
        description,
        effective_at: _,
    } = particulars;
    let mut refusals = Refusals::default();
    let document = refusals.take(parse_document(document.as_deref()));
    let description = description
        .as_deref()
        .map(|description| text::line("description", description, 1, DESCRIPTION_MAX));
    let description = refusals.take(description.transpose());
    let texts = document.zip(description);
    refusals.into_result(texts.map(|(document, description)| Texts {
        document,
        description,
    }))
}

/// Something, in whole smallest units of the currency.
pub(super) fn check_amount(amount: Decimal, scale: u32) -> Result<(), Refusal> {
    let max = Decimal::from(AMOUNT_MAX);
    if amount.is_zero() {
        Err(Refusal::new(Code::Required, "amount"))
    } else if amount.abs() > max {
        let refusal = Refusal::new(Code::OutOfRange, "amount");
        Err(refusal.with("min", -max).with("max", max))
    } else if amount.normalize().scale() > scale {
        Err(Refusal::new(Code::TooFine, "amount").with("max", scale))
    } else {
        Ok(())
    }
}

/// Lines of the receipt, each named once.
pub(super) fn check_lines(lines: &[i32]) -> Result<(), Refusal> {
    crate::stock::check_lines("lines", lines.len())?;
    let mut met = HashSet::new();
    let mut lines = lines.iter().enumerate();
    match lines.find(|(_, line)| !met.insert(**line)) {
        Some((place, line)) => {
            let refusal = Refusal::new(Code::AlreadyTaken, &format!("lines.{place}"));
            Err(refusal.with("value", line))
        }
        None => Ok(()),
    }
}

/// Spreads an amount in proportion to these bases, in whole smallest units: each part is what it should be, rounded down, and what is left of
/// the units goes to those that lost most by that, the first among equals. The parts add up to the amount. None when all bases are nothing.
pub(super) fn spread(
    amount: Decimal,
    scale: u32,
    bases: &[Decimal],
) -> Result<Option<Vec<Decimal>>> {
    let whole = bases
        .iter()
        .fold(Exact::zero(), |sum, base| &sum + &Exact::from(*base));
    let units = &Exact::from(amount.abs()) * &Exact::from(Decimal::from(10_i64.pow(scale)));
    let mut parts = Vec::with_capacity(bases.len());
    let mut lost = Vec::with_capacity(bases.len());
    let mut left = units.clone();
    for (place, base) in bases.iter().enumerate() {
        let product = &units * &Exact::from(*base);
        let Some(share) = product.checked_div(&whole) else {
            return Ok(None);
        };
        let floor = -&(-&share).ceil();
        lost.push((Reverse(&share - &floor), place));
        left = &left - &floor;
        parts.push(whole_number(&floor)?);
    }
    lost.sort();
    let left = usize::try_from(whole_number(&left)?).map_err(Error::internal)?;
    for (_, place) in lost.into_iter().take(left) {
        if let Some(part) = parts.get_mut(place) {
            *part += Decimal::ONE;
        }
    }
    let unit = if amount.is_sign_negative() {
        -Decimal::new(1, scale)
    } else {
        Decimal::new(1, scale)
    };
    Ok(Some(parts.into_iter().map(|part| part * unit).collect()))
}

fn whole_number(exact: &Exact) -> Result<Decimal> {
    let number = exact.round_half_up(0);
    number.ok_or_else(|| Error::internal("a part with too many digits"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Code, Decimal, check_amount, check_lines, spread};

    fn parts(amount: &str, scale: u32, bases: &[i64]) -> Vec<String> {
        let bases: Vec<_> = bases.iter().map(|base| Decimal::from(*base)).collect();
        let parts = spread(amount.parse().unwrap(), scale, &bases).unwrap();
        let parts = parts.unwrap_or_default().into_iter();
        parts.map(|part| part.normalize().to_string()).collect()
    }

    #[test]
    fn what_is_left_goes_to_those_who_lost_most() {
        assert_eq!(parts("100", 2, &[1, 1, 1]), ["33.34", "33.33", "33.33"]);
        assert_eq!(parts("-100", 2, &[1, 1, 1]), ["-33.34", "-33.33", "-33.33"]);
        assert_eq!(parts("1", 0, &[1, 2, 2]), ["0", "1", "0"]);
        assert_eq!(parts("0.05", 2, &[7, 0, 3]), ["0.04", "0", "0.01"]);
        assert_eq!(parts("10", 2, &[5]), ["10"]);
        assert_eq!(parts("10", 2, &[0, 0]), [""; 0]);
        assert_eq!(parts("10", 2, &[]), [""; 0]);
    }

    #[test]
    fn amounts_are_something_in_whole_units() {
        let check =
            |text: &str| check_amount(text.parse().unwrap(), 2).map_err(|refusal| refusal.code);
        assert_eq!(check("-0.01"), Ok(()));
        assert_eq!(check("12.500"), Ok(()));
        assert_eq!(check("0.00"), Err(Code::Required));
        assert_eq!(check("0.001"), Err(Code::TooFine));
        assert_eq!(check("1000000000000000"), Err(Code::OutOfRange));
    }

    #[test]
    fn lines_are_named_once() {
        let check =
            |lines: &[i32]| check_lines(lines).map_err(|refusal| (refusal.code, refusal.path));
        assert_eq!(check(&[2, 1]), Ok(()));
        assert_eq!(check(&[]), Err((Code::Required, vec!["lines".to_owned()])));
        let twice = vec!["lines".to_owned(), "2".to_owned()];
        assert_eq!(check(&[2, 1, 2]), Err((Code::AlreadyTaken, twice)));
    }

    proptest! {
        #[test]
        fn parts_add_up_and_are_less_than_a_unit_off(
            amount in -1_000_000_000_i64..1_000_000_000,
            scale in 0_u32..=4,
            bases in prop::collection::vec(0_i64..1_000_000, 1..40),
        ) {
            let amount = Decimal::new(amount, scale);
            let exact: Vec<_> = bases.iter().map(|base| Decimal::from(*base)).collect();
            let whole: Decimal = exact.iter().sum();
            let Some(parts) = spread(amount, scale, &exact).unwrap() else {
                prop_assert!(whole.is_zero());
                return Ok(());
            };
            prop_assert_eq!(parts.iter().sum::<Decimal>(), amount);
            for (part, base) in parts.iter().zip(&exact) {
                prop_assert!(part.scale() <= scale);
                // Without dividing: the part is less than a unit off its share.
                let off = *part * whole - amount * *base;
                prop_assert!(off.abs() < whole * Decimal::new(1, scale), "{} of {}", part, base);
                prop_assert!(!base.is_zero() || part.is_zero());
            }
        }
    }
}
