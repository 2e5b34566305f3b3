//! What amounts in the books are of.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// What sort of thing a commodity is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money: amounts are in its main unit.
    Currency,
    /// Metal: amounts are grams of fine weight.
    Metal,
    /// Anything else that others count in their books: amounts are of whatever they count.
    Other,
}

/// What amounts are of. Rows never change.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "commodity")]
pub struct Model {
    /// ISO 4217 code of a currency, or the English name of a metal, in capitals; or what others call what they count.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// What sort of thing it is.
    pub kind: Kind,
    /// How many digits amounts have behind the point at most.
    pub scale: i16,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
