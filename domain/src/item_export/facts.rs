//! The attributes of exported items: by the names that people know, in the units of the attributes, rows by what people call them.

use std::collections::BTreeMap;

use entity::{attribute::RefersTo, id::CategoryId};
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::row::ExportedItem;
use crate::{
    attribute::{Schemas, names, schemas},
    error::Result,
};

/// What categories demand of their items, as far as such items have come.
#[derive(Default)]
pub(super) struct Facts {
    schemas: Schemas,
}

impl Facts {
    /// Reads the schemas of these categories that are not known yet, by one statement.
    async fn learn_in_tx(
        &mut self,
        tx: &DatabaseTransaction,
        categories: impl Iterator<Item = CategoryId>,
    ) -> Result<()> {
        let mut unknown: Vec<_> = categories
            .filter(|id| !self.schemas.contains_key(id))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            self.schemas.extend(schemas(tx, &unknown).await?);
        }
        Ok(())
    }

    /// Shows what these items have.
    pub(super) async fn show_in_tx(
        &mut self,
        tx: &DatabaseTransaction,
        page: &mut [ExportedItem],
    ) -> Result<()> {
        self.learn_in_tx(tx, page.iter().map(|exported| exported.item.category_id))
            .await?;
        let empty = Map::new();
        for exported in page.iter_mut() {
            let kept = exported.item.attributes.as_object().unwrap_or(&empty);
            let schema = self.schemas.get(&exported.item.category_id);
            exported.attributes = schema.map_or_else(|| kept.clone(), |schema| schema.shown(kept));
        }
        for refers_to in [RefersTo::Item, RefersTo::Category] {
            let mut references = self.references(page, refers_to);
            let ids: Vec<_> = references.iter().map(|(id, _)| *id).collect();
            if ids.is_empty() {
                continue;
            }
            let names = names(tx, refers_to, &ids).await?;
            for (id, value) in &mut references {
                if let Some(name) = names.get(id) {
                    **value = Value::from(name.as_str());
                }
            }
        }
        Ok(())
    }

    /// The values that lead to rows of this sort.
    fn references<'a>(
        &self,
        page: &'a mut [ExportedItem],
        refers_to: RefersTo,
    ) -> Vec<(Uuid, &'a mut Value)> {
        let mut references = Vec::new();
        for exported in page {
            let Some(schema) = self.schemas.get(&exported.item.category_id) else {
                continue;
            };
            for (name, value) in &mut exported.attributes {
                let attribute = schema.named(name).map(|it| &it.attribute);
                if attribute.and_then(|it| it.refers_to) == Some(refers_to)
                    && let Some(id) = value.as_str().and_then(|id| Uuid::try_parse(id).ok())
                {
                    references.push((id, value));
                }
            }
        }
        references
    }

    /// The names of attributes, from the keys that items of each category have; and whether all values of that name are texts that a cell
    /// can hold as they are.
    pub(super) async fn names_in_tx(
        &mut self,
        tx: &DatabaseTransaction,
        keys: Vec<(CategoryId, String, bool)>,
    ) -> Result<BTreeMap<String, bool>> {
        self.learn_in_tx(tx, keys.iter().map(|(category, ..)| *category))
            .await?;
        let mut names = BTreeMap::new();
        for (category, key, is_text) in keys {
            let schema = self.schemas.get(&category);
            let (name, is_text) = match schema.and_then(|schema| schema.keyed(&key)) {
                Some(it) if it.attribute.retired_at.is_some() => continue,
                // Whatever it is, it is understood as a text too.
                Some(it) => (it.attribute.name.clone(), true),
                None => (key, is_text),
            };
            *names.entry(name).or_insert(true) &= is_text;
        }
        Ok(names)
    }
}
