//! Templates as their variants need them: what there is to choose from, and whether a variant has chosen.

use std::collections::{BTreeMap, HashMap};

use entity::{id::ItemId, item::Model as Item, item_option::Model as ItemOption};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Map, Value};

use crate::{
    attribute::Schema,
    error::{Code, Refusal, Result},
    sql::{statement, uuids},
};

/// Most values that a refusal tells of.
const TOLD_MAX: usize = 20;

/// An attribute in which variants differ, and the values that it may have there: each as items keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Choices {
    pub(in super::super) key: String,
    pub(in super::super) values: Vec<Value>,
}

impl From<ItemOption> for Choices {
    fn from(row: ItemOption) -> Self {
        let values = match row.choices {
            Value::Array(values) => values,
            _ => Vec::new(),
        };
        Self {
            key: row.key,
            values,
        }
    }
}

/// An item that is named as the template of others, and that may be none.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Template {
    pub(in super::super) is_template: bool,
    pub(in super::super) is_archived: bool,
    pub(in super::super) options: Vec<Choices>,
}

impl Template {
    /// Whether items may become its variants.
    pub(in super::super) fn check(&self) -> Result<(), Refusal> {
        if !self.is_template {
            return Err(Refusal::new(Code::NotATemplate, "templateId"));
        }
        if self.is_archived {
            return Err(Refusal::new(Code::Archived, "templateId"));
        }
        Ok(())
    }

    /// The keys of the attributes in which its variants differ.
    pub(in super::super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.options.iter().map(|option| option.key.as_str())
    }

    /// What an item with these attributes has chosen, as one text.
    ///
    /// # Errors
    /// Each attribute without a value, or with one that is not offered.
    pub(in super::super) fn chosen(
        &self,
        attributes: &Map<String, Value>,
        schema: &Schema,
    ) -> Result<String, Vec<Refusal>> {
        let mut refused = Vec::new();
        let mut chosen = BTreeMap::new();
        for option in &self.options {
            match attributes.get(&option.key) {
                Some(value) if option.values.contains(value) => {
                    chosen.insert(option.key.as_str(), value);
                }
                value => refused.push(not_offered(option, value, schema)),
            }
        }
        if refused.is_empty() {
            Ok(text(&chosen))
        } else {
            Err(refused)
        }
    }
}

fn not_offered(option: &Choices, value: Option<&Value>, schema: &Schema) -> Refusal {
    let path = format!("attributes.{}", schema.name_of(&option.key));
    let Some(value) = value else {
        return Refusal::new(Code::Required, &path);
    };
    let offered = option.values.iter().take(TOLD_MAX);
    let offered: Vec<_> = offered
        .map(|value| schema.cell_of(&option.key, value))
        .collect();
    Refusal::new(Code::NotAnOption, &path)
        .with("value", schema.cell_of(&option.key, value))
        .with("options", offered.join(", "))
}

fn text(chosen: &BTreeMap<&str, &Value>) -> String {
    let parts: Vec<_> = chosen
        .iter()
        .map(|(key, value)| format!("{}: {value}", Value::from(*key)))
        .collect();
    format!("{{{}}}", parts.join(", "))
}

/// What a variant has chosen, as the same text for the same values.
pub(in super::super) fn chosen_text(options: &Value) -> String {
    let options = options.as_object().into_iter().flatten();
    text(&options.map(|(key, value)| (key.as_str(), value)).collect())
}

/// What an item shall be among the variants of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Variant {
    /// Of which one.
    pub(in super::super) template: ItemId,
    /// What it has chosen, as one text that is JSON.
    pub(in super::super) options: String,
    /// Where the client said so.
    pub(in super::super) path: &'static str,
}

impl Variant {
    /// Whether the item is this already.
    pub(in super::super) fn is_of(&self, item: &Item) -> bool {
        item.template_id == Some(self.template)
            && item.variant_options.as_ref().map(chosen_text).as_ref() == Some(&self.options)
    }
}

/// These items as templates, by one statement; those that are not there are not found.
pub(in super::super) async fn read_in_tx(
    tx: &DatabaseTransaction,
    mut ids: Vec<ItemId>,
) -> Result<HashMap<ItemId, Template>> {
    ids.sort_unstable();
    ids.dedup();
    let mut found: HashMap<ItemId, Template> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let sql = "SELECT i.id, i.is_template, i.archived_at IS NOT NULL, o.key, o.choices
               FROM item i LEFT JOIN item_option o ON o.template_id = i.id
               WHERE i.id = ANY($1) ORDER BY i.id, o.position";
    for row in tx.query_all_raw(statement(sql, [uuids(&ids)])).await? {
        let template = found.entry(row.try_get_by_index(0)?).or_default();
        template.is_template = row.try_get_by_index(1)?;
        template.is_archived = row.try_get_by_index(2)?;
        let key: Option<String> = row.try_get_by_index(3)?;
        let values: Option<Value> = row.try_get_by_index(4)?;
        if let (Some(key), Some(Value::Array(values))) = (key, values) {
            template.options.push(Choices { key, values });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template() -> Template {
        let option = |key: &str, values: Value| Choices {
            key: key.into(),
            values: values.as_array().unwrap().clone(),
        };
        Template {
            is_template: true,
            is_archived: false,
            options: vec![
                option("size", json!(["50", "52"])),
                option("colour", json!(["white"])),
            ],
        }
    }

    #[test]
    fn what_was_chosen_is_the_same_text_however_it_is_come_by() {
        let attributes = json!({"size": "52", "karat": 18, "colour": "white"});
        let chosen = template().chosen(attributes.as_object().unwrap(), &Schema::default());
        let kept = json!({"size": "52", "colour": "white"});
        assert_eq!(chosen.as_ref(), Ok(&chosen_text(&kept)));
        assert_eq!(
            serde_json::from_str::<Value>(&chosen.unwrap()).ok(),
            Some(kept)
        );
    }

    #[test]
    fn each_option_needs_one_of_its_values() {
        let attributes = json!({"size": "51"});
        let refused = template().chosen(attributes.as_object().unwrap(), &Schema::default());
        let refused = refused.unwrap_err();
        let codes: Vec<_> = refused
            .iter()
            .map(|refusal| (refusal.code, refusal.path.join(".")))
            .collect();
        assert_eq!(
            codes,
            [
                (Code::NotAnOption, "attributes.size".into()),
                (Code::Required, "attributes.colour".into())
            ]
        );
    }
}
