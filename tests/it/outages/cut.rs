//! Connections to the database break under those who use them.

use std::time::Duration;

use tests::{
    actor::Actor,
    app::TestApp,
    database::TestDatabase,
    proxy::PostgresProxy,
    subscription::{Received, Subscription},
    wait::{PATIENCE, eventually},
    work::uuid_of,
};

use crate::events::{items_after, position, positions};

/// More than a server can have handed out before the connection breaks.
const EVENTS: usize = 3000;
/// After so long without a word nothing more is on its way.
const SILENCE: Duration = Duration::from_secs(10);

/// Notes what comes until the subscription fails, or nothing comes any more, and says whether it has failed. Results that were on their
/// way come first; a result behind an error would tell its reader that nothing lies between, and something would.
async fn hear_out(listener: &mut Subscription, heard: &mut Vec<i64>) -> bool {
    let mut has_failed = false;
    while let Some(received) = listener.receive_within(SILENCE).await {
        match received {
            Received::Next(result) if result["errors"].is_null() => {
                assert!(!has_failed, "a result behind an error: {result}");
                heard.push(position(&result["data"]));
            }
            Received::Next(_) if !has_failed => has_failed = true,
            Received::Next(another) => panic!("one error is enough: {another}"),
            Received::Error(_) | Received::Complete | Received::Closed(_) => return true,
        }
    }
    has_failed
}

/// Takes the replay up behind what was heard. A broken connection that is still in the server's pool refuses whoever gets it, and then a
/// client asks again.
async fn listen_again(actor: &Actor, heard: &mut Vec<i64>) -> Subscription {
    let last = heard[heard.len() - 1];
    eventually(PATIENCE, "the replay goes on", async || {
        let mut listener = items_after(actor, last).await;
        match listener.receive_within(SILENCE).await {
            Some(Received::Next(result)) if result["errors"].is_null() => {
                heard.push(position(&result["data"]));
                Some(listener)
            }
            _ => None,
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_breaks_off_can_be_taken_up_without_a_gap() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__ACQUIRE_TIMEOUT_SECONDS", 1)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let start: i64 = app.position().await.parse().unwrap();
    app.happen(uuid_of(&item), EVENTS).await;

    let mut listener = items_after(&manager, start).await;
    let mut heard = vec![position(&listener.next().await)];
    proxy.cut();
    let has_failed = hear_out(&mut listener, &mut heard).await;
    assert!(heard.len() < EVENTS, "the connection was cut in the middle");
    proxy.mend();
    if has_failed {
        listener = listen_again(&manager, &mut heard).await;
    }
    while heard.len() < EVENTS {
        heard.push(position(&listener.next().await));
    }
    let all = positions(&app, "item.changed").await;
    assert_eq!(heard, all[all.len() - EVENTS..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_connection_breaks_is_tried_again_and_has_one_effect() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(database.url())
        .start()
        .await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    let held = app.hold_items(&[&item]).await;
    let mut variables = app.variables().clone();
    variables.insert("DATABASE_URL".to_owned(), proxy.url().to_owned());
    let worker = tests::process::Program::spawn("worker", &[], &variables);
    app.until_jobs(PATIENCE, "the job is under way", |jobs| {
        jobs[0].state == "running"
    })
    .await;
    proxy.cut();
    worker
        .says("cannot say in the database how a job stands")
        .await;
    drop(held);
    assert_ne!(app.job_about(&item).await.state, "succeeded");
    proxy.mend();
    app.until_done(PATIENCE).await;
    assert_eq!(app.job_about(&item).await.standing(), ("succeeded", 2));
    assert_eq!(
        app.events_of("item.code_rendered").await,
        [(uuid_of(&item), 1)].into()
    );
}
