//! Times of schedules that have come, and what became of them.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, ScheduleId};

/// What became of a time.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A job was made.
    Fired,
    /// Nobody was at work, and it was left out.
    Missed,
    /// The last job was not finished, and it was left out.
    Overlapped,
    /// Somebody asked for it beside its times.
    Requested,
}

/// A time of a schedule that has come.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "schedule_firing")]
pub struct Model {
    /// Of which schedule.
    #[sea_orm(primary_key, auto_increment = false)]
    pub schedule_id: ScheduleId,
    /// Which time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tick: DateTime<Utc>,
    /// What became of it.
    pub outcome: Outcome,
    /// The job; none when none was made.
    pub job_id: Option<JobId>,
    /// From this time on up to the tick all were missed; none when none was.
    pub missed_since: Option<DateTime<Utc>>,
    /// When that was decided.
    pub decided_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
