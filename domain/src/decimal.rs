//! Bounds of the exact numbers that people send.

use rust_decimal::Decimal;

use crate::error::{Code, Refusal};

/// The number, from `min` to `max` and with at most `places` digits behind the point.
///
/// # Errors
/// When it is too small, too large or too fine.
pub(crate) fn within(
    path: &str,
    number: Decimal,
    (min, max): (Decimal, Decimal),
    places: u32,
) -> Result<Decimal, Refusal> {
    let number = number.normalize();
    if !(min..=max).contains(&number) {
        Err(Refusal::new(Code::OutOfRange, path)
            .with("min", min)
            .with("max", max))
    } else if number.scale() > places {
        Err(Refusal::new(Code::TooFine, path).with("max", places))
    } else {
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Decimal, within};

    #[test]
    fn a_number_is_within_its_bounds_and_as_fine_as_it_may_be() {
        let check = |number: &str| {
            let bounds = (Decimal::new(1, 3), Decimal::ONE_THOUSAND);
            within("x", number.parse().unwrap(), bounds, 3).map_err(|refusal| refusal.code)
        };
        assert_eq!(check("750.0000"), Ok(Decimal::from(750)));
        assert_eq!(check("0.001"), Ok(Decimal::new(1, 3)));
        for wrong in ["0", "-1", "1000.001", "0.0001"] {
            assert_eq!(check(wrong), Err(Code::OutOfRange), "{wrong}");
        }
        assert_eq!(check("1.0001"), Err(Code::TooFine));
    }
}
