//! Listening live, and hearing afterwards what was missed: on one server and on several.

use serde_json::{Value, json};
use tests::{
    actor::Actor, app::TestApp, database::TestDatabase, proxy::PostgresProxy,
    subscription::Subscription, wait::PATIENCE,
};

use super::{ITEMS, JOBS, TREE, items_after, position, positions};

/// The next so many results.
async fn some(subscription: &mut Subscription, count: usize) -> Vec<Value> {
    let mut results = Vec::new();
    for _ in 0..count {
        results.push(subscription.next().await);
    }
    results
}

async fn rings(manager: &Actor, category: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        manager.item(&format!("RING-{number}"), category).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_without_a_position_hears_what_happens_from_now_on() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    manager.category("Before", None).await;
    let mut live = manager.subscribe(TREE, json!({})).await;
    // Nothing tells when the subscription has begun; the first that it hears is certainly not from before.
    let mut heard = None;
    for number in 0..1000 {
        manager.category(&format!("After {number}"), None).await;
        heard = live
            .receive_within(std::time::Duration::from_millis(50))
            .await;
        if heard.is_some() {
            break;
        }
    }
    let heard = format!("{:?}", heard.expect("something is heard"));
    assert!(
        heard.contains("After ") && !heard.contains("Before"),
        "{heard}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_comes_first_in_order_and_then_what_happens() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let mut before = items_after(&manager, app.position().await.parse().unwrap()).await;
    rings(&manager, &category, 0..3).await;
    let last = position(some(&mut before, 3).await.last().unwrap());
    drop(before);
    rings(&manager, &category, 3..8).await;
    let mut again = items_after(&manager, last).await;
    let missed = some(&mut again, 5).await;
    rings(&manager, &category, 8..10).await;
    let live = some(&mut again, 2).await;
    let skus: Vec<_> = missed
        .iter()
        .chain(&live)
        .map(|data| data["itemChanged"]["item"]["sku"].as_str().unwrap())
        .collect();
    assert_eq!(
        skus,
        [
            "RING-3", "RING-4", "RING-5", "RING-6", "RING-7", "RING-8", "RING-9"
        ]
    );
    let heard: Vec<_> = missed.iter().chain(&live).map(position).collect();
    assert_eq!(heard, positions(&app, "item.changed").await[3..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_at_one_server_hears_of_what_is_done_at_another() {
    let app = TestApp::start().await;
    let (_second, url) = app.api_process().await;
    let (manager, there) = (app.manager().await, app.manager().await.at(&url));
    let category = manager.category("Rings", None).await;
    let start = app.position().await.parse().unwrap();
    let mut listener = items_after(&there, start).await;
    manager.item("HERE-1", &category).await;
    let here = listener.next().await;
    assert_eq!(here["itemChanged"]["item"]["sku"], "HERE-1");
    drop(listener);
    // A position of one server is one of the other's too.
    there.item("THERE-1", &category).await;
    let mut listener = items_after(&manager, position(&here)).await;
    assert_eq!(
        listener.next().await["itemChanged"]["item"]["sku"],
        "THERE-1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_hear_only_of_what_they_asked_for() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let (rings, chains) = (
        manager.category("Rings", None).await,
        manager.category("Chains", None).await,
    );
    let after = app.position().await;
    let ring = manager.item("RING-1", &rings).await;
    let chain = manager.item("CHAIN-1", &chains).await;
    app.until_done(PATIENCE).await;
    let heard = async |document: &str, variables: Value, count: usize| {
        let mut listener = manager.subscribe(document, variables).await;
        let heard = some(&mut listener, count).await;
        let rest = listener
            .receive_within(std::time::Duration::from_millis(300))
            .await;
        assert_eq!(rest, None);
        heard
    };
    let of_ring = heard(ITEMS, json!({"after": after, "item": ring}), 2).await;
    assert!(
        of_ring
            .iter()
            .all(|data| data["itemChanged"]["item"]["id"] == ring.as_str())
    );
    let of_chains = heard(ITEMS, json!({"after": after, "category": chains}), 2).await;
    assert!(
        of_chains
            .iter()
            .all(|data| data["itemChanged"]["item"]["id"] == chain.as_str())
    );
    let job = app.job_about(&chain).await.global_id();
    let of_job = heard(JOBS, json!({"after": after, "job": job}), 2).await;
    assert!(
        of_job
            .iter()
            .all(|data| data["jobProgress"]["job"]["id"] == job.as_str())
    );
    heard(TREE, json!({"after": after}), 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_subscriptions_share_a_socket_and_each_ends_by_itself() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let mut request = format!("{}/api/graphql", app.url().replacen("http", "ws", 1))
        .into_client_request()
        .unwrap();
    request.headers_mut().insert(
        "sec-websocket-protocol",
        "graphql-transport-ws".parse().unwrap(),
    );
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    // Browsers cannot set headers here: the credential comes with the first message.
    let token = manager.headers()["authorization"].to_str().unwrap();
    let mut say = vec![json!({"type": "connection_init", "payload": {"Authorization": token}})];
    for id in ["one", "two"] {
        say.push(json!({"type": "subscribe", "id": id, "payload": {"query": TREE, "variables": {"after": "0"}}}));
    }
    say.push(json!({"type": "complete", "id": "one"}));
    say.push(json!({"type": "ping"}));
    for message in say {
        socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }
    let mut next = async |kind: &str| loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await;
        let Message::Text(text) = message.unwrap().unwrap().unwrap() else {
            continue;
        };
        let message: Value = serde_json::from_str(&text).unwrap();
        if message["type"] == kind {
            return message;
        }
    };
    // Messages are taken in their order, so the first subscription has ended by now.
    next("pong").await;
    manager.category("Rings", None).await;
    assert_eq!(next("next").await["id"], "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_leaves_a_category_is_heard_of_there() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let (old, new) = (
        manager.category("Old", None).await,
        manager.category("New", None).await,
    );
    let item = manager.item("RING", &old).await;
    let after = app.position().await;
    let listener = async |category: &str| {
        let query = "subscription($after: EventPosition, $category: ID) {
            itemChanged(after: $after, categoryId: $category) { action item { sku category { name } } }
        }";
        manager
            .subscribe(query, json!({"after": after, "category": category}))
            .await
    };
    let (mut left, mut entered) = (listener(&old).await, listener(&new).await);
    manager
        .done("itemUpdate", json!({"id": item, "categoryId": new}))
        .await;
    let expected =
        json!({"action": "item.update", "item": {"sku": "RING", "category": {"name": "New"}}});
    assert_eq!(left.next().await["itemChanged"], expected);
    assert_eq!(entered.next().await["itemChanged"], expected);
}

/// How many events of items behind this position come up to that of the last SKU.
async fn heard(manager: &Actor, after: &str, last: &str) -> usize {
    let query = "subscription($after: EventPosition) { itemChanged(after: $after) { item { sku category { name } } } }";
    let mut listener = manager.subscribe(query, json!({"after": after})).await;
    let mut count = 0;
    loop {
        count += 1;
        let event = listener.next().await["itemChanged"].take();
        assert_eq!(event["item"]["category"]["name"], "Rings");
        if event["item"]["sku"] == last {
            return count;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_read_together() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder().database_url(proxy.url()).start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let after = app.position().await;
    for number in 0..30 {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    let mut count = 0;
    let executed = proxy
        .during(async || count = heard(&manager, &after, "RING-29").await)
        .await;
    assert_eq!(count, 30);
    let of_rows = executed
        .iter()
        .filter(|sql| sql.contains("FROM item ") || sql.contains("FROM category "));
    assert!(of_rows.count() <= 4, "{executed:#?}");
}
