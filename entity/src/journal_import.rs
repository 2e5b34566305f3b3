//! Imports of entries of the books from files.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, JournalImportId, UserId};

/// How a file is written.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A journal that hledger reads.
    Hledger,
    /// A journal that beancount reads.
    Beancount,
}

/// How far an import has got.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a worker, or one is at it.
    Waiting,
    /// All of it was posted; of a dry run: could be.
    Done,
    /// Something was wrong, so that nothing was posted.
    Rejected,
}

/// An import of entries of the books from a file.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "journal_import")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JournalImportId,
    /// The job that does it.
    pub job_id: JobId,
    /// Where the file is in the private part of the blob store, until the import is finished.
    pub blob_key: String,
    /// Length of the file in bytes.
    pub byte_size: i64,
    /// How it is written.
    pub format: Format,
    /// What may be created on the way.
    #[sea_orm(column_type = "JsonBinary")]
    pub options: Json,
    /// Whether everything is only looked at.
    pub dry_run: bool,
    /// Language of what is told about lines.
    pub locale: String,
    /// Who asked for it.
    pub user_id: Option<UserId>,
    /// How far it has got.
    pub state: State,
    /// Entries that were posted, or would be.
    pub posted: i64,
    /// Lines of these entries.
    pub lines: i64,
    /// Transactions that were posted by an earlier import.
    pub present: i64,
    /// Accounts that were created, groups too, or would be.
    pub accounts: i64,
    /// What was wrong: so many things.
    pub failed: i64,
    /// What was left over, by commodity.
    #[sea_orm(column_type = "JsonBinary")]
    pub rounding: Json,
    /// On which line of the file something was wrong first.
    pub first_line: Option<i64>,
    /// What was wrong there.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub first_refusal: Option<Json>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it came to its end.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
