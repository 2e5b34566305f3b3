//! Jobs that no worker understands: of a newer release, or written by a mistaken hand.

use sea_orm::sqlx;
use serde_json::json;
use tests::{app::TestApp, wait::PATIENCE, work::uuid_of};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_an_older_form_fails_visibly_and_one_of_a_newer_form_is_done() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(manager.item(&format!("RING-{number}"), &category).await);
    }
    let (older, other, newer) = (&ids[0], &ids[1], &ids[2]);
    let [older, other, newer] = [older, other, newer].map(|item| app.job_about(item));
    let (older, other, newer) = (older.await.id, other.await.id, newer.await.id);
    for (id, payload) in [
        // Before the field had its name, when it was a number, and with a field that an older release does not know.
        (
            older,
            r#"{"kind": "item.render_code", "item": "7"}"#.to_owned(),
        ),
        (
            other,
            r#"{"kind": "item.render_code", "item_id": 7}"#.to_owned(),
        ),
        (
            newer,
            format!(
                r#"{{"kind": "item.render_code", "item_id": "{}", "ink": "black"}}"#,
                uuid_of(&ids[2])
            ),
        ),
    ] {
        let sql = "UPDATE job SET payload = $2::jsonb, max_attempts = 2 WHERE id = $1";
        let changed = sqlx::query(sql).bind(id).bind(payload);
        changed.execute(app.sql()).await.unwrap();
    }
    let _worker = app.worker();
    app.until_jobs(
        PATIENCE,
        "they are given up, and the other is done",
        |jobs| {
            jobs.iter().all(|job| {
                let expected = if job.id == newer {
                    ("succeeded", 1)
                } else {
                    ("dead", 2)
                };
                job.standing() == expected
            })
        },
    )
    .await;
    for (id, why) in [(older, "item_id"), (other, "invalid type")] {
        let jobs = app.jobs().await;
        let error = jobs.iter().find(|job| job.id == id).unwrap().error.clone();
        assert!(
            error.as_deref().unwrap_or_default().contains(why),
            "{error:?}"
        );
    }
}
