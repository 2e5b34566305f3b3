//! People who create items all the time, and a diary of what they were answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    shop::{ITEM_CREATE, english},
    wait::{PATIENCE, until},
};
use tokio::{sync::Mutex, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// How many write at the same time.
const COUNT: usize = 4;
/// No request may take longer, outage or not.
const BOUND: Duration = Duration::from_secs(15);

/// What became of one attempt to create an item.
pub(super) struct Attempt {
    pub(super) sku: String,
    /// Why there is no item; empty when it was promised.
    pub(super) codes: Vec<String>,
    /// Whether the answer is about this item, or its errors tell of which request they are.
    is_whole: bool,
    took: Duration,
}

impl Attempt {
    async fn make(actor: &Actor, input: &Value, sku: String) -> Self {
        let mut input = input.clone();
        input["sku"] = json!(sku);
        let start = Instant::now();
        let answer = actor.gql(ITEM_CREATE, json!({"input": input})).await;
        let refusals = answer.user_errors().into_iter().map(|error| error.code);
        let codes: Vec<_> = answer
            .codes()
            .into_iter()
            .map(str::to_owned)
            .chain(refusals)
            .collect();
        let is_whole = if codes.is_empty() {
            answer.data["itemCreate"]["item"]["sku"] == sku
        } else {
            let mut errors = answer.errors.iter();
            errors.all(|error| error["extensions"]["requestId"].is_string())
        };
        Self {
            sku,
            codes,
            is_whole,
            took: start.elapsed(),
        }
    }

    pub(super) fn has_succeeded(&self) -> bool {
        self.codes.is_empty()
    }
}

type Diary = Arc<Mutex<Vec<Attempt>>>;

/// Several who create items until they are stopped.
pub(super) struct Writers {
    diary: Diary,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Writers {
    /// They all write as this actor, what `input` says, with numbered SKUs that begin with `name`.
    pub(super) fn start(actor: &Actor, input: &Value, name: &str) -> Self {
        let (diary, stop) = (Diary::default(), CancellationToken::new());
        let spawn = |writer| {
            let (actor, input, diary, stop) = (
                actor.clone(),
                input.clone(),
                Arc::clone(&diary),
                stop.clone(),
            );
            let name = format!("{name}-{writer}");
            tokio::spawn(async move { write(&actor, &input, &name, &diary, &stop).await })
        };
        let tasks = (0..COUNT).map(spawn).collect();
        Self { diary, stop, tasks }
    }

    async fn count(&self, succeeded: bool) -> usize {
        let attempts = self.diary.lock().await;
        let counted = attempts
            .iter()
            .filter(|attempt| attempt.has_succeeded() == succeeded);
        counted.count()
    }

    /// Waits until this many more attempts per writer have succeeded, or failed, than before.
    pub(super) async fn until_more(&self, succeeded: bool, per_writer: usize) {
        let enough = self.count(succeeded).await + COUNT * per_writer;
        let what = if succeeded {
            "items are created"
        } else {
            "requests fail"
        };
        until(PATIENCE, what, async || {
            self.count(succeeded).await >= enough
        })
        .await;
    }

    /// Ends it once everybody has heard their last answer.
    pub(super) async fn stop(self) -> Vec<Attempt> {
        self.stop.cancel();
        futures_util::future::try_join_all(self.tasks)
            .await
            .unwrap();
        std::mem::take(&mut *self.diary.lock().await)
    }
}

async fn write(actor: &Actor, input: &Value, name: &str, diary: &Diary, stop: &CancellationToken) {
    let mut number = 0;
    while !stop.is_cancelled() {
        let attempt = Attempt::make(actor, input, format!("{name}-{number}")).await;
        diary.lock().await.push(attempt);
        number += 1;
    }
}

/// What all items are made of.
pub(super) async fn input(manager: &Actor) -> Value {
    let category = manager.category("Rings", None).await;
    json!({"name": english("Ring"), "categoryId": category, "unitId": manager.unit("piece").await})
}

/// The SKUs of all items there are.
pub(super) async fn skus(app: &TestApp) -> Vec<String> {
    let skus = sqlx::query_scalar("SELECT sku FROM item").fetch_all(app.sql());
    skus.await.unwrap()
}

/// Everybody was answered in time; what was promised is there, and what was refused was refused as it should be.
pub(super) fn assert_honest(attempts: &[Attempt], skus: &[String]) {
    for attempt in attempts {
        assert!(attempt.took < BOUND, "{:?}", attempt.took);
        assert!(attempt.is_whole, "{}: {:?}", attempt.sku, attempt.codes);
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

/// Each item's code was drawn once, and each creation is in the trail once.
pub(super) async fn assert_nothing_half_done(app: &TestApp, skus: &[String]) {
    let drawn = app.events_of("item.code_rendered").await;
    assert!(
        drawn.len() == skus.len() && drawn.values().all(|count| *count == 1),
        "{drawn:?}"
    );
    let created = "SELECT count(DISTINCT aggregate_id) FROM audit WHERE action = 'item.create'";
    let recorded = "SELECT count(*) FROM audit WHERE action = 'item.create'";
    for sql in [created, recorded] {
        assert_eq!(
            app.count(sql).await,
            i64::try_from(skus.len()).unwrap(),
            "{sql}"
        );
    }
}
