//! Workers that are killed over and over under a stream of jobs: what each job does is done once, none is lost, and none hangs.
//!
//! `WORKER_JOBS` says how many items get a drawn code, and `WORKER_KILLS` how often a worker is killed: a few in the suite, ten thousand and twenty
//! with `make soak`. `WORKER_SEED` lets the same happen again, as far as time allows.

use std::{collections::HashMap, time::Duration};

use domain::{Viewer, errand::Errand, job::NewErrand};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use sea_orm::sqlx;
use serde_json::json;
use tests::{
    actor::Actor,
    app::TestApp,
    wait::{PATIENCE, until},
    work::uuid_of,
};
use uuid::Uuid;
use worker::queue::Queue;

const UNFINISHED: &str = "SELECT count(*) FROM job WHERE state <> 'succeeded'";
const FINISHED: &str = "SELECT count(*) FROM job WHERE state = 'succeeded'";
/// Of how many items each one probe of the queue is asked for besides: it has nothing to do, and ends together with others.
const ITEMS_PER_PROBE: usize = 5;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |number| number.parse().unwrap())
}

fn count(variable: &str, otherwise: u64) -> usize {
    usize::try_from(number(variable, otherwise)).unwrap()
}

/// Where jobs come from.
struct Source<'a> {
    app: &'a TestApp,
    manager: Actor,
    category: String,
    unit: String,
    /// What was created until now.
    items: Vec<Uuid>,
    /// How many jobs were asked for until now.
    jobs: usize,
}

impl<'a> Source<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let manager = app.manager().await;
        Self {
            app,
            category: manager.category("Rings", None).await,
            unit: manager.unit("piece").await,
            manager,
            items: Vec::new(),
            jobs: 0,
        }
    }

    /// So many items, and with them the jobs that draw their codes; and some probes.
    async fn give(&mut self, items: usize) {
        let first = self.items.len();
        let row = |number: usize| {
            let sku = format!("RING-{number}");
            json!({"sku": sku, "name": [{"language": "en", "text": sku}], "categoryId": self.category, "unitId": self.unit})
        };
        let rows: Vec<_> = (first..first + items).map(row).collect();
        let created = self.manager.done("itemsCreate", json!({"rows": rows}));
        let created = created.await;
        let ids = created["rows"].as_array().unwrap().iter();
        self.items
            .extend(ids.map(|row| uuid_of(row["itemId"].as_str().unwrap())));
        let (viewer, probe) = (Viewer::system("test"), probe());
        let probes = items / ITEMS_PER_PROBE;
        for _ in 0..probes {
            let asked = self.app.domain().jobs();
            asked.enqueue(&viewer, &probe, None).await.unwrap();
        }
        self.jobs += items + probes;
    }
}

fn probe() -> NewErrand {
    NewErrand {
        errand: Errand::ProbeQueue,
        item: None,
        priority: 0,
    }
}

/// How many events tell that a job has ended well, by job.
async fn endings(app: &TestApp) -> HashMap<Uuid, i64> {
    let sql = "SELECT aggregate_id, count(*) FROM event WHERE kind = 'job.changed' AND payload->>'state' = 'succeeded' GROUP BY aggregate_id";
    let counts = sqlx::query_as(sql).fetch_all(app.sql()).await.unwrap();
    counts.into_iter().collect()
}

async fn every_drawn_file_is_there(app: &TestApp) {
    let sql = "SELECT unnest(ARRAY[qr_svg_key, qr_png_key]) FROM item";
    let keys: Vec<Option<String>> = sqlx::query_scalar(sql).fetch_all(app.sql()).await.unwrap();
    for key in keys {
        let key = key.unwrap();
        assert!(app.media().join(&key).is_file(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_at_random_do_each_job_once_and_lose_none() {
    let (items, kills) = (count("WORKER_JOBS", 300), count("WORKER_KILLS", 5));
    let seed = number("WORKER_SEED", rand::random());
    let mut random = StdRng::seed_from_u64(seed);
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 5)
        .set("GOLDSHOP_WORKER__CODE_CONCURRENCY", 16)
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 16)
        .start()
        .await;
    let mut source = Source::of(&app).await;
    let mut workers = [app.worker_process().await, app.worker_process().await];
    let portion = items.div_ceil(kills);
    for kill in 0..kills {
        // At any moment: while jobs come, are handed over, begin, or end.
        let done =
            app.count(FINISHED).await + random.random_range(0..i64::try_from(portion).unwrap());
        let pause = Duration::from_millis(random.random_range(0..30));
        let victim = &mut workers[random.random_range(0..2)];
        let left = portion.min(items - source.items.len());
        let moment = async {
            let what = format!(
                "{done} jobs are done, to kill a worker for the {kill}th time (seed {seed})"
            );
            until(PATIENCE, &what, async || app.count(FINISHED).await >= done).await;
            tokio::time::sleep(pause).await;
        };
        tokio::join!(source.give(left), async {
            moment.await;
            victim.kill();
        });
        *victim = app.worker_process().await;
    }
    let jobs = i64::try_from(source.jobs).unwrap();
    let deadline =
        Duration::from_secs(120) + Duration::from_millis(20) * u32::try_from(jobs).unwrap();
    let what = format!("every job has succeeded (seed {seed})");
    until(deadline, &what, async || app.count(UNFINISHED).await == 0).await;

    assert_eq!(
        app.count("SELECT count(*) FROM job").await,
        jobs,
        "seed {seed}"
    );
    let cut_short = app
        .count("SELECT count(*) FROM job WHERE attempts > 1")
        .await;
    assert!(cut_short > 0, "no kill has met a job (seed {seed})");
    let once_each: HashMap<_, _> = source.items.iter().map(|item| (*item, 1)).collect();
    assert_eq!(once_each.len(), items);
    let drawn = app.events_of("item.code_rendered").await;
    assert!(drawn == once_each, "seed {seed}: {}", odd(&drawn, items));
    every_drawn_file_is_there(&app).await;
    let ended = endings(&app).await;
    assert!(
        ended.len() == source.jobs && ended.values().all(|times| *times == 1),
        "seed {seed}: {}",
        odd(&ended, source.jobs)
    );
    let codes = Queue::new(app.redis().client().clone(), app.redis().prefix(), "codes").unwrap();
    until(PATIENCE, "Redis has nothing left", async || {
        let stats = codes.stats().await.unwrap();
        stats.ready + stats.scheduled + stats.leased + stats.dead == 0
    })
    .await;
}

/// What is not as it should be.
fn odd(counts: &HashMap<Uuid, i64>, expected: usize) -> String {
    let twice: Vec<_> = counts.iter().filter(|(_, times)| **times != 1).collect();
    format!("{} of {expected}, and not once: {twice:?}", counts.len())
}
