//! Writes of views.

use chrono::{DateTime, Utc};
use entity::{
    id::{SavedViewId, UserId},
    saved_view::{ActiveModel, Entity, List, Model},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbErr,
    EntityTrait, IntoActiveModel,
};
use serde_json::json;

use super::rules::{Draft, DraftChange, DraftContent};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    sql::statement,
    viewer::Viewer,
};

/// Any number will do, as long as nothing else locks it.
const VIEWS: i64 = 0x7669_6577;

/// Keeps others from adding views until the transaction ends: how many there are is asked of all of them.
pub(super) async fn own_views_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    let lock = statement("SELECT pg_advisory_xact_lock($1)", [VIEWS.into()]);
    tx.execute_raw(lock).await?;
    Ok(())
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    user: UserId,
    list: List,
    draft: Draft,
) -> Result<Model> {
    let Draft {
        name,
        shared,
        content: DraftContent { request, columns },
    } = draft;
    let row = ActiveModel {
        id: Set(SavedViewId(new_id(now))),
        list: Set(list),
        user_id: Set(user),
        name: Set(name.clone()),
        shared: Set(shared),
        request: Set(request),
        columns: Set(columns),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    row.insert(tx).await.map_err(|error| taken(error, &name))
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: Model,
    change: DraftChange,
) -> Result<Model> {
    let DraftChange {
        name,
        shared,
        content,
    } = change;
    let mut row = before.clone().into_active_model();
    let name = name.unwrap_or(before.name);
    row.name = Set(name.clone());
    row.shared = Set(shared.unwrap_or(before.shared));
    if let Some(DraftContent { request, columns }) = content {
        row.request = Set(request);
        row.columns = Set(columns);
    }
    row.version = Set(before.version + 1);
    row.updated_at = Set(now);
    row.update(tx).await.map_err(|error| taken(error, &name))
}

fn taken(error: DbErr, name: &str) -> Error {
    let refusal = Refusal::new(Code::AlreadyTaken, "name").with("value", name);
    refuse_if_broken(error, &[("saved_view_name_unique", refusal)])
}

pub(super) async fn delete_in_tx(tx: &DatabaseTransaction, id: SavedViewId) -> Result<()> {
    Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

/// Nobody but its owner sees it first any more.
pub(super) async fn forget_for_others_in_tx(tx: &DatabaseTransaction, row: &Model) -> Result<()> {
    let sql = "DELETE FROM saved_view_default WHERE view_id = $1 AND user_id <> $2";
    let values = [row.id.into(), row.user_id.into()];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

/// Makes a view a user's first one of the list, or none; which one was it before.
pub(super) async fn replace_default_in_tx(
    tx: &DatabaseTransaction,
    user: UserId,
    list: List,
    id: Option<SavedViewId>,
) -> Result<Option<SavedViewId>> {
    let sql = "DELETE FROM saved_view_default WHERE user_id = $1 AND list = $2 RETURNING view_id";
    let list = list.to_value();
    let before = tx
        .query_one_raw(statement(sql, [user.into(), list.clone().into()]))
        .await?;
    if let Some(id) = id {
        // Of two who choose at once, the later one has chosen.
        let sql = "INSERT INTO saved_view_default (user_id, list, view_id) VALUES ($1, $2, $3)
                   ON CONFLICT (user_id, list) DO UPDATE SET view_id = EXCLUDED.view_id";
        tx.execute_raw(statement(sql, [user.into(), list.into(), id.into()]))
            .await?;
    }
    Ok(before.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// The trail of a change. Nobody listens to views: there is no event.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&Model>,
    after: Option<&Model>,
) -> Result<()> {
    let Some(row) = after.or(before) else {
        return Ok(());
    };
    let change = Change {
        action,
        aggregate_type: "saved_view",
        aggregate_id: row.id.0,
        before,
        after,
    };
    audit::write_in_tx(tx, viewer, now, change).await
}

/// The trail of what a user sees first: it is about the user.
pub(super) async fn record_default_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    user: UserId,
    (before, after): (Option<SavedViewId>, Option<SavedViewId>),
) -> Result<()> {
    let (before, after) = (json!({ "view_id": before }), json!({ "view_id": after }));
    let change = Change {
        action: "saved_view.set_default",
        aggregate_type: "user",
        aggregate_id: user.0,
        before: Some(&before),
        after: Some(&after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
