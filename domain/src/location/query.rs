//! Reads of the tree of locations.

use std::collections::HashMap;

use entity::{
    category::Model as Category,
    id::{CategoryId, LocationId},
    location::{Column, Entity, Model as Location},
};
use sea_orm::{
    ActiveEnum as _, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    FromQueryResult, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait,
    sea_query::LockType,
};

use super::LocationFilter;
use crate::{
    category::COLUMNS_BESIDE,
    error::{Error, Result},
    filter::push_text,
    keyset::{Below, Column as Key, Cursor, List, Order, Reading, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement, uuids},
};

/// All columns, as `SELECT` needs them.
const COLUMNS: &str = "id, number, parent_id, path::text AS path, code, name, kind, is_virtual, position, negative_allowed, capacity, \
                       external_reference, archived_at, version, created_at, updated_at";

pub(super) async fn find(db: &impl ConnectionTrait, id: LocationId) -> Result<Option<Location>> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

pub(super) async fn find_by_code(
    db: &impl ConnectionTrait,
    code: &str,
) -> Result<Option<Location>> {
    let found = Entity::find().filter(Column::Code.eq(code));
    Ok(found.one(db).await?)
}

pub(super) async fn find_by_external_reference(
    db: &impl ConnectionTrait,
    reference: &str,
) -> Result<Option<Location>> {
    let found = Entity::find().filter(Column::ExternalReference.eq(reference));
    Ok(found.one(db).await?)
}

pub(super) async fn by_ids(db: &impl ConnectionTrait, ids: &[LocationId]) -> Result<Vec<Location>> {
    let mut sql = select("WHERE id = ANY(");
    sql.bind(uuids(ids)).push(")");
    Ok(Location::find_by_statement(sql.build()).all(db).await?)
}

fn select(rest: &str) -> Sql {
    Sql::new(&format!("SELECT {COLUMNS} FROM location {rest}"))
}

const ID: Key = Key {
    sql: "id",
    cast: "uuid",
};

/// Siblings come by their places, ties broken by creation.
fn order_of_siblings() -> Order {
    let position = Term {
        column: Key {
            sql: "position",
            cast: "int4",
        },
        descending: false,
    };
    let number = Key {
        sql: "number",
        cast: "int8",
    };
    Order::new(vec![position], number)
}

/// Of each of these locations a page of its children that are in use: one statement.
pub(super) async fn children_of(
    db: &impl ConnectionTrait,
    parents: &[LocationId],
    args: &PageArgs,
) -> Result<Vec<Page<Location>>> {
    let below = Below {
        parents: uuids(parents),
        count: parents.len(),
        rows: &format!(
            "SELECT {COLUMNS} FROM location WHERE parent_id = w.parent AND archived_at IS NULL"
        ),
        order: order_of_siblings(),
    };
    let cursor = |location: &Location| {
        Cursor(vec![
            location.position.to_string(),
            location.number.to_string(),
        ])
    };
    below.pages(db, args, cursor).await
}

/// Each of these locations with its ancestors, root first.
pub(super) async fn ancestors_of(
    db: &impl ConnectionTrait,
    ids: &[LocationId],
) -> Result<Vec<(LocationId, Vec<Location>)>> {
    let mut sql = select(
        "WHERE number IN (SELECT label::bigint FROM location l, unnest(string_to_array(l.path::text, '.')) label",
    );
    sql.push(" WHERE l.id = ANY(").bind(uuids(ids)).push("))");
    let rows = Location::find_by_statement(sql.build()).all(db).await?;
    let by_id: HashMap<_, _> = rows.iter().map(|row| (row.id, row)).collect();
    let by_number: HashMap<_, _> = rows.iter().map(|row| (row.number, row)).collect();
    let found = ids.iter().filter_map(|id| by_id.get(id));
    Ok(found.map(|row| (row.id, above(row, &by_number))).collect())
}

/// The ancestors that the path names.
fn above(location: &Location, by_number: &HashMap<i64, &Location>) -> Vec<Location> {
    let labels = location.path.0.split('.');
    labels
        .filter_map(|label| label.parse().ok())
        .filter(|number| *number != location.number)
        .filter_map(|number| by_number.get(&number).map(|row| Location::clone(row)))
        .collect()
}

/// A category, and which location is kept for it.
struct KeptFor {
    location: LocationId,
    category: Category,
}

