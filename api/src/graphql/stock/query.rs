//! What clients can ask of stock.

use async_graphql::{Context, ID, Lookahead, Object, connection::EmptyFields};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    cost::Key,
    stock::{CardOf, StockEntry as EntryRow, StockLevel as LevelRow, StockMovement as MovementRow},
};
use entity::id::{ItemId, LocationId, LotId, StockEntryId};

use super::{
    StockEntry, StockLevel, StockMovement,
    filter::{StockEntryWhere, StockLevelWhere, StockMovementWhere},
    report::{LowStock, SlowMover, StockCardLine},
};
use crate::graphql::{
    below::PageBelow,
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    landed_cost,
    loader::{
        IsProvisional, LandedCostsOf, MovementValue, MovementsOf, ReversalOf, load_all, preload,
    },
    page::{self, Connection},
};

/// Queries about stock.
#[derive(Default)]
pub struct StockQuery;

#[Object(guard = "Needs(Permission::StockRead)")]
impl StockQuery {
    /// What lies where, or lay there at a moment of the past, in pages, by item. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn stock_levels(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            StockLevelWhere,
        >,
        #[graphql(
            desc = "As it was at this moment: only what was not empty then; what was held for whom is not known any more."
        )]
        as_of: Option<DateTime<Utc>>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<StockLevel>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx
            .domain()
            .stock()
            .levels(viewer, &filter, as_of, &args)
            .await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            prefetch_levels(ctx, &selected, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, StockLevel::new))
    }

    /// One entry; null when there is none such. Needs `stock.read`.
    async fn stock_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<StockEntry>> {
        let viewer = ctx.viewer();
        let id = StockEntryId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx.domain().stock().find_entry(viewer, id).await;
        let row = row.or_graphql(viewer)?;
        prefetch_entries(ctx, &ctx.look_ahead(), row.iter()).await?;
        Ok(row.map(StockEntry::new))
    }

    /// Entries in pages, those that happened last first. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn stock_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            StockEntryWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<StockEntry>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse();
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().stock().entries(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            prefetch_entries(ctx, &selected, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, StockEntry::new))
    }

    /// Movements of an entry, an item, a lot or a location, in pages, those that happened last first. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn stock_movements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.", name = "where")] filter: StockMovementWhere,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<StockMovement>> {
        let viewer = ctx.viewer();
        let filter = filter.parse().map_err(Into::into).or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().stock().movements(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            prefetch_movements(ctx, &selected, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, StockMovement::new))
    }
}

/// What is asked of the cards of items, and of items that run out or lie about.
#[derive(Default)]
pub struct StockReportQuery;

#[Object(guard = "Needs(Permission::StockRead)")]
impl StockReportQuery {
    /// The stock card of an item: its movements, what happened last first, each with what was there after it. Pages go forward, into the
    /// past. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn stock_card(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which item.")] item_id: ID,
        #[graphql(
            desc = "At this location only; in the whole shop without, where what is carried about inside does not count."
        )]
        location_id: Option<ID>,
        #[graphql(desc = "Of this lot only.")] lot_id: Option<ID>,
        #[graphql(desc = "What happened before then only.")] until: Option<DateTime<Utc>>,
        #[graphql(desc = "This many from the newest, or from `after`; at most 100.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor, which is older.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<StockCardLine>> {
        let viewer = ctx.viewer();
        let of = card_of(&item_id, location_id, lot_id, until).map_err(Into::into);
        let of = of.or_graphql(viewer)?;
        let args = page::args(first, None, after, None);
        let rows = ctx.domain().stock().card(viewer, &of, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for selected in nodes(&ctx.look_ahead()) {
            let selected = selected.field("movement");
            let movements = rows.edges.iter().map(|(_, row)| &row.movement);
            prefetch_movements(ctx, &selected, movements).await?;
        }
        Ok(page::connection(rows, EmptyFields, StockCardLine::new))
    }

    /// Items of which no more is available in the whole shop than their reorder point, and how many to buy, in pages. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn low_stock(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<LowStock>> {
        let viewer = ctx.viewer();
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().stock().low(viewer, None, &args).await;
        let rows = rows.or_graphql(viewer)?;
        let items = rows.edges.iter().map(|(_, row)| row.item_id);
        prefetch_items(ctx, items).await?;
        Ok(page::connection(rows, EmptyFields, LowStock::new))
    }

    /// Items of which something lies in the shop, and nothing went to customers or into the workshop since then, in pages. Needs
    /// `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn slow_movers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Nothing since then.")] since: DateTime<Utc>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<SlowMover>> {
        let viewer = ctx.viewer();
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().stock().slow_movers(viewer, since, &args).await;
        let rows = rows.or_graphql(viewer)?;
        let items = rows.edges.iter().map(|(_, row)| row.item_id);
        prefetch_items(ctx, items).await?;
        Ok(page::connection(rows, EmptyFields, SlowMover::new))
    }
}

