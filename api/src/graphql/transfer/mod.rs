//! Transfers of stock: the object and its queries.

pub mod mutation;

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    transfer::{StockTransfer as Row, StockTransferLine as LineRow, TransferFilter},
};
use entity::id::{ItemId, LocationId, LotId, StockTransferId};

pub use mutation::TransferMutation;

use super::{
    context::ContextExt,
    cost,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item::Item,
    loader::{TransferLinesOf, load, load_all, preload},
    location::Location,
    lot::Lot,
    page::{self, Connection},
};

/// How far a transfer has got.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::transfer::State")]
pub enum StockTransferState {
    /// Somebody wants it.
    Requested,
    /// It lies ready, held where it comes from.
    Picked,
    /// It is on its way.
    InTransit,
    /// It has arrived, as far as it will.
    Received,
    /// Nobody wants it any more.
    Cancelled,
}

/// Goods that go from one place in the shop to another, and are on their way for a while.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockTransfer {
    /// Opaque id.
    pub id: ID,
    /// Short number for people, ascending, with gaps. What is held for it has the document `T-` and this number.
    number: i64,
    /// How far it has got.
    state: StockTransferState,
    /// The paper behind it.
    document: Option<String>,
    /// What somebody has to say about it.
    note: Option<String>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: StockTransferId,
    #[graphql(skip)]
    from_id: LocationId,
    #[graphql(skip)]
    to_id: LocationId,
}

impl StockTransfer {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            number,
            state,
            from_location_id,
            to_location_id,
            document,
            note,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            number,
            state: state.into(),
            document,
            note,
            version,
            created_at,
            updated_at,
            row_id: id,
            from_id: from_location_id,
            to_id: to_location_id,
        }
    }
}

#[ComplexObject]
impl StockTransfer {
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

    /// What goes, and what became of it; at most 1,000 lines.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<StockTransferLine>> {
        let rows = load(ctx, TransferLinesOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.map(StockTransferLine::new).collect())
    }
}

/// Goods of one item, or of one lot, of a transfer. Quantities are in the item's unit.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockTransferLine {
    /// Which line, from 1.
    line: i32,
    /// How many are wanted.
    requested: Decimal,
    /// How many lie ready, or lay ready until they were sent.
    picked: Decimal,
    /// How many were sent.
    sent: Decimal,
    /// What those weighed, in grams.
    sent_weight: Decimal,
    /// How many have arrived.
    received: Decimal,
    /// What those weighed, in grams.
    received_weight: Decimal,
    /// How many were sent and did not arrive.
    missing: Decimal,
    #[graphql(skip)]
    item_id: ItemId,
    #[graphql(skip)]
    lot_id: Option<LotId>,
}

impl StockTransferLine {
    fn new(row: LineRow) -> Self {
        let LineRow {
            transfer_id: _,
            line,
            item_id,
            lot_id,
            requested,
            picked,
            reservation_id: _,
            sent,
            sent_weight,
            received,
            received_weight,
            missing,
        } = row;
        Self {
            line,
            requested: Decimal::shown(requested),
            picked: Decimal::shown(picked),
            sent: Decimal::shown(sent),
            sent_weight: Decimal::shown(sent_weight),
            received: Decimal::shown(received),
            received_weight: Decimal::shown(received_weight),
            missing: Decimal::shown(missing),
            item_id,
            lot_id,
        }
    }
}

#[ComplexObject]
impl StockTransferLine {
    /// Which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }

    /// Of which lot or serial; null when all pieces are alike, or it was not picked yet.
    async fn lot(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Lot>> {
        let Some(id) = self.lot_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(Lot::new))
    }
}

/// Which transfers. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockTransferWhere {
    /// In one of these states. An empty list matches nothing.
    states: Option<Vec<StockTransferState>>,
    /// From this location.
    from_id: Option<ID>,
    /// To this location.
    to_id: Option<ID>,
}

impl StockTransferWhere {
    fn parse(self) -> Result<TransferFilter, Refusal> {
        let Self {
            states,
            from_id,
            to_id,
        } = self;
        let from = from_id.map(|id| LocationId::parse("where.fromId", &id));
        let to = to_id.map(|id| LocationId::parse("where.toId", &id));
        Ok(TransferFilter {
            states: states.map(|states| states.into_iter().map(Into::into).collect()),
            from_id: from.transpose()?,
            to_id: to.transpose()?,
        })
    }
}

/// Queries about transfers.
#[derive(Default)]
pub struct TransferQuery;

#[Object(guard = "Needs(Permission::StockRead)")]
impl TransferQuery {
    /// One transfer; null when there is none such. Needs `stock.read`.
    async fn stock_transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<StockTransfer>> {
        let viewer = ctx.viewer();
        let id = StockTransferId::parse_or_graphql(ctx, "id", &id)?;
        let rows = ctx.domain().transfers().by_ids(viewer, &[id]).await;
        Ok(rows.or_graphql(viewer)?.pop().map(StockTransfer::new))
    }

    /// Transfers in pages, newest first. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn stock_transfers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            StockTransferWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<StockTransfer>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().transfers().page(viewer, &filter, &args).await;
        let rows = rows.or_graphql(viewer)?;
        for way in [&["edges", "node"][..], &["nodes"]] {
            prefetch(ctx, way, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, StockTransfer::new))
    }
}

/// Loads what the query selects of these rows besides themselves; they are selected at the end of `way`.
async fn prefetch<'a>(
    ctx: &Context<'_>,
    way: &[&str],
    rows: impl Iterator<Item = &'a Row> + Clone,
) -> async_graphql::Result<()> {
    let selected = way
        .iter()
        .fold(ctx.look_ahead(), |selected, field| selected.field(field));
    let (from, to) = (
        selected.field("from").exists(),
        selected.field("to").exists(),
    );
    let ends = rows.clone().flat_map(|row| {
        let source = from.then_some(row.from_location_id);
        source.into_iter().chain(to.then_some(row.to_location_id))
    });
    preload(ctx, ends).await?;
    let of_lines = selected.field("lines");
    if of_lines.exists() {
        let keys: Vec<_> = rows.map(|row| TransferLinesOf(row.id)).collect();
        let lines = load_all(ctx, keys).await?;
        let lines: Vec<_> = lines.values().flatten().collect();
        if of_lines.field("item").exists()
            && ctx.viewer().require(Permission::CatalogueRead).is_ok()
        {
            preload(ctx, lines.iter().map(|line| line.item_id)).await?;
        }
        if of_lines.field("lot").exists() {
            preload(ctx, lines.iter().filter_map(|line| line.lot_id)).await?;
        }
    }
    Ok(())
}
