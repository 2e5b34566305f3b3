//! Landed cost: freight, duty, insurance, or a price that is known late, which make a receipt cost more than it did when it came, or less.
//!
//! It is spread over the lines of the receipt and counts from its moment on, so that it falls on what is left and on what was sold, as each
//! cost method has it. Where little happened since, that is computed in the same transaction; otherwise a worker does it, as after a late
//! entry, and until then nothing of it is in what stock is worth, nor in the books
//! ([ADR 25](../docs/adr/0025-landed-cost.md)).

mod fault;
mod query;
mod rules;
mod write;

use chrono::{DateTime, Utc};
use entity::id::{ItemId, StockEntryId, StockLandedCostId};
use rust_decimal::Decimal;
use serde::Serialize;

pub use entity::{
    stock_landed_cost::{Kind, Method, Model as LandedCost},
    stock_landed_cost_line::Model as LandedCostLine,
};
pub(crate) use query::is_borne_in_tx;

use crate::{
    Domain,
    error::Result,
    page::{Page, PageArgs},
    permission::Permission,
    stock::check_conditions,
    viewer::Viewer,
};

/// What there is to say of a landed cost, or of undoing one.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Particulars {
    /// The paper behind it, such as the carrier's invoice.
    pub document: Option<String>,
    /// What somebody has to say about it.
    pub description: Option<String>,
    /// When it arose; now without.
    pub effective_at: Option<DateTime<Utc>>,
}

/// A landed cost to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewLandedCost {
    /// Of which receipt.
    pub entry_id: StockEntryId,
    /// Over which of its lines; all of them without.
    pub lines: Option<Vec<i32>>,
    /// What it is for.
    pub kind: Kind,
    /// How it is spread.
    pub method: Method,
    /// In the shop's currency; less than nothing when the receipt becomes cheaper.
    pub amount: Decimal,
}

/// Which landed costs. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct LandedCostFilter {
    /// Of this receipt.
    pub entry_id: Option<StockEntryId>,
    /// With a line of this item.
    pub item_id: Option<ItemId>,
    /// Of one of these kinds.
    pub kinds: Option<Vec<Kind>>,
    /// That arose then or later.
    pub from: Option<DateTime<Utc>>,
    /// That arose before then.
    pub until: Option<DateTime<Utc>>,
}

/// Landed cost: its use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct LandedCosts<'a> {
    pub(crate) domain: &'a Domain,
}

impl LandedCosts<'_> {
    /// Adds to what a receipt has cost.
    ///
    /// # Errors
    /// When there is no such receipt or line, it was undone, nothing is known by which to spread the amount, a line would be worth less
    /// than nothing, or it arose before the goods came.
    pub async fn add(
        &self,
        viewer: &Viewer,
        new: NewLandedCost,
        particulars: Particulars,
        key: Option<&str>,
    ) -> Result<LandedCost> {
        viewer.require(Permission::StockWrite)?;
        viewer.require(Permission::CostRead)?;
        write::add(self.domain, viewer, new, particulars, key).await
    }

    /// Undoes a landed cost: its exact mirror, once.
    ///
    /// # Errors
    /// When there is none such, it was undone before, undoes one itself, or a line would be worth less than nothing without it.
    pub async fn reverse(
        &self,
        viewer: &Viewer,
        id: StockLandedCostId,
        particulars: Particulars,
        key: Option<&str>,
    ) -> Result<LandedCost> {
        viewer.require(Permission::StockWrite)?;
        viewer.require(Permission::CostRead)?;
        write::reverse(self.domain, viewer, id, particulars, key).await
    }

    /// The landed costs with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see costs.
    pub async fn by_ids(
        &self,
        viewer: &Viewer,
        ids: &[StockLandedCostId],
    ) -> Result<Vec<LandedCost>> {
        viewer.require(Permission::CostRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// Which of these were reversed, each as the landed cost that did.
    ///
    /// # Errors
    /// When the viewer may not see costs.
    pub async fn reversals_of(
        &self,
        viewer: &Viewer,
        ids: &[StockLandedCostId],
    ) -> Result<Vec<LandedCost>> {
        viewer.require(Permission::CostRead)?;
        query::reversals_of(&self.domain.reads, ids).await
    }

    /// Those of these that are still to be taken into account: a worker does that.
    ///
    /// # Errors
    /// When the viewer may not see costs.
    pub async fn pending(
        &self,
        viewer: &Viewer,
        ids: &[StockLandedCostId],
    ) -> Result<Vec<StockLandedCostId>> {
        viewer.require(Permission::CostRead)?;
        query::pending(&self.domain.reads, ids).await
    }

    /// A page of them, those that arose last first.
    ///
    /// # Errors
    /// When the viewer may not see costs, the filter is too large, or the page's arguments are wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &LandedCostFilter,
        args: &PageArgs,
    ) -> Result<Page<LandedCost>> {
        viewer.require(Permission::CostRead)?;
        check_conditions(filter.kinds.as_ref().map_or(0, Vec::len))?;
        query::page(&self.domain.reads, filter, args).await
    }

    /// Of each of these receipts a page of its landed costs, as they were added. Pages go forward.
    ///
    /// # Errors
    /// When the viewer may not see costs, or the page's arguments are wrong.
    pub async fn of_entries(
        &self,
        viewer: &Viewer,
        entries: &[StockEntryId],
        args: &PageArgs,
    ) -> Result<Vec<Page<LandedCost>>> {
        viewer.require(Permission::CostRead)?;
        query::of_entries(&self.domain.reads, entries, args).await
    }

    /// Of each of these a page of what the lines of its receipt bear. Pages go forward.
    ///
    /// # Errors
    /// When the viewer may not see costs, or the page's arguments are wrong.
    pub async fn lines_of(
        &self,
        viewer: &Viewer,
        ids: &[StockLandedCostId],
        args: &PageArgs,
    ) -> Result<Vec<Page<LandedCostLine>>> {
        viewer.require(Permission::CostRead)?;
        query::lines_of(&self.domain.reads, ids, args).await
    }
}
