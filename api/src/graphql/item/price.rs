//! What items cost now: derived when somebody asks.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{Context, Enum, Lookahead, SimpleObject};
use domain::{
    item::{Item, ItemMetal},
    pricing::{Amount, Breakdown, Facts, ItemPrice as Found, Pricing, price},
};
use entity::id::{CategoryId, ItemId};

use crate::{
    graphql::{
        context::ContextExt,
        decimal::Decimal,
        error::OrGraphql,
        loader::{LatestRate, MetalOf, PricingOf, SchemaOf, load, load_all, preload},
        metal_rate::MetalRate,
    },
    messages::message,
};

/// What an item costs now. Nothing of it is kept: it follows the rate, and the item, at once.
#[derive(SimpleObject)]
pub struct ItemPrice {
    /// The price, rounded to the smallest unit of the currency, halves up; null when it cannot be told: see `problem`.
    amount: Option<Decimal>,
    /// The price before it was rounded, to ten digits behind the point; null with `amount`.
    exact: Option<Decimal>,
    /// ISO 4217 code of the currency.
    currency: String,
    /// What it consists of; null unless it is weight-based and could be told.
    breakdown: Option<ItemPriceBreakdown>,
    /// The rate that it depends on; null when it depends on none, or there is none.
    rate: Option<MetalRate>,
    /// Why it cannot be told, for programs; null when it could.
    problem: Option<ItemPriceProblem>,
    /// Why it cannot be told, for people, in their language; null when it could.
    message: Option<String>,
}

/// What a weight-based price consists of, to ten digits behind the point: all of it together is the price before rounding.
#[derive(SimpleObject)]
pub struct ItemPriceBreakdown {
    /// The metal: net weight x price per gram x fineness / reference fineness.
    metal: Decimal,
    /// The making charge.
    making: Decimal,
    /// The profit.
    profit: Decimal,
    /// What was added to reach the minimum price; `"0"` when it was reached without.
    to_minimum: Decimal,
}

/// Why a price cannot be told.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::pricing::Problem")]
pub enum ItemPriceProblem {
    /// Nothing is known of the item's metal.
    NoMetal,
    /// No rate of its metal in the currency of the price holds now.
    NoRate,
    /// A weight is not known.
    NoWeight,
    /// An attribute that the formula uses is missing, or is no number.
    NoAttribute,
    /// The formula uses a duration, and none was given.
    NoDuration,
    /// The formula divides by zero, or its numbers become too large.
    FormulaFailed,
    /// The price would be negative, or larger than any price can be.
    OutOfRange,
}

/// How much of an item, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// How much, in the item's unit.
    pub quantity: Option<Decimal>,
    /// How long, in hours.
    pub duration_hours: Option<Decimal>,
}

/// Which item, and how it is priced.
#[derive(Clone, Copy, Debug)]
pub struct Priced<'a> {
    /// The item.
    pub id: ItemId,
    /// Its category.
    pub category_id: CategoryId,
    /// Its attributes as they are kept.
    pub attributes: &'a serde_json::Value,
    /// How its price is found.
    pub pricing: &'a Pricing,
}

/// What an item costs now.
///
/// # Errors
/// When the quantity or the duration are none, or the database fails.
pub async fn current(
    ctx: &Context<'_>,
    priced: Priced<'_>,
    asked: Asked,
) -> async_graphql::Result<ItemPrice> {
    let Priced {
        id,
        category_id,
        attributes,
        pricing,
    } = priced;
    let metal = match pricing {
        Pricing::Fixed(_) | Pricing::TimeBased(_) => None,
        Pricing::WeightBased(_) | Pricing::Formula(_) => load(ctx, MetalOf(id)).await?.flatten(),
    };
    let rate = match rate_key(pricing, metal.as_ref()) {
        Some(key) => load(ctx, key).await?.flatten(),
        None => None,
    };
    let schema = if pricing.uses_attributes() {
        load(ctx, SchemaOf(category_id)).await?.unwrap_or_default()
    } else {
        Arc::default()
    };
    let facts = Facts {
        pricing,
        schema: &schema,
        metal: metal.as_ref(),
        rate: rate.as_ref(),
        attributes,
        quantity: asked.quantity.map_or(rust_decimal::Decimal::ONE, |of| of.0),
        duration_hours: asked.duration_hours.map(|hours| hours.0),
    };
    let found = price(&facts).map_err(Into::into).or_graphql(ctx.viewer())?;
    Ok(ItemPrice::new(ctx, found, rate.map(MetalRate::new)))
}

