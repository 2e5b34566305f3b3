//! Schedules: what is done by itself, each time once.

mod command_line;
mod editing;
mod firing;
mod workers;

use chrono::{DateTime, Datelike as _, Utc};
use domain::{
    Viewer,
    clock::{Clock as _, SystemClock},
    schedule::Firing,
};
use entity::id::ScheduleId;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, work::uuid_of};
use uuid::Uuid;

/// Comes once a year, and came four months ago: a time that a test makes up since then is not mixed up with one that comes.
fn rarely() -> String {
    let month = (SystemClock.now().month() + 7) % 12 + 1;
    format!("0 0 1 {month} *")
}

/// A schedule that proves the trail, with `more` laid over it; its id.
async fn schedule(manager: &Actor, name: &str, more: Value) -> String {
    let mut input = json!({"name": name, "cron": rarely(), "errand": "VERIFY_TRAIL"});
    for (member, value) in more.as_object().unwrap() {
        input[member] = value.clone();
    }
    let created = manager.done("scheduleCreate", input).await;
    created["schedule"]["id"].as_str().unwrap().to_owned()
}

/// Lets a time of it have come.
async fn let_come(app: &TestApp, id: &str, time: DateTime<Utc>) {
    let sql = "UPDATE schedule_state SET next_at = $2 WHERE schedule_id = $1";
    let done = sqlx::query(sql).bind(uuid_of(id)).bind(time);
    assert_eq!(done.execute(app.sql()).await.unwrap().rows_affected(), 1);
}

/// As a worker does.
async fn fire(app: &TestApp, id: &str) -> Option<Firing> {
    let (schedules, viewer) = (app.domain().schedules(), Viewer::system("test"));
    let fired = schedules.fire(&viewer, ScheduleId(uuid_of(id))).await;
    fired.unwrap()
}

/// The times of it that have come, first to last: when, what became of it, and the job.
async fn firings(app: &TestApp, id: &str) -> Vec<(DateTime<Utc>, String, Option<Uuid>)> {
    let sql =
        "SELECT tick, outcome, job_id FROM schedule_firing WHERE schedule_id = $1 ORDER BY tick";
    let rows = sqlx::query_as(sql).bind(uuid_of(id));
    rows.fetch_all(app.sql()).await.unwrap()
}

/// The schedule as clients see it.
async fn shown(actor: &Actor, id: &str) -> Value {
    let query = "query($id: ID!) { schedule(id: $id) { name cron timeZone effectiveTimeZone errand enabled whenMissed allowOverlap nextAt lastTick
        nextRuns version lastJob { state } } }";
    actor.ok(query, json!({"id": id})).await["schedule"].take()
}
