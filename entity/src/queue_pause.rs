//! Queues of jobs that stand still.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::QueuePauseId;

/// A queue's standing still: no job of it begins as long as this is there.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "queue_pause")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: QueuePauseId,
    /// Which queue.
    pub queue: String,
    /// Why, in an operator's words.
    pub reason: Option<String>,
    /// Since when.
    pub since: DateTime<Utc>,
    /// `user` or `system`: who stopped it.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<Uuid>,
    /// Name of the user or the system.
    pub actor_name: String,
}

/// A queue is no table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
