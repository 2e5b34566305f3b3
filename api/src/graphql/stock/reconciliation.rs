//! Proofs that levels, or days, are the sums of movements, as clients see them.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    series::{Amounts as SeriesAmountsRow, Part, SeriesDifference as SeriesDifferenceRow},
    stock::{Amounts as AmountsRow, Difference as DifferenceRow, StockReconciliation as Row},
};
use entity::id::{ItemId, JobId, LocationId, LotId, StockReconciliationId};

use super::cost_difference::StockCostDifference;
use crate::graphql::{
    context::ContextExt,
    cost,
    date::Date,
    decimal::Decimal,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    item::Item,
    item_import::visible_job,
    job::Job,
    loader::{load, preload},
    location::Location,
    lot::Lot,
    payload::{UserError, settle},
};

/// What is proved.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(remote = "domain::stock::ReconciliationSubject")]
pub enum StockReconciliationSubject {
    /// That all levels are the sums of their movements and reservations.
    #[default]
    Levels,
    /// That days, of which time series are made, and weeks are the sums of movements and costs, as far as those are in them.
    Series,
    /// That what stock is worth is the sum of what movements have cost, and that there is as much as levels say.
    Costs,
}

/// A proof, or what it has found. A job makes it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockReconciliation {
    /// Opaque id.
    pub id: ID,
    /// What is proved.
    subject: StockReconciliationSubject,
    /// Why it was asked for.
    note: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it was made; null before.
    finished_at: Option<DateTime<Utc>>,
    /// How many levels were looked at, those of lots included, or how many rows of days or of values; null before it was made.
    level_count: Option<i64>,
    /// How many movements, or lines of costs, were added up; null before it was made.
    movement_count: Option<i64>,
    /// How many of them are not what they should be; null before it was made.
    difference_count: Option<i64>,
    #[graphql(skip)]
    row: Row,
}

impl StockReconciliation {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        Self {
            id: row.id.encode(),
            subject: row.subject.into(),
            note: row.note.clone(),
            created_at: row.created_at,
            finished_at: row.finished_at,
            level_count: row.level_count,
            movement_count: row.movement_count,
            difference_count: row.difference_count,
            row,
        }
    }
}

#[ComplexObject]
impl StockReconciliation {
    /// The levels that are not what they should be, at most the first 1,000.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn differences(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<StockDifference>> {
        let rows = domain::stock::differences(&self.row).or_graphql(ctx.viewer())?;
        let is_selected = |name: &str| ctx.look_ahead().field(name).exists();
        if is_selected("item") && ctx.viewer().require(Permission::CatalogueRead).is_ok() {
            preload(ctx, rows.iter().map(|row| row.item_id)).await?;
        }
        if is_selected("lot") {
            preload(ctx, rows.iter().filter_map(|row| row.lot_id)).await?;
        }
        if is_selected("location") {
            preload(ctx, rows.iter().map(|row| row.location_id)).await?;
        }
        Ok(rows.into_iter().map(StockDifference::new).collect())
    }

    /// The days and weeks that are not what they should be, at most the first 1,000.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn series_differences(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<StockSeriesDifference>> {
        let rows = domain::series::differences(&self.row).or_graphql(ctx.viewer())?;
        let is_selected = |name: &str| ctx.look_ahead().field(name).exists();
        if is_selected("item") && ctx.viewer().require(Permission::CatalogueRead).is_ok() {
            preload(ctx, rows.iter().filter_map(|row| row.item_id)).await?;
        }
        if is_selected("location") {
            preload(ctx, rows.iter().map(|row| row.location_id)).await?;
        }
        let with_costs = ctx.viewer().require(Permission::CostRead).is_ok();
        let rows = rows.into_iter();
        Ok(rows
            .map(|row| StockSeriesDifference::new(row, with_costs))
            .collect())
    }

    /// The values of stock that are not what they should be, at most the first 1,000. Needs `cost.read`.
    #[graphql(
        guard = "Needs(Permission::CostRead)",
        complexity = "cost::rows(20, child_complexity)"
    )]
    async fn cost_differences(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<StockCostDifference>> {
        let rows = domain::cost::differences(&self.row).or_graphql(ctx.viewer())?;
        let is_selected = |name: &str| ctx.look_ahead().field(name).exists();
        if is_selected("item") && ctx.viewer().require(Permission::CatalogueRead).is_ok() {
            preload(ctx, rows.iter().map(|row| row.item_id)).await?;
        }
        if is_selected("lot") {
            preload(ctx, rows.iter().filter_map(|row| row.lot_id)).await?;
        }
        Ok(rows.into_iter().map(StockCostDifference::new).collect())
    }

    /// The job that makes it; null for whoever may not see it.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        let id: JobId = self.row.job_id;
        visible_job(ctx, id).await
    }
}

/// A level that is not what its movements and reservations make it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockDifference {
    /// What the level says.
    level: StockAmounts,
    /// What movements and reservations add up to.
    sum: StockAmounts,
    #[graphql(skip)]
    item_id: ItemId,
    #[graphql(skip)]
    lot_id: Option<LotId>,
    #[graphql(skip)]
    location_id: LocationId,
}

impl StockDifference {
    fn new(row: DifferenceRow) -> Self {
        let DifferenceRow {
            item_id,
            lot_id,
            location_id,
            level,
            sum,
        } = row;
        Self {
            level: StockAmounts::new(level),
            sum: StockAmounts::new(sum),
            item_id,
            lot_id,
            location_id,
        }
    }
}

