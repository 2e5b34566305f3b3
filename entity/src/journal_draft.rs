//! Entries that are being written.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::JournalDraftId;

/// An entry that is being written: not in the books yet, and of no number.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "journal_draft")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JournalDraftId,
    /// As it was written.
    #[sea_orm(column_type = "JsonBinary")]
    pub content: Json,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// `user` or `system`.
    pub actor_kind: String,
    /// The user who saved it last, when it was one.
    pub actor_id: Option<Uuid>,
    /// Name of the user or the system.
    pub actor_name: String,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
