//! Exports of items into a file.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    id::{ItemExportId, JobId},
    item_import::Format,
};

/// An export of items into a file.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "item_export")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ItemExportId,
    /// The job that does it.
    pub job_id: JobId,
    /// How the file is written.
    pub format: Format,
    /// Which items, in which order, and which columns.
    #[sea_orm(column_type = "JsonBinary")]
    pub request: Json,
    /// Language of category paths.
    pub locale: String,
    /// How many items there are in the file; none before it is done.
    pub row_count: Option<i64>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
