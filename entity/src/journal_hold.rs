//! Holds: what is going to be posted to the books.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JournalEntryId, JournalHoldId};

/// How far a hold has got.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds something.
    Pending,
    /// It was posted, whole or in part.
    Posted,
    /// Somebody let go of it.
    Voided,
    /// Its time was over.
    Expired,
}

/// What is going to be posted, until some time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "journal_hold")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JournalHoldId,
    /// How far it has got.
    pub state: State,
    /// What it is about, for people.
    pub description: Option<String>,
    /// The type of what it is held for.
    pub document_type: Option<String>,
    /// The id or the number of that.
    pub document_id: Option<String>,
    /// How many lines it has.
    pub lines: i32,
    /// When it ends by itself; never without.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// What was posted of it.
    pub entry_id: Option<JournalEntryId>,
    /// `user` or `system`.
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
