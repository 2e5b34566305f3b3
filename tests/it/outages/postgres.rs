//! PostgreSQL goes away while people write, listen, and the worker works: orderly, and by a crash.

use std::{sync::Arc, time::Duration};

use tests::{
    actor::Actor,
    app::TestApp,
    postgres::PostgresServer,
    subscription::Received,
    wait::{PATIENCE, until},
    work::uuid_of,
};
use tokio::sync::Mutex;

use super::writers::{self, Writers, assert_honest, assert_nothing_half_done};
use crate::events::{items_after, position, positions};

/// Listens as a good client does: keeps the last position, and comes back with it when anything goes wrong.
async fn listen(actor: Actor, start: i64, heard: Arc<Mutex<Vec<i64>>>) {
    let mut last = start;
    loop {
        let mut listener = items_after(&actor, last).await;
        while let Received::Next(result) = listener
            .receive_within(Duration::from_secs(3600))
            .await
            .unwrap()
        {
            if !result["errors"].is_null() {
                break;
            }
            last = position(&result["data"]);
            heard.lock().await.push(last);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_goes_away_and_comes_back_while_everybody_works() {
    let mut postgres = PostgresServer::start().await;
    let app = TestApp::builder()
        .database_url(postgres.url())
        .set("GOLDSHOP_DATABASE__ACQUIRE_TIMEOUT_SECONDS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .with_worker()
        .start()
        .await;
    let manager = app.manager().await;
    let input = writers::input(&manager).await;
    let (start, heard) = (app.position().await.parse().unwrap(), Arc::default());
    let listener = tokio::spawn(listen(manager.clone(), start, Arc::clone(&heard)));
    let writers = Writers::start(&manager, &input, "RING");
    for outage in [PostgresServer::stop, PostgresServer::kill] {
        writers.until_more(true, 3).await;
        outage(&mut postgres);
        writers.until_more(false, 1).await;
        postgres.resume().await;
        writers.until_more(true, 3).await;
    }
    let attempts = writers.stop().await;
    app.until_done(PATIENCE * 2).await;

    let skus = writers::skus(&app).await;
    assert_honest(&attempts, &skus);
    assert_nothing_half_done(&app, &skus).await;
    let all = positions(&app, "item.changed").await;
    until(PATIENCE, "everything is heard", async || {
        heard.lock().await.len() >= all.len()
    })
    .await;
    assert_eq!(*heard.lock().await, all);
    listener.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_under_way_while_the_database_restarts_is_done_once_it_is_back() {
    for outage in [PostgresServer::stop, PostgresServer::kill] {
        let mut postgres = PostgresServer::start().await;
        let app = TestApp::builder()
            .database_url(postgres.url())
            .start()
            .await;
        let manager = app.manager().await;
        let item = manager
            .item("RING-1", &manager.category("Rings", None).await)
            .await;
        let held = app.hold_items(&[&item]).await;
        let _worker = app.worker();
        until(PATIENCE, "the job waits for the item", async || {
            app.count("SELECT count(*) FROM pg_locks WHERE NOT granted")
                .await
                > 0
        })
        .await;
        assert_eq!(app.job_about(&item).await.standing(), ("running", 1));
        outage(&mut postgres);
        drop(held);
        postgres.resume().await;
        app.until_done(PATIENCE * 2).await;
        // However often it was begun, it is done once.
        assert_eq!(
            app.events_of("item.code_rendered").await,
            [(uuid_of(&item), 1)].into()
        );
    }
}
