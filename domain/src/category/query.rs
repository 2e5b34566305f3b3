//! Reads of the category tree.

use std::collections::HashMap;

use entity::{
    category::{Column, Entity, Model as Category},
    id::CategoryId,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, sea_query::LockType,
};

use super::{CHILDREN_MAX, CategoryFilter, TREE_MAX, TreeArgs};
use crate::{
    error::{Error, Result},
    keyset::{Column as Key, Cursor, List, Order, Reading},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// All columns, as `SELECT` needs them.
const COLUMNS: &str = "id, number, parent_id, path::text AS path, name, position, icon, colour, external_reference, archived_at, \
                       version, created_at, updated_at";

/// All columns of the category `c`, as they are read beside the row of another table.
pub(crate) const COLUMNS_BESIDE: &str = "c.id AS c_id, c.number AS c_number, c.parent_id AS c_parent_id, c.path::text AS c_path, \
    c.name AS c_name, c.position AS c_position, c.icon AS c_icon, c.colour AS c_colour, c.external_reference AS c_external_reference, \
    c.archived_at AS c_archived_at, c.version AS c_version, c.created_at AS c_created_at, c.updated_at AS c_updated_at";

pub(super) async fn find(db: &impl ConnectionTrait, id: CategoryId) -> Result<Option<Category>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

pub(super) async fn find_by_external_reference(
    db: &impl ConnectionTrait,
    reference: &str,
) -> Result<Option<Category>> {
    Ok(Entity::find()
        .filter(Column::ExternalReference.eq(reference))
        .one(db)
        .await?)
}

/// Goes down from the roots, one level a name; among siblings of the same name the first.
pub(super) async fn find_by_path(
    db: &impl ConnectionTrait,
    names: &[String],
) -> Result<Option<Category>> {
    let mut sql = Sql::new("WITH RECURSIVE wanted AS (SELECT CAST(");
    sql.bind(names.to_vec()).push(
        " AS text[]) AS names), step (id, level) AS (
             SELECT c.id, 1 FROM wanted w, category c
             WHERE c.parent_id IS NULL AND EXISTS (SELECT FROM jsonb_each_text(c.name) n WHERE n.value = w.names[1])
             UNION ALL
             SELECT c.id, s.level + 1 FROM wanted w, step s JOIN category c ON c.parent_id = s.id
             WHERE EXISTS (SELECT FROM jsonb_each_text(c.name) n WHERE n.value = w.names[s.level + 1])
         ) SELECT ",
    );
    sql.push(COLUMNS).push(
        " FROM category WHERE archived_at IS NULL \
               AND id IN (SELECT id FROM step, wanted WHERE level = cardinality(names))",
    );
    sql.push(" ORDER BY position, number LIMIT 1");
    Ok(Category::find_by_statement(sql.build()).one(db).await?)
}

pub(super) async fn by_ids(db: &impl ConnectionTrait, ids: &[CategoryId]) -> Result<Vec<Category>> {
    let mut sql = select("WHERE id = ANY(");
    sql.bind(uuids(ids)).push(")");
    Ok(Category::find_by_statement(sql.build()).all(db).await?)
}

fn select(rest: &str) -> Sql {
    Sql::new(&format!("SELECT {COLUMNS} FROM category {rest}"))
}

/// The first children of each parent, in their order.
pub(super) async fn children_of(
    db: &impl ConnectionTrait,
    ids: &[CategoryId],
) -> Result<Vec<Category>> {
    let mut sql = Sql::new("SELECT c.* FROM unnest(");
    sql.bind(uuids(ids))
        .push(") AS p (parent) CROSS JOIN LATERAL (SELECT ")
        .push(COLUMNS);
    sql.push(" FROM category WHERE parent_id = p.parent AND archived_at IS NULL ORDER BY position, number LIMIT ");
    sql.bind(i64::try_from(CHILDREN_MAX).unwrap_or(i64::MAX))
        .push(") c ORDER BY c.position, c.number");
    Ok(Category::find_by_statement(sql.build()).all(db).await?)
}

/// Each of these categories with its ancestors, root first.
pub(super) async fn ancestors_of(
    db: &impl ConnectionTrait,
    ids: &[CategoryId],
) -> Result<Vec<(CategoryId, Vec<Category>)>> {
    let mut sql = select(
        "WHERE number IN (SELECT label::bigint FROM category c, unnest(string_to_array(c.path::text, '.')) label",
    );
    sql.push(" WHERE c.id = ANY(").bind(uuids(ids)).push("))");
    let rows = Category::find_by_statement(sql.build()).all(db).await?;
    let by_id: HashMap<_, _> = rows.iter().map(|row| (row.id, row)).collect();
    let by_number: HashMap<_, _> = rows.iter().map(|row| (row.number, row)).collect();
    let found = ids.iter().filter_map(|id| by_id.get(id));
    Ok(found.map(|row| (row.id, above(row, &by_number))).collect())
}

