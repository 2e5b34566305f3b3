//! Lots: the object, its queries and its mutation.

pub mod mutation;

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    lot::{Lot as Row, LotFilter, LotLevel as LevelRow},
};
use entity::id::{ItemId, LocationId, LotId};

pub use mutation::LotMutation;

use super::{
    context::ContextExt,
    cost,
    date::Date,
    decimal::Decimal,
    error::OrGraphql,
    filter::StringFilter,
    guard::Needs,
    id::GlobalId,
    item::Item,
    loader::{LotLevelsOf, load, preload},
    location::Location,
    page::{self, Connection},
};

/// How many pieces a lot may have.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::lot::Kind")]
pub enum LotKind {
    /// Any number of pieces.
    Lot,
    /// One piece, known by its serial number.
    Serial,
}

/// Whether what is of a lot may be sold.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::lot::State")]
pub enum LotState {
    /// It may.
    Available,
    /// It may not: it is looked into, or was called back.
    Quarantined,
}

/// In which order lots are listed.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::lot::LotOrder")]
pub enum LotOrder {
    /// As they came to be known.
    Creation,
    /// What expires first is first; what never does, last. The order in which lots should leave.
    Expiry,
}

/// Pieces of an item that belong together; a serial is a lot of one piece.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Lot {
    /// Opaque id.
    pub id: ID,
    /// How many pieces it may have.
    kind: LotKind,
    /// Lot or serial number: unique for its item, upper case.
    number: String,
    /// Last day on which it is good; null when it never expires.
    expires_on: Option<Date>,
    /// Its fineness, in parts per thousand; null when nobody has said.
    fineness: Option<Decimal>,
    /// Weight of one piece, stones included, in grams.
    gross_weight: Option<Decimal>,
    /// Weight of one piece, without stones, in grams.
    net_weight: Option<Decimal>,
    /// Hallmark id: six letters and digits, unique. Of serials only.
    huid: Option<String>,
    /// Number of its certificate.
    certificate_number: Option<String>,
    /// Whether it may be sold.
    state: LotState,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was first known.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: LotId,
    #[graphql(skip)]
    item_id: ItemId,
}

impl Lot {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            item_id,
            kind,
            number,
            expires_on,
            fineness,
            gross_weight,
            net_weight,
            unit_cost: _,
            huid,
            certificate_number,
            state,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            kind: kind.into(),
            number,
            expires_on: expires_on.map(Date),
            fineness: fineness.map(Decimal::shown),
            gross_weight: gross_weight.map(Decimal::shown),
            net_weight: net_weight.map(Decimal::shown),
            huid,
            certificate_number,
            state: state.into(),
            version,
            created_at,
            updated_at,
            row_id: id,
            item_id,
        }
    }
}

#[ComplexObject]
impl Lot {
    /// Of which item it is. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }

    /// Where something of it is, and how much. Of a serial there is at most one.
    #[graphql(complexity = "cost::rows(5, child_complexity)")]
    async fn levels(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<LotLevel>> {
        let rows = load(ctx, LotLevelsOf(self.row_id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.map(LotLevel::new).collect())
    }
}

/// How much of a lot is at a location.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct LotLevel {
    /// How many, in the item's unit.
    on_hand: Decimal,
    /// How many of them are held for somebody who wants this very lot.
    reserved: Decimal,
    /// Weight of them, without stones, in grams.
    weight: Decimal,
    /// Weight of the pure metal in them, in grams.
    fine_weight: Decimal,
    #[graphql(skip)]
    location_id: LocationId,
}

impl LotLevel {
    fn new(row: LevelRow) -> Self {
        let LevelRow {
            lot_id: _,
            location_id,
            item_id: _,
            on_hand,
            reserved,
            weight,
            fine_weight,
        } = row;
        Self {
            on_hand: Decimal::shown(on_hand),
            reserved: Decimal::shown(reserved),
            weight: Decimal::shown(weight),
            fine_weight: Decimal::shown(fine_weight),
            location_id,
        }
    }
}

#[ComplexObject]
impl LotLevel {
    /// Where.
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let row = load(ctx, self.location_id).await?;
        Ok(row.map(|row| Location::new(ctx, row)))
    }
}

/// Which lots. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct LotWhere {
    /// Of these items. An empty list matches nothing.
    item_ids: Option<Vec<ID>>,
    /// By its number. Numbers are in capitals.
    number: Option<StringFilter>,
    /// With this hallmark id.
    huid: Option<String>,
    /// Whose last good day is this one or earlier.
    expires_until: Option<Date>,
    /// That are good on this day still; those that never expire are.
    good_on: Option<Date>,
    /// That may be sold, or not.
    state: Option<LotState>,
    /// Of which something is there, or those only of which nothing is.
    in_stock: Option<bool>,
}

impl LotWhere {
    fn parse(self) -> Result<LotFilter, Refusal> {
        let Self {
            item_ids,
            number,
            huid,
            expires_until,
            good_on,
            state,
            in_stock,
        } = self;
        let item_ids = item_ids.map(|ids| ItemId::parse_all("where.itemIds", &ids));
        Ok(LotFilter {
            item_ids: item_ids.transpose()?,
            number: number.map(Into::into),
            huid,
            expires_until: expires_until.map(|Date(day)| day),
            expires_from: good_on.map(|Date(day)| day),
            state: state.map(Into::into),
            in_stock,
        })
    }
}

/// Queries about lots.
#[derive(Default)]
pub struct LotQuery;

#[Object(guard = "Needs(Permission::StockRead)")]
impl LotQuery {
    /// One lot or serial; null when there is none such. Needs `stock.read`.
    async fn lot(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<Lot>> {
        let viewer = ctx.viewer();
        let id = LotId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx
            .domain()
            .lots()
            .find(viewer, id)
            .await
            .or_graphql(viewer)?;
        Ok(row.map(Lot::new))
    }

    /// Lots and serials in pages. Needs `stock.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a connection"
    )]
    async fn lots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all without.", name = "where")] filter: Option<LotWhere>,
        #[graphql(desc = "In which order; as they came to be known without.")] order_by: Option<
            LotOrder,
        >,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Lot>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let filter = filter.or_graphql(viewer)?;
        let order = order_by.map(Into::into).unwrap_or_default();
        let args = page::args(first, last, after, before);
        let rows = ctx
            .domain()
            .lots()
            .page(viewer, &filter, order, &args)
            .await;
        let rows = rows.or_graphql(viewer)?;
        for way in [&["edges", "node"][..], &["nodes"]] {
            prefetch(ctx, way, rows.edges.iter().map(|(_, row)| row)).await?;
        }
        Ok(page::connection(rows, EmptyFields, Lot::new))
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
    if is_selected("levels") {
        let keys: Vec<_> = rows.map(|row| LotLevelsOf(row.id)).collect();
        preload(ctx, keys.iter().copied()).await?;
        if selected.field("levels").field("location").exists() {
            let levels = super::loader::load_all(ctx, keys).await?;
            let places = levels
                .into_values()
                .flatten()
                .map(|level| level.location_id);
            preload(ctx, places).await?;
        }
    }
    Ok(())
}
