//! Jobs: work done in the background.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{JobId, ScheduleId, UserId};

/// Where a job is in its life.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its turn.
    Queued,
    /// A worker has it.
    Running,
    /// Done.
    Succeeded,
    /// The last attempt failed; there will be another.
    Failed,
    /// Given up.
    Dead,
    /// Taken back before it was done.
    Cancelled,
}

impl State {
    /// Whether nothing more will happen to the job by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Dead | Self::Cancelled)
    }
}

/// A piece of background work. This row is the truth; Redis only carries it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "job")]
pub struct Model {
    /// Identity, also in Redis.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// What is to be done, such as `item.render_code`.
    pub kind: String,
    /// The queue that carries it.
    pub queue: String,
    /// To what: ids, never copies.
    #[sea_orm(column_type = "JsonBinary")]
    pub payload: Json,
    /// Where it is in its life.
    pub state: State,
    /// How often a worker has begun it.
    pub attempts: i32,
    /// How often a worker may begin it.
    pub max_attempts: i32,
    /// Percent done.
    pub progress: i16,
    /// What it is at, for people.
    pub message: Option<String>,
    /// Counts changes of state and progress.
    pub version: i64,
    /// Why the last attempt failed, for operators.
    pub error: Option<String>,
    /// What came of it: small things, such as how many rows.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub result: Option<Json>,
    /// A higher one comes first; 0 is the usual one.
    pub priority: i16,
    /// While a job with this key has not ended, there is no other.
    pub unique_key: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// The user who caused it.
    pub user_id: Option<UserId>,
    /// The schedule that caused it.
    pub schedule_id: Option<ScheduleId>,
    /// For which of the schedule's moments; when it was asked for, if that was beside its times.
    pub tick: Option<DateTime<Utc>>,
    /// When somebody asked to take it back while it ran.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// When it was handed to Redis; none while it still has to be.
    pub relayed_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the last attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it came to its end.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Jobs refer to other rows by the ids in their payload.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
