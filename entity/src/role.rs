//! Roles: named sets of permissions.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{id::RoleId, translations::Translations};

/// A named set of permissions that users are given.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "role")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoleId,
    /// Stable name for machines, such as `owner`.
    pub code: String,
    /// Name for people.
    #[sea_orm(column_type = "JsonBinary")]
    pub name: Translations,
    /// Permission codes; `*` stands for all.
    pub permissions: Vec<String>,
}

/// Roles have no relations that SeaORM needs to know.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
