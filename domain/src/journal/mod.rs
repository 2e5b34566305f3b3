//! The journal: entries of balanced lines, and what accounts have because of them.
//!
//! An entry is posted at once or not at all, and stays. Its number has no gaps, what accounts have follows from its lines, and the database
//! refuses what cannot be, whoever writes ([ADR 20](../docs/adr/0020-books-are-kept-by-the-database.md)).

mod attachment;
mod closing;
mod draft;
mod fault;
mod hold;
mod ledger;
mod post;
mod query;
mod revaluation;
mod reversal;
mod rules;
mod subsidiary;
mod verification;
mod verify;
mod watch;

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{AccountId, DimensionValueId, FiscalYearId, JournalEntryId, LocationId};
use rust_decimal::Decimal;
use serde::Serialize;

pub use attachment::{AttachedTo, JournalAttachment, NewAttachment};
pub use closing::YearPosted;
pub use draft::{
    DraftChange, DraftFilter, DraftPosted, JournalDraft, JournalDraftLine, NewDraft, NewDraftLine,
    State as DraftState,
};
pub use entity::{
    journal_entry::{Kind, Model as JournalEntry},
    journal_line::Model as JournalLine,
    ledger_verification::Model as LedgerVerification,
};
pub(crate) use fault::{Failure, explain};
pub use hold::{
    HoldFilter, HoldPosted, HoldPosting, JournalHold, JournalHoldLine, NewHold, State as HoldState,
};
pub use ledger::{LedgerLine, LedgerOf};
pub(crate) use post::write_in_tx;
pub use revaluation::{REVALUED_MAX, Revaluation, RevaluationLine, RevaluedAccount, Valuation};
pub(crate) use rules::{Entry, Line, parse_date};
pub use subsidiary::{SubsidiaryBalanceRow, SubsidiaryBalancesOf};
pub(crate) use verification::ask_verification_in_tx;
pub use verification::{Proof, differences};
pub use verify::{DIFFERENCES_MAX, Difference};
pub use watch::{Touched, WATCHED_MAX, Watched, WatchedBalance};

use crate::{
    Domain,
    error::Result,
    page::{Page, PageArgs},
    permission::Permission,
    report::known,
    viewer::Viewer,
};

/// Most lines of one entry.
pub const LINES_MAX: usize = 10_000;
/// Most entries that are posted together.
pub const ENTRIES_MAX: usize = 1_000;
/// Most lines of entries that are posted together.
pub const LINES_TOGETHER_MAX: usize = 50_000;

/// What an entry is posted for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// Its type, such as `invoice`.
    pub kind: String,
    /// Its id or number.
    pub id: String,
}

/// An amount on one side of an account, to be posted.
#[derive(Clone, Debug, Serialize)]
pub struct NewLine {
    /// Which account.
    pub account_id: AccountId,
    /// Of what the amount is; the shop's currency without.
    pub commodity: Option<String>,
    /// How much, on the debit side.
    pub debit: Option<Decimal>,
    /// How much, on the credit side.
    pub credit: Option<Decimal>,
    /// Of how many, in whatever unit the account counts.
    pub quantity: Option<Decimal>,
    /// For which location.
    pub location_id: Option<LocationId>,
    /// For which subsidiary account: of an account that demands one.
    pub subsidiary_id: Option<DimensionValueId>,
    /// For which cost centre.
    pub cost_center_id: Option<DimensionValueId>,
    /// For which project.
    pub project_id: Option<DimensionValueId>,
    /// What it is about.
    pub description: Option<String>,
}

/// An entry to be posted.
#[derive(Clone, Debug, Serialize)]
pub struct NewEntry {
    /// When it happened.
    pub date: NaiveDate,
    /// What sort of entry it is: general, or opening.
    pub kind: Kind,
    /// What it is about.
    pub description: Option<String>,
    /// What it is posted for.
    pub document: Option<Document>,
    /// Its lines: from 2 on, balanced in each commodity.
    pub lines: Vec<NewLine>,
}

/// Which entries. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Of this day or later.
    pub from: Option<NaiveDate>,
    /// Of this day or earlier.
    pub until: Option<NaiveDate>,
    /// In this fiscal year.
    pub fiscal_year_id: Option<FiscalYearId>,
    /// With this number.
    pub number: Option<i64>,
    /// Of one of these kinds.
    pub kinds: Option<Vec<Kind>>,
    /// Posted for this.
    pub document: Option<Document>,
    /// With a line of this account.
    pub account_id: Option<AccountId>,
    /// Recorded up to this moment.
    pub known_at: Option<DateTime<Utc>>,
    /// With a line for this subsidiary account, cost centre or project.
    pub dimension_value_id: Option<DimensionValueId>,
}

