//! Jobs that operators take back: while they wait, while they run, and while nobody runs them who should.

use std::time::Duration;

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
use worker::queue::Queue;

/// How long it may take until others have a dead worker's job, with the lease that is set here.
const TAKEN_OVER: Duration = Duration::from_secs(30);
const IMAGES: &str = "query($id: ID!) { item(by: {id: $id}) { images { state failure } } }";
const AUDITED: &str =
    "SELECT count(*) FROM audit WHERE action = 'job.cancel' AND aggregate_type = 'job'";

async fn sql(app: &TestApp, sql: &str) {
    let done = sqlx::query(AssertSqlSafe(sql)).execute(app.sql()).await;
    done.unwrap();
}

/// An item, and the job that draws its code.
async fn ring(app: &TestApp, manager: &Actor) -> (String, String) {
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let job = app.job_about(&item).await.global_id();
    (item, job)
}

async fn cancel(manager: &Actor, job: &str) -> Value {
    manager.done("jobCancel", json!({"id": job})).await["job"].take()
}

async fn is_cancelled(app: &TestApp, deadline: Duration, attempts: i32) {
    app.until_jobs(deadline, "the job is cancelled", |jobs| {
        jobs[0].standing() == ("cancelled", attempts)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_is_cancelled_at_once_and_never_begins() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (_, id) = ring(&app, &manager).await;
    for state in ["queued", "failed"] {
        let reset = format!(
            "UPDATE job SET state = '{state}', finished_at = NULL, cancel_requested_at = NULL, relayed_at = now(), error = 'no disk'"
        );
        sql(&app, &reset).await;
        let job = cancel(&manager, &id).await;
        assert_eq!(job["state"], "CANCELLED", "{state}");
        assert!(job["finishedAt"].is_string() && job["cancelRequestedAt"].is_string());
        // What it failed of can still be read.
        assert_eq!(app.jobs().await[0].error.as_deref(), Some("no disk"));
    }
    assert_eq!(app.count(AUDITED).await, 2);
    // Redis brings it all the same.
    let codes = Queue::new(app.redis().client().clone(), app.redis().prefix(), "codes").unwrap();
    let payload = worker::runner::Message {
        job: uuid_of(&id),
        request_id: None,
    };
    let task = worker::queue::NewTask {
        id: uuid_of(&id),
        payload,
        run_at: None,
        priority: 0,
        max_attempts: 1_000_000,
    };
    codes.push(&[task]).await.unwrap();
    let _worker = app.worker();
    tests::wait::until(
        PATIENCE,
        "Redis is told that there is nothing to do",
        async || {
            let stats = codes.stats().await.unwrap();
            stats.ready + stats.scheduled + stats.leased == 0
        },
    )
    .await;
    assert_eq!(app.jobs().await[0].standing(), ("cancelled", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_stops_within_seconds_and_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (item, id) = ring(&app, &manager).await;
    let held = app.hold_items(&[&item]).await;
    let worker = app.worker_process().await;
    app.until_jobs(PATIENCE, "it runs", |jobs| {
        jobs[0].standing() == ("running", 1)
    })
    .await;
    let asked = cancel(&manager, &id).await;
    assert_eq!(asked["state"], "RUNNING");
    assert!(asked["cancelRequestedAt"].is_string() && asked["finishedAt"].is_null());
    is_cancelled(&app, Duration::from_secs(10), 1).await;
    worker.says("job cancelled").await;
    drop(held);
    // The worker goes on with others.
    let category = manager.category("Chains", None).await;
    let other = manager.item("CHAIN-1", &category).await;
    app.until_jobs(PATIENCE, "another one is done", |jobs| {
        jobs.iter().any(|job| job.standing() == ("succeeded", 1))
    })
    .await;
    let drawn = app.events_of("item.code_rendered").await;
    assert_eq!(drawn, [(uuid_of(&other), 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_will_not_come_is_told_as_such() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (item, _) = ring(&app, &manager).await;
    sql(&app, "DELETE FROM job").await;
    manager.picture(&item, small(1)).await;
    let id = app.jobs().await[0].global_id();
    let job = cancel(&manager, &id).await;
    assert_eq!(job["state"], "CANCELLED");
    let seen = manager.ok(IMAGES, json!({"id": item})).await;
    assert_eq!(
        seen["item"]["images"],
        json!([{"state": "FAILED", "failure": "GAVE_UP"}])
    );
    let told = app.events_of("item.image_failed").await;
    assert_eq!(told, [(uuid_of(&item), 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_job_that_was_to_be_cancelled_is_when_another_takes_it_over() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 5)
        .start()
        .await;
    let manager = app.manager().await;
    let (item, id) = ring(&app, &manager).await;
    let held = app.hold_items(&[&item]).await;
    let mut worker = app.worker_process().await;
    app.until_jobs(PATIENCE, "it runs", |jobs| {
        jobs[0].standing() == ("running", 1)
    })
    .await;
    // A worker that has stopped hears nothing; one that is killed says nothing any more.
    worker.signal("-STOP");
    cancel(&manager, &id).await;
    worker.kill();
    drop(held);
    assert_eq!(app.jobs().await[0].standing(), ("running", 1));
    let _heir = app.worker_process().await;
    is_cancelled(&app, TAKEN_OVER, 1).await;
    assert!(app.events_of("item.code_rendered").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_fails_when_it_is_to_be_cancelled_does_not_come_again() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (_, id) = ring(&app, &manager).await;
    let (jobs, viewer) = (app.domain().jobs(), domain::Viewer::system("test"));
    let job = entity::id::JobId(uuid_of(&id));
    for again in [true, false] {
        sql(&app, "UPDATE job SET state = 'queued', attempts = 0, finished_at = NULL, cancel_requested_at = NULL").await;
        jobs.start(&viewer, job).await.unwrap();
        cancel(&manager, &id).await;
        let failed = jobs.fail(&viewer, job, 1, "no disk", again).await;
        assert_eq!(failed.unwrap(), domain::job::Failed::Over);
        assert_eq!(app.jobs().await[0].standing(), ("cancelled", 1));
    }
    // What is done when it hears of it is done.
    sql(&app, "UPDATE job SET state = 'queued', attempts = 0, finished_at = NULL, cancel_requested_at = NULL").await;
    jobs.start(&viewer, job).await.unwrap();
    cancel(&manager, &id).await;
    jobs.succeed(&viewer, job, 1).await.unwrap();
    jobs.end_cancelled(&viewer, job, 1).await.unwrap();
    assert_eq!(app.jobs().await[0].standing(), ("succeeded", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_not_cancelled() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (_, id) = ring(&app, &manager).await;
    let persian = app.persian_manager().await;
    for state in ["dead", "succeeded"] {
        let reset =
            format!("UPDATE job SET state = '{state}', finished_at = now(), relayed_at = now()");
        sql(&app, &reset).await;
        let before = app.jobs().await;
        let refused = manager.not_done("jobCancel", json!({"id": id})).await;
        assert_eq!(refused, [("JOB_OVER".to_owned(), "id".to_owned())]);
        let answer = persian.change("jobCancel", json!({"id": id})).await;
        let message = &answer.user_errors()[0].message;
        assert!(message.chars().next().unwrap() >= '\u{600}', "{message}");
        assert_eq!(app.jobs().await, before);
    }
    let nothing = global_id("Job", "01930000000070008000000000abcdef");
    for (id, code) in [(nothing, "NOT_FOUND"), ("x".to_owned(), "INVALID_FORMAT")] {
        let refused = manager.not_done("jobCancel", json!({"id": id})).await;
        assert_eq!(refused, [(code.to_owned(), "id".to_owned())]);
    }
    assert_eq!(app.count(AUDITED).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_press_the_button_press_it_once() {
    let app = TestApp::start().await;
    let (manager, owner) = (app.manager().await, app.owner().await);
    let (item, id) = ring(&app, &manager).await;
    let held = app.hold_items(&[&item]).await;
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "it runs", |jobs| {
        jobs[0].standing() == ("running", 1)
    })
    .await;
    let input = json!({"id": id});
    let presses = (0..10).map(|number| {
        let who = if number % 2 == 0 { &manager } else { &owner };
        who.done("jobCancel", input.clone())
    });
    join_all(presses).await;
    is_cancelled(&app, PATIENCE, 1).await;
    drop(held);
    assert_eq!(app.count(AUDITED).await, 1);
    assert_eq!(cancel(&owner, &id).await["state"], "CANCELLED");

    let keyed = json!({"id": id, "idempotencyKey": "key"});
    let first = manager.done("jobCancel", keyed.clone()).await;
    assert_eq!(manager.done("jobCancel", keyed).await, first);
    let other = global_id("Job", "01930000000070008000000000abcdef");
    let reused = json!({"id": other, "idempotencyKey": "key"});
    let refused = manager.not_done("jobCancel", reused).await;
    assert_eq!(refused[0].0, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(app.count(AUDITED).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_see_jobs_is_not_to_steer_them() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (_, id) = ring(&app, &manager).await;
    let user = app.user("manager").await;
    let permissions = [Permission::JobRead, Permission::CatalogueWrite];
    let life = chrono::TimeDelta::hours(1);
    let secret = app
        .token(&user, Some(permissions.into_iter().collect()), life)
        .await;
    let reader = app.anonymous().with_token(&secret);
    for (mutation, input) in [
        ("jobCancel", json!({"id": id})),
        ("jobEnqueue", json!({"errand": "RECONCILE_LEVELS"})),
        ("queuePause", json!({"queue": "codes"})),
        ("queueResume", json!({"queue": "codes"})),
        ("deadLettersRedrive", json!({})),
    ] {
        let answer = reader.change(mutation, input.clone()).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{mutation}");
        assert_eq!(answer.errors[0]["extensions"]["permission"], "job.manage");
        let variables = json!({"input": input});
        let nobody = app.anonymous().gql(&document(mutation), variables).await;
        assert_eq!(nobody.codes(), ["UNAUTHENTICATED"], "{mutation}");
    }
    assert_eq!(app.jobs().await[0].standing(), ("queued", 0));
}
