//! The chart of accounts.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    dimension_value::Kind as DimensionKind, id::AccountId, ltree::Ltree, translations::Translations,
};

/// What an account is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What the business has.
    Asset,
    /// What it owes.
    Liability,
    /// What its owners have put into it, and what it has earned for them.
    Equity,
    /// What it earns.
    Revenue,
    /// What that costs.
    Expense,
}

impl Kind {
    /// The side on which accounts of this kind usually grow.
    #[must_use]
    pub fn normal_side(self) -> Side {
        match self {
            Self::Asset | Self::Expense => Side::Debit,
            Self::Liability | Self::Equity | Self::Revenue => Side::Credit,
        }
    }
}

/// A side of an account.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The left one.
    Debit,
    /// The right one.
    Credit,
}

/// An account, or a group of accounts.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "account")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountId,
    /// Short immutable number given by the database: the account's label in paths.
    pub number: i64,
    /// The group that it lies in; none for a root.
    pub parent_id: Option<AccountId>,
    /// Numbers of all ancestors, root first, and its own.
    #[sea_orm(
        column_type = "custom(\"ltree\")",
        select_as = "text",
        save_as = "ltree"
    )]
    pub path: Ltree,
    /// What bookkeepers call it: unique, upper case.
    pub code: String,
    /// Name for people.
    #[sea_orm(column_type = "JsonBinary")]
    pub name: Translations,
    /// What it is about. Never changes.
    pub kind: Kind,
    /// The side on which it usually grows.
    pub normal_side: Side,
    /// Whether it holds accounts, and is not posted to itself. Never changes.
    pub is_group: bool,
    /// The only commodity that is posted to it; any without.
    pub commodity: Option<String>,
    /// The account's key in somebody else's system.
    pub external_reference: Option<String>,
    /// Since when nothing is posted to it any more.
    pub archived_at: Option<DateTime<Utc>>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Of which kind the subsidiary accounts are that lines have to name; lines name none without.
    #[serde(default)]
    pub subsidiary_kind: Option<DimensionKind>,
    /// Whether there is something that it may not fall below. Kept by the database.
    #[serde(default)]
    pub has_floor: bool,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
