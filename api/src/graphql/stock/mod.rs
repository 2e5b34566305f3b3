//! Stock: entries, movements and levels as clients see them.

pub mod cost_difference;
pub mod filter;
pub mod input;
pub mod mutation;
pub mod query;
pub mod reconciliation;
pub mod report;

use async_graphql::{ComplexObject, Context, Enum, ID, SimpleObject, connection::EmptyFields};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    cost::Key,
    stock::{
        ItemStocking as StockingRow, StockEntry as EntryRow, StockLevel as LevelRow,
        StockMovement as MovementRow, StockTotal as TotalRow,
    },
};
use entity::id::{ItemId, LocationId, LotId, StockEntryId};

pub use mutation::StockMutation;
pub use query::{StockQuery, StockReportQuery};
pub use reconciliation::{StockReconciliationMutation, StockReconciliationQuery};

use super::{
    below::PageBelow,
    cost,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    item::Item,
    landed_cost::StockLandedCost,
    loader::{IsProvisional, LandedCostsOf, MovementValue, MovementsOf, ReversalOf, load},
    location::Location,
    lot::Lot,
    money::Money,
    page::{self, Connection},
};

/// What sort of thing a stock entry did.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::stock::Kind")]
pub enum StockEntryKind {
    /// Goods came in from outside.
    Receive,
    /// They went from one place in the shop to another.
    Move,
    /// They left.
    Issue,
    /// There were more or fewer than was known.
    Adjust,
    /// Things were made into others.
    Transform,
    /// An entry was undone.
    Reverse,
}

/// Why a stock entry was made.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::stock::Reason")]
pub enum StockReason {
    /// Received: bought from a supplier.
    Purchased,
    /// Received: brought back by a customer.
    Returned,
    /// Received: made in the workshop.
    Produced,
    /// Moved: brought to another place.
    Moved,
    /// Issued: sold to a customer.
    Sold,
    /// Issued: sent back to its supplier.
    ReturnedToSupplier,
    /// Issued: used up in the workshop.
    Used,
    /// Adjusted: what was there when goldshop began.
    Opening,
    /// Adjusted: there were more than was known.
    Found,
    /// Adjusted: another number was counted.
    Counted,
    /// Adjusted: another weight was found.
    Weighed,
    /// Adjusted: something was written down wrongly.
    Corrected,
    /// Adjusted or issued: nobody knows where it is.
    Lost,
    /// Adjusted or issued: somebody took it.
    Stolen,
    /// Adjusted or issued: it is broken.
    Damaged,
    /// Adjusted or issued: its time is over.
    Expired,
    /// Transformed: metal was melted.
    Melted,
    /// Transformed: one lot became several.
    Split,
    /// Transformed: several lots became one.
    Merged,
    /// Transformed: parts became a whole.
    Assembled,
    /// Transformed: a whole became parts.
    Disassembled,
    /// Reversed: it should not have been done.
    Mistaken,
}

/// Movements that were made at once: all of them, or none would have been. Entries never change; a mistake is undone by reversing one.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockEntry {
    /// Opaque id.
    pub id: ID,
    /// Short number for people, ascending, with gaps.
    number: i64,
    /// What sort of thing was done.
    kind: StockEntryKind,
    /// Why.
    reason: StockReason,
    /// The paper behind it, such as a delivery note.
    document: Option<String>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// When it happened.
    effective_at: DateTime<Utc>,
    /// When goldshop heard of it: later than `effectiveAt` when it was back-dated.
    recorded_at: DateTime<Utc>,
    /// Who did it.
    actor_name: String,
    /// How many movements it has.
    lines: i32,
    #[graphql(skip)]
    row_id: StockEntryId,
    #[graphql(skip)]
    reverses_id: Option<StockEntryId>,
}

impl StockEntry {
    /// As clients see it.
    #[must_use]
    pub fn new(row: EntryRow) -> Self {
        let EntryRow {
            id,
            number,
            kind,
            reason,
            document,
            note,
            effective_at,
            recorded_at,
            actor_kind: _,
            actor_id: _,
            actor_name,
            reverses_id,
            lines,
        } = row;
        Self {
            id: id.encode(),
            number,
            kind: kind.into(),
            reason: reason.into(),
            document,
            note,
            effective_at,
            recorded_at,
            actor_name,
            lines,
            row_id: id,
            reverses_id,
        }
    }
}

