//! Events: what happened, for those who listen.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something that happened, written in the transaction that made it happen.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Order of writing, which is not the order of commits.
    #[sea_orm(primary_key)]
    pub number: i64,
    /// Place in the one sequence that all listeners see; given after the commit.
    pub position: Option<i64>,
    /// What happened, such as `item.changed`.
    pub kind: String,
    /// To what, such as `item`.
    pub aggregate_type: String,
    /// To which one.
    pub aggregate_id: Uuid,
    /// The aggregate's version after it happened.
    pub aggregate_version: i64,
    /// What a listener needs to filter by.
    #[sea_orm(column_type = "JsonBinary")]
    pub payload: Json,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Events refer to rows by value: they outlive them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
