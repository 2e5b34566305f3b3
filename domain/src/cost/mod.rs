//! What stock has cost: by weighted average, first in first out, or piece by piece.
//!
//! The database values each movement into the shop and out of it in the statement that writes it. What is back-dated is valued as things
//! stand, and a worker computes the item anew from then on; until it has, what comes of it is provisional, and says so
//! ([ADR 18](../docs/adr/0018-costs-follow-movements.md)).

mod landed;
mod made;
mod model;
#[cfg(test)]
mod model_tests;
pub(crate) mod proof;
mod query;
mod recost;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::id::{CategoryId, ItemId, StockEntryId};
use rust_decimal::Decimal;
use sea_orm::FromQueryResult;

pub use model::Key;
pub use proof::{CostDifference, Part, Worth, differences};
pub(crate) use recost::recost_in_tx;

use crate::{
    Domain,
    error::{Refusal, Result},
    exact::Exact,
    money::Money,
    page::{Page, PageArgs},
    permission::Permission,
    stock::check_conditions,
    viewer::Viewer,
};

/// Digits behind the point of what one of something cost.
const UNIT_COST_PLACES: u32 = 6;

/// What there is of an item in the whole shop, and what it has cost.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StockValue {
    /// Which item.
    pub item_id: ItemId,
    /// How much there is, in the item's unit; in grams, when it is by weight.
    pub amount: Decimal,
    /// What it has cost.
    pub value: Decimal,
    /// Whether what it cost follows from its weight.
    pub is_by_weight: bool,
    /// From when on it is to be computed anew.
    pub recost_from: Option<DateTime<Utc>>,
    /// The shop's currency.
    pub currency: String,
}

impl StockValue {
    /// What one of the amount has cost, to the sixth digit; none when there is nothing.
    #[must_use]
    pub fn unit_cost(&self) -> Option<Decimal> {
        let cost = Exact::from(self.value).checked_div(&Exact::from(self.amount))?;
        cost.round_half_up(UNIT_COST_PLACES)
    }

    /// Whether it may be another when a worker has computed it anew: as of a moment, or now.
    #[must_use]
    pub fn is_provisional(&self, as_of: Option<DateTime<Utc>>) -> bool {
        match (self.recost_from, as_of) {
            (Some(from), Some(as_of)) => from <= as_of,
            (from, None) => from.is_some(),
            (None, Some(_)) => false,
        }
    }
}

/// What several items have cost together.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StockValueTotal {
    /// What they have cost.
    pub value: Decimal,
    /// Whether it may be another when a worker has computed some of them anew.
    pub is_provisional: bool,
    /// The shop's currency.
    pub currency: String,
}

/// Which items. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct ValueFilter {
    /// These.
    pub item_ids: Option<Vec<ItemId>>,
    /// In this category or below it.
    pub category_id: Option<CategoryId>,
}

/// What stock has cost: its use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Costs<'a> {
    pub(crate) domain: &'a Domain,
}

impl Costs<'_> {
    /// What these items have cost that there are, in any order; one that never came in is not among them.
    ///
    /// # Errors
    /// When the viewer may not see costs.
    pub async fn values_of(&self, viewer: &Viewer, items: &[ItemId]) -> Result<Vec<StockValue>> {
        viewer.require(Permission::CostRead)?;
        query::values_of(&self.domain.reads, items).await
    }

    /// A page of what items have cost that there are, or were then.
    ///
    /// # Errors
    /// When the viewer may not see costs, the filter is too large, or the page's arguments are wrong.
    pub async fn values(
        &self,
        viewer: &Viewer,
        filter: &ValueFilter,
        as_of: Option<DateTime<Utc>>,
        args: &PageArgs,
    ) -> Result<Page<StockValue>> {
        viewer.require(Permission::CostRead)?;
        check_filter(filter)?;
        query::page(&self.domain.reads, filter, as_of, args).await
    }

    /// What all of it has cost together that there is, or was then.
    ///
    /// # Errors
    /// When the viewer may not see costs, or the filter is too large.
    pub async fn total(
        &self,
        viewer: &Viewer,
        filter: &ValueFilter,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<StockValueTotal> {
        viewer.require(Permission::CostRead)?;
        check_filter(filter)?;
        query::total(&self.domain.reads, filter, as_of).await
    }

    /// By how much each of these movements changed what the shop has; one inside the shop did not, and is not among them.
    ///
    /// # Errors
    /// When the viewer may not see costs.
    pub async fn movement_values(
        &self,
        viewer: &Viewer,
        movements: &[Key],
    ) -> Result<HashMap<Key, Money>> {
        viewer.require(Permission::CostRead)?;
        query::movement_values(&self.domain.reads, movements).await
    }

    /// Those of these entries whose values may be others when a worker has computed them anew.
    ///
    /// # Errors
    /// When the viewer may not see costs.
    pub async fn provisional(
        &self,
        viewer: &Viewer,
        entries: &[StockEntryId],
    ) -> Result<Vec<StockEntryId>> {
        viewer.require(Permission::CostRead)?;
        query::provisional(&self.domain.reads, entries).await
    }

    /// Items that are to be computed anew, at most so many, and those first that are from the earliest moment on. For workers.
    ///
    /// # Errors
    /// When the viewer is no worker, or the database does not answer.
    pub async fn due(&self, viewer: &Viewer, most: u32) -> Result<Vec<ItemId>> {
        viewer.require_system()?;
        recost::due(self.domain, most).await
    }

    /// Computes anew what an item has cost, from the moment on from which that is due, and tells how many lines were put right; none when
    /// nothing is due, or somebody else is at it. For workers.
    ///
    /// # Errors
    /// When the viewer is no worker, or the database does not answer.
    pub async fn recost(&self, viewer: &Viewer, item: ItemId) -> Result<Option<usize>> {
        viewer.require_system()?;
        recost::recost(self.domain, viewer, item).await
    }
}

fn check_filter(filter: &ValueFilter) -> Result<(), Refusal> {
    check_conditions(filter.item_ids.as_ref().map_or(0, Vec::len))
}
