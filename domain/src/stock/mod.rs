//! Stock: what came in, went about and left, and what lies where because of it.
//!
//! Every change is an entry of movements between two locations, made at once or not at all. What lies where follows from the movements:
//! the database changes the levels in the statement that writes them, and refuses what cannot be, whoever writes
//! ([ADR 17](../docs/adr/0017-levels-follow-movements.md)).

mod card;
mod fault;
mod leg;
mod line;
mod low;
mod past;
mod post;
mod query;
mod reconcile;
mod reversal;
mod rules;
mod stocking;
mod transform;
mod week;
mod weigh;

use chrono::{DateTime, Utc};
use entity::id::{ItemId, LocationId, LotId, StockEntryId, StockReservationId};
use rust_decimal::Decimal;
use serde::Serialize;

pub use card::{CardLine, CardOf};
pub use entity::stock_reconciliation::{
    Model as StockReconciliation, Subject as ReconciliationSubject,
};
pub use entity::{
    item_stocking::{CostMethod, Model as ItemStocking},
    stock_entry::{Kind, Model as StockEntry, Reason},
    stock_movement::Model as StockMovement,
};
pub(crate) use low::push_is_low;
pub use low::{LowStock, SlowMover};
pub use query::{StockLevel, StockTotal};
pub(crate) use reconcile::ask_in_tx;
pub use reconcile::{Amounts, Difference, Proof, differences};
pub use rules::{AdjustReason, IssueReason, ReceiveReason, TransformReason};
pub use stocking::StockingChange;
pub(crate) use {
    fault::{Failure, explain, places},
    leg::{Leg, enter_legs_in_tx, post_legs_in_tx},
    line::{LEAST, MOST},
    post::{lock_levels_in_tx, tell_in_tx},
    query::{own_in_tx, stocked_in_tx, things_in_tx},
    reconcile::Found,
    rules::{check_conditions, check_lines, parse_document, parse_note, past},
    week::told_in_tx,
};

use crate::{
    Domain,
    error::Result,
    lot::{self, LotDetails},
    page::{Page, PageArgs},
    permission::Permission,
    viewer::Viewer,
};

/// Most lines of one entry, as somebody sends them.
pub const LINES_MAX: usize = 1_000;
/// Most movements of one entry: a line may stand for a whole range of serials.
pub const MOVEMENTS_MAX: usize = 50_000;

/// What there is to say of an entry, whatever it does.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Particulars {
    /// The paper behind it, such as a delivery note.
    pub document: Option<String>,
    /// What somebody has to say about it.
    pub note: Option<String>,
    /// When it happened; now without.
    pub effective_at: Option<DateTime<Utc>>,
}

/// Of which lots goods are that come in.
#[derive(Clone, Debug, Serialize)]
pub enum LotChoice {
    /// Of none: all pieces are alike.
    Untracked,
    /// Of one that is known.
    Known(LotId),
    /// Of one with this number, which may be known already.
    Numbered(String, Box<LotDetails>),
    /// Single pieces with these numbers.
    Serials(Vec<String>),
    /// Single pieces with numbers in a row: `S-0098`, `S-0099`, `S-0100`.
    Range {
        /// The first number. Its last digits are counted up, and keep their width.
        first: String,
        /// How many.
        count: u32,
    },
}

/// Goods that come in.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiveLine {
    /// Which item.
    pub item_id: ItemId,
    /// Where they are put.
    pub to_id: LocationId,
    /// How many, in the item's unit; of serials as many as there are numbers.
    pub quantity: Option<Decimal>,
    /// What all of them weigh together, as people write it; what the lot says without.
    pub weight: Option<String>,
    /// What one unit has cost.
    pub unit_cost: Option<Decimal>,
    /// Of which lots.
    pub lot: LotChoice,
}

/// Goods that go from one place in the shop to another.
#[derive(Clone, Debug, Serialize)]
pub struct MoveLine {
    /// Which item.
    pub item_id: ItemId,
    /// Of which lot.
    pub lot_id: Option<LotId>,
    /// From where.
    pub from_id: LocationId,
    /// To where.
    pub to_id: LocationId,
    /// How many, in the item's unit; one of a serial.
    pub quantity: Option<Decimal>,
    /// What all of them weigh together, as people write it.
    pub weight: Option<String>,
}

