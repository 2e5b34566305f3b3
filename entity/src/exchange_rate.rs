//! What commodities are worth in the shop's currency.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::ExchangeRateId;

/// What one of a commodity is worth in the shop's currency, from a day on. Rows never change.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "exchange_rate")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExchangeRateId,
    /// A commodity's code.
    pub commodity: String,
    /// From which day on.
    pub date: NaiveDate,
    /// How much of the shop's currency: above 0.
    pub rate: Decimal,
    /// Where it comes from.
    pub source: Option<String>,
    /// When goldshop heard of it.
    pub recorded_at: DateTime<Utc>,
    /// `user` or `system`.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<Uuid>,
    /// Name of the user or the system.
    pub actor_name: String,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
