//! Lines of drafts.

use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, DimensionValueId, JournalDraftId, LocationId};

/// What is known of a line of an entry that is being prepared.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "journal_draft_line")]
pub struct Model {
    /// Of which draft.
    #[sea_orm(primary_key, auto_increment = false)]
    pub draft_id: JournalDraftId,
    /// Which line of it, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub line: i32,
    /// Which account.
    pub account_id: Option<AccountId>,
    /// A commodity's code; the shop's currency without.
    pub commodity: Option<String>,
    /// Whether it is on the debit side, and not on the credit side; nothing as long as there is no amount.
    pub is_debit: Option<bool>,
    /// How much: above 0.
    pub amount: Option<Decimal>,
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
