//! Answers kept for requests that may be sent again.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

/// The answer that a request with this key was given.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    /// Who asked: keys of different actors never meet.
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor: String,
    /// The key the client chose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// What was asked for, such as `item.create`.
    pub operation: String,
    /// SHA-256 of the request.
    pub request_hash: Vec<u8>,
    /// The answer; none only inside the transaction that makes it.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub answer: Option<Json>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Kept answers stand alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
