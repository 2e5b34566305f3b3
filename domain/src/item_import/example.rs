//! A file to begin with: all columns, and a row that shows what stands in them.

use entity::id::CategoryId;
use sea_orm::ConnectionTrait;
use serde_json::{Map, Value};

use super::{Categories, Column, Fields, ItemImports, split_list};
use crate::{
    attribute::{Attribute, Kind, Schema, cell, schemas},
    error::{Code, Refusal, Result},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

/// Most attributes of an example.
const ATTRIBUTES_MAX: i64 = 100;

impl ItemImports<'_> {
    /// The columns, each with an example. With those attributes that items of the category have, as far as it is given.
    ///
    /// # Errors
    /// When the viewer may not see the catalogue, or there is no such category in use.
    pub async fn example(
        &self,
        viewer: &Viewer,
        category: Option<CategoryId>,
    ) -> Result<Vec<(Column, String)>> {
        viewer.require(Permission::CatalogueRead)?;
        let db = &self.domain.reads;
        let mut path = "Jewellery > Rings".to_owned();
        let mut attributes = vec![("karat".to_owned(), String::new())];
        if let Some(category) = category {
            let categories = Categories::read(db).await?;
            path = categories
                .text_of(category, viewer.locale.as_str())
                .ok_or_else(|| Refusal::new(Code::NotFound, "categoryId"))?;
            attributes = attributes_of(db, category).await?;
        }
        let fixed = [
            (Column::Sku, "RING-0001"),
            (Column::Name("en".into()), "Gold ring"),
            (Column::Name("fa".into()), "انگشتر طلا"),
            (Column::Description("en".into()), "With a ruby"),
            (Column::Description("fa".into()), "با نگین یاقوت"),
            (Column::Kind, "goods"),
            (Column::Category, path.as_str()),
            (Column::Unit, "piece"),
            (Column::Tracking, "none"),
            (Column::Price, "120.50"),
            (Column::Currency, "EUR"),
            (Column::Tags, "gold|new"),
            (Column::Barcodes, "4006381333931"),
            (Column::ExternalReference, ""),
            (Column::Template, ""),
        ];
        let fixed = fixed.map(|(column, cell)| (column, cell.to_owned()));
        let attributes = attributes
            .into_iter()
            .map(|(name, cell)| (Column::Attribute(name), cell));
        Ok(fixed.into_iter().chain(attributes).collect())
    }
}

/// Those that the category has; where none are declared, those of some of its items: looking at all of them is not worth it.
async fn attributes_of(
    db: &impl ConnectionTrait,
    category: CategoryId,
) -> Result<Vec<(String, String)>> {
    let schemas = schemas(db, &[category]).await?;
    if let Some(schema) = schemas.get(&category).filter(|schema| !schema.is_free()) {
        let attributes = schema.in_use().map(|it| &it.attribute);
        return Ok(attributes
            .map(|attribute| (attribute.name.clone(), example_of(attribute, schema)))
            .collect());
    }
    let sql = "SELECT DISTINCT jsonb_object_keys(i.attributes) AS name
               FROM (SELECT attributes FROM item WHERE category_id = $1 ORDER BY id LIMIT 1000) i ORDER BY name LIMIT $2";
    let values = [category.into(), ATTRIBUTES_MAX.into()];
    let rows = db.query_all_raw(statement(sql, values)).await?;
    let names = rows
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, String::new())));
    names.collect()
}

/// What may stand in such a cell: the value of new items, or the smallest, or the first one. Nothing where only a person knows.
fn example_of(attribute: &Attribute, schema: &Schema) -> String {
    let smallest = |otherwise: &str| {
        let kept = attribute.min.clone().unwrap_or_else(|| otherwise.into());
        Value::String(kept)
    };
    let option = || {
        let first = attribute.options.0.first();
        Value::String(first.map(|option| option.value.clone()).unwrap_or_default())
    };
    let kept = match (&attribute.initial, attribute.kind) {
        (Some(initial), _) => initial.clone(),
        (None, Kind::Boolean) => Value::Bool(true),
        (None, Kind::Number | Kind::Decimal) => smallest("1"),
        (None, Kind::Date) => smallest("2026-03-21"),
        (None, Kind::Enum | Kind::MultiEnum) => option(),
        (None, Kind::Text | Kind::Reference) => return String::new(),
    };
    cell(&schema.units().shown(attribute, &kept))
}

/// The example as a line of JSON.
///
/// # Errors
/// Never: all of it is JSON.
pub fn example_line(example: &[(Column, String)]) -> Result<Vec<u8>> {
    let mut object = Map::new();
    for (column, cell) in example {
        let header = column.header();
        let (outer, inner) = header.split_once('.').unwrap_or((&header, ""));
        match column {
            Column::Tags | Column::Barcodes => {
                object.insert(header, split_list(cell).into());
            }
            _ if cell.is_empty() && inner.is_empty() => {}
            _ if inner.is_empty() => drop(object.insert(header, cell.clone().into())),
            _ => {
                let outer = object
                    .entry(outer)
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Some(outer) = outer.as_object_mut() {
                    outer.insert(inner.to_owned(), cell.clone().into());
                }
            }
        }
    }
    let mut line = serde_json::to_vec(&object)?;
    line.push(b'\n');
    // What is offered can be read.
    debug_assert!(Fields::of_json(&String::from_utf8_lossy(&line)).is_ok());
    Ok(line)
}
