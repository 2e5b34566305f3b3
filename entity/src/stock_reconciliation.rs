//! Proofs that levels, or days, are the sums of movements.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, StockReconciliationId};

/// What is proved to be the sum of movements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Subject {
    /// What lies where.
    #[sea_orm(string_value = "levels")]
    Levels,
    /// What moved and lay where, day by day and week by week.
    #[sea_orm(string_value = "series")]
    Series,
    /// What stock has cost.
    #[sea_orm(string_value = "costs")]
    Costs,
}

/// A proof that levels are the sums of movements, or what it has found.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_reconciliation")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockReconciliationId,
    /// The job that makes it.
    pub job_id: JobId,
    /// What is proved.
    pub subject: Subject,
    /// Why it was asked for.
    pub note: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was made; none before.
    pub finished_at: Option<DateTime<Utc>>,
    /// How many levels were looked at, those of lots included; or how many rows of days.
    pub level_count: Option<i64>,
    /// How many movements were added up.
    pub movement_count: Option<i64>,
    /// How many of them are not what they should be.
    pub difference_count: Option<i64>,
    /// The first of them.
    #[sea_orm(column_type = "JsonBinary")]
    pub differences: Json,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
