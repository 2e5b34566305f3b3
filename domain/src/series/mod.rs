//! What came in, left and lay there, day by day: for charts and reports.
//!
//! The database keeps the days, and a worker adds to them behind posting (`keep.rs`). An answer is right whether it has or not: it is known
//! which movements are in the days, and the others are added. When those are too many, as while days are made anew for another time zone, the
//! answer is what was true once, and tells how much it lacks ([ADR 19](../docs/adr/0019-days-follow-movements.md)).

mod keep;
pub(crate) mod proof;
mod query;
mod rules;
#[cfg(test)]
mod rules_tests;

pub use proof::{Amounts, Part, SeriesDifference, differences};

use chrono::{NaiveDate, Weekday};
use entity::id::{CategoryId, ItemId, LocationId, UnitOfMeasureId};
use rust_decimal::Decimal;

use crate::{Domain, error::Result, permission::Permission, viewer::Viewer};

/// How long a point of a series lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// A day.
    Day,
    /// Seven days.
    Week,
    /// A month of the Gregorian calendar.
    Month,
    /// A year of the Gregorian calendar.
    Year,
}

/// What each series is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// All of it.
    All,
    /// An item.
    Item,
    /// A location.
    Location,
    /// A category: the items that lie in it, not those below it.
    Category,
}

/// Of what. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct SeriesFilter {
    /// Of these items.
    pub item_ids: Option<Vec<ItemId>>,
    /// Of items in this category or below it.
    pub category_id: Option<CategoryId>,
    /// At these locations.
    pub location_ids: Option<Vec<LocationId>>,
    /// Anywhere at or below this location.
    pub within: Option<LocationId>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct SeriesOf {
    /// Of what.
    pub filter: SeriesFilter,
    /// The first day.
    pub from: NaiveDate,
    /// The day behind the last.
    pub until: NaiveDate,
    /// How long a point lasts.
    pub interval: Interval,
    /// On which day weeks begin.
    pub week_start: Weekday,
    /// What each series is about.
    pub by: By,
}

/// Ways in which goods come and go, by what lies at the other end. What undoes a movement counts against the way it went, on the day on which
/// it was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In, from a supplier.
    Purchased,
    /// In, from a customer.
    BroughtBack,
    /// In, out of the workshop.
    Made,
    /// In, for there were more than was known.
    Gained,
    /// In, from another place in the shop.
    MovedIn,
    /// Out, to a customer.
    Sold,
    /// Out, to a supplier.
    SentBack,
    /// Out, into the workshop.
    Used,
    /// Out, for they are lost, broken, or were fewer than was known.
    Lost,
    /// Out, to another place in the shop.
    MovedOut,
}

impl Way {
    /// Every one there is: first those in, then those out.
    pub const ALL: [Self; 10] = [
        Self::Purchased,
        Self::BroughtBack,
        Self::Made,
        Self::Gained,
        Self::MovedIn,
        Self::Sold,
        Self::SentBack,
        Self::Used,
        Self::Lost,
        Self::MovedOut,
    ];

    /// As the database keeps it.
    fn name(self) -> &'static str {
        match self {
            Self::Purchased => "purchased",
            Self::BroughtBack => "brought_back",
            Self::Made => "made",
            Self::Gained => "gained",
            Self::MovedIn => "moved_in",
            Self::Sold => "sold",
            Self::SentBack => "sent_back",
            Self::Used => "used",
            Self::Lost => "lost",
            Self::MovedOut => "moved_out",
        }
    }

    /// Whether there is more afterwards.
    #[must_use]
    pub fn is_in(self) -> bool {
        matches!(
            self,
            Self::Purchased | Self::BroughtBack | Self::Made | Self::Gained | Self::MovedIn
        )
    }

    /// Whether it is inside the shop, where nothing is worth more or less for it.
    #[must_use]
    pub fn is_inside(self) -> bool {
        matches!(self, Self::MovedIn | Self::MovedOut)
    }
}

/// How much went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// How many movements, without those that were undone.
    pub movements: i64,
    /// How many, in the unit of the series.
    pub quantity: Decimal,
    /// Grams, without stones.
    pub weight: Decimal,
    /// Grams of pure metal.
    pub fine_weight: Decimal,
    /// What it has cost, in the shop's currency. Nothing for whoever may not see costs.
    pub value: Decimal,
}

impl Flow {
    /// Both together.
    fn plus(self, other: Self) -> Self {
        Self {
            movements: self.movements + other.movements,
            quantity: self.quantity + other.quantity,
            weight: self.weight + other.weight,
            fine_weight: self.fine_weight + other.fine_weight,
            value: self.value + other.value,
        }
    }
}

/// How much lies there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// How many, in the unit of the series.
    pub quantity: Decimal,
    /// Grams, without stones.
    pub weight: Decimal,
    /// Grams of pure metal.
    pub fine_weight: Decimal,
}

/// What happened in some days, and what lay there at the end of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The first day.
    pub from: NaiveDate,
    /// The day behind the last.
    pub until: NaiveDate,
    /// What lay there at the end.
    pub level: Level,
    flows: [Flow; Way::ALL.len()],
}

impl Point {
    /// How much went this way.
    #[must_use]
    pub fn flow(&self, way: Way) -> Flow {
        self.flows[way as usize]
    }

    /// How much came from outside the shop, or left it.
    #[must_use]
    pub fn across(&self, is_in: bool) -> Flow {
        Way::ALL
            .into_iter()
            .filter(|way| way.is_in() == is_in && !way.is_inside())
            .fold(Flow::default(), |sum, way| sum.plus(self.flow(way)))
    }
}

/// What happened, point by point, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Of which item; none unless series are by item.
    pub item_id: Option<ItemId>,
    /// At which location; none unless series are by location.
    pub location_id: Option<LocationId>,
    /// Of which category; none unless series are by category.
    pub category_id: Option<CategoryId>,
    /// In which unit quantities are. What is counted in another one is another series.
    pub unit_id: UnitOfMeasureId,
    /// What lay there before the first point.
    pub opening: Level,
    /// From the first day to the last.
    pub points: Vec<Point>,
}

/// Several series, and how far they are true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeSeries {
    /// By item, location or category, and by unit.
    pub series: Vec<Series>,
    /// Whose days they are: an IANA name.
    pub time_zone: String,
    /// The shop's currency.
    pub currency: String,
    /// How many movements and lines of costs are not in them. None, but when the worker is far behind or makes days anew.
    pub missing: i64,
}

/// Time series: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct TimeSeriesOf<'a> {
    pub(crate) domain: &'a Domain,
}

impl TimeSeriesOf<'_> {
    /// What came in, left and lay there, point by point: one statement. Whoever may not see costs gets no values.
    ///
    /// # Errors
    /// When the viewer may not see stock, the days are none or too many, the filter is too large, or there would be too many series.
    pub async fn read(&self, viewer: &Viewer, asked: &SeriesOf) -> Result<TimeSeries> {
        viewer.require(Permission::StockRead)?;
        let starts = rules::check(asked)?;
        let with_costs = viewer.require(Permission::CostRead).is_ok();
        query::read(&self.domain.reads, asked, &starts, with_costs).await
    }
}
