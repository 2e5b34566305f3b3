//! PostgreSQL and Redis of two minds about a job: PostgreSQL is right.

use std::time::Duration;

use sea_orm::sqlx;
use tests::{
    app::TestApp,
    wait::{PATIENCE, until},
};
use uuid::Uuid;
use worker::{
    queue::{NewTask, Queue},
    runner::Message,
};

fn codes(app: &TestApp) -> Queue {
    Queue::new(app.redis().client().clone(), app.redis().prefix(), "codes").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_only_redis_counts_as_done_is_done_again() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    manager.item("RING-1", &category).await;
    app.until_done(PATIENCE).await;
    let queue = codes(&app);
    until(PATIENCE, "Redis knows that it is done", async || {
        queue.stats().await.unwrap().leased == 0
    })
    .await;
    // As after a restore of the database from a backup.
    sqlx::query(
        "UPDATE job SET state = 'queued', attempts = 0, finished_at = NULL, relayed_at = created_at - interval '1 hour'",
    )
    .execute(app.sql())
    .await
    .unwrap();
    app.until_jobs(Duration::from_secs(30), "it is done again", |jobs| {
        jobs[0].standing() == ("succeeded", 1)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_only_redis_knows_is_over() {
    let app = TestApp::builder().with_worker().start().await;
    let queue = codes(&app);
    let id = Uuid::from_u128(7);
    let payload = Message {
        job: id,
        request_id: None,
    };
    let task = NewTask {
        id,
        payload,
        run_at: None,
        priority: 0,
        max_attempts: 1_000_000,
    };
    assert_eq!(queue.push(&[task]).await.unwrap(), 1);
    until(PATIENCE, "the queue is empty", async || {
        let stats = queue.stats().await.unwrap();
        stats.ready + stats.scheduled + stats.leased == 0
    })
    .await;
    assert_eq!(queue.stats().await.unwrap().dead, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_for_a_queue_of_another_release_is_left_to_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    manager.item("RING-1", &category).await;
    sqlx::query("UPDATE job SET queue = 'songs'")
        .execute(app.sql())
        .await
        .unwrap();
    manager.item("RING-2", &category).await;
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "the other one is done", |jobs| {
        jobs.iter().any(|job| job.standing() == ("succeeded", 1))
    })
    .await;
    let untouched = "SELECT count(*) FROM job WHERE queue = 'songs' AND state = 'queued' AND relayed_at IS NULL";
    assert_eq!(app.count(untouched).await, 1);
}
