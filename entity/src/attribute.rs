//! Attributes that categories declare for their items.

use chrono::{DateTime, Utc};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::{
    id::{AttributeId, CategoryId, UnitOfMeasureId},
    translations::Translations,
};

/// What values of an attribute are.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// An exact number, in a unit or without.
    Decimal,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// One of some options.
    Enum,
    /// Several of some options.
    MultiEnum,
    /// Another row.
    Reference,
}

/// What a reference leads to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum RefersTo {
    /// An item.
    Item,
    /// A category.
    Category,
}

/// One of the values to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeOption {
    /// What items keep.
    pub value: String,
    /// What people read.
    pub label: Translations,
}

/// All values to choose from, in their order. Stored as a JSON array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct AttributeOptions(pub Vec<AttributeOption>);

/// An attribute, as one category declares it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "attribute")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttributeId,
    /// Which category declares it.
    pub category_id: CategoryId,
    /// Under which items keep their values; never changes.
    pub key: String,
    /// Its name for programs.
    pub name: String,
    /// Its name for people.
    #[sea_orm(column_type = "JsonBinary")]
    pub label: Translations,
    /// What its values are.
    pub kind: Kind,
    /// In what a decimal is written and shown.
    pub unit_id: Option<UnitOfMeasureId>,
    /// What a reference leads to.
    pub refers_to: Option<RefersTo>,
    /// Whether each item must have a value.
    pub required: bool,
    /// Whether no two items may have the same value.
    pub is_unique: bool,
    /// Whether its values are to be found by words.
    pub searchable: bool,
    /// Whether lists are to be narrowed down by it.
    pub facet: bool,
    /// The value of an item that is created without one, as items keep it.
    #[sea_orm(column_type = "JsonBinary")]
    pub initial: Option<Json>,
    /// Smallest value, as items keep it; of a text its length.
    pub min: Option<String>,
    /// Largest value, as items keep it; of a text its length.
    pub max: Option<String>,
    /// A regular expression that a whole text must match.
    pub pattern: Option<String>,
    /// What an enum is chosen from.
    #[sea_orm(column_type = "JsonBinary")]
    pub options: AttributeOptions,
    /// Order among the attributes of its category.
    pub position: i32,
    /// Since when no new value is taken.
    pub retired_at: Option<DateTime<Utc>>,
    /// Counts changes, for optimistic locking.
    pub version: i64,
    /// When it was declared.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Joins are written out where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
