//! Everything behind a real PgBouncer that gives each connection away after a transaction, with far fewer connections than there are askers.

use futures_util::future::join_all;
use serde_json::json;
use tests::{
    actor::Actor,
    app::TestApp,
    database::{TestDatabase, server_url},
    pgbouncer::PgBouncer,
    wait::PATIENCE,
};

use crate::events::{items_after, position, positions};

/// So many connections has PgBouncer, and so many write and read at a time.
const CONNECTIONS: u32 = 3;
const PEOPLE: usize = 16;
const ITEMS_EACH: usize = 4;

const READ: &str = "query($sku: String!) {
    item(by: {sku: $sku}) { sku category { name } }
    items(search: $sku, first: 5) { nodes { sku unit { code } } }
    unitsOfMeasure { code }
}";

/// An app behind PgBouncer, on a database of its own.
async fn pooled(database: &TestDatabase, bouncer: &PgBouncer) -> TestApp {
    let builder = TestApp::builder()
        .database_url(database.url())
        .set("DATABASE_URL", bouncer.url(database.name()))
        .set("DATABASE_DIRECT_URL", database.url())
        .set("GOLDSHOP_DATABASE__TRANSACTION_POOLING", true)
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 16)
        .set("GOLDSHOP_DATABASE__ACQUIRE_TIMEOUT_SECONDS", 30)
        .with_worker();
    builder.start().await
}

/// Creates items and reads each of them again.
async fn work(actor: Actor, category: String, person: usize) {
    for number in 0..ITEMS_EACH {
        let sku = format!("P{person:02}N{number}");
        actor.item(&sku, &category).await;
        let data = actor.ok(READ, json!({"sku": sku})).await;
        assert_eq!(data["item"]["sku"], sku.as_str(), "{data}");
        let found = data["items"]["nodes"].as_array().unwrap();
        assert!(
            found.iter().any(|item| item["sku"] == sku.as_str()),
            "{data}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_listeners_and_workers_get_on_with_fewer_connections_than_they_are() {
    let database = TestDatabase::create();
    let bouncer = PgBouncer::start(&server_url(), CONNECTIONS).await;
    let app = pooled(&database, &bouncer).await;
    let other = app.another_server().await;
    let here = app.manager().await;
    let category = here.category("Rings", None).await;
    let start = app.position().await.parse().unwrap();
    let mut listener = items_after(&here, start).await;
    let people = (0..PEOPLE).map(|person| {
        let server = [app.url(), other.url.as_str()][person % 2];
        tokio::spawn(work(here.at(server), category.clone(), person))
    });
    for done in join_all(people.collect::<Vec<_>>()).await {
        done.unwrap();
    }
    app.until_done(PATIENCE).await;

    let drawn = app.events_of("item.code_rendered").await;
    assert_eq!(drawn.len(), PEOPLE * ITEMS_EACH);
    let all = positions(&app, "item.changed").await;
    let mut heard = Vec::new();
    while heard.len() < all.len() {
        heard.push(position(&listener.next().await));
    }
    assert_eq!(heard, all);
    // Those who listen have connections of their own, to PostgreSQL itself.
    let through = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename <> current_user
                   AND backend_type = 'client backend' AND query NOT LIKE 'LISTEN %'";
    let through = app.count(through).await;
    assert!((1..=i64::from(CONNECTIONS)).contains(&through), "{through}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_all_items_is_written_over_one_cursor_behind_the_pooler() {
    let database = TestDatabase::create();
    let bouncer = PgBouncer::start(&server_url(), CONNECTIONS).await;
    let app = pooled(&database, &bouncer).await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for number in 0..3 {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    manager
        .done("itemExportCreate", json!({"format": "CSV"}))
        .await;
    app.until_done(PATIENCE).await;
    let exported = "SELECT count(*) FROM job_file";
    assert_eq!(app.count(exported).await, 1);
}
