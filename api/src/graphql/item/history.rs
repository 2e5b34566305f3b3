//! What has become of an item, as clients see it.

use async_graphql::{Context, ID, Json, SimpleObject, connection::EmptyFields};
use chrono::{DateTime, Utc};
use domain::{
    attribute::Schema,
    item::{FieldChange, HistoryOf, ItemChanged},
};
use entity::id::{CategoryId, ItemId, ItemImageId, UnitOfMeasureId};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::graphql::{
    attribute::value,
    id::GlobalId,
    loader::{SchemaOf, load},
    page::{self, Connection},
};

/// A field that was changed.
#[derive(SimpleObject)]
pub struct ItemFieldChange {
    /// Which one, from the item inwards: `["price", "amount"]`, `["name", "fa"]`, `["attributes", "size"]`, `["options", "size"]`.
    path: Vec<String>,
    /// How it was; null when there was nothing. Decimals are texts.
    before: Option<Json<Value>>,
    /// How it was made; null when nothing was left.
    after: Option<Json<Value>>,
}

/// One change of an item.
#[derive(SimpleObject)]
pub struct ItemChange {
    /// When.
    at: DateTime<Utc>,
    /// The user who did it; null when goldshop did it itself.
    user_id: Option<ID>,
    /// The name of who did it, at that time.
    user_name: String,
    /// The request that it was part of.
    request_id: Option<String>,
    /// What was done, such as `item.update`.
    action: String,
    /// What is different since; empty when none of the item's own fields is, such as when another picture was added.
    fields: Vec<ItemFieldChange>,
}

impl ItemChange {
    fn new(changed: ItemChanged, schema: &Schema) -> Self {
        let ItemChanged {
            at,
            actor_id,
            actor_name,
            request_id,
            action,
            fields,
        } = changed;
        Self {
            at,
            user_id: actor_id.map(GlobalId::encode),
            user_name: actor_name,
            request_id,
            action,
            fields: fields
                .into_iter()
                .map(|field| ItemFieldChange::new(field, schema))
                .collect(),
        }
    }
}

impl ItemFieldChange {
    fn new(change: FieldChange, schema: &Schema) -> Self {
        let FieldChange {
            mut path,
            before,
            after,
        } = change;
        let shown = |kept: Option<Value>| kept.map(|kept| Json(shown(&path, kept, schema)));
        let (before, after) = (shown(before), shown(after));
        if let [field, key] = path.as_mut_slice()
            && matches!(field.as_str(), "attributes" | "options")
            && let Some(attribute) = schema.keyed(key)
        {
            key.clone_from(&attribute.attribute.name);
        }
        Self {
            path,
            before,
            after,
        }
    }
}

/// A value as clients know it elsewhere: ids as theirs, choices as in enums, attributes in their units, decimals without zeros behind.
fn shown(path: &[String], kept: Value, schema: &Schema) -> Value {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    match (path.as_slice(), kept) {
        (["attributes", key], kept) => attribute(key, kept, schema),
        (["options", key], Value::Array(choices)) => choices
            .into_iter()
            .map(|choice| attribute(key, choice, schema))
            .collect(),
        (["categoryId"], Value::String(id)) => global::<CategoryId>(id),
        (["unitId"], Value::String(id)) => global::<UnitOfMeasureId>(id),
        (["templateId"], Value::String(id)) => global::<ItemId>(id),
        (["primaryImageId"], Value::String(id)) => global::<ItemImageId>(id),
        (
            ["kind" | "tracking"]
            | ["metal", "metal" | "makingMode"]
            | ["pricing", "model" | "timeUnit"],
            Value::String(choice),
        ) => choice.to_uppercase().into(),
        (["price", "amount"] | ["metal" | "pricing", _], Value::String(text)) => decimal(text),
        (_, kept) => kept,
    }
}

fn attribute(key: &str, kept: Value, schema: &Schema) -> Value {
    if schema.keyed(key).is_none() {
        return kept;
    }
    let one = Map::from_iter([(key.to_owned(), kept.clone())]);
    match value::output(schema, &one) {
        Value::Object(shown) => shown.into_iter().next().map_or(kept, |(_, it)| it),
        other => other,
    }
}

fn global<Id: GlobalId>(id: String) -> Value {
    match Uuid::try_parse(&id) {
        Ok(uuid) => Id::from(uuid).encode().0.into(),
        Err(_no_id) => id.into(),
    }
}

/// Trailing zeros are the column's.
fn decimal(text: String) -> Value {
    match text.parse::<rust_decimal::Decimal>() {
        Ok(decimal) if text.contains('.') => decimal.normalize().to_string().into(),
        _ => text.into(),
    }
}

/// A page of an item's history.
///
/// # Errors
/// The domain's error, translated.
pub(super) async fn page(
    ctx: &Context<'_>,
    part: HistoryOf,
    category: CategoryId,
) -> async_graphql::Result<Connection<ItemChange>> {
    let rows = load(ctx, part).await?.unwrap_or_default();
    let schema = load(ctx, SchemaOf(category)).await?.unwrap_or_default();
    Ok(page::connection(rows, EmptyFields, |row| {
        ItemChange::new(row, &schema)
    }))
}
