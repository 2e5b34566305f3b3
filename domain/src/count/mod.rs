//! Counts: what lies at some places is scanned by one or several people, compared with what should lie there, counted again where it
//! differs by too much, and put right by an entry of stock when somebody has approved it.
//!
//! Scans are only added to. What they come to, and what it is compared with, the database writes by itself (migration 0024): selling goes on
//! meanwhile, and each tally is about the moment of its line's last scan.

mod fault;
mod query;
mod rules;
mod write;

use entity::{
    id::{CategoryId, ItemId, LocationId, LotId, StockCountId},
    stock_entry::{Kind, Reason},
};
use rust_decimal::Decimal;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

pub use entity::{
    stock_count::{Model as StockCount, State},
    stock_count_line::Model as StockCountLine,
};
pub use query::CountProgress;

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    idempotency::{Claim, Claimed, claim_in_tx},
    location::Location,
    page::{Page, PageArgs},
    permission::Permission,
    stock, tree, version,
    viewer::Viewer,
};

/// Most scans that are sent at once.
pub const SCANS_MAX: usize = 1_000;
/// Most places that one count is about.
pub const LOCATIONS_MAX: usize = 10_000;
/// Most lines of one count: as many as one entry may have.
pub const LINES_MAX: usize = 50_000;
/// Most rounds of one count.
pub const ROUNDS_MAX: i32 = 9;

/// A count to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewCount {
    /// What lies at this location and below it is counted.
    pub location_id: LocationId,
    /// Only items of this category, and of those below it.
    pub category_id: Option<CategoryId>,
    /// Whether those who count do not see what should be there.
    pub is_blind: bool,
    /// What differs by more per cent of what should be there is better counted again: from 0 to 100.
    pub tolerance: Decimal,
    /// What somebody has to say about it.
    pub note: Option<String>,
}

/// Something that was found, or was not there after all.
#[derive(Clone, Debug, Serialize)]
pub struct Scan {
    /// Given by whoever scans: the same again is the same scan.
    pub scan_id: String,
    /// Which item.
    pub item_id: ItemId,
    /// Of which lot; of none when all pieces are alike.
    pub lot_id: Option<LotId>,
    /// Where.
    pub location_id: LocationId,
    /// How many, in the item's unit; less than nothing takes something back.
    pub quantity: Decimal,
    /// What those weigh, in grams. Of an item that is weighed.
    pub weight: Option<Decimal>,
}

/// What became of scans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanned {
    /// The count that they are of.
    pub count: StockCount,
    /// How many of them are new.
    pub accepted: usize,
}

/// Which counts. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct CountFilter {
    /// In one of these states.
    pub states: Option<Vec<State>>,
    /// Opened for this location.
    pub location_id: Option<LocationId>,
}

/// Which lines of a count. All that is given must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineFilter {
    /// Whether something other was found than should be there. While that is not shown, no line is such.
    pub differs: Option<bool>,
    /// Whether that is more than the count's tolerance. While that is not shown, no line is such.
    pub needs_recount: Option<bool>,
    /// At this location.
    pub location_id: Option<LocationId>,
    /// As it was counted in this round; as it was counted last without.
    pub round: Option<i32>,
}

/// Counts: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Counts<'a> {
    pub(crate) domain: &'a Domain,
}

