//! Lots: pieces of an item that belong together, with an expiry date or a fineness of their own. A serial is a lot of one piece.
//!
//! Lots come to be when their goods come in; see [`crate::stock`].

mod query;
mod rules;
mod write;

use chrono::NaiveDate;
use entity::id::{ItemId, LotId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;

pub use entity::lot::{Kind, Model as Lot, State};
pub use query::LotLevel;
pub(crate) use rules::{Draft, parse, parse_number};
pub(crate) use write::{Wanted, ensure_in_tx};

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    filter::TextFilter,
    idempotency::{Claimed, claim_in_tx},
    page::{Page, PageArgs},
    patch::Patch,
    permission::Permission,
    unit_of_measure::{self, UnitTable},
    version,
    viewer::Viewer,
};

/// What somebody knows of a lot.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LotDetails {
    /// Last day on which it is good.
    pub expires_on: Option<NaiveDate>,
    /// As people write it: `750`, `18K`.
    pub fineness: Option<String>,
    /// Of one piece, stones included, as people write it.
    pub gross_weight: Option<String>,
    /// Of one piece, without stones, as people write it.
    pub net_weight: Option<String>,
    /// Hallmark id: six letters and digits. Of serials only.
    pub huid: Option<String>,
    /// Number of its certificate.
    pub certificate_number: Option<String>,
}

/// What is to be different about a lot. What is not given stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LotChange {
    /// Last day on which it is good.
    pub expires_on: Patch<NaiveDate>,
    /// Number of its certificate.
    pub certificate_number: Patch<String>,
    /// Hallmark id.
    pub huid: Patch<String>,
    /// Whether it may be sold.
    pub state: Option<State>,
}

/// Which lots. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct LotFilter {
    /// Of one of these items.
    pub item_ids: Option<Vec<ItemId>>,
    /// By its number.
    pub number: Option<TextFilter>,
    /// With this hallmark id.
    pub huid: Option<String>,
    /// Good until this day at most.
    pub expires_until: Option<NaiveDate>,
    /// Good on this day still; those that never expire are.
    pub expires_from: Option<NaiveDate>,
    /// That may be sold, or not.
    pub state: Option<State>,
    /// Of which something is there, or nothing.
    pub in_stock: Option<bool>,
}

/// In which order lots are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LotOrder {
    /// As they came to be known.
    #[default]
    Creation,
    /// What expires first is first; what never does, last.
    Expiry,
}

/// Lots: their use case and queries.
#[derive(Clone, Copy, Debug)]
pub struct Lots<'a> {
    pub(crate) domain: &'a Domain,
}

impl Lots<'_> {
    /// Changes what is known of a lot, or puts it into quarantine or back. What it weighs and how fine it is follows from its movements
    /// and does not change.
    ///
    /// # Errors
    /// When a value is refused, there is no such lot, or somebody changed it since `expected_version`.
    pub async fn update(
        &self,
        viewer: &Viewer,
        id: LotId,
        change: LotChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Lot> {
        viewer.require(Permission::StockWrite)?;
        let parsed = rules::parse_change(&change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, &change, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "lot.update", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        rules::check_change(&before, &parsed)?;
        let lot = write::update_in_tx(&tx, now, before.clone(), parsed).await?;
        write::record_in_tx(&tx, viewer, now, &before, &lot).await?;
        claim.keep_in_tx(&tx, &lot).await?;
        self.domain.commit(tx).await?;
        Ok(lot)
    }

    /// The lot with this id.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn find(&self, viewer: &Viewer, id: LotId) -> Result<Option<Lot>> {
        Ok(self.by_ids(viewer, &[id]).await?.pop())
    }

    /// The lots with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[LotId]) -> Result<Vec<Lot>> {
        viewer.require(Permission::StockRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// A page of the lots that are wanted.
    ///
    /// # Errors
    /// When the viewer may not see stock, the filter is too large, or the page's arguments are wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &LotFilter,
        order: LotOrder,
        args: &PageArgs,
    ) -> Result<Page<Lot>> {
        viewer.require(Permission::StockRead)?;
        rules::check_filter(filter)?;
        query::page(&self.domain.reads, filter, order, args).await
    }

    /// Where something of these lots is, and how much: a lot may be in many places.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn levels_of(&self, viewer: &Viewer, ids: &[LotId]) -> Result<Vec<LotLevel>> {
        viewer.require(Permission::StockRead)?;
        query::levels_of(&self.domain.reads, ids, self.domain.now()).await
    }
}

/// The lot, if there is one, and of the version that is expected.
fn expected(found: Option<Lot>, expected_version: Option<i64>) -> Result<Lot, Refusal> {
    let lot = found.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(lot.version, expected_version)?;
    Ok(lot)
}

/// The lots with these ids, in any order.
pub(crate) async fn by_ids_in_tx(tx: &DatabaseTransaction, ids: &[LotId]) -> Result<Vec<Lot>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    query::by_ids(tx, ids).await
}

/// All units, when a weight is written in one; none otherwise.
pub(crate) async fn units_for(db: &impl ConnectionTrait, names_units: bool) -> Result<UnitTable> {
    if names_units {
        unit_of_measure::table(db).await
    } else {
        Ok(UnitTable::default())
    }
}

/// Whether a weight is written in a unit.
pub(crate) fn names_unit(weight: &str) -> bool {
    weight.contains(char::is_alphabetic)
}

impl LotDetails {
    /// Whether a weight is written in a unit.
    pub(crate) fn names_units(&self) -> bool {
        let weights = [&self.gross_weight, &self.net_weight];
        weights.into_iter().flatten().any(|text| names_unit(text))
    }
}
