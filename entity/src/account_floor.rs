//! What accounts may not fall below.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    account::Side,
    id::{AccountFloorId, AccountId, DimensionValueId},
};

/// What an account, or one of its subsidiary accounts, keeps of a commodity, with what is held against it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "account_floor")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountFloorId,
    /// Of which account.
    pub account_id: AccountId,
    /// Of which of its subsidiary accounts; of all together without.
    pub subsidiary_id: Option<DimensionValueId>,
    /// A commodity's code.
    pub commodity: String,
    /// On which side it is counted.
    pub side: Side,
    /// The least that is there. Negative: the most on the other side.
    pub amount: Decimal,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
