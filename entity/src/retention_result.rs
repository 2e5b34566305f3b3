//! What was cleared up of one subject, or would have been.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{id::RetentionRunId, retention_policy::Subject};

/// What was cleared up of one subject.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "retention_result")]
pub struct Model {
    /// In which run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: RetentionRunId,
    /// Of what.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: Subject,
    /// How many rows.
    pub row_count: i64,
    /// How many files.
    pub file_count: i64,
    /// How many bytes were in them.
    pub byte_count: i64,
    /// How many files turned out to be referred to by nothing.
    #[serde(default)]
    pub found_count: i64,
    /// How many bytes are in those.
    #[serde(default)]
    pub found_bytes: i64,
    /// What was older than this; none where it is kept for ever.
    pub older_than: Option<DateTime<Utc>>,
    /// The age of the oldest that stays; none where nothing does.
    pub oldest_kept: Option<DateTime<Utc>>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
