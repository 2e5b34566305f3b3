//! Reads of items.

use entity::{
    id::ItemId,
    item::{Entity, Model as Item},
    item_barcode, item_image,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QueryResult, QuerySelect,
};

use super::filter::{self, ItemFilter, OrderField, OrderTerm, ResolvedFilter};
use crate::{
    error::{Error, Result},
    keyset::{Cursor, List},
    page::{COUNT_EXACT_MAX, Page, PageArgs, TotalCount},
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

const COLUMNS: &str = "i.*, p.id AS p_id, p.item_id AS p_item_id, p.position AS p_position, p.state AS p_state, \
    p.failure AS p_failure, p.original_key AS p_original_key, p.media_type AS p_media_type, p.width AS p_width, \
    p.height AS p_height, p.byte_size AS p_byte_size, p.renditions AS p_renditions, p.created_at AS p_created_at";
const FROM: &str = "item i LEFT JOIN item_image p ON p.id = i.primary_image_id";

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

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &ItemFilter,
    order: &[OrderTerm],
    args: &PageArgs,
) -> Result<Page<ItemWithImage>> {
    let (filter, order) = (filter.resolve(db).await?, filter::deciding(order));
    let list = List {
        columns: COLUMNS,
        from: FROM,
        order: filter::order(&order),
        filter: &|sql| filter.push(sql),
        cursor: &|row: &ItemWithImage| cursor(&row.item, &order),
    };
    list.page(db, args).await
}

fn cursor(item: &Item, order: &[OrderTerm]) -> Cursor {
    let value = |field| match field {
        OrderField::CreatedAt => item.id.to_string(),
        OrderField::Sku => item.sku.clone(),
        OrderField::UpdatedAt => item.updated_at.to_rfc3339(),
    };
    Cursor(
        order
            .iter()
            .map(|term| value(term.field))
            .chain([item.id.to_string()])
            .collect(),
    )
}

/// Counts as far as counting is cheap; beyond, asks the planner.
pub(super) async fn count(db: &impl ConnectionTrait, filter: &ItemFilter) -> Result<TotalCount> {
    let filter = filter.resolve(db).await?;
    let mut sql = Sql::new("SELECT count(*) FROM (SELECT FROM item i WHERE ");
    filter.push(&mut sql);
    sql.push(" LIMIT ")
        .bind(i64::try_from(COUNT_EXACT_MAX + 1).unwrap_or(i64::MAX))
        .push(") counted");
    let row = db
        .query_one_raw(sql.build())
        .await?
        .ok_or_else(|| Error::internal("a count gave no row"))?;
    let counted: i64 = row.try_get_by_index(0)?;
    match u64::try_from(counted).unwrap_or(0) {
        count if count <= COUNT_EXACT_MAX => Ok(TotalCount { count, exact: true }),
        _ => Ok(TotalCount {
            count: estimate(db, &filter).await?.max(COUNT_EXACT_MAX),
            exact: false,
        }),
    }
}

async fn estimate(db: &impl ConnectionTrait, filter: &ResolvedFilter<'_>) -> Result<u64> {
    let mut sql = Sql::new("EXPLAIN (FORMAT JSON) SELECT FROM item i WHERE ");
    filter.push(&mut sql);
    let row = db
        .query_one_raw(sql.build())
        .await?
        .ok_or_else(|| Error::internal("a plan gave no row"))?;
    let plan: serde_json::Value = row.try_get_by_index(0)?;
    Ok(plan
        .pointer("/0/Plan/Plan Rows")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(0))
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
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
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
