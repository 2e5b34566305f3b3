//! A worker that is killed in the middle of its jobs.

use std::time::{Duration, Instant};

use tests::{
    app::TestApp,
    picture::small,
    wait::{PATIENCE, until},
    work::uuid_of,
};
use worker::queue::Queue;

/// How long it may take until others have finished a dead worker's jobs, with the lease that is set when nothing is said.
const TAKEN_OVER: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_jobs_are_taken_over_and_no_others_run_again() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 15)
        // Three jobs are kept waiting in a transaction each, and the relay still has to work.
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 12)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let mut items = Vec::new();
    for number in 0..6 {
        items.push(manager.item(&format!("RING-{number}"), &category).await);
    }
    let image = manager.picture(&items[5], small(1)).await["image"]["id"].take();
    // Who wants to finish with one of these two waits: their jobs are under way for as long as we like.
    let held = app.hold_items(&[&items[4], &items[5]]).await;

    let mut worker = app.worker_process().await;
    app.until_jobs(PATIENCE, "four jobs are done, three under way", |jobs| {
        let count = |standing| jobs.iter().filter(|job| job.standing() == standing).count();
        count(("succeeded", 1)) == 4 && count(("running", 1)) == 3
    })
    .await;
    let codes = Queue::new(app.redis().client().clone(), app.redis().prefix(), "codes").unwrap();
    until(PATIENCE, "Redis knows what is done", async || {
        codes.stats().await.unwrap().leased == 2
    })
    .await;
    worker.kill();
    let killed = Instant::now();
    drop(held);

    let _heir = app.worker_process().await;
    app.until_done(TAKEN_OVER).await;
    assert!(killed.elapsed() < TAKEN_OVER, "{:?}", killed.elapsed());
    for item in &items[..4] {
        assert_eq!(app.job_about(item).await.standing(), ("succeeded", 1));
    }
    for cut_short in [&items[4], &items[5], image.as_str().unwrap()] {
        assert_eq!(app.job_about(cut_short).await.standing(), ("succeeded", 2));
    }
    let once_each = items.iter().map(|item| (uuid_of(item), 1)).collect();
    assert_eq!(app.events_of("item.code_rendered").await, once_each);
    assert_eq!(
        app.events_of("item.image_rendered").await,
        [(uuid_of(&items[5]), 1)].into()
    );
}
