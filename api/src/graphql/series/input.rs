//! Which time series, as clients ask for them.

use async_graphql::{Enum, ID, InputObject};
use domain::{
    Refusal,
    series::{By, Interval, SeriesFilter},
};
use entity::id::{CategoryId, ItemId, LocationId};

use crate::graphql::id::GlobalId;

/// How long a point lasts.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Interval")]
pub enum StockSeriesInterval {
    /// A day.
    Day,
    /// Seven days, from `weekStart` on.
    Week,
    /// A month of the Gregorian calendar.
    Month,
    /// A year of the Gregorian calendar.
    Year,
}

/// What each series is about.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[graphql(remote = "By")]
pub enum StockSeriesBy {
    /// All that is asked for.
    #[default]
    All,
    /// One item.
    Item,
    /// One location.
    Location,
    /// One category: the items that lie in it, not those below it.
    Category,
}

/// A day of the week.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weekday {
    /// As ISO 8601 has it.
    #[default]
    Monday,
    /// The second day after ISO 8601.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// On which weeks begin in Iran.
    Saturday,
    /// On which weeks begin in North America.
    Sunday,
}

impl From<Weekday> for chrono::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// Of what. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct StockTimeSeriesWhere {
    /// Of these items. An empty list matches nothing.
    item_ids: Option<Vec<ID>>,
    /// Of items in this category or below it.
    category_id: Option<ID>,
    /// At these locations. An empty list matches nothing.
    location_ids: Option<Vec<ID>>,
    /// At this location or anywhere below it.
    within: Option<ID>,
}

impl StockTimeSeriesWhere {
    pub(super) fn parse(self) -> Result<SeriesFilter, Refusal> {
        let Self {
            item_ids,
            category_id,
            location_ids,
            within,
        } = self;
        let items = item_ids.map(|ids| ItemId::parse_all("where.itemIds", &ids));
        let category = category_id.map(|id| CategoryId::parse("where.categoryId", &id));
        let locations = location_ids.map(|ids| LocationId::parse_all("where.locationIds", &ids));
        let within = within.map(|id| LocationId::parse("where.within", &id));
        Ok(SeriesFilter {
            item_ids: items.transpose()?,
            category_id: category.transpose()?,
            location_ids: locations.transpose()?,
            within: within.transpose()?,
        })
    }
}
