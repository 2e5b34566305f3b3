//! How queues stand: counted by one statement from indexes, however many jobs there have ever been, and told while they change.

use std::time::Duration;

use sea_orm::sqlx::{self, AssertSqlSafe};
use serde_json::{Value, json};
use tests::{
    app::TestApp,
    database::TestDatabase,
    proxy::PostgresProxy,
    subscription::Received,
    wait::{PATIENCE, until},
};

const QUEUES: &str = "{ queues { name waiting running failed dead oldestWaitingSince oldestWaitingSeconds
    succeededLastMinute succeededLastHour diedLastMinute diedLastHour pause { since by reason } workers { name lastSeenAt } } }";
const CHANGES: &str =
    "subscription { queuesChanged { name waiting pause { by } workers { name } } }";

/// One job of each state in each queue, at some moments of the past.
const JOBS: &str = r"INSERT INTO job (id, kind, queue, payload, state, attempts, max_attempts, relayed_at, created_at, started_at, finished_at)
    SELECT gen_random_uuid(), 'item.sing', q.queue, '{}', s.state, 1, 14, now(), now() - interval '2 hours', now(),
           CASE WHEN s.state IN ('succeeded', 'dead', 'cancelled') THEN now() - s.ago END
    FROM unnest('{bulk,codes,media,operations}'::text[]) AS q (queue) CROSS JOIN (VALUES
        ('queued', NULL::interval), ('queued', NULL), ('running', NULL), ('failed', NULL),
        ('succeeded', interval '10 seconds'), ('succeeded', interval '10 minutes'), ('succeeded', interval '2 hours'),
        ('dead', interval '10 seconds'), ('dead', interval '10 minutes'), ('dead', interval '2 hours'), ('cancelled', interval '10 seconds')
    ) AS s (state, ago)";

