//! A listener that does not read: it is cut, costs no memory meanwhile, and misses nothing when it comes back.

use sea_orm::sqlx;
use serde_json::json;
use tests::{
    app::TestApp,
    subscription::{Received, Subscription},
    wait::{PATIENCE, until},
    work::uuid_of,
};

use super::{items_after, position, positions};

/// Each message is as large as the item's description; all of them are far more than sockets buffer.
const LARGE: &str = "subscription($after: EventPosition) { itemChanged(after: $after) { position item { description } } }";
const DESCRIPTION: i32 = 50_000;
const EVENTS: usize = 1500;
/// What a server may take more for a listener that does not read: a fraction of what it has to say.
const MEMORY: u64 = 40 << 20;

/// Everything that still comes, up to the end of the connection: the positions.
async fn rest(mut listener: Subscription) -> Vec<i64> {
    let mut heard = Vec::new();
    while let Received::Next(result) = listener.receive().await {
        heard.push(position(&result["data"]));
    }
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_does_not_read_is_cut_and_misses_nothing_by_coming_back() {
    let app = TestApp::builder().set("LOG_LEVEL", "debug").start().await;
    let (server, url) = app.api_process().await;
    let manager = app.manager().await.at(&url);
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    let long = "UPDATE item SET description = jsonb_build_object('en', repeat('x', $1))";
    sqlx::query(long)
        .bind(DESCRIPTION)
        .execute(app.sql())
        .await
        .unwrap();
    let start: i64 = app.position().await.parse().unwrap();
    let listener = manager
        .subscribe(LARGE, json!({"after": start.to_string()}))
        .await;
    let before = server.memory("VmRSS");

    app.happen(uuid_of(&item), EVENTS).await;
    let mut most = 0;
    until(
        PATIENCE * 2,
        "the server cuts a listener that does not read",
        async || {
            most = most.max(server.memory("VmRSS"));
            server.output().contains("a WebSocket ends")
        },
    )
    .await;
    assert!(most < before + MEMORY, "{} MB more", (most - before) >> 20);
    // Others are served as before.
    manager.ok("{ me { user { id } } }", json!({})).await;

    let mut heard = rest(listener).await;
    assert!(heard.len() < EVENTS, "it was cut before the end");
    let last = heard.last().copied().unwrap_or(start);
    let mut again = items_after(&manager, last).await;
    while heard.len() < EVENTS {
        heard.push(position(&again.next().await));
    }
    let all = positions(&app, "item.changed").await;
    assert_eq!(heard, all[all.len() - EVENTS..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_far_behind_the_live_events_catches_up() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    let start = app.position().await.parse().unwrap();
    let mut listener = items_after(&manager, start).await;
    app.happen(uuid_of(&item), 1500).await;
    manager
        .done("itemUpdate", json!({"id": item, "tags": ["last"]}))
        .await;
    let mut heard = Vec::new();
    for _ in 0..1501 {
        heard.push(position(&listener.next().await));
    }
    let all = positions(&app, "item.changed").await;
    assert_eq!(heard, all[all.len() - 1501..]);
}
