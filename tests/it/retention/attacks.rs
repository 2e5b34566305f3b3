//! What the application's role cannot do, whatever somebody has talked it into.

use sea_orm::sqlx::{self, Executor as _, PgPool};
use serde_json::json;
use tests::{app::TestApp, database};

use super::answers;

async fn removed(db: &PgPool, subject: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT row_count FROM retention_remove($1, 2147483647)")
        .bind(subject)
        .fetch_one(db)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_young_stays_whatever_the_application_says() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let category = owner.category("Rings", None).await;
    owner.item("RING-1", &category).await;
    answers(&app, 0, 4).await;
    app.execute("UPDATE job SET state = 'succeeded', relayed_at = now(), finished_at = now() - interval '6 days'")
        .await;
    let db = database::pool(&app.database_url());
    let denied = [
        "DELETE FROM event",
        "DELETE FROM idempotency",
        "DELETE FROM job",
        "DELETE FROM job_file",
        "DELETE FROM api_token",
        "DELETE FROM schedule_firing",
        "DELETE FROM stock_reconciliation",
        "DELETE FROM trail_verification",
        "DELETE FROM retention_policy",
        "DELETE FROM retention_hold",
        "DELETE FROM retention_run",
        "TRUNCATE event",
        "UPDATE retention_policy SET keep_days = 0",
        "UPDATE retention_policy SET keep_days = -1",
        "UPDATE retention_policy SET subject = 'audit' WHERE subject = 'jobs'",
        "INSERT INTO retention_policy (subject, keep_days, updated_at) VALUES ('audit', 1, now())",
        "UPDATE retention_hold SET held = true",
        "CREATE OR REPLACE FUNCTION retention_minimum(subject text) RETURNS integer LANGUAGE sql AS 'SELECT 0'",
    ];
    for sql in denied {
        assert!(db.execute(sql).await.is_err(), "{sql}");
    }
    // The least that there may be is more than what is here.
    db.execute(
        "UPDATE retention_policy SET keep_days = retention_minimum(subject), enabled = true",
    )
    .await
    .unwrap();
    for subject in [
        "api_tokens",
        "events",
        "exports",
        "idempotency_keys",
        "imports",
        "jobs",
        "proofs",
        "schedule_firings",
    ] {
        let gone = removed(&db, subject).await.unwrap();
        let expected = if subject == "idempotency_keys" { 4 } else { 0 };
        assert_eq!(
            gone, expected,
            "{subject}: its answers are 29 days old, and the least is one"
        );
    }
    for subject in ["audit", "trail_change", "", "'; DROP TABLE job; --"] {
        assert_eq!(removed(&db, subject).await.unwrap(), 0, "{subject}");
    }
    assert!(app.count("SELECT count(*) FROM job").await > 0);
    assert!(app.count("SELECT count(*) FROM event").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_everything_is_held_the_application_removes_nothing() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    answers(&app, 4, 0).await;
    owner
        .done(
            "legalHoldSet",
            json!({"reason": "The court wants to see everything."}),
        )
        .await;
    let db = database::pool(&app.database_url());
    let refused = removed(&db, "idempotency_keys").await.unwrap_err();
    let constraint = refused.as_database_error().unwrap().constraint();
    assert_eq!(constraint, Some("retention_held"));
    // Whoever loses the row that says so has everything held.
    owner.done("legalHoldSet", json!({})).await;
    app.execute("DELETE FROM retention_hold").await;
    assert!(removed(&db, "idempotency_keys").await.is_err());
    assert_eq!(
        app.count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
            .await,
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sets_the_hold_waits_for_what_is_going_and_nobody_begins_behind_them() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    answers(&app, 4, 0).await;
    let db = database::pool(&app.database_url());
    let mut removing = db.begin().await.unwrap();
    let gone: i64 =
        sqlx::query_scalar("SELECT row_count FROM retention_remove('idempotency_keys', 2)")
            .fetch_one(&mut *removing)
            .await
            .unwrap();
    assert_eq!(gone, 2);
    let hold = {
        let owner = owner.clone();
        tokio::spawn(async move { owner.done("legalHoldSet", json!({"reason": "Why"})).await })
    };
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    tests::wait::until(tests::wait::PATIENCE, "the hold waits", async || {
        app.count(waits).await == 1
    })
    .await;
    removing.commit().await.unwrap();
    assert_eq!(hold.await.unwrap()["legalHold"]["held"], true);
    assert!(removed(&db, "idempotency_keys").await.is_err());
    assert_eq!(
        app.count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
            .await,
        2
    );
}
