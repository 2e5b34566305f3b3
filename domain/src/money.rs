//! Money: an exact amount in a currency.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::error::{Code, Refusal};

/// An amount in a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// How much, in the currency's main unit. At most 18 digits before and 6 after the point.
    pub amount: Decimal,
    /// ISO 4217 code.
    pub currency: String,
}

/// The column holds 24 digits, 6 of them after the point.
const AMOUNT_MAX: i128 = 999_999_999_999_999_999;

/// A price: not negative, with a currency code of three letters.
///
/// # Errors
/// When the amount is negative, too large or too fine, or the currency is no code.
pub fn price(path: &str, money: &Money) -> Result<Money, Refusal> {
    let amount = money.amount.normalize();
    let max = Decimal::from_i128_with_scale(AMOUNT_MAX, 0);
    if amount.is_sign_negative() && !amount.is_zero() || amount > max || amount.scale() > 6 {
        return Err(Refusal::new(Code::OutOfRange, &format!("{path}.amount"))
            .with("min", 0)
            .with("max", max));
    }
    let currency = money.currency.trim().to_ascii_uppercase();
    if currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase()) {
        Ok(Money { amount, currency })
    } else {
        Err(
            Refusal::new(Code::InvalidFormat, &format!("{path}.currency"))
                .with("value", &money.currency),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{AMOUNT_MAX, Code, Decimal, Money, price};

    fn check(amount: &str, currency: &str) -> Result<Money, Code> {
        let money = Money {
            amount: amount.parse::<Decimal>().unwrap_or(Decimal::NEGATIVE_ONE),
            currency: currency.into(),
        };
        price("price", &money).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_price_is_exact_and_not_negative() {
        assert!(check("0.000001", "irr").is_ok_and(|money| money.currency == "IRR"));
        assert!(check("999999999999999999", "EUR").is_ok());
        assert_eq!(check("1000000000000000000", "EUR"), Err(Code::OutOfRange));
        assert_eq!(check("0.0000001", "EUR"), Err(Code::OutOfRange));
        assert_eq!(check("-0.01", "EUR"), Err(Code::OutOfRange));
        assert_eq!(check("1", "EURO"), Err(Code::InvalidFormat));
    }

    /// Amounts that the column can hold, to the millionth.
    fn amounts() -> impl Strategy<Value = Decimal> {
        (0..=AMOUNT_MAX * 1_000_000)
            .prop_map(|millionths| Decimal::from_i128_with_scale(millionths, 6))
    }

    proptest! {
        #[test]
        fn what_is_kept_of_a_price_is_worth_as_much(amount in amounts(), currency in "[A-Za-z]{3}") {
            let kept = price("price", &Money { amount, currency: currency.clone() });
            let kept = kept.map_err(|refusal| TestCaseError::fail(format!("{refusal:?}")))?;
            prop_assert_eq!(kept.amount, amount);
            prop_assert_eq!(&kept.currency, &currency.to_uppercase());
            prop_assert_eq!(price("price", &kept), Ok(kept));
        }

        #[test]
        fn money_survives_its_way_through_text(amount in amounts(), currency in "[A-Z]{3}") {
            let money = Money { amount, currency };
            let text = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
            prop_assert_eq!(amount.to_string().parse::<Decimal>(), Ok(amount));
        }

        #[test]
        fn too_much_or_too_fine_is_no_price(amount in amounts(), places in 7_u32..=28) {
            let one_too_fine = Decimal::new(1, places);
            for wrong in [
                amount + Decimal::from_i128_with_scale(AMOUNT_MAX + 1, 0),
                one_too_fine,
                -amount - one_too_fine,
            ] {
                let money = Money { amount: wrong, currency: "EUR".into() };
                prop_assert!(price("price", &money).is_err_and(|refusal| refusal.code == Code::OutOfRange), "{}", wrong);
            }
        }
    }
}
