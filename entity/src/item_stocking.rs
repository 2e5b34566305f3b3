//! How an item is kept in stock.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::ItemId;

/// How it is found what goods have cost that leave.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum CostMethod {
    /// Everything there is of the item costs the same: the weighted average.
    Average,
    /// What came in first goes first.
    Fifo,
    /// Each lot or serial has its own cost.
    Specific,
}

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
    /// How it is found what it has cost; piece by piece for serials and by average for everything else, when nothing is said.
    pub cost_method: Option<CostMethod>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