#[ComplexObject]
impl StockEntry {
    /// What moved, line by line.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    async fn movements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<StockMovement>> {
        let key = MovementsOf {
            parent: self.row_id,
            first,
            after,
        };
        let page = load(ctx, key).await?.unwrap_or_default();
        Ok(page::connection(page, EmptyFields, StockMovement::new))
    }

    /// Freight, duty, late prices and the like that this receipt bears, as they were added, also those that were undone. Needs `cost.read`.
    #[graphql(
        guard = "Needs(Permission::CostRead)",
        complexity = "cost::page(first, None, child_complexity)"
    )]
    async fn landed_costs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<StockLandedCost>> {
        let key = LandedCostsOf(PageBelow {
            parent: self.row_id,
            first,
            after,
        });
        let page = load(ctx, key).await?.unwrap_or_default();
        Ok(page::connection(page, EmptyFields, StockLandedCost::new))
    }

    /// Whether the values of its movements may become others: something was written down later than it happened, and a worker computes
    /// what came after it anew. Needs `cost.read`.
    #[graphql(guard = "Needs(Permission::CostRead)")]
    async fn is_value_provisional(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        Ok(load(ctx, IsProvisional(self.row_id))
            .await?
            .unwrap_or_default())
    }

    /// The entry that it undoes; null when it undoes none.
    async fn reverses(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Self>> {
        let Some(id) = self.reverses_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(Self::new))
    }

    /// The entry that undid it; null as long as none has.
    async fn reversed_by(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Self>> {
        let row = load(ctx, ReversalOf(self.row_id)).await?.flatten();
        Ok(row.map(Self::new))
    }
}

/// Goods that went from one location to another.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockMovement {
    /// Which line of its entry, from 1.
    line: i32,
    /// How many, in the item's unit. 0 where a scale found weight over or missing.
    quantity: Decimal,
    /// Weight of them, without stones, in grams.
    weight: Decimal,
    /// Weight of the pure metal in them, in grams.
    fine_weight: Decimal,
    /// When it happened.
    effective_at: DateTime<Utc>,
    #[graphql(skip)]
    unit_cost: Option<rust_decimal::Decimal>,
    #[graphql(skip)]
    entry_id: StockEntryId,
    #[graphql(skip)]
    item_id: ItemId,
    #[graphql(skip)]
    lot_id: Option<LotId>,
    #[graphql(skip)]
    from_id: LocationId,
    #[graphql(skip)]
    to_id: LocationId,
}

impl StockMovement {
    /// As clients see it.
    #[must_use]
    pub fn new(row: MovementRow) -> Self {
        let MovementRow {
            entry_id,
            line,
            number: _,
            item_id,
            lot_id,
            from_location_id,
            to_location_id,
            quantity,
            weight,
            fine_weight,
            unit_cost,
            effective_at,
        } = row;
        Self {
            line,
            quantity: Decimal::shown(quantity),
            weight: Decimal::shown(weight),
            fine_weight: Decimal::shown(fine_weight),
            effective_at,
            unit_cost,
            entry_id,
            item_id,
            lot_id,
            from_id: from_location_id,
            to_id: to_location_id,
        }
    }
}

#[ComplexObject]
impl StockMovement {
    /// The entry that it is a line of.
    async fn entry(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<StockEntry>> {
        Ok(load(ctx, self.entry_id).await?.map(StockEntry::new))
    }

    /// By how much it changed what the shop's stock has cost: what came in, or, negative, what left has cost. Null for what only went from
    /// one place in the shop to another. Needs `cost.read`.
    #[graphql(guard = "Needs(Permission::CostRead)")]
    async fn value(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Money>> {
        let key = Key {
            entry: self.entry_id,
            line: self.line,
        };
        let value = load(ctx, MovementValue(key)).await?.flatten();
        Ok(value.map(|value| Money::shown(value.amount, value.currency)))
    }

    /// What one unit was said to cost that came in; null when nobody said so. Needs `cost.read`.
    #[graphql(guard = "Needs(Permission::CostRead)")]
    async fn unit_cost(&self) -> Option<Decimal> {
        self.unit_cost.map(Decimal::shown)
    }

    /// Which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }

    /// Of which lot or serial; null when all pieces of the item are alike.
    async fn lot(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Lot>> {
        let Some(id) = self.lot_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(Lot::new))
    }

    /// From where.
    async fn from(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let row = load(ctx, self.from_id).await?;
        Ok(row.map(|row| Location::new(ctx, row)))
    }

    /// To where.
    async fn to(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let row = load(ctx, self.to_id).await?;
        Ok(row.map(|row| Location::new(ctx, row)))
    }
}

/// What lies of an item at a location. Always the sum of the movements into it and out of it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockLevel {
    /// How many, in the item's unit. Less than 0 where a location allows that.
    on_hand: Decimal,
    /// How many of them are held for somebody.
    reserved: Decimal,
    /// How many are not: `onHand` without `reserved`.
    available: Decimal,
    /// Weight of them, without stones, in grams.
    weight: Decimal,
    /// Weight of the pure metal in them, in grams.
    fine_weight: Decimal,
    #[graphql(skip)]
    item_id: ItemId,
    #[graphql(skip)]
    location_id: LocationId,
}

impl StockLevel {
    /// As clients see it.
    #[must_use]
    pub fn new(row: LevelRow) -> Self {
        let available = row.available();
        let LevelRow {
            item_id,
            location_id,
            on_hand,
            reserved,
            weight,
            fine_weight,
            changed_at: _,
        } = row;
        Self {
            on_hand: Decimal::shown(on_hand),
            reserved: Decimal::shown(reserved),
            available: Decimal::shown(available),
            weight: Decimal::shown(weight),
            fine_weight: Decimal::shown(fine_weight),
            item_id,
            location_id,
        }
    }
}

#[ComplexObject]
impl StockLevel {
    /// Which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }

