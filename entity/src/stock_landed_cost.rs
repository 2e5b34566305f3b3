//! Landed cost: what made a receipt cost more or less later.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{StockEntryId, StockLandedCostId};

/// What it was for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Bringing the goods here.
    Freight,
    /// Customs and taxes that are not given back.
    Duty,
    /// Insuring them on their way.
    Insurance,
    /// The goods themselves: a price that was known late, or a rebate.
    Price,
    /// Something else.
    Other,
}

/// How it was spread over the lines of the receipt.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// In proportion to what they cost.
    Value,
    /// To how many came.
    Quantity,
    /// To what they weigh.
    Weight,
    /// The same for each line.
    Equally,
}

/// What made a receipt cost more or less later. Rows are never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "stock_landed_cost")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockLandedCostId,
    /// Short number given by the database, with gaps.
    pub number: i64,
    /// The receipt.
    pub entry_id: StockEntryId,
    /// What it was for.
    pub kind: Kind,
    /// How it was spread.
    pub method: Method,
    /// In the shop's currency; less than nothing when the receipt became cheaper.
    pub amount: Decimal,
    /// The paper behind it.
    pub document: Option<String>,
    /// What somebody has to say about it.
    pub description: Option<String>,
    /// When it arose.
    pub effective_at: DateTime<Utc>,
    /// When goldshop heard of it.
    pub recorded_at: DateTime<Utc>,
    /// `user` or `system`.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<Uuid>,
    /// Name of the user or the system.
    pub actor_name: String,
    /// The landed cost that it undoes.
    pub reverses_id: Option<StockLandedCostId>,
    /// Over how many lines it was spread.
    pub lines: i32,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
