//! The harness itself: a test is worth as much as what it stands on.

use std::time::Duration;

use serde_json::json;
use tests::{
    app::TestApp,
    database,
    postgres::PostgresServer,
    proxy::PostgresProxy,
    redis::RedisServer,
    shop::CATEGORY_CREATE,
    subscription::Received,
    wait::{PATIENCE, until},
};

const TREE: &str = "subscription($after: EventPosition) { categoryTreeChanged(after: $after) { action category { name } } }";

#[tokio::test(flavor = "multi_thread")]
async fn two_tests_never_meet() {
    let (one, other) = (TestApp::start().await, TestApp::start().await);
    one.manager().await.category("Rings", None).await;
    let clerk = other.clerk().await;
    let tree = clerk.ok("{ categoryTree { name } }", json!({})).await;
    assert_eq!(tree["categoryTree"], json!([]));
    assert_ne!(one.redis().prefix(), other.redis().prefix());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_gone_with_its_test() {
    let app = TestApp::start().await;
    let name = app.database_url().rsplit('/').next().unwrap().to_owned();
    let exists = async || {
        let pool = database::pool(&database::owner_url());
        let sql = "SELECT count(*) FROM pg_database WHERE datname = $1";
        let count: i64 = sea_orm::sqlx::query_scalar(sql)
            .bind(&name)
            .fetch_one(&pool)
            .await
            .unwrap();
        count == 1
    };
    assert!(exists().await);
    drop(app);
    assert!(!exists().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_of_two_servers_see_the_same() {
    let app = TestApp::start().await;
    let other = app.another_server().await;
    let manager = app.manager().await;
    let after = json!({"after": app.position().await});
    let mut here = manager.subscribe(TREE, after.clone()).await;
    let mut there = manager.at(&other.url).subscribe(TREE, after).await;
    manager.category("Rings", None).await;
    let expected = json!({"categoryTreeChanged": {"action": "category.create", "category": {"name": "Rings"}}});
    assert_eq!(here.next().await, expected);
    assert_eq!(there.next().await, expected);
    let position = app.position().await;
    let mut late = manager.subscribe(TREE, json!({"after": position})).await;
    assert_eq!(late.receive_within(Duration::from_millis(200)).await, None);
    let refused = app
        .anonymous()
        .subscribe(TREE, json!({}))
        .await
        .receive()
        .await;
    let Received::Next(result) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(result["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_run_as_processes() {
    let app = TestApp::start().await;
    let (mut api, url) = app.api_process().await;
    let manager = app.manager().await.at(&url);
    let rings = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &rings).await;
    let _worker = app.worker_process().await;
    let code = "query($id: ID!) { item(by: {id: $id}) { qrCode { svgUrl } } }";
    until(PATIENCE, "the QR code is drawn", async || {
        !manager.ok(code, json!({"id": item})).await["item"]["qrCode"].is_null()
    })
    .await;
    api.kill();
    assert!(
        manager
            .try_gql("{ categoryTree { id } }", json!({}))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_inside_the_test_works_until_it_is_stopped() {
    let app = TestApp::start().await;
    let worker = app.worker();
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    until(PATIENCE, "the QR code is drawn", async || {
        let data = manager
            .ok(
                "query($id: ID!) { item(by: {id: $id}) { qrCode { pngUrl } } }",
                json!({"id": item}),
            )
            .await;
        !data["item"]["qrCode"].is_null()
    })
    .await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_sees_statements_and_cuts_connections() {
    let database = database::TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder().database_url(proxy.url()).start().await;
    let manager = app.manager().await;
    proxy.take();
    manager.ok("mutation($input: CategoryCreateInput!) { categoryCreate(input: $input) { userErrors { code } } }",
        json!({"input": {"name": [{"language": "en", "text": "Rings"}]}})).await;
    let statements = proxy.take();
    assert!(
        statements
            .iter()
            .any(|sql| sql.contains("INSERT INTO") && sql.contains("category")),
        "{statements:#?}"
    );
    assert!(
        statements.iter().any(|sql| sql == "COMMIT"),
        "{statements:#?}"
    );
    proxy.cut();
    let refused = manager
        .gql(
            CATEGORY_CREATE,
            json!({"input": {"name": [{"language": "en", "text": "Cut"}]}}),
        )
        .await;
    assert_eq!(refused.codes(), ["SERVICE_UNAVAILABLE"]);
    proxy.mend();
    until(
        PATIENCE,
        "the server finds its database again",
        async || {
            manager
                .gql("{ categoryTree { name } }", json!({}))
                .await
                .errors
                .is_empty()
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_our_own_can_be_stopped_and_started() {
    let mut postgres = PostgresServer::start().await;
    let redis = RedisServer::start().await;
    let app = TestApp::builder()
        .database_url(postgres.url())
        .redis_url(redis.url())
        .start()
        .await;
    let manager = app.manager().await;
    manager.category("Rings", None).await;
    postgres.stop();
    assert_eq!(
        manager
            .gql("{ categoryTree { name } }", json!({}))
            .await
            .codes(),
        ["SERVICE_UNAVAILABLE"]
    );
    postgres.resume().await;
    until(
        PATIENCE,
        "the server finds its database again",
        async || {
            manager
                .gql("{ categoryTree { name } }", json!({}))
                .await
                .data
                == json!({"categoryTree": [{"name": "Rings"}]})
        },
    )
    .await;
}
