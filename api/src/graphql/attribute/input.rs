//! What clients say about attributes, and how the domain takes it.

use async_graphql::{Enum, ID, InputObject, Json, MaybeUndefined};
use domain::attribute::{AttributeChange, Manner, NewAttribute, NewOption, OnInvalid};
use entity::id::{AttributeId, CategoryId, UnitOfMeasureId};
use serde_json::Value;

use super::{AttributeRefersTo, AttributeType, value};
use crate::graphql::{
    category::patch,
    id::GlobalId,
    translation::{self, Translation},
};

/// What becomes of items that would not be valid any more.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "OnInvalid")]
pub enum AttributeOnInvalid {
    /// The change is refused.
    Refuse,
    /// They stay as they are, and must be mended when their attributes are changed the next time.
    Keep,
}

/// One of the values to choose from.
#[derive(InputObject)]
pub struct AttributeOptionInput {
    /// What items keep: at most 100 characters, without `|`.
    value: String,
    /// What people read; the value itself without.
    #[graphql(default)]
    label: Vec<Translation>,
}

/// An attribute to be.
#[derive(InputObject)]
pub struct AttributeCreateInput {
    /// Which category declares it, for itself and everything below it.
    category_id: ID,
    /// Its name for programs: lower case letters, digits and `_`, at most 63. With the name of an attribute of a category above it
    /// narrows that one down.
    name: String,
    /// Its name for people, in at least one language.
    label: Vec<Translation>,
    /// What its values are; never changes.
    #[graphql(name = "type")]
    kind: AttributeType,
    /// In what a decimal is written and shown. Items keep the base unit of its dimension.
    unit_id: Option<ID>,
    /// What a reference leads to; needed for references.
    refers_to: Option<AttributeRefersTo>,
    /// Whether each item must have a value.
    #[graphql(default)]
    required: bool,
    /// Whether no two items may have the same value; never changes. Only of texts, numbers, decimals and dates.
    #[graphql(default)]
    unique: bool,
    /// Whether its values are to be found by words.
    #[graphql(default)]
    searchable: bool,
    /// Whether lists are to be narrowed down by it.
    #[graphql(default)]
    facet: bool,
    /// The value of an item that is created without one.
    default: Option<Json<Value>>,
    /// Smallest number or day, or fewest characters of a text; a decimal in the attribute's unit, or with a unit's code behind it.
    min: Option<String>,
    /// Largest number or day, or most characters of a text; a decimal in the attribute's unit, or with a unit's code behind it.
    max: Option<String>,
    /// A regular expression that a whole text must match, at most 500 characters.
    pattern: Option<String>,
    /// What an enum is chosen from, at most 500.
    #[graphql(default)]
    options: Vec<AttributeOptionInput>,
    /// Order among the attributes of its category; last without.
    position: Option<i32>,
    /// What becomes of items that would not be valid any more.
    #[graphql(default_with = "AttributeOnInvalid::Refuse")]
    on_invalid: AttributeOnInvalid,
    /// Changes nothing, and tells what would become of the items that are there.
    #[graphql(default)]
    dry_run: bool,
    /// Makes sending the same request again harmless.
    pub(super) idempotency_key: Option<String>,
}

/// A change of an attribute. What is not given stays; null clears.
#[derive(InputObject)]
pub struct AttributeUpdateInput {
    /// Which attribute.
    pub(super) id: ID,
    /// Its name for programs. Items are not touched by another name.
    name: Option<String>,
    /// Its name for people in all languages.
    label: Option<Vec<Translation>>,
    /// In what a decimal is written and shown: another unit of the same dimension.
    unit_id: MaybeUndefined<ID>,
    /// Whether each item must have a value.
    required: Option<bool>,
    /// Whether its values are to be found by words.
    searchable: Option<bool>,
    /// Whether lists are to be narrowed down by it.
    facet: Option<bool>,
    /// The value of an item that is created without one.
    default: MaybeUndefined<Json<Value>>,
    /// Smallest number or day, or fewest characters of a text.
    min: MaybeUndefined<String>,
    /// Largest number or day, or most characters of a text.
    max: MaybeUndefined<String>,
    /// A regular expression that a whole text must match.
    pattern: MaybeUndefined<String>,
    /// All values to choose from.
    options: Option<Vec<AttributeOptionInput>>,
    /// Order among the attributes of its category.
    position: Option<i32>,
    /// What becomes of items that would not be valid any more.
    #[graphql(default_with = "AttributeOnInvalid::Refuse")]
    on_invalid: AttributeOnInvalid,
    /// Changes nothing, and tells what would become of the items that are there.
    #[graphql(default)]
    dry_run: bool,
    /// Refuse when the attribute's version is another.
    pub(super) expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    pub(super) idempotency_key: Option<String>,
}

