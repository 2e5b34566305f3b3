//! Exchange rates: what a currency is worth on a day.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::ExchangeRateId;

/// What one of a currency is worth on a day. Rows are never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "exchange_rate")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExchangeRateId,
    /// Of which currency: ISO 4217 code.
    pub currency: String,
    /// In which currency: the shop's, when it was recorded.
    pub base_currency: String,
    /// From which day on it holds, until the next one does.
    pub date: NaiveDate,
    /// How much one is worth: above 0.
    pub rate: Decimal,
    /// Where it comes from.
    pub source: String,
    /// When it was recorded.
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
