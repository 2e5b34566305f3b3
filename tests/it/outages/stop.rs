//! A server that is asked to stop: requests come to their end, listeners are told.

use serde_json::json;
use tests::{
    app::TestApp,
    process::run,
    subscription::Received,
    wait::{PATIENCE, until},
};

use crate::events::TREE;

/// What `api healthcheck` finds, which containers are judged by.
async fn is_ready(app: &TestApp, url: &str) -> bool {
    let mut variables = app.variables().clone();
    variables.insert(
        "GOLDSHOP_HTTP__ADDRESS".into(),
        url.trim_start_matches("http://").into(),
    );
    let ended = run("api", &["healthcheck"], &variables, "", PATIENCE).await;
    ended.status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_are_finished_and_listeners_told_to_go() {
    let app = TestApp::start().await;
    let (mut server, url) = app.api_process().await;
    assert!(is_ready(&app, &url).await);
    let manager = app.manager().await.at(&url);
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    let mut listener = manager.subscribe(TREE, json!({"after": "0"})).await;
    listener.next().await;
    let held = app.hold_items(&[&item]).await;
    let (busy, id) = (manager.clone(), item.clone());
    let request = tokio::spawn(async move {
        busy.done("itemUpdate", json!({"id": id, "tags": ["late"]}))
            .await
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(PATIENCE, "the request waits for the item", async || {
        app.count(waiting).await == 1
    })
    .await;

    server.signal("-TERM");
    assert_eq!(listener.receive().await, Received::Closed(Some(1001)));
    until(PATIENCE, "no new connection is taken", async || {
        tokio::net::TcpStream::connect(url.trim_start_matches("http://"))
            .await
            .is_err()
    })
    .await;
    // Whoever looks after containers hears the same, while there is still a request under way.
    assert!(!is_ready(&app, &url).await);
    assert!(!request.is_finished());
    drop(held);
    let updated = request.await.unwrap();
    assert_eq!(updated["item"]["tags"], json!(["late"]));
    let status = server.ended().await;
    assert!(status.success(), "{status}");
    // Somewhere else it goes on.
    assert_eq!(
        app.manager()
            .await
            .ok("{ categoryTree { name } }", json!({}))
            .await["categoryTree"][0]["name"],
        "Rings"
    );
}
