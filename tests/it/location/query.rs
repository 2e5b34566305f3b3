//! How locations are found, and what that costs.

use serde_json::{Value, json};
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy, shop::english};

#[tokio::test(flavor = "multi_thread")]
async fn a_location_is_found_by_what_is_written_on_it_and_listed_by_where_it_is() {
    let app = TestApp::start().await;
    let (manager, clerk) = (app.manager().await, app.clerk().await);
    let shop = manager.location("SHOP", "SHOP", None).await;
    let case = manager.location("CASE", "SHOWCASE", Some(&shop)).await;
    for code in ["TRAY-1", "TRAY-2", "TRAY-3"] {
        manager.location(code, "TRAY", Some(&case)).await;
    }
    let query = "query($by: LocationBy!) { location(by: $by) { code depth parent { code } ancestors { code } children(first: 2) {
        nodes { code } pageInfo { hasNextPage endCursor } } } }";
    let found = clerk.ok(query, json!({"by": {"code": "case"}})).await["location"].take();
    assert_eq!(
        (&found["code"], &found["depth"]),
        (&json!("CASE"), &json!(1))
    );
    assert_eq!(found["ancestors"], json!([{"code": "SHOP"}]));
    assert_eq!(
        found["children"]["nodes"],
        json!([{"code": "TRAY-1"}, {"code": "TRAY-2"}])
    );
    assert_eq!(found["children"]["pageInfo"]["hasNextPage"], json!(true));
    let missing = clerk.ok(query, json!({"by": {"code": "nowhere"}})).await;
    assert_eq!(missing["location"], Value::Null);
    let list =
        "query($where: LocationWhere) { locations(where: $where, first: 100) { nodes { code } } }";
    for (filter, codes) in [
        (
            json!({"descendantOf": shop}),
            vec!["CASE", "TRAY-1", "TRAY-2", "TRAY-3"],
        ),
        (json!({"parentId": shop}), vec!["CASE"]),
        (
            json!({"code": {"startsWith": "TRAY"}, "kind": {"in": ["TRAY"]}}),
            vec!["TRAY-1", "TRAY-2", "TRAY-3"],
        ),
    ] {
        let data = clerk.ok(list, json!({"where": filter})).await;
        let nodes = data["locations"]["nodes"].as_array().unwrap().iter();
        let found: Vec<_> = nodes.map(|node| node["code"].as_str().unwrap()).collect();
        assert_eq!(found, codes, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_relatives_costs_a_statement_a_level() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let manager = app.manager().await;
    let rings = manager.category("Rings", None).await;
    let shop = manager.location("SHOP", "SHOP", None).await;
    for number in 0..30 {
        let input = json!({"code": format!("T{number}"), "name": english("Tray"), "kind": "TRAY", "parentId": shop, "categoryIds": [rings]});
        manager.done("locationCreate", input).await;
    }
    let query = "{ locations(first: 40) { nodes { code parent { code } ancestors { code } categories { name } children(first: 3) { nodes { code } } } } }";
    manager.ok(query, json!({})).await;
    let mut data = Value::Null;
    let executed = proxy
        .during(async || data = manager.ok(query, json!({})).await)
        .await;
    assert_eq!(data["locations"]["nodes"].as_array().unwrap().len(), 37);
    assert!(executed.len() <= 5, "{executed:#?}");
}
