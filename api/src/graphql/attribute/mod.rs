//! Attributes that categories declare, and what items have of them.

pub mod input;
pub mod mutation;
pub mod value;

use async_graphql::{ComplexObject, Context, Enum, ID, Json, SimpleObject};
use chrono::{DateTime, Utc};
use domain::attribute::{Attribute as Row, AttributeOption as OptionRow, Units};
use entity::id::CategoryId;
use serde_json::Value;

pub use mutation::AttributeMutation;

use super::{
    category::Category,
    context::ContextExt,
    id::GlobalId,
    loader::load,
    translation::{self, Translation},
    unit_of_measure::UnitOfMeasure,
};

/// What values of an attribute are.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::attribute::Kind", name = "AttributeType")]
pub enum AttributeType {
    /// Any text, at most 1,000 characters.
    Text,
    /// A whole number.
    Number,
    /// An exact number, in a unit or without; written as text.
    Decimal,
    /// Yes or no.
    Boolean,
    /// A day, as `YYYY-MM-DD`.
    Date,
    /// One of the options.
    Enum,
    /// Several of the options.
    MultiEnum,
    /// Another row.
    Reference,
}

/// What a reference leads to.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::attribute::RefersTo")]
pub enum AttributeRefersTo {
    /// An item.
    Item,
    /// A category.
    Category,
}

/// One of the values to choose from.
#[derive(SimpleObject)]
pub struct AttributeOption {
    /// What items keep.
    value: String,
    /// What people read, in the viewer's language.
    label: String,
    /// What people read, in every language there is.
    label_translations: Vec<Translation>,
}

/// An attribute that a category declares for its items and those below it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Attribute {
    /// Opaque id.
    pub id: ID,
    /// Its name for programs: in files, in filters, and in `Item.attributes`.
    name: String,
    /// Its name in the viewer's language.
    label: String,
    /// What its values are.
    #[graphql(name = "type")]
    kind: AttributeType,
    /// What a reference leads to; none of other types.
    refers_to: Option<AttributeRefersTo>,
    /// Whether each item must have a value.
    required: bool,
    /// Whether no two items may have the same value.
    unique: bool,
    /// Whether its values are to be found by words.
    searchable: bool,
    /// Whether lists are to be narrowed down by it.
    facet: bool,
    /// The value of an item that is created without one; none when it then has none.
    default: Option<Json<Value>>,
    /// Smallest number or day, or fewest characters of a text. With the unit's code where it is not the attribute's unit.
    min: Option<String>,
    /// Largest number or day, or most characters of a text. With the unit's code where it is not the attribute's unit.
    max: Option<String>,
    /// A regular expression that a whole text must match.
    pattern: Option<String>,
    /// What is chosen from, in order; empty unless it is an enum.
    options: Vec<AttributeOption>,
    /// Order among the attributes of its category.
    position: i32,
    /// Since when it takes no values; none while it is in use.
    retired_at: Option<DateTime<Utc>>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was declared.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    labels: entity::translations::Translations,
    #[graphql(skip)]
    category_id: CategoryId,
    #[graphql(skip)]
    unit: Option<domain::unit_of_measure::UnitOfMeasure>,
}

impl Attribute {
    /// As the viewer sees it.
    #[must_use]
    pub fn new(ctx: &Context<'_>, row: &Row, units: &Units) -> Self {
        let locale = ctx.viewer().locale.as_str();
        let shown = |kept: &Option<String>| kept.as_ref().map(|kept| bound(row, kept, units));
        let Row {
            id,
            category_id,
            key: _,
            name,
            label,
            kind,
            unit_id,
            refers_to,
            required,
            is_unique,
            searchable,
            facet,
            initial,
            min,
            max,
            pattern,
            options,
            position,
            retired_at,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id: id.encode(),
            name: name.clone(),
            label: label.in_locale(locale).to_owned(),
            kind: (*kind).into(),
            refers_to: refers_to.map(Into::into),
            required: *required,
            unique: *is_unique,
            searchable: *searchable,
            facet: *facet,
            default: initial
                .as_ref()
                .map(|initial| Json(units.shown(row, initial))),
            min: shown(min),
            max: shown(max),
            pattern: pattern.clone(),
            options: options
                .0
                .iter()
                .map(|option| AttributeOption::new(locale, option))
                .collect(),
            position: *position,
            retired_at: *retired_at,
            version: *version,
            created_at: *created_at,
            updated_at: *updated_at,
            labels: label.clone(),
            category_id: *category_id,
            unit: unit_id.and_then(|id| units.by_id(id)).cloned(),
        }
    }
}

impl AttributeOption {
    fn new(locale: &str, option: &OptionRow) -> Self {
        let OptionRow { value, label } = option;
        Self {
            value: value.clone(),
            label: label.in_locale(locale).to_owned(),
            label_translations: translation::output(label),
        }
    }
}

/// A bound in the attribute's unit, as it can be written again.
fn bound(row: &Row, kept: &str, units: &Units) -> String {
    let kept = Value::String(kept.to_owned());
    match units.shown(row, &kept) {
        Value::String(text) => text,
        other => {
            let part = |name: &str| other[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}", part("value"), part("unit"))
        }
    }
}

#[ComplexObject]
impl Attribute {
    /// Its name in every language there is.
    async fn label_translations(&self) -> Vec<Translation> {
        translation::output(&self.labels)
    }

    /// The category that declares it: that of the schema's owner, or one above.
    async fn category(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Category>> {
        let row = load(ctx, self.category_id).await?;
        Ok(row.map(|row| Category::new(ctx, row)))
    }

    /// In what its decimals are written and shown; none when they have no unit.
    async fn unit(&self, ctx: &Context<'_>) -> Option<UnitOfMeasure> {
        self.unit.clone().map(|row| UnitOfMeasure::new(ctx, row))
    }
}
