//! What is known of an item's metal and stones.

use rust_decimal::Decimal;
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::{id::ItemId, metal_rate::Metal};

/// What a making charge is a multiple of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MakingMode {
    /// An amount for each piece.
    Fixed,
    /// An amount for each gram of net weight.
    PerGram,
    /// Percent of the value of the metal.
    Percent,
}

/// Stones of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stone {
    /// Such as `diamond`.
    pub kind: String,
    /// How many.
    pub count: i32,
    /// Of all of them together, in metric carats.
    pub carat_weight: Option<Decimal>,
}

/// All stones of an item. Stored as a JSON array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Stones(pub Vec<Stone>);

/// What is known of an item's metal. Weights are grams.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "item_metal")]
pub struct Model {
    /// Whose metal it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: ItemId,
    /// Which metal.
    pub metal: Metal,
    /// Parts per thousand.
    pub fineness: Decimal,
    /// Of the whole piece.
    pub gross_weight: Option<Decimal>,
    /// Of the metal alone.
    pub net_weight: Option<Decimal>,
    /// Of the stones alone.
    pub stone_weight: Option<Decimal>,
    /// What the making charge is a multiple of; present exactly when `making_value` is.
    pub making_mode: Option<MakingMode>,
    /// An amount in the currency of the item's pricing, or percent.
    pub making_value: Option<Decimal>,
    /// Its stones.
    #[sea_orm(column_type = "JsonBinary")]
    pub stones: Stones,
    /// Hallmark id: six letters and digits.
    pub huid: Option<String>,
    /// Number of its certificate.
    pub certificate_number: Option<String>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