impl Counts<'_> {
    /// Opens a count of what lies at a location and below it. Places that are made later, or moved there, are not part of it.
    ///
    /// # Errors
    /// When a value is refused, the location or category does not exist, or a place is being counted already.
    pub async fn open(
        &self,
        viewer: &Viewer,
        new: NewCount,
        key: Option<&str>,
    ) -> Result<StockCount> {
        viewer.require(Permission::StockWrite)?;
        let draft = rules::parse(&new)?;
        let action = "stock_count.open";
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, action, &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        tree::share_in_tx::<Location>(&tx).await?;
        query::refuse_unknown_in_tx(&tx, &new).await?;
        match write::insert_in_tx(&tx, viewer, now, &new, draft).await {
            Ok(count) => self.end(tx, viewer, claim, action, None, count).await,
            Err(error) => {
                tx.rollback().await?;
                Err(fault::of_opening(&self.domain.reads, new.location_id, error).await)
            }
        }
    }

    /// Adds scans to a count. Those that were added before change nothing.
    ///
    /// # Errors
    /// When nothing is scanned any more, or all that is wrong with the scans. Then none is added.
    pub async fn scan(
        &self,
        viewer: &Viewer,
        id: StockCountId,
        scans: Vec<Scan>,
        key: Option<&str>,
    ) -> Result<Scanned> {
        viewer.require(Permission::StockWrite)?;
        let parsed = rules::parse_scans(&scans)?;
        let action = "stock_count.scan";
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, action, &(id, &scans), now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let count = query::share_in_tx(&tx, id).await?;
        let count = count.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        rules::check_state(&count, State::Open)?;
        match write::add_scans_in_tx(&tx, viewer, now, &count, &parsed).await {
            Ok(accepted) => {
                let scanned = Scanned { count, accepted };
                if accepted > 0 {
                    write::record_scans_in_tx(&tx, viewer, now, &scanned, &scans).await?;
                }
                claim.keep_in_tx(&tx, &scanned).await?;
                self.domain.commit(tx).await?;
                Ok(scanned)
            }
            Err(error) => {
                tx.rollback().await?;
                Err(fault::of_scans(error))
            }
        }
    }

    /// Ends counting: what was found is compared with what should have been there. What nobody has scanned was not there.
    ///
    /// # Errors
    /// When it is not open, or has too many lines.
    pub async fn finish(
        &self,
        viewer: &Viewer,
        id: StockCountId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<StockCount> {
        let action = "stock_count.finish";
        let asked = (id, expected_version);
        let begun = self.begin(viewer, action, asked, &asked, key).await?;
        let (tx, claim, before) = match begun {
            Begun::Before(answer) => return Ok(*answer),
            Begun::Now(tx, claim, before) => (tx, claim, *before),
        };
        rules::check_state(&before, State::Open)?;
        let now = self.domain.now();
        let count = write::finish_in_tx(&tx, now, id).await?;
        self.end(tx, viewer, claim, action, Some(before), count)
            .await
    }

    /// Lets lines be counted again: these, or all that differ by more than the tolerance. Their tallies begin anew, all others stay.
    ///
    /// # Errors
    /// When counting has not ended, was done too often, or there are no such lines.
    pub async fn recount(
        &self,
        viewer: &Viewer,
        id: StockCountId,
        lines: Vec<i64>,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<StockCount> {
        rules::check_recounted(&lines)?;
        let action = "stock_count.recount";
        let asked = (id, expected_version);
        let begun = self
            .begin(viewer, action, asked, &(asked, &lines), key)
            .await?;
        let (tx, claim, before) = match begun {
            Begun::Before(answer) => return Ok(*answer),
            Begun::Now(tx, claim, before) => (tx, claim, *before),
        };
        rules::check_state(&before, State::Review)?;
        rules::check_rounds(&before)?;
        let now = self.domain.now();
        let count = write::recount_in_tx(&tx, now, id, &lines).await?;
        self.end(tx, viewer, claim, action, Some(before), count)
            .await
    }

    /// Approves what was counted: what differs is put right by one entry, applied to what lies there by now.
    ///
    /// # Errors
    /// When counting has not ended, or the entry is refused, such as when what is missing is held for somebody.
    pub async fn approve(
        &self,
        viewer: &Viewer,
        id: StockCountId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<StockCount> {
        let action = "stock_count.approve";
        let asked = (id, expected_version);
        let begun = self
            .begin_as(viewer, Permission::StockApprove, action, asked, &asked, key)
            .await?;
        let (tx, claim, before) = match begun {
            Begun::Before(answer) => return Ok(*answer),
            Begun::Now(tx, claim, before) => (tx, claim, *before),
        };
        rules::check_state(&before, State::Review)?;
        let legs = rules::legs(&query::differing_in_tx(&tx, id).await?);
        let now = self.domain.now();
        let entry = if legs.is_empty() {
            None
        } else {
            let document = Some(rules::document(&before));
            let head = (action, Kind::Adjust, Reason::Counted, document);
            match stock::enter_legs_in_tx(&tx, viewer, now, head, legs).await {
                Ok((entry, _)) => Some(entry.id),
                Err(failure) => {
                    tx.rollback().await?;
                    let error = stock::explain(&self.domain.reads, failure).await;
                    return Err(fault::of_posting(error));
                }
            }
        };
        let count = write::approve_in_tx(&tx, viewer, now, id, entry).await?;
        self.end(tx, viewer, claim, action, Some(before), count)
            .await
    }

    /// Gives a count up. Nothing is put right, and its places may be counted again.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn cancel(
        &self,
        viewer: &Viewer,
        id: StockCountId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<StockCount> {
        let action = "stock_count.cancel";
        let asked = (id, expected_version);
        let begun = self.begin(viewer, action, asked, &asked, key).await?;
        let (tx, claim, before) = match begun {
            Begun::Before(answer) => return Ok(*answer),
            Begun::Now(tx, claim, before) => (tx, claim, *before),
        };
        rules::check_can_cancel(&before)?;
        let count = write::cancel_in_tx(&tx, self.domain.now(), id).await?;
        self.end(tx, viewer, claim, action, Some(before), count)
            .await
    }

    /// The counts with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn by_ids(&self, viewer: &Viewer, ids: &[StockCountId]) -> Result<Vec<StockCount>> {
        viewer.require(Permission::StockRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// How far these counts have got, in any order.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn progress_of(
        &self,
        viewer: &Viewer,
        ids: &[StockCountId],
    ) -> Result<Vec<CountProgress>> {
        viewer.require(Permission::StockRead)?;
        query::progress_of(&self.domain.reads, ids).await
    }

    /// A page of counts, newest first.
    ///
    /// # Errors
    /// When the viewer may not see stock, the filter is too large, or the page's arguments are wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &CountFilter,
        args: &PageArgs,
    ) -> Result<Page<StockCount>> {
        viewer.require(Permission::StockRead)?;
        stock::check_conditions(filter.states.as_ref().map_or(0, Vec::len))?;
        query::page(&self.domain.reads, filter, args).await
    }

    /// A page of a count's lines. What should be there is not shown as long as people count blindly; to others it is what should have been
    /// there at the last scan.
    ///
    /// # Errors
    /// When the viewer may not see stock, or the page's arguments are wrong.
    pub async fn lines(
        &self,
        viewer: &Viewer,
        id: StockCountId,
        filter: &LineFilter,
        args: &PageArgs,
    ) -> Result<Page<StockCountLine>> {
        viewer.require(Permission::StockRead)?;
        query::lines(&self.domain.reads, id, filter, args).await
    }

    async fn begin(
        &self,
        viewer: &Viewer,
        action: &'static str,
        (id, expected_version): (StockCountId, Option<i64>),
        asked: &(impl Serialize + Sync),
        key: Option<&str>,
    ) -> Result<Begun> {
        let permission = Permission::StockWrite;
        self.begin_as(
            viewer,
            permission,
            action,
            (id, expected_version),
            asked,
            key,
        )
        .await
    }

    /// Begins a step of a count, which is locked: before any level is.
    async fn begin_as(
        &self,
        viewer: &Viewer,
        permission: Permission,
        action: &'static str,
        (id, expected_version): (StockCountId, Option<i64>),
        asked: &(impl Serialize + Sync),
        key: Option<&str>,
    ) -> Result<Begun> {
        viewer.require(permission)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, action, asked, now).await? {
            Claimed::Before(answer) => return Ok(Begun::Before(Box::new(answer))),
            Claimed::Now(claim) => claim,
        };
        let count = query::lock_in_tx(&tx, id).await?;
        let count = count.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        version::check(count.version, expected_version)?;
        Ok(Begun::Now(tx, claim, Box::new(count)))
    }

    async fn end(
        &self,
        tx: DatabaseTransaction,
        viewer: &Viewer,
        claim: Claim,
        action: &'static str,
        before: Option<StockCount>,
        after: StockCount,
    ) -> Result<StockCount> {
        let now = self.domain.now();
        write::record_in_tx(&tx, viewer, now, action, before.as_ref(), &after).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }
}

/// A step that is still to be made, or was made before.
enum Begun {
    Now(DatabaseTransaction, Claim, Box<StockCount>),
    Before(Box<StockCount>),
}
