//! How items are priced that have no fixed price.

use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::ItemId;

/// How a price is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum PricingModel {
    /// From the weight of its metal and the metal's rate.
    WeightBased,
    /// From the time it takes.
    TimeBased,
    /// By a formula.
    Formula,
}

/// The time that a rate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
}

/// How an item is priced. Which columns are filled depends on `model`, and the database keeps it so.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "item_pricing")]
pub struct Model {
    /// Whose pricing it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: ItemId,
    /// How the price is found.
    pub model: PricingModel,
    /// ISO 4217 code.
    pub currency: String,
    /// Weight-based: profit in percent of metal and making charge.
    pub profit_percent: Option<Decimal>,
    /// Weight-based: the least that a piece costs.
    pub minimum_price: Option<Decimal>,
    /// Time-based: price of one `time_unit`.
    pub time_rate: Option<Decimal>,
    /// Time-based.
    pub time_unit: Option<TimeUnit>,
    /// Time-based: the least that is charged, in `time_unit`.
    pub minimum_duration: Option<Decimal>,
    /// Time-based: what is charged is a multiple of this, in `time_unit`.
    pub duration_step: Option<Decimal>,
    /// Formula: its text.
    pub formula: Option<String>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
