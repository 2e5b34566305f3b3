//! Queues that stand still, and go on.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use domain::{Viewer, job::Started};
use entity::id::JobId;
use futures_util::future::join_all;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    redis::RedisServer,
    wait::{PATIENCE, until},
};

const QUEUES: &str = "{ queues { name waiting running failed pause { since by reason } } }";
const AUDITED: &str = "SELECT count(*) FROM audit WHERE aggregate_type = 'queue_pause'";
/// Those that the relay has handed over, and Redis must have.
const HANDED_OVER: &str = "SELECT count(*) FROM job WHERE relayed_at IS NOT NULL";
const WAITING: &str = "SELECT count(*) FROM job WHERE state = 'queued'";
/// How long until a job is found again that Redis has lost.
const FOUND: Duration = Duration::from_secs(60);

async fn queue(actor: &Actor, name: &str) -> Value {
    let data = actor.ok(QUEUES, json!({})).await;
    let queues = data["queues"].as_array().unwrap();
    queues
        .iter()
        .find(|queue| queue["name"] == name)
        .unwrap()
        .clone()
}

/// Jobs about items that do not exist: each is done at once.
async fn many(app: &TestApp, count: i32) {
    let sql = r"INSERT INTO job (id, kind, queue, payload, state, max_attempts, created_at)
        SELECT gen_random_uuid(), 'item.render_code', 'codes',
               jsonb_build_object('kind', 'item.render_code', 'item_id', gen_random_uuid()), 'queued', 14, now()
        FROM generate_series(1, $1)";
    let added = sqlx::query(sql).bind(count).execute(app.sql()).await;
    added.unwrap();
}

