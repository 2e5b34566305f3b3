//! Attempts that begin and end together: each as if it were alone.

use domain::{
    Viewer,
    job::{Beginning, Ending, Started},
};
use entity::id::JobId;
use futures_util::future::join_all;
use sea_orm::sqlx::{self, PgPool, Postgres, Transaction};
use serde_json::json;
use tests::{
    app::TestApp,
    wait::{PATIENCE, until},
};
use uuid::Uuid;

const EVENTS: &str = "SELECT count(*) FROM event WHERE kind = 'job.changed'";

/// So many probes of the queue that nobody has begun yet.
async fn probes(app: &TestApp, count: usize) -> Vec<JobId> {
    let manager = app.manager().await;
    for _ in 0..count {
        manager
            .done("jobEnqueue", json!({"errand": "PROBE_QUEUE"}))
            .await;
    }
    app.jobs().await.iter().map(|job| JobId(job.id)).collect()
}

async fn hold(sql: &PgPool, job: JobId) -> Transaction<'static, Postgres> {
    let mut holder = sql.begin().await.unwrap();
    let hold = sqlx::query("SELECT FROM job WHERE id = $1 FOR UPDATE").bind(job.0);
    hold.execute(&mut *holder).await.unwrap();
    holder
}

fn beginning(job: JobId) -> Beginning {
    Beginning {
        job,
        request_id: Some(format!("request of {}", job.0)),
    }
}

fn ending(job: JobId, attempt: i32) -> Ending {
    Ending {
        job,
        attempt,
        request_id: None,
    }
}

fn attempt(started: Option<&Started>) -> Option<i32> {
    match started {
        Some(Started::Attempt { attempt, .. }) => Some(*attempt),
        _ => None,
    }
}

