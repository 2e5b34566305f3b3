//! Reads of items.

use entity::{
    id::ItemId,
    item::{Entity, Model as Item},
    item_barcode, item_image,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, sea_query::LockType,
};

use crate::{
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
    p.height AS p_height, p.byte_size AS p_byte_size, p.renditions AS p_renditions, p.created_at AS p_created_at"
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
