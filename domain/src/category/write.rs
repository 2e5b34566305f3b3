//! Writes of the category tree.

use chrono::{DateTime, Utc};
use entity::{category::Model as Category, id::CategoryId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, FromQueryResult,
    IntoActiveModel,
};
use serde_json::json;

use super::rules::{Face, FaceChange};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind, NewEvent},
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Any number will do, as long as nothing else locks it.
const TREE: i64 = 0x6361_7465_676f_7279;

/// Waits until nobody changes the shape of the tree, and keeps others from it until the transaction ends.
pub(super) async fn own_tree_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    tx.execute_raw(statement("SELECT pg_advisory_xact_lock($1)", [TREE.into()]))
        .await?;
    Ok(())
}

/// Waits until nobody changes the shape of the tree; others may add to it meanwhile.
pub(super) async fn share_tree_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    tx.execute_raw(statement(
        "SELECT pg_advisory_xact_lock_shared($1)",
        [TREE.into()],
    ))
    .await?;
    Ok(())
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    parent_id: Option<CategoryId>,
    face: Face,
) -> Result<Category> {
    let Face {
        name,
        icon,
        colour,
        external_reference,
    } = face;
    let name = serde_json::to_value(name)?;
    let sql = "WITH new AS (SELECT nextval(pg_get_serial_sequence('category', 'number')) AS number)
               INSERT INTO category (id, number, parent_id, path, name, position, icon, colour, external_reference, created_at, updated_at)
               OVERRIDING SYSTEM VALUE
               SELECT $1, number, $2, COALESCE((SELECT path FROM category WHERE id = $2), ''::ltree) || number::text, $3,
                      COALESCE(CASE WHEN $2 IS NULL THEN (SELECT max(position) + 1 FROM category WHERE parent_id IS NULL)
                                    ELSE (SELECT max(position) + 1 FROM category WHERE parent_id = $2) END, 0),
                      $4, $5, $6, $7, $7
               FROM new
               RETURNING id, number, parent_id, path::text AS path, name, position, icon, colour, external_reference, archived_at,
                         version, created_at, updated_at";
    let id = new_id(now);
    let values = [
        id.into(),
        parent_id.into(),
        name.into(),
        icon.into(),
        colour.into(),
        external_reference.clone().into(),
        now.into(),
    ];
    let inserted = Category::find_by_statement(statement(sql, values))
        .one(tx)
        .await;
    let inserted =
        inserted.map_err(|error| refuse_if_broken(error, &taken(external_reference.as_deref())))?;
    inserted.ok_or_else(|| Error::internal("an insert gave no row"))
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    category: Category,
    change: FaceChange,
) -> Result<Category> {
    let FaceChange {
        name,
        icon,
        colour,
        external_reference,
    } = change;
    let reference = external_reference.apply(category.external_reference.clone());
    let (icon, colour, version) = (
        icon.apply(category.icon.clone()),
        colour.apply(category.colour.clone()),
        category.version + 1,
    );
    let name = name.unwrap_or_else(|| category.name.clone());
    let mut row = category.into_active_model();
    row.name = Set(name);
    row.icon = Set(icon);
    row.colour = Set(colour);
    row.external_reference = Set(reference.clone());
    row.version = Set(version);
    row.updated_at = Set(now);
    row.update(tx)
        .await
        .map_err(|error| refuse_if_broken(error, &taken(reference.as_deref())))
}

