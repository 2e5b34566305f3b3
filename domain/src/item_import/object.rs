//! A line of JSON: the same columns as members of an object.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    columns::shortened,
    fields::{Fields, split_list},
};
use crate::error::{Code, Refusal};

impl Fields {
    /// What a line of JSON says.
    ///
    /// # Errors
    /// What in it has another form than it must have.
    pub fn of_json(line: &str) -> Result<Self, Vec<Refusal>> {
        let Ok(Value::Object(object)) = serde_json::from_str(line) else {
            return Err(vec![wrong("", &Value::from(shortened(line)))]);
        };
        let mut fields = Self::default();
        let refusals: Vec<_> = object
            .into_iter()
            .filter_map(|(name, value)| fields.set(&name, value).err())
            .collect();
        if refusals.is_empty() {
            Ok(fields)
        } else {
            Err(refusals)
        }
    }

    fn set(&mut self, name: &str, value: Value) -> Result<(), Refusal> {
        match name {
            "sku" => self.sku = text(name, value)?,
            "externalReference" => self.external_reference = clearable(name, value)?,
            "kind" => self.kind = text(name, value)?,
            "name" => self.name = texts(name, value)?,
            "description" => self.description = texts(name, value)?,
            "category" => self.category = text(name, value)?,
            "categoryReference" => self.category_reference = text(name, value)?,
            "unit" => self.unit = text(name, value)?,
            "tracking" => self.tracking = text(name, value)?,
            "price" => self.price = clearable(name, value)?,
            "currency" => self.currency = text(name, value)?,
            "attributes" => self.attributes = object(name, value)?.into_iter().collect(),
            "tags" => self.tags = list(name, value)?,
            "barcodes" => self.barcodes = list(name, value)?,
            "template" => self.template = clearable(name, value)?,
            unknown => {
                let refusal = Refusal::new(Code::UnknownColumn, "");
                return Err(refusal.with("value", shortened(unknown)));
            }
        }
        Ok(())
    }
}

fn wrong(path: &str, value: &Value) -> Refusal {
    Refusal::new(Code::InvalidFormat, path).with("value", shortened(&value.to_string()))
}

/// A text; whole numbers are read as texts, others would not be exact.
fn text(path: &str, value: Value) -> Result<Option<String>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
        other => Err(wrong(path, &other)),
    }
}

/// The same, where null takes the value away.
fn clearable(path: &str, value: Value) -> Result<Option<String>, Refusal> {
    Ok(Some(text(path, value)?.unwrap_or_default()))
}

fn object(path: &str, value: Value) -> Result<Map<String, Value>, Refusal> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(wrong(path, &other)),
    }
}

/// A text by language; null takes one away.
fn texts(path: &str, value: Value) -> Result<BTreeMap<String, String>, Refusal> {
    let texts = object(path, value)?.into_iter();
    texts
        .map(|(language, value)| {
            let path = format!("{path}.{language}");
            Ok((language, clearable(&path, value)?.unwrap_or_default()))
        })
        .collect()
}

fn list(path: &str, value: Value) -> Result<Option<Vec<String>>, Refusal> {
    match value {
        Value::Null => Ok(Some(Vec::new())),
        Value::String(cell) => Ok(Some(split_list(&cell))),
        Value::Array(values) => {
            let texts = values.into_iter().enumerate().map(|(index, value)| {
                let path = format!("{path}.{index}");
                let given = text(&path, value)?;
                given.ok_or_else(|| Refusal::new(Code::Required, &path))
            });
            texts.collect::<Result<_, _>>().map(Some)
        }
        other => Err(wrong(path, &other)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_says_what_a_row_says() {
        let line = json!({"sku": "R-1", "name": {"fa": "انگشتر"}, "price": 120, "currency": "EUR",
            "tags": "gold|new", "barcodes": ["96385074"], "attributes": {"karat": "18"}, "externalReference": null});
        let fields = Fields::of_json(&line.to_string()).unwrap();
        assert_eq!(fields.price.as_deref(), Some("120"));
        assert_eq!(fields.tags, Some(vec!["gold".into(), "new".into()]));
        assert_eq!(fields.external_reference.as_deref(), Some(""));
        assert_eq!(fields.name["fa"], "انگشتر");
    }

    #[test]
    fn what_is_not_exact_or_not_known_is_refused() {
        for (line, code) in [
            ("", Code::InvalidFormat),
            ("[1]", Code::InvalidFormat),
            ("{\"price\": 1.5}", Code::InvalidFormat),
            ("{\"tags\": [1.5]}", Code::InvalidFormat),
            ("{\"colour\": \"red\"}", Code::UnknownColumn),
        ] {
            let refused = Fields::of_json(line).unwrap_err();
            assert_eq!(refused[0].code, code, "{line}");
        }
    }
}
