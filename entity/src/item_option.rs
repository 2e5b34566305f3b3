//! Along which attributes the variants of a template differ.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::ItemId;

/// An attribute in which the variants of a template differ, and the values that it may have there.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "item_option")]
pub struct Model {
    /// Whose variants.
    #[sea_orm(primary_key, auto_increment = false)]
    pub template_id: ItemId,
    /// The attribute, by the key under which items keep its values.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// Order among the template's options.
    pub position: i32,
    /// A list of values, in their order, each as items keep it.
    #[sea_orm(column_type = "JsonBinary")]
    pub choices: Json,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
