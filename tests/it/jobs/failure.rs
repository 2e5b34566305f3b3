//! Jobs that fail: for a while, for good, and by the death of whoever ran them. The error is there for people to read.

use std::path::PathBuf;

use sea_orm::sqlx;
use serde_json::json;
use tests::{
    actor::Actor,
    app::TestApp,
    picture::{damaged, landscape, small},
    wait::PATIENCE,
};

use super::JOB;

const IMAGES: &str =
    "query($id: ID!) { item(by: {id: $id}) { images { state failure renditions { url } } } }";

async fn ring(manager: &Actor) -> String {
    manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await
}

/// Waits until the job about a picture is in this state, and shows it as its owner sees it.
async fn render_job(app: &TestApp, manager: &Actor, state: &str) -> serde_json::Value {
    app.until_jobs(PATIENCE, &format!("the picture's job is {state}"), |jobs| {
        jobs.iter()
            .any(|job| job.kind == "item.render_image" && job.state == state)
    })
    .await;
    let jobs = app.jobs().await;
    let job = jobs
        .iter()
        .find(|job| job.kind == "item.render_image")
        .unwrap();
    manager.ok(JOB, json!({"id": job.global_id()})).await["job"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_done_now_is_done_later() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = ring(&manager).await;
    manager.picture(&item, small(1)).await;
    // Renditions have nowhere to go: a file stands where their folder should be.
    let obstacle = app.media().join("rendition");
    std::fs::write(&obstacle, "in the way").unwrap();
    let _worker = app.worker();
    let failed = render_job(&app, &manager, "failed").await;
    assert!(
        failed["error"]
            .as_str()
            .is_some_and(|error| !error.is_empty()),
        "{failed}"
    );
    assert!(failed["finishedAt"].is_null());

    std::fs::remove_file(obstacle).unwrap();
    let done = render_job(&app, &manager, "succeeded").await;
    assert!(done["attempts"].as_i64().unwrap() >= 2, "{done}");
    assert!(
        done["error"].is_null(),
        "what is over is not shown any more: {done}"
    );
    let images = manager.ok(IMAGES, json!({"id": item})).await;
    assert_eq!(images["item"]["images"][0]["state"], "READY");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_never_works_is_given_up_after_its_last_attempt() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    manager.picture(&ring(&manager).await, small(1)).await;
    std::fs::write(app.media().join("rendition"), "in the way").unwrap();
    sqlx::query("UPDATE job SET max_attempts = 2")
        .execute(app.sql())
        .await
        .unwrap();
    let _worker = app.worker();
    let dead = render_job(&app, &manager, "dead").await;
    assert_eq!(
        (&dead["attempts"], &dead["maxAttempts"]),
        (&json!(2), &json!(2))
    );
    assert!(
        dead["error"].is_string() && dead["finishedAt"].is_string(),
        "{dead}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_can_never_work_is_given_up_at_once_and_holds_up_nobody() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = ring(&manager).await;
    manager.picture(&item, small(1)).await;
    std::fs::remove_file(original(&app)).unwrap();
    manager.picture(&item, small(2)).await;
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "every job has ended", |jobs| {
        jobs.iter()
            .all(|job| ["succeeded", "dead"].contains(&job.state.as_str()))
    })
    .await;
    let standings: Vec<_> = app
        .jobs()
        .await
        .iter()
        .map(|job| (job.kind.clone(), job.state.clone(), job.attempts))
        .collect();
    let expected = [
        ("item.render_code", "succeeded"),
        ("item.render_image", "dead"),
        ("item.render_image", "succeeded"),
    ];
    assert_eq!(
        standings,
        expected.map(|(kind, state)| (kind.to_owned(), state.to_owned(), 1))
    );
    let dead = render_job(&app, &manager, "dead").await;
    assert_eq!(
        (&dead["state"], &dead["attempts"]),
        (&json!("DEAD"), &json!(1))
    );
    assert!(
        dead["error"].as_str().unwrap().contains("original/"),
        "{dead}"
    );
}

/// The only file that was uploaded so far.
fn original(app: &TestApp) -> PathBuf {
    let mut folders = std::fs::read_dir(app.media().join("original")).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    let mut files = std::fs::read_dir(folder).unwrap();
    files.next().unwrap().unwrap().path()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_cannot_be_decoded_is_told_as_such_and_not_tried_again() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let item = ring(&manager).await;
    manager.picture(&item, damaged(&landscape(1))).await;
    app.until_done(PATIENCE).await;
    let job = render_job(&app, &manager, "succeeded").await;
    assert_eq!(job["attempts"], 1);
    let images = manager.ok(IMAGES, json!({"id": item})).await;
    assert_eq!(
        images["item"]["images"],
        json!([{"state": "FAILED", "failure": "UNREADABLE", "renditions": []}])
    );
    assert!(
        !app.media().join("rendition").exists(),
        "nothing is half done"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_every_worker_is_given_up() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = ring(&manager).await;
    // Begun as often as may be, and never ended.
    sqlx::query(
        "UPDATE job SET state = 'running', attempts = max_attempts, relayed_at = created_at - interval '1 hour'",
    )
    .execute(app.sql())
    .await
    .unwrap();
    let id = app.job_about(&item).await.global_id();
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "it is given up", |jobs| jobs[0].state == "dead")
        .await;
    let dead = manager.ok(JOB, json!({"id": id})).await;
    assert_eq!(
        dead["job"]["error"],
        "every attempt ended with the worker's death"
    );
}
