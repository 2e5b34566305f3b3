//! Batches of codes.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::id::{CodeBatchId, JobId};

/// Codes that somebody has asked for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_batch")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CodeBatchId,
    /// The job that draws them.
    pub job_id: JobId,
    /// What they lead to, how they are drawn, and into what file.
    #[sea_orm(column_type = "JsonBinary")]
    pub request: Json,
    /// Ids of what they lead to, in this order.
    pub subject_ids: Vec<Uuid>,
    /// The picture in the middle, as it was sent.
    pub logo: Option<Vec<u8>>,
    /// When they were asked for.
    pub created_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
