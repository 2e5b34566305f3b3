//! Tokens with which programs act for a user.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ApiTokenId, UserId};

/// A scoped, expiring token. Only a hash of its secret is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiTokenId,
    /// For whom the token acts.
    pub user_id: UserId,
    /// What the owner calls it.
    pub name: String,
    /// SHA-256 of the secret.
    #[serde(skip)]
    pub token_hash: Vec<u8>,
    /// Permission codes; the token can do what both it and its user may do.
    pub permissions: Vec<String>,
    /// From then on it is refused.
    pub expires_at: DateTime<Utc>,
    /// When its owner took it back.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Tokens have no relations that SeaORM needs to know.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
