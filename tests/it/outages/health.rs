//! What the health pages say while PostgreSQL, Redis or the worker is really away, or the database behind, and once all is well again.

use std::time::Duration;

use domain::history::migrations;
use platform::presence::PRESENT_FOR;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    app::TestApp,
    postgres::PostgresServer,
    redis::RedisServer,
    wait::{PATIENCE, until},
};

/// What the detailed page tells of, but for the system: the machine has memory to spare.
const COMPONENTS: [&str; 5] = ["database", "migrations", "redis", "storage", "worker"];

/// The status of a health page, and what it says.
async fn page(app: &TestApp, name: &str) -> (u16, Value) {
    let request = app.anonymous().get(&format!("/api/health{name}"));
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["service"], "goldshop-backend", "{name}");
    (status, body)
}

/// Which components the detailed page holds to be away.
fn unhealthy(detailed: &Value) -> Vec<&str> {
    let components = &detailed["components"];
    assert_eq!(components.as_object().unwrap().len(), COMPONENTS.len() + 1);
    assert_eq!(components["system"]["status"], "healthy", "{detailed}");
    let is_away = |name: &&str| {
        let component = &components[*name];
        assert!(component["latencyMs"].is_u64(), "{name}: {detailed}");
        component["status"] != "healthy"
    };
    COMPONENTS.into_iter().filter(is_away).collect()
}

/// Waits until every page says that of what a request needs nothing is away, or only this. The process is alive all the while.
async fn until_away(app: &TestApp, away: Option<&str>) {
    let (status, ready, healthy) = match away {
        Some(_) => (503, "not ready", "unhealthy"),
        None => (200, "ready", "healthy"),
    };
    // Nobody works here, and without Redis nobody would know. What a database has had, only the database can tell.
    let is_expected = |name: &&str| {
        *name == "worker"
            || away == Some(*name)
            || (*name == "migrations" && away == Some("database"))
    };
    let expected: Vec<_> = COMPONENTS.into_iter().filter(is_expected).collect();
    until(PATIENCE, &format!("away: {away:?}"), async || {
        let (alive, liveness) = page(app, "/liveness").await;
        assert_eq!((alive, &liveness["status"]), (200, &json!("alive")));
        let pages = [("/readiness", ready), ("", healthy), ("/detailed", healthy)];
        for (name, word) in pages {
            let (found, body) = page(app, name).await;
            if found != status || body["status"] != word {
                return false;
            }
        }
        unhealthy(&page(app, "/detailed").await.1) == expected
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_goes_and_comes_with_the_database_and_with_redis() {
    let (mut postgres, mut redis) = (PostgresServer::start().await, RedisServer::start().await);
    let app = TestApp::builder()
        .database_url(postgres.url())
        .redis_url(redis.url())
        .start()
        .await;
    until_away(&app, None).await;

    postgres.stop();
    until_away(&app, Some("database")).await;
    postgres.resume().await;
    until_away(&app, None).await;

    redis.kill();
    until_away(&app, Some("redis")).await;
    redis.resume().await;
    until_away(&app, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_is_as_good_as_away() {
    let redis = RedisServer::start().await;
    let app = TestApp::builder().redis_url(redis.url()).start().await;
    until_away(&app, None).await;
    redis.freeze();
    until_away(&app, Some("redis")).await;
    redis.thaw();
    until_away(&app, None).await;
}

/// Does this to the database as its owner.
async fn behind_the_door(app: &TestApp, sql: &'static str) {
    sqlx::query(sql).execute(app.sql()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_waits_for_migrations_and_not_for_those_of_the_next_release() {
    let app = TestApp::start().await;
    let newest = migrations().last().unwrap();
    until_away(&app, None).await;

    // As the next release leaves it, while this one still serves.
    let next =
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_999999_next', 0)";
    behind_the_door(&app, next).await;
    until_away(&app, None).await;

    let sql = "DELETE FROM seaql_migrations WHERE version = $1 RETURNING applied_at";
    let applied: i64 = sqlx::query_scalar(sql)
        .bind(newest)
        .fetch_one(app.sql())
        .await
        .unwrap();
    until_away(&app, Some("migrations")).await;
    sqlx::query("INSERT INTO seaql_migrations (version, applied_at) VALUES ($1, $2)")
        .bind(newest)
        .bind(applied)
        .execute(app.sql())
        .await
        .unwrap();
    until_away(&app, None).await;

    // A database that was never migrated has no history at all.
    let (hide, show) = (
        "ALTER TABLE seaql_migrations RENAME TO hidden",
        "ALTER TABLE hidden RENAME TO seaql_migrations",
    );
    behind_the_door(&app, hide).await;
    until_away(&app, Some("migrations")).await;
    behind_the_door(&app, show).await;
    until_away(&app, None).await;
}

/// Waits until the health page thinks so of the worker. It does not make the server unhealthy: jobs wait, requests do not.
async fn until_worker_is(app: &TestApp, status: &str, deadline: Duration) {
    until(deadline, &format!("the worker is {status}"), async || {
        let (found, body) = page(app, "/detailed").await;
        found == 200 && body["components"]["worker"]["status"] == status
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_is_healthy_as_long_as_one_is_at_work() {
    let app = TestApp::start().await;
    until_worker_is(&app, "unhealthy", PATIENCE).await;
    let mut worker = app.worker_process().await;
    until_worker_is(&app, "healthy", PATIENCE).await;
    worker.signal("-TERM");
    worker.ended().await;
    // One that goes in peace says so: nobody waits for its last sign of life to grow old.
    until_worker_is(&app, "unhealthy", PRESENT_FOR / 2).await;

    let mut worker = app.worker_process().await;
    until_worker_is(&app, "healthy", PATIENCE).await;
    worker.kill();
    until_worker_is(&app, "unhealthy", PRESENT_FOR + PATIENCE).await;
}
