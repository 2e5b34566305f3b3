//! Lines of transfers: what goes, and what became of it.

use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ItemId, LotId, StockReservationId, StockTransferId};

/// Goods of one item, or of one lot, of a transfer. Quantities are in the item's unit.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_transfer_line")]
pub struct Model {
    /// Of which transfer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub transfer_id: StockTransferId,
    /// Which of its lines, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub line: i32,
    /// Which item.
    pub item_id: ItemId,
    /// Of which lot; known when it is picked, where the item has lots.
    pub lot_id: Option<LotId>,
    /// How many are wanted.
    pub requested: Decimal,
    /// How many lie ready, or lay ready until they were sent.
    pub picked: Decimal,
    /// What holds them until they are sent.
    pub reservation_id: Option<StockReservationId>,
    /// How many were sent.
    pub sent: Decimal,
    /// What they weighed, in grams.
    pub sent_weight: Decimal,
    /// How many have arrived.
    pub received: Decimal,
    /// What they weighed, in grams.
    pub received_weight: Decimal,
    /// How many were sent and did not arrive.
    pub missing: Decimal,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
