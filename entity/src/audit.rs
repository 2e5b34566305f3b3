//! The audit trail: every change of business data.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use uuid::Uuid;

/// One change: who, when, from where, what.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// Order of writing.
    #[sea_orm(primary_key)]
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// `user`, or `system`.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<Uuid>,
    /// The user's or the system's name at that time.
    pub actor_name: String,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// Why it was done, as far as anybody has said.
    pub reason: Option<String>,
    /// What was done, such as `item.create`.
    pub action: String,
    /// What it was done to, such as `item`.
    pub aggregate_type: String,
    /// Which one.
    pub aggregate_id: Uuid,
    /// How it was.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub before: Option<Json>,
    /// How it is.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub after: Option<Json>,
}

/// The trail refers to rows by value: it outlives them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
