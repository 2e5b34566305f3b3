//! Attachments: files that belong to entries, such as a scanned receipt. What is attached to a draft belongs to the entry that becomes of it.
//!
//! One that is taken away is hidden; it stays in the database and in the blob store, and the trail says who took it away.

use chrono::{DateTime, Utc};
use entity::{
    id::{JournalAttachmentId, JournalDraftId, JournalEntryId},
    journal_draft::State,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, QueryResult};
use serde::Serialize;

pub use entity::journal_attachment::Model as JournalAttachment;

use super::{Journal, draft};
use crate::{
    audit::{self, Actor, Change},
    clock::new_id,
    error::{Code, Error, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    retention,
    sql::{statement, uuids},
    text,
    viewer::Viewer,
};

/// Longest name, in characters.
const NAME_MAX: usize = 200;
/// Most files of one entry or draft.
const ATTACHED_MAX: i64 = 100;

/// To what a file is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum AttachedTo {
    /// To an entry.
    Entry(JournalEntryId),
    /// To a draft that is open.
    Draft(JournalDraftId),
}

/// A file that the blob store has.
#[derive(Clone, Debug, Serialize)]
pub struct NewAttachment {
    /// To what it is attached.
    pub to: AttachedTo,
    /// What people save it as.
    pub name: String,
    /// Media type that was found in its content.
    pub media_type: &'static str,
    /// Length in bytes.
    pub byte_size: i64,
    /// SHA-256 of its content, in hexadecimal digits.
    pub content_hash: String,
    /// Where it is, in the private part of the blob store.
    pub blob_key: String,
}

/// A file, and the entry to which it belongs by now.
struct OfEntry {
    entry: JournalEntryId,
    row: JournalAttachment,
}

impl FromQueryResult for OfEntry {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            entry: row.try_get(prefix, "of_entry")?,
            row: JournalAttachment::from_query_result(row, prefix)?,
        })
    }
}

impl Journal<'_> {
    /// Attaches a file.
    ///
    /// # Errors
    /// When there is no such entry or draft, the draft has ended, or it has as many files as it may.
    pub async fn attach(
        &self,
        viewer: &Viewer,
        new: NewAttachment,
        key: Option<&str>,
    ) -> Result<JournalAttachment> {
        viewer.require(Permission::BooksPost)?;
        let name = text::line("name", &new.name, 1, NAME_MAX)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let operation = "journal_attachment.add";
        let asked = NewAttachment {
            blob_key: retention::name(&new.blob_key),
            ..new.clone()
        };
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        check_takes_in_tx(&tx, new.to).await?;
        let attachment = insert_in_tx(&tx, viewer, now, &new, &name).await?;
        record_in_tx(&tx, viewer, now, operation, None, &attachment).await?;
        claim.keep_in_tx(&tx, &attachment).await?;
        self.domain.commit(tx).await?;
        Ok(attachment)
    }

    /// Takes a file away: it is hidden, and stays.
    ///
    /// # Errors
    /// When there is no such file, or it was taken away before.
    pub async fn detach(
        &self,
        viewer: &Viewer,
        id: JournalAttachmentId,
        key: Option<&str>,
    ) -> Result<JournalAttachment> {
        viewer.require(Permission::BooksPost)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let operation = "journal_attachment.remove";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &id, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let sql = "SELECT * FROM journal_attachment WHERE id = $1 AND removed_at IS NULL FOR NO KEY UPDATE";
        let before = JournalAttachment::find_by_statement(statement(sql, [id.into()]));
        let before = before.one(&tx).await?;
        let before = before.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        let sql = "UPDATE journal_attachment SET removed_at = $2 WHERE id = $1 RETURNING *";
        let after = JournalAttachment::find_by_statement(statement(sql, [id.into(), now.into()]));
        let after = one(after.one(&tx).await?)?;
        record_in_tx(&tx, viewer, now, operation, Some(&before), &after).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }

    /// The files of these entries, those of their drafts included, each with its entry, in the order in which they came.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn attachments_of(
        &self,
        viewer: &Viewer,
        entries: &[JournalEntryId],
    ) -> Result<Vec<(JournalEntryId, JournalAttachment)>> {
        viewer.require(Permission::BooksRead)?;
        let sql = "SELECT a.*, a.entry_id AS of_entry FROM journal_attachment a WHERE a.entry_id = ANY($1) AND a.removed_at IS NULL
                   UNION ALL
                   SELECT a.*, d.entry_id FROM journal_draft d JOIN journal_attachment a ON a.draft_id = d.id
                   WHERE d.entry_id = ANY($1) AND a.removed_at IS NULL
                   ORDER BY of_entry, id";
        let rows = OfEntry::find_by_statement(statement(sql, [uuids(entries)]));
        let rows = rows.all(&self.domain.reads).await?.into_iter();
        Ok(rows.map(|of| (of.entry, of.row)).collect())
    }

    /// The files of these drafts, in the order in which they came.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn draft_attachments_of(
        &self,
        viewer: &Viewer,
        drafts: &[JournalDraftId],
    ) -> Result<Vec<JournalAttachment>> {
        viewer.require(Permission::BooksRead)?;
        let sql = "SELECT * FROM journal_attachment WHERE draft_id = ANY($1) AND removed_at IS NULL ORDER BY draft_id, id";
        let rows = JournalAttachment::find_by_statement(statement(sql, [uuids(drafts)]));
        Ok(rows.all(&self.domain.reads).await?)
    }

    /// The file with this id, for a viewer who may see the books. Everybody else is told what is told of a file that does not exist.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_attachment(
        &self,
        viewer: &Viewer,
        id: JournalAttachmentId,
    ) -> Result<Option<JournalAttachment>> {
        if viewer.require(Permission::BooksRead).is_err() {
            return Ok(None);
        }
        let sql = "SELECT * FROM journal_attachment WHERE id = $1 AND removed_at IS NULL";
        let found = JournalAttachment::find_by_statement(statement(sql, [id.into()]));
        Ok(found.one(&self.domain.reads).await?)
    }
}

