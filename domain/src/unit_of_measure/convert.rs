//! Conversion from one unit into another, in exact fractions.
//!
//! A quantity has up to 96 bits, and each of the two factors a numerator and a denominator of up to 60: their products do not fit 128
//! bits, so they are kept in integers without a bound, whose size the limits above bound in turn.

use entity::unit_of_measure::Model as UnitOfMeasure;
use num_bigint::BigInt;
use num_rational::BigRational;
use rust_decimal::Decimal;

use crate::error::{Code, Refusal};

/// Largest numerator and denominator of a factor.
pub const FACTOR_MAX: i64 = 1_000_000_000_000_000_000;

/// Decimal places of a result that no decimal number holds exactly.
pub const PLACES: u32 = 12;

/// What one unit is in the base unit of its dimension: `numerator / denominator`, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Whole, 1 to [`FACTOR_MAX`].
    pub numerator: Decimal,
    /// Whole, 1 to [`FACTOR_MAX`].
    pub denominator: Decimal,
}

/// A quantity in another unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converted {
    /// How many of the other unit, without zeros at its end.
    pub value: Decimal,
    /// Whether it is that exactly; if not, it was rounded half to even.
    pub exact: bool,
}

impl Factor {
    /// That of a base unit.
    pub(crate) const ONE: Self = Self {
        numerator: Decimal::ONE,
        denominator: Decimal::ONE,
    };

    /// A factor of whole numbers.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] at `numerator` or `denominator`.
    pub fn new(numerator: Decimal, denominator: Decimal) -> Result<Self, Refusal> {
        for (path, number) in [("numerator", numerator), ("denominator", denominator)] {
            let is_within = number >= Decimal::ONE && number <= Decimal::from(FACTOR_MAX);
            if !is_within || !number.fract().is_zero() {
                return Err(out_of_range(path));
            }
        }
        Ok(Self {
            numerator: numerator.normalize(),
            denominator: denominator.normalize(),
        })
    }

    /// The factor of a unit.
    ///
    /// # Errors
    /// When the unit's factor is none; the table has no such unit.
    pub fn of(unit: &UnitOfMeasure) -> Result<Self, Refusal> {
        Self::new(unit.numerator, unit.denominator)
    }

    fn ratio(self) -> BigRational {
        ratio(self.numerator) / ratio(self.denominator)
    }
}

/// So many of one unit, in another of the same dimension: exact when a decimal number holds it, otherwise rounded half to even at
/// [`PLACES`] decimal places.
///
/// # Errors
/// [`Code::IncompatibleUnits`] when they measure different things, [`Code::OutOfRange`] when the result has more digits than a decimal
/// number.
pub fn convert(
    value: Decimal,
    from: &UnitOfMeasure,
    to: &UnitOfMeasure,
) -> Result<Converted, Refusal> {
    if from.dimension != to.dimension {
        return Err(Refusal::new(Code::IncompatibleUnits, "to")
            .with("from", &from.code)
            .with("to", &to.code));
    }
    let result = ratio(value) * Factor::of(from)?.ratio() / Factor::of(to)?.ratio();
    exactly(&result)
        .map(|value| Converted { value, exact: true })
        .or_else(|| rounded(&result, PLACES).map(inexact))
        .ok_or_else(|| out_of_range("value").with("value", value))
}

/// So many units in the base unit of their dimension, rounded half to even at `places` decimal places. None when that has more digits
/// than a decimal number.
pub(crate) fn in_base_units(value: Decimal, factor: Factor, places: u32) -> Option<Converted> {
    let result = ratio(value) * factor.ratio();
    let value = rounded(&result, places)?;
    Some(Converted {
        value,
        exact: ratio(value) == result,
    })
}

fn inexact(value: Decimal) -> Converted {
    Converted {
        value,
        exact: false,
    }
}

fn out_of_range(path: &str) -> Refusal {
    let (min, max) = match path {
        "value" => (Decimal::MIN, Decimal::MAX),
        _ => (Decimal::ONE, Decimal::from(FACTOR_MAX)),
    };
    Refusal::new(Code::OutOfRange, path)
        .with("min", min)
        .with("max", max)
}

fn ratio(value: Decimal) -> BigRational {
    BigRational::new(value.mantissa().into(), power_of_ten(value.scale()))
}

fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// The decimal number that is this fraction, if there is one: its denominator, when reduced, is made of twos and fives only.
fn exactly(fraction: &BigRational) -> Option<Decimal> {
    let (one, five) = (BigInt::from(1), BigInt::from(5));
    let twos = fraction.denom().trailing_zeros().unwrap_or_default();
    let mut rest = fraction.denom() >> twos;
    let mut fives = 0;
    while rest != one {
        if &rest % &five != BigInt::ZERO {
            return None;
        }
        rest /= &five;
        fives += 1;
    }
    let scale = u32::try_from(twos.max(fives)).ok()?;
    if scale > Decimal::MAX_SCALE {
        return None;
    }
    let mantissa = fraction.numer() * power_of_ten(scale) / fraction.denom();
    decimal(&mantissa, scale)
}

/// The nearest decimal number with so many places; of two equally near the even one. None when it has too many digits.
fn rounded(fraction: &BigRational, places: u32) -> Option<Decimal> {
    let scaled = fraction * power_of_ten(places);
    let below = scaled.floor().to_integer();
    let rest = scaled - BigRational::from(below.clone());
    let half = BigRational::new(1.into(), 2.into());
    let up = rest > half || rest == half && below.bit(0);
    let mantissa = if up { below + 1 } else { below };
    decimal(&mantissa, places).map(|value| value.normalize())
}

fn decimal(mantissa: &BigInt, scale: u32) -> Option<Decimal> {
    let mantissa = i128::try_from(mantissa).ok()?;
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