#[ComplexObject]
impl StockDifference {
    /// Of which item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let row = load(ctx, self.item_id).await?;
        Ok(row.map(|row| Item::new(ctx, row)))
    }

    /// Of which lot; null when it is the level of the item itself.
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

/// What is not what it should be.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Part")]
pub enum StockSeriesPart {
    /// What came in or left of an item on a day.
    Flow,
    /// The same of all items that are counted in one unit.
    Total,
    /// What lay there of an item at the end of a day.
    Level,
    /// By how much an item became more in a week.
    Week,
}

/// A day or a week that is not what its movements and costs make it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockSeriesDifference {
    /// What of it.
    part: StockSeriesPart,
    /// On which day; of a week its Monday.
    day: Date,
    /// Which way it came or went, such as `sold`; null of what lay there.
    flow: Option<String>,
    /// What is kept.
    kept: StockSeriesAmounts,
    /// What movements and costs add up to.
    sum: StockSeriesAmounts,
    #[graphql(skip)]
    item_id: Option<ItemId>,
    #[graphql(skip)]
    location_id: LocationId,
}

impl StockSeriesDifference {
    fn new(row: SeriesDifferenceRow, with_costs: bool) -> Self {
        let SeriesDifferenceRow {
            part,
            item_id,
            location_id,
            day,
            flow,
            kept,
            sum,
        } = row;
        Self {
            part: part.into(),
            day: Date(day),
            flow,
            kept: StockSeriesAmounts::new(kept, with_costs),
            sum: StockSeriesAmounts::new(sum, with_costs),
            item_id,
            location_id,
        }
    }
}

#[ComplexObject]
impl StockSeriesDifference {
    /// Of which item; null of a total. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let Some(id) = self.item_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(|row| Item::new(ctx, row)))
    }

    /// Where.
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let row = load(ctx, self.location_id).await?;
        Ok(row.map(|row| Location::new(ctx, row)))
    }
}

/// How much came, went or lay there.
#[derive(SimpleObject)]
pub struct StockSeriesAmounts {
    /// How many, in the item's unit.
    quantity: Decimal,
    /// Weight, without stones, in grams.
    weight: Decimal,
    /// Weight of pure metal, in grams.
    fine_weight: Decimal,
    /// In the shop's currency; null for whoever may not see costs.
    value: Option<Decimal>,
}

impl StockSeriesAmounts {
    fn new(row: SeriesAmountsRow, with_costs: bool) -> Self {
        let SeriesAmountsRow {
            quantity,
            weight,
            fine_weight,
            value,
        } = row;
        Self {
            quantity: Decimal::shown(quantity),
            weight: Decimal::shown(weight),
            fine_weight: Decimal::shown(fine_weight),
            value: with_costs.then(|| Decimal::shown(value)),
        }
    }
}

/// What lies somewhere.
#[derive(SimpleObject)]
pub struct StockAmounts {
    /// How many, in the item's unit.
    on_hand: Decimal,
    /// How many of them are held for somebody.
    reserved: Decimal,
    /// Weight of them, without stones, in grams.
    weight: Decimal,
    /// Weight of the pure metal in them, in grams.
    fine_weight: Decimal,
}

impl StockAmounts {
    fn new(row: AmountsRow) -> Self {
        let AmountsRow {
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
        }
    }
}

/// A proof to be made.
#[derive(InputObject)]
pub struct StockReconcileInput {
    /// Of what.
    #[graphql(default)]
    subject: StockReconciliationSubject,
    /// Why it is asked for.
    note: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for a proof.
#[derive(SimpleObject)]
pub struct StockReconcilePayload {
    /// The proof, which a job makes; null when it was refused.
    reconciliation: Option<StockReconciliation>,
    /// Why it was refused; empty when it was asked for.
    user_errors: Vec<UserError>,
}

/// Asking for proofs.
#[derive(Default)]
pub struct StockReconciliationMutation;

#[Object(guard = "Needs(Permission::StockRead)")]
impl StockReconciliationMutation {
    /// Has it proved that all levels, or all days and weeks, are the sums of their movements, and each that is not named. A job does it while trading
    /// goes on. Needs `stock.read`.
    async fn stock_reconcile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is asked for.")] input: StockReconcileInput,
    ) -> async_graphql::Result<StockReconcilePayload> {
        let StockReconcileInput {
            subject,
            note,
            idempotency_key,
        } = input;
        let (stock, key) = (ctx.domain().stock(), idempotency_key.as_deref());
        let asked = stock.reconcile(ctx.viewer(), subject.into(), note.as_deref(), key);
        let (row, user_errors) = settle(ctx, asked.await)?;
        Ok(StockReconcilePayload {
            reconciliation: row.map(StockReconciliation::new),
            user_errors,
        })
    }
}

/// Reading proofs.
#[derive(Default)]
pub struct StockReconciliationQuery;

#[Object(guard = "Needs(Permission::StockRead)")]
impl StockReconciliationQuery {
    /// One proof; null when there is none such. Needs `stock.read`.
    async fn stock_reconciliation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<StockReconciliation>> {
        let viewer = ctx.viewer();
        let id = StockReconciliationId::parse_or_graphql(ctx, "id", &id)?;
        let row = ctx.domain().stock().find_reconciliation(viewer, id).await;
        Ok(row.or_graphql(viewer)?.map(StockReconciliation::new))
    }
}
