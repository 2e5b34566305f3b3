//! The audit trail: every change leaves a row, and no row ever changes.

use sea_orm::sqlx::{self, types::Uuid};
use serde_json::{Value, json};
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy, shop::english};

#[derive(Debug)]
struct Row {
    actor_kind: String,
    actor_id: Option<Uuid>,
    actor_name: String,
    request_id: Option<String>,
    action: String,
    before: Option<Value>,
    after: Option<Value>,
}

type Columns = (
    String,
    Option<Uuid>,
    String,
    Option<String>,
    String,
    Option<Value>,
    Option<Value>,
);

/// All rows about a category or item, oldest first.
async fn trail(app: &TestApp, aggregate: &str) -> Vec<Row> {
    let sql = "SELECT actor_kind, actor_id, actor_name, request_id, action, before, after
               FROM audit WHERE aggregate_type = $1 ORDER BY number";
    let rows: Vec<Columns> = sqlx::query_as(sql)
        .bind(aggregate)
        .fetch_all(app.sql())
        .await
        .unwrap();
    let row = |(actor_kind, actor_id, actor_name, request_id, action, before, after)| Row {
        actor_kind,
        actor_id,
        actor_name,
        request_id,
        action,
        before,
        after,
    };
    rows.into_iter().map(row).collect()
}

