//! Many dead jobs are tried again at once, and each as if it had been tried again by itself.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{
    actor::Actor, app::TestApp, database::TestDatabase, picture::small, proxy::PostgresProxy,
    wait::PATIENCE,
};

const KILL: &str = "UPDATE job SET state = 'dead', error = 'disk full', attempts = max_attempts,
    relayed_at = now(), finished_at = now()";
const AUDITED: &str =
    "SELECT count(*) FROM audit WHERE action = 'job.retry' AND aggregate_type = 'job'
    AND actor_name = 'Test manager' AND before->>'state' = 'dead' AND after->>'state' = 'queued'";
const IMAGES: &str = "query($id: ID!) { item(by: {id: $id}) { images { state failure } } }";
/// Jobs about items that do not exist, all dead.
const THOUSANDS: &str = r"INSERT INTO job (id, kind, queue, payload, state, attempts, max_attempts, relayed_at, created_at, finished_at)
    SELECT gen_random_uuid(), 'item.render_code', 'codes',
           jsonb_build_object('kind', 'item.render_code', 'item_id', gen_random_uuid()), 'dead', 14, 14, now(), now(), now()
    FROM generate_series(1, 2500)";

async fn redrive(actor: &Actor, input: Value) -> (i64, bool) {
    let done = actor.done("deadLettersRedrive", input).await;
    (
        done["count"].as_i64().unwrap(),
        done["hasMore"].as_bool().unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_and_pictures_come_after_all() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    for shade in 1..=3 {
        manager.picture(&item, small(shade)).await;
    }
    app.execute(KILL).await;
    app.execute("UPDATE item_image SET state = 'failed', failure = 'GAVE_UP'")
        .await;
    // Only those of one kind, and of a queue that has none of them.
    let of_kind = json!({"queue": "media", "kind": "item.render_code"});
    assert_eq!(redrive(&manager, of_kind).await, (0, false));
    let of_queue = json!({"queue": "media"});
    assert_eq!(redrive(&manager, of_queue).await, (3, false));
    let images = manager.ok(IMAGES, json!({"id": item})).await;
    assert_eq!(
        images["item"]["images"],
        json!(vec![json!({"state": "PROCESSING", "failure": null}); 3])
    );
    assert_eq!(app.count(AUDITED).await, 3);
    assert_eq!(
        app.events_of("item.image_retried").await,
        [(tests::work::uuid_of(&item), 3)].into()
    );
    assert_eq!(redrive(&manager, json!({})).await, (1, false));
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
    let jobs = app.jobs().await;
    assert!(jobs.iter().all(|job| job.standing() == ("succeeded", 15)));
    let images = manager.ok(IMAGES, json!({"id": item})).await;
    assert_eq!(images["item"]["images"][0]["state"], "READY");
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_go_a_thousand_at_a_time_by_a_handful_of_statements() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let manager = app.manager().await;
    manager.ok("{ queues { name } }", json!({})).await;
    app.execute(THOUSANDS).await;
    let executed = proxy
        .during(async || assert_eq!(redrive(&manager, json!({})).await, (1000, true)))
        .await;
    assert!(executed.len() <= 10, "{executed:#?}");
    // Two who do it at the same time do not do it twice.
    let both = join_all([redrive(&manager, json!({})), redrive(&manager, json!({}))]).await;
    let count: i64 = both.iter().map(|(count, _)| count).sum();
    assert!((1000..=1500).contains(&count), "{both:?}");
    while redrive(&manager, json!({})).await.1 {}
    assert_eq!(
        app.count("SELECT count(*) FROM job WHERE state = 'queued' AND max_attempts = 28")
            .await,
        2500
    );
    assert_eq!(app.count(AUDITED).await, 2500);
    let twice = "SELECT count(*) FROM (SELECT FROM event WHERE kind = 'job.changed' GROUP BY aggregate_id HAVING count(*) > 1) t";
    assert_eq!(app.count(twice).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_unique_jobs_that_are_alike_the_last_is_tried_again() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    app.execute("DELETE FROM job").await;
    let input = json!({"errand": "RENDER_CODE", "itemId": item});
    let mut last = Value::Null;
    for _ in 0..3 {
        last = manager.done("jobEnqueue", input.clone()).await["job"]["id"].take();
        app.execute(KILL).await;
    }
    assert_eq!(redrive(&manager, json!({})).await, (1, false));
    let jobs = app.jobs().await;
    let revived = jobs.iter().find(|job| job.state == "queued").unwrap();
    assert_eq!(last, revived.global_id());
    assert_eq!(redrive(&manager, json!({})).await, (0, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_who_ask_with_the_same_key_ask_once() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    manager.item("RING-1", &category).await;
    app.execute(KILL).await;
    let input = json!({"queue": "codes", "idempotencyKey": "key"});
    let asked = (0..10).map(|_| redrive(&manager, input.clone()));
    assert_eq!(join_all(asked).await, vec![(1, false); 10]);
    assert_eq!(app.count(AUDITED).await, 1);
    let other = json!({"queue": "media", "idempotencyKey": "key"});
    let refused = manager.not_done("deadLettersRedrive", other).await;
    assert_eq!(refused[0].0, "IDEMPOTENCY_KEY_REUSED");
}
