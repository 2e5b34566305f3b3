//! How many SQL statements a query costs: as many as it has levels, however many rows it finds.

use serde_json::{Value, json};
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy, shop::english};

use super::Shop;

/// 25 items in three categories, every other one with a picture.
async fn furnished(proxy: &PostgresProxy) -> (Shop, Value) {
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let shop = Shop::of(app).await;
    let others = [
        shop.manager.category("Tools", None).await,
        shop.manager.category("Gifts", None).await,
    ];
    let weight = json!({
        "categoryId": shop.category, "name": "weight", "label": english("Weight"), "type": "DECIMAL",
        "unitId": shop.manager.unit("tola").await, "default": "2",
    });
    let _declared = shop.manager.done("attributeCreate", weight).await;
    let mut last = Value::Null;
    for number in 0..25_u8 {
        let category = others
            .get(usize::from(number % 3))
            .unwrap_or(&shop.category);
        let item = shop
            .create(
                &format!("I-{number}"),
                json!({"categoryId": category, "barcodes": [format!("B-{number}")]}),
            )
            .await;
        if number % 2 == 0 {
            let picture = tests::picture::small(number);
            let _item = shop
                .manager
                .upload_picture(item["id"].as_str().unwrap(), "ring.jpg", picture)
                .await
                .ok();
        }
        last = item["id"].clone();
    }
    (shop, last)
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_cost_a_statement_a_level() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let (shop, id) = furnished(&proxy).await;
    let variables = json!({"id": id});
    for (query, most) in [
        ("query($id: ID!) { item(by: {id: $id}) { sku name } }", 1),
        (
            "query($id: ID!) { item(by: {id: $id}) { sku category { name } primaryImage { id state } } }",
            2,
        ),
        (
            "query($id: ID!) { item(by: {id: $id}) { sku category { name } unit { name } barcodes images { id } } }",
            5,
        ),
        (
            "{ items(first: 20) { edges { cursor node { sku category { name } primaryImage { id state } } } pageInfo { endCursor } } }",
            2,
        ),
        (
            "{ items(first: 20) { nodes { sku category { name } primaryImage { id state } } } }",
            2,
        ),
        (
            "{ items(first: 20) { nodes { sku category { name parent { name } } unit { name } } } }",
            4,
        ),
        (
            "{ items(first: 20) { nodes { sku barcodes images { id } } } }",
            3,
        ),
        (
            "{ items(first: 20) { nodes { sku attributes attributeValues { text attribute { label unit { code } } } } } }",
            3,
        ),
        (
            "{ items(first: 20) { totalCount { count } nodes { sku } } }",
            2,
        ),
        (
            "query($id: ID!) { nodes(ids: [$id, $id]) { id ... on Item { category { name } } } }",
            2,
        ),
    ] {
        // The first time, the credential is checked.
        shop.manager.ok(query, variables.clone()).await;
        let executed = proxy
            .during(async || shop.manager.ok(query, variables.clone()).await)
            .await;
        assert!(
            (1..=most).contains(&executed.len()),
            "{query} took {}: {executed:#?}",
            executed.len()
        );
    }
}
