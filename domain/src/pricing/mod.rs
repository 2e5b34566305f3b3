//! Pricing: how an item's price is found.
//!
//! Prices that depend on a metal's rate, a duration or a formula are never kept: they are derived when somebody reads them, so that a new
//! rate re-prices every item without a write ([ADR 10](../docs/adr/0010-prices-are-derived.md)). All that is computed is exact, and
//! rounded at the end, once, to the smallest unit of the currency.

mod formula;
#[cfg(test)]
mod properties;
mod rename;
mod row;
mod rules;
mod time;
mod weight;

use entity::item_metal::Model as ItemMetal;
pub use entity::item_pricing::TimeUnit;
use entity::metal_rate::Model as MetalRate;
use rust_decimal::Decimal;
use serde::Serialize;

pub(crate) use rename::follow_rename_in_tx;
pub(crate) use row::{Draft, insert_in_tx, of_items, patch_in_tx, rows_of};
pub(crate) use rules::{parse, settle};

use crate::{
    attribute::Schema,
    currency::{Currency, minor_unit},
    error::{Refusal, Result},
    exact::Exact,
    metal_rate::RateKey,
    money::Money,
};

/// How an item's price is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Pricing {
    /// It is fixed.
    Fixed(Money),
    /// From the weight of its metal.
    WeightBased(WeightBased),
    /// From the time it takes.
    TimeBased(TimeBased),
    /// By a formula.
    Formula(Formula),
}

/// Metal (net weight, times the metal's rate at the item's fineness), making charge, and profit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WeightBased {
    /// ISO 4217 code; a rate in another currency is no rate.
    pub currency: String,
    /// In percent of metal and making charge.
    pub profit_percent: Decimal,
    /// The least that one piece costs.
    pub minimum_price: Option<Decimal>,
}

/// So much for each unit of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimeBased {
    /// ISO 4217 code.
    pub currency: String,
    /// Price of one unit of time.
    pub rate: Decimal,
    /// The unit.
    pub unit: TimeUnit,
    /// The least that is charged, in units.
    pub minimum_duration: Option<Decimal>,
    /// A step that has begun is charged as a whole, in units.
    pub step: Option<Decimal>,
}

/// What a formula says one unit costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Formula {
    /// ISO 4217 code; a rate in another currency is no rate.
    pub currency: String,
    /// The formula.
    pub text: String,
}

impl Pricing {
    /// In which currency its prices are.
    #[must_use]
    pub fn currency(&self) -> &str {
        match self {
            Self::Fixed(Money { currency, .. })
            | Self::WeightBased(WeightBased { currency, .. })
            | Self::TimeBased(TimeBased { currency, .. })
            | Self::Formula(Formula { currency, .. }) => currency,
        }
    }

    /// Whether a price depends on the item's attributes.
    #[must_use]
    pub fn uses_attributes(&self) -> bool {
        match self {
            Self::Fixed(_) | Self::WeightBased(_) | Self::TimeBased(_) => false,
            Self::Formula(Formula { text, .. }) => formula::attributes(text).next().is_some(),
        }
    }

    /// Which rate a price depends on, if it does on any.
    #[must_use]
    pub fn rate_key(&self, metal: Option<&ItemMetal>) -> Option<RateKey> {
        let depends = match self {
            Self::Fixed(_) | Self::TimeBased(_) => false,
            Self::WeightBased(_) => true,
            Self::Formula(Formula { text, .. }) => formula::mentions_rate(text),
        };
        let metal = metal.filter(|_| depends)?.metal;
        let currency = Currency::parse("currency", self.currency()).ok()?;
        Some((metal, currency))
    }
}

/// What a price is derived from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// How it is found.
    pub pricing: &'a Pricing,
    /// What is known of the item's metal.
    pub metal: Option<&'a ItemMetal>,
    /// The rate that holds now of that metal in the currency of the pricing.
    pub rate: Option<&'a MetalRate>,
    /// What its category says about its attributes.
    pub schema: &'a Schema,
    /// The values of these as they are kept: a JSON object.
    pub attributes: &'a serde_json::Value,
    /// How much of the item.
    pub quantity: Decimal,
    /// How long, in hours.
    pub duration_hours: Option<Decimal>,
}

