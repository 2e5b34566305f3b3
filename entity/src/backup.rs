//! Backups of everything.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{BackupId, JobId};

/// What has become of a backup.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a worker, or is being made.
    Running,
    /// It is there, all of it.
    Complete,
    /// There is nothing: something went wrong on the way.
    Failed,
}

/// A backup, or what became of the attempt.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "backup")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BackupId,
    /// The job that makes it; none of one that was made from the command line.
    pub job_id: Option<JobId>,
    /// What has become of it.
    pub state: State,
    /// Whether files that an earlier backup has are left out.
    pub is_incremental: bool,
    /// Why it was asked for.
    pub note: Option<String>,
    /// What its folder is called; none before it is complete.
    pub name: Option<String>,
    /// How many bytes there are of it.
    pub byte_size: Option<i64>,
    /// Its files: name, bytes and SHA-256 of each.
    #[sea_orm(column_type = "JsonBinary")]
    pub parts: Json,
    /// Whether it was copied to another store.
    pub is_copied: bool,
    /// What went wrong.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was complete, or had failed.
    pub finished_at: Option<DateTime<Utc>>,
    /// When its folder was removed, because newer ones are enough.
    pub removed_at: Option<DateTime<Utc>>,
    /// The job that proves it, or has; none when nobody has asked.
    pub verification_job_id: Option<JobId>,
    /// When it was last proved.
    pub verified_at: Option<DateTime<Utc>>,
    /// What that has found.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub verification: Option<Json>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