/// How many audit rows, events and jobs there are.
async fn traces(app: &TestApp) -> (i64, i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM event), (SELECT count(*) FROM job)";
    sqlx::query_as(sql).fetch_one(app.sql()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_leaves_a_row_that_says_who_did_what_for_which_request() {
    let app = TestApp::start().await;
    let user = app.user("manager").await;
    let manager = app.manager().await;
    let rings = manager
        .with_header("x-request-id", "request-1")
        .category("Rings", None)
        .await;
    let change = json!({"id": rings, "name": english("Bands")});
    manager
        .with_header("x-request-id", "request-2")
        .done("categoryUpdate", change)
        .await;
    let rows = trail(&app, "category").await;
    let actions: Vec<_> = rows
        .iter()
        .map(|row| (row.action.as_str(), row.request_id.as_deref()))
        .collect();
    assert_eq!(
        actions,
        [
            ("category.create", Some("request-1")),
            ("category.update", Some("request-2"))
        ]
    );
    for row in &rows {
        assert_eq!(
            (
                row.actor_kind.as_str(),
                row.actor_id,
                row.actor_name.as_str()
            ),
            ("user", Some(user.id.0), "Test manager")
        );
    }
    assert!(rows[0].before.is_none());
    assert_eq!(rows[1].before, rows[0].after);
    assert_eq!(
        rows[1].after.as_ref().unwrap()["name"],
        json!({"en": "Bands"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_of_the_catalogue_leaves_its_own_row() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    let tools = manager.category("Tools", None).await;
    let item = manager.item("RING-1", &rings).await;
    let picture = manager.picture(&item, tests::picture::small(1)).await["image"]["id"].take();
    for (mutation, input, aggregate, action) in [
        (
            "categoryMove",
            json!({"id": tools, "parentId": rings}),
            "category",
            "category.move",
        ),
        (
            "categoryReorder",
            json!({"order": [rings]}),
            "category",
            "category.reorder",
        ),
        (
            "categoryArchive",
            json!({"id": tools}),
            "category",
            "category.archive",
        ),
        (
            "categoryRestore",
            json!({"id": tools}),
            "category",
            "category.restore",
        ),
        (
            "itemUpdate",
            json!({"id": item, "tags": ["a"]}),
            "item",
            "item.update",
        ),
        (
            "itemImageReorder",
            json!({"itemId": item, "order": [picture]}),
            "item",
            "item.reorder_images",
        ),
        (
            "itemImageFocus",
            json!({"itemId": item, "imageId": picture, "x": 30, "y": 70}),
            "item",
            "item.focus_image",
        ),
        (
            "itemImageRemove",
            json!({"itemId": item, "imageId": picture}),
            "item",
            "item.remove_image",
        ),
        ("itemArchive", json!({"id": item}), "item", "item.archive"),
        ("itemRestore", json!({"id": item}), "item", "item.restore"),
        (
            "tagRename",
            json!({"from": "a", "to": "b"}),
            "item",
            "item.rename_tag",
        ),
        (
            "unitOfMeasureUpdate",
            json!({"id": manager.unit("pack").await, "name": english("packet")}),
            "unit_of_measure",
            "unit_of_measure.update",
        ),
    ] {
        let before = trail(&app, aggregate).await.len();
        manager.done(mutation, input).await;
        let rows = trail(&app, aggregate).await;
        let new: Vec<_> = rows[before..]
            .iter()
            .map(|row| row.action.as_str())
            .collect();
        assert_eq!(new, [action], "{mutation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_leave_rows_without_their_passwords() {
    let app = TestApp::start().await;
    app.owner().await;
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT action, concat(before::text, after::text) FROM audit WHERE aggregate_type = 'user'",
    )
    .fetch_all(app.sql())
    .await
    .unwrap();
    assert_eq!(rows[0].0, "user.create");
    for (_, texts) in rows {
        assert!(
            !texts.contains("argon2") && !texts.contains(tests::app::PASSWORD),
            "{texts}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_is_ever_changed_or_removed() {
    let app = TestApp::start().await;
    app.manager().await.category("Rings", None).await;
    let before = traces(&app).await;
    for sql in [
        "UPDATE audit SET actor_name = 'somebody else'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM audit WHERE false",
    ] {
        let refused = sqlx::query(sql).execute(app.sql()).await.unwrap_err();
        let constraint = refused
            .as_database_error()
            .and_then(|error| error.constraint());
        assert_eq!(constraint, Some("audit_append_only"), "{sql}: {refused}");
    }
    assert_eq!(traces(&app).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_mutation_leaves_no_row_no_event_and_no_job() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    let unit = manager.unit("piece").await;
    manager.item("RING-1", &rings).await;
    let before = traces(&app).await;
    for (mutation, input) in [
        ("categoryMove", json!({"id": rings, "parentId": rings})),
        ("categoryArchive", json!({"id": rings})),
        (
            "categoryUpdate",
            json!({"id": rings, "name": english("Bands"), "expectedVersion": 9}),
        ),
        (
            "itemCreate",
            json!({"sku": "RING-1", "name": english("Ring"), "categoryId": rings, "unitId": unit}),
        ),
    ] {
        manager.not_done(mutation, input).await;
        assert_eq!(traces(&app).await, before, "{mutation}");
    }
}

/// Each statement of a creation fails in turn, as if the database had gone away just then.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_breaks_off_anywhere_leaves_nothing() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    let unit = manager.unit("piece").await;
    let before = traces(&app).await;
    for table in [
        "item",
        "item_barcode",
        "job",
        "event",
        "audit",
        "idempotency",
    ] {
        let sabotage = format!(
            "CREATE OR REPLACE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'sabotage'; END $$;
             CREATE TRIGGER sabotage AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION sabotage()"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sabotage))
            .execute(app.sql())
            .await
            .unwrap();
        let input = json!({"sku": "RING-1", "name": english("Ring"), "categoryId": rings, "unitId": unit, "barcodes": ["B-1"], "idempotencyKey": "key"});
        let answer = manager.change("itemCreate", input).await;
        assert_eq!(answer.codes(), ["INTERNAL"], "{table}");
        assert!(
            !answer.errors[0]["message"]
                .as_str()
                .unwrap()
                .contains("sabotage"),
            "what happens inside stays in the log"
        );
        let mend = format!("DROP TRIGGER sabotage ON {table}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(mend))
            .execute(app.sql())
            .await
            .unwrap();
        assert_eq!(traces(&app).await, before, "{table}");
        let left: i64 = sqlx::query_scalar("SELECT (SELECT count(*) FROM item) + (SELECT count(*) FROM item_barcode) + (SELECT count(*) FROM idempotency)")
            .fetch_one(app.sql())
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    let input = json!({"sku": "RING-1", "name": english("Ring"), "categoryId": rings, "unitId": unit, "barcodes": ["B-1"], "idempotencyKey": "key"});
    manager.done("itemCreate", input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_in_the_middle_leave_nothing_half_done() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let builder = TestApp::builder().database_url(proxy.url());
    let app = builder
        .set("GOLDSHOP_DATABASE__ACQUIRE_TIMEOUT_SECONDS", 1)
        .start()
        .await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    let unit = manager.unit("piece").await;
    // Past the proxy, so that looking is never cut.
    let direct = tests::database::pool(database.url());
    let input = |sku: String| json!({"sku": sku, "name": english("Ring"), "categoryId": rings, "unitId": unit, "barcodes": [sku], "idempotencyKey": sku});
    let statements = proxy
        .during(async || manager.done("itemCreate", input("WHOLE".into())).await)
        .await
        .len();
    let created = i64::try_from(statements).unwrap() + 1;
    for place in 1..=statements {
        proxy.cut_before(place);
        let input = input(format!("CUT-{place}"));
        let answer = manager.change("itemCreate", input.clone()).await;
        assert!(
            answer
                .codes()
                .iter()
                .all(|code| *code == "SERVICE_UNAVAILABLE"),
            "cut before statement {place}: {answer:?}"
        );
        proxy.mend();
        // Whether it was done or not: whoever asks again with the same key gets it done once.
        tests::wait::until(tests::wait::PATIENCE, "the item is there", async || {
            manager
                .change("itemCreate", input.clone())
                .await
                .errors
                .is_empty()
        })
        .await;
    }
    tests::wait::until(tests::wait::PATIENCE, "every broken transaction has ended", async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&direct).await.unwrap() == 0
    })
    .await;
    let sql = "SELECT (SELECT count(*) FROM item), (SELECT count(*) FROM job), (SELECT count(*) FROM event WHERE aggregate_type = 'item'),
                      (SELECT count(*) FROM audit WHERE aggregate_type = 'item')";
    let (items, jobs, events, rows): (i64, i64, i64, i64) =
        sqlx::query_as(sql).fetch_one(&direct).await.unwrap();
    assert_eq!(
        (items, jobs, events, rows),
        (created, created, created, created)
    );
}
