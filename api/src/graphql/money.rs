//! Amounts of money.

use async_graphql::{InputObject, SimpleObject};

use super::decimal::Decimal;

/// An exact amount in a currency.
#[derive(SimpleObject, InputObject, Clone, Debug)]
#[graphql(input_name = "MoneyInput")]
pub struct Money {
    /// How much, in the currency's main unit.
    pub amount: Decimal,
    /// ISO 4217 code of the currency, such as `IRR` or `EUR`.
    pub currency: String,
}

impl Money {
    /// As people write it.
    #[must_use]
    pub fn shown(amount: rust_decimal::Decimal, currency: String) -> Self {
        Self {
            amount: Decimal::shown(amount),
            currency,
        }
    }
}

impl From<Money> for domain::money::Money {
    fn from(Money { amount, currency }: Money) -> Self {
        Self {
            amount: amount.0,
            currency,
        }
    }
}
