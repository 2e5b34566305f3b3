//! What goes and what stays, against what was made.

use domain::clock::{Clock as _, SystemClock, new_id};
use platform::blob::{BlobKey, BlobStore};
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    app::TestApp,
    process::run,
    wait::{PATIENCE, until},
};
use uuid::Uuid;

use super::{answers, ask, counts, finished};

/// A job of this kind that ended so many days ago.
async fn job(app: &TestApp, kind: &str, days: i32) -> Uuid {
    let id = new_id(SystemClock.now());
    let sql = "INSERT INTO job (id, kind, queue, payload, state, max_attempts, relayed_at, created_at, finished_at)
        VALUES ($1, $2, 'bulk', '{}', 'succeeded', 1, now(), now() - make_interval(days => $3), now() - make_interval(days => $3))";
    let made = sqlx::query(sql).bind(id).bind(kind).bind(days);
    made.execute(app.sql()).await.unwrap();
    id
}

/// A file that it has left behind, which is there.
async fn file(app: &TestApp, blobs: &BlobStore, job: Uuid, number: u32, bytes: usize) -> BlobKey {
    let key = BlobKey::of_job(job, 1, number);
    blobs
        .put_bytes(&key, vec![b'x'; bytes].into())
        .await
        .unwrap();
    let sql = "INSERT INTO job_file (id, job_id, name, media_type, blob_key, byte_size, created_at) VALUES ($1, $2, $3, 'text/csv', $4, $5, now())";
    let made = sqlx::query(sql)
        .bind(new_id(SystemClock.now()))
        .bind(job)
        .bind(format!("file {number}"))
        .bind(key.as_str())
        .bind(i64::try_from(bytes).unwrap());
    made.execute(app.sql()).await.unwrap();
    key
}

