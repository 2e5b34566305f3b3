//! A dead job is tried again when an operator says so, and only then.

use domain::Permission;
use futures_util::future::join_all;
use sea_orm::sqlx::{self, AssertSqlSafe};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    picture::small,
    shop::{document, global_id},
    wait::PATIENCE,
    work::uuid_of,
};

const IMAGES: &str = "query($id: ID!) { item(by: {id: $id}) { images { id state failure } } }";
const KILL: &str = "UPDATE job SET state = 'dead', error = 'disk full', attempts = max_attempts,
    relayed_at = now(), finished_at = now()";
const AUDITED: &str =
    "SELECT count(*) FROM audit WHERE action = 'job.retry' AND aggregate_type = 'job'
    AND actor_name = 'Test manager' AND before->>'state' = 'dead' AND after->>'state' = 'queued'";

async fn sql(app: &TestApp, sql: &str) {
    let done = sqlx::query(AssertSqlSafe(sql)).execute(app.sql()).await;
    done.unwrap();
}

async fn ring(manager: &Actor) -> String {
    let category = manager.category("Rings", None).await;
    manager.item("RING-1", &category).await
}

/// An item whose code is all there is to draw, by a job that is dead.
async fn with_dead_job(app: &TestApp) -> (Actor, String) {
    let manager = app.manager().await;
    let item = ring(&manager).await;
    sql(app, KILL).await;
    let job = app.job_about(&item).await.global_id();
    (manager, job)
}

/// An item with a picture whose job is all there is to do.
async fn pictured(app: &TestApp) -> (Actor, String) {
    let manager = app.manager().await;
    let item = ring(&manager).await;
    sql(app, "DELETE FROM job").await;
    manager.picture(&item, small(1)).await;
    (manager, item)
}

