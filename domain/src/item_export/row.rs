//! An item as a row of a file.

use entity::item::Model as Item;
use sea_orm::{ActiveEnum as _, DbErr, FromQueryResult, QueryResult};
use serde_json::{Map, Value};

use crate::{
    attribute::cell,
    item_import::{Column, join_list},
};

/// An item with all that a row says of it.
#[derive(Clone, Debug)]
pub struct ExportedItem {
    pub(super) item: Item,
    /// By name, as people write them.
    pub(super) attributes: Map<String, Value>,
    pub(super) barcodes: Vec<String>,
    pub(super) category: String,
    pub(super) unit: String,
    /// SKU of its template.
    pub(super) template: String,
}

impl FromQueryResult for ExportedItem {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            item: Item::from_query_result(row, prefix)?,
            attributes: Map::new(),
            barcodes: row.try_get(prefix, "barcodes")?,
            category: String::new(),
            unit: String::new(),
            template: String::new(),
        })
    }
}

impl ExportedItem {
    /// What stands in this column.
    #[must_use]
    pub fn cell(&self, column: &Column) -> String {
        let item = &self.item;
        match column {
            Column::Sku => item.sku.clone(),
            Column::ExternalReference => item.external_reference.clone().unwrap_or_default(),
            Column::Kind => item.kind.to_value(),
            Column::Name(language) => item.name.0.get(language).cloned().unwrap_or_default(),
            Column::Description(language) => {
                let text = item.description.0.get(language);
                text.cloned().unwrap_or_default()
            }
            Column::Category => self.category.clone(),
            Column::CategoryReference => String::new(),
            Column::Unit => self.unit.clone(),
            Column::Tracking => item.tracking.to_value(),
            Column::Price => self.price().unwrap_or_default(),
            Column::Currency => item.price_currency.clone().unwrap_or_default(),
            Column::Attribute(name) => self.attributes.get(name).map(cell).unwrap_or_default(),
            Column::AttributeJson(name) => {
                let value = self.attributes.get(name);
                value.map(Value::to_string).unwrap_or_default()
            }
            Column::Tags => join_list(&item.tags),
            Column::Barcodes => join_list(&self.barcodes),
            Column::Template => self.template.clone(),
        }
    }

    /// The whole of it, or these columns, as a line of JSON.
    ///
    /// # Errors
    /// Never: all of it is JSON.
    pub fn to_json(&self, columns: Option<&[Column]>) -> serde_json::Result<Vec<u8>> {
        let mut object = Map::new();
        match columns {
            Some(columns) => columns
                .iter()
                .for_each(|column| self.set(&mut object, column)),
            None => {
                ALL.iter().for_each(|column| self.set(&mut object, column));
                for (name, texts) in [
                    ("name", &self.item.name),
                    ("description", &self.item.description),
                ] {
                    object.insert(name.into(), serde_json::to_value(texts)?);
                }
                object.insert("attributes".into(), self.attributes.clone().into());
            }
        }
        serde_json::to_vec(&object)
    }

    fn set(&self, object: &mut Map<String, Value>, column: &Column) {
        let mut inside = |outer: &str, name: &str, value: Option<Value>| {
            let outer = object
                .entry(outer)
                .or_insert_with(|| Value::Object(Map::new()));
            if let (Some(outer), Some(value)) = (outer.as_object_mut(), value) {
                outer.insert(name.to_owned(), value);
            }
        };
        match column {
            Column::Name(language) => {
                let text = self.item.name.0.get(language);
                inside("name", language, text.cloned().map(Value::from));
            }
            Column::Description(language) => {
                let text = self.item.description.0.get(language);
                inside("description", language, text.cloned().map(Value::from));
            }
            Column::Attribute(name) | Column::AttributeJson(name) => {
                inside("attributes", name, self.attributes.get(name).cloned());
            }
            Column::Tags => drop(object.insert("tags".into(), self.item.tags.clone().into())),
            Column::Barcodes => {
                drop(object.insert("barcodes".into(), self.barcodes.clone().into()));
            }
            column => {
                let cell = self.cell(column);
                if !cell.is_empty() {
                    object.insert(column.header(), cell.into());
                }
            }
        }
    }

    /// Trailing zeros are the column's, not the price's.
    fn price(&self) -> Option<String> {
        Some(self.item.price_amount?.normalize().to_string())
    }
}

/// The columns that every item has, but for its texts and attributes.
pub(super) const ALL: [Column; 11] = [
    Column::Sku,
    Column::ExternalReference,
    Column::Kind,
    Column::Category,
    Column::Unit,
    Column::Tracking,
    Column::Price,
    Column::Currency,
    Column::Tags,
    Column::Barcodes,
    Column::Template,
];
