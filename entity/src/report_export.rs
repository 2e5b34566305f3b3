//! Exports of reports into files.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, ReportExportId};

/// How a file is written.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A table with a line of headers.
    Csv,
    /// A journal that hledger reads.
    Hledger,
    /// A journal that beancount reads.
    Beancount,
}

/// An export of a report into a file.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "report_export")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReportExportId,
    /// The job that does it.
    pub job_id: JobId,
    /// How the file is written.
    pub format: Format,
    /// Which report, of what.
    #[sea_orm(column_type = "JsonBinary")]
    pub request: Json,
    /// Language of names.
    pub locale: String,
    /// How many rows, or entries, there are in the file; none before it is done.
    pub row_count: Option<i64>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
