//! How many SQL statements templates and their variants cost: as many as few of them.

use serde_json::json;
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy};

use super::{GENERATE, Shop};

async fn watched() -> (TestDatabase, PostgresProxy, Shop) {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    (database, proxy, Shop::of(app).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_costs_the_same_however_many_templates_it_has() {
    let (_database, proxy, shop) = watched().await;
    for number in 0..12 {
        let id = shop.template(&format!("RING-{number}")).await;
        shop.generate(&id, json!({})).await;
    }
    let variants = "variants(first: 3) { edges { cursor node { sku unit { code } category { id } variantOptions { text } template { sku } } } pageInfo { hasNextPage } }";
    for (what, most) in [
        ("isTemplate template { sku name }".to_owned(), 3),
        ("variantCount".to_owned(), 3),
        ("options { attributeName values { label } }".to_owned(), 4),
        ("variantOptions { text attribute { name } }".to_owned(), 3),
        (variants.to_owned(), 9),
        (
            format!(
                "variantCount options {{ attributeName }} template {{ options {{ attributeName }} }} {variants}"
            ),
            12,
        ),
    ] {
        let mut costs = Vec::new();
        for (first, list) in [
            (2, "groupBy: TEMPLATE"),
            (12, "groupBy: TEMPLATE"),
            (12, "where: {template: {isNull: false}}"),
        ] {
            let query = format!("{{ items({list}, first: {first}) {{ nodes {{ {what} }} }} }}");
            shop.manager.ok(&query, json!({})).await;
            let executed = proxy
                .during(async || shop.manager.ok(&query, json!({})).await)
                .await;
            assert!(
                (1..=most).contains(&executed.len()),
                "{query} took {}: {executed:#?}",
                executed.len()
            );
            costs.push(executed.len());
        }
        assert_eq!(costs[0], costs[1], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_are_created_by_as_many_statements_as_few() {
    let (_database, proxy, shop) = watched().await;
    let mut costs = Vec::new();
    for count in [2, 500] {
        let id = shop.ring(&format!("RING-{count}"), json!({})).await;
        let values: Vec<_> = (0..count).map(|number| number.to_string()).collect();
        let options = json!([{"attribute": "karat", "values": values[..count.min(100)]}, {"attribute": "colour", "values": &values[..(count / 100).max(1)]}]);
        let options = json!({"id": id, "options": options});
        shop.manager.done("itemOptionsSet", options).await;
        shop.manager
            .done(
                "itemUpdate",
                json!({"id": id, "attributes": {"size": "50"}}),
            )
            .await;
        let input = json!({"input": {"templateId": id}});
        let executed = proxy
            .during(async || shop.manager.ok(GENERATE, input).await)
            .await;
        costs.push(executed.len());
        assert!((5..40).contains(&executed.len()), "{executed:#?}");
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!(shop.item("RING-500").await["variantCount"], 500);
}
