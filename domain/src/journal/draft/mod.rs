//! Drafts: entries that are prepared and not posted. They count nowhere.
//!
//! A draft may lack anything: only what is there has to be possible. It is posted as any entry is, with all that can be wrong with one, and once:
//! the draft stays as it was, and names the entry.

mod query;
mod rules;
mod write;

pub(super) use query::lock_in_tx;

use chrono::NaiveDate;
use entity::id::{AccountId, DimensionValueId, JournalDraftId, LocationId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use entity::{
    journal_draft::{Model as JournalDraft, State},
    journal_draft_line::Model as JournalDraftLine,
};

use super::{Document, Journal, JournalEntry, Kind, fault, post};
use crate::{
    error::{Code, Refusal, Result},
    idempotency::{Claim, Claimed, claim_in_tx},
    page::{Page, PageArgs},
    patch::Patch,
    permission::Permission,
    version,
    viewer::Viewer,
};

/// What is known of a line.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewDraftLine {
    /// Which account.
    pub account_id: Option<AccountId>,
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
    /// For which subsidiary account.
    pub subsidiary_id: Option<DimensionValueId>,
    /// For which cost centre.
    pub cost_center_id: Option<DimensionValueId>,
    /// For which project.
    pub project_id: Option<DimensionValueId>,
    /// What it is about.
    pub description: Option<String>,
}

/// A draft to be begun.
#[derive(Clone, Debug, Serialize)]
pub struct NewDraft {
    /// When it happened.
    pub date: Option<NaiveDate>,
    /// What sort of entry it becomes: general, or opening.
    pub kind: Kind,
    /// What it is about.
    pub description: Option<String>,
    /// What it is for.
    pub document: Option<Document>,
    /// Its lines, as far as they are known.
    pub lines: Vec<NewDraftLine>,
}

/// What becomes different of a draft.
#[derive(Clone, Debug, Serialize)]
pub struct DraftChange {
    /// When it happened.
    pub date: Patch<NaiveDate>,
    /// What sort of entry it becomes.
    pub kind: Option<Kind>,
    /// What it is about.
    pub description: Patch<String>,
    /// What it is for.
    pub document: Patch<Document>,
    /// All its lines, in place of those it had.
    pub lines: Option<Vec<NewDraftLine>>,
}

/// A draft that was posted, and the entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DraftPosted {
    /// The draft.
    pub draft: JournalDraft,
    /// What it has become.
    pub entry: JournalEntry,
}

/// Which drafts. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct DraftFilter {
    /// In one of these states.
    pub states: Option<Vec<State>>,
    /// For this.
    pub document: Option<Document>,
    /// With a line of this account.
    pub account_id: Option<AccountId>,
}

