//! What a line of a receipt bears of a landed cost.

use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ItemId, StockEntryId, StockLandedCostId};

/// What a line of a receipt bears of a landed cost. Rows are never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_landed_cost_line")]
pub struct Model {
    /// Of which landed cost.
    #[sea_orm(primary_key, auto_increment = false)]
    pub landed_cost_id: StockLandedCostId,
    /// Which line of the receipt.
    #[sea_orm(primary_key, auto_increment = false)]
    pub line: i32,
    /// The receipt.
    pub entry_id: StockEntryId,
    /// Which item the line has.
    pub item_id: ItemId,
    /// How much, in the shop's currency.
    pub amount: Decimal,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
