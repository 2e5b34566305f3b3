//! The audit trail: every change of business data, written in the transaction that makes it.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    error::Result,
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