/// What an item costs, or why that cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemPrice {
    /// ISO 4217 code.
    pub currency: String,
    /// The price, or what is missing.
    pub amount: Result<Amount, Problem>,
    /// What it consists of, when it is weight-based and can be told.
    pub breakdown: Option<Breakdown>,
}

/// An amount, as it is paid and as it was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Rounded to the smallest unit of the currency, halves up.
    pub rounded: Decimal,
    /// Before that, to ten digits behind the point.
    pub exact: Decimal,
}

/// What a weight-based price consists of, to ten digits behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// The metal.
    pub metal: Decimal,
    /// The making charge.
    pub making: Decimal,
    /// The profit.
    pub profit: Decimal,
    /// What is missing to the minimum price.
    pub to_minimum: Decimal,
}

/// Why a price cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// Nothing is known of its metal.
    NoMetal,
    /// Nobody has recorded a rate of its metal in that currency.
    NoRate,
    /// A weight is not known.
    NoWeight,
    /// An attribute is missing, or is no number.
    NoAttribute,
    /// It depends on a duration, and none was given.
    NoDuration,
    /// The formula divides by zero, or its numbers become too large.
    FormulaFailed,
    /// The price would be negative, or larger than any price can be.
    OutOfRange,
}

impl Problem {
    /// Name of the message that tells people.
    #[must_use]
    pub fn message_name(self) -> &'static str {
        match self {
            Self::NoMetal => "price-no-metal",
            Self::NoRate => "price-no-rate",
            Self::NoWeight => "price-no-weight",
            Self::NoAttribute => "price-no-attribute",
            Self::NoDuration => "price-no-duration",
            Self::FormulaFailed => "price-formula-failed",
            Self::OutOfRange => "price-out-of-range",
        }
    }
}

/// Digits behind the point of what was not rounded to a currency.
const EXACT_PLACES: u32 = 10;
/// No price has more digits in front of the point.
const AMOUNT_MAX: Decimal = Decimal::from_parts(2_808_348_671, 232_830_643, 0, false, 0);

/// What a model finds one unit to cost.
struct Found {
    price: Exact,
    parts: Option<weight::Parts>,
}

/// What the item costs.
///
/// # Errors
/// When the quantity or the duration are none.
pub fn price(facts: &Facts<'_>) -> Result<ItemPrice, Refusal> {
    rules::check_asked(facts.quantity, facts.duration_hours)?;
    let currency = facts.pricing.currency();
    let quantity = Exact::from(facts.quantity);
    let (amount, breakdown) = match find(facts) {
        Ok(Found { price, parts }) => {
            let amount = amount(&(&price * &quantity), currency);
            let parts = parts.filter(|_| amount.is_ok());
            (amount, parts.and_then(|parts| parts.times(&quantity)))
        }
        Err(problem) => (Err(problem), None),
    };
    Ok(ItemPrice {
        currency: currency.to_owned(),
        amount,
        breakdown,
    })
}

fn find(facts: &Facts<'_>) -> Result<Found, Problem> {
    let alone = |price| Found { price, parts: None };
    match facts.pricing {
        Pricing::Fixed(money) => Ok(alone(money.amount.into())),
        Pricing::WeightBased(model) => weight::find(model, facts.metal, facts.rate),
        Pricing::TimeBased(model) => Ok(alone(time::find(model, facts.duration_hours))),
        Pricing::Formula(model) => formula::find(model, facts).map(alone),
    }
}

/// The one step at which a price is rounded.
fn amount(exact: &Exact, currency: &str) -> Result<Amount, Problem> {
    let rounded = exact.round_half_up(minor_unit(currency));
    let rounded = rounded.filter(|rounded| !exact.is_negative() && *rounded <= AMOUNT_MAX);
    Ok(Amount {
        rounded: rounded.ok_or(Problem::OutOfRange)?,
        exact: shown(exact).ok_or(Problem::OutOfRange)?,
    })
}

/// To ten digits, without zeros at the end.
fn shown(exact: &Exact) -> Option<Decimal> {
    exact
        .round_half_up(EXACT_PLACES)
        .map(|decimal| decimal.normalize())
}
