//! The audit trail: every change of business data, written in the transaction that makes it.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait as _, DatabaseTransaction, EntityTrait,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    error::Result,
    sql::statement,
    viewer::{Identity, Viewer},
};

/// What was done to what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a, T> {
    /// Such as `item.create`.
    pub(crate) action: &'static str,
    /// Such as `item`.
    pub(crate) aggregate_type: &'static str,
    /// Which one.
    pub(crate) aggregate_id: Uuid,
    /// How it was; none for something new.
    pub(crate) before: Option<&'a T>,
    /// How it is; none for something gone.
    pub(crate) after: Option<&'a T>,
}

impl<'a, T> Change<'a, T> {
    /// Something new.
    pub(crate) fn of_new(
        action: &'static str,
        aggregate_type: &'static str,
        aggregate_id: Uuid,
        after: &'a T,
    ) -> Self {
        Self {
            action,
            aggregate_type,
            aggregate_id,
            before: None,
            after: Some(after),
        }
    }
}

/// Writes one change into the trail.
pub(crate) async fn write_in_tx<T: Serialize + Sync>(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    change: Change<'_, T>,
) -> Result<()> {
    let Change {
        action,
        aggregate_type,
        aggregate_id,
        before,
        after,
    } = change;
    let Actor { kind, id, name } = Actor::of(viewer);
    let row = entity::audit::ActiveModel {
        at: Set(now),
        actor_kind: Set(kind.into()),
        actor_id: Set(id),
        actor_name: Set(name),
        request_id: Set(viewer.request_id.clone()),
        // Otherwise what the transaction was told, if it was.
        reason: viewer
            .reason
            .clone()
            .map_or(NotSet, |reason| Set(Some(reason))),
        action: Set(action.into()),
        aggregate_type: Set(aggregate_type.into()),
        aggregate_id: Set(aggregate_id),
        before: Set(before.map(serde_json::to_value).transpose()?),
        after: Set(after.map(serde_json::to_value).transpose()?),
        ..Default::default()
    };
    entity::audit::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Tells the transaction why it is done, when somebody has said so: each row that it writes into the trail has it.
pub(crate) async fn reason_in_tx(tx: &DatabaseTransaction, viewer: &Viewer) -> Result<()> {
    if let Some(reason) = &viewer.reason {
        let sql = "SELECT set_config('goldshop.reason', $1, true)";
        tx.execute_raw(statement(sql, [reason.clone().into()]))
            .await?;
    }
    Ok(())
}

/// Tells the transaction who does what: for changes of rows by whoever writes nothing into the trail otherwise.
pub(crate) async fn sign_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    action: &str,
) -> Result<()> {
    let Actor { kind, id, name } = Actor::of(viewer);
    let who = serde_json::json!({
        "kind": kind,
        "id": id,
        "name": name,
        "request": viewer.request_id,
        "reason": viewer.reason,
        "action": action,
    });
    let sql = "SELECT set_config('goldshop.actor', $1, true)";
    tx.execute_raw(statement(sql, [who.to_string().into()]))
        .await?;
    Ok(())
}

/// Who did it, as the trail has it.
pub(crate) struct Actor {
    /// `user` or `system`.
    pub(crate) kind: &'static str,
    /// The user, when it was one.
    pub(crate) id: Option<Uuid>,
    /// The user's or the system's name at present.
    pub(crate) name: String,
}

impl Actor {
    /// The viewer as the trail has them.
    pub(crate) fn of(viewer: &Viewer) -> Self {
        let (kind, id, name) = match &viewer.identity {
            Identity::User(user) => ("user", Some(user.id.0), user.name.as_str()),
            Identity::System(part) => ("system", None, *part),
            Identity::Anonymous => ("system", None, "anonymous"),
        };
        Self {
            kind,
            id,
            name: name.to_owned(),
        }
    }
}
