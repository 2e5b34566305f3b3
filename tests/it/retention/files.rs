//! Files that nothing refers to: they go, late, and never from under a row that refers to them.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use domain::{
    Viewer,
    clock::{Clock as _, SystemClock, new_id},
    retention::Report,
};
use platform::blob::{BlobKey, BlobStore, Fingerprint};
use rand::Rng as _;
use sea_orm::sqlx::{self, AssertSqlSafe, PgPool, Row as _};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::{Builder, TestApp},
    database,
    picture::small,
    process::run,
    s3::S3Server,
    wait::{PATIENCE, until},
};
use worker::{context::Context, jobs::run_retention::clear_up};

use super::{ask, counts, finished};

/// Columns that refer to files. Whoever adds one adds it to `blob_referenced` and gives its table the triggers.
const REFERRING: [&str; 9] = [
    "item.qr_png_key",
    "item.qr_svg_key",
    "item_image.original_key",
    "item_image.renditions",
    "item_import.blob_key",
    "job_file.blob_key",
    "journal_attachment.blob_key",
    "journal_import.blob_key",
    "retention_file.blob_key",
];
/// Columns that name files and do not keep them: names that are retired, what was and is told, and answers for requests that are sent again.
const TELLING: [&str; 5] = [
    "audit.after",
    "audit.before",
    "blob_retired.blob_key",
    "idempotency.answer",
    "trail_change.after",
];
/// Whatever people can be shown, asked without the function under test.
const KEYS: &str = "SELECT k FROM (
        SELECT qr_svg_key FROM item UNION ALL SELECT qr_png_key FROM item UNION ALL SELECT original_key FROM item_image
        UNION ALL SELECT r->>'key' FROM item_image CROSS JOIN LATERAL jsonb_array_elements(renditions) r
        UNION ALL SELECT blob_key FROM job_file UNION ALL SELECT blob_key FROM journal_attachment
    ) all_keys (k) WHERE k IS NOT NULL";

async fn texts(db: &PgPool, sql: impl Into<String>) -> BTreeSet<String> {
    let rows = sqlx::query_scalar(AssertSqlSafe(sql.into()));
    rows.fetch_all(db).await.unwrap().into_iter().collect()
}

/// A shop where nothing is too young to be looked at.
fn eager() -> Builder {
    TestApp::builder().set("GOLDSHOP_WORKER__FILE_GRACE_HOURS", 0)
}

/// As an operator at the machine would.
async fn clear(app: &TestApp) -> Value {
    let ended = run(
        "worker",
        &["retention", "--json"],
        app.variables(),
        "",
        PATIENCE,
    )
    .await;
    assert!(ended.status.success(), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.output).unwrap();
    let mut outcomes = report["outcomes"].as_array().unwrap().iter();
    let outcome = outcomes.find(|outcome| outcome["subject"] == "unreferenced_files");
    outcome.unwrap().clone()
}

/// What was retired has been so for longer than the policy says.
async fn a_week_passes(app: &TestApp) {
    app.execute("UPDATE blob_retired SET retired_at = retired_at - interval '8 days' WHERE removed_at IS NULL")
        .await;
}

/// Whether everything that a row refers to is there.
async fn assert_nothing_is_missing(app: &TestApp, blobs: &BlobStore) {
    for key in texts(app.sql(), KEYS).await {
        let key: BlobKey = key.parse().unwrap();
        assert!(blobs.exists(&key).await.unwrap(), "{key} is missing");
    }
}

async fn pictured(app: &TestApp) -> (Actor, String, String) {
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let image = manager.picture(&item, small(1)).await["image"]["id"].take();
    (manager, item, image.as_str().unwrap().to_owned())
}

