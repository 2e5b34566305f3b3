//! Values of stock that are not what they should be, as clients see them.

use async_graphql::{ComplexObject, Context, Enum, SimpleObject};
use domain::{
    Permission,
    cost::{CostDifference, Part, Worth},
};
use entity::id::{ItemId, LotId};

use crate::graphql::{decimal::Decimal, guard::Needs, item::Item, loader::load, lot::Lot};

/// What of what stock is worth is not what it should be.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Part")]
pub enum StockCostPart {
    /// What there is of an item, and what it has cost, against the lines of its costs.
    Item,
    /// The same of what came in together, or of a lot.
    Layer,
    /// An item against all its layers.
    Layers,
    /// How much there is of an item against its levels.
    Levels,
}

/// A value of stock that is not what its costs make it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockCostDifference {
    /// What of it.
    part: StockCostPart,
    /// What is kept.
    kept: StockWorth,
    /// What it should be.
    sum: StockWorth,
    #[graphql(skip)]
    item_id: ItemId,
    #[graphql(skip)]
    lot_id: Option<LotId>,
}

impl StockCostDifference {
    /// As clients see it.
    pub(super) fn new(row: CostDifference) -> Self {
        let CostDifference {
            part,
            item_id,
            lot_id,
            kept,
            sum,
        } = row;
        Self {
            part: part.into(),
            kept: StockWorth::new(kept),
            sum: StockWorth::new(sum),
            item_id,
            lot_id,
        }
    }
}

#[ComplexObject]
impl StockCostDifference {
    /// Of which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }

    /// Of which lot; null of what is no lot.
    async fn lot(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Lot>> {
        let Some(id) = self.lot_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(Lot::new))
    }
}

/// How much there is, and what it has cost.
#[derive(SimpleObject)]
pub struct StockWorth {
    /// In the item's unit; in grams of what is weighed.
    amount: Decimal,
    /// In the shop's currency.
    value: Decimal,
}

impl StockWorth {
    fn new(row: Worth) -> Self {
        Self {
            amount: Decimal::shown(row.amount),
            value: Decimal::shown(row.value),
        }
    }
}