fn taken(reference: Option<&str>) -> [(&'static str, Refusal); 1] {
    let refusal = Refusal::new(Code::AlreadyTaken, "externalReference")
        .with("value", reference.unwrap_or_default());
    [("category_external_reference_unique", refusal)]
}

/// What a statement will change below a category, locked beforehand and in the order of ids: whoever locks several categories does so in
/// that order, and nobody waits in a circle.
pub(super) async fn lock_subtree_in_tx(
    tx: &DatabaseTransaction,
    category: &Category,
    lock: SubtreeLock,
) -> Result<()> {
    let sql = match lock {
        SubtreeLock::AgainstChanges => {
            "SELECT id FROM category WHERE path <@ $1::ltree ORDER BY id FOR NO KEY UPDATE"
        }
        SubtreeLock::AgainstUse => {
            "SELECT id FROM category WHERE path <@ $1::ltree ORDER BY id FOR UPDATE"
        }
    };
    tx.execute_raw(statement(sql, [category.path.0.as_str().into()]))
        .await?;
    Ok(())
}

/// What others may still do to locked categories.
#[derive(Clone, Copy, Debug)]
pub(super) enum SubtreeLock {
    /// Items may be put into them.
    AgainstChanges,
    /// Nothing.
    AgainstUse,
}

/// Counts a change of the category alone.
pub(super) async fn touch_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    category: &Category,
) -> Result<()> {
    let sql = "UPDATE category SET version = version + 1, updated_at = $2 WHERE id = $1";
    tx.execute_raw(statement(sql, [category.id.into(), now.into()]))
        .await?;
    Ok(())
}

/// Gives the category its new parent and the whole subtree its new paths, in one statement.
pub(super) async fn move_subtree_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    category: &Category,
    parent: Option<&Category>,
) -> Result<()> {
    let sql = "UPDATE category
               SET path = $1::ltree || subpath(path, nlevel($2::ltree) - 1),
                   parent_id = CASE WHEN id = $3 THEN $4 ELSE parent_id END,
                   version = version + 1, updated_at = $5
               WHERE path <@ $2::ltree";
    let above = parent.map_or("", |parent| parent.path.0.as_str());
    let values = [
        above.into(),
        category.path.0.as_str().into(),
        category.id.into(),
        parent.map(|parent| parent.id).into(),
        now.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

/// Numbers siblings in the given order. Their versions stay: where a category stands is a fact about its siblings too.
pub(super) async fn reorder_in_tx(tx: &DatabaseTransaction, order: &[CategoryId]) -> Result<()> {
    let sql = "UPDATE category c SET position = o.place - 1
               FROM unnest($1::uuid[]) WITH ORDINALITY AS o (id, place)
               WHERE c.id = o.id AND c.position <> o.place - 1";
    tx.execute_raw(statement(sql, [uuids(order)])).await?;
    Ok(())
}

/// Archives what is in use; what was archived before keeps its own time, and so is not restored together with the rest.
pub(super) async fn archive_subtree_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    category: &Category,
) -> Result<()> {
    let sql = "UPDATE category SET archived_at = $2, version = version + 1, updated_at = $2
               WHERE path <@ $1::ltree AND archived_at IS NULL";
    tx.execute_raw(statement(
        sql,
        [category.path.0.as_str().into(), now.into()],
    ))
    .await?;
    Ok(())
}

pub(super) async fn restore_subtree_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    category: &Category,
    archived_at: DateTime<Utc>,
) -> Result<()> {
    let sql = "UPDATE category SET archived_at = NULL, version = version + 1, updated_at = $2
               WHERE path <@ $1::ltree AND archived_at = $3";
    tx.execute_raw(statement(
        sql,
        [
            category.path.0.as_str().into(),
            now.into(),
            archived_at.into(),
        ],
    ))
    .await?;
    Ok(())
}

/// The trail and the event of a change to one category.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&Category>,
    after: &Category,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "category",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let payload = json!({ "action": action, "path": after.path });
    let event = NewEvent {
        kind: Kind::CategoryTreeChanged,
        aggregate_id: after.id.0,
        aggregate_version: after.version,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}

/// The trail and the event of another order: recorded with the sibling that is now the first, before and after as lists of ids. Their
/// parent has not changed.
pub(super) async fn record_order_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: &[Category],
    after: &[Category],
) -> Result<()> {
    let Some(first) = after.first() else {
        return Ok(());
    };
    let ids = |rows: &[Category]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let (before, after) = (ids(before), ids(after));
    let action = "category.reorder";
    let change = Change {
        action,
        aggregate_type: "category",
        aggregate_id: first.id.0,
        before: Some(&before),
        after: Some(&after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let payload = json!({ "action": action, "path": first.path });
    let event = NewEvent {
        kind: Kind::CategoryTreeChanged,
        aggregate_id: first.id.0,
        aggregate_version: first.version,
        payload: &payload,
    };
    event::write_in_tx(tx, viewer, now, event).await
}
