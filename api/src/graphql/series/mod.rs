//! What came in, left and lay there, day by day, as clients see it.

pub mod input;
pub mod query;

use async_graphql::{ComplexObject, Context, SimpleObject};
use domain::{
    Permission,
    series::{
        Flow as FlowRow, Level as LevelRow, Point as PointRow, Series as SeriesRow, TimeSeries, Way,
    },
};
use entity::id::{CategoryId, ItemId, LocationId, UnitOfMeasureId};

pub use query::StockTimeSeriesQuery;

use super::{
    category::Category, date::Date, decimal::Decimal, guard::Needs, item::Item, loader::load,
    location::Location, money::Money, unit_of_measure::UnitOfMeasure,
};

/// What came in, left and lay there, point by point.
#[derive(SimpleObject)]
pub struct StockTimeSeries {
    /// One for each item, location or category, and for each unit: what is counted in different units is never added up. What never was there
    /// has none.
    series: Vec<StockSeries>,
    /// Whose days they are: an IANA name.
    time_zone: String,
    /// Whether everything that has happened is in them. It is, but while a worker is far behind, or makes all days anew for another time zone:
    /// then they are what was true once.
    is_complete: bool,
    /// How many movements and lines of costs are missing; 0 when they are complete.
    missing: i64,
}

impl StockTimeSeries {
    /// As clients see it, with what it has cost or without.
    #[must_use]
    pub fn new(row: TimeSeries, with_costs: bool) -> Self {
        let TimeSeries {
            series,
            time_zone,
            currency,
            missing,
        } = row;
        let currency = with_costs.then_some(currency.as_str());
        Self {
            series: series
                .into_iter()
                .map(|row| StockSeries::new(row, currency))
                .collect(),
            time_zone,
            is_complete: missing == 0,
            missing,
        }
    }
}

/// What happened to one thing, point by point, without a gap.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct StockSeries {
    /// What lay there before the first point.
    opening: StockSeriesLevel,
    /// From the first day to the last.
    points: Vec<StockSeriesPoint>,
    #[graphql(skip)]
    item_id: Option<ItemId>,
    #[graphql(skip)]
    location_id: Option<LocationId>,
    #[graphql(skip)]
    category_id: Option<CategoryId>,
    #[graphql(skip)]
    unit_id: UnitOfMeasureId,
}

impl StockSeries {
    fn new(row: SeriesRow, currency: Option<&str>) -> Self {
        let SeriesRow {
            item_id,
            location_id,
            category_id,
            unit_id,
            opening,
            points,
        } = row;
        Self {
            opening: StockSeriesLevel::new(opening),
            points: points
                .iter()
                .map(|point| StockSeriesPoint::new(point, currency))
                .collect(),
            item_id,
            location_id,
            category_id,
            unit_id,
        }
    }
}

#[ComplexObject]
impl StockSeries {
    /// Of which item; null unless series are by item. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Item>> {
        let Some(id) = self.item_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(|row| Item::new(ctx, row)))
    }

    /// At which location; null unless series are by location.
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let Some(id) = self.location_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(|row| Location::new(ctx, row)))
    }

    /// Of which category; null unless series are by category. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn category(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Category>> {
        let Some(id) = self.category_id else {
            return Ok(None);
        };
        Ok(load(ctx, id).await?.map(|row| Category::new(ctx, row)))
    }

    /// In which unit quantities are. Needs `catalogue.read`.
    #[graphql(guard = "Needs(Permission::CatalogueRead)")]
    async fn unit(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<UnitOfMeasure>> {
        let row = load(ctx, self.unit_id).await?;
        Ok(row.map(|row| UnitOfMeasure::new(ctx, row)))
    }
}

/// What happened in some days, and what lay there at the end of them. What undoes an entry counts against what that one did, on the day on
/// which it was undone.
#[derive(SimpleObject)]
pub struct StockSeriesPoint {
    /// The first day.
    from: Date,
    /// The day behind the last.
    until: Date,
    /// All that came from outside the shop.
    received: StockFlow,
    /// All that left the shop.
    issued: StockFlow,
    /// Received: from suppliers.
    purchased: StockFlow,
    /// Received: from customers.
    brought_back: StockFlow,
    /// Received: out of the workshop.
    made: StockFlow,
    /// Received: for there were more than was known; what was there when goldshop began, too.
    gained: StockFlow,
    /// Issued: to customers.
    sold: StockFlow,
    /// Issued: to suppliers.
    sent_back: StockFlow,
    /// Issued: into the workshop.
    used: StockFlow,
    /// Issued: for they were lost, broken, or fewer than was known.
    lost: StockFlow,
    /// Brought there from other places in the shop, from one of those asked for to another, too.
    moved_in: StockFlow,
    /// Brought to other places in the shop.
    moved_out: StockFlow,
    /// What lay there at the end.
    level: StockSeriesLevel,
}

impl StockSeriesPoint {
    fn new(row: &PointRow, currency: Option<&str>) -> Self {
        let across = |is_in| StockFlow::new(row.across(is_in), currency);
        let one_way = |way: Way| {
            let currency = currency.filter(|_| !way.is_inside());
            StockFlow::new(row.flow(way), currency)
        };
        Self {
            from: Date(row.from),
            until: Date(row.until),
            received: across(true),
            issued: across(false),
            purchased: one_way(Way::Purchased),
            brought_back: one_way(Way::BroughtBack),
            made: one_way(Way::Made),
            gained: one_way(Way::Gained),
            sold: one_way(Way::Sold),
            sent_back: one_way(Way::SentBack),
            used: one_way(Way::Used),
            lost: one_way(Way::Lost),
            moved_in: one_way(Way::MovedIn),
            moved_out: one_way(Way::MovedOut),
            level: StockSeriesLevel::new(row.level),
        }
    }
}

/// How much came or went.
#[derive(SimpleObject)]
pub struct StockFlow {
    /// How many movements, without those that were undone.
    movements: i64,
    /// How many, in the unit of the series.
    quantity: Decimal,
    /// Weight of them, without stones, in grams.
    weight: Decimal,
    /// Weight of the pure metal in them, in grams.
    fine_weight: Decimal,
    /// What they have cost; null of what stays in the shop, and for whoever may not see costs. What was computed anew counts on the day of its
    /// movement, or on the first one behind a closed period.
    value: Option<Money>,
}

impl StockFlow {
    fn new(row: FlowRow, currency: Option<&str>) -> Self {
        let FlowRow {
            movements,
            quantity,
            weight,
            fine_weight,
            value,
        } = row;
        Self {
            movements,
            quantity: Decimal::shown(quantity),
            weight: Decimal::shown(weight),
            fine_weight: Decimal::shown(fine_weight),
            value: currency.map(|currency| Money::shown(value, currency.to_owned())),
        }
    }
}

/// How much lies there.
#[derive(SimpleObject)]
pub struct StockSeriesLevel {
    /// How many, in the unit of the series.
    quantity: Decimal,
    /// Weight of them, without stones, in grams.
    weight: Decimal,
    /// Weight of the pure metal in them, in grams.
    fine_weight: Decimal,
}

impl StockSeriesLevel {
    fn new(row: LevelRow) -> Self {
        let LevelRow {
            quantity,
            weight,
            fine_weight,
        } = row;
        Self {
            quantity: Decimal::shown(quantity),
            weight: Decimal::shown(weight),
            fine_weight: Decimal::shown(fine_weight),
        }
    }
}