async fn remove(manager: &Actor, item: &str, image: &str) {
    let input = json!({"itemId": item, "imageId": image});
    manager.done("itemImageRemove", input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_columns_that_refer_to_files_are_known() {
    let app = TestApp::builder().with_worker().start().await;
    let (manager, ..) = pictured(&app).await;
    manager.done("itemExportCreate", json!({})).await;
    app.until_done(PATIENCE).await;
    // By their names.
    let named = "SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb', 'ARRAY')
          AND (column_name LIKE '%\\_key' OR column_name LIKE '%blob%' OR column_name LIKE '%rendition%')
          AND table_name || '.' || column_name NOT IN ('job.unique_key', 'blob_retired.blob_key')";
    let known: BTreeSet<_> = REFERRING.iter().map(ToString::to_string).collect();
    assert_eq!(texts(app.sql(), named).await, known);
    // By what is in them.
    let search = "SELECT string_agg(format('SELECT %L WHERE EXISTS (SELECT FROM %I WHERE %I::text ~ ''(attachment|code|import|job|original|rendition)/(g[0-9]+/)?[0-9a-f]{2}/'')',
            c.table_name || '.' || c.column_name, c.table_name, c.column_name), ' UNION ALL ')
        FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type IN ('text', 'jsonb', 'json', 'ARRAY')
          AND c.table_name NOT LIKE 'trail\\_change\\_%' AND c.table_name NOT LIKE 'audit\\_%'";
    let search = texts(app.sql(), search).await.pop_first().unwrap();
    let holding = texts(app.sql(), search).await;
    for column in &holding {
        let column = column.as_str();
        assert!(
            REFERRING.contains(&column) || TELLING.contains(&column),
            "{column} names files"
        );
    }
    for column in [
        "item.qr_svg_key",
        "item_image.renditions",
        "job_file.blob_key",
    ] {
        assert!(holding.contains(column), "{holding:?}");
    }
    // Each of their tables has the triggers, but for what is on its way out.
    let guarded = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%\\_blob\\_inserted' AND tgenabled = 'O'
        INTERSECT SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%\\_blob\\_updated' AND tgenabled = 'O'";
    let tables = REFERRING
        .iter()
        .filter_map(|column| column.split('.').next());
    let tables = tables.filter(|table| *table != "retention_file");
    let tables: BTreeSet<_> = tables.map(str::to_owned).collect();
    assert_eq!(texts(app.sql(), guarded).await, tables);
    // And the function finds them all.
    let missed = format!(
        "SELECT k FROM ({KEYS}) r WHERE k NOT IN (SELECT blob_referenced(ARRAY(SELECT k FROM ({KEYS}) a)))"
    );
    assert_eq!(texts(app.sql(), missed).await, BTreeSet::new());
}

