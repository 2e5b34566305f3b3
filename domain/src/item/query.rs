//! Reads of items.

use std::collections::{HashMap, HashSet};

use entity::{
    category::Model as Category,
    id::ItemId,
    item::{Entity, Model as Item},
    item_barcode, item_image,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, sea_query::LockType,
};

use super::ItemFilter;
use crate::{
    category::COLUMNS_BESIDE,
    error::Result,
    sql::{Sql, statement, uuids},
};

/// An item with the picture that is shown first: nearly everybody who asks for items wants it, and the join costs less than asking again.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemWithImage {
    /// The item.
    pub item: Item,
    /// Its primary picture.
    pub primary_image: Option<item_image::Model>,
}

impl FromQueryResult for ItemWithImage {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let item = Item::from_query_result(row, prefix)?;
        let primary_image = match item.primary_image_id {
            Some(_) => item_image::Model::from_query_result_optional(row, "p_")?,
            None => None,
        };
        Ok(Self {
            item,
            primary_image,
        })
    }
}

/// An item and the category that it is in.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemInCategory {
    /// The item.
    pub item: ItemWithImage,
    /// Its category.
    pub category: Category,
}

impl FromQueryResult for ItemInCategory {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            item: ItemWithImage::from_query_result(row, prefix)?,
            category: Category::from_query_result(row, "c_")?,
        })
    }
}

macro_rules! item_columns {
    () => {
        "i.id, i.kind, i.sku, i.name, i.description, i.category_id, i.unit_id, i.tracking, i.price_amount, i.price_currency, i.attributes, \
         i.tags, i.primary_image_id, i.qr_svg_key, i.qr_png_key, i.external_reference, i.is_template, i.template_id, i.variant_options, \
         i.archived_at, i.version, i.created_at, i.updated_at"
    };
}

/// All of the item `i` but what it is found by.
pub(crate) const ITEM_COLUMNS: &str = item_columns!();
/// The same with its picture `p`.
pub(super) const COLUMNS: &str = concat!(
    item_columns!(),
    ", p.id AS p_id, p.item_id AS p_item_id, p.position AS p_position, p.state AS p_state, \
    p.failure AS p_failure, p.original_key AS p_original_key, p.media_type AS p_media_type, p.width AS p_width, \
    p.height AS p_height, p.byte_size AS p_byte_size, p.renditions AS p_renditions, p.thumb_hash AS p_thumb_hash, p.dominant_color AS p_dominant_color, \
    p.focus_x AS p_focus_x, p.focus_y AS p_focus_y, p.rendered_at AS p_rendered_at, p.created_at AS p_created_at"
);
pub(super) const FROM: &str = "item i LEFT JOIN item_image p ON p.id = i.primary_image_id";

fn select() -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS).push(" FROM ").push(FROM).push(" WHERE ");
    sql
}

pub(super) async fn find(db: &impl ConnectionTrait, id: ItemId) -> Result<Option<ItemWithImage>> {
    let mut sql = select();
    sql.push("i.id = ").bind(id);
    Ok(ItemWithImage::find_by_statement(sql.build())
        .one(db)
        .await?)
}

/// With its category: two questions that are asked together so often that they are one.
pub(super) async fn find_in_category(
    db: &impl ConnectionTrait,
    id: ItemId,
) -> Result<Option<ItemInCategory>> {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS)
        .push(", ")
        .push(COLUMNS_BESIDE)
        .push(" FROM ")
        .push(FROM)
        .push(" JOIN category c ON c.id = i.category_id WHERE i.id = ")
        .bind(id);
    Ok(ItemInCategory::find_by_statement(sql.build())
        .one(db)
        .await?)
}

/// By a unique column: `i.sku = ` and the value.
pub(super) async fn find_by(
    db: &impl ConnectionTrait,
    condition: &'static str,
    value: &str,
) -> Result<Option<ItemWithImage>> {
    let mut sql = select();
    sql.push(condition).bind(value);
    Ok(ItemWithImage::find_by_statement(sql.build())
        .one(db)
        .await?)
}

pub(super) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &[ItemId],
) -> Result<Vec<ItemWithImage>> {
    let mut sql = select();
    sql.push("i.id = ANY(").bind(uuids(ids)).push(")");
    Ok(ItemWithImage::find_by_statement(sql.build())
        .all(db)
        .await?)
}

/// The items with these ids, in any order, without their pictures.
pub(crate) async fn plain(db: &impl ConnectionTrait, ids: &[ItemId]) -> Result<Vec<Item>> {
    let mut sql = Sql::new("SELECT ");
    sql.push(ITEM_COLUMNS)
        .push(" FROM item i WHERE i.id = ANY(")
        .bind(uuids(ids))
        .push(")");
    Ok(Item::find_by_statement(sql.build()).all(db).await?)
}

/// Which of these items there are.
pub(crate) async fn known(db: &impl ConnectionTrait, ids: &[ItemId]) -> Result<HashSet<ItemId>> {
    let sql = "SELECT id FROM item WHERE id = ANY($1)";
    let rows = db.query_all_raw(statement(sql, [uuids(ids)])).await?;
    let ids = rows.iter().map(|row| Ok(row.try_get_by_index(0)?));
    ids.collect()
}

