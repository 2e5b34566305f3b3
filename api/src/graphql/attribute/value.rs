//! Values of attributes as clients write and read them.

use std::sync::Arc;

use async_graphql::{Context, ID, Json, Object};
use domain::attribute::{Attribute as Row, Kind, RefersTo, Schema};
use domain::locale::Locale;
use entity::id::{CategoryId, ItemId};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Attribute;
use crate::graphql::{
    context::ContextExt,
    decimal::Decimal,
    error::OrGraphql,
    id::{GlobalId, decode},
};

/// What a client wrote, with the ids of rows as the domain knows them.
#[must_use]
pub fn input(written: Value) -> Value {
    match written {
        Value::Object(parts) => Value::Object(parts.into_iter().map(part).collect()),
        other => other,
    }
}

/// `{"id": …}` names the row that a reference leads to.
fn part((name, value): (String, Value)) -> (String, Value) {
    let id = value.as_str().filter(|_| name == "id").map(ID::from);
    match id.and_then(|id| decode(&id)) {
        Some((_, uuid)) => (name, Value::String(uuid.to_string())),
        None => (name, value),
    }
}

/// What a client wrote of several attributes.
#[must_use]
pub fn inputs(written: Value) -> Value {
    match written {
        Value::Object(values) => Value::Object(
            values
                .into_iter()
                .map(|(name, value)| (name, input(value)))
                .collect(),
        ),
        other => other,
    }
}

/// What an item has, as it can be written again.
#[must_use]
pub fn output(schema: &Schema, kept: &Map<String, Value>) -> Value {
    let mut shown = schema.shown(kept);
    for it in schema.in_use() {
        let row = &it.attribute;
        if let (Some(refers_to), Some(value)) = (row.refers_to, shown.get_mut(&row.name)) {
            *value = reference(refers_to, value);
        }
    }
    Value::Object(shown)
}

fn reference(refers_to: RefersTo, kept: &Value) -> Value {
    let Some(uuid) = kept.as_str().and_then(|id| Uuid::try_parse(id).ok()) else {
        return kept.clone();
    };
    let id = match refers_to {
        RefersTo::Item => ItemId(uuid).encode(),
        RefersTo::Category => CategoryId(uuid).encode(),
    };
    json!({ "id": id.as_str() })
}

/// What an item has of one attribute.
pub struct AttributeValue {
    schema: Arc<Schema>,
    place: usize,
    kept: Value,
}

impl AttributeValue {
    /// All values of an item, in the order of its category's attributes.
    #[must_use]
    pub fn all(schema: &Arc<Schema>, kept: &Map<String, Value>) -> Vec<Self> {
        let places = schema.all().iter().enumerate();
        let in_use = places.filter(|(_, it)| it.attribute.retired_at.is_none());
        in_use
            .filter_map(|(place, it)| {
                let kept = kept.get(&it.attribute.key)?.clone();
                Some(Self {
                    schema: Arc::clone(schema),
                    place,
                    kept,
                })
            })
            .collect()
    }

    fn row(&self) -> &Row {
        &self.schema.all()[self.place].attribute
    }
}

/// What an item has of one attribute.
#[Object]
impl AttributeValue {
    /// Of which attribute.
    async fn attribute(&self, ctx: &Context<'_>) -> Attribute {
        Attribute::new(ctx, self.row(), self.schema.units())
    }

    /// The value as it can be written again: decimals as texts in the attribute's unit, a row as `{"id": …}`.
    async fn value(&self) -> Json<Value> {
        let row = self.row();
        Json(match row.refers_to {
            Some(refers_to) => reference(refers_to, &self.kept),
            None => self.schema.units().shown(row, &self.kept),
        })
    }

    /// A decimal in the unit that is asked for, rounded at 12 places where it has more; none for other types.
    async fn amount(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Code of the unit; the attribute's own without.")] unit: Option<String>,
    ) -> async_graphql::Result<Option<Decimal>> {
        let units = self.schema.units();
        let amount = units.in_unit(self.row(), &self.kept, unit.as_deref());
        Ok(amount.or_graphql(ctx.viewer())?.map(Decimal))
    }

    /// The value as people read it, in the viewer's language: options by their labels, decimals with their unit.
    async fn text(&self, ctx: &Context<'_>) -> String {
        text(&self.schema, self.row(), &self.kept, ctx.viewer().locale)
    }
}

/// A kept value as people read it.
#[must_use]
pub fn text(schema: &Schema, row: &Row, kept: &Value, locale: Locale) -> String {
    match (kept, row.kind) {
        (Value::String(text), Kind::Enum) => label(row, locale.as_str(), text),
        (Value::Array(values), Kind::MultiEnum) => {
            let values = values.iter().filter_map(Value::as_str);
            let labels: Vec<_> = values.map(|it| label(row, locale.as_str(), it)).collect();
            labels.join(list_separator(locale))
        }
        (Value::Bool(value), _) => yes_or_no(locale, *value).to_owned(),
        (kept, Kind::Decimal) => with_unit(row, kept, schema, locale.as_str()),
        (Value::String(text), _) => text.clone(),
        (other, _) => other.to_string(),
    }
}

/// An option as people read it.
#[must_use]
pub fn label(row: &Row, locale: &str, value: &str) -> String {
    let option = row.options.0.iter().find(|option| option.value == value);
    option
        .map_or(value, |option| option.label.in_locale(locale))
        .to_owned()
}

fn list_separator(locale: Locale) -> &'static str {
    match locale {
        Locale::En => ", ",
        Locale::Fa => "، ",
    }
}

/// A truth value as people read it.
#[must_use]
pub fn yes_or_no(locale: Locale, value: bool) -> &'static str {
    match (locale, value) {
        (Locale::En, true) => "yes",
        (Locale::En, false) => "no",
        (Locale::Fa, true) => "بله",
        (Locale::Fa, false) => "خیر",
    }
}

fn with_unit(row: &Row, kept: &Value, schema: &Schema, locale: &str) -> String {
    let units = schema.units();
    let (number, unit) = match units.shown(row, kept) {
        Value::String(number) => (number, row.unit_id.and_then(|id| units.by_id(id))),
        other => {
            let number = other["value"].as_str().unwrap_or_default().to_owned();
            (
                number,
                other["unit"].as_str().and_then(|code| units.named(code)),
            )
        }
    };
    match unit {
        Some(unit) => format!("{number} {}", unit.name.in_locale(locale)),
        None => number,
    }
}