async fn proof(app: &TestApp, job: Uuid) {
    for sql in [
        "INSERT INTO stock_reconciliation (id, job_id, created_at) VALUES ($1, $2, now())",
        "INSERT INTO trail_verification (id, job_id, created_at) VALUES ($1, $2, now())",
    ] {
        let made = sqlx::query(sql).bind(new_id(SystemClock.now())).bind(job);
        made.execute(app.sql()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_look_foresees_is_what_goes_then() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let category = owner.category("Rings", None).await;
    let blobs = BlobStore::local(app.media()).unwrap();
    let old_export = job(&app, "item.export", 31).await;
    let young_export = job(&app, "item.export", 29).await;
    let gone = [
        file(&app, &blobs, old_export, 1, 100).await,
        file(&app, &blobs, old_export, 2, 20).await,
    ];
    let kept = file(&app, &blobs, young_export, 1, 7).await;
    // As old as that, imports, proofs and backups stay, and so does what is not finished.
    for kind in ["item.import", "stock.reconcile", "backup.create"] {
        job(&app, kind, 100).await;
    }
    let unfinished = job(&app, "item.render_code", 1000).await;
    sqlx::query("UPDATE job SET state = 'running', finished_at = NULL, relayed_at = now() + interval '1 day' WHERE id = $1")
        .bind(unfinished)
        .execute(app.sql())
        .await
        .unwrap();
    job(&app, "item.render_code", 91).await;
    let old_import = job(&app, "journal.import", 181).await;
    let upload = BlobKey::import(old_import);
    blobs
        .put_bytes(&upload, vec![b'x'; 5].into())
        .await
        .unwrap();
    // One that was given up still has what was sent.
    let sql = "INSERT INTO journal_import (id, job_id, blob_key, byte_size, format, options, dry_run, locale, created_at)
        VALUES ($1, $1, $2, 5, 'hledger', '{}', false, 'en', now())";
    sqlx::query(sql)
        .bind(old_import)
        .bind(upload.as_str())
        .execute(app.sql())
        .await
        .unwrap();
    let old_proof = job(&app, "trail.verify", 731).await;
    proof(&app, old_proof).await;
    answers(&app, 7, 3).await;
    app.execute("INSERT INTO schedule_firing SELECT id, now() - interval '366 days', 'missed', NULL, NULL, now() - interval '366 days' FROM schedule")
        .await;
    app.execute(
        "INSERT INTO api_token (id, user_id, name, token_hash, permissions, expires_at, revoked_at, created_at)
         SELECT gen_random_uuid(), u.id, 'T', sha256(n::text::bytea), '{}', now() + n * interval '1 day',
             CASE n WHEN 10 THEN now() - interval '366 days' END, now()
         FROM app_user u CROSS JOIN (VALUES (-366), (-364), (10), (11)) v (n)",
    )
    .await;
    // What happened long ago is told no more, but for the last that did.
    app.position().await;
    app.execute("UPDATE event SET created_at = now() - interval '91 days'")
        .await;
    let events = app.count("SELECT count(*) FROM event").await;
    assert!(events >= 1);

    let worker = app.worker();
    let look = finished(&owner, &ask(&owner, true).await).await;
    assert_eq!(look["dryRun"], true);
    for (subject, expected) in [
        ("EXPORTS", (1, 2, 120)),
        ("IMPORTS", (1, 1, 5)),
        ("JOBS", (1, 0, 0)),
        ("PROOFS", (1, 0, 0)),
        ("IDEMPOTENCY_KEYS", (7, 0, 0)),
        ("SCHEDULE_FIRINGS", (8, 0, 0)),
        ("API_TOKENS", (2, 0, 0)),
    ] {
        assert_eq!(counts(&look, subject), expected, "{subject}");
    }
    assert_eq!(
        app.count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
            .await,
        10
    );
    assert!(
        blobs.exists(&gone[0]).await.unwrap(),
        "a look removes nothing"
    );
    worker.stop().await;
    // What the look itself has left behind is young.
    app.execute("DELETE FROM event WHERE created_at > now() - interval '1 day'")
        .await;
    let events = app.count("SELECT count(*) FROM event").await;

    let _worker = app.worker();
    let run = finished(&owner, &ask(&owner, false).await).await;
    for subject in [
        "EXPORTS",
        "IMPORTS",
        "JOBS",
        "PROOFS",
        "IDEMPOTENCY_KEYS",
        "SCHEDULE_FIRINGS",
        "API_TOKENS",
    ] {
        assert_eq!(counts(&run, subject), counts(&look, subject), "{subject}");
    }
    assert_eq!(run["wasHeld"], false);
    let (told, ..) = counts(&run, "EVENTS");
    assert!(told >= events - 1, "{run}");
    assert!(app.count("SELECT count(*) FROM event").await > 0);
    assert_eq!(
        app.count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
            .await,
        3
    );
    let kinds = "SELECT count(*) FROM job WHERE kind IN ('item.import', 'stock.reconcile', 'backup.create') OR kind = 'item.render_code' AND finished_at IS NULL";
    assert_eq!(app.count(kinds).await, 4);
    assert_eq!(
        app.count("SELECT (SELECT count(*) FROM stock_reconciliation) + (SELECT count(*) FROM trail_verification) + (SELECT count(*) FROM journal_import)").await,
        0
    );
    for key in gone.iter().chain([&upload]) {
        assert!(!blobs.exists(key).await.unwrap(), "{key}");
    }
    assert!(blobs.exists(&kept).await.unwrap());
    assert_eq!(app.count("SELECT count(*) FROM retention_file").await, 0);
    // The business is as it was, and the trail tells what went, and still fits.
    let tree = owner.ok("{ categoryTree { id } }", json!({})).await;
    assert_eq!(tree["categoryTree"][0]["id"], category);
    let told = "SELECT count(*) FROM audit WHERE action = 'retention.finish' AND after->'outcomes' @> '[{\"subject\": \"exports\", \"row_count\": 1}]'";
    assert_eq!(app.count(told).await, 2);
    let verified = owner
        .ok(
            "{ auditVerify { verdict finding { table key fault } missing { table what } } }",
            json!({}),
        )
        .await;
    assert_eq!(verified["auditVerify"]["verdict"], "WHOLE", "{verified}");

    // What is cleared up once is not there a second time.
    let again = finished(&owner, &ask(&owner, false).await).await;
    for outcome in again["outcomes"].as_array().unwrap() {
        assert_eq!(outcome["rowCount"], 0, "{outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_from_a_position_that_went_is_told_so() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.category("Rings", None).await;
    let position = app.position().await;
    owner.category("Chains", None).await;
    owner.category("Coins", None).await;
    let newest = app.position().await;
    app.execute("UPDATE event SET created_at = now() - interval '91 days'")
        .await;
    let ended = run(
        "worker",
        &["retention", "--json"],
        app.variables(),
        "",
        PATIENCE,
    )
    .await;
    assert!(ended.status.success(), "{ended:?}");
    // The last one stays: what comes next has a higher position, and whoever has seen it goes on.
    assert_eq!(app.position().await, newest);
    assert_eq!(app.count("SELECT count(*) FROM event").await, 1);
    let tree =
        "subscription($after: EventPosition) { categoryTreeChanged(after: $after) { position } }";
    let mut expired = owner.subscribe(tree, json!({"after": position})).await;
    let refused = format!("{:?}", expired.receive().await);
    assert!(refused.contains("EVENT_POSITION_EXPIRED"), "{refused}");
    let mut goes_on = owner.subscribe(tree, json!({"after": newest})).await;
    owner.category("Watches", None).await;
    let next = goes_on.next().await;
    let next: i64 = next["categoryTreeChanged"]["position"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(next > newest.parse().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_everything_is_held_nothing_goes() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    answers(&app, 1200, 1).await;
    let held = json!({"reason": "The court wants to see everything."});
    let hold = owner.done("legalHoldSet", held).await;
    assert_eq!(hold["legalHold"]["held"], true);
    let refused = owner.change("retentionRun", json!({"dryRun": false})).await;
    assert_eq!(refused.refused(), [("LEGAL_HOLD".into(), String::new())]);
    let machine = run("worker", &["retention"], app.variables(), "", PATIENCE).await;
    assert!(!machine.status.success());
    assert!(machine.errors.contains("held"), "{machine:?}");

    let _worker = app.worker();
    // Looking is allowed; and a schedule whose time has come finds out, and leaves everything.
    let look = finished(&owner, &ask(&owner, true).await).await;
    assert_eq!(counts(&look, "IDEMPOTENCY_KEYS"), (1200, 0, 0));
    let all = owner.ok("{ schedules { id errand } }", json!({})).await;
    let mut all = all["schedules"].as_array().unwrap().iter();
    let schedule = all.find(|schedule| schedule["errand"] == "RETENTION");
    let run_now = json!({"id": schedule.unwrap()["id"]});
    owner.done("scheduleRunNow", run_now).await;
    until(PATIENCE, "the run has ended", async || {
        app.count("SELECT count(*) FROM retention_run WHERE was_held AND finished_at IS NOT NULL")
            .await
            == 1
    })
    .await;
    app.until_done(PATIENCE).await;
    assert_eq!(
        app.count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
            .await,
        1201
    );

    let free = owner.done("legalHoldSet", json!({})).await;
    assert_eq!(free["legalHold"]["reason"], Value::Null);
    let run = finished(&owner, &ask(&owner, false).await).await;
    assert_eq!(counts(&run, "IDEMPOTENCY_KEYS"), (1200, 0, 0));
    assert_eq!(
        app.count("SELECT count(*) FROM idempotency WHERE actor = 'user:test'")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_machine_it_is_a_table_or_json() {
    let app = TestApp::start().await;
    answers(&app, 3, 1).await;
    let look = run(
        "worker",
        &["retention", "--dry-run"],
        app.variables(),
        "",
        PATIENCE,
    )
    .await;
    assert!(look.status.success(), "{look:?}");
    assert!(look.output.contains("WOULD GO"), "{look:?}");
    let cells = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let keys = look
        .output
        .lines()
        .find(|line| line.starts_with("IdempotencyKeys"));
    assert_eq!(cells(keys.unwrap())[1], "3");
    let done = run(
        "worker",
        &["retention", "--json"],
        app.variables(),
        "",
        PATIENCE,
    )
    .await;
    let report: Value = serde_json::from_str(&done.output).unwrap();
    let outcomes = report["outcomes"].as_array().unwrap();
    let keys = outcomes
        .iter()
        .find(|outcome| outcome["subject"] == "idempotency_keys");
    assert_eq!(keys.unwrap()["row_count"], 3);
    assert_eq!(app.count("SELECT count(*) FROM idempotency").await, 1);
}
