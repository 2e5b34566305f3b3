//! Holds: what is going to be posted, such as a deposit or a layaway. It counts in what is available, and not yet in what accounts have.
//!
//! A hold ends once: it is posted, whole or in part, somebody lets go of it, or its time is over. One whose time is over holds nothing any more,
//! whether or not anybody has noticed it yet. The database keeps floors, whatever comes at once
//! ([ADR 21](../docs/adr/0021-subsidiary-ledgers-holds-and-closing.md)).

mod query;
mod rules;
mod write;

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{AccountId, DimensionValueId, JournalHoldId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use entity::{
    journal_hold::{Model as JournalHold, State},
    journal_hold_line::Model as JournalHoldLine,
};

use super::{Document, Journal, JournalEntry, NewLine, fault, post};
use crate::{
    error::{Code, Refusal, Result},
    idempotency::{Claim, Claimed, claim_in_tx},
    page::{Page, PageArgs},
    permission::Permission,
    version,
    viewer::Viewer,
};

/// What is going to be posted.
#[derive(Clone, Debug, Serialize)]
pub struct NewHold {
    /// What it is about.
    pub description: Option<String>,
    /// What it is held for.
    pub document: Option<Document>,
    /// When it ends by itself; never without.
    pub expires_at: Option<DateTime<Utc>>,
    /// Its lines: from 2 on, balanced in each commodity.
    pub lines: Vec<NewLine>,
}

/// How a hold is posted.
#[derive(Clone, Debug, Serialize)]
pub struct HoldPosting {
    /// When it happened.
    pub date: NaiveDate,
    /// What it is about; what the hold is about without.
    pub description: Option<String>,
    /// How much of which lines, by their numbers; all of all lines without.
    pub amounts: Option<Vec<(i32, Decimal)>>,
}

/// A hold that was posted, and the entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HoldPosted {
    /// The hold.
    pub hold: JournalHold,
    /// What was posted of it.
    pub entry: JournalEntry,
}

/// Which holds. All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct HoldFilter {
    /// In one of these states.
    pub states: Option<Vec<State>>,
    /// Held for this.
    pub document: Option<Document>,
    /// With a line of this account.
    pub account_id: Option<AccountId>,
    /// With a line for this subsidiary account.
    pub subsidiary_id: Option<DimensionValueId>,
}

impl Journal<'_> {
    /// Holds what is going to be posted.
    ///
    /// # Errors
    /// All that is wrong with it, or when an account would fall below what it has to keep. Then nothing is held.
    pub async fn hold(
        &self,
        viewer: &Viewer,
        new: NewHold,
        key: Option<&str>,
    ) -> Result<JournalHold> {
        viewer.require(Permission::BooksPost)?;
        let now = self.domain.now();
        let parsed = rules::parse(&new, now)?;
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "journal_hold.hold", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        match write::insert_in_tx(&tx, viewer, now, &parsed).await {
            Ok(hold) => {
                claim.keep_in_tx(&tx, &hold).await?;
                self.domain.commit(tx).await?;
                Ok(hold)
            }
            Err(failure) => {
                tx.rollback().await?;
                Err(fault::explain(&self.domain.reads, failure).await)
            }
        }
    }

    /// Posts a hold, or a part of it; the rest is let go.
    ///
    /// # Errors
    /// When there is no such hold, it has ended, its time is over, more would be posted than is held, or all that is wrong with an entry.
    pub async fn post_hold(
        &self,
        viewer: &Viewer,
        id: JournalHoldId,
        posting: HoldPosting,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<HoldPosted> {
        viewer.require(Permission::BooksPost)?;
        let parsed = rules::parse_posting(&posting)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, &posting, expected_version);
        let operation = "journal_hold.post";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        // Numbers first, then the hold, then what it moves: as everybody who posts.
        write::lock_numbers_in_tx(&tx, posting.date).await?;
        let before = expected(write::lock_in_tx(&tx, id).await?, expected_version)?;
        rules::check_pending(&before, now)?;
        let lines = query::lines_in_tx(&tx, id).await?;
        let entry = rules::entry(&before, &lines, &parsed)?;
        let entry_id = write::new_entry_id(now);
        let hold = write::end_in_tx(&tx, now, id, State::Posted, Some(entry_id)).await?;
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
        write::record_in_tx(&tx, viewer, now, operation, &before, &hold).await?;
        let posted = HoldPosted { hold, entry };
        claim.keep_in_tx(&tx, &posted).await?;
        self.domain.commit(tx).await?;
        Ok(posted)
    }

    /// Lets go of a hold: nothing is posted.
    ///
    /// # Errors
    /// When there is no such hold, it has ended, or somebody changed it since `expected_version`.
    pub async fn void_hold(
        &self,
        viewer: &Viewer,
        id: JournalHoldId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<JournalHold> {
        viewer.require(Permission::BooksPost)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, expected_version);
        let operation = "journal_hold.void";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let before = expected(write::lock_in_tx(&tx, id).await?, expected_version)?;
        rules::check_pending(&before, now)?;
        let hold = write::end_in_tx(&tx, now, id, State::Voided, None).await?;
        write::record_in_tx(&tx, viewer, now, operation, &before, &hold).await?;
        claim.keep_in_tx(&tx, &hold).await?;
        self.domain.commit(tx).await?;
        Ok(hold)
    }

    /// Lets go of some holds whose time is over; tells how many.
    ///
    /// # Errors
    /// When the viewer may not post.
    pub async fn expire_holds(&self, viewer: &Viewer, most: u32) -> Result<u64> {
        viewer.require(Permission::BooksPost)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let expired = write::expire_in_tx(&tx, viewer, now, most).await?;
        self.domain.commit(tx).await?;
        Ok(expired)
    }

    /// The holds with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn holds_by_ids(
        &self,
        viewer: &Viewer,
        ids: &[JournalHoldId],
    ) -> Result<Vec<JournalHold>> {
        viewer.require(Permission::BooksRead)?;
        query::by_ids(&self.domain.reads, ids, self.domain.now()).await
    }

    /// A page of holds, the newest first.
    ///
    /// # Errors
    /// When the viewer may not see the books, or the page's arguments are wrong.
    pub async fn holds(
        &self,
        viewer: &Viewer,
        filter: &HoldFilter,
        args: &PageArgs,
    ) -> Result<Page<JournalHold>> {
        viewer.require(Permission::BooksRead)?;
        query::page(&self.domain.reads, filter, args, self.domain.now()).await
    }

    /// The lines of these holds, by hold and number: of each the first so many.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn hold_lines(
        &self,
        viewer: &Viewer,
        holds: &[JournalHoldId],
    ) -> Result<Vec<JournalHoldLine>> {
        viewer.require(Permission::BooksRead)?;
        query::lines_of(&self.domain.reads, holds).await
    }
}

/// The hold, if there is one, and of the version that is expected.
fn expected(
    found: Option<JournalHold>,
    expected_version: Option<i64>,
) -> Result<JournalHold, Refusal> {
    let hold = found.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(hold.version, expected_version)?;
    Ok(hold)
}