impl Journal<'_> {
    /// Begins a draft.
    ///
    /// # Errors
    /// When what is there is impossible. What is missing is not.
    pub async fn create_draft(
        &self,
        viewer: &Viewer,
        new: NewDraft,
        key: Option<&str>,
    ) -> Result<JournalDraft> {
        viewer.require(Permission::BooksPost)?;
        let parsed = rules::parse_new(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let operation = "journal_draft.create";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        query::check_accounts_in_tx(&tx, &parsed.lines).await?;
        let draft = write::insert_in_tx(&tx, viewer, now, &parsed.facts, &parsed.lines).await?;
        write::record_in_tx(&tx, viewer, now, operation, None, &draft).await?;
        claim.keep_in_tx(&tx, &draft).await?;
        self.domain.commit(tx).await?;
        Ok(draft)
    }

    /// Changes a draft.
    ///
    /// # Errors
    /// When there is no such draft, it has ended, somebody changed it since `expected_version`, or what is there would be impossible.
    pub async fn update_draft(
        &self,
        viewer: &Viewer,
        id: JournalDraftId,
        change: DraftChange,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<JournalDraft> {
        viewer.require(Permission::BooksPost)?;
        let parsed = rules::parse_change(&change)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, &change, expected_version);
        let operation = "journal_draft.update";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = expected(lock_in_tx(&tx, id).await?, expected_version)?;
        if let Some(lines) = &parsed.lines {
            query::check_accounts_in_tx(&tx, lines).await?;
        }
        let facts = parsed.facts.apply(&before);
        let draft = write::update_in_tx(&tx, now, &before, &facts, parsed.lines.as_deref()).await?;
        write::record_in_tx(&tx, viewer, now, operation, Some(&before), &draft).await?;
        claim.keep_in_tx(&tx, &draft).await?;
        self.domain.commit(tx).await?;
        Ok(draft)
    }

    /// Throws a draft away: nothing becomes of it.
    ///
    /// # Errors
    /// When there is no such draft, it has ended, or somebody changed it since `expected_version`.
    pub async fn discard_draft(
        &self,
        viewer: &Viewer,
        id: JournalDraftId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<JournalDraft> {
        viewer.require(Permission::BooksPost)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, expected_version);
        let operation = "journal_draft.discard";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = expected(lock_in_tx(&tx, id).await?, expected_version)?;
        let draft = write::end_in_tx(&tx, now, id, State::Discarded, None).await?;
        write::record_in_tx(&tx, viewer, now, operation, Some(&before), &draft).await?;
        claim.keep_in_tx(&tx, &draft).await?;
        self.domain.commit(tx).await?;
        Ok(draft)
    }

    /// Posts a draft, once.
    ///
    /// # Errors
    /// When there is no such draft, it has ended, somebody changed it since `expected_version`, or all that is wrong with an entry, at the
    /// draft's lines.
    pub async fn post_draft(
        &self,
        viewer: &Viewer,
        id: JournalDraftId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<DraftPosted> {
        viewer.require(Permission::BooksPost)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, expected_version);
        let operation = "journal_draft.post";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        // The draft first, then the numbers: nobody who holds numbers waits for a draft.
        let before = expected(lock_in_tx(&tx, id).await?, expected_version)?;
        let lines = query::lines_in_tx(&tx, id).await?;
        let entry = rules::entry(&before, lines)?;
        let entry_id = write::new_entry_id(now);
        let draft = write::end_in_tx(&tx, now, id, State::Posted, Some(entry_id)).await?;
        let asked = (operation, Claim::NONE);
        let written =
            post::write_as_in_tx(&tx, viewer, now, asked, (vec![entry_id], vec![entry])).await;
        let entry = match written {
            Ok(posted) => post::single(posted)?,
            Err(failure) => {
                tx.rollback().await?;
                return Err(fault::explain(&self.domain.reads, failure).await);
            }
        };
        write::record_in_tx(&tx, viewer, now, operation, Some(&before), &draft).await?;
        let posted = DraftPosted { draft, entry };
        claim.keep_in_tx(&tx, &posted).await?;
        self.domain.commit(tx).await?;
        Ok(posted)
    }

    /// The drafts with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn drafts_by_ids(
        &self,
        viewer: &Viewer,
        ids: &[JournalDraftId],
    ) -> Result<Vec<JournalDraft>> {
        viewer.require(Permission::BooksRead)?;
        query::by_ids(&self.domain.reads, ids).await
    }

    /// A page of drafts, the newest first.
    ///
    /// # Errors
    /// When the viewer may not see the books, or the page's arguments are wrong.
    pub async fn drafts(
        &self,
        viewer: &Viewer,
        filter: &DraftFilter,
        args: &PageArgs,
    ) -> Result<Page<JournalDraft>> {
        viewer.require(Permission::BooksRead)?;
        query::page(&self.domain.reads, filter, args).await
    }

    /// Of each of these drafts a page of its lines. Pages go forward.
    ///
    /// # Errors
    /// When the viewer may not see the books, or the page's arguments are wrong.
    pub async fn draft_lines_of(
        &self,
        viewer: &Viewer,
        drafts: &[JournalDraftId],
        args: &PageArgs,
    ) -> Result<Vec<Page<JournalDraftLine>>> {
        viewer.require(Permission::BooksRead)?;
        query::lines_of(&self.domain.reads, drafts, args).await
    }
}

/// The draft, if there is one, still open, and of the version that is expected.
fn expected(
    found: Option<JournalDraft>,
    expected_version: Option<i64>,
) -> Result<JournalDraft, Refusal> {
    let draft = found.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    rules::check_open(&draft)?;
    version::check(draft.version, expected_version)?;
    Ok(draft)
}
