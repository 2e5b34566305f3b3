//! A worker that is killed while it clears up: another goes on, and the report is of both.

use std::time::Duration;

use rand::Rng as _;
use serde_json::json;
use tests::{app::TestApp, wait::until};

use super::{answers, ask, counts, finished};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_over_and_over_ends_as_one_that_was_not() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 15)
        .start()
        .await;
    let owner = app.owner().await;
    answers(&app, 60_000, 10).await;
    let id = ask(&owner, false).await;
    for _ in 0..4 {
        let left = app
            .count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
            .await;
        let mut worker = app.worker_process().await;
        until(Duration::from_secs(90), "some more have gone", async || {
            app.count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
                .await
                < left
        })
        .await;
        let moment = Duration::from_millis(rand::rng().random_range(0..60));
        tokio::time::sleep(moment).await;
        worker.kill();
        let left = app
            .count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
            .await;
        // What went is written down with it, however little that was.
        let sql = "SELECT COALESCE(sum(row_count), 0)::int8 FROM retention_result WHERE subject = 'idempotency_keys'";
        assert_eq!(app.count(sql).await, 60_010 - left);
        if left == 10 {
            break;
        }
        app.age_handovers().await;
    }
    let _worker = app.worker();
    let run = finished(&owner, &id).await;
    assert_eq!(counts(&run, "IDEMPOTENCY_KEYS"), (60_000, 0, 0));
    assert_eq!(
        app.count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
            .await,
        10
    );
    let job = "query($id: ID!) { retentionRun(id: $id) { job { state } } }";
    let job = owner.ok(job, json!({"id": id})).await;
    assert_eq!(job["retentionRun"]["job"]["state"], "SUCCEEDED");
}
