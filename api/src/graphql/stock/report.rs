//! What is told of the cards of items, and of items that run out or lie about.

use async_graphql::{ComplexObject, Context, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    stock::{CardLine as CardRow, LowStock as LowRow, SlowMover as SlowRow},
};
use entity::id::ItemId;

use super::StockMovement;
use crate::graphql::{decimal::Decimal, guard::Needs, item::Item, loader::load};

/// A line of a stock card: a movement, and what was there after it.
#[derive(SimpleObject)]
pub struct StockCardLine {
    /// The movement.
    movement: StockMovement,
    /// How many more there were because of it, or fewer when negative, in the item's unit.
    change: Decimal,
    /// How many grams more, or fewer when negative.
    weight_change: Decimal,
    /// How many there were then, in the item's unit.
    balance: Decimal,
    /// What they weighed then, in grams.
    weight_balance: Decimal,
}

impl StockCardLine {
    /// As clients see it.
    #[must_use]
    pub fn new(row: CardRow) -> Self {
        let CardRow {
            movement,
            change,
            weight_change,
            balance,
            weight_balance,
        } = row;
        Self {
            movement: StockMovement::new(movement),
            change: Decimal::shown(change),
            weight_change: Decimal::shown(weight_change),
            balance: Decimal::shown(balance),
            weight_balance: Decimal::shown(weight_balance),
        }
    }
}

/// An item of which no more is available than its reorder point.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct LowStock {
    /// How many are available in the whole shop, in the item's unit: on hand and not held for anybody.
    available: Decimal,
    /// How many are on their way from one place to another.
    in_transit: Decimal,
    /// At how many more should be bought.
    reorder_point: Decimal,
    /// Up to how many; null when nobody has said.
    maximum: Option<Decimal>,
    /// How many to buy: what is missing up to the maximum, or up to the reorder point when there is none. What is on its way counts.
    suggested: Decimal,
    #[graphql(skip)]
    item_id: ItemId,
}

impl LowStock {
    /// As clients see it.
    #[must_use]
    pub fn new(row: LowRow) -> Self {
        let suggested = row.suggested();
        let LowRow {
            item_id,
            available,
            in_transit,
            reorder_point,
            maximum,
        } = row;
        Self {
            available: Decimal::shown(available),
            in_transit: Decimal::shown(in_transit),
            reorder_point: Decimal::shown(reorder_point),
            maximum: maximum.map(Decimal::shown),
            suggested: Decimal::shown(suggested),
            item_id,
        }
    }
}

#[ComplexObject]
impl LowStock {
    /// Which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }
}

/// An item that lies about.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct SlowMover {
    /// How many lie in the shop, in the item's unit.
    on_hand: Decimal,
    /// When some of it went to a customer or into the workshop last; null when none ever did.
    issued_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    item_id: ItemId,
}

impl SlowMover {
    /// As clients see it.
    #[must_use]
    pub fn new(row: SlowRow) -> Self {
        let SlowRow {
            item_id,
            on_hand,
            issued_at,
        } = row;
        Self {
            on_hand: Decimal::shown(on_hand),
            issued_at,
            item_id,
        }
    }
}

#[ComplexObject]
impl SlowMover {
    /// Which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }
}
