//! What has become of anything there is, and how it was at any time: from the changes of rows that are kept, with who made them and why.

use chrono::{DateTime, Utc};
use entity::id::UserId;
use sea_orm::FromQueryResult;
use serde_json::Value;
use uuid::Uuid;

use super::Trail;
use crate::{
    error::{Refusal, Result},
    keyset::{Column, Cursor, Order},
    page::{Page, PageArgs},
    permission::Permission,
    sql::statement,
    viewer::Viewer,
};

/// What is not shown to whoever may not see costs.
const COSTS: [&str; 1] = ["unit_cost"];

/// Which part of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryArgs {
    size: u32,
    before: Option<i64>,
}

impl HistoryArgs {
    /// The newest changes, or those behind a cursor.
    ///
    /// # Errors
    /// When the number is out of range, or the cursor is none.
    pub fn parse(first: Option<i32>, after: Option<String>) -> Result<Self, Refusal> {
        let args = PageArgs {
            first,
            after,
            ..PageArgs::default()
        };
        let order = Order::newest_first(Column {
            sql: "number",
            cast: "int8",
        });
        let cursor = args.after.as_deref();
        let cursor = cursor.map(|text| order.parse_cursor("after", text));
        let before = cursor
            .transpose()?
            .and_then(|cursor| cursor.0.first()?.parse().ok());
        Ok(Self {
            size: args.window()?.size,
            before,
        })
    }
}

/// What was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
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
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// When.
    pub at: DateTime<Utc>,
    /// In which table.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// What was done to it.
    pub operation: Operation,
    /// How it was.
    pub before: Option<Value>,
    /// How it is since.
    pub after: Option<Value>,
    /// `user`, `system`, or `database` for somebody who went past goldshop.
    pub actor_kind: String,
    /// The user, when it was one.
    pub actor_id: Option<UserId>,
    /// The user's, the part's or the role's name.
    pub actor_name: String,
    /// The request that it was part of.
    pub request_id: Option<String>,
    /// What was done as a whole, such as `item.update`.
    pub action: Option<String>,
    /// Why, as far as anybody has said.
    pub reason: Option<String>,
}

/// A row at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct RowState {
    /// In which table.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// How it was.
    pub row: Value,
    /// Since when.
    pub since: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct Row {
    number: i64,
    at: DateTime<Utc>,
    source: String,
    key: String,
    operation: String,
    before: Option<Value>,
    after: Option<Value>,
    actor_kind: String,
    actor_id: Option<UserId>,
    actor_name: String,
    request_id: Option<String>,
    action: Option<String>,
    reason: Option<String>,
}

/// Entries of stock and of the books never change: what there is to tell is how they came to be. Whatever a transaction has written into the
/// trail first tells who did what.
const HISTORY: &str = "
    SELECT c.number, c.written_at AS at, c.source, c.key, c.operation::text, p.after AS before, c.after,
           COALESCE(c.who->>'kind', w.actor_kind, 'database') AS actor_kind,
           CASE WHEN c.who IS NULL THEN w.actor_id ELSE (c.who->>'id')::uuid END AS actor_id,
           COALESCE(c.who->>'name', w.actor_name, c.role) AS actor_name,
           COALESCE(c.who->>'request', w.request_id) AS request_id,
           COALESCE(c.who->>'action', w.action) AS action, COALESCE(c.who->>'reason', w.reason) AS reason
    FROM (
        SELECT number, written_at, source, key, operation, after, who, role, tx, about FROM trail_change
        WHERE about = $1 AND number < $2 ORDER BY number DESC LIMIT $3
    ) c
    LEFT JOIN LATERAL (
        SELECT o.after FROM trail_change o
        WHERE o.about = c.about AND o.number < c.number AND o.source = c.source AND o.key = c.key ORDER BY o.number DESC LIMIT 1
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT a.* FROM audit a WHERE a.written_at = c.written_at AND a.tx = c.tx ORDER BY a.number LIMIT 1
    ) w ON true
    UNION ALL
    SELECT * FROM (
        SELECT a.number, a.at, a.aggregate_type, a.aggregate_id::text, 'i', a.before, a.after, a.actor_kind, a.actor_id, a.actor_name, a.request_id,
               a.action, a.reason
        FROM audit a WHERE a.aggregate_type IN ('stock_entry', 'journal_entry') AND a.aggregate_id = $1 AND a.number < $2
        ORDER BY a.number DESC LIMIT $3
    ) e
    ORDER BY 1 DESC LIMIT $3";

