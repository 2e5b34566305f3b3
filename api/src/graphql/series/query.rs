//! What clients can ask of time series.

use async_graphql::{Context, Object};
use domain::{
    Permission,
    series::{Series, SeriesOf},
};

use super::{
    StockTimeSeries,
    input::{StockSeriesBy, StockSeriesInterval, StockTimeSeriesWhere, Weekday},
};
use crate::graphql::{
    context::ContextExt, cost, date::Date, error::OrGraphql, guard::Needs, loader::preload,
};

/// Queries about what moved and lay where, day by day.
#[derive(Default)]
pub struct StockTimeSeriesQuery;

#[Object(guard = "Needs(Permission::StockRead)")]
impl StockTimeSeriesQuery {
    /// What came in, left and lay there, point by point: at most 1,100 points a series, 100 series, and 20,000 points altogether. Days are those
    /// of the shop's time zone. Needs `stock.read`, and for values `cost.read`.
    #[graphql(complexity = "cost::series(child_complexity)")]
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of a report"
    )]
    async fn stock_time_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what; all of the shop without.", name = "where")] filter: Option<
            StockTimeSeriesWhere,
        >,
        #[graphql(desc = "The first day.")] from: Date,
        #[graphql(desc = "The day behind the last.")] until: Date,
        #[graphql(desc = "How long a point lasts. The first and the last may be shorter.")]
        interval: StockSeriesInterval,
        #[graphql(desc = "What each series is about.", default)] by: StockSeriesBy,
        #[graphql(desc = "On which day weeks begin.", default)] week_start: Weekday,
    ) -> async_graphql::Result<StockTimeSeries> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse().map_err(Into::into);
        let asked = SeriesOf {
            filter: filter.or_graphql(viewer)?,
            from: from.0,
            until: until.0,
            interval: interval.into(),
            week_start: week_start.into(),
            by: by.into(),
        };
        let read = ctx.domain().series().read(viewer, &asked).await;
        let read = read.or_graphql(viewer)?;
        prefetch(ctx, &read.series).await?;
        let with_costs = viewer.require(Permission::CostRead).is_ok();
        Ok(StockTimeSeries::new(read, with_costs))
    }
}

/// Loads what is selected of what series are about.
async fn prefetch(ctx: &Context<'_>, series: &[Series]) -> async_graphql::Result<()> {
    let selected = ctx.look_ahead().field("series");
    let is_selected = |name: &str| selected.field(name).exists();
    if is_selected("location") {
        preload(ctx, series.iter().filter_map(|row| row.location_id)).await?;
    }
    if ctx.viewer().require(Permission::CatalogueRead).is_err() {
        return Ok(());
    }
    if is_selected("item") {
        preload(ctx, series.iter().filter_map(|row| row.item_id)).await?;
    }
    if is_selected("category") {
        preload(ctx, series.iter().filter_map(|row| row.category_id)).await?;
    }
    if is_selected("unit") {
        preload(ctx, series.iter().map(|row| row.unit_id)).await?;
    }
    Ok(())
}
