//! Who comes first, and who keeps nobody waiting.

use std::time::Duration;

use serde_json::json;
use tests::{app::TestApp, picture::small, wait::PATIENCE};

/// Jobs about items that do not exist: there is nothing to draw, and each is done at once.
const THOUSAND: &str = r"INSERT INTO job (id, kind, queue, payload, state, max_attempts, created_at)
    SELECT gen_random_uuid(), 'item.render_code', 'codes',
           jsonb_build_object('kind', 'item.render_code', 'item_id', gen_random_uuid()), 'queued', 14, now() - interval '1 hour'
    FROM generate_series(1, 1000)";

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_priority_overtakes_a_thousand_that_wait() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__CODE_CONCURRENCY", 1)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    app.execute("DELETE FROM job").await;
    app.execute(THOUSAND).await;
    let held = app.hold_items(&[&item]).await;
    let urgent = json!({"errand": "RENDER_CODE", "itemId": item, "priority": 90});
    let _worker = app.worker();
    // Redis has all of them before the urgent one comes.
    app.until_jobs(PATIENCE, "some are done", |jobs| {
        jobs.iter().any(|job| job.state == "succeeded")
    })
    .await;
    manager.done("jobEnqueue", urgent).await;
    app.until_jobs(PATIENCE, "it runs", |jobs| {
        jobs.iter().any(|job| job.state == "running")
            && jobs.last().is_some_and(|job| job.state == "running")
    })
    .await;
    let jobs = app.jobs().await;
    let waiting = jobs.iter().filter(|job| job.state == "queued").count();
    assert!(waiting > 0, "it has not waited for the others");
    drop(held);
    app.until_jobs(PATIENCE, "it is done", |jobs| {
        jobs.last().is_some_and(|job| job.state == "succeeded")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_that_wait_in_the_outbox_the_highest_are_handed_over_first() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for number in 0..5 {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    app.execute(
        "UPDATE job j SET priority = p.n FROM (SELECT id, (row_number() OVER (ORDER BY id))::smallint AS n FROM job) p WHERE p.id = j.id",
    )
    .await;
    let (jobs, viewer) = (app.domain().jobs(), domain::Viewer::system("relay"));
    let mut priorities = Vec::new();
    for _ in 0..5 {
        let claimed = jobs.claim_for_relay(&viewer, domain::job::Queue::ALL, 1);
        priorities.extend(claimed.await.unwrap().iter().map(|job| job.priority));
    }
    assert_eq!(priorities, [5, 4, 3, 2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_always_fails_keeps_nobody_waiting() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__MEDIA_CONCURRENCY", 1)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    app.execute("DELETE FROM job").await;
    manager.picture(&item, small(1)).await;
    // Another release may understand it: it is tried again and again.
    app.execute(
        "UPDATE job SET kind = 'item.sing', payload = '{\"kind\": \"item.sing\"}', priority = 100",
    )
    .await;
    for shade in 2..=6 {
        manager.picture(&item, small(shade)).await;
    }
    let _worker = app.worker();
    app.until_jobs(Duration::from_secs(30), "the others are done", |jobs| {
        let others = jobs.iter().filter(|job| job.kind != "item.sing");
        others.clone().count() == 5 && others.into_iter().all(|job| job.state == "succeeded")
    })
    .await;
    let jobs = app.jobs().await;
    let poison = jobs.iter().find(|job| job.kind == "item.sing").unwrap();
    assert!(
        ["queued", "running", "failed"].contains(&poison.state.as_str()),
        "{poison:?}"
    );
}
