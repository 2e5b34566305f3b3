//! Lists as people want to see them again.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{SavedViewId, UserId};

/// Which list.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// That of items.
    Items,
}

/// A list as somebody wants to see it again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "saved_view")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SavedViewId,
    /// Of which list.
    pub list: List,
    /// Whose it is.
    pub user_id: UserId,
    /// What they call it.
    pub name: String,
    /// Whether everybody sees it.
    pub shared: bool,
    /// What is asked of the list, as it was written.
    #[sea_orm(column_type = "JsonBinary")]
    pub request: Json,
    /// Names of the columns that are shown, as clients call them.
    pub columns: Vec<String>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
