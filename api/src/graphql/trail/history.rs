//! What has become of anything there is, and how it was, as clients see it.

use async_graphql::{Context, Enum, ID, Json, Object, SimpleObject, connection::EmptyFields};
use chrono::{DateTime, Utc};
use domain::{
    Code, Permission, Refusal,
    trail::{Changed, HistoryArgs, Operation, RowState as RowStateRow},
};
use serde_json::Value;
use uuid::Uuid;

use crate::graphql::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::{self, GlobalId},
    page::{Connection, connection},
};

/// What was done to a row.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Operation")]
pub enum TrailOperation {
    /// It was added.
    Inserted,
    /// It was changed.
    Updated,
    /// It was removed.
    Deleted,
    /// It was there when changes were first kept.
    Present,
    /// It was as before when older changes were retired.
    Carried,
}

/// One change of one row.
#[derive(SimpleObject)]
pub struct TrailChange {
    /// When.
    at: DateTime<Utc>,
    /// In which table.
    table: String,
    /// The row's key.
    key: String,
    /// What was done to it.
    operation: TrailOperation,
    /// How it was; null of what was not there. Secrets are hashes.
    before: Option<Json<Value>>,
    /// How it is since; null of what is gone.
    after: Option<Json<Value>>,
    /// `user`, `system`, or `database` for somebody who went past goldshop.
    actor_kind: String,
    /// The user who did it; null when it was none.
    user_id: Option<ID>,
    /// The name of who did it, at that time.
    actor_name: String,
    /// The request that it was part of.
    request_id: Option<String>,
    /// What was done as a whole, such as `item.update`.
    action: Option<String>,
    /// Why, as far as anybody has said: in the header `X-Reason`.
    reason: Option<String>,
}

impl TrailChange {
    fn new(row: Changed) -> Self {
        let Changed {
            at,
            table,
            key,
            operation,
            before,
            after,
            actor_kind,
            actor_id,
            actor_name,
            request_id,
            action,
            reason,
        } = row;
        Self {
            at,
            table,
            key,
            operation: operation.into(),
            before: before.map(Json),
            after: after.map(Json),
            actor_kind,
            user_id: actor_id.map(GlobalId::encode),
            actor_name,
            request_id,
            action,
            reason,
        }
    }
}

/// A row as it was at a time.
#[derive(SimpleObject)]
pub struct TrailRow {
    /// In which table.
    table: String,
    /// The row's key.
    key: String,
    /// How it was. Secrets are hashes.
    row: Json<Value>,
    /// Since when it was so.
    since: DateTime<Utc>,
}

impl TrailRow {
    fn new(row: RowStateRow) -> Self {
        let RowStateRow {
            table,
            key,
            row,
            since,
        } = row;
        Self {
            table,
            key,
            row: Json(row),
            since,
        }
    }
}

/// Reading what has become of things.
#[derive(Default)]
pub struct TrailHistoryQuery;

#[Object(guard = "Needs(Permission::AuditRead)")]
impl TrailHistoryQuery {
    /// What has become of a thing of any kind, and of its parts, newest first. Needs `audit.read`.
    #[graphql(complexity = "cost::page(first, None, child_complexity)")]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id, of whatever type.")] of: ID,
        #[graphql(desc = "This many from the newest, or from `after`; at most 100.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor, which is older.")] after: Option<String>,
    ) -> async_graphql::Result<Connection<TrailChange>> {
        let viewer = ctx.viewer();
        let of = any("of", &of).map_err(Into::into).or_graphql(viewer)?;
        let args = HistoryArgs::parse(first, after).map_err(Into::into);
        let args = args.or_graphql(viewer)?;
        let page = ctx.domain().trail().history(viewer, of, args).await;
        let page = page.or_graphql(viewer)?;
        Ok(connection(page, EmptyFields, TrailChange::new))
    }

    /// How a thing of any kind and its parts were at a time: the rows that there were then, as far as changes were kept. Needs `audit.read`.
    #[graphql(complexity = "cost::rows(20, child_complexity)")]
    async fn state_at(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id, of whatever type.")] of: ID,
        #[graphql(desc = "When.")] at: DateTime<Utc>,
    ) -> async_graphql::Result<Vec<TrailRow>> {
        let viewer = ctx.viewer();
        let of = any("of", &of).map_err(Into::into).or_graphql(viewer)?;
        let rows = ctx.domain().trail().state_at(viewer, of, at).await;
        let rows = rows.or_graphql(viewer)?.into_iter();
        Ok(rows.map(TrailRow::new).collect())
    }
}

/// An id of any type.
fn any(path: &str, of: &ID) -> Result<Uuid, Refusal> {
    let id = id::decode(of).map(|(_, uuid)| uuid);
    id.ok_or_else(|| {
        Refusal::new(Code::InvalidFormat, path)
            .with("value", id::shortened(of))
            .with("expected", "ID")
    })
}
