//! Metal rates: what a gram costs, from when on.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::MetalRateId;

/// A precious metal.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Metal {
    /// Au.
    Gold,
    /// Ag.
    Silver,
    /// Pt.
    Platinum,
    /// Pd.
    Palladium,
}

/// What a gram of metal costs. Rows are never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "metal_rate")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MetalRateId,
    /// Of which metal.
    pub metal: Metal,
    /// Of which fineness, in parts per thousand.
    pub fineness: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// Price of one gram of that fineness.
    pub price_per_gram: Decimal,
    /// From when on it holds, until the next one does.
    pub effective_at: DateTime<Utc>,
    /// Where it comes from.
    pub source: String,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
