//! Numbers that lose nothing on their way: sums, products and quotients of decimals are fractions of whole numbers of any size. Only
//! where a result is shown or kept it is rounded, at a named place.

use std::ops::{Add, Mul, Neg, Sub};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use rust_decimal::Decimal;

/// A fraction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(BigRational);

impl Exact {
    /// Nothing.
    #[must_use]
    pub fn zero() -> Self {
        Self(BigRational::zero())
    }

    /// The quotient; none when `divisor` is zero.
    #[must_use]
    pub fn checked_div(&self, divisor: &Self) -> Option<Self> {
        (!divisor.0.is_zero()).then(|| Self(&self.0 / &divisor.0))
    }

    /// The smallest whole number that is not less.
    #[must_use]
    pub fn ceil(&self) -> Self {
        Self(self.0.ceil())
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// How many bits it takes to write it down.
    #[must_use]
    pub fn bits(&self) -> u64 {
        self.0.numer().bits() + self.0.denom().bits()
    }

    /// Rounded to so many digits behind the point, halves up; none when that is more than a [`Decimal`] holds.
    #[must_use]
    pub fn round_half_up(&self, places: u32) -> Option<Decimal> {
        let scaled = &self.0 * BigRational::from(BigInt::from(10).pow(places));
        let half = BigRational::new(BigInt::from(1), BigInt::from(2));
        let whole = (scaled + half).floor().to_integer().to_i128()?;
        Decimal::try_from_i128_with_scale(whole, places).ok()
    }
}

impl From<Decimal> for Exact {
    fn from(decimal: Decimal) -> Self {
        let denominator = BigInt::from(10).pow(decimal.scale());
        Self(BigRational::new(
            BigInt::from(decimal.mantissa()),
            denominator,
        ))
    }
}

impl From<i64> for Exact {
    fn from(number: i64) -> Self {
        Self(BigRational::from(BigInt::from(number)))
    }
}

impl Add for &Exact {
    type Output = Exact;

    fn add(self, other: Self) -> Exact {
        Exact(&self.0 + &other.0)
    }
}

impl Sub for &Exact {
    type Output = Exact;

    fn sub(self, other: Self) -> Exact {
        Exact(&self.0 - &other.0)
    }
}

impl Mul for &Exact {
    type Output = Exact;

    fn mul(self, other: Self) -> Exact {
        Exact(&self.0 * &other.0)
    }
}

impl Neg for &Exact {
    type Output = Exact;

    fn neg(self) -> Exact {
        Exact(-&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decimal, Exact};

    fn exact(text: &str) -> Exact {
        text.parse::<Decimal>().unwrap().into()
    }

    fn rounded(text: &str, places: u32) -> String {
        exact(text).round_half_up(places).unwrap().to_string()
    }

    #[test]
    fn halves_are_rounded_up() {
        assert_eq!(rounded("2.675", 2), "2.68");
        assert_eq!(rounded("2.6749999", 2), "2.67");
        assert_eq!(rounded("0.5", 0), "1");
        assert_eq!(rounded("1", 3), "1.000");
    }

    #[test]
    fn thirds_add_up_and_nothing_is_divided_by_zero() {
        let third = exact("1").checked_div(&exact("3")).unwrap();
        assert_eq!(&(&third + &third) + &third, exact("1.000"));
        assert_eq!(third.checked_div(&exact("0.00")), None);
    }

    #[test]
    fn what_a_decimal_cannot_hold_is_not_cut() {
        let large = exact("79228162514264337593543950335");
        assert_eq!((&large * &large).round_half_up(0), None);
        assert_eq!(large.round_half_up(2), None);
    }

    proptest! {
        #[test]
        fn a_decimal_comes_back(mantissa in any::<i64>(), scale in 0_u32..=10) {
            let decimal = Decimal::from_i128_with_scale(mantissa.into(), scale);
            prop_assert_eq!(Exact::from(decimal).round_half_up(scale), Some(decimal));
        }
    }
}
