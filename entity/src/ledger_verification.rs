//! Proofs that the books are what their lines make them.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, LedgerVerificationId};

/// A proof of the books, or what it has found.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "ledger_verification")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LedgerVerificationId,
    /// The job that makes it.
    pub job_id: JobId,
    /// Why it was asked for.
    pub note: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When reading began, which is the moment that the books were seen at; none before it was made.
    pub as_of: Option<DateTime<Utc>>,
    /// When it was made; none before.
    pub finished_at: Option<DateTime<Utc>>,
    /// How many things are not what they should be; none before it was made.
    pub difference_count: Option<i64>,
    /// The first of them; none before it was made.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub differences: Option<Json>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
