//! What is said once for the whole shop.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// What is said once for the whole shop. One row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "shop")]
pub struct Model {
    /// Always true.
    #[sea_orm(primary_key, auto_increment = false)]
    pub singleton: bool,
    /// In which everything is valued: an ISO 4217 code.
    pub currency: String,
    /// Digits behind the point of its smallest unit.
    pub currency_scale: i16,
    /// Where its days begin and end: an IANA name.
    pub time_zone: String,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