/// Goods that leave.
#[derive(Clone, Debug, Serialize)]
pub struct IssueLine {
    /// Which item.
    pub item_id: ItemId,
    /// Of which lot.
    pub lot_id: Option<LotId>,
    /// From where.
    pub from_id: LocationId,
    /// How many, in the item's unit; one of a serial.
    pub quantity: Option<Decimal>,
    /// What all of them weigh together, as people write it.
    pub weight: Option<String>,
    /// The reservation that held them.
    pub reservation_id: Option<StockReservationId>,
}

/// Goods of which there are more or fewer than was known.
#[derive(Clone, Debug, Serialize)]
pub struct AdjustLine {
    /// Which item.
    pub item_id: ItemId,
    /// Of which lots.
    pub lot: LotChoice,
    /// Where.
    pub location_id: LocationId,
    /// How many more, or fewer when negative, in the item's unit.
    pub quantity: Option<Decimal>,
    /// How many grams more, or fewer when negative.
    pub weight: Option<Decimal>,
    /// What one unit of those that are more has cost.
    pub unit_cost: Option<Decimal>,
}

/// Goods that are used up in making others.
pub type InputLine = IssueLine;

/// Goods that are made of others.
#[derive(Clone, Debug, Serialize)]
pub struct OutputLine {
    /// What comes of it, and where it is put.
    pub received: ReceiveLine,
    /// How fine an assay found it, as people write it. Without, it has its share of the pure metal that went in.
    pub fineness: Option<String>,
}

/// Goods made of others.
#[derive(Clone, Debug, Serialize)]
pub struct Transformation {
    /// What is used up.
    pub inputs: Vec<InputLine>,
    /// What comes of it.
    pub outputs: Vec<OutputLine>,
    /// How many grams of pure metal may be lost; none without.
    pub max_loss: Option<Decimal>,
}

/// Which levels. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct LevelFilter {
    /// Of these items.
    pub item_ids: Option<Vec<ItemId>>,
    /// At these locations.
    pub location_ids: Option<Vec<LocationId>>,
    /// Anywhere at or below this location.
    pub within: Option<LocationId>,
    /// With something on hand, or with nothing.
    pub in_stock: Option<bool>,
    /// With something that is not held for anybody, or with nothing.
    pub available: Option<bool>,
}

/// Which entries. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Of one of these kinds.
    pub kinds: Option<Vec<Kind>>,
    /// For one of these reasons.
    pub reasons: Option<Vec<Reason>>,
    /// With this paper behind it.
    pub document: Option<String>,
    /// That happened then or later.
    pub from: Option<DateTime<Utc>>,
    /// That happened before then.
    pub until: Option<DateTime<Utc>>,
}

/// Which movements. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct MovementFilter {
    /// Of this entry.
    pub entry_id: Option<StockEntryId>,
    /// Of this item.
    pub item_id: Option<ItemId>,
    /// Of this lot.
    pub lot_id: Option<LotId>,
    /// Into this location or out of it.
    pub location_id: Option<LocationId>,
    /// That happened then or later.
    pub from: Option<DateTime<Utc>>,
    /// That happened before then.
    pub until: Option<DateTime<Utc>>,
}

/// Stock: its use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Stock<'a> {
    pub(crate) domain: &'a Domain,
}