/// By what the rate of such an item is loaded.
fn rate_key(pricing: &Pricing, metal: Option<&ItemMetal>) -> Option<LatestRate> {
    let (metal, currency) = pricing.rate_key(metal)?;
    Some(LatestRate { metal, currency })
}

impl ItemPrice {
    fn new(ctx: &Context<'_>, found: Found, rate: Option<MetalRate>) -> Self {
        let Found {
            currency,
            amount,
            breakdown,
        } = found;
        let message = amount.err().map(|problem| {
            message::<String>(
                ctx.viewer().locale,
                problem.message_name(),
                &BTreeMap::new(),
            )
        });
        let (rounded, exact) = match amount {
            Ok(Amount { rounded, exact }) => (Some(Decimal(rounded)), Some(Decimal(exact))),
            Err(_) => (None, None),
        };
        Self {
            amount: rounded,
            exact,
            currency,
            breakdown: breakdown.map(ItemPriceBreakdown::new),
            rate,
            problem: amount.err().map(ItemPriceProblem::from),
            message,
        }
    }
}

impl ItemPriceBreakdown {
    fn new(breakdown: Breakdown) -> Self {
        let Breakdown {
            metal,
            making,
            profit,
            to_minimum,
        } = breakdown;
        Self {
            metal: Decimal(metal),
            making: Decimal(making),
            profit: Decimal(profit),
            to_minimum: Decimal(to_minimum),
        }
    }
}

/// Loads what the selected fields of these items need of their metal, their pricing and its rates, and of the attributes that formulas use:
/// a statement each, however many items there are.
///
/// # Errors
/// When the database fails.
pub async fn prefetch(
    ctx: &Context<'_>,
    selected: Lookahead<'_>,
    rows: &[&Item],
) -> async_graphql::Result<()> {
    let is_price_wanted = selected.field("currentPrice").exists();
    let ids = || rows.iter().map(|row| row.id);
    let metal = if is_price_wanted || selected.field("metal").exists() {
        load_all(ctx, ids().map(MetalOf)).await?
    } else {
        HashMap::new()
    };
    // Those with a fixed price have no other.
    let unfixed = rows.iter().filter(|row| row.price_amount.is_none());
    let unfixed: Vec<_> = unfixed.map(|row| PricingOf(row.id)).collect();
    let is_pricing_wanted = is_price_wanted || selected.field("pricing").exists();
    if unfixed.is_empty() || !is_pricing_wanted {
        return Ok(());
    }
    let pricing = load_all(ctx, unfixed).await?;
    let rates: HashSet<_> = pricing
        .iter()
        .filter_map(|(of, pricing)| {
            let metal = metal.get(&MetalOf(of.0)).and_then(Option::as_ref);
            rate_key(pricing.as_ref()?, metal)
        })
        .collect();
    if is_price_wanted && !rates.is_empty() {
        preload(ctx, rates).await?;
    }
    let schemas: HashSet<_> = rows
        .iter()
        .filter(|row| {
            let pricing = pricing.get(&PricingOf(row.id)).and_then(Option::as_ref);
            pricing.is_some_and(Pricing::uses_attributes)
        })
        .map(|row| SchemaOf(row.category_id))
        .collect();
    if is_price_wanted && !schemas.is_empty() {
        preload(ctx, schemas).await?;
    }
    Ok(())
}
