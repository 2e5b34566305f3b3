//! Files that jobs leave behind.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JobFileId, JobId};

/// A file that a job has left behind for people.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "job_file")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobFileId,
    /// The job that made it.
    pub job_id: JobId,
    /// What people save it as; unique among the job's files.
    pub name: String,
    /// Media type of its content.
    pub media_type: String,
    /// Where it is in the private part of the blob store.
    pub blob_key: String,
    /// Length in bytes.
    pub byte_size: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
