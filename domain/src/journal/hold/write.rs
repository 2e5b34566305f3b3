//! Writes of holds.

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{JournalEntryId, JournalHoldId};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DatabaseTransaction, FromQueryResult, Value};
use serde_json::json;

use super::{JournalHold, State, rules::Parsed};
use crate::{
    audit::{self, Actor, Change},
    clock::new_id,
    error::{Error, Result},
    event::{self, Kind, NewEvent},
    journal::{
        fault::{Failure, Place},
        post::Columns,
    },
    sql::{statement, uuids},
    viewer::Viewer,
};

const HOLD: &str = "WITH hold AS (
        INSERT INTO journal_hold (id, description, document_type, document_id, lines, expires_at, created_at, actor_kind, actor_id, actor_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        RETURNING *
    ), line AS (
        INSERT INTO journal_hold_line (hold_id, line, account_id, commodity, is_debit, amount, quantity, location_id, subsidiary_id,
                                       cost_center_id, project_id, description)
        SELECT $1, l.line, l.account, COALESCE(NULLIF(l.commodity, ''), (SELECT currency FROM shop)), l.is_debit, l.amount,
               NULLIF(l.quantity, 0), NULLIF(l.location, '00000000-0000-0000-0000-000000000000'),
               NULLIF(l.subsidiary, '00000000-0000-0000-0000-000000000000'),
               NULLIF(l.cost_center, '00000000-0000-0000-0000-000000000000'),
               NULLIF(l.project, '00000000-0000-0000-0000-000000000000'), NULLIF(l.description, '')
        FROM unnest($12::int4[], $13::uuid[], $14::text[], $15::bool[], $16::numeric[], $17::numeric[], $18::uuid[], $19::uuid[], $20::uuid[],
                    $21::uuid[], $22::text[])
            l (line, account, commodity, is_debit, amount, quantity, location, subsidiary, cost_center, project, description)
    ), trail AS (
        INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
        SELECT $7, $8, $9, $10, $11, 'journal_hold.hold', 'journal_hold', id, to_jsonb(hold) FROM hold
    ), told AS (
        INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
        SELECT $23, $24, id, version, jsonb_build_object('action', 'journal_hold.hold'), $11, $7 FROM hold
    )
    SELECT * FROM hold";

/// The hold with its lines, its trail and its event, in one statement.
pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    parsed: &Parsed,
) -> Result<JournalHold, Failure> {
    let Parsed { entry, expires_at } = parsed;
    let id = new_id(now);
    let columns = Columns::of(&[JournalEntryId(id)], std::slice::from_ref(entry));
    let Actor {
        kind,
        id: actor,
        name,
    } = Actor::of(viewer);
    let (document_type, document_id) = entry
        .document
        .as_ref()
        .map(|document| (document.kind.clone(), document.id.clone()))
        .unzip();
    let values: [Value; 24] = [
        id.into(),
        entry.description.clone().into(),
        document_type.into(),
        document_id.into(),
        i32::try_from(entry.lines.len()).unwrap_or(i32::MAX).into(),
        (*expires_at).into(),
        now.into(),
        kind.into(),
        actor.into(),
        name.into(),
        viewer.request_id.clone().into(),
        columns.numbers.into(),
        uuids(&columns.accounts),
        columns.commodities.into(),
        columns.sides.into(),
        columns.amounts.into(),
        columns.quantities.into(),
        uuids(&columns.locations),
        uuids(&columns.subsidiaries),
        uuids(&columns.cost_centers),
        uuids(&columns.projects),
        columns.descriptions.into(),
        Kind::JournalHoldChanged.as_str().into(),
        Kind::JournalHoldChanged.aggregate_type().into(),
    ];
    let held = JournalHold::find_by_statement(statement(HOLD, values)).one(tx);
    let held = held
        .await
        .map_err(|error| Failure::of(error, vec![Place::of(id, entry)]))?;
    held.ok_or_else(|| Error::internal("a hold was written and gave no row").into())
}

/// The last number of the day's fiscal year stays the last until the transaction ends.
pub(super) async fn lock_numbers_in_tx(tx: &DatabaseTransaction, date: NaiveDate) -> Result<()> {
    let sql = "SELECT last_number FROM journal_numbers(ARRAY[$1::date])";
    tx.query_one_raw(statement(sql, [date.into()])).await?;
    Ok(())
}

pub(super) async fn lock_in_tx(
    tx: &DatabaseTransaction,
    id: JournalHoldId,
) -> Result<Option<JournalHold>> {
    let sql = "SELECT * FROM journal_hold WHERE id = $1 FOR NO KEY UPDATE";
    let hold = JournalHold::find_by_statement(statement(sql, [id.into()]));
    Ok(hold.one(tx).await?)
}

pub(super) fn new_entry_id(now: DateTime<Utc>) -> JournalEntryId {
    JournalEntryId(new_id(now))
}

pub(super) async fn end_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    id: JournalHoldId,
    state: State,
    entry: Option<JournalEntryId>,
) -> Result<JournalHold> {
    let sql = "UPDATE journal_hold SET state = $2, ended_at = $3, entry_id = $4, version = version + 1 WHERE id = $1 RETURNING *";
    let entry = entry.map(|entry| entry.0);
    let values = [id.into(), state.to_value().into(), now.into(), entry.into()];
    let ended = JournalHold::find_by_statement(statement(sql, values));
    let ended = ended.one(tx).await?;
    ended.ok_or_else(|| Error::internal("a hold vanished under its lock"))
}

/// Some of them, those first whose time has been over longest. What somebody is about to end is left to them.
pub(super) async fn expire_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    most: u32,
) -> Result<u64> {
    let sql = "WITH over AS (
                   SELECT id FROM journal_hold WHERE state = 'pending' AND expires_at <= $1
                   ORDER BY expires_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
               ), ended AS (
                   UPDATE journal_hold h SET state = 'expired', ended_at = $1, version = h.version + 1
                   FROM over WHERE h.id = over.id RETURNING h.*
               ), trail AS (
                   INSERT INTO audit (at, actor_kind, actor_id, actor_name, request_id, action, aggregate_type, aggregate_id, after)
                   SELECT $1, $3, $4, $5, $6, 'journal_hold.expire', 'journal_hold', id, to_jsonb(ended) FROM ended
               ), told AS (
                   INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, request_id, created_at)
                   SELECT $7, $8, id, version, jsonb_build_object('action', 'journal_hold.expire'), $6, $1 FROM ended
               )
               SELECT count(*) AS ended FROM ended";
    let Actor { kind, id, name } = Actor::of(viewer);
    let values = [
        now.into(),
        i64::from(most).into(),
        kind.into(),
        id.into(),
        name.into(),
        viewer.request_id.clone().into(),
        Kind::JournalHoldChanged.as_str().into(),
        Kind::JournalHoldChanged.aggregate_type().into(),
    ];
    let row = tx.query_one_raw(statement(sql, values)).await?;
    let ended: Option<i64> = row.map(|row| row.try_get("", "ended")).transpose()?;
    Ok(ended.unwrap_or_default().unsigned_abs())
}

/// The trail and the event of the end of a hold.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: &JournalHold,
    after: &JournalHold,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "journal_hold",
        aggregate_id: after.id.0,
        before: Some(before),
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let event = NewEvent {
        kind: Kind::JournalHoldChanged,
        aggregate_id: after.id.0,
        aggregate_version: after.version,
        payload: &json!({ "action": action }),
    };
    event::write_in_tx(tx, viewer, now, event).await
}
