//! What lines of the books are about besides their account: subsidiary accounts, cost centres and projects.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{id::DimensionValueId, translations::Translations};

/// What sort of thing it is. The first four are subsidiary accounts, the others dimensions of their own.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A customer, a supplier, or both.
    Party,
    /// An account with a bank.
    Bank,
    /// Somebody who works here.
    Employee,
    /// Anything else that has a ledger of its own.
    Other,
    /// A part of the business that costs and earns.
    CostCenter,
    /// Something that is done once, and costs and earns.
    Project,
}

impl Kind {
    /// Whether it is a subsidiary account: accounts demand one of a kind.
    #[must_use]
    pub fn is_subsidiary(self) -> bool {
        match self {
            Self::Party | Self::Bank | Self::Employee | Self::Other => true,
            Self::CostCenter | Self::Project => false,
        }
    }
}

/// A subsidiary account, a cost centre or a project.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "dimension_value")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DimensionValueId,
    /// What sort of thing it is. Never changes.
    pub kind: Kind,
    /// What bookkeepers call it: upper case, unique among subsidiary accounts, cost centres or projects.
    pub code: String,
    /// Name for people.
    #[sea_orm(column_type = "JsonBinary")]
    pub name: Translations,
    /// Its key in somebody else's system.
    pub external_reference: Option<String>,
    /// Since when nothing is posted to it any more.
    pub archived_at: Option<DateTime<Utc>>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