/// How many attempts have ever begun.
async fn begun(app: &TestApp) -> i64 {
    app.count("SELECT COALESCE(sum(attempts), 0)::bigint FROM job")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_stands_still_begins_nothing_and_loses_nothing() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let input = json!({"queue": "codes", "reason": "the printer is on fire"});
    let paused = manager.done("queuePause", input).await["queue"].take();
    let pause = json!({"by": "Test manager", "reason": "the printer is on fire"});
    assert_eq!(paused["pause"], pause);
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    // Another queue goes on.
    manager.picture(&item, tests::picture::small(1)).await;
    app.until_jobs(PATIENCE, "the picture is done", |jobs| {
        jobs.iter()
            .any(|job| job.kind == "item.render_image" && job.state == "succeeded")
    })
    .await;
    assert_eq!(app.job_about(&item).await.standing(), ("queued", 0));
    let seen = queue(&manager, "codes").await;
    assert_eq!(
        (&seen["waiting"], &seen["pause"]["by"]),
        (&json!(1), &json!("Test manager"))
    );
    assert!(queue(&manager, "media").await["pause"].is_null());

    let resumed = manager.done("queueResume", json!({"queue": "codes"})).await;
    assert!(resumed["queue"]["pause"].is_null());
    app.until_done(PATIENCE).await;
    assert_eq!(app.job_about(&item).await.standing(), ("succeeded", 1));
    assert_eq!(app.count(AUDITED).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_stream_of_jobs_none_begins_after_the_answer_and_none_is_lost() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__CODE_CONCURRENCY", 8)
        .start()
        .await;
    let manager = app.manager().await;
    let _workers = (app.worker_process().await, app.worker_process().await);
    let over = AtomicBool::new(false);
    let stream = async {
        while !over.load(Ordering::Relaxed) {
            if app.count(WAITING).await < 50 {
                many(&app, 20).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let pauses = async {
        for _ in 0..15 {
            let count = begun(&app).await;
            until(PATIENCE, "some have begun", async || {
                begun(&app).await > count + 30
            })
            .await;
            manager.done("queuePause", json!({"queue": "codes"})).await;
            let answered = begun(&app).await;
            // What began before comes to its end.
            until(PATIENCE, "none runs", async || {
                queue(&manager, "codes").await["running"] == 0
            })
            .await;
            tokio::time::sleep(Duration::from_millis(150)).await;
            assert_eq!(begun(&app).await, answered, "an attempt has begun");
            manager.done("queueResume", json!({"queue": "codes"})).await;
        }
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(stream, pauses);
    app.until_done(FOUND).await;
    // Nothing was begun twice, nor counted that did not begin.
    let jobs = app.count("SELECT count(*) FROM job").await;
    assert_eq!(begun(&app).await, jobs);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_being_begun_has_begun_when_the_pause_is_answered() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let job = JobId(app.job_about(&item).await.id);
    // The statement that begins the attempt has looked for a pause, and waits for the job's row.
    let mut holder = app.sql().begin().await.unwrap();
    let hold = sqlx::query("SELECT FROM job WHERE id = $1 FOR UPDATE").bind(job.0);
    hold.execute(&mut *holder).await.unwrap();
    let domain = app.domain().clone();
    let started = tokio::spawn(async move {
        let viewer = Viewer::system("test");
        domain.jobs().start(&viewer, job).await.unwrap()
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%job_begin(%'
        AND wait_event_type = 'Lock'";
    until(PATIENCE, "it waits", async || app.count(waits).await == 1).await;

    let pause = manager.done("queuePause", json!({"queue": "codes"}));
    let mut pause = Box::pin(pause);
    let early = tokio::time::timeout(Duration::from_secs(1), &mut pause).await;
    assert!(early.is_err(), "an attempt would begin behind the answer");
    holder.rollback().await.unwrap();
    let paused = pause.await;
    assert_eq!(paused["queue"]["running"], 1);
    let started = started.await.unwrap();
    assert!(matches!(started, Started::Attempt { attempt: 1, .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_comes_to_its_end_and_what_is_to_come_again_waits() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let held = app.hold_items(&[&item]).await;
    let worker = app.worker();
    app.until_jobs(PATIENCE, "it runs", |jobs| {
        jobs[0].standing() == ("running", 1)
    })
    .await;
    manager.done("queuePause", json!({"queue": "codes"})).await;
    drop(held);
    app.until_done(PATIENCE).await;
    worker.stop().await;

    let failed = manager.item("RING-2", &category).await;
    let failed = app.job_about(&failed).await.id;
    let (jobs, viewer) = (app.domain().jobs(), Viewer::system("test"));
    for state in ["failed", "running", "queued"] {
        let sql = "UPDATE job SET state = $1, attempts = 3, error = 'no disk', relayed_at = now() WHERE id = $2";
        let set = sqlx::query(sql).bind(state).bind(failed);
        set.execute(app.sql()).await.unwrap();
        let started = jobs.start(&viewer, JobId(failed)).await.unwrap();
        assert_eq!(started, Started::Paused, "{state}");
        let back = "SELECT count(*) FROM job WHERE state = 'queued' AND attempts = 3 AND relayed_at IS NULL AND error = 'no disk'";
        assert_eq!(app.count(back).await, 1, "{state}");
    }
    let claimed = jobs.claim_for_relay(&viewer, domain::job::Queue::ALL, 10);
    assert_eq!(claimed.await.unwrap(), []);
    manager.done("queueResume", json!({"queue": "codes"})).await;
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_wait_run_and_stand_still_outlive_all_that_redis_knows() {
    let redis = RedisServer::start().await;
    let app = TestApp::builder()
        .redis_url(redis.url())
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 5)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let mut items = Vec::new();
    for number in 0..4 {
        items.push(manager.item(&format!("RING-{number}"), &category).await);
    }
    let held = app.hold_items(&[&items[0]]).await;
    let mut worker = app.worker_process().await;
    app.until_jobs(PATIENCE, "one runs, the others are done", |jobs| {
        let count = |standing| jobs.iter().filter(|job| job.standing() == standing).count();
        (count(("running", 1)), count(("succeeded", 1))) == (1, 3)
    })
    .await;
    // The worker dies with one in hand; others are handed over, and then their queue stands still.
    worker.signal("-STOP");
    many(&app, 5).await;
    app.execute("UPDATE job SET relayed_at = now() WHERE state = 'queued'")
        .await;
    manager.done("queuePause", json!({"queue": "codes"})).await;
    many(&app, 5).await;
    worker.kill();
    let client = app.redis().client();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHALL")
        .exec_async(&mut connection)
        .await
        .unwrap();
    drop(held);
    app.age_handovers().await;
    let _heir = app.worker_process().await;
    until(
        FOUND,
        "all that had not ended is back in the outbox",
        async || {
            let waiting = queue(&manager, "codes").await["waiting"].as_i64();
            waiting == Some(11) && app.count(HANDED_OVER).await == 3
        },
    )
    .await;
    manager.done("queueResume", json!({"queue": "codes"})).await;
    app.until_done(FOUND).await;
    assert_eq!(app.job_about(&items[0]).await.standing(), ("succeeded", 2));
    assert_eq!(begun(&app).await, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_press_the_same_button_press_it_once() {
    let app = TestApp::start().await;
    let (manager, owner) = (app.manager().await, app.owner().await);
    for (mutation, audited) in [("queuePause", 1), ("queueResume", 2)] {
        let presses = (0..10).map(|number| {
            let who = if number % 2 == 0 { &manager } else { &owner };
            let input = json!({"queue": "media"});
            who.done(mutation, input)
        });
        join_all(presses).await;
        assert_eq!(app.count(AUDITED).await, audited);
    }
    // Who comes second changes nothing of what the first has said.
    let first = json!({"queue": "media", "reason": "first"});
    manager.done("queuePause", first).await;
    let second = json!({"queue": "media", "reason": "second"});
    let paused = owner.done("queuePause", second).await;
    assert_eq!(
        paused["queue"]["pause"],
        json!({"by": "Test manager", "reason": "first"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_none_is_refused_in_words() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for mutation in ["queuePause", "queueResume", "deadLettersRedrive"] {
        let input = json!({"queue": "songs"});
        let answer = manager.change(mutation, input).await;
        let error = &answer.user_errors()[0];
        assert_eq!(error.code, "NOT_AN_OPTION", "{mutation}");
        assert!(error.message.contains("bulk, codes, media"), "{error:?}");
    }
    let long = json!({"queue": "media", "reason": "a".repeat(501)});
    let refused = manager.not_done("queuePause", long).await;
    assert_eq!(refused, [("TOO_LONG".to_owned(), "reason".to_owned())]);
    assert_eq!(app.count(AUDITED).await, 0);
}
