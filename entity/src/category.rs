//! The category tree.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{id::CategoryId, ltree::Ltree, translations::Translations};

/// A node of the category tree.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "category")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CategoryId,
    /// Short immutable number given by the database: the category's label in paths.
    pub number: i64,
    /// The category above; none for a root.
    pub parent_id: Option<CategoryId>,
    /// Numbers of all ancestors, root first, and its own.
    #[sea_orm(
        column_type = "custom(\"ltree\")",
        select_as = "text",
        save_as = "ltree"
    )]
    pub path: Ltree,
    /// Name for people.
    #[sea_orm(column_type = "JsonBinary")]
    pub name: Translations,
    /// Order among siblings; ties are broken by `number`.
    pub position: i32,
    /// Name of an icon of the frontend.
    pub icon: Option<String>,
    /// Colour as `#rrggbb`.
    pub colour: Option<String>,
    /// The category's key in somebody else's system.
    pub external_reference: Option<String>,
    /// Since when it is put away.
    pub archived_at: Option<DateTime<Utc>>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Categories have no relations that SeaORM needs to know.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
