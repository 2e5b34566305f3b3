//! How many SQL statements many rows cost: as many as few.

use serde_json::json;
use tests::{
    app::TestApp,
    database::TestDatabase,
    proxy::PostgresProxy,
    wait::{PATIENCE, until},
};

use super::{Shop, counts, rings, row};

/// A shop whose every statement is written down.
async fn watched() -> (TestDatabase, PostgresProxy, Shop) {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let shop = Shop::of(app).await;
    (database, proxy, shop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_of_many_costs_what_one_of_few_costs() {
    let (_database, proxy, shop) = watched().await;
    let unit = shop.manager.unit("piece").await;
    shop.declare("huid", "TEXT", json!({"unique": true})).await;
    shop.declare("set_of", "REFERENCE", json!({"refersTo": "ITEM"}))
        .await;
    shop.manager
        .done(
            "itemsCreate",
            json!({"rows": [row(&shop, &unit, "SET", json!({}))]}),
        )
        .await;
    let mut costs = Vec::new();
    for (name, count) in [("FEW", 2), ("MANY", 500)] {
        let rows: Vec<_> = (0..count)
            .map(|n| {
                row(
                    &shop,
                    &unit,
                    &format!("{name}-{n}"),
                    json!({"barcodes": [format!("{name}{n}")],
                        "attributes": {"huid": format!("{name}{n}"), "set_of": "SET"}}),
                )
            })
            .collect();
        let mut ids = Vec::new();
        let created = proxy
            .during(async || {
                let done = shop
                    .manager
                    .done("itemsCreate", json!({"rows": rows}))
                    .await;
                ids = done["rows"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["itemId"].clone())
                    .collect();
            })
            .await;
        let rows: Vec<_> = ids
            .iter()
            .map(|id| json!({"id": id, "tags": ["x"], "barcodes": [], "attributes": {"set_of": "SET"}}))
            .collect();
        let updated = proxy
            .during(async || {
                shop.manager
                    .done("itemsUpdate", json!({"rows": rows}))
                    .await
            })
            .await;
        let rows: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        let archived = proxy
            .during(async || {
                shop.manager
                    .done("itemsArchive", json!({"rows": rows}))
                    .await
            })
            .await;
        costs.push([created.len(), updated.len(), archived.len()]);
        assert!(
            costs.iter().flatten().all(|cost| (3..25).contains(cost)),
            "{created:#?}"
        );
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_costs_the_same_however_many_rows_it_has() {
    let (_database, proxy, shop) = watched().await;
    let _worker = shop.app.worker();
    let mut costs = Vec::new();
    for file in [
        rings(1..4),
        rings(10..1000),
        rings(10..1000).replace("Ring ", "Band "),
    ] {
        proxy.take();
        let import = shop.import(file, json!({})).await;
        assert_eq!(counts(&import)[4], 0, "{import}");
        let mut written = Vec::new();
        until(PATIENCE, "the chunk is written down", async || {
            written.extend(proxy.take());
            written
                .iter()
                .any(|sql| sql.contains("UPDATE item_import SET next_row"))
        })
        .await;
        let of_items = |sql: &&String| {
            [
                "INTO item",
                "UPDATE item",
                "FROM item",
                "INTO audit",
                "FROM category",
                "FROM item_barcode",
            ]
            .iter()
            .any(|text| sql.contains(text))
                && !sql.contains("FROM \"item_import\"")
        };
        let count = written.iter().filter(of_items).count();
        costs.push(count);
    }
    assert!(costs.iter().all(|cost| *cost < 15), "{costs:?}");
    assert!(
        costs[1] <= costs[0] + 1 && costs[2] <= costs[0] + 2,
        "{costs:?}"
    );
}