/// An attribute to be taken out of use.
#[derive(InputObject)]
pub struct AttributeRetireInput {
    /// Which attribute.
    pub(super) id: ID,
    /// Refuse when the attribute's version is another.
    pub(super) expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    pub(super) idempotency_key: Option<String>,
}

/// An attribute to be taken into use again.
#[derive(InputObject)]
pub struct AttributeRestoreInput {
    /// Which attribute.
    pub(super) id: ID,
    /// What becomes of items that would not be valid any more.
    #[graphql(default_with = "AttributeOnInvalid::Refuse")]
    on_invalid: AttributeOnInvalid,
    /// Changes nothing, and tells what would become of the items that are there.
    #[graphql(default)]
    dry_run: bool,
    /// Refuse when the attribute's version is another.
    pub(super) expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    pub(super) idempotency_key: Option<String>,
}

fn options(options: Vec<AttributeOptionInput>) -> domain::Result<Vec<NewOption>> {
    let option = |(index, option): (usize, AttributeOptionInput)| {
        let AttributeOptionInput { value, label } = option;
        let label = translation::input(&format!("options.{index}.label"), label)?;
        Ok(NewOption { value, label })
    };
    options.into_iter().enumerate().map(option).collect()
}

impl AttributeCreateInput {
    /// As the domain takes it.
    pub(super) fn parse(self) -> domain::Result<(NewAttribute, Manner)> {
        let Self {
            category_id,
            name,
            label,
            kind,
            unit_id,
            refers_to,
            required,
            unique,
            searchable,
            facet,
            default,
            min,
            max,
            pattern,
            options: choices,
            position,
            on_invalid,
            dry_run,
            idempotency_key: _,
        } = self;
        let new = NewAttribute {
            category_id: CategoryId::parse("categoryId", &category_id)?,
            name,
            label: translation::input("label", label)?,
            kind: kind.into(),
            unit_id: unit_id
                .map(|id| UnitOfMeasureId::parse("unitId", &id))
                .transpose()?,
            refers_to: refers_to.map(Into::into),
            required,
            is_unique: unique,
            searchable,
            facet,
            initial: default.map(|default| value::input(default.0)),
            min,
            max,
            pattern,
            options: options(choices)?,
            position,
        };
        Ok((new, manner(on_invalid, dry_run)))
    }
}

impl AttributeUpdateInput {
    /// As the domain takes it.
    pub(super) fn parse(self) -> domain::Result<(AttributeId, AttributeChange, Manner)> {
        let Self {
            id,
            name,
            label,
            unit_id,
            required,
            searchable,
            facet,
            default,
            min,
            max,
            pattern,
            options: choices,
            position,
            on_invalid,
            dry_run,
            expected_version: _,
            idempotency_key: _,
        } = self;
        let change = AttributeChange {
            name,
            label: label
                .map(|label| translation::input("label", label))
                .transpose()?,
            unit_id: patch(unit_id).try_map(|id| UnitOfMeasureId::parse("unitId", &id))?,
            required,
            searchable,
            facet,
            initial: patch(default.map_value(|default| value::input(default.0))),
            min: patch(min),
            max: patch(max),
            pattern: patch(pattern),
            options: choices.map(options).transpose()?,
            position,
        };
        Ok((
            AttributeId::parse("id", &id)?,
            change,
            manner(on_invalid, dry_run),
        ))
    }
}

impl AttributeRestoreInput {
    /// Which attribute, and how.
    pub(super) fn parse(&self) -> domain::Result<(AttributeId, Manner)> {
        let id = AttributeId::parse("id", &self.id)?;
        Ok((id, manner(self.on_invalid, self.dry_run)))
    }
}

fn manner(on_invalid: AttributeOnInvalid, dry_run: bool) -> Manner {
    let on_invalid = on_invalid.into();
    Manner {
        on_invalid,
        dry_run,
    }
}
