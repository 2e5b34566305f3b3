//! Cards, the past, what runs out and what lies about.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use domain::clock::{Clock, ManualClock, SystemClock};
use serde_json::{Value, json};
use tests::app::TestApp;

use super::{Shop, line, sold, text};

const CARD: &str = "query($item: ID!, $location: ID, $after: String, $until: DateTime) { \
    stockCard(itemId: $item, locationId: $location, first: 3, after: $after, until: $until) { \
    nodes { change balance movement { from { code } to { code } } } pageInfo { endCursor hasNextPage } } }";

/// A shop whose clock goes on by a minute between what happens.
struct Minutes {
    shop: Shop,
    clock: Arc<ManualClock>,
}

impl Minutes {
    async fn begin() -> Self {
        let clock = Arc::new(ManualClock::new(SystemClock.now() - TimeDelta::days(100)));
        let shop = Shop::of(TestApp::builder().clock(Arc::<ManualClock>::clone(&clock))).await;
        Self { shop, clock }
    }

    fn now(&self) -> chrono::DateTime<Utc> {
        self.clock.now()
    }

    async fn pass(&self, mutation: &str, input: Value) {
        self.clock.advance(TimeDelta::minutes(1));
        self.shop.manager.done(mutation, input).await;
    }

    /// Change and balance of all lines of a card, page by page.
    async fn card(&self, item: &str, location: Option<&str>) -> Vec<(String, String)> {
        let (mut after, mut lines) = (Value::Null, Vec::new());
        loop {
            let variables = json!({"item": item, "location": location, "after": after});
            let page = self.shop.manager.ok(CARD, variables).await["stockCard"].take();
            let nodes = page["nodes"].as_array().unwrap().iter();
            lines.extend(nodes.map(|line| (text(&line["change"]), text(&line["balance"]))));
            if page["pageInfo"]["hasNextPage"] == false {
                return lines;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

fn rows(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    let rows = rows.iter();
    rows.map(|(change, balance)| ((*change).to_owned(), (*balance).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_has_what_was_there_after_each_movement() {
    let minutes = Minutes::begin().await;
    let shop = &minutes.shop;
    let ring = shop.item("RING", "NONE").await;
    let bought = |quantity: i64| json!({"reason": "PURCHASED", "lines": [{"itemId": ring, "toId": shop.tray, "quantity": quantity}]});
    let mut moved = line(&ring, &shop.tray, 3);
    moved["toId"] = json!(shop.safe);
    let begun = minutes.now();
    minutes.pass("stockReceive", bought(10)).await;
    minutes
        .pass("stockIssue", sold(json!([line(&ring, &shop.tray, 2)])))
        .await;
    minutes.pass("stockMove", json!({"lines": [moved]})).await;
    let then = minutes.now();
    minutes
        .pass(
            "stockIssue",
            sold(json!([
                line(&ring, &shop.safe, 1),
                line(&ring, &shop.tray, 1)
            ])),
        )
        .await;
    minutes.pass("stockReceive", bought(5)).await;
    let tray = minutes.card(&ring, Some(&shop.tray)).await;
    assert_eq!(
        tray,
        rows(&[
            ("5", "9"),
            ("-1", "4"),
            ("-3", "5"),
            ("-2", "8"),
            ("10", "10")
        ])
    );
    // In the whole shop what was carried to the safe is still there.
    let all = minutes.card(&ring, None).await;
    assert_eq!(
        all,
        rows(&[
            ("5", "11"),
            ("-1", "6"),
            ("-1", "7"),
            ("-2", "8"),
            ("10", "10")
        ])
    );
    let until = json!({"item": ring, "location": shop.tray, "until": then});
    let earlier = shop.manager.ok(CARD, until).await["stockCard"]["nodes"].take();
    assert_eq!(earlier[0]["balance"], "8");
    let past =
        "query($at: DateTime) { stockLevels(asOf: $at) { nodes { onHand location { code } } } }";
    let at = async |at: chrono::DateTime<Utc>| {
        let levels = shop.manager.ok(past, json!({"at": at})).await["stockLevels"]["nodes"].take();
        let mut levels: Vec<_> = levels
            .as_array()
            .unwrap()
            .iter()
            .map(|level| (text(&level["location"]["code"]), text(&level["onHand"])))
            .collect();
        levels.sort();
        levels
    };
    assert_eq!(at(begun).await, []);
    assert_eq!(
        at(begun + TimeDelta::minutes(2)).await,
        rows(&[("TRAY", "8")])
    );
    assert_eq!(at(then).await, rows(&[("SAFE", "3"), ("TRAY", "5")]));
    assert_eq!(
        at(minutes.now()).await,
        rows(&[("SAFE", "2"), ("TRAY", "9")])
    );
    let both = "query($at: DateTime) { stockLevels(asOf: $at, where: {inStock: true}) { nodes { onHand } } }";
    assert_eq!(
        shop.manager.gql(both, json!({"at": then})).await.codes(),
        ["EXCLUSIVE"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_out_is_told_with_how_much_to_buy() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let chain = shop.item("CHAIN", "NONE").await;
    let kept = |item: &str, point: &str, maximum: Value| json!({"itemId": item, "reorderPoint": point, "maximum": maximum});
    shop.manager
        .done("itemStockingSet", kept(&ring, "4", json!("20")))
        .await;
    shop.manager
        .done("itemStockingSet", kept(&chain, "2", Value::Null))
        .await;
    let wrong = shop
        .manager
        .not_done("itemStockingSet", kept(&chain, "2", json!("2")))
        .await;
    assert_eq!(wrong, [("OUT_OF_RANGE".into(), "maximum".into())]);
    let query = "{ lowStock { nodes { item { sku } available suggested reorderPoint maximum } } }";
    let low = async || shop.manager.ok(query, json!({})).await["lowStock"]["nodes"].take();
    let chains = json!({"item": {"sku": "CHAIN"}, "available": "0", "suggested": "2", "reorderPoint": "2", "maximum": null});
    assert_eq!(low().await, json!([chains]));
    let heard = "subscription { lowStock { lowStock { item { sku } available } } }";
    let mut heard = shop.manager.subscribe(heard, json!({})).await;
    // What is held for somebody is not available; the fifth piece is not sold yet.
    shop.manager
        .done("stockIssue", sold(json!([line(&ring, &shop.tray, 5)])))
        .await;
    let held = json!({"consumer": "cart", "lines": [{"itemId": ring, "locationId": shop.tray, "quantity": 1}]});
    shop.manager.done("stockReserve", held).await;
    let event = heard.next().await["lowStock"]["lowStock"].take();
    assert_eq!(event, json!({"item": {"sku": "RING"}, "available": "4"}));
    let rings = json!({"item": {"sku": "RING"}, "available": "4", "suggested": "16", "reorderPoint": "4", "maximum": "20"});
    assert_eq!(low().await, json!([rings, chains]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_wants_is_told_with_when_it_was_wanted_last() {
    let minutes = Minutes::begin().await;
    let shop = &minutes.shop;
    let (ring, never, gone) = (
        shop.item_in_tray("RING", 10).await,
        shop.item_in_tray("NEVER", 3).await,
        shop.item_in_tray("GONE", 1).await,
    );
    shop.manager.receive(&never, &shop.safe, 4).await;
    minutes
        .pass(
            "stockIssue",
            sold(json!([
                line(&ring, &shop.tray, 1),
                line(&gone, &shop.tray, 1)
            ])),
        )
        .await;
    let sold_at = minutes.now();
    let query = "query($since: DateTime!) { slowMovers(since: $since) { nodes { item { sku } onHand issuedAt } } }";
    let slow = async |since: chrono::DateTime<Utc>| {
        shop.manager.ok(query, json!({"since": since})).await["slowMovers"]["nodes"].take()
    };
    let nothing = json!({"item": {"sku": "NEVER"}, "onHand": "7", "issuedAt": null});
    assert_eq!(slow(sold_at).await, json!([nothing]));
    let later = slow(sold_at + TimeDelta::seconds(1)).await;
    assert_eq!(
        (
            later[0]["item"]["sku"].as_str(),
            later[0]["onHand"].as_str()
        ),
        (Some("RING"), Some("9"))
    );
    assert!(later[0]["issuedAt"].is_string());
    assert_eq!(later[1], nothing);
}