/// A picture goes, is looked for, goes for good, and comes again: under another name.
async fn goes_and_comes_again(app: &TestApp) {
    let blobs = app.config().blob.open().unwrap();
    let (manager, item, image) = pictured(app).await;
    let owner = app.owner().await;
    let worker = app.worker();
    app.until_done(PATIENCE).await;
    let first = BlobKey::original(&Fingerprint::of_bytes(&small(1)));
    assert!(blobs.exists(&first).await.unwrap());
    remove(&manager, &item, &image).await;
    let look = finished(&owner, &ask(&owner, true).await).await;
    let found = |run: &Value| {
        let mut outcomes = run["outcomes"].as_array().unwrap().iter();
        let outcome = outcomes.find(|outcome| outcome["subject"] == "UNREFERENCED_FILES");
        outcome.unwrap()["foundCount"].as_i64().unwrap()
    };
    // The upload and ten renditions. Codes are referred to.
    assert_eq!(found(&look), 11, "{look}");
    assert_eq!(app.count("SELECT count(*) FROM blob_retired").await, 0);
    let run = finished(&owner, &ask(&owner, false).await).await;
    assert_eq!(
        (found(&run), counts(&run, "UNREFERENCED_FILES")),
        (11, (0, 0, 0))
    );
    // They stay for a week, for whoever gets yesterday's database back.
    assert!(blobs.exists(&first).await.unwrap());
    a_week_passes(app).await;
    let look = finished(&owner, &ask(&owner, true).await).await;
    let (rows, files, bytes) = counts(&look, "UNREFERENCED_FILES");
    assert_eq!((rows, files, found(&look)), (11, 11, 0));
    assert!(bytes > i64::try_from(small(1).len()).unwrap());
    let run = finished(&owner, &ask(&owner, false).await).await;
    assert_eq!(counts(&run, "UNREFERENCED_FILES"), (11, 11, bytes));
    assert!(!blobs.exists(&first).await.unwrap());
    assert_eq!(app.count("SELECT count(*) FROM retention_file").await, 0);

    manager.picture(&item, small(1)).await;
    app.until_done(PATIENCE).await;
    let second = first.clone().in_generation(2);
    assert!(blobs.exists(&second).await.unwrap());
    assert!(!blobs.exists(&first).await.unwrap());
    let images = "query($id: ID!) { item(by: {id: $id}) { images { state renditions { url } } } }";
    let shown = manager.ok(images, json!({"id": item})).await["item"]["images"][0].take();
    assert_eq!(shown["state"], "READY");
    for rendition in shown["renditions"].as_array().unwrap() {
        let url = rendition["url"].as_str().unwrap();
        assert!(url.contains("/rendition/g2/"), "{url}");
        let answer = app.anonymous().get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
    }
    assert_nothing_is_missing(app, &blobs).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_was_taken_away_goes_after_a_week_and_may_come_again() {
    goes_and_comes_again(&eager().start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_same_in_a_bucket() {
    let server = S3Server::start().await;
    let app = eager()
        .set("GOLDSHOP_BLOB__KIND", "s3")
        .set("GOLDSHOP_BLOB__BUCKET", "backups")
        .set("GOLDSHOP_BLOB__ENDPOINT", server.url())
        .set("GOLDSHOP_BLOB__ACCESS_KEY_ID", "tester")
        .set("GOLDSHOP_BLOB__SECRET_KEY", "tester-secret")
        .set("GOLDSHOP_BLOB__ALLOW_HTTP", "true")
        .start()
        .await;
    goes_and_comes_again(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_young_held_or_no_file_of_ours_stays() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let blobs = app.config().blob.open().unwrap();
    let (manager, item, image) = pictured(&app).await;
    remove(&manager, &item, &image).await;
    // Within the day somebody may be about to refer to it.
    assert_eq!(clear(&app).await["found_count"], 0);
    let mut eager = app.variables().clone();
    eager.insert("GOLDSHOP_WORKER__FILE_GRACE_HOURS".into(), "0".into());
    let theirs: BlobKey = "backups/of/somebody".parse().unwrap();
    blobs.put_bytes(&theirs, "x".into()).await.unwrap();
    owner
        .done(
            "legalHoldSet",
            json!({"reason": "The court wants to see everything."}),
        )
        .await;
    let held = run("worker", &["retention"], &eager, "", PATIENCE).await;
    assert!(!held.status.success(), "{held:?}");
    let look = run(
        "worker",
        &["retention", "--dry-run", "--json"],
        &eager,
        "",
        PATIENCE,
    )
    .await;
    let look: Value = serde_json::from_str(&look.output).unwrap();
    let outcomes = look["outcomes"].as_array().unwrap().iter();
    let found = outcomes.filter_map(|outcome| outcome["found_count"].as_i64());
    assert_eq!(found.sum::<i64>(), 1, "{look}");
    owner.done("legalHoldSet", json!({})).await;
    let kept = json!({"subject": "UNREFERENCED_FILES", "enabled": false});
    owner.done("retentionPolicyUpdate", kept).await;
    let free = run("worker", &["retention"], &eager, "", PATIENCE).await;
    assert!(free.status.success(), "{free:?}");
    assert_eq!(app.count("SELECT count(*) FROM blob_retired").await, 0);
    let again = json!({"subject": "UNREFERENCED_FILES", "enabled": true, "keepDays": 1});
    owner.done("retentionPolicyUpdate", again).await;
    run("worker", &["retention"], &eager, "", PATIENCE).await;
    a_week_passes(&app).await;
    run("worker", &["retention"], &eager, "", PATIENCE).await;
    assert_eq!(
        app.count("SELECT count(*) FROM blob_retired WHERE removed_at IS NOT NULL")
            .await,
        1
    );
    assert!(blobs.exists(&theirs).await.unwrap());
    let too_short = json!({"subject": "UNREFERENCED_FILES", "keepDays": 0});
    let refused = owner.change("retentionPolicyUpdate", too_short).await;
    assert_eq!(
        refused.refused(),
        [("OUT_OF_RANGE".into(), "keepDays".into())]
    );
}

/// A staging file as an upload leaves it that is killed, so many hours ago.
fn left_behind(app: &TestApp, name: &str, hours: u64) {
    let path = app.media().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "12345").unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    let age = Duration::from_secs(hours * 60 * 60);
    file.set_modified(written - age).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_killed_uploads_left_behind_goes_after_a_day() {
    // However young a file may be that goes: what is being written is left alone.
    let app = eager().start().await;
    let owner = app.owner().await;
    let old = ["original/3f/3f79#1", "job/aa/bb/1/1#2", "health/probe#1"];
    let others = [
        ("original/3f/3f80#1", 23),
        ("theirs/3f79#1", 100),
        ("original/3f/notes#draft", 100),
    ];
    for name in old {
        left_behind(&app, name, 25);
    }
    for (name, hours) in others {
        left_behind(&app, name, hours);
    }
    let there = |name: &str| app.media().join(name).exists();
    let worker = app.worker();
    for _ in 0..2 {
        let look = finished(&owner, &ask(&owner, true).await).await;
        assert_eq!(counts(&look, "UNREFERENCED_FILES"), (0, 3, 15));
    }
    let kept = json!({"subject": "UNREFERENCED_FILES", "enabled": false});
    owner.done("retentionPolicyUpdate", kept).await;
    let idle = finished(&owner, &ask(&owner, false).await).await;
    assert_eq!(counts(&idle, "UNREFERENCED_FILES"), (0, 0, 0));
    let again = json!({"subject": "UNREFERENCED_FILES", "enabled": true});
    owner.done("retentionPolicyUpdate", again).await;
    let reason = json!({"reason": "The court wants to see everything."});
    owner.done("legalHoldSet", reason).await;
    let held = run("worker", &["retention"], app.variables(), "", PATIENCE).await;
    assert!(!held.status.success(), "{held:?}");
    assert!(old.into_iter().all(there));
    owner.done("legalHoldSet", json!({})).await;

    let done = finished(&owner, &ask(&owner, false).await).await;
    assert_eq!(counts(&done, "UNREFERENCED_FILES"), (0, 3, 15));
    assert!(!old.into_iter().any(there));
    assert!(others.into_iter().all(|(name, _)| there(name)));
    let after = finished(&owner, &ask(&owner, false).await).await;
    assert_eq!(counts(&after, "UNREFERENCED_FILES"), (0, 0, 0));
    worker.stop().await;
}

/// As the application's role, one file of a job: its transaction is left open.
async fn refer(
    db: &PgPool,
    job: uuid::Uuid,
    key: &str,
) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
    let mut tx = db.begin().await?;
    let sql = "INSERT INTO job_file (id, job_id, name, media_type, blob_key, byte_size, created_at) VALUES (gen_random_uuid(), $1, $2, 'text/csv', $2, 1, now())";
    sqlx::query(sql)
        .bind(job)
        .bind(key)
        .execute(&mut *tx)
        .await?;
    Ok(tx)
}

async fn retire(db: &PgPool, keys: &[&str]) -> i64 {
    let sizes = vec![1_i64; keys.len()];
    let row = sqlx::query("SELECT found_count FROM blob_retire($1, $2)")
        .bind(keys)
        .bind(sizes)
        .fetch_one(db)
        .await
        .unwrap();
    row.get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refers_and_who_retires_exclude_each_other() {
    let app = TestApp::start().await;
    let db = database::pool(&app.database_url());
    let job = new_id(SystemClock.now());
    let sql = "INSERT INTO job (id, kind, queue, payload, state, max_attempts, relayed_at, created_at, finished_at)
        VALUES ($1, 'item.export', 'bulk', '{}', 'succeeded', 1, now(), now(), now())";
    sqlx::query(sql).bind(job).execute(app.sql()).await.unwrap();

    // Somebody is just referring to the one: it is left, and the other goes; nobody waits.
    let open = refer(&db, job, "job/aa/1").await.unwrap();
    assert_eq!(retire(&db, &["job/aa/1", "job/bb/1"]).await, 1);
    open.commit().await.unwrap();
    assert_eq!(retire(&db, &["job/aa/1"]).await, 0);
    // Whoever did not commit after all has kept nothing.
    refer(&db, job, "job/cc/1")
        .await
        .unwrap()
        .rollback()
        .await
        .unwrap();
    assert_eq!(retire(&db, &["job/cc/1"]).await, 1);

    // Somebody is just retiring it: who refers to it waits, and is refused when it is so.
    let mut retiring = db.begin().await.unwrap();
    sqlx::query("SELECT * FROM blob_retire('{job/dd/1}', '{1}')")
        .execute(&mut *retiring)
        .await
        .unwrap();
    let (other, key) = (db.clone(), "job/dd/1");
    let waiting = tokio::spawn(async move { refer(&other, job, key).await.map(drop) });
    until(PATIENCE, "one waits", async || {
        app.count("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()")
            .await
            == 1
    })
    .await;
    retiring.commit().await.unwrap();
    let refused = waiting.await.unwrap().unwrap_err();
    let refused = refused.as_database_error().unwrap();
    assert_eq!(refused.constraint(), Some("blob_retired"));
    // A change of a row is looked at like a new one.
    let moved =
        sqlx::query("UPDATE job_file SET blob_key = 'job/dd/1' WHERE blob_key = 'job/aa/1'");
    assert!(moved.execute(&db).await.is_err());
    // The application cannot bring a name back, nor retire by itself what is referred to.
    for sql in [
        "DELETE FROM blob_retired",
        "UPDATE blob_retired SET removed_at = now()",
        "INSERT INTO blob_retired (blob_key, byte_size) VALUES ('job/aa/1', 1)",
        "ALTER TABLE job_file DISABLE TRIGGER job_file_blob_inserted",
    ] {
        assert!(sqlx::query(sql).execute(&db).await.is_err(), "{sql}");
    }

    // A row that came in behind the triggers keeps its file.
    app.execute("ALTER TABLE job_file DISABLE TRIGGER USER")
        .await;
    refer(app.sql(), job, "job/bb/1")
        .await
        .unwrap()
        .commit()
        .await
        .unwrap();
    app.execute("ALTER TABLE job_file ENABLE TRIGGER USER")
        .await;
    a_week_passes(&app).await;
    let removed: i64 = sqlx::query_scalar("SELECT file_count FROM blob_remove(100)")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(removed, 2, "those of c and d");
    assert_eq!(
        app.count("SELECT count(*) FROM blob_retired WHERE blob_key = 'job/bb/1'")
            .await,
        0
    );
    // A month later names may be used again, when their files are gone for certain.
    app.execute("UPDATE blob_retired SET removed_at = now() - interval '31 days'")
        .await;
    app.execute("DELETE FROM retention_file WHERE blob_key = 'job/cc/1'")
        .await;
    sqlx::query("SELECT * FROM blob_remove(100)")
        .execute(&db)
        .await
        .unwrap();
    assert_eq!(
        texts(app.sql(), "SELECT blob_key FROM blob_retired").await,
        BTreeSet::from(["job/dd/1".to_owned()])
    );
}

/// The upload is in the blob store and its row is about to be written, when the same content is retired and removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_goes_between_storing_and_referring_is_stored_again() {
    let app = eager().start().await;
    let blobs = app.config().blob.open().unwrap();
    let (manager, item, image) = pictured(&app).await;
    remove(&manager, &item, &image).await;
    let mut tx = app.sql().begin().await.unwrap();
    sqlx::query("SELECT FROM item FOR UPDATE")
        .execute(&mut *tx)
        .await
        .unwrap();
    let key = "at most once";
    let upload = async |manager: &Actor| {
        let file = tests::actor::File {
            bytes: small(1),
            name: "photo.jpg".to_owned(),
            content_type: "image/jpeg".to_owned(),
        };
        let input = json!({"input": {"itemId": item, "idempotencyKey": key}});
        let answer = manager
            .upload(tests::picture::IMAGE_UPLOAD, input, file)
            .await;
        answer.ok()["itemImageUpload"]["image"]["id"].take()
    };
    let between = async {
        until(PATIENCE, "the row is about to be written", async || {
            app.count("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
                .await
                == 1
        })
        .await;
        assert_eq!(clear(&app).await["found_count"], 1);
        a_week_passes(&app).await;
        assert_eq!(clear(&app).await["file_count"], 1);
        tx.commit().await.unwrap();
    };
    let (uploaded, ()) = tokio::join!(upload(&manager), between);
    assert_nothing_is_missing(&app, &blobs).await;
    assert_eq!(
        app.count("SELECT count(*) FROM item_image WHERE original_key LIKE 'original/g2/%'")
            .await,
        1
    );
    // Whoever sends the request again is told the same, whatever the file is called by now.
    remove(&manager, &item, uploaded.as_str().unwrap()).await;
    clear(&app).await;
    assert_eq!(upload(&manager).await, uploaded);
}

/// Clears up inside this process, which is quicker.
async fn clear_here(context: &Context) -> Report {
    let viewer = Viewer::system("test");
    let run = context
        .domain
        .retention()
        .begin(&viewer, false)
        .await
        .unwrap();
    clear_up(context, &viewer, None, run.id).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_uploads_beside_clearing_up_never_lose_their_file() {
    const PEOPLE: usize = 4;
    /// How often all is cleared up beside them.
    const PASSES: usize = 15;
    let app = eager().start().await;
    let blobs = app.config().blob.open().unwrap();
    let context = worker::service::context(&app.config()).unwrap();
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let passes = AtomicUsize::new(0);
    let people = (0..PEOPLE).map(async |person| {
        let item = manager.item(&format!("RING-{person}"), &category).await;
        for round in 0.. {
            // All send the same three pictures, and nobody keeps one for long: whatever is kept is not retired.
            let shade = u8::try_from((person + round) % 3).unwrap();
            let image = manager.picture(&item, small(shade)).await["image"]["id"].take();
            if passes.load(Ordering::Relaxed) >= PASSES {
                break;
            }
            remove(&manager, &item, image.as_str().unwrap()).await;
        }
    });
    let clearing = async {
        loop {
            clear_here(&context).await;
            a_week_passes(&app).await;
            assert_nothing_is_missing_now(&app, &blobs).await;
            passes.fetch_add(1, Ordering::Relaxed);
        }
    };
    tokio::select! {
        _ = futures_util::future::join_all(people) => {}
        () = clearing => unreachable!("it goes on until people are done"),
    }
    assert_nothing_is_missing(&app, &blobs).await;
    let kept = "SELECT count(*) FROM item_image";
    assert_eq!(app.count(kept).await, i64::try_from(PEOPLE).unwrap());
    // It was an attack: names were retired under the hands of those who used them.
    let removed = "SELECT count(*) FROM blob_retired WHERE removed_at IS NOT NULL AND blob_key LIKE 'original/%'";
    assert!(app.count(removed).await >= 3);
    let generations = "SELECT COALESCE(max(generation), 0)::int8 FROM blob_retired";
    assert!(app.count(generations).await > 1);
}

/// The same while others are at work: what a row refers to at two moments was there between them.
async fn assert_nothing_is_missing_now(app: &TestApp, blobs: &BlobStore) {
    let before = texts(app.sql(), KEYS).await;
    let mut missing = BTreeSet::new();
    for key in &before {
        let key: BlobKey = key.parse().unwrap();
        if !blobs.exists(&key).await.unwrap() {
            missing.insert(key.as_str().to_owned());
        }
    }
    let after = texts(app.sql(), KEYS).await;
    let missing: Vec<_> = missing.intersection(&after).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn renditions_beside_clearing_up_are_there_in_the_end() {
    let app = eager().start().await;
    let blobs = app.config().blob.open().unwrap();
    let context = worker::service::context(&app.config()).unwrap();
    let (manager, item, image) = pictured(&app).await;
    let worker = app.worker();
    let moving = async {
        for round in 0..12 {
            // The same few squares come and go.
            let input = json!({"itemId": item, "imageId": image, "x": (round % 3) * 50, "y": 50});
            manager.done("itemImageFocus", input).await;
            app.until_done(PATIENCE * 6).await;
            clear_here(&context).await;
            a_week_passes(&app).await;
        }
    };
    let clearing = async {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            clear_here(&context).await;
            a_week_passes(&app).await;
        }
    };
    tokio::select! {
        () = moving => {}
        () = clearing => unreachable!("it goes on until the focus rests"),
    }
    worker.stop().await;
    assert_nothing_is_missing(&app, &blobs).await;
    assert_eq!(
        app.count("SELECT count(*) FROM item_image WHERE state = 'ready' AND focus_x = 100")
            .await,
        1
    );
    assert!(
        app.count("SELECT max(generation)::int8 FROM blob_retired")
            .await
            > 1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_over_and_over_finds_and_removes_each_file_once() {
    const FILES: u32 = 6_000;
    let app = eager()
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 3)
        .start()
        .await;
    let owner = app.owner().await;
    let blobs = app.config().blob.open().unwrap();
    let (_manager, ..) = pictured(&app).await;
    for number in 0..FILES {
        let key = BlobKey::original(&Fingerprint::of_bytes(&number.to_be_bytes()));
        let path = app.media().join(key.as_str());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "12345").unwrap();
    }
    let found = "SELECT COALESCE(sum(found_count), 0)::int8 FROM retention_result";
    let retired = "SELECT count(*) FROM blob_retired";
    let run = killed_until_done(&app, &owner, retired).await;
    assert_eq!(app.count(found).await, i64::from(FILES));
    assert_eq!(app.count(retired).await, i64::from(FILES));
    assert_eq!(counts(&run, "UNREFERENCED_FILES"), (0, 0, 0));
    a_week_passes(&app).await;
    let removed = "SELECT count(*) FROM blob_retired WHERE removed_at IS NOT NULL";
    let run = killed_until_done(&app, &owner, removed).await;
    let all = i64::from(FILES);
    assert_eq!(counts(&run, "UNREFERENCED_FILES"), (all, all, 5 * all));
    assert_eq!(app.count("SELECT count(*) FROM retention_file").await, 0);
    assert_eq!(crate::uploads::stored(&app, "original").len(), 1);
    assert_nothing_is_missing(&app, &blobs).await;
}

/// Workers are killed as soon as they have got somewhere, four times, and then one is left alone.
async fn killed_until_done(app: &TestApp, owner: &Actor, done: &'static str) -> Value {
    let id = ask(owner, false).await;
    for _ in 0..4 {
        let before = app.count(done).await;
        let mut program = app.worker_process().await;
        until(
            Duration::from_secs(90),
            "it has got somewhere",
            async || {
                app.count(done).await > before
                    || app
                        .count("SELECT count(*) FROM retention_run WHERE finished_at IS NULL")
                        .await
                        == 0
            },
        )
        .await;
        let moment = Duration::from_millis(rand::rng().random_range(0..40));
        tokio::time::sleep(moment).await;
        program.kill();
        app.age_handovers().await;
    }
    let worker = app.worker();
    let run = finished(owner, &id).await;
    worker.stop().await;
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_it_is_sound() {
    let app = eager().start().await;
    let context = worker::service::context(&app.config()).unwrap();
    let (manager, item, _) = pictured(&app).await;
    for shade in 2..30 {
        let image = manager.picture(&item, small(shade)).await["image"]["id"].take();
        remove(&manager, &item, image.as_str().unwrap()).await;
    }
    clear_here(&context).await;
    a_week_passes(&app).await;
    let long = Duration::from_secs(180);
    let mut variables = app.variables().clone();
    let owner = database::as_owner(&app.database_url());
    variables.insert("DATABASE_OWNER_URL".to_owned(), owner);
    let backup = run("worker", &["backup", "--json"], &variables, "", long);
    let clearing = async {
        for _ in 0..5 {
            clear_here(&context).await;
        }
    };
    let (backup, ()) = tokio::join!(backup, clearing);
    assert!(backup.status.success(), "{backup:?}");
    let verified = run("worker", &["verify"], &variables, "", long).await;
    assert!(verified.status.success(), "{verified:?}");
}
