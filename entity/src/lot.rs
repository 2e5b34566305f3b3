//! Lots: pieces of an item that belong together; a serial is a lot of one piece.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{ItemId, LotId};

/// How many pieces a lot may have.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any number of pieces.
    Lot,
    /// One piece, known by its serial number.
    Serial,
}

/// Whether what is of a lot may be sold.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It may.
    Available,
    /// It may not: it is looked into, or was called back.
    Quarantined,
}

/// Pieces of an item that belong together.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "lot")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LotId,
    /// Of which item.
    pub item_id: ItemId,
    /// How many pieces it may have.
    pub kind: Kind,
    /// Lot or serial number: unique for the item, upper case.
    pub number: String,
    /// Last day on which it is good.
    pub expires_on: Option<NaiveDate>,
    /// Parts per thousand.
    pub fineness: Option<Decimal>,
    /// Grams of one piece, stones included.
    pub gross_weight: Option<Decimal>,
    /// Grams of one piece, without stones.
    pub net_weight: Option<Decimal>,
    /// What one unit of it has cost.
    pub unit_cost: Option<Decimal>,
    /// Hallmark id: six letters and digits, unique. Of serials only.
    pub huid: Option<String>,
    /// Number of its certificate.
    pub certificate_number: Option<String>,
    /// Whether it may be sold.
    pub state: State,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was first known.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
