//! Many events of one kind, by one statement.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use super::Kind;
use crate::{error::Result, sql::statement, viewer::Viewer};

/// Writes events into the outbox: of each its aggregate, that one's version and what there is to tell.
pub(crate) async fn write_many_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    kind: Kind,
    events: &[(Uuid, i64, serde_json::Value)],
) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = events.iter().map(|(id, ..)| *id).collect();
    let versions: Vec<i64> = events.iter().map(|(_, version, _)| *version).collect();
    let payloads: Vec<String> = events.iter().map(|(.., told)| told.to_string()).collect();
    let sql = "INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
               SELECT $4, $5, e.id, e.version, e.payload::jsonb, $6, $7
               FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS e (id, version, payload)";
    let values = [
        ids.into(),
        versions.into(),
        payloads.into(),
        kind.as_str().into(),
        kind.aggregate_type().into(),
        viewer.request_id.clone().into(),
        now.into(),
    ];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}
