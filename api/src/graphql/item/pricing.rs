//! How items are priced, as clients say it and as they see it.

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject, Union};
use domain::pricing::{self, Pricing};

use crate::graphql::{decimal::Decimal, money::Money};

/// The time that a rate is for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "pricing::TimeUnit")]
pub enum TimeUnit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
}

/// The price of one unit is fixed.
#[derive(SimpleObject)]
pub struct FixedPricing {
    /// The price.
    price: Money,
}

/// The price follows the rate of the item's metal: net weight x price per gram x fineness / reference fineness, and the making charge, and
/// the profit.
#[derive(SimpleObject, InputObject)]
#[graphql(input_name = "WeightBasedPricingInput")]
pub struct WeightBasedPricing {
    /// ISO 4217 code. A metal's rate in another currency is no rate.
    currency: String,
    /// Profit, in percent of metal and making charge together.
    profit_percent: Decimal,
    /// The least that one piece costs.
    minimum_price: Option<Decimal>,
}

/// The price follows the time that it takes.
#[derive(SimpleObject, InputObject)]
#[graphql(input_name = "TimeBasedPricingInput")]
pub struct TimeBasedPricing {
    /// ISO 4217 code.
    currency: String,
    /// Price of one unit of time.
    rate: Decimal,
    /// The unit of time.
    unit: TimeUnit,
    /// The least that is charged, in units.
    minimum_duration: Option<Decimal>,
    /// A step that has begun is charged as a whole, in units; none when time is charged exactly.
    step: Option<Decimal>,
}

/// The price of one unit follows a formula.
#[derive(SimpleObject, InputObject)]
#[graphql(input_name = "FormulaPricingInput")]
pub struct FormulaPricing {
    /// ISO 4217 code. A metal's rate in another currency is no rate.
    currency: String,
    /// Numbers, names, `+ - * /`, brackets, `min(a, b)` and `max(a, b)`; at most 500 characters. It is computed exactly, and gives the
    /// price of one unit. Names: `net_weight`, `gross_weight`, `stone_weight` (grams), `fineness` (parts per thousand), `rate` (price of a
    /// gram of `reference_fineness`), `reference_fineness`, `making` (the making charge as an amount), `quantity`, `duration_hours`,
    /// and `attr_<name>` for an attribute that is a number.
    text: String,
}

/// How an item's price is found.
#[derive(Union)]
pub enum ItemPricing {
    /// It is fixed.
    Fixed(FixedPricing),
    /// From the weight of its metal.
    WeightBased(WeightBasedPricing),
    /// From the time it takes.
    TimeBased(TimeBasedPricing),
    /// By a formula.
    Formula(FormulaPricing),
}

/// How an item's price is to be found: exactly one of these.
#[derive(OneofObject)]
pub enum ItemPricingInput {
    /// It is fixed; the same as giving `price`.
    Fixed(Money),
    /// From the weight of its metal.
    WeightBased(WeightBasedPricing),
    /// From the time it takes.
    TimeBased(TimeBasedPricing),
    /// By a formula.
    Formula(FormulaPricing),
}

impl ItemPricing {
    /// As clients see it. Trailing zeros are the column's, not the number's.
    #[must_use]
    pub fn new(pricing: Pricing) -> Self {
        let shown = |decimal: rust_decimal::Decimal| Decimal(decimal.normalize());
        match pricing {
            Pricing::Fixed(domain::money::Money { amount, currency }) => {
                Self::Fixed(FixedPricing {
                    price: Money {
                        amount: shown(amount),
                        currency,
                    },
                })
            }
            Pricing::WeightBased(pricing::WeightBased {
                currency,
                profit_percent,
                minimum_price,
            }) => Self::WeightBased(WeightBasedPricing {
                currency,
                profit_percent: shown(profit_percent),
                minimum_price: minimum_price.map(shown),
            }),
            Pricing::TimeBased(pricing::TimeBased {
                currency,
                rate,
                unit,
                minimum_duration,
                step,
            }) => Self::TimeBased(TimeBasedPricing {
                currency,
                rate: shown(rate),
                unit: unit.into(),
                minimum_duration: minimum_duration.map(shown),
                step: step.map(shown),
            }),
            Pricing::Formula(pricing::Formula { currency, text }) => {
                Self::Formula(FormulaPricing { currency, text })
            }
        }
    }
}

impl From<ItemPricingInput> for Pricing {
    fn from(input: ItemPricingInput) -> Self {
        match input {
            ItemPricingInput::Fixed(price) => Self::Fixed(price.into()),
            ItemPricingInput::WeightBased(WeightBasedPricing {
                currency,
                profit_percent,
                minimum_price,
            }) => Self::WeightBased(pricing::WeightBased {
                currency,
                profit_percent: profit_percent.0,
                minimum_price: minimum_price.map(|price| price.0),
            }),
            ItemPricingInput::TimeBased(TimeBasedPricing {
                currency,
                rate,
                unit,
                minimum_duration,
                step,
            }) => Self::TimeBased(pricing::TimeBased {
                currency,
                rate: rate.0,
                unit: unit.into(),
                minimum_duration: minimum_duration.map(|duration| duration.0),
                step: step.map(|duration| duration.0),
            }),
            ItemPricingInput::Formula(FormulaPricing { currency, text }) => {
                Self::Formula(pricing::Formula { currency, text })
            }
        }
    }
}
