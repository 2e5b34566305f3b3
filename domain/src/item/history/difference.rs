//! What is different between an item as it was and as it is, field by field.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// A field that is another than before.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// From the item inwards, as clients name it: `name`, `en`. Attributes are named by their keys.
    pub path: Vec<String>,
    /// How it was; none when there was nothing.
    pub before: Option<Value>,
    /// How it is; none when there is nothing.
    pub after: Option<Value>,
}

/// What tells an item apart, counts its changes, follows from another field, or is ours alone.
const SILENT: [&str; 9] = [
    "id",
    "version",
    "created_at",
    "updated_at",
    "search",
    "variant_options",
    "qr_svg_key",
    "qr_png_key",
    "item_id",
];

/// Decimals, which are the same with more zeros behind.
const DECIMALS: [&str; 11] = [
    "price_amount",
    "fineness",
    "gross_weight",
    "net_weight",
    "stone_weight",
    "making_value",
    "profit_percent",
    "minimum_price",
    "time_rate",
    "minimum_duration",
    "duration_step",
];

/// What is different, in the order of the fields' names. Something new is different from nothing.
pub(super) fn between(before: Option<&Value>, after: Option<&Value>) -> Vec<FieldChange> {
    let (before, after) = (members(before), members(after));
    let mut changes = Vec::new();
    for column in names(before, after) {
        let (was, is) = (said(before, column), said(after, column));
        if SILENT.contains(&column) || is_same(column, was, is) {
            continue;
        }
        match column {
            "price_amount" | "price_currency" => {
                let member = column.trim_start_matches("price_");
                changes.push(change(["price", member], was, is));
            }
            "name" | "description" | "attributes" | "options" | "metal" | "pricing" => {
                changes.extend(inside(column, was, is));
            }
            _ => changes.push(change([&camel_case(column)], was, is)),
        }
    }
    changes
}

/// What is different inside a field.
fn inside(column: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<FieldChange> {
    let (before, after) = (members(before), members(after));
    // Languages and attributes are called what people call them.
    let is_column = matches!(column, "metal" | "pricing");
    let mut changes = Vec::new();
    for name in names(before, after) {
        let (was, is) = (said(before, name), said(after, name));
        if is_column && SILENT.contains(&name) || is_same(name, was, is) {
            continue;
        }
        changes.push(if is_column {
            change([column, &camel_case(name)], was, is)
        } else {
            change([column, name], was, is)
        });
    }
    changes
}

fn change<const N: usize>(
    path: [&str; N],
    before: Option<&Value>,
    after: Option<&Value>,
) -> FieldChange {
    FieldChange {
        path: path.map(str::to_owned).into(),
        before: before.cloned(),
        after: after.cloned(),
    }
}

fn members(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

fn names<'a>(
    before: Option<&'a Map<String, Value>>,
    after: Option<&'a Map<String, Value>>,
) -> BTreeSet<&'a str> {
    let both = before.into_iter().chain(after);
    both.flat_map(Map::keys).map(String::as_str).collect()
}

/// What is there; null and what is empty are nothing.
fn said<'a>(members: Option<&'a Map<String, Value>>, name: &str) -> Option<&'a Value> {
    let value = members?.get(name)?;
    let is_nothing = match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    (!is_nothing).then_some(value)
}

fn is_same(column: &str, before: Option<&Value>, after: Option<&Value>) -> bool {
    let decimal = |value: Option<&Value>| value?.as_str()?.parse::<Decimal>().ok();
    let is_equal = || decimal(before).is_some_and(|was| Some(was) == decimal(after));
    before == after || DECIMALS.contains(&column) && is_equal()
}

fn camel_case(column: &str) -> String {
    let mut words = column.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        name + initial.to_uppercase().as_str() + rest
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<(String, Value, Value)> {
        let changes = between(Some(before), Some(after)).into_iter();
        let told = changes.map(|change| {
            (
                change.path.join("."),
                change.before.unwrap_or_default(),
                change.after.unwrap_or_default(),
            )
        });
        told.collect()
    }

    #[test]
    fn only_what_is_different_is_told_and_as_deep_as_people_name_it() {
        let before = json!({"id": 1, "version": 1, "category_id": "a", "name": {"en": "Ring", "fa": "حلقه"}, "tags": [],
            "price_amount": "1.500000", "price_currency": "EUR", "external_reference": null, "description": {}});
        let after = json!({"id": 1, "version": 2, "category_id": "b", "name": {"en": "Band", "fa": "حلقه"}, "tags": ["gold"],
            "price_amount": null, "price_currency": null, "external_reference": null, "description": {},
            "metal": {"item_id": 1, "metal": "gold", "net_weight": "2", "huid": null}});
        let finer =
            |fineness| json!({"metal": {"fineness": fineness, "certificate_number": fineness}});
        let certificate = ("metal.certificateNumber".into(), json!("7.0"), json!("7"));
        assert_eq!(told(&finer("7.0"), &finer("7")), [certificate]);
        assert_eq!(
            told(&before, &after),
            [
                ("categoryId".into(), json!("a"), json!("b")),
                ("metal.metal".into(), Value::Null, json!("gold")),
                ("metal.netWeight".into(), Value::Null, json!("2")),
                ("name.en".into(), json!("Ring"), json!("Band")),
                ("price.amount".into(), json!("1.500000"), Value::Null),
                ("price.currency".into(), json!("EUR"), Value::Null),
                ("tags".into(), Value::Null, json!(["gold"])),
            ]
        );
        assert_eq!(told(&after, &after), []);
    }

    #[test]
    fn something_new_is_different_from_nothing() {
        let new = json!({"sku": "R", "tags": [], "attributes": {"a_b": 1}});
        let paths = between(None, Some(&new)).into_iter();
        let paths: Vec<_> = paths.map(|change| change.path.join(".")).collect();
        assert_eq!(paths, ["attributes.a_b", "sku"]);
        assert_eq!(between(None, None), []);
    }
}
