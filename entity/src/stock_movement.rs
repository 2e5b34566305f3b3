//! Movements of stock: what went from where to where.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ItemId, LocationId, LotId, StockEntryId};

/// Goods that went from one location to another. Rows are never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_movement")]
pub struct Model {
    /// Of which entry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry_id: StockEntryId,
    /// Which of its lines, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub line: i32,
    /// Short number given by the database, with gaps.
    pub number: i64,
    /// Which item.
    pub item_id: ItemId,
    /// Of which lot; none when the item's pieces are all alike.
    pub lot_id: Option<LotId>,
    /// From where.
    pub from_location_id: LocationId,
    /// To where.
    pub to_location_id: LocationId,
    /// How many, in the item's unit.
    pub quantity: Decimal,
    /// Grams, without stones.
    pub weight: Decimal,
    /// Grams of pure metal in it.
    pub fine_weight: Decimal,
    /// What one unit of what came in has cost.
    pub unit_cost: Option<Decimal>,
    /// When it happened.
    pub effective_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
