//! Reads of attributes.

use std::sync::Arc;

use entity::{
    attribute::{Entity, Model as Attribute},
    id::{AttributeId, CategoryId, UnitOfMeasureId},
    ltree::Ltree,
};
use futures_util::Stream;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QuerySelect,
    sea_query::LockType,
};

use uuid::Uuid;

use super::value::Units;
use crate::{
    error::Result,
    sql::{Sql, statement, uuids},
    unit_of_measure::table,
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

/// One declaration, and for which of some categories it holds.
#[derive(FromQueryResult)]
pub(super) struct Declaration {
    #[sea_orm(nested)]
    pub(super) attribute: Attribute,
    pub(super) leaves: Vec<Uuid>,
}

/// What holds for these categories, in the order of depth. Each declaration comes once, however many categories it holds for.
pub(super) async fn declarations(
    db: &impl ConnectionTrait,
    categories: &[CategoryId],
) -> Result<Vec<Declaration>> {
    let sql = "SELECT a.*, array_agg(leaf.id) AS leaves
               FROM category leaf
               JOIN category c ON c.path @> leaf.path
               JOIN attribute a ON a.category_id = c.id
               WHERE leaf.id = ANY($1)
               GROUP BY a.id, c.path
               ORDER BY nlevel(c.path), a.position, a.id";
    Ok(
        Declaration::find_by_statement(statement(sql, [uuids(categories)]))
            .all(db)
            .await?,
    )
}

/// A declaration, and whether its key means something else in some other category.
#[derive(FromQueryResult)]
pub(super) struct Named {
    #[sea_orm(nested)]
    pub(super) attribute: Attribute,
    pub(super) is_ambiguous: bool,
}

const IS_AMBIGUOUS: &str = "EXISTS (SELECT FROM attribute o WHERE o.key = a.key AND (o.name <> a.name OR o.kind <> a.kind \
    OR o.unit_id IS DISTINCT FROM a.unit_id OR o.retired_at IS NOT NULL))";

/// The declarations in use with one of these names, in whatever categories.
pub(super) async fn named(db: &impl ConnectionTrait, names: &[String]) -> Result<Vec<Named>> {
    let mut sql = Sql::new("SELECT a.*, ");
    sql.push(IS_AMBIGUOUS)
        .push(" AS is_ambiguous FROM attribute a WHERE a.name = ANY(")
        .bind(names.to_vec())
        .push(") AND a.retired_at IS NULL ORDER BY a.id LIMIT 1000");
    Ok(Named::find_by_statement(sql.build()).all(db).await?)
}

/// The declarations in use that lists are narrowed down by: those of the category, above it and below it; all without a category.
pub(super) async fn facets(
    db: &impl ConnectionTrait,
    category: Option<CategoryId>,
) -> Result<Vec<Named>> {
    let mut sql = Sql::new("SELECT a.*, ");
    sql.push(IS_AMBIGUOUS)
        .push(" AS is_ambiguous FROM attribute a JOIN category c ON c.id = a.category_id WHERE a.facet AND a.retired_at IS NULL");
    if let Some(category) = category {
        sql.push(" AND EXISTS (SELECT FROM category p WHERE p.id = ")
            .bind(category)
            .push(" AND (c.path @> p.path OR c.path <@ p.path))");
    }
    sql.push(" ORDER BY nlevel(c.path), a.position, a.id LIMIT 200");
    Ok(Named::find_by_statement(sql.build()).all(db).await?)
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

/// Whether variants of a template of this subtree differ in what is kept under the key.
pub(super) async fn is_option_in_tx(
    tx: &DatabaseTransaction,
    path: &Ltree,
    key: &str,
) -> Result<bool> {
    let sql = "SELECT FROM item_option o JOIN item i ON i.id = o.template_id JOIN category c ON c.id = i.category_id
               WHERE o.key = $1 AND c.path <@ $2::ltree LIMIT 1";
    let values = [key.into(), path.0.as_str().into()];
    Ok(tx.query_one_raw(statement(sql, values)).await?.is_some())
}

/// Keeps a unit as it is until the transaction ends; who changes what it is worth waits, and then finds it in use.
pub(super) async fn hold_unit_in_tx(tx: &DatabaseTransaction, id: UnitOfMeasureId) -> Result<()> {
    let sql = "SELECT FROM unit_of_measure WHERE id = $1 FOR KEY SHARE";
    tx.execute_raw(statement(sql, [id.into()])).await?;
    Ok(())
}

/// All units: there are some dozens.
pub(super) async fn units(db: &impl ConnectionTrait) -> Result<Units> {
    Ok(Units(Arc::new(table(db).await?)))
}

/// One item as a check of its attributes needs it.
#[derive(FromQueryResult)]
pub(super) struct ItemFacts {
    pub(super) id: entity::id::ItemId,
    pub(super) sku: String,
    pub(super) category_id: CategoryId,
    pub(super) attributes: serde_json::Value,
}

/// The items in use of these categories, by creation.
pub(super) async fn items_in_tx<'a>(
    tx: &'a DatabaseTransaction,
    categories: &[CategoryId],
) -> Result<impl Stream<Item = Result<ItemFacts, DbErr>> + 'a> {
    // A template is looked at as its first variant would be.
    let sql = "SELECT id, sku, category_id, CASE WHEN is_template THEN attributes || (
                   SELECT jsonb_object_agg(o.key, o.choices -> 0) FROM item_option o WHERE o.template_id = item.id
               ) ELSE attributes END AS attributes FROM item
               WHERE archived_at IS NULL AND category_id = ANY($1) ORDER BY id";
    Ok(
        ItemFacts::find_by_statement(statement(sql, [uuids(categories)]))
            .stream(tx)
            .await?,
    )
}