#[derive(FromQueryResult)]
struct Past {
    source: String,
    key: String,
    after: Value,
    since: DateTime<Utc>,
}

const STATE: &str = "
    SELECT s.source, s.key, s.after, s.since FROM (
        SELECT DISTINCT ON (source, key) source, key, after, written_at AS since FROM trail_change
        WHERE about = $1 AND written_at <= $2 ORDER BY source, key, number DESC
    ) s WHERE s.after IS NOT NULL
    UNION ALL
    SELECT a.aggregate_type, a.aggregate_id::text, a.after, a.at FROM audit a
    WHERE a.aggregate_type IN ('stock_entry', 'journal_entry') AND a.aggregate_id = $1 AND a.at <= $2 AND a.after IS NOT NULL
    ORDER BY 1, 2 LIMIT 1000";

impl Trail<'_> {
    /// What has become of a thing and of its parts, newest first: one statement.
    ///
    /// # Errors
    /// When the viewer may not see the trail.
    pub async fn history(
        &self,
        viewer: &Viewer,
        of: Uuid,
        args: HistoryArgs,
    ) -> Result<Page<Changed>> {
        viewer.require(Permission::AuditRead)?;
        let with_costs = viewer.require(Permission::CostRead).is_ok();
        let before = args.before.unwrap_or(i64::MAX);
        let values = [of.into(), before.into(), (i64::from(args.size) + 1).into()];
        let rows = Row::find_by_statement(statement(HISTORY, values));
        let rows = rows.all(&self.domain.reads).await?;
        let size = usize::try_from(args.size).unwrap_or(usize::MAX);
        let has_next = rows.len() > size;
        let edge = |row: Row| {
            let cursor = Cursor(vec![row.number.to_string()]);
            (cursor.encode(), changed(row, with_costs))
        };
        Ok(Page {
            edges: rows.into_iter().take(size).map(edge).collect(),
            has_next,
            has_previous: args.before.is_some(),
        })
    }

    /// How a thing and its parts were at a time: the rows that there were then, as far as changes were kept. One statement.
    ///
    /// # Errors
    /// When the viewer may not see the trail.
    pub async fn state_at(
        &self,
        viewer: &Viewer,
        of: Uuid,
        at: DateTime<Utc>,
    ) -> Result<Vec<RowState>> {
        viewer.require(Permission::AuditRead)?;
        let with_costs = viewer.require(Permission::CostRead).is_ok();
        let rows = Past::find_by_statement(statement(STATE, [of.into(), at.into()]));
        let rows = rows.all(&self.domain.reads).await?.into_iter();
        Ok(rows
            .map(|row| RowState {
                table: row.source,
                key: row.key,
                row: shown(row.after, with_costs),
                since: row.since,
            })
            .collect())
    }
}

fn changed(row: Row, with_costs: bool) -> Changed {
    let Row {
        number: _,
        at,
        source,
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
    Changed {
        at,
        table: source,
        key,
        operation: match operation.as_str() {
            "i" => Operation::Inserted,
            "u" => Operation::Updated,
            "d" => Operation::Deleted,
            "c" => Operation::Carried,
            _ => Operation::Present,
        },
        before: before.map(|value| shown(value, with_costs)),
        after: after.map(|value| shown(value, with_costs)),
        actor_kind,
        actor_id,
        actor_name,
        request_id,
        action,
        reason,
    }
}

fn shown(mut value: Value, with_costs: bool) -> Value {
    if let (Some(columns), false) = (value.as_object_mut(), with_costs) {
        columns.retain(|column, _| !COSTS.contains(&column.as_str()));
    }
    value
}
