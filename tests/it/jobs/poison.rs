//! Jobs that no worker understands: of a newer release, or written by a mistaken hand.

use sea_orm::sqlx;
use serde_json::json;
use tests::{app::TestApp, wait::PATIENCE};

use super::JOB;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_understands_fails_visibly_and_holds_up_nobody() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let strange = manager.item("RING-1", &category).await;
    let id = app.job_about(&strange).await.global_id();
    sqlx::query(
        r#"UPDATE job SET kind = 'item.sing', payload = '{"kind": "item.sing"}', max_attempts = 2"#,
    )
    .execute(app.sql())
    .await
    .unwrap();
    for number in 2..=5 {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "the others are done", |jobs| {
        jobs.iter()
            .all(|job| job.kind == "item.sing" || job.standing() == ("succeeded", 1))
    })
    .await;
    app.until_jobs(PATIENCE, "it is given up", |jobs| {
        jobs.iter().any(|job| job.standing() == ("dead", 2))
    })
    .await;
    let dead = manager.ok(JOB, json!({"id": id})).await["job"].take();
    assert_eq!(dead["kind"], "item.sing");
    assert!(
        dead["error"].as_str().unwrap().contains("item.sing"),
        "{dead}"
    );
}