impl Stock<'_> {
    /// Takes goods in from outside: from suppliers, back from customers, or out of the workshop.
    ///
    /// # Errors
    /// All that is wrong with the lines. Then nothing comes in.
    pub async fn receive(
        &self,
        viewer: &Viewer,
        reason: ReceiveReason,
        from: Option<LocationId>,
        lines: Vec<ReceiveLine>,
        particulars: Particulars,
        key: Option<&str>,
    ) -> Result<StockEntry> {
        viewer.require(Permission::StockWrite)?;
        let asked = (reason, from, &lines, &particulars);
        let mut named = lines.iter();
        let named = named.any(|line| line::names_units(line.weight.as_deref(), Some(&line.lot)));
        let units = lot::units_for(&self.domain.reads, named).await?;
        let from = from.unwrap_or(reason.location());
        let parsed = line::parse_received(&lines, from, (&units, viewer.locale))?;
        let plan = rules::plan(Kind::Receive, reason.reason(), &particulars, parsed)?;
        self.post(viewer, "stock.receive", &asked, key, plan).await
    }

    /// Moves goods from one place in the shop to another.
    ///
    /// # Errors
    /// All that is wrong with the lines. Then nothing is moved.
    pub async fn move_about(
        &self,
        viewer: &Viewer,
        lines: Vec<MoveLine>,
        particulars: Particulars,
        key: Option<&str>,
    ) -> Result<StockEntry> {
        viewer.require(Permission::StockWrite)?;
        let asked = (&lines, &particulars);
        let mut named = lines.iter();
        let named = named.any(|line| line::names_units(line.weight.as_deref(), None));
        let units = lot::units_for(&self.domain.reads, named).await?;
        let parsed = line::parse_moved(&lines, (&units, viewer.locale))?;
        let plan = rules::plan(Kind::Move, Reason::Moved, &particulars, parsed)?;
        self.post(viewer, "stock.move", &asked, key, plan).await
    }

    /// Lets goods leave: to customers, back to suppliers, into the workshop, or for ever.
    ///
    /// # Errors
    /// All that is wrong with the lines. Then nothing leaves.
    pub async fn issue(
        &self,
        viewer: &Viewer,
        reason: IssueReason,
        to: Option<LocationId>,
        lines: Vec<IssueLine>,
        particulars: Particulars,
        key: Option<&str>,
    ) -> Result<StockEntry> {
        viewer.require(Permission::StockWrite)?;
        let asked = (reason, to, &lines, &particulars);
        let mut named = lines.iter();
        let named = named.any(|line| line::names_units(line.weight.as_deref(), None));
        let units = lot::units_for(&self.domain.reads, named).await?;
        let to = to.unwrap_or(reason.location());
        let parsed = line::parse_issued("lines", &lines, to, (&units, viewer.locale))?;
        let plan = rules::plan(Kind::Issue, reason.reason(), &particulars, parsed)?;
        self.post(viewer, "stock.issue", &asked, key, plan).await
    }

    /// Writes down that there is more or less somewhere than was known.
    ///
    /// # Errors
    /// All that is wrong with the lines. Then nothing is changed.
    pub async fn adjust(
        &self,
        viewer: &Viewer,
        reason: AdjustReason,
        lines: Vec<AdjustLine>,
        particulars: Particulars,
        key: Option<&str>,
    ) -> Result<StockEntry> {
        viewer.require(Permission::StockWrite)?;
        let asked = (reason, &lines, &particulars);
        let mut named = lines.iter();
        let named = named.any(|line| line::names_units(None, Some(&line.lot)));
        let units = lot::units_for(&self.domain.reads, named).await?;
        let parsed = line::parse_adjusted(&lines, reason.location(), (&units, viewer.locale))?;
        let plan = rules::plan(Kind::Adjust, reason.reason(), &particulars, parsed)?;
        self.post(viewer, "stock.adjust", &asked, key, plan).await
    }

    /// Makes things into others: melts, splits, merges, assembles or takes apart. No pure metal comes from nowhere, and none is lost but
    /// what is allowed to be.
    ///
    /// # Errors
    /// All that is wrong with the lines. Then nothing is changed.
    pub async fn transform(
        &self,
        viewer: &Viewer,
        reason: TransformReason,
        what: Transformation,
        particulars: Particulars,
        key: Option<&str>,
    ) -> Result<StockEntry> {
        viewer.require(Permission::StockWrite)?;
        let asked = (reason, &what, &particulars);
        let units = lot::units_for(&self.domain.reads, transform::names_units(&what)).await?;
        let parsed = transform::parse(&what, reason.location(), (&units, viewer.locale))?;
        let mut plan = rules::plan(Kind::Transform, reason.reason(), &particulars, parsed)?;
        plan.max_loss = transform::parse_loss(what.max_loss)?;
        self.post(viewer, "stock.transform", &asked, key, plan)
            .await
    }

    /// How these items are kept in stock, in any order; one that is kept the usual way is not among them.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn stocking_of(
        &self,
        viewer: &Viewer,
        items: &[ItemId],
    ) -> Result<Vec<ItemStocking>> {
        viewer.require(Permission::StockRead)?;
        stocking::of(&self.domain.reads, items).await
    }

    /// The entry with this id.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn find_entry(
        &self,
        viewer: &Viewer,
        id: StockEntryId,
    ) -> Result<Option<StockEntry>> {
        Ok(self.entries_by_ids(viewer, &[id]).await?.pop())
    }

    /// The entries with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn entries_by_ids(
        &self,
        viewer: &Viewer,
        ids: &[StockEntryId],
    ) -> Result<Vec<StockEntry>> {
        viewer.require(Permission::StockRead)?;
        query::entries_by_ids(&self.domain.reads, ids).await
    }

    /// Which of these entries were reversed, each with the entry that did.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn reversals_of(
        &self,
        viewer: &Viewer,
        ids: &[StockEntryId],
    ) -> Result<Vec<StockEntry>> {
        viewer.require(Permission::StockRead)?;
        query::reversals_of(&self.domain.reads, ids).await
    }

    /// A page of entries, those that happened last first.
    ///
    /// # Errors
    /// When the viewer may not see stock, the filter is too large, or the page's arguments are wrong.
    pub async fn entries(
        &self,
        viewer: &Viewer,
        filter: &EntryFilter,
        args: &PageArgs,
    ) -> Result<Page<StockEntry>> {
        viewer.require(Permission::StockRead)?;
        rules::check_entry_filter(filter)?;
        query::entries(&self.domain.reads, filter, args).await
    }

    /// A page of movements, those that happened last first.
    ///
    /// # Errors
    /// When the viewer may not see stock, or the page's arguments are wrong.
    pub async fn movements(
        &self,
        viewer: &Viewer,
        filter: &MovementFilter,
        args: &PageArgs,
    ) -> Result<Page<StockMovement>> {
        viewer.require(Permission::StockRead)?;
        query::movements(&self.domain.reads, filter, args).await
    }

    /// Of each of these entries a page of its movements, line by line. Pages go forward.
    ///
    /// # Errors
    /// When the viewer may not see stock, or the page's arguments are wrong.
    pub async fn movements_of(
        &self,
        viewer: &Viewer,
        entries: &[StockEntryId],
        args: &PageArgs,
    ) -> Result<Vec<Page<StockMovement>>> {
        viewer.require(Permission::StockRead)?;
        query::movements_of(&self.domain.reads, entries, args).await
    }

    /// A page of what lies where, or lay there at a moment of the past.
    ///
    /// # Errors
    /// When the viewer may not see stock, the filter is too large, or the page's arguments are wrong.
    pub async fn levels(
        &self,
        viewer: &Viewer,
        filter: &LevelFilter,
        as_of: Option<DateTime<Utc>>,
        args: &PageArgs,
    ) -> Result<Page<StockLevel>> {
        viewer.require(Permission::StockRead)?;
        rules::check_level_filter(filter, as_of.is_some())?;
        match as_of {
            Some(at) => past::levels_at(&self.domain.reads, filter, args, at).await,
            None => query::levels(&self.domain.reads, filter, args, self.domain.now()).await,
        }
    }

    /// A page of an item's stock card, what happened last first. Pages go forward, into the past.
    ///
    /// # Errors
    /// When the viewer may not see stock, or the page's arguments are wrong.
    pub async fn card(
        &self,
        viewer: &Viewer,
        of: &CardOf,
        args: &PageArgs,
    ) -> Result<Page<CardLine>> {
        viewer.require(Permission::StockRead)?;
        card::page(&self.domain.reads, of, args).await
    }

    /// A page of the items of which no more is available than their reorder points; of these only, when some are given.
    ///
    /// # Errors
    /// When the viewer may not see stock, or the page's arguments are wrong.
    pub async fn low(
        &self,
        viewer: &Viewer,
        items: Option<&[ItemId]>,
        args: &PageArgs,
    ) -> Result<Page<LowStock>> {
        viewer.require(Permission::StockRead)?;
        low::low(&self.domain.reads, items, args, self.domain.now()).await
    }

    /// A page of the items of which something lies in the shop and nothing went to customers or into the workshop since then.
    ///
    /// # Errors
    /// When the viewer may not see stock, or the page's arguments are wrong.
    pub async fn slow_movers(
        &self,
        viewer: &Viewer,
        since: DateTime<Utc>,
        args: &PageArgs,
    ) -> Result<Page<SlowMover>> {
        viewer.require(Permission::StockRead)?;
        low::slow(&self.domain.reads, since, args, self.domain.now()).await
    }

    /// What there is of these items in the shop altogether, in any order; one of which there has never been anything is not among them.
    ///
    /// # Errors
    /// When the viewer may not see stock.
    pub async fn totals_of(&self, viewer: &Viewer, items: &[ItemId]) -> Result<Vec<StockTotal>> {
        viewer.require(Permission::StockRead)?;
        query::totals_of(&self.domain.reads, items, self.domain.now()).await
    }
}
