//! Transfers: goods that one place asks for and another gives. They are asked for, picked (held where they lie), sent (on their way, in
//! transit), and received: in part, several times, or with some missing.
//!
//! What moves is moved by entries of stock, in the transaction that brings the transfer on.

mod query;
mod rules;
mod write;

use entity::{
    id::{ItemId, LocationId, LotId, StockTransferId},
    stock_entry::{Kind, Reason},
};
use rust_decimal::Decimal;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

pub use entity::{
    stock_transfer::{Model as StockTransfer, State},
    stock_transfer_line::Model as StockTransferLine,
};

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    idempotency::{Claim, Claimed, claim_in_tx},
    page::{Page, PageArgs},
    permission::Permission,
    reservation,
    stock::{self, Failure, Leg},
    version,
    viewer::Viewer,
};

/// A transfer with its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeTransfer {
    /// The transfer.
    pub transfer: StockTransfer,
    /// Its lines, in their order.
    pub lines: Vec<StockTransferLine>,
}

/// Something that is wanted.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WantedLine {
    /// Which item.
    pub item_id: ItemId,
    /// Of which lot; it can be left to whoever picks.
    pub lot_id: Option<LotId>,
    /// How many, in the item's unit.
    pub quantity: Decimal,
}

/// A transfer to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewTransfer {
    /// From where.
    pub from_id: LocationId,
    /// To where.
    pub to_id: LocationId,
    /// What.
    pub lines: Vec<WantedLine>,
    /// The paper behind it.
    pub document: Option<String>,
    /// What somebody has to say about it.
    pub note: Option<String>,
}

/// What is done with one line. A line that nothing is said of is done whole.
#[derive(Clone, Debug, Serialize)]
pub struct LineStep {
    /// Which line, from 1.
    pub line: i32,
    /// Of which lot, when it is picked.
    pub lot_id: Option<LotId>,
    /// How many, in the item's unit.
    pub quantity: Option<Decimal>,
    /// What they weigh, in grams. Of an item that is weighed.
    pub weight: Option<Decimal>,
}

/// Which transfers. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct TransferFilter {
    /// In one of these states.
    pub states: Option<Vec<State>>,
    /// From there.
    pub from_id: Option<LocationId>,
    /// To there.
    pub to_id: Option<LocationId>,
}

/// Transfers: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Transfers<'a> {
    pub(crate) domain: &'a Domain,
}

