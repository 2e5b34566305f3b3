//! Drafts: entries of the books that are prepared and not posted.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    id::{JournalDraftId, JournalEntryId},
    journal_entry::Kind,
};

/// How far a draft has got.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is being worked on.
    Open,
    /// It has become an entry.
    Posted,
    /// Somebody threw it away.
    Discarded,
}

/// What is going to be posted when somebody says so. It counts nowhere.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "journal_draft")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JournalDraftId,
    /// How far it has got.
    pub state: State,
    /// When it happened, as far as that is known.
    pub date: Option<NaiveDate>,
    /// What sort of entry it becomes: general, or opening.
    pub kind: Kind,
    /// What it is about, for people.
    pub description: Option<String>,
    /// The type of what it is for.
    pub document_type: Option<String>,
    /// The id or the number of that.
    pub document_id: Option<String>,
    /// How many lines it has.
    pub lines: i32,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When somebody changed it last.
    pub updated_at: DateTime<Utc>,
    /// When it was posted or thrown away.
    pub ended_at: Option<DateTime<Utc>>,
    /// What it was posted as.
    pub entry_id: Option<JournalEntryId>,
    /// `user` or `system`: who began it.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<Uuid>,
    /// Name of the user or the system.
    pub actor_name: String,
    /// Counts changes, for optimistic locking.
    pub version: i64,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
