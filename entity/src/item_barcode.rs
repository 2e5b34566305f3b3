//! Barcodes of items.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::ItemId;

/// A barcode leads to exactly one item; an item may have several.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "item_barcode")]
pub struct Model {
    /// The code as scanned.
    #[sea_orm(primary_key, auto_increment = false)]
    pub barcode: String,
    /// The item it stands for.
    pub item_id: ItemId,
    /// Order among the item's barcodes.
    pub position: i32,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
