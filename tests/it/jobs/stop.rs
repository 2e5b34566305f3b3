//! A worker that is asked to stop.

use serde_json::json;
use tests::{app::TestApp, wait::PATIENCE};
use worker::queue::Queue;

use super::JOB;

#[tokio::test(flavor = "multi_thread")]
async fn at_sigterm_a_worker_finishes_what_runs_and_leaves_the_rest() {
    finishes_what_runs_and_leaves_the_rest("-TERM").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_sigint_a_worker_finishes_what_runs_and_leaves_the_rest() {
    finishes_what_runs_and_leaves_the_rest("-INT").await;
}

async fn finishes_what_runs_and_leaves_the_rest(signal: &str) {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__CODE_CONCURRENCY", 1)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let mut items = Vec::new();
    for number in 0..3 {
        items.push(manager.item(&format!("RING-{number}"), &category).await);
    }
    let items: Vec<_> = items.iter().map(String::as_str).collect();
    let held = app.hold_items(&items).await;
    let mut worker = app.worker_process().await;
    app.until_jobs(PATIENCE, "one job is under way", |jobs| {
        jobs.iter().any(|job| job.standing() == ("running", 1))
    })
    .await;
    worker.signal(signal);
    worker.says("asked to stop").await;
    let jobs = app.jobs().await;
    let running = jobs.iter().find(|job| job.state == "running").unwrap();
    drop(held);

    let status = worker.ended().await;
    assert!(status.success(), "{status}");
    let jobs = app.jobs().await;
    let mut standings: Vec<_> = jobs.iter().map(|job| job.standing()).collect();
    standings.sort_unstable();
    assert_eq!(standings, [("queued", 0), ("queued", 0), ("succeeded", 1)]);
    let done = manager.ok(JOB, json!({"id": running.global_id()})).await;
    assert_eq!(done["job"]["state"], "SUCCEEDED");
    // The worker has ended, so its last acknowledgement must have arrived by now: nothing is leased to anybody.
    let codes = Queue::new(app.redis().client().clone(), app.redis().prefix(), "codes").unwrap();
    let stats = codes.stats().await.unwrap();
    assert_eq!(
        (stats.leased, stats.ready + stats.scheduled, stats.fenced),
        (0, 2, 0)
    );

    let _next = app.worker();
    app.until_jobs(PATIENCE, "every job has run once", |jobs| {
        jobs.iter().all(|job| job.standing() == ("succeeded", 1))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_takes_too_long_is_given_back_and_its_attempt_does_not_count() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__SHUTDOWN_SECONDS", 12)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let held = app.hold_items(&[&item]).await;
    let mut worker = app.worker_process().await;
    app.until_jobs(PATIENCE, "the job is under way", |jobs| {
        jobs[0].standing() == ("running", 1)
    })
    .await;
    worker.signal("-TERM");
    let status = worker.ended().await;
    assert!(status.success(), "{status}");
    assert_eq!(app.job_about(&item).await.standing(), ("queued", 0));
    drop(held);

    let _next = app.worker();
    app.until_jobs(PATIENCE, "the job has run once", |jobs| {
        jobs[0].standing() == ("succeeded", 1)
    })
    .await;
}
