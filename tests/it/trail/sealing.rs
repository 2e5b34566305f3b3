//! Sealing goes on beside writing, and loses nothing; what is retired stays in the chain.

use std::time::Duration;

use domain::trail::{Verdict, Wrong};
use sea_orm::sqlx::{self, Executor as _};
use serde_json::json;
use tests::{
    app::TestApp,
    wait::{PATIENCE, eventually, until},
};

use super::{Shop, system};

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_committed_late_is_sealed_all_the_same() {
    let shop = Shop::open().await;
    let mut late = shop.app.sql().begin().await.unwrap();
    late.execute(
        "INSERT INTO audit (at, actor_kind, actor_name, action, aggregate_type, aggregate_id) \
                  VALUES (now(), 'system', 'late', 'late', 'late', gen_random_uuid())",
    )
    .await
    .unwrap();
    shop.manager.category("Others", None).await;
    let sealing = {
        let domain = shop.app.domain().clone();
        tokio::spawn(async move { domain.trail().seal(&system()).await })
    };
    until(PATIENCE, "somebody is waited for", async || {
        let waited: i64 =
            sqlx::query_scalar("SELECT count(*) FROM trail_pending WHERE waiting <> '{}'")
                .fetch_one(shop.app.sql())
                .await
                .unwrap();
        waited > 0
    })
    .await;
    late.commit().await.unwrap();
    sealing.await.unwrap().unwrap();
    shop.seal().await;
    let found = shop.verify().await;
    assert_eq!(
        (found.verdict(), found.unsealed),
        (Verdict::Whole, 0),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_beside_sixteen_writers_loses_nothing() {
    let shop = Shop::open().await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16 {
        let (manager, category) = (
            shop.manager.with_header("x-writer", &writer.to_string()),
            shop.category.clone(),
        );
        let (ring, tray) = (shop.ring.clone(), shop.tray.clone());
        writers.spawn(async move {
            for turn in 0..6 {
                manager.item(&format!("W-{writer}-{turn}"), &category).await;
                manager.receive(&ring, &tray, 1).await;
            }
        });
    }
    while !writers.is_empty() {
        shop.seal().await;
        while let Some(done) = writers.try_join_next() {
            done.unwrap();
        }
        let found = shop.verify().await;
        assert_eq!(found.finding, None);
    }
    shop.seal().await;
    let found = shop.verify().await;
    assert_eq!(
        (found.verdict(), found.unsealed),
        (Verdict::Whole, 0),
        "{found:?}"
    );
    let written: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM trail_change) + (SELECT count(*) FROM stock_entry) \
              + (SELECT count(*) FROM stock_movement) + (SELECT count(*) FROM stock_cost) + (SELECT count(*) FROM journal_entry) \
              + (SELECT count(*) FROM journal_line)",
    )
    .fetch_one(shop.app.sql())
    .await
    .unwrap();
    assert_eq!(found.rows, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_leaves_a_chain_that_goes_on() {
    let shop = Shop::open().await;
    let unsealed = "INSERT INTO audit (at, actor_kind, actor_name, action, aggregate_type, aggregate_id) \
                    SELECT now(), 'system', 'many', 'many', 'many', gen_random_uuid() FROM generate_series(1, 30000)";
    sqlx::query(unsealed).execute(shop.app.sql()).await.unwrap();
    let seals = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM trail_seal")
            .fetch_one(shop.app.sql())
            .await
            .unwrap()
    };
    let before = seals().await;
    let mut worker = shop.app.worker_process().await;
    until(PATIENCE, "sealing has begun", async || {
        seals().await > before + 1
    })
    .await;
    worker.kill();
    drop(worker);
    eventually(PATIENCE, "its transaction is over", async || {
        shop.seal().await;
        let found = shop.verify().await;
        assert_eq!(found.finding, None);
        (found.unsealed == 0).then_some(())
    })
    .await;
    shop.assert_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_retired_stays_in_the_chain_and_is_not_missed() {
    let shop = Shop::unsealed(TestApp::builder()).await;
    // All of it was written years ago.
    let past = "ALTER TABLE audit DISABLE TRIGGER USER; ALTER TABLE trail_change DISABLE TRIGGER USER; \
                ALTER TABLE audit_before DISABLE TRIGGER USER; ALTER TABLE audit DETACH PARTITION audit_before; \
                UPDATE audit_before SET written_at = '2020-01-10'; \
                ALTER TABLE audit ATTACH PARTITION audit_before FOR VALUES FROM (MINVALUE) TO ('2020-02-01'); \
                CREATE TABLE trail_change_2020_01 PARTITION OF trail_change FOR VALUES FROM ('2020-01-01') TO ('2020-02-01'); \
                UPDATE trail_change SET written_at = '2020-01-10'; \
                ALTER TABLE audit ENABLE TRIGGER USER; ALTER TABLE trail_change ENABLE TRIGGER USER; \
                ALTER TABLE audit_before ENABLE TRIGGER USER";
    sqlx::raw_sql(past).execute(shop.app.sql()).await.unwrap();
    // The application cannot.
    let role = tests::database::pool(&shop.app.database_url());
    let retire = "SELECT trail_retire('2100-01-01', 'the owner', 'ten years are over')";
    assert!(sqlx::query(retire).execute(&role).await.is_err());
    let refused = sqlx::query(retire).execute(shop.app.sql()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("not sealed yet"), "{refused}");
    shop.seal().await;
    let before = shop.verify().await;
    assert_eq!(before.verdict(), Verdict::Whole, "{before:?}");
    sqlx::query(retire).execute(shop.app.sql()).await.unwrap();
    let left = "SELECT (SELECT count(*) FROM audit WHERE written_at < '2021-01-01') + (SELECT count(*) FROM trail_change WHERE written_at < '2021-01-01')";
    let left: i64 = sqlx::query_scalar(left)
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(left, 0);
    shop.seal().await;
    let after = shop.verify().await;
    assert_eq!(after.verdict(), Verdict::Whole, "{after:?}");
    assert!(
        after.retired > 0 && after.present >= before.present,
        "{after:?}"
    );
    shop.manager.category("Others", None).await;
    shop.seal().await;
    shop.assert_whole().await;
    // Who says so beside the trail is found.
    let forged = "INSERT INTO trail_retired (stream, numbers, rows, since, until, actor_name, reason) \
                  VALUES ('audit', '{[1,1000000)}', 1, now(), now(), 'me', 'no reason')";
    let (wrong, table, _) = shop.found("trail_retired", forged).await;
    assert_eq!((wrong, table.as_str()), (Wrong::Inserted, "trail_retired"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_cannot_make_seals_or_changes_by_hand() {
    let shop = Shop::open().await;
    let role = tests::database::pool(&shop.app.database_url());
    for sql in [
        "INSERT INTO trail_seal SELECT * FROM trail_seal",
        "UPDATE trail_pending SET done = 0",
        "DELETE FROM trail_change",
        "INSERT INTO trail_change (source, operation, about, key) VALUES ('item', 'd', gen_random_uuid(), 'x')",
        "INSERT INTO trail_retired (stream) VALUES ('audit')",
        "SELECT trail_capture('job', 'id', '{}')",
    ] {
        assert!(sqlx::query(sql).execute(&role).await.is_err(), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_makes_the_proof_and_goes_on_where_it_was() {
    let shop = Shop::of(TestApp::builder().with_worker()).await;
    let asked = shop
        .manager
        .done("auditVerify", json!({"note": "Why"}))
        .await["verification"]
        .take();
    let query = "query($id: ID!) { auditVerification(id: $id) { finishedAt job { state } report { verdict rows next } } }";
    let made = eventually(Duration::from_secs(30), "the proof is made", async || {
        let found =
            shop.manager.ok(query, json!({"id": asked["id"]})).await["auditVerification"].take();
        (!found["finishedAt"].is_null()).then_some(found)
    })
    .await;
    assert_eq!(
        (&made["report"]["verdict"], &made["report"]["next"]),
        (&json!("WHOLE"), &json!(null))
    );
    assert!(made["report"]["rows"].as_i64().unwrap() > 10, "{made}");
    // The worker wrote something by itself: the codes of items. It is told who it was.
    let unnamed: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM trail_change c WHERE c.operation <> 'p' AND c.who IS NULL \
         AND NOT EXISTS (SELECT FROM audit a WHERE a.tx = c.tx AND a.written_at = c.written_at)",
    )
    .fetch_one(shop.app.sql())
    .await
    .unwrap();
    assert_eq!(unnamed, 0);
}
