//! What stock has cost, as clients see it.

pub mod query;

use async_graphql::{ComplexObject, Context, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    cost::{StockValue as Row, StockValueTotal as TotalRow},
};
use entity::id::ItemId;

pub use query::StockValueQuery;

use super::{decimal::Decimal, guard::Needs, item::Item, loader::load, money::Money};

/// What there is of an item in the whole shop, and what it has cost.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockValue {
    /// How much there is, in the item's unit; in grams, when `isByWeight`.
    amount: Decimal,
    /// Whether what it cost follows from its weight: of items of which every movement is weighed.
    is_by_weight: bool,
    /// What it has cost. Nothing, when there is nothing.
    value: Money,
    /// What one of the amount has cost, to the sixth digit; null when there is nothing.
    unit_cost: Option<Decimal>,
    /// Whether it may become another: something was written down later than it happened, and a worker computes what came after it anew.
    is_provisional: bool,
    #[graphql(skip)]
    item_id: ItemId,
}

impl StockValue {
    /// As clients see it, as it is or as it was at a moment.
    #[must_use]
    pub fn new(row: Row, as_of: Option<DateTime<Utc>>) -> Self {
        let (unit_cost, is_provisional) = (row.unit_cost(), row.is_provisional(as_of));
        let Row {
            item_id,
            amount,
            value,
            is_by_weight,
            recost_from: _,
            currency,
        } = row;
        Self {
            amount: Decimal::shown(amount),
            is_by_weight,
            value: Money::shown(value, currency),
            unit_cost: unit_cost.map(Decimal::shown),
            is_provisional,
            item_id,
        }
    }
}

#[ComplexObject]
impl StockValue {
    /// Which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }
}

/// What several items have cost together.
#[derive(SimpleObject)]
pub struct StockValueTotal {
    /// What they have cost.
    value: Money,
    /// Whether it may become another: a worker computes some of them anew.
    is_provisional: bool,
}

impl StockValueTotal {
    /// As clients see it.
    #[must_use]
    pub fn new(row: TotalRow) -> Self {
        let TotalRow {
            value,
            is_provisional,
            currency,
        } = row;
        Self {
            value: Money::shown(value, currency),
            is_provisional,
        }
    }
}
