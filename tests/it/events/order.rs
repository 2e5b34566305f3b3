//! Nobody misses anything and nobody hears anything twice, however many write and however often one reconnects.

use std::time::Duration;

use sea_orm::sqlx;
use serde_json::json;
use tests::{actor::Actor, app::TestApp, work::uuid_of};

use super::{items_after, position, positions};

const WRITERS: usize = 16;
const ITEMS_EACH: usize = 15;
/// After so many events the listener goes away and comes back.
const ATTENTION: usize = 7;

/// Creates items, one after the other.
async fn write(actor: Actor, category: String, writer: usize) {
    for number in 0..ITEMS_EACH {
        actor
            .item(&format!("RING-{writer}-{number}"), &category)
            .await;
    }
}

/// Hears so many events, at changing servers, and returns their positions.
async fn listen(servers: &[Actor], start: i64, count: usize) -> Vec<i64> {
    let (mut heard, mut last) = (Vec::new(), start);
    for server in servers.iter().cycle() {
        let mut listener = items_after(server, last).await;
        for _ in 0..ATTENTION.min(count - heard.len()) {
            last = position(&listener.next().await);
            heard.push(last);
        }
        if heard.len() == count {
            break;
        }
    }
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_keeps_coming_back_hears_sixteen_writers_completely() {
    let app = TestApp::start().await;
    let other = app.another_server().await;
    let here = app.manager().await;
    let servers = [here.clone(), here.at(&other.url)];
    let category = here.category("Rings", None).await;
    let start = app.position().await.parse().unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let actor = servers[writer % servers.len()].clone();
        tokio::spawn(write(actor, category.clone(), writer))
    });
    let writers = futures_util::future::try_join_all(writers.collect::<Vec<_>>());
    let (heard, wrote) = tokio::join!(listen(&servers, start, WRITERS * ITEMS_EACH), writers);
    wrote.unwrap();
    assert!(heard.windows(2).all(|pair| pair[0] < pair[1]), "{heard:?}");
    assert_eq!(heard, positions(&app, "item.changed").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_early_and_committed_late_is_heard_by_those_who_heard_later_things() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let slow = manager.item("SLOW", &category).await;
    let mut listener = items_after(&manager, app.position().await.parse().unwrap()).await;

    let mut transaction = app.sql().begin().await.unwrap();
    let written = "INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, created_at)
        VALUES ('item.changed', 'item', $1, 2, '{\"action\": \"item.update\"}', now()) RETURNING number";
    let early: i64 = sqlx::query_scalar(written)
        .bind(uuid_of(&slow))
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    manager.item("QUICK", &category).await;
    let quick = listener.next().await;
    assert_eq!(quick["itemChanged"]["item"]["sku"], "QUICK");
    let sql = "SELECT number FROM event WHERE position = $1";
    let late: i64 = sqlx::query_scalar(sql)
        .bind(position(&quick))
        .fetch_one(app.sql())
        .await
        .unwrap();
    assert!(early < late, "it was written first");
    assert_eq!(
        listener.receive_within(Duration::from_millis(300)).await,
        None
    );

    transaction.commit().await.unwrap();
    let heard = listener.next().await;
    assert_eq!(heard["itemChanged"]["item"]["sku"], "SLOW");
    assert!(position(&heard) > position(&quick));
    // Who comes later hears the same in the same order.
    let mut later = items_after(&manager, position(&quick)).await;
    assert_eq!(later.next().await, heard);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolled_back_event_leaves_no_gap_to_wait_for() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let ring = manager.item("RING-1", &category).await;
    let mut listener = items_after(&manager, app.position().await.parse().unwrap()).await;
    let mut transaction = app.sql().begin().await.unwrap();
    let written = "INSERT INTO event (kind, aggregate_type, aggregate_id, aggregate_version, payload, created_at)
        VALUES ('item.changed', 'item', $1, 2, '{\"action\": \"item.update\"}', now())";
    sqlx::query(written)
        .bind(uuid_of(&ring))
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.rollback().await.unwrap();
    manager
        .done("itemUpdate", json!({"id": ring, "tags": ["gold"]}))
        .await;
    let heard = listener.next().await;
    assert_eq!(heard["itemChanged"]["action"], "item.update");
    assert_eq!(
        positions(&app, "item.changed").await.last(),
        Some(&position(&heard))
    );
}
