//! Reads of attributes.

use entity::{
    attribute::{Entity, Model as Attribute},
    id::{AttributeId, CategoryId},
    ltree::Ltree,
    unit_of_measure::Entity as UnitEntity,
};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QueryResult,
    QuerySelect, sea_query::LockType,
};

use super::value::Units;
use crate::{
    error::Result,
    sql::{Sql, statement, uuids},
};

pub(super) async fn find(db: &impl ConnectionTrait, id: AttributeId) -> Result<Option<Attribute>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: AttributeId,
) -> Result<Option<Attribute>> {
    Ok(Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?)
}

/// What holds for each of these categories, in the order of depth; each declaration with the category it holds for.
pub(super) async fn declarations(
    db: &impl ConnectionTrait,
    categories: &[CategoryId],
) -> Result<Vec<(CategoryId, Attribute)>> {
    let sql = "SELECT leaf.id AS leaf_id, a.*
               FROM category leaf
               JOIN category c ON c.path @> leaf.path
               JOIN attribute a ON a.category_id = c.id
               WHERE leaf.id = ANY($1)
               ORDER BY leaf.id, nlevel(c.path), a.position, a.id";
    let rows = db
        .query_all_raw(statement(sql, [uuids(categories)]))
        .await?;
    let pair = |row: &QueryResult| {
        Ok::<_, DbErr>((
            row.try_get("", "leaf_id")?,
            Attribute::from_query_result(row, "")?,
        ))
    };
    Ok(rows.iter().map(pair).collect::<Result<_, DbErr>>()?)
}

/// The declarations of the categories above this path, those of the path itself included, in the order of depth.
pub(super) async fn above_in_tx(tx: &DatabaseTransaction, path: &Ltree) -> Result<Vec<Attribute>> {
    let sql = "SELECT a.* FROM category c JOIN attribute a ON a.category_id = c.id
               WHERE c.path @> $1::ltree ORDER BY nlevel(c.path), a.position, a.id";
    Ok(
        Attribute::find_by_statement(statement(sql, [path.0.as_str().into()]))
            .all(tx)
            .await?,
    )
}

/// The declarations of this category and those below it.
pub(super) async fn within_in_tx(tx: &DatabaseTransaction, path: &Ltree) -> Result<Vec<Attribute>> {
    let sql = "SELECT a.* FROM category c JOIN attribute a ON a.category_id = c.id
               WHERE c.path <@ $1::ltree ORDER BY nlevel(c.path), a.position, a.id";
    Ok(
        Attribute::find_by_statement(statement(sql, [path.0.as_str().into()]))
            .all(tx)
            .await?,
    )
}

/// This category and all below it that are in use.
pub(super) async fn subtree_in_tx(
    tx: &DatabaseTransaction,
    path: &Ltree,
) -> Result<Vec<CategoryId>> {
    let sql = "SELECT id FROM category WHERE path <@ $1::ltree ORDER BY id";
    let rows = tx
        .query_all_raw(statement(sql, [path.0.as_str().into()]))
        .await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<Result<_, DbErr>>()?)
}

/// All units: there are some dozens.
pub(super) async fn units(db: &impl ConnectionTrait) -> Result<Units> {
    Ok(Units(UnitEntity::find().all(db).await?.into()))
}

/// One item as a check of its attributes needs it.
#[derive(FromQueryResult)]
pub(super) struct ItemFacts {
    pub(super) id: entity::id::ItemId,
    pub(super) sku: String,
    pub(super) category_id: CategoryId,
    pub(super) attributes: serde_json::Value,
}

/// The next items in use of these categories, in the order of category and id, behind the one given.
pub(super) async fn items_in_tx(
    tx: &DatabaseTransaction,
    categories: &[CategoryId],
    behind: Option<(CategoryId, entity::id::ItemId)>,
    limit: i64,
) -> Result<Vec<ItemFacts>> {
    let mut sql = Sql::new(
        "SELECT id, sku, category_id, attributes FROM item WHERE archived_at IS NULL AND category_id = ANY(",
    );
    sql.bind(uuids(categories)).push(")");
    if let Some((category, item)) = behind {
        sql.push(" AND (category_id, id) > (")
            .bind(category)
            .push(", ")
            .bind(item)
            .push(")");
    }
    sql.push(" ORDER BY category_id, id LIMIT ").bind(limit);
    Ok(ItemFacts::find_by_statement(sql.build()).all(tx).await?)
}
