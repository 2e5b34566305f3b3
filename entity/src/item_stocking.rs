//! How an item is kept in stock.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::ItemId;

/// How an item is kept, where that is not the usual way: counted alone.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "item_stocking")]
pub struct Model {
    /// Which item.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: ItemId,
    /// Whether every movement has a weight beside its pieces.
    pub is_weighed: bool,
    /// Grams that may be over or missing when the last piece leaves a place.
    pub weight_tolerance: Decimal,
    /// When no more than this is available, more should be bought, in the item's unit.
    pub reorder_point: Option<Decimal>,
    /// Up to how much, in the item's unit.
    pub maximum: Option<Decimal>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