fn card_of(
    item: &ID,
    location: Option<ID>,
    lot: Option<ID>,
    until: Option<DateTime<Utc>>,
) -> Result<CardOf, Refusal> {
    let location = location.map(|id| LocationId::parse("locationId", &id));
    let lot = lot.map(|id| LotId::parse("lotId", &id));
    Ok(CardOf {
        item_id: ItemId::parse("itemId", item)?,
        location_id: location.transpose()?,
        lot_id: lot.transpose()?,
        until,
    })
}

/// Loads the items of a list, when it selects them.
async fn prefetch_items(
    ctx: &Context<'_>,
    items: impl Iterator<Item = ItemId>,
) -> async_graphql::Result<()> {
    let is_selected = nodes(&ctx.look_ahead())
        .iter()
        .any(|selected| selected.field("item").exists());
    if is_selected && ctx.viewer().require(Permission::CatalogueRead).is_ok() {
        preload(ctx, items).await?;
    }
    Ok(())
}

/// Where a list selects its rows.
fn nodes<'a>(list: &Lookahead<'a>) -> [Lookahead<'a>; 2] {
    [list.field("edges").field("node"), list.field("nodes")]
}

async fn prefetch_levels<'a>(
    ctx: &Context<'_>,
    selected: &Lookahead<'_>,
    rows: impl Iterator<Item = &'a LevelRow> + Clone,
) -> async_graphql::Result<()> {
    let is_selected = |name: &str| selected.field(name).exists();
    if is_selected("item") && ctx.viewer().require(Permission::CatalogueRead).is_ok() {
        preload(ctx, rows.clone().map(|row| row.item_id)).await?;
    }
    if is_selected("location") {
        preload(ctx, rows.map(|row| row.location_id)).await?;
    }
    Ok(())
}

/// Loads what is selected of these entries besides themselves.
pub(super) async fn prefetch_entries<'a>(
    ctx: &Context<'_>,
    selected: &Lookahead<'_>,
    rows: impl Iterator<Item = &'a EntryRow> + Clone,
) -> async_graphql::Result<()> {
    let is_selected = |name: &str| selected.field(name).exists();
    if is_selected("reverses") {
        preload(ctx, rows.clone().filter_map(|row| row.reverses_id)).await?;
    }
    if is_selected("reversedBy") {
        preload(ctx, rows.clone().map(|row| ReversalOf(row.id))).await?;
    }
    if is_selected("isValueProvisional") && ctx.viewer().require(Permission::CostRead).is_ok() {
        preload(ctx, rows.clone().map(|row| IsProvisional(row.id))).await?;
    }
    let landed_costs = selected.field("landedCosts");
    if landed_costs.exists() && ctx.viewer().require(Permission::CostRead).is_ok() {
        let keys = PageBelow::selected(&landed_costs, rows.clone().map(|row| row.id))?;
        let pages = load_all(ctx, keys.into_iter().map(LandedCostsOf)).await?;
        let rows: Vec<_> = pages.values().flat_map(|page| &page.edges).collect();
        for selected in nodes(&landed_costs) {
            landed_cost::prefetch(ctx, &selected, rows.iter().map(|(_, row)| row)).await?;
        }
    }
    let movements = selected.field("movements");
    if movements.exists() {
        let keys = MovementsOf::selected(&movements, rows.map(|row| row.id))?;
        let pages = load_all(ctx, keys).await?;
        let rows: Vec<_> = pages.values().flat_map(|page| &page.edges).collect();
        for selected in nodes(&movements) {
            prefetch_movements(ctx, &selected, rows.iter().map(|(_, row)| row)).await?;
        }
    }
    Ok(())
}

async fn prefetch_movements<'a>(
    ctx: &Context<'_>,
    selected: &Lookahead<'_>,
    rows: impl Iterator<Item = &'a MovementRow> + Clone,
) -> async_graphql::Result<()> {
    let is_selected = |name: &str| selected.field(name).exists();
    if is_selected("entry") {
        preload(ctx, rows.clone().map(|row| row.entry_id)).await?;
    }
    if is_selected("item") && ctx.viewer().require(Permission::CatalogueRead).is_ok() {
        preload(ctx, rows.clone().map(|row| row.item_id)).await?;
    }
    if is_selected("lot") {
        preload(ctx, rows.clone().filter_map(|row| row.lot_id)).await?;
    }
    if is_selected("value") && ctx.viewer().require(Permission::CostRead).is_ok() {
        let keys = rows.clone().map(|row| Key {
            entry: row.entry_id,
            line: row.line,
        });
        preload(ctx, keys.map(MovementValue)).await?;
    }
    let (from, to) = (is_selected("from"), is_selected("to"));
    let ends = rows.flat_map(|row| {
        let source = from.then_some(row.from_location_id);
        source.into_iter().chain(to.then_some(row.to_location_id))
    });
    preload(ctx, ends).await
}
