//! Files that belong to entries of the books, or to drafts of such.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JournalAttachmentId, JournalDraftId, JournalEntryId};

/// A file that belongs to an entry, or to a draft and the entry that becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "journal_attachment")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JournalAttachmentId,
    /// To which entry it was attached.
    pub entry_id: Option<JournalEntryId>,
    /// To which draft it was attached.
    pub draft_id: Option<JournalDraftId>,
    /// What people save it as.
    pub name: String,
    /// Media type that was found in its content.
    pub media_type: String,
    /// Length in bytes.
    pub byte_size: i64,
    /// SHA-256 of its content, in hexadecimal digits.
    pub content_hash: String,
    /// Where it is, in the private part of the blob store.
    pub blob_key: String,
    /// When it was attached.
    pub created_at: DateTime<Utc>,
    /// `user` or `system`: who attached it.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<Uuid>,
    /// Name of the user or the system.
    pub actor_name: String,
    /// When somebody took it away.
    pub removed_at: Option<DateTime<Utc>>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