/// The journal: its use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Journal<'a> {
    pub(crate) domain: &'a Domain,
}

impl Journal<'_> {
    /// Posts an entry.
    ///
    /// # Errors
    /// All that is wrong with it. Then nothing is posted.
    pub async fn post(
        &self,
        viewer: &Viewer,
        entry: NewEntry,
        key: Option<&str>,
    ) -> Result<JournalEntry> {
        viewer.require(Permission::BooksPost)?;
        let parsed = rules::parse_one(&entry)?;
        let posted = self.write(viewer, "journal.post", &entry, key, parsed);
        post::single(posted.await?)
    }

    /// Posts many entries, in their order, all or none.
    ///
    /// # Errors
    /// All that is wrong with them. Then nothing is posted.
    pub async fn post_bulk(
        &self,
        viewer: &Viewer,
        entries: Vec<NewEntry>,
        key: Option<&str>,
    ) -> Result<Vec<JournalEntry>> {
        viewer.require(Permission::BooksPost)?;
        let parsed = rules::parse_many(&entries)?;
        self.write(viewer, "journal.post", &entries, key, parsed)
            .await
    }

    /// The entry with this id.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn find(&self, viewer: &Viewer, id: JournalEntryId) -> Result<Option<JournalEntry>> {
        Ok(self.by_ids(viewer, &[id]).await?.pop())
    }

    /// The entries with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn by_ids(
        &self,
        viewer: &Viewer,
        ids: &[JournalEntryId],
    ) -> Result<Vec<JournalEntry>> {
        viewer.require(Permission::BooksRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// Which of these entries were reversed, each with the entry that did.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn reversals_of(
        &self,
        viewer: &Viewer,
        ids: &[JournalEntryId],
    ) -> Result<Vec<JournalEntry>> {
        viewer.require(Permission::BooksRead)?;
        query::reversals_of(&self.domain.reads, ids).await
    }

    /// A page of entries, the latest day and the highest number first.
    ///
    /// # Errors
    /// When the viewer may not see the books, or the page's arguments are wrong.
    pub async fn entries(
        &self,
        viewer: &Viewer,
        filter: &EntryFilter,
        args: &PageArgs,
    ) -> Result<Page<JournalEntry>> {
        viewer.require(Permission::BooksRead)?;
        known::settle(self.domain, "where.asKnownAt", filter.known_at).await?;
        query::entries(&self.domain.reads, filter, args).await
    }

    /// Of each of these entries a page of its lines. Pages go forward.
    ///
    /// # Errors
    /// When the viewer may not see the books, or the page's arguments are wrong.
    pub async fn lines_of(
        &self,
        viewer: &Viewer,
        entries: &[JournalEntryId],
        args: &PageArgs,
    ) -> Result<Vec<Page<JournalLine>>> {
        viewer.require(Permission::BooksRead)?;
        query::lines_of(&self.domain.reads, entries, args).await
    }

    /// A page of the ledger of an account, the earliest day first, each line with what the account had after it. Pages go forward.
    ///
    /// # Errors
    /// When the viewer may not see the books, there is no such account, or the page's arguments are wrong.
    pub async fn ledger(
        &self,
        viewer: &Viewer,
        of: &LedgerOf,
        args: &PageArgs,
    ) -> Result<Page<LedgerLine>> {
        viewer.require(Permission::BooksRead)?;
        of.scope.check(&self.domain.reads).await?;
        known::settle(self.domain, "asKnownAt", of.scope.known_at).await?;
        ledger::page(&self.domain.reads, of, args).await
    }

    /// A page of what each subsidiary account had at the end of a day in an account, or in all accounts below a group, by account, commodity and
    /// the subsidiary account's code. Pages go forward.
    ///
    /// # Errors
    /// When the viewer may not see the books, there is no such account, or the page's arguments are wrong.
    pub async fn subsidiary_balances(
        &self,
        viewer: &Viewer,
        of: &SubsidiaryBalancesOf,
        args: &PageArgs,
    ) -> Result<Page<SubsidiaryBalanceRow>> {
        viewer.require(Permission::BooksRead)?;
        subsidiary::balances(&self.domain.reads, of, args).await
    }

    /// Adds everything up again, and tells what comes out differently: the first differences, and nothing when all is well. For books that are
    /// small enough for it to be done while somebody waits; [`Self::ask_verification`] is for all others.
    ///
    /// # Errors
    /// When the viewer may not manage the books, or it takes longer than a statement may.
    pub async fn verify(&self, viewer: &Viewer) -> Result<Vec<Difference>> {
        viewer.require(Permission::BooksManage)?;
        Ok(verify::find(&self.domain.reads).await?.first)
    }
}
