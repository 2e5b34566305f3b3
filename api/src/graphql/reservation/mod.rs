//! Reservations: the object, its queries and its mutations.

pub mod mutation;

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    reservation::{ReservationFilter, StockReservation as Row},
};
use entity::id::{ItemId, LocationId, LotId, StockReservationId};

pub use mutation::ReservationMutation;

use super::{
    context::ContextExt,
    cost,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item::Item,
    loader::{load, preload},
    location::Location,
    lot::Lot,
    page::{self, Connection},
};

/// What became of a reservation.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::reservation::State")]
pub enum StockReservationState {
    /// Something is held.
    Active,
    /// All of it was issued.
    Fulfilled,
    /// It was let go.
    Released,
    /// Its time is over.
    Expired,
}

/// Stock that is held for somebody.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockReservation {
    /// Opaque id.
    pub id: ID,
    /// How many it held in the beginning, in the item's unit.
    quantity: Decimal,
    /// How many it holds still.
    open: Decimal,
    /// What became of it.
    state: StockReservationState,
    /// Who it is held for, such as `cart` or `order`.
    consumer: String,
    /// The paper behind it, such as the number of the order.
    document: Option<String>,
    /// Until when it holds; null for ever.
    expires_at: Option<DateTime<Utc>>,
    /// Who made it.
    actor_name: String,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    item_id: ItemId,
    #[graphql(skip)]
    location_id: LocationId,
    #[graphql(skip)]
    lot_id: Option<LotId>,
}

impl StockReservation {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            item_id,
            location_id,
            lot_id,
            quantity,
            open,
            state,
            consumer,
            document,
            expires_at,
            actor_kind: _,
            actor_id: _,
            actor_name,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            quantity: Decimal::shown(quantity),
            open: Decimal::shown(open),
            state: state.into(),
            consumer,
            document,
            expires_at,
            actor_name,
            version,
            created_at,
            updated_at,
            item_id,
            location_id,
            lot_id,
        }
    }
}

#[ComplexObject]
impl StockReservation {
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

    /// Of which lot; null when any will do.
    async fn lot(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Lot>> {
        let Some(id) = self.lot_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(Lot::new))
    }
}

/// Which reservations. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockReservationWhere {
    /// Of these items. An empty list matches nothing.
    item_ids: Option<Vec<ID>>,
    /// At this location.
    location_id: Option<ID>,
    /// Of this lot.
    lot_id: Option<ID>,
    /// Held for this consumer.
    consumer: Option<String>,
    /// With this paper behind it.
    document: Option<String>,
    /// That hold something now, or those only that do not.
    active: Option<bool>,
}

impl StockReservationWhere {
    fn parse(self) -> Result<ReservationFilter, Refusal> {
        let Self {
            item_ids,
            location_id,
            lot_id,
            consumer,
            document,
            active,
        } = self;
        let item_ids = item_ids.map(|ids| ItemId::parse_all("where.itemIds", &ids));
        let location_id = location_id.map(|id| LocationId::parse("where.locationId", &id));
        let lot_id = lot_id.map(|id| LotId::parse("where.lotId", &id));
        Ok(ReservationFilter {
            item_ids: item_ids.transpose()?,
            location_id: location_id.transpose()?,
            lot_id: lot_id.transpose()?,
            consumer,
            document,
            active,
        })
    }
}

/// Queries about reservations.
#[derive(Default)]
pub struct ReservationQuery;

#[Object(guard = "Needs(Permission::StockRead)")]
impl ReservationQuery {
    /// One reservation; null when there is none such. Needs `stock.read`.
    async fn stock_reservation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<StockReservation>> {
        let viewer = ctx.viewer();
        let id = StockReservationId::parse_or_graphql(ctx, "id", &id)?;
        let rows = ctx.domain().reservations().by_ids(viewer, &[id]).await;
        Ok(rows.or_graphql(viewer)?.pop().map(StockReservation::new))
    }

    /// Reservations in pages, newest first. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn stock_reservations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<
            StockReservationWhere,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<StockReservation>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx
            .domain()
            .reservations()
            .page(viewer, &filter, &args)
            .await;
        let rows = rows.or_graphql(viewer)?;
        for way in [&["edges", "node"][..], &["nodes"]] {
            prefetch(ctx, way, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, StockReservation::new))
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
    let is_selected = |name: &str| selected.field(name).exists();
    if is_selected("item") && ctx.viewer().require(Permission::CatalogueRead).is_ok() {
        preload(ctx, rows.clone().map(|row| row.item_id)).await?;
    }
    if is_selected("location") {
        preload(ctx, rows.clone().map(|row| row.location_id)).await?;
    }
    if is_selected("lot") {
        preload(ctx, rows.filter_map(|row| row.lot_id)).await?;
    }
    Ok(())
}
