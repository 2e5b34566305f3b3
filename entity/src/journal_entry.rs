//! Entries of the books: lines that were posted at once.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{FiscalYearId, JournalEntryId};

/// What sort of entry it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What happened.
    General,
    /// Undoes another entry.
    Reversal,
    /// What there was when the books began.
    Opening,
    /// Ends a fiscal year.
    Closing,
    /// Follows from what happened in stock.
    Stock,
    /// Brings what accounts are carried at to what they are worth.
    Revaluation,
}

/// Lines that were posted at once. Rows never change.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "journal_entry")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JournalEntryId,
    /// In which fiscal year.
    pub fiscal_year_id: FiscalYearId,
    /// From 1 on in each fiscal year, without gaps.
    pub number: i64,
    /// When it happened.
    pub date: NaiveDate,
    /// What sort of entry it is.
    pub kind: Kind,
    /// What it is about, for people.
    pub description: Option<String>,
    /// The type of what it was posted for, such as an invoice.
    pub document_type: Option<String>,
    /// The id or the number of that.
    pub document_id: Option<String>,
    /// The entry that it undoes.
    pub reverses_id: Option<JournalEntryId>,
    /// How many lines it has.
    pub lines: i32,
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