impl Transfers<'_> {
    /// Asks for goods of another place. Nothing is held or moved yet.
    ///
    /// # Errors
    /// When a value is refused, or an item, a lot or a place does not exist or cannot be meant.
    pub async fn create(
        &self,
        viewer: &Viewer,
        new: NewTransfer,
        key: Option<&str>,
    ) -> Result<WholeTransfer> {
        viewer.require(Permission::StockWrite)?;
        let draft = rules::parse(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "stock_transfer.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        query::refuse_unknown_in_tx(&tx, &new).await?;
        let whole = write::insert_in_tx(&tx, now, &new, draft).await?;
        self.end(tx, viewer, claim, "stock_transfer.create", None, whole)
            .await
    }

    /// Lays goods ready: they are held where they lie. Lines of which nothing is said are picked whole; one that is picked in part goes in
    /// part.
    ///
    /// # Errors
    /// When it was picked before, a line does not exist, or there is not enough.
    pub async fn pick(
        &self,
        viewer: &Viewer,
        id: StockTransferId,
        steps: Vec<LineStep>,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<WholeTransfer> {
        let asked = (id, &steps, expected_version);
        let action = "stock_transfer.pick";
        let (tx, claim, before) = match self
            .begin(viewer, action, id, &asked, expected_version, key)
            .await?
        {
            Begun::Before(answer) => return Ok(*answer),
            Begun::Now(tx, claim, before) => (tx, claim, *before),
        };
        rules::check_state(&before.transfer, State::Requested)?;
        let picked = rules::picked(&before.lines, &steps)?;
        let held = rules::to_hold(&before.transfer, &picked);
        let now = self.domain.now();
        let held = reservation::hold_in_tx(&tx, viewer, now, &held).await;
        let held = match held {
            Ok(held) => held,
            Err(failure) => return self.refuse(tx, failure).await,
        };
        let lines = rules::held_by(picked, &held);
        let whole = write::bring_on_in_tx(&tx, now, &before, State::Picked, lines).await?;
        self.end(tx, viewer, claim, action, Some(before), whole)
            .await
    }

    /// Sends what was picked: it is on its way from now on.
    ///
    /// # Errors
    /// When nothing lies ready, or a weight is missing.
    pub async fn send(
        &self,
        viewer: &Viewer,
        id: StockTransferId,
        steps: Vec<LineStep>,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<WholeTransfer> {
        let asked = (id, &steps, expected_version);
        let action = "stock_transfer.send";
        let (tx, claim, before) = match self
            .begin(viewer, action, id, &asked, expected_version, key)
            .await?
        {
            Begun::Before(answer) => return Ok(*answer),
            Begun::Now(tx, claim, before) => (tx, claim, *before),
        };
        rules::check_state(&before.transfer, State::Picked)?;
        let legs = rules::to_send(&before, &steps)?;
        let now = self.domain.now();
        let head = (
            action,
            Kind::Move,
            Reason::Moved,
            before.transfer.document.clone(),
        );
        let weights = match stock::post_legs_in_tx(&tx, viewer, now, head, legs).await {
            Ok(weights) => weights,
            Err(failure) => return self.refuse(tx, failure).await,
        };
        let lines = rules::sent(before.lines.clone(), &weights);
        let whole = write::bring_on_in_tx(&tx, now, &before, State::InTransit, lines).await?;
        self.end(tx, viewer, claim, action, Some(before), whole)
            .await
    }

    /// Takes in what has arrived. What is still to come can be received later; with `is_last`, what has not arrived by now is missing, and
    /// written off as lost.
    ///
    /// # Errors
    /// When it is not on its way, more arrives than was sent, or a weight is missing.
    pub async fn receive(
        &self,
        viewer: &Viewer,
        id: StockTransferId,
        steps: Vec<LineStep>,
        is_last: bool,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<WholeTransfer> {
        let asked = (id, &steps, is_last, expected_version);
        let action = "stock_transfer.receive";
        let (tx, claim, before) = match self
            .begin(viewer, action, id, &asked, expected_version, key)
            .await?
        {
            Begun::Before(answer) => return Ok(*answer),
            Begun::Now(tx, claim, before) => (tx, claim, *before),
        };
        rules::check_state(&before.transfer, State::InTransit)?;
        let (lines, arrived, missing) = rules::to_receive(&before, &steps, is_last)?;
        let now = self.domain.now();
        let document = &before.transfer.document;
        for (kind, reason, legs) in [
            (Kind::Move, Reason::Moved, arrived),
            (Kind::Issue, Reason::Lost, missing),
        ] {
            if legs.is_empty() {
                continue;
            }
            let head = (action, kind, reason, document.clone());
            if let Err(failure) = stock::post_legs_in_tx(&tx, viewer, now, head, legs).await {
                return self.refuse(tx, failure).await;
            }
        }
        let state = rules::state_after(&lines);
        let whole = write::bring_on_in_tx(&tx, now, &before, state, lines).await?;
        self.end(tx, viewer, claim, action, Some(before), whole)
            .await
    }

    /// Calls a transfer off that is not on its way yet, and lets go of what is held for it.
    ///
    /// # Errors
    /// When it is on its way, or has ended.
    pub async fn cancel(
        &self,
        viewer: &Viewer,
        id: StockTransferId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<WholeTransfer> {
        let asked = (id, expected_version);
        let action = "stock_transfer.cancel";
        let (tx, claim, before) = match self
            .begin(viewer, action, id, &asked, expected_version, key)
            .await?
        {
            Begun::Before(answer) => return Ok(*answer),
            Begun::Now(tx, claim, before) => (tx, claim, *before),
        };
        rules::check_can_cancel(&before.transfer)?;
        let now = self.domain.now();
        let held: Vec<_> = before
            .lines
            .iter()
            .filter_map(|line| line.reservation_id)
            .collect();
        reservation::let_go_in_tx(&tx, viewer, now, &held).await?;
        let lines = before.lines.clone();
        let whole = write::bring_on_in_tx(&tx, now, &before, State::Cancelled, lines).await?;
        self.end(tx, viewer, claim, action, Some(before), whole)
            .await
    }

    /// The transfers with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn by_ids(
        &self,
        viewer: &Viewer,
        ids: &[StockTransferId],
    ) -> Result<Vec<StockTransfer>> {
        viewer.require(Permission::StockRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// The lines of these transfers, in their order.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn lines_of(
        &self,
        viewer: &Viewer,
        ids: &[StockTransferId],
    ) -> Result<Vec<StockTransferLine>> {
        viewer.require(Permission::StockRead)?;
        query::lines_of(&self.domain.reads, ids).await
    }

    /// A page of transfers, newest first.
    ///
    /// # Errors
    /// When the viewer may not see stock, the filter is too large, or the page's arguments are wrong.
    pub async fn page(
        &self,
        viewer: &Viewer,
        filter: &TransferFilter,
        args: &PageArgs,
    ) -> Result<Page<StockTransfer>> {
        viewer.require(Permission::StockRead)?;
        stock::check_conditions(filter.states.as_ref().map_or(0, Vec::len))?;
        query::page(&self.domain.reads, filter, args).await
    }

    /// Begins a step of a transfer, which is locked: before any level is.
    async fn begin(
        &self,
        viewer: &Viewer,
        action: &'static str,
        id: StockTransferId,
        asked: &(impl Serialize + Sync),
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Begun> {
        viewer.require(Permission::StockWrite)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, action, asked, now).await? {
            Claimed::Before(answer) => return Ok(Begun::Before(Box::new(answer))),
            Claimed::Now(claim) => claim,
        };
        let transfer = query::lock_in_tx(&tx, id).await?;
        let transfer = transfer.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        version::check(transfer.version, expected_version)?;
        let lines = query::lines_of(&tx, &[id]).await?;
        let whole = Box::new(WholeTransfer { transfer, lines });
        Ok(Begun::Now(tx, claim, whole))
    }

    async fn end(
        &self,
        tx: DatabaseTransaction,
        viewer: &Viewer,
        claim: Claim,
        action: &'static str,
        before: Option<WholeTransfer>,
        after: WholeTransfer,
    ) -> Result<WholeTransfer> {
        let now = self.domain.now();
        write::record_in_tx(&tx, viewer, now, action, before.as_ref(), &after).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }

    async fn refuse<T>(&self, tx: DatabaseTransaction, failure: Failure) -> Result<T> {
        tx.rollback().await?;
        Err(stock::explain(&self.domain.reads, failure).await)
    }
}

/// A step that is still to be made, or was made before.
enum Begun {
    Now(DatabaseTransaction, Claim, Box<WholeTransfer>),
    Before(Box<WholeTransfer>),
}
