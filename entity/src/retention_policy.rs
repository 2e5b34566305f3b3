//! How long is kept what says nothing about the business any more.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// What is kept for a time.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// API tokens that have expired or were taken back.
    ApiTokens,
    /// The trail, by whole months.
    Audit,
    /// Events that subscriptions replay.
    Events,
    /// Files of items, reports and labels, with what was asked for.
    Exports,
    /// Answers for requests that are sent again.
    IdempotencyKeys,
    /// Imports, with the files that they leave behind.
    Imports,
    /// Other jobs.
    Jobs,
    /// What proofs of stock and of the trail have found.
    Proofs,
    /// Times of schedules that have come.
    ScheduleFirings,
    /// Files that nothing refers to any more.
    UnreferencedFiles,
}

/// How long something is kept.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "retention_policy")]
pub struct Model {
    /// What.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: Subject,
    /// For how many days.
    pub keep_days: i32,
    /// Whether it is cleared up at all; otherwise it is kept for ever.
    pub enabled: bool,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