impl FromQueryResult for KeptFor {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            location: row.try_get(prefix, "location_id")?,
            category: Category::from_query_result(row, "c_")?,
        })
    }
}

/// The categories that these locations are kept for, by creation.
pub(super) async fn categories_of(
    db: &impl ConnectionTrait,
    ids: &[LocationId],
) -> Result<Vec<(LocationId, Category)>> {
    let mut sql = Sql::new("SELECT k.location_id, ");
    sql.push(COLUMNS_BESIDE).push(
        " FROM location_category k JOIN category c ON c.id = k.category_id WHERE k.location_id = ANY(",
    );
    sql.bind(uuids(ids)).push(") ORDER BY c.number");
    let rows = KeptFor::find_by_statement(sql.build()).all(db).await?;
    Ok(rows
        .into_iter()
        .map(|KeptFor { location, category }| (location, category))
        .collect())
}

pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &LocationFilter,
    args: &PageArgs,
) -> Result<Page<Location>> {
    let list = List {
        columns: COLUMNS,
        from: "location",
        order: Order::new(Vec::new(), ID),
        filter: &|sql| push_filter(sql, filter),
        cursor: &|row: &Location| Cursor(vec![row.id.to_string()]),
        reading: Reading::Any,
    };
    list.page(db, args).await
}

fn push_filter(sql: &mut Sql, filter: &LocationFilter) {
    let LocationFilter {
        kind_in,
        is_virtual,
        parent_id,
        descendant_of,
        code,
        external_reference,
        include_archived,
    } = filter;
    sql.push("true");
    if let Some(kinds) = kind_in {
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.to_value()).collect();
        sql.push(" AND kind = ANY(").bind(kinds).push("::text[])");
    }
    if let Some(is_virtual) = is_virtual {
        sql.push(" AND is_virtual = ").bind(*is_virtual);
    }
    if let Some(id) = parent_id {
        sql.push(" AND parent_id = ").bind(*id);
    }
    if let Some(id) = descendant_of {
        sql.push(" AND path <@ (SELECT path FROM location WHERE id = ")
            .bind(*id)
            .push(") AND id <> ")
            .bind(*id);
    }
    push_text(sql, "code", code.as_ref());
    push_text(sql, "external_reference", external_reference.as_ref());
    if !include_archived {
        sql.push(" AND archived_at IS NULL");
    }
}

/// Locked against being closed; changes of what it is, and others who lock it so, go on.
pub(super) async fn share_in_tx(
    tx: &DatabaseTransaction,
    id: LocationId,
) -> Result<Option<Location>> {
    let locked = Entity::find_by_id(id).lock(LockType::KeyShare);
    Ok(locked.one(tx).await?)
}

/// A location and all that is below it.
pub(super) async fn subtree_in_tx(
    tx: &DatabaseTransaction,
    location: &Location,
) -> Result<Vec<LocationId>> {
    let sql = "SELECT id FROM location WHERE path <@ $1::ltree";
    let values = [location.path.0.as_str().into()];
    let rows = tx.query_all_raw(statement(sql, values)).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<Result<_, DbErr>>()?)
}

pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: LocationId,
) -> Result<Option<Location>> {
    let locked = Entity::find_by_id(id).lock(LockType::NoKeyUpdate);
    Ok(locked.one(tx).await?)
}

pub(super) async fn get_in_tx(tx: &DatabaseTransaction, id: LocationId) -> Result<Location> {
    find(tx, id)
        .await?
        .ok_or_else(|| Error::internal("a location vanished under its lock"))
}

pub(super) async fn siblings_in_tx(
    tx: &DatabaseTransaction,
    parent: Option<LocationId>,
) -> Result<Vec<Location>> {
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

/// The categories that a location is kept for, in the order of ids.
pub(super) async fn category_ids_in_tx(
    tx: &DatabaseTransaction,
    id: LocationId,
) -> Result<Vec<CategoryId>> {
    let sql =
        "SELECT category_id FROM location_category WHERE location_id = $1 ORDER BY category_id";
    let rows = tx.query_all_raw(statement(sql, [id.into()])).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<Result<_, DbErr>>()?)
}

/// Those of these categories that there are.
pub(super) async fn known_categories_in_tx(
    tx: &DatabaseTransaction,
    ids: &[CategoryId],
) -> Result<Vec<CategoryId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT id FROM category WHERE id = ANY($1)";
    let rows = tx.query_all_raw(statement(sql, [uuids(ids)])).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<Result<_, DbErr>>()?)
}
