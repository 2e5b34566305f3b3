//! Writes of counts. What follows from them the database writes.

use chrono::{DateTime, Utc};
use entity::{
    id::{LotId, StockCountId, StockEntryId},
    stock_count::Model as StockCount,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, FromQueryResult, Value};
use serde::Serialize;
use serde_json::json;

use super::{
    NewCount, Scan, Scanned, fault,
    rules::{Draft, ParsedScan},
};
use crate::{
    audit::{self, Actor, Change},
    clock::new_id,
    error::Result,
    event::{self, Kind, NewEvent},
    sql::{statement, uuids},
    stock::tell_in_tx,
    viewer::Viewer,
};

/// No lot, as arrays of nullable values do not bind.
const NO_LOT: LotId = LotId(uuid::Uuid::nil());

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    new: &NewCount,
    draft: Draft,
) -> Result<StockCount, DbErr> {
    let sql = "INSERT INTO stock_count (id, state, location_id, category_id, is_blind, tolerance, round, note, actor_kind, actor_id, actor_name,
                                        created_at, updated_at)
               VALUES ($1, 'open', $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, $10) RETURNING *";
    let actor = Actor::of(viewer);
    let values = [
        new_id(now).into(),
        new.location_id.into(),
        new.category_id.map(|id| id.0).into(),
        new.is_blind.into(),
        draft.tolerance.into(),
        draft.note.into(),
        actor.kind.into(),
        actor.id.into(),
        actor.name.into(),
        now.into(),
    ];
    one(tx, sql, values).await
}

async fn one<const N: usize>(
    tx: &DatabaseTransaction,
    sql: &'static str,
    values: [Value; N],
) -> Result<StockCount, DbErr> {
    let count = StockCount::find_by_statement(statement(sql, values));
    let count = count.one(tx).await?;
    count.ok_or(DbErr::RecordNotInserted)
}

pub(super) async fn finish_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    id: StockCountId,
) -> Result<StockCount> {
    let sql = "UPDATE stock_count SET state = 'review', finished_at = $2, version = version + 1, updated_at = $2 WHERE id = $1 RETURNING *";
    let finished = one(tx, sql, [id.into(), now.into()]).await;
    finished.map_err(fault::of_finishing)
}

pub(super) async fn recount_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    id: StockCountId,
    lines: &[i64],
) -> Result<StockCount> {
    let sql = "UPDATE stock_count SET state = 'open', round = round + 1, recounted = $3, version = version + 1, updated_at = $2
               WHERE id = $1 RETURNING *";
    let values = [id.into(), now.into(), lines.to_vec().into()];
    let reopened = one(tx, sql, values).await;
    reopened.map_err(|error| fault::of_recounting(error, lines))
}

pub(super) async fn approve_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    id: StockCountId,
    entry: Option<StockEntryId>,
) -> Result<StockCount> {
    let sql = "UPDATE stock_count SET state = 'posted', entry_id = $3, approver_kind = $4, approver_id = $5, approver_name = $6, approved_at = $2,
                      version = version + 1, updated_at = $2
               WHERE id = $1 RETURNING *";
    let actor = Actor::of(viewer);
    let values = [
        id.into(),
        now.into(),
        entry.map(|id| id.0).into(),
        actor.kind.into(),
        actor.id.into(),
        actor.name.into(),
    ];
    Ok(one(tx, sql, values).await?)
}

pub(super) async fn cancel_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    id: StockCountId,
) -> Result<StockCount> {
    let sql = "UPDATE stock_count SET state = 'cancelled', version = version + 1, updated_at = $2 WHERE id = $1 RETURNING *";
    Ok(one(tx, sql, [id.into(), now.into()]).await?)
}

/// Adds scans to a count that is shared, and tells how many of them are new. They come in the order of their ids, so that of two who send the
/// same the second waits, and nobody in a circle; their levels are locked before, at the moment that they are about.
pub(super) async fn add_scans_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    count: &StockCount,
    scans: &[ParsedScan],
) -> Result<usize, DbErr> {
    fn column<T>(scans: &[ParsedScan], read: impl Fn(&ParsedScan) -> T) -> Vec<T> {
        scans.iter().map(read).collect()
    }
    let sql = "WITH scan AS MATERIALIZED (
                   SELECT * FROM unnest($3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::numeric[], $8::numeric[]) WITH ORDINALITY
                       AS s (id, item, lot, location, quantity, weight, line)
               ), moment AS MATERIALIZED (
                   SELECT stock_moment(array_agg(item), array_agg(location), $12) AS at FROM scan
               )
               INSERT INTO stock_count_scan (count_id, round, scan_id, line, item_id, lot_id, location_id, quantity, weight, actor_kind, actor_id,
                                             actor_name, scanned_at)
               SELECT $1, $2, s.id, s.line, s.item, NULLIF(s.lot, '00000000-0000-0000-0000-000000000000'), s.location, s.quantity, s.weight,
                      $9, $10, $11, moment.at
               FROM moment, scan s ORDER BY s.id, s.line
               ON CONFLICT (count_id, scan_id) DO NOTHING";
    let actor = Actor::of(viewer);
    let values = [
        count.id.into(),
        count.round.into(),
        column(scans, |scan| scan.id.clone()).into(),
        uuids(&column(scans, |scan| scan.item)),
        uuids(&column(scans, |scan| scan.lot.unwrap_or(NO_LOT))),
        uuids(&column(scans, |scan| scan.location)),
        column(scans, |scan| scan.quantity).into(),
        column(scans, |scan| scan.weight).into(),
        actor.kind.into(),
        actor.id.into(),
        actor.name.into(),
        now.into(),
    ];
    let done = tx.execute_raw(statement(sql, values)).await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(usize::MAX))
}

/// Scans as the trail has them: they are in their own table, which is as unchangeable.
#[derive(Debug, Serialize)]
struct Recorded {
    round: i32,
    scans: usize,
}

/// The trail and the event of scans.
pub(super) async fn record_scans_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    scanned: &Scanned,
    scans: &[Scan],
) -> Result<()> {
    let action = "stock_count.scan";
    let id = scanned.count.id.0;
    let change = Change {
        action,
        aggregate_type: "stock_count",
        aggregate_id: id,
        before: None,
        after: Some(&Recorded {
            round: scanned.count.round,
            scans: scanned.accepted,
        }),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let places = scans
        .iter()
        .map(|scan| (scan.item_id, scan.location_id, scan.location_id));
    tell_in_tx(tx, viewer, now, action, id, places).await
}

/// The trail and the event of a step. It is about no item in particular.
pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    before: Option<&StockCount>,
    after: &StockCount,
) -> Result<()> {
    let change = Change {
        action,
        aggregate_type: "stock_count",
        aggregate_id: after.id.0,
        before,
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    let event = NewEvent {
        kind: Kind::StockChanged,
        aggregate_id: after.id.0,
        aggregate_version: after.version,
        payload: &json!({ "action": action, "items": [], "locations": [after.location_id] }),
    };
    event::write_in_tx(tx, viewer, now, event).await
}
