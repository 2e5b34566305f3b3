//! Retention: what is old goes, what is young stays, and nothing goes while everything is held.

mod attacks;
mod clearing;
mod crash;
mod files;
mod policies;
mod trail;

use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    wait::{PATIENCE, eventually},
};

const RUN: &str = "query($id: ID!) { retentionRun(id: $id) {
    dryRun wasHeld finishedAt outcomes { subject rowCount fileCount byteCount foundCount olderThan oldestKept } } }";

/// Asks for it.
async fn ask(owner: &Actor, dry_run: bool) -> String {
    let done = owner.done("retentionRun", json!({"dryRun": dry_run})).await;
    done["retentionRun"]["id"].as_str().unwrap().to_owned()
}

/// What it has done, when it is finished.
async fn finished(owner: &Actor, id: &str) -> Value {
    eventually(PATIENCE, "the run is finished", async || {
        let run = owner.ok(RUN, json!({"id": id})).await["retentionRun"].take();
        (!run["finishedAt"].is_null()).then_some(run)
    })
    .await
}

/// How many rows, files and bytes of a subject.
fn counts(run: &Value, subject: &str) -> (i64, i64, i64) {
    let mut outcomes = run["outcomes"].as_array().unwrap().iter();
    let outcome = outcomes.find(|outcome| outcome["subject"] == subject);
    let outcome = outcome.unwrap_or_else(|| panic!("{subject}: {run}"));
    let number = |name: &str| outcome[name].as_i64().unwrap();
    (number("rowCount"), number("fileCount"), number("byteCount"))
}

/// So many old and so many young answers.
async fn answers(app: &TestApp, old: i64, young: i64) {
    let sql = "INSERT INTO idempotency (actor, key, operation, request_hash, answer, created_at)
        SELECT 'user:test', 'key ' || n, 'test', '', '{}', now() - CASE WHEN n <= $1 THEN interval '31 days' ELSE interval '29 days' END
        FROM generate_series(1, $1 + $2) n";
    let done = sea_orm::sqlx::query(sql).bind(old).bind(young);
    done.execute(app.sql()).await.unwrap();
}
