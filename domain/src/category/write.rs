//! Writes of the category tree.

use chrono::{DateTime, Utc};
use entity::{category::Model as Category, id::CategoryId, ltree::Ltree};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, FromQueryResult, IntoActiveModel,
};
use serde_json::json;

use super::rules::{Face, FaceChange};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind, NewEvent},
    sql::statement,
    tree::Node,
    viewer::Viewer,
};

impl Node for Category {
    type Id = CategoryId;
    const TABLE: &'static str = "category";
    const LOCK: i64 = 0x6361_7465_676f_7279;

    fn id(&self) -> CategoryId {
        self.id
    }

    fn path(&self) -> &Ltree {
        &self.path
    }
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
