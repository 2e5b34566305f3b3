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
    use super::{Code, Decimal, Money, price};

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
}
