//! Units in which quantities are counted or measured.

use rust_decimal::Decimal;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{id::UnitOfMeasureId, translations::Translations};

/// What a unit measures. Conversion is possible inside one dimension only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Pieces.
    Count,
    /// Base unit: gram.
    Mass,
    /// Base unit: metre.
    Length,
    /// Base unit: square metre.
    Area,
    /// Base unit: litre.
    Volume,
    /// Base unit: second.
    Time,
}

/// A unit and its exact factor to the base unit of its dimension.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "unit_of_measure")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UnitOfMeasureId,
    /// Stable name for machines, such as `gram`.
    pub code: String,
    /// Name for people.
    #[sea_orm(column_type = "JsonBinary")]
    pub name: Translations,
    /// What it measures.
    pub dimension: Dimension,
    /// One unit is `numerator / denominator` base units, exactly.
    pub numerator: Decimal,
    /// See `numerator`; never zero.
    pub denominator: Decimal,
    /// As people write it behind a number. Those that two units have are ambiguous.
    pub spellings: Vec<String>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
}

/// Units have no relations that SeaORM needs to know.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
