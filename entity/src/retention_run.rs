//! What was cleared up, or would have been.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, RetentionRunId};

/// One clearing up.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "retention_run")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RetentionRunId,
    /// The job that does it; none where somebody at the machine does.
    pub job_id: Option<JobId>,
    /// Whether it only looks.
    pub dry_run: bool,
    /// How many subjects are done with.
    pub subjects: i32,
    /// Whether all files were looked at.
    #[serde(default)]
    pub surveyed: bool,
    /// Whether it stopped because everything is held.
    pub was_held: bool,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it came to its end; none before.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