    /// Where.
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let row = load(ctx, self.location_id).await?;
        Ok(row.map(|row| Location::new(ctx, row)))
    }
}

/// What there is of an item in the shop altogether.
#[derive(SimpleObject)]
pub struct ItemStock {
    /// How many lie somewhere, in the item's unit.
    on_hand: Decimal,
    /// How many of them are held for somebody.
    reserved: Decimal,
    /// How many are not: `onHand` without `reserved`.
    available: Decimal,
    /// How many are on their way from one place to another.
    in_transit: Decimal,
    /// Weight of those that lie somewhere, without stones, in grams.
    weight: Decimal,
    /// Weight of the pure metal in them, in grams.
    fine_weight: Decimal,
}

impl ItemStock {
    /// As clients see it; nothing, when there has never been any.
    #[must_use]
    pub fn new(row: Option<TotalRow>) -> Self {
        let shown = |read: fn(&TotalRow) -> rust_decimal::Decimal| {
            Decimal::shown(row.as_ref().map(read).unwrap_or_default())
        };
        Self {
            on_hand: shown(|row| row.on_hand),
            reserved: shown(|row| row.reserved),
            available: shown(|row| row.on_hand - row.reserved),
            in_transit: shown(|row| row.in_transit),
            weight: shown(|row| row.weight),
            fine_weight: shown(|row| row.fine_weight),
        }
    }
}

/// How it is found what goods have cost that leave.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::stock::CostMethod")]
pub enum CostMethod {
    /// Everything there is of the item costs the same: the weighted average.
    Average,
    /// What came in first goes first.
    Fifo,
    /// Each lot or serial has its own cost.
    Specific,
}

/// How an item is kept in stock.
#[derive(SimpleObject)]
pub struct ItemStocking {
    /// Whether every movement has a weight beside its pieces.
    is_weighed: bool,
    /// Grams that may be over or missing when the last piece leaves a place: they are written off in the same entry.
    weight_tolerance: Decimal,
    /// When no more than this is available in the whole shop, in the item's unit, more should be bought; null when nobody has said.
    reorder_point: Option<Decimal>,
    /// Up to how much, in the item's unit; null when nobody has said.
    maximum: Option<Decimal>,
    /// How it is found what it has cost; null when nobody has said: `SPECIFIC` for what has serial numbers, `AVERAGE` for everything else.
    cost_method: Option<CostMethod>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
}

impl ItemStocking {
    /// As clients see it; the usual way, when nothing else was said.
    #[must_use]
    pub fn new(row: Option<StockingRow>) -> Self {
        let Some(row) = row else {
            return Self {
                is_weighed: false,
                weight_tolerance: Decimal(rust_decimal::Decimal::ZERO),
                reorder_point: None,
                maximum: None,
                cost_method: None,
                version: 0,
            };
        };
        let StockingRow {
            item_id: _,
            is_weighed,
            weight_tolerance,
            reorder_point,
            maximum,
            cost_method,
            version,
            updated_at: _,
        } = row;
        Self {
            is_weighed,
            weight_tolerance: Decimal::shown(weight_tolerance),
            reorder_point: reorder_point.map(Decimal::shown),
            maximum: maximum.map(Decimal::shown),
            cost_method: cost_method.map(Into::into),
            version,
        }
    }
}
