//! PostgreSQL goes away while people write, listen, and the worker works: orderly, and by a crash.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    postgres::PostgresServer,
    shop::ITEM_CREATE,
    subscription::Received,
    wait::{PATIENCE, until},
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::events::{items_after, position, positions};

const WRITERS: usize = 4;
/// No request may take longer, outage or not.
const BOUND: Duration = Duration::from_secs(15);

/// What became of one attempt to create an item.
struct Attempt {
    sku: String,
    codes: Vec<String>,
    has_request_id: bool,
    took: Duration,
}

#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<Attempt>>>);

impl Diary {
    /// How many attempts have succeeded or failed so far.
    async fn count(&self, succeeded: bool) -> usize {
        let attempts = self.0.lock().await;
        attempts
            .iter()
            .filter(|attempt| attempt.codes.is_empty() == succeeded)
            .count()
    }
}

/// Creates items until told to stop.
async fn write(actor: Actor, input: Value, writer: usize, diary: Diary, stop: CancellationToken) {
    for number in 0.. {
        if stop.is_cancelled() {
            break;
        }
        let sku = format!("RING-{writer}-{number}");
        let mut input = input.clone();
        input["sku"] = json!(sku);
        let start = Instant::now();
        let answer = actor.gql(ITEM_CREATE, json!({"input": input})).await;
        let attempt = Attempt {
            sku,
            codes: answer
                .codes()
                .into_iter()
                .chain(answer.user_errors().iter().map(|error| error.code.as_str()))
                .map(str::to_owned)
                .collect(),
            has_request_id: answer
                .errors
                .iter()
                .all(|error| error["extensions"]["requestId"].is_string()),
            took: start.elapsed(),
        };
        diary.0.lock().await.push(attempt);
    }
}

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

/// Waits until this many more attempts per writer have succeeded, or failed, than before.
async fn until_more(diary: &Diary, succeeded: bool, per_writer: usize) {
    let enough = diary.count(succeeded).await + WRITERS * per_writer;
    let what = if succeeded {
        "items are created"
    } else {
        "requests fail"
    };
    until(PATIENCE, what, async || {
        diary.count(succeeded).await >= enough
    })
    .await;
}

/// Everybody was answered in time; what was promised is there, and what was refused was refused as it should be.
fn assert_honest(attempts: &[Attempt], skus: &[String]) {
    for attempt in attempts {
        assert!(attempt.took < BOUND, "{:?}", attempt.took);
        assert!(attempt.has_request_id);
        match &attempt.codes[..] {
            [] => assert!(
                skus.contains(&attempt.sku),
                "{} was promised and is not there",
                attempt.sku
            ),
            [code] => assert_eq!(code, "SERVICE_UNAVAILABLE"),
            several => panic!("{several:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_goes_away_and_comes_back_while_everybody_works() {
    let mut postgres = PostgresServer::start().await;
    let app = TestApp::builder()
        .database_url(postgres.url())
        .set("GOLDSHOP_DATABASE__ACQUIRE_TIMEOUT_SECONDS", 2)
        .with_worker()
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let input = json!({"name": tests::shop::english("Ring"), "categoryId": category, "unitId": manager.unit("piece").await});
    let (start, heard) = (app.position().await.parse().unwrap(), Arc::default());
    let listener = tokio::spawn(listen(manager.clone(), start, Arc::clone(&heard)));
    let (diary, stop) = (Diary::default(), CancellationToken::new());
    let writers = (0..WRITERS).map(|writer| {
        let (actor, input) = (manager.clone(), input.clone());
        tokio::spawn(write(actor, input, writer, diary.clone(), stop.clone()))
    });
    let writers: Vec<_> = writers.collect();
    for outage in [PostgresServer::stop, PostgresServer::kill] {
        until_more(&diary, true, 3).await;
        outage(&mut postgres);
        until_more(&diary, false, 1).await;
        postgres.resume().await;
        until_more(&diary, true, 3).await;
    }
    stop.cancel();
    futures_util::future::try_join_all(writers).await.unwrap();
    app.until_done(PATIENCE * 2).await;

    let skus = sqlx::query_scalar("SELECT sku FROM item").fetch_all(app.sql());
    let skus: Vec<String> = skus.await.unwrap();
    assert_honest(&diary.0.lock().await, &skus);
    let drawn = app.events_of("item.code_rendered").await;
    assert!(
        drawn.len() == skus.len() && drawn.values().all(|count| *count == 1),
        "{drawn:?}"
    );
    let all = positions(&app, "item.changed").await;
    until(PATIENCE, "everything is heard", async || {
        heard.lock().await.len() >= all.len()
    })
    .await;
    assert_eq!(*heard.lock().await, all);
    listener.abort();
}
