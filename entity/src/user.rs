//! People who log in.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::UserId;

/// A person who logs in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "app_user")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Login name, in lower case.
    pub email: String,
    /// What others see.
    pub display_name: String,
    /// Argon2id in PHC format. Never leaves the domain.
    #[serde(skip)]
    pub password_hash: String,
    /// Counts passwords, beginning with 1: a session that was begun with an earlier one is over.
    pub credential_version: i32,
    /// Preferred language of messages (`en`, `fa`).
    pub locale: String,
    /// Since when the user may not log in any more.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
    /// When the user last changed.
    pub updated_at: DateTime<Utc>,
}

/// Users have no relations that SeaORM needs to know.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
