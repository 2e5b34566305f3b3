//! Weights: grams, to the microgram.

use std::fmt;

use entity::unit_of_measure::Dimension;
use rust_decimal::Decimal;

use crate::{
    error::{Code, Refusal},
    locale::Locale,
    unit_of_measure::{Factor, UnitTable, in_base_units},
    written,
};

/// Decimal places of a weight in grams.
const PLACES: u32 = 6;
/// Largest weight, in micrograms: a million tonnes, less one.
const MICROGRAMS_MAX: i64 = 999_999_999_999_999_999;

/// A weight: not negative, in grams, to the microgram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight {
    grams: Decimal,
}

/// A weight as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedWeight {
    /// The weight.
    pub weight: Weight,
    /// Whether it is what was written; if not, that was finer than a microgram and has been rounded half to even.
    pub exact: bool,
}

impl Weight {
    /// So many grams.
    ///
    /// # Errors
    /// When they are negative, too many, or finer than a microgram.
    pub fn new(path: &str, grams: Decimal) -> Result<Self, Refusal> {
        let grams = grams.normalize();
        if grams < Decimal::ZERO || grams > max() || grams.scale() > PLACES {
            return Err(out_of_range(path, Decimal::ZERO));
        }
        // There is one zero.
        Ok(Self {
            grams: if grams.is_zero() {
                Decimal::ZERO
            } else {
                grams
            },
        })
    }

    /// As people write it: `2 tola`, `0.5 ozt`, `۲٫۵ گرم`; a bare number is grams. Which units there are, and how they are written, is in
    /// their table.
    ///
    /// # Errors
    /// [`Code::Ambiguous`] when the number or its unit can be read in several ways, [`Code::UnknownUnit`] for one that there is not,
    /// [`Code::IncompatibleUnits`] for one of something else; the other codes when it is no number, negative, too large, or so small that
    /// nothing would be left of it.
    pub fn parse(
        path: &str,
        text: &str,
        units: &UnitTable,
        locale: Locale,
    ) -> Result<ParsedWeight, Refusal> {
        let text = written::text(path, text)?;
        let end = text.find(|c| !written::is_of_number(c) && c != ' ');
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        if number.is_empty() {
            return Err(Refusal::new(Code::InvalidFormat, path).with("value", text));
        }
        let number = written::number(path, number.trim_end())?;
        let factor = match unit {
            "" => Factor::ONE,
            unit => Factor::of(units.spelled(path, unit, Dimension::Mass, locale)?)?,
        };
        let converted = in_base_units(number, factor, PLACES)
            .ok_or_else(|| out_of_range(path, Decimal::ZERO))?;
        if converted.value.is_zero() && !number.is_zero() {
            return Err(out_of_range(path, Decimal::new(1, PLACES)));
        }
        Ok(ParsedWeight {
            weight: Self::new(path, converted.value)?,
            exact: converted.exact,
        })
    }

    /// Grams.
    #[must_use]
    pub fn grams(self) -> Decimal {
        self.grams
    }
}

/// Grams with their sign, which can be read again.
impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} g", self.grams)
    }
}

fn max() -> Decimal {
    Decimal::new(MICROGRAMS_MAX, PLACES)
}

fn out_of_range(path: &str, min: Decimal) -> Refusal {
    Refusal::new(Code::OutOfRange, path)
        .with("min", min)
        .with("max", max())
}

#[cfg(test)]
#[path = "weight_tests.rs"]
mod tests;
