//! Lines of holds.

use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, DimensionValueId, JournalHoldId, LocationId};

/// An amount on one side of an account that is going to be posted. Rows never change.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "journal_hold_line")]
pub struct Model {
    /// Of which hold.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hold_id: JournalHoldId,
    /// Which line of it, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub line: i32,
    /// Which account.
    pub account_id: AccountId,
    /// A commodity's code.
    pub commodity: String,
    /// Whether it is on the debit side, and not on the credit side.
    pub is_debit: bool,
    /// How much: above 0.
    pub amount: Decimal,
    /// Of how many, in whatever unit the account counts.
    pub quantity: Option<Decimal>,
    /// For which location.
    pub location_id: Option<LocationId>,
    /// For which subsidiary account of the account.
    pub subsidiary_id: Option<DimensionValueId>,
    /// For which cost centre.
    pub cost_center_id: Option<DimensionValueId>,
    /// For which project.
    pub project_id: Option<DimensionValueId>,
    /// What it is about, for people.
    pub description: Option<String>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