/// The ancestors that the path names.
fn above(category: &Category, by_number: &HashMap<i64, &Category>) -> Vec<Category> {
    let labels = category
        .path
        .0
        .split('.')
        .filter_map(|label| label.parse().ok());
    labels
        .filter(|number| *number != category.number)
        .filter_map(|number| by_number.get(&number).map(|row| Category::clone(row)))
        .collect()
}

/// One row more than is allowed, so that the caller sees when there are too many.
pub(super) async fn tree(
    db: &impl ConnectionTrait,
    root: Option<&Category>,
    args: &TreeArgs,
) -> Result<Vec<Category>> {
    let mut sql = select("WHERE true");
    if let Some(root) = root {
        sql.push(" AND path <@ ")
            .bind(root.path.0.as_str())
            .push("::ltree");
    }
    if let Some(max_depth) = args.max_depth {
        let above = root.map_or(0, |root| root.path.depth() + 1);
        let levels = i64::from(max_depth).saturating_add(i64::try_from(above).unwrap_or(i64::MAX));
        sql.push(" AND nlevel(path) <= ").bind(levels);
    }
    if !args.include_archived {
        sql.push(" AND archived_at IS NULL");
    }
    let limit = args
        .limit
        .map_or(TREE_MAX + 1, |limit| usize::try_from(limit).unwrap_or(0));
    // Only who takes a part cares which part; the caller puts the rows in order anyway.
    if args.limit.is_some() {
        sql.push(" ORDER BY nlevel(category.path), number");
    }
    sql.push(" LIMIT ")
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
    Ok(Category::find_by_statement(sql.build()).all(db).await?)
}

const ID: Key = Key {
    sql: "id",
    cast: "uuid",
};

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &CategoryFilter,
    args: &PageArgs,
) -> Result<Page<Category>> {
    let list = List {
        columns: COLUMNS,
        from: "category",
        order: Order::new(Vec::new(), ID),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|row: &Category| Cursor(vec![row.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &CategoryFilter) {
    sql.push("true");
    if let Some(id) = filter.descendant_of {
        sql.push(" AND path <@ (SELECT path FROM category WHERE id = ")
            .bind(id)
            .push(") AND id <> ")
            .bind(id);
    }
    if !filter.include_archived {
        sql.push(" AND archived_at IS NULL");
    }
}

pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: CategoryId,
) -> Result<Option<Category>> {
    Ok(Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?)
}

/// Locked against being archived or removed; changes of its face, and others who lock it so, go on.
pub(super) async fn share_in_tx(
    tx: &DatabaseTransaction,
    id: CategoryId,
) -> Result<Option<Category>> {
    Ok(Entity::find_by_id(id)
        .lock(LockType::KeyShare)
        .one(tx)
        .await?)
}

pub(super) async fn get_in_tx(tx: &DatabaseTransaction, id: CategoryId) -> Result<Category> {
    find(tx, id)
        .await?
        .ok_or_else(|| Error::internal("a category vanished under its lock"))
}

pub(super) async fn siblings_in_tx(
    tx: &DatabaseTransaction,
    parent: Option<CategoryId>,
) -> Result<Vec<Category>> {
    let siblings = Entity::find()
        .apply_if(parent, |query, parent| {
            query.filter(Column::ParentId.eq(parent))
        })
        .apply_if(parent.is_none().then_some(()), |query, ()| {
            query.filter(Column::ParentId.is_null())
        })
        .order_by_asc(Column::Position)
        .order_by_asc(Column::Number);
    Ok(siblings.all(tx).await?)
}

/// Items in use in the category or below it.
pub(super) async fn count_items_in_tx(
    tx: &DatabaseTransaction,
    category: &Category,
) -> Result<i64> {
    let sql = "SELECT count(*) FROM item WHERE archived_at IS NULL
               AND category_id IN (SELECT id FROM category WHERE path <@ $1::ltree)";
    let row = tx
        .query_one_raw(statement(sql, [category.path.0.as_str().into()]))
        .await?;
    Ok(row
        .ok_or_else(|| Error::internal("a count gave no row"))?
        .try_get_by_index(0)?)
}