/// The first items that pass the filter, in the order of their creation.
pub(crate) async fn first_ids(
    db: &impl ConnectionTrait,
    filter: &ItemFilter,
    most: usize,
) -> Result<Vec<ItemId>> {
    let filter = filter.resolve(db).await?;
    let mut sql = Sql::new("SELECT i.id FROM item i WHERE ");
    filter.push(&mut sql);
    sql.push(" ORDER BY i.id LIMIT ")
        .bind(i64::try_from(most).unwrap_or(i64::MAX));
    let rows = db.query_all_raw(sql.build()).await?;
    let ids = rows.iter().map(|row| Ok(row.try_get_by_index(0)?));
    ids.collect()
}

/// The first barcode of these items, of those that have any.
pub(crate) async fn first_barcodes(
    db: &impl ConnectionTrait,
    ids: &[ItemId],
) -> Result<HashMap<ItemId, String>> {
    let sql =
        "SELECT DISTINCT ON (item_id) item_id, barcode FROM item_barcode WHERE item_id = ANY($1)
               ORDER BY item_id, position";
    let rows = db.query_all_raw(statement(sql, [uuids(ids)])).await?;
    let pair = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    rows.iter().map(pair).collect()
}

/// What may lead to an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Its id.
    pub(crate) id: Option<ItemId>,
    /// Its SKU.
    pub(crate) sku: Option<String>,
    /// One of its barcodes.
    pub(crate) barcodes: Vec<String>,
}

/// An item, and the mark that has led to it.
#[derive(Debug)]
pub(crate) struct Marked {
    pub(crate) item: ItemWithImage,
    /// `id`, `sku` or `barcode`.
    pub(crate) mark: String,
    /// The mark as it is on file.
    pub(crate) value: String,
}

impl FromQueryResult for Marked {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            item: ItemWithImage::from_query_result(row, prefix)?,
            mark: row.try_get(prefix, "mark")?,
            value: row.try_get(prefix, "value")?,
        })
    }
}

/// The items that any of these marks leads to: one look into an index for each mark.
pub(crate) async fn marked(db: &impl ConnectionTrait, marks: &Marks) -> Result<Vec<Marked>> {
    let Marks { id, sku, barcodes } = marks;
    let mut sql = Sql::new("SELECT m.mark, m.value, ");
    sql.push(COLUMNS)
        .push(
            " FROM (SELECT item_id, 'barcode' AS mark, barcode AS value FROM item_barcode \
             WHERE barcode = ANY(",
        )
        .bind(barcodes.clone())
        .push("::text[]) UNION ALL SELECT id, 'id', id::text FROM item WHERE id = ")
        .bind(*id)
        .push(" UNION ALL SELECT id, 'sku', sku FROM item WHERE sku = ")
        .bind(sku.clone())
        .push(") m JOIN (")
        .push(FROM)
        .push(") ON i.id = m.item_id");
    Ok(Marked::find_by_statement(sql.build()).all(db).await?)
}

pub(super) async fn barcodes_of(
    db: &impl ConnectionTrait,
    ids: &[ItemId],
) -> Result<Vec<item_barcode::Model>> {
    let sql = "SELECT * FROM item_barcode WHERE item_id = ANY($1) ORDER BY item_id, position";
    Ok(
        item_barcode::Model::find_by_statement(statement(sql, [uuids(ids)]))
            .all(db)
            .await?,
    )
}

pub(super) async fn images_of(
    db: &impl ConnectionTrait,
    ids: &[ItemId],
) -> Result<Vec<item_image::Model>> {
    let sql = "SELECT * FROM item_image WHERE item_id = ANY($1) ORDER BY item_id, position, id";
    Ok(
        item_image::Model::find_by_statement(statement(sql, [uuids(ids)]))
            .all(db)
            .await?,
    )
}

pub(super) async fn lock_in_tx(tx: &DatabaseTransaction, id: ItemId) -> Result<Option<Item>> {
    Ok(Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?)
}

pub(super) async fn images_in_tx(
    tx: &DatabaseTransaction,
    id: ItemId,
) -> Result<Vec<item_image::Model>> {
    let images = item_image::Entity::find()
        .filter(item_image::Column::ItemId.eq(id))
        .order_by_asc(item_image::Column::Position)
        .order_by_asc(item_image::Column::Id);
    Ok(images.all(tx).await?)
}

/// Which of the items with these external references are as they were created: a picture would have been a change.
pub(super) async fn never_pictured(
    db: &impl ConnectionTrait,
    references: &[String],
) -> Result<Vec<(String, ItemId)>> {
    let mut sql = Sql::new(
        "SELECT external_reference, id FROM item WHERE version = 1 AND external_reference = ANY(",
    );
    sql.bind(references.to_vec()).push(")");
    let rows = db.query_all_raw(sql.build()).await?;
    let pair = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    rows.iter().map(pair).collect()
}