async fn image(manager: &Actor, item: &str) -> Value {
    let data = manager.ok(IMAGES, json!({"id": item})).await;
    data["item"]["images"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_comes_after_all() {
    let app = TestApp::start().await;
    let (manager, item) = pictured(&app).await;
    let obstacle = app.media().join("rendition");
    std::fs::write(&obstacle, "in the way").unwrap();
    sql(&app, "UPDATE job SET max_attempts = 1").await;
    let worker = app.worker();
    app.until_jobs(PATIENCE, "the job is dead", |jobs| jobs[0].state == "dead")
        .await;
    worker.stop().await;
    let failed = image(&manager, &item).await;
    assert_eq!(
        (&failed["state"], &failed["failure"]),
        (&json!("FAILED"), &json!("GAVE_UP"))
    );

    std::fs::remove_file(obstacle).unwrap();
    let id = app.jobs().await[0].global_id();
    let job = manager.done("jobRetry", json!({"id": id})).await["job"].take();
    assert_eq!(
        (&job["state"], &job["attempts"], &job["maxAttempts"]),
        (&json!("QUEUED"), &json!(1), &json!(15))
    );
    assert!(
        job["error"].is_string() && job["finishedAt"].is_null(),
        "{job}"
    );
    let awaited = image(&manager, &item).await;
    assert_eq!(
        (&awaited["state"], &awaited["failure"]),
        (&json!("PROCESSING"), &Value::Null)
    );
    assert_eq!(
        app.events_of("item.image_retried").await,
        [(uuid_of(&item), 1)].into()
    );
    assert_eq!(app.count(AUDITED).await, 1);

    let _worker = app.worker();
    app.until_done(PATIENCE).await;
    assert_eq!(app.jobs().await[0].standing(), ("succeeded", 2));
    assert_eq!(image(&manager, &item).await["state"], "READY");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_redis_counts_as_ended_runs_again_while_the_worker_goes_on() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = ring(&manager).await;
    // Begun as often as may be: whoever gets it finds nothing to do, and tells Redis so.
    sql(
        &app,
        "UPDATE job SET state = 'running', attempts = max_attempts, relayed_at = created_at - interval '1 hour'",
    )
    .await;
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "the job is dead", |jobs| jobs[0].state == "dead")
        .await;
    let job = app.job_about(&item).await.global_id();
    manager.done("jobRetry", json!({"id": job})).await;
    app.until_done(std::time::Duration::from_secs(40)).await;
    assert_eq!(app.jobs().await[0].standing(), ("succeeded", 15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_picture_was_removed_has_nothing_to_do() {
    let app = TestApp::start().await;
    let (manager, item) = pictured(&app).await;
    sql(&app, KILL).await;
    sql(
        &app,
        "UPDATE item_image SET state = 'failed', failure = 'GAVE_UP'",
    )
    .await;
    let picture = image(&manager, &item).await["id"].take();
    let removal = json!({"itemId": item, "imageId": picture});
    manager.done("itemImageRemove", removal).await;
    let id = app.jobs().await[0].global_id();
    manager.done("jobRetry", json!({"id": id})).await;
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_dead_are_tried_again() {
    let app = TestApp::start().await;
    let (manager, id) = with_dead_job(&app).await;
    for (state, has_ended) in [
        ("queued", false),
        ("running", false),
        ("failed", false),
        ("succeeded", true),
        ("cancelled", true),
    ] {
        let ended = if has_ended { "now()" } else { "NULL" };
        sql(
            &app,
            &format!("UPDATE job SET state = '{state}', finished_at = {ended}"),
        )
        .await;
        let before = app.jobs().await;
        let refused = manager.not_done("jobRetry", json!({"id": id})).await;
        assert_eq!(
            refused,
            [("NOT_DEAD".to_owned(), "id".to_owned())],
            "{state}"
        );
        assert_eq!(app.jobs().await, before, "{state}");
    }
    let nothing = global_id("Job", "01930000000070008000000000abcdef");
    for (id, code) in [(nothing, "NOT_FOUND"), ("x".to_owned(), "INVALID_FORMAT")] {
        let refused = manager.not_done("jobRetry", json!({"id": id})).await;
        assert_eq!(refused, [(code.to_owned(), "id".to_owned())]);
    }
    let persian = app.persian_manager().await;
    let answer = persian.change("jobRetry", json!({"id": id})).await;
    let message = &answer.user_errors()[0].message;
    assert!(message.chars().next().unwrap() >= '\u{600}', "{message}");
    assert_eq!(app.count(AUDITED).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_see_jobs_is_not_to_steer_them() {
    let app = TestApp::start().await;
    let (_, id) = with_dead_job(&app).await;
    let user = app.user("manager").await;
    let permissions = [Permission::JobRead, Permission::CatalogueWrite];
    let permissions = permissions.into_iter().collect();
    let life = chrono::TimeDelta::hours(1);
    let secret = app.token(&user, Some(permissions), life).await;
    let reader = app.anonymous().with_token(&secret);
    let answer = reader.change("jobRetry", json!({"id": id})).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    assert_eq!(answer.errors[0]["extensions"]["permission"], "job.manage");
    let variables = json!({"input": {"id": id}});
    let nobody = app.anonymous().gql(&document("jobRetry"), variables).await;
    assert_eq!(nobody.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(app.jobs().await[0].state, "dead");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_who_ask_with_the_same_key_ask_once() {
    let app = TestApp::start().await;
    let (manager, id) = with_dead_job(&app).await;
    let input = json!({"id": id, "idempotencyKey": "key"});
    let retries = (0..10).map(|_| manager.done("jobRetry", input.clone()));
    let answers = join_all(retries).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(app.count(AUDITED).await, 1);
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
    assert_eq!(manager.done("jobRetry", input).await, answers[0]);
    assert_eq!(app.jobs().await[0].standing(), ("succeeded", 15));

    let other = global_id("Job", "01930000000070008000000000abcdef");
    let reused = json!({"id": other, "idempotencyKey": "key"});
    let refused = manager.not_done("jobRetry", reused).await;
    assert_eq!(refused[0].0, "IDEMPOTENCY_KEY_REUSED");
}
