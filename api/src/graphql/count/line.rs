//! Lines of counts.

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Refusal,
    count::{LineFilter, StockCountLine as Row},
};
use entity::id::{ItemId, LocationId, LotId};

use crate::graphql::{
    context::ContextExt,
    decimal::Decimal,
    guard::Needs,
    id::GlobalId,
    item::Item,
    loader::{load, preload},
    location::Location,
    lot::Lot,
};

/// What was counted of an item, or of one lot or serial, at a location. Quantities are in the item's unit.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockCountLine {
    /// Which line: short, ascending, with gaps.
    line: i64,
    /// In which round it was counted.
    round: i32,
    /// How many were found.
    counted: Decimal,
    /// What those weigh, without stones, in grams. A piece that was scanned and not weighed weighs what it should, as soon as that is known.
    counted_weight: Decimal,
    /// How often it was scanned in this round.
    scans: i32,
    /// The moment that the tally is about: what moved before is in it, and what moved later is not. Null when nobody has scanned it.
    last_scan_at: Option<DateTime<Utc>>,
    /// How many should have been there at the last scan, or when counting ended if there was none. Null while people count blindly.
    expected: Option<Decimal>,
    /// What those should weigh, in grams.
    expected_weight: Option<Decimal>,
    /// How many more were found than should have been there, fewer when negative. Null until counting has ended.
    variance: Option<Decimal>,
    /// How many grams more, fewer when negative.
    weight_variance: Option<Decimal>,
    /// Whether it differs by more than the count's tolerance. Null until counting has ended.
    needs_recount: Option<bool>,
    #[graphql(skip)]
    item_id: ItemId,
    #[graphql(skip)]
    lot_id: Option<LotId>,
    #[graphql(skip)]
    location_id: LocationId,
}

impl StockCountLine {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            number,
            count_id: _,
            round,
            is_current: _,
            item_id,
            lot_id,
            location_id,
            is_serial: _,
            is_weighed: _,
            counted,
            counted_weight,
            scans,
            last_scan_at,
            settled_at: _,
            expected,
            expected_weight,
            variance,
            weight_variance,
            needs_recount,
        } = row;
        Self {
            line: number,
            round,
            counted: Decimal::shown(counted),
            counted_weight: Decimal::shown(counted_weight),
            scans,
            last_scan_at,
            expected: expected.map(Decimal::shown),
            expected_weight: expected_weight.map(Decimal::shown),
            variance: variance.map(Decimal::shown),
            weight_variance: weight_variance.map(Decimal::shown),
            needs_recount,
            item_id,
            lot_id,
            location_id,
        }
    }
}

#[ComplexObject]
impl StockCountLine {
    /// Which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }

    /// Which lot or serial; null when all pieces are alike.
    async fn lot(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Lot>> {
        let Some(id) = self.lot_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(Lot::new))
    }

    /// Where.
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let row = load(ctx, self.location_id).await?;
        Ok(row.map(|row| Location::new(ctx, row)))
    }
}

/// Which lines of a count. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockCountLineWhere {
    /// Whether something other was found than should be there. While people count blindly, or have not finished, no line is such.
    differs: Option<bool>,
    /// Whether it differs by more than the count's tolerance, likewise.
    needs_recount: Option<bool>,
    /// At this location.
    location_id: Option<ID>,
    /// As they were counted in this round; as they were counted last without.
    round: Option<i32>,
}

impl StockCountLineWhere {
    pub(super) fn parse(self) -> Result<LineFilter, Refusal> {
        let Self {
            differs,
            needs_recount,
            location_id,
            round,
        } = self;
        let location = location_id.map(|id| LocationId::parse("where.locationId", &id));
        Ok(LineFilter {
            differs,
            needs_recount,
            location_id: location.transpose()?,
            round,
        })
    }
}

/// Loads what the query selects of these rows besides themselves; they are selected at the end of `way`.
pub(super) async fn prefetch<'a>(
    ctx: &Context<'_>,
    way: &[&str],
    rows: impl Iterator<Item = &'a Row> + Clone,
) -> async_graphql::Result<()> {
    let selected = way
        .iter()
        .fold(ctx.look_ahead(), |selected, field| selected.field(field));
    if selected.field("item").exists() && ctx.viewer().require(Permission::CatalogueRead).is_ok() {
        preload(ctx, rows.clone().map(|row| row.item_id)).await?;
    }
    if selected.field("lot").exists() {
        preload(ctx, rows.clone().filter_map(|row| row.lot_id)).await?;
    }
    if selected.field("location").exists() {
        preload(ctx, rows.map(|row| row.location_id)).await?;
    }
    Ok(())
}