/// There is such an entry or an open draft, and it takes one more. Who attaches to the same draft, or ends it, waits.
async fn check_takes_in_tx(tx: &DatabaseTransaction, to: AttachedTo) -> Result<()> {
    let (sql, id) = match to {
        AttachedTo::Entry(id) => {
            let found = super::query::by_ids(tx, &[id]).await?;
            if found.is_empty() {
                return Err(Refusal::new(Code::NotFound, "entryId").into());
            }
            let sql = "SELECT count(*) AS attached FROM journal_attachment WHERE entry_id = $1 AND removed_at IS NULL";
            (sql, id.0)
        }
        AttachedTo::Draft(id) => {
            let found = draft::lock_in_tx(tx, id).await?;
            let found = found.ok_or_else(|| Refusal::new(Code::NotFound, "draftId"))?;
            if found.state != State::Open {
                let refusal = Refusal::new(Code::WrongState, "draftId");
                let state = if found.state == State::Posted {
                    "posted"
                } else {
                    "discarded"
                };
                return Err(refusal.with("state", state).into());
            }
            let sql = "SELECT count(*) AS attached FROM journal_attachment WHERE draft_id = $1 AND removed_at IS NULL";
            (sql, id.0)
        }
    };
    let row = tx.query_one_raw(statement(sql, [id.into()])).await?;
    let attached: Option<i64> = row.map(|row| row.try_get("", "attached")).transpose()?;
    if attached.unwrap_or_default() >= ATTACHED_MAX {
        let refusal = Refusal::new(Code::TooMany, "file");
        return Err(refusal.with("max", ATTACHED_MAX).into());
    }
    Ok(())
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    new: &NewAttachment,
    name: &str,
) -> Result<JournalAttachment> {
    let sql = "INSERT INTO journal_attachment (id, entry_id, draft_id, name, media_type, byte_size, content_hash, blob_key, created_at,
                                               actor_kind, actor_id, actor_name)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING *";
    let (entry, draft) = match new.to {
        AttachedTo::Entry(id) => (Some(id.0), None),
        AttachedTo::Draft(id) => (None, Some(id.0)),
    };
    let actor = Actor::of(viewer);
    let values = [
        new_id(now).into(),
        entry.into(),
        draft.into(),
        name.into(),
        new.media_type.into(),
        new.byte_size.into(),
        new.content_hash.as_str().into(),
        new.blob_key.as_str().into(),
        now.into(),
        actor.kind.into(),
        actor.id.into(),
        actor.name.into(),
    ];
    let inserted = JournalAttachment::find_by_statement(statement(sql, values));
    one(inserted.one(tx).await?)
}

fn one(attachment: Option<JournalAttachment>) -> Result<JournalAttachment> {
    attachment.ok_or_else(|| Error::internal("an attachment was written and gave no row"))
}

async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&JournalAttachment>,
    after: &JournalAttachment,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "journal_attachment",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
