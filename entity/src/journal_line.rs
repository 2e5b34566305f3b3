//! Lines of entries of the books.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, DimensionValueId, JournalEntryId, LocationId};

/// An amount on one side of an account. Rows never change.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "journal_line")]
pub struct Model {
    /// Of which entry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry_id: JournalEntryId,
    /// Which line of it, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub line: i32,
    /// Which account.
    pub account_id: AccountId,
    /// Of what the amount is: a commodity's code.
    pub commodity: String,
    /// Whether it is on the debit side, and not on the credit side.
    pub is_debit: bool,
    /// How much: above 0, and no finer than the commodity.
    pub amount: Decimal,
    /// The same in the shop's currency, where the commodity is another one and a rate was known.
    pub base_amount: Option<Decimal>,
    /// Of how many, in whatever unit the account counts.
    pub quantity: Option<Decimal>,
    /// For which location.
    pub location_id: Option<LocationId>,
    /// What it is about, for people.
    pub description: Option<String>,
    /// The entry's date.
    pub date: NaiveDate,
    /// The entry's number.
    pub number: i64,
    /// For which subsidiary account of the account.
    pub subsidiary_id: Option<DimensionValueId>,
    /// For which cost centre.
    pub cost_center_id: Option<DimensionValueId>,
    /// For which project.
    pub project_id: Option<DimensionValueId>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
