//! What is sent and what is not: jobs and events are part of the transaction that causes them.

use std::{collections::HashMap, time::Duration};

use domain::{
    Viewer,
    job::{Failed, Queue as QueueName, Started},
};
use sea_orm::sqlx::{self, AssertSqlSafe};
use serde_json::json;
use tests::{
    app::TestApp,
    redis::RedisServer,
    shop::ITEM_CREATE,
    wait::{PATIENCE, until},
};
use tokio_util::sync::CancellationToken;
use worker::{queue::Queue, relay::Relay};

/// Rows that a change of an item leaves behind.
const TRACES: &str =
    "SELECT (SELECT count(*) FROM item) + (SELECT count(*) FROM job) + (SELECT count(*) FROM event)
    + (SELECT count(*) FROM audit) + (SELECT count(*) FROM idempotency)";

/// What an operator could have set up, and what makes a transaction fail after it has asked for a job: while it goes on, or at the
/// very end of it.
const TRIPWIRES: [&str; 2] = [
    "CREATE TRIGGER tripwire BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION trip()",
    "CREATE CONSTRAINT TRIGGER tripwire AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trip()",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_that_is_rolled_back_sends_nothing() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    manager.item("RING-1", &category).await;
    app.until_done(PATIENCE).await;
    let unit = manager.unit("piece").await;
    let input = |sku: &str| {
        json!({"input": {"sku": sku, "name": [{"language": "en", "text": "Ring"}], "categoryId": category, "unitId": unit,
        "idempotencyKey": format!("key of {sku}")}})
    };
    let before = app.count(TRACES).await;
    assert_eq!(
        manager.refused(ITEM_CREATE, input("RING-1")).await,
        [("ALREADY_TAKEN".to_owned(), "sku".to_owned())]
    );
    assert_eq!(app.count(TRACES).await, before);

    sqlx::query("CREATE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'tripped'; END $$")
        .execute(app.sql())
        .await
        .unwrap();
    for tripwire in TRIPWIRES {
        sqlx::query(AssertSqlSafe(tripwire))
            .execute(app.sql())
            .await
            .unwrap();
        let answer = manager.gql(ITEM_CREATE, input("RING-2")).await;
        assert_eq!(answer.codes(), ["INTERNAL"], "{answer:#?}");
        assert!(!format!("{answer:?}").contains("tripped"), "{answer:#?}");
        assert_eq!(app.count(TRACES).await, before);
        sqlx::query("DROP TRIGGER tripwire ON audit")
            .execute(app.sql())
            .await
            .unwrap();
    }

    // The same request again, key and all, now works, and is the only one that sends.
    manager.ok(ITEM_CREATE, input("RING-2")).await;
    app.until_done(PATIENCE).await;
    assert_eq!(app.jobs().await.len(), 2);
    assert_eq!(app.events_of("item.code_rendered").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_relay_died_with_it_in_hand_is_handed_over_again() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    // The row says that it was handed over, and Redis has never heard of it.
    sqlx::query("UPDATE job SET relayed_at = now()")
        .execute(app.sql())
        .await
        .unwrap();
    app.age_handovers().await;
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
    assert_eq!(app.job_about(&item).await.standing(), ("succeeded", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_that_work_at_the_same_time_never_take_the_same_job() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for number in 0..12 {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    let claim = async |limit| {
        let (jobs, viewer) = (app.domain().jobs(), Viewer::system("relay"));
        let claimed = jobs.claim_for_relay(&viewer, QueueName::ALL, limit).await;
        claimed
            .unwrap()
            .into_iter()
            .map(|job| job.id)
            .collect::<Vec<_>>()
    };
    let (one, two, three) = tokio::join!(claim(5), claim(5), claim(5));
    let mut claimed = [one, two, three, claim(12).await].concat();
    claimed.sort_unstable();
    let count = claimed.len();
    claimed.dedup();
    assert_eq!((count, claimed.len()), (12, 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_redis_forgets_are_handed_over_again() {
    let redis = RedisServer::start().await;
    let app = TestApp::builder().redis_url(redis.url()).start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for number in 0..5 {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    let queue = Queue::new(app.redis().client().clone(), app.redis().prefix(), "codes").unwrap();
    let stop = CancellationToken::new();
    let relay = Relay::new(
        app.domain().clone(),
        HashMap::from([(domain::job::Queue::Codes, queue.clone())]),
    );
    let running = tokio::spawn(relay.run(stop.clone()));
    until(PATIENCE, "Redis has all jobs", async || {
        queue.stats().await.unwrap().ready == 5
    })
    .await;
    stop.cancel();
    running.await.unwrap();

    let mut connection = app
        .redis()
        .client()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    redis::cmd("FLUSHALL")
        .exec_async(&mut connection)
        .await
        .unwrap();
    let _worker = app.worker();
    app.age_handovers().await;
    app.until_jobs(Duration::from_secs(30), "every job has run once", |jobs| {
        jobs.iter().all(|job| job.standing() == ("succeeded", 1))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_begun_after_its_relay_gave_it_back_is_not_lost() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    let (jobs, viewer) = (app.domain().jobs(), Viewer::system("relay"));
    let claimed = jobs.claim_for_relay(&viewer, QueueName::ALL, 10).await;
    let id = claimed.unwrap()[0].id;
    // Redis got it, but its answer was lost: the relay gives the job back, while a worker begins it, and fails.
    jobs.release(&viewer, &[id]).await.unwrap();
    assert!(matches!(
        jobs.start(&viewer, id).await.unwrap(),
        Started::Attempt { attempt: 1, .. }
    ));
    let failed = jobs.fail(&viewer, id, 1, "no disk", true).await.unwrap();
    assert_eq!(failed, Failed::Again);
    app.age_handovers().await;
    // This worker's Redis has never heard of it, as one that lost everything.
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
    assert_eq!(app.job_about(&item).await.standing(), ("succeeded", 2));
}
