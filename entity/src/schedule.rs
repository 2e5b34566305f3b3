//! What is done by itself, and when.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{errand::Errand, id::ScheduleId};

/// What becomes of a time that nobody was at work at.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum WhenMissed {
    /// It is made good once, however many times were missed.
    RunOnce,
    /// It is left out.
    Skip,
}

/// What is done by itself, and when.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "schedule")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ScheduleId,
    /// What people call it.
    pub name: String,
    /// When: five fields of cron.
    pub cron: String,
    /// Where those hours are: an IANA name; none where the shop is.
    pub time_zone: Option<String>,
    /// What is done.
    pub errand: Errand,
    /// Whether it is done at all.
    pub enabled: bool,
    /// What becomes of a time that nobody was at work at.
    pub when_missed: WhenMissed,
    /// Whether it is begun while the last one is not finished.
    pub allow_overlap: bool,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was taken away; none as long as it is there.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