async fn set(app: &TestApp, sql: &'static str, job: JobId) {
    let set = sqlx::query(sql).bind(job.0).execute(app.sql()).await;
    assert_eq!(set.unwrap().rows_affected(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_begin_that_nothing_is_in_the_way_of() {
    let app = TestApp::start().await;
    let jobs = probes(&app, 7).await;
    let [free, again, unwanted, over, elsewhere, held, worn] = jobs[..] else {
        panic!("seven jobs")
    };
    set(
        &app,
        "UPDATE job SET state = 'running', attempts = 4, relayed_at = now() WHERE id = $1",
        again,
    )
    .await;
    set(
        &app,
        "UPDATE job SET cancel_requested_at = now() WHERE id = $1",
        unwanted,
    )
    .await;
    set(
        &app,
        "UPDATE job SET state = 'succeeded', relayed_at = now(), finished_at = now() WHERE id = $1",
        over,
    )
    .await;
    set(
        &app,
        "UPDATE job SET queue = 'media' WHERE id = $1",
        elsewhere,
    )
    .await;
    set(
        &app,
        "UPDATE job SET attempts = max_attempts WHERE id = $1",
        worn,
    )
    .await;
    app.manager()
        .await
        .done("queuePause", json!({"queue": "media"}))
        .await;
    let _holder = hold(app.sql(), held).await;
    let events = app.count(EVENTS).await;

    // The fourth is asked for twice, and one that does not exist is asked for.
    let unknown = JobId(Uuid::from_u128(7));
    let asked = [
        free, again, unwanted, free, over, elsewhere, held, worn, unknown,
    ]
    .map(beginning);
    let viewer = Viewer::system("test");
    let begun = app
        .domain()
        .jobs()
        .start_together(&viewer, &asked)
        .await
        .unwrap();
    let begun: Vec<_> = begun.iter().map(|begun| attempt(begun.as_ref())).collect();
    let none = [None; 7];
    assert_eq!(begun, [&[Some(1), Some(5)][..], &none[..]].concat());
    assert_eq!(app.count(EVENTS).await, events + 2);
    let told = "SELECT count(*) FROM event WHERE kind = 'job.changed' AND request_id = 'request of ' || aggregate_id AND payload->>'state' = 'running'";
    assert_eq!(app.count(told).await, 2);
    let untouched = "SELECT count(*) FROM job WHERE started_at IS NULL";
    assert_eq!(app.count(untouched).await, 5);
    assert_eq!(
        app.domain()
            .jobs()
            .start_together(&viewer, &[])
            .await
            .unwrap(),
        []
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_pause_is_answered_those_that_begin_together_have_begun() {
    let app = TestApp::start().await;
    let jobs = probes(&app, 3).await;
    let manager = app.manager().await;
    // Each has looked for a pause when it writes its event.
    let mut holder = app.sql().begin().await.unwrap();
    let lock = sqlx::query("LOCK TABLE event IN SHARE MODE");
    lock.execute(&mut *holder).await.unwrap();
    let domain = app.domain().clone();
    let asked: Vec<_> = jobs.iter().copied().map(beginning).collect();
    let begun = tokio::spawn(async move {
        let viewer = Viewer::system("test");
        domain.jobs().start_together(&viewer, &asked).await.unwrap()
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%job_begin(%'
        AND wait_event_type = 'Lock'";
    until(PATIENCE, "they wait", async || app.count(waits).await == 1).await;
    let mut pause = Box::pin(manager.done("queuePause", json!({"queue": "codes"})));
    let early = tokio::time::timeout(std::time::Duration::from_secs(1), &mut pause).await;
    assert!(early.is_err(), "attempts would begin behind the answer");
    holder.rollback().await.unwrap();
    assert_eq!(pause.await["queue"]["running"], 3);
    let begun: Vec<_> = begun
        .await
        .unwrap()
        .iter()
        .map(|begun| attempt(begun.as_ref()))
        .collect();
    assert_eq!(begun, [Some(1); 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_end_that_are_the_latest_attempts() {
    let app = TestApp::start().await;
    let jobs = probes(&app, 5).await;
    let [latest, taken_over, unwanted, held, waiting] = jobs[..] else {
        panic!("five jobs")
    };
    let viewer = Viewer::system("test");
    let begun = jobs[..4].iter().copied().map(beginning).collect::<Vec<_>>();
    app.domain()
        .jobs()
        .start_together(&viewer, &begun)
        .await
        .unwrap();
    let again = app
        .domain()
        .jobs()
        .start_together(&viewer, &begun[1..2])
        .await
        .unwrap();
    assert_eq!(attempt(again[0].as_ref()), Some(2));
    set(
        &app,
        "UPDATE job SET cancel_requested_at = now() WHERE id = $1",
        unwanted,
    )
    .await;
    let _holder = hold(app.sql(), held).await;
    let events = app.count(EVENTS).await;

    // Who is done is done, although somebody has asked to cancel it.
    let asked = [
        ending(taken_over, 1),
        ending(latest, 1),
        ending(taken_over, 2),
        ending(unwanted, 1),
        ending(held, 1),
        ending(waiting, 0),
    ];
    let ended = app
        .domain()
        .jobs()
        .succeed_together(&viewer, &asked)
        .await
        .unwrap();
    assert_eq!(ended, [false, true, true, true, false, false]);
    assert_eq!(app.count(EVENTS).await, events + 3);
    let whole = "SELECT count(*) FROM job WHERE state = 'succeeded' AND finished_at IS NOT NULL AND progress = 100";
    assert_eq!(app.count(whole).await, 3);
    let once_more = app
        .domain()
        .jobs()
        .succeed_together(&viewer, &asked)
        .await
        .unwrap();
    assert_eq!(once_more, [false; 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_begin_the_same_jobs_at_once_get_an_attempt_each_or_none() {
    let app = TestApp::builder()
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 16)
        .start()
        .await;
    let jobs = probes(&app, 30).await;
    let viewer = Viewer::system("test");
    let rounds = (0..8).map(async |round: usize| {
        let mut asked: Vec<_> = jobs.iter().copied().map(beginning).collect();
        asked.rotate_left(round * 3);
        let begun = app.domain().jobs().start_together(&viewer, &asked).await;
        begun
            .unwrap()
            .iter()
            .filter(|begun| begun.is_some())
            .count()
    });
    let begun: usize = join_all(rounds).await.into_iter().sum();
    let counted = app.count("SELECT sum(attempts)::int8 FROM job").await;
    assert_eq!(i64::try_from(begun).unwrap(), counted);
    assert_eq!(
        app.count("SELECT count(*) FROM job WHERE state = 'running'")
            .await,
        30
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_are_done_once_each_and_nobody_writes_for_them_alone() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__CODE_CONCURRENCY", 32)
        .start()
        .await;
    let jobs = probes(&app, 60).await;
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
    let once = "SELECT count(*) FROM job WHERE attempts = 1 AND version = 3 AND result IS NULL";
    assert_eq!(app.count(once).await, i64::try_from(jobs.len()).unwrap());
    // Who begins or ends together has the same moment for it.
    let moments = "SELECT count(DISTINCT started_at) + count(DISTINCT finished_at) FROM job";
    let moments = app.count(moments).await;
    assert!(moments < 60, "{moments} statements for 60 jobs");
}