#[tokio::test(flavor = "multi_thread")]
async fn each_state_is_counted_by_one_statement() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let manager = app.manager().await;
    app.execute(JOBS).await;
    let data = manager.ok(QUEUES, json!({})).await;
    let executed = proxy
        .during(async || manager.ok(QUEUES, json!({})).await)
        .await;
    assert_eq!(executed.len(), 1, "{executed:#?}");
    let queues = data["queues"].as_array().unwrap();
    let names: Vec<_> = queues.iter().map(|queue| &queue["name"]).collect();
    assert_eq!(names, ["bulk", "codes", "media", "operations"]);
    for queue in queues {
        let expected = json!({"waiting": 2, "running": 1, "failed": 1, "dead": 3, "succeededLastMinute": 1, "succeededLastHour": 2,
            "diedLastMinute": 1, "diedLastHour": 2, "pause": null, "workers": []});
        for (member, value) in expected.as_object().unwrap() {
            assert_eq!(&queue[member], value, "{member} of {queue}");
        }
        let age = queue["oldestWaitingSeconds"].as_i64().unwrap();
        assert!((7200..7260).contains(&age), "{queue}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_named_as_long_as_they_live() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let workers = async || {
        let data = manager.ok(QUEUES, json!({})).await;
        let lists = data["queues"].as_array().unwrap();
        assert!(
            lists
                .iter()
                .all(|queue| queue["workers"] == lists[0]["workers"])
        );
        data["queues"][0]["workers"].as_array().unwrap().clone()
    };
    let one = app.worker();
    let two = app.worker();
    until(PATIENCE, "both have given a sign of life", async || {
        workers().await.len() == 2
    })
    .await;
    for worker in workers().await {
        assert!(worker["name"].as_str().unwrap().starts_with("worker-"));
        assert!(worker["lastSeenAt"].is_string());
    }
    one.stop().await;
    two.stop().await;
    assert!(workers().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_hears_of_changes_and_of_nothing_else() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let mut changes = manager.subscribe(CHANGES, json!({})).await;
    let codes = |data: &Value| data["queuesChanged"][1].clone();
    assert_eq!(codes(&changes.next().await)["waiting"], 0);
    assert_eq!(changes.receive_within(Duration::from_secs(3)).await, None);
    let category = manager.category("Rings", None).await;
    manager.item("RING-1", &category).await;
    assert_eq!(codes(&changes.next().await)["waiting"], 1);
    let pause = json!({"queue": "codes"});
    manager.done("queuePause", pause).await;
    let paused = codes(&changes.next().await);
    assert_eq!(paused["pause"], json!({"by": "Test manager"}));
    let _worker = app.worker();
    let with_worker = codes(&changes.next().await);
    assert_eq!(with_worker["workers"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_listen_cost_a_statement_a_second_and_nobody_costs_nothing() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder().database_url(proxy.url()).start().await;
    let manager = app.manager().await;
    let looks = async || {
        let executed = proxy
            .during(async || tokio::time::sleep(Duration::from_secs(4)).await)
            .await;
        let looks = executed.iter();
        looks.filter(|sql| sql.contains("queue_pause")).count()
    };
    let mut listeners = Vec::new();
    for _ in 0..10 {
        let mut listener = manager.subscribe(CHANGES, json!({})).await;
        listener.next().await;
        listeners.push(listener);
    }
    let counted = looks().await;
    assert!((1..=6).contains(&counted), "{counted}");
    drop(listeners);
    until(PATIENCE, "nobody looks any more", async || {
        looks().await == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_jobs_hears_nothing_of_queues() {
    let app = TestApp::start().await;
    app.execute(
        "UPDATE role SET permissions = array_remove(permissions, 'job.read') WHERE code = 'clerk'",
    )
    .await;
    let clerk = app.clerk().await;
    let answer = clerk.gql(QUEUES, json!({})).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    for (actor, code) in [(&clerk, "FORBIDDEN"), (&app.anonymous(), "UNAUTHENTICATED")] {
        let received = actor.subscribe(CHANGES, json!({})).await.receive().await;
        let (Received::Error(errors) | Received::Next(errors)) = &received else {
            panic!("{received:?}")
        };
        assert!(errors.to_string().contains(code), "{received:?}");
    }
}

/// A million jobs that have ended are in nobody's way: what is asked of the table is answered from indexes that they are not in, or not walked
/// through.
#[tokio::test(flavor = "multi_thread")]
async fn a_million_jobs_of_the_past_are_in_nobodys_way() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    // Most of what an hour holds lies in front of it.
    app.execute(
        r"INSERT INTO job (id, kind, queue, payload, state, attempts, max_attempts, relayed_at, created_at, finished_at)
          SELECT gen_random_uuid(), 'item.render_code', (ARRAY['bulk', 'codes', 'media'])[1 + n % 3], '{}',
                 CASE WHEN n % 1000 = 0 THEN 'dead' WHEN n % 997 = 0 THEN 'cancelled' ELSE 'succeeded' END, 1, 14,
                 now() - n * interval '3 seconds', now() - n * interval '3 seconds', now() - n * interval '3 seconds'
          FROM generate_series(1, 1000000) n",
    )
    .await;
    app.execute(JOBS).await;
    // An autovacuum that began before keeps a first one from finding out what everybody sees.
    until(PATIENCE, "it is known that all see them", async || {
        let vacuum = sqlx::query("VACUUM ANALYZE job").execute(app.sql());
        vacuum.await.unwrap();
        let all =
            "SELECT (relallvisible = relpages)::int4::int8 FROM pg_class WHERE relname = 'job'";
        app.count(all).await == 1
    })
    .await;
    let touched = async |sql: &str| {
        let sql = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}");
        let plan: Value = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(app.sql())
            .await
            .unwrap();
        let plan = &plan[0]["Plan"];
        let pages = ["Shared Hit Blocks", "Shared Read Blocks"];
        let pages = pages.map(|name| plan[name].as_i64().unwrap());
        pages[0] + pages[1]
    };
    let unfinished =
        "SELECT queue, count(*), min(created_at) FILTER (WHERE state = 'queued') FROM job
        WHERE state IN ('queued', 'running', 'failed') GROUP BY queue";
    let ended = "SELECT queue, count(*) FROM (SELECT queue, state, finished_at FROM job WHERE finished_at > now() - interval '1 hour'
        ORDER BY finished_at DESC LIMIT 100000) last GROUP BY queue";
    let dead = "SELECT queue, count(*) FROM job WHERE state = 'dead' GROUP BY queue";
    let claim = "SELECT waiting.id FROM unnest('{bulk,codes,media}'::text[]) AS q (queue)
        CROSS JOIN LATERAL (SELECT id FROM job WHERE relayed_at IS NULL AND state = 'queued' AND queue = q.queue
                            ORDER BY priority DESC, created_at, id LIMIT 500) waiting";
    for (sql, most) in [(unfinished, 20), (ended, 100), (dead, 100), (claim, 20)] {
        let pages = touched(sql).await;
        assert!(pages <= most, "{pages} pages: {sql}");
    }
    let started = std::time::Instant::now();
    manager.ok(QUEUES, json!({})).await;
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
}
