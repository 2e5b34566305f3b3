//! Writes of schedules, and of times that have come.

use chrono::{DateTime, Utc};
use entity::{
    id::{JobId, ScheduleId},
    schedule::{ActiveModel, Model},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbErr,
    IntoActiveModel,
};
use serde_json::json;

use super::{
    Firing,
    rules::{Draft, DraftChange},
};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    event::{self, Kind, NewEvent},
    sql::statement,
    viewer::Viewer,
};

/// Any number will do, as long as nothing else locks it.
const SCHEDULES: i64 = 0x7363_6865_6475;

/// Keeps others from adding schedules until the transaction ends: how many there are is asked of all of them.
pub(super) async fn own_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    let lock = statement("SELECT pg_advisory_xact_lock($1)", [SCHEDULES.into()]);
    tx.execute_raw(lock).await?;
    Ok(())
}

/// Says which schedule a job is of, and which of its times.
pub(super) async fn name_in_tx(
    tx: &DatabaseTransaction,
    job: JobId,
    firing: &Firing,
) -> Result<()> {
    let sql = "UPDATE job SET schedule_id = $2, tick = $3 WHERE id = $1";
    let values = [job.into(), firing.schedule_id.into(), firing.tick.into()];
    tx.execute_raw(statement(sql, values)).await?;
    Ok(())
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    draft: Draft,
) -> Result<Model> {
    let Draft {
        name,
        cron,
        time_zone,
        errand,
        enabled,
        when_missed,
        allow_overlap,
    } = draft;
    let row = ActiveModel {
        id: Set(ScheduleId(new_id(now))),
        name: Set(name.clone()),
        cron: Set(cron),
        time_zone: Set(time_zone),
        errand: Set(errand),
        enabled: Set(enabled),
        when_missed: Set(when_missed),
        allow_overlap: Set(allow_overlap),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        deleted_at: Set(None),
    };
    let row = row.insert(tx).await.map_err(|error| taken(error, &name))?;
    let sql = "INSERT INTO schedule_state (schedule_id) VALUES ($1)";
    tx.execute_raw(statement(sql, [row.id.into()])).await?;
    Ok(row)
}

pub(super) async fn update_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: Model,
    change: DraftChange,
) -> Result<Model> {
    let DraftChange {
        name,
        cron,
        time_zone,
        when_missed,
        allow_overlap,
    } = change;
    let mut row = before.clone().into_active_model();
    let name = name.unwrap_or(before.name);
    row.name = Set(name.clone());
    row.cron = Set(cron.unwrap_or(before.cron));
    row.time_zone = Set(time_zone.apply(before.time_zone));
    row.when_missed = Set(when_missed.unwrap_or(before.when_missed));
    row.allow_overlap = Set(allow_overlap.unwrap_or(before.allow_overlap));
    row.version = Set(before.version + 1);
    row.updated_at = Set(now);
    row.update(tx).await.map_err(|error| taken(error, &name))
}

pub(super) async fn enable_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: Model,
    enabled: bool,
) -> Result<Model> {
    let version = before.version + 1;
    let mut row = before.into_active_model();
    row.enabled = Set(enabled);
    row.version = Set(version);
    row.updated_at = Set(now);
    Ok(row.update(tx).await?)
}

pub(super) async fn delete_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    before: Model,
) -> Result<()> {
    let (id, version) = (before.id, before.version + 1);
    let mut row = before.into_active_model();
    row.enabled = Set(false);
    row.deleted_at = Set(Some(now));
    row.version = Set(version);
    row.updated_at = Set(now);
    row.update(tx).await?;
    plan_in_tx(tx, id, None).await
}

fn taken(error: DbErr, name: &str) -> Error {
    let refusal = Refusal::new(Code::AlreadyTaken, "name").with("value", name);
    refuse_if_broken(error, &[("schedule_name_unique", refusal)])
}

/// Writes down the next time.
pub(super) async fn plan_in_tx(
    tx: &DatabaseTransaction,
    id: ScheduleId,
    next_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let sql = "UPDATE schedule_state SET next_at = $2 WHERE schedule_id = $1";
    tx.execute_raw(statement(sql, [id.into(), next_at.into()]))
        .await?;
    Ok(())
}

/// Writes down a time that has come; tells whether it had not before.
pub(super) async fn decide_in_tx(tx: &DatabaseTransaction, firing: &Firing) -> Result<bool> {
    let sql =
        "INSERT INTO schedule_firing (schedule_id, tick, outcome, job_id, missed_since, decided_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let values = [
        firing.schedule_id.into(),
        firing.tick.into(),
        sea_orm::ActiveEnum::to_value(&firing.outcome).into(),
        firing.job_id.into(),
        firing.missed_since.into(),
        firing.decided_at.into(),
    ];
    let written = tx.execute_raw(statement(sql, values)).await?;
    Ok(written.rows_affected() == 1)
}

/// The last time that has come, and the last job, when one was made.
pub(super) async fn arrive_in_tx(
    tx: &DatabaseTransaction,
    id: ScheduleId,
    tick: Option<DateTime<Utc>>,
    job: Option<JobId>,
) -> Result<()> {
    let sql = "UPDATE schedule_state SET last_tick = COALESCE($2, last_tick), last_job_id = COALESCE($3, last_job_id)
               WHERE schedule_id = $1";
    tx.execute_raw(statement(sql, [id.into(), tick.into(), job.into()]))
        .await?;
    Ok(())
}

/// The trail and the event of a change.
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
        aggregate_type: "schedule",
        aggregate_id: row.id.0,
        before,
        after,
    };
    audit::write_in_tx(tx, viewer, now, change).await?;
    tell_in_tx(tx, viewer, now, action, row).await
}

/// The event alone.
pub(super) async fn tell_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    row: &Model,
) -> Result<()> {
    let event = NewEvent {
        kind: Kind::ScheduleChanged,
        aggregate_id: row.id.0,
        aggregate_version: row.version,
        payload: &json!({ "action": action }),
    };
    event::write_in_tx(tx, viewer, now, event).await
}
