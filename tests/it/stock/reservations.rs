//! Stock that is held for somebody.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::clock::{Clock, ManualClock, SystemClock};
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::app::TestApp;

use super::{Shop, bought, line, sold, text};

fn held(item: &str, location: &str, quantity: i64) -> Value {
    json!({"consumer": "cart", "lines": [{"itemId": item, "locationId": location, "quantity": quantity}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_sold_to_nobody_else() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let reservation = shop
        .manager
        .done("stockReserve", held(&ring, &shop.tray, 8))
        .await["reservations"][0]
        .take();
    assert_eq!(
        (reservation["open"].as_str(), reservation["state"].as_str()),
        (Some("8"), Some("ACTIVE"))
    );
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["10", "8", "2"]);
    let sale = |quantity: i64, reservation: Value| {
        let mut line = line(&ring, &shop.tray, quantity);
        line["reservationId"] = reservation;
        sold(json!([line]))
    };
    assert_eq!(
        shop.manager
            .not_done("stockIssue", sale(3, Value::Null))
            .await[0]
            .0,
        "INSUFFICIENT_STOCK"
    );
    assert_eq!(
        shop.manager
            .not_done("stockReserve", held(&ring, &shop.tray, 3))
            .await,
        [("INSUFFICIENT_STOCK".into(), "lines.0.quantity".into())]
    );
    let id = &reservation["id"];
    assert_eq!(
        shop.manager
            .not_done("stockIssue", sale(9, id.clone()))
            .await,
        [(
            "RESERVATION_TOO_SMALL".into(),
            "lines.0.reservationId".into()
        )]
    );
    shop.manager.done("stockIssue", sale(5, id.clone())).await;
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["5", "3", "2"]);
    let release = |quantity: Value| json!({"id": id, "quantity": quantity});
    assert_eq!(
        shop.manager
            .not_done("stockReservationRelease", release(json!("4")))
            .await,
        [("OUT_OF_RANGE".into(), "quantity".into())]
    );
    let left = shop
        .manager
        .done("stockReservationRelease", release(json!("1")))
        .await["reservation"]
        .take();
    assert_eq!(
        (left["open"].as_str(), left["state"].as_str()),
        (Some("2"), Some("ACTIVE"))
    );
    shop.manager.done("stockIssue", sale(2, id.clone())).await;
    let query = "query($id: ID!) { stockReservation(id: $id) { state open item { sku } location { code } } }";
    let done = shop.manager.ok(query, json!({"id": id})).await["stockReservation"].take();
    assert_eq!(
        done,
        json!({"state": "FULFILLED", "open": "0", "item": {"sku": "RING"}, "location": {"code": "TRAY"}})
    );
    assert_eq!(
        shop.manager
            .not_done("stockIssue", sale(1, id.clone()))
            .await,
        [("RESERVATION_OVER".into(), "lines.0.reservationId".into())]
    );
    let chain = shop.item_in_tray("CHAIN", 10).await;
    let other = shop
        .manager
        .done("stockReserve", held(&chain, &shop.tray, 1))
        .await["reservations"][0]["id"]
        .take();
    assert_eq!(
        shop.manager.not_done("stockIssue", sale(1, other)).await,
        [(
            "RESERVATION_MISMATCH".into(),
            "lines.0.reservationId".into()
        )]
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_time_is_over_holds_nothing_whoever_has_noticed_it() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let shop = Shop::of(TestApp::builder().clock(Arc::<ManualClock>::clone(&clock))).await;
    let ring = shop.item_in_tray("RING", 10).await;
    let until = |seconds: i64| clock.now() + TimeDelta::seconds(seconds);
    let mut held = held(&ring, &shop.tray, 10);
    held["expiresAt"] = json!(until(60));
    let id = shop.manager.done("stockReserve", held.clone()).await["reservations"][0]["id"].take();
    clock.advance(TimeDelta::seconds(59));
    assert_eq!(
        shop.manager
            .not_done("stockIssue", sold(json!([line(&ring, &shop.tray, 1)])))
            .await[0]
            .0,
        "INSUFFICIENT_STOCK"
    );
    clock.advance(TimeDelta::seconds(1));
    // Nobody has written anything, and it is free: to readers, to others who reserve, and to whoever sells.
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["10", "0", "10"]);
    let query = "query($id: ID!) { stockReservation(id: $id) { state open } stockLevels(where: {available: true}) { nodes { available } } \
                 stockReservations(where: {active: true}) { nodes { id } } }";
    let read = shop.manager.ok(query, json!({"id": id})).await;
    assert_eq!(
        read["stockReservation"],
        json!({"state": "EXPIRED", "open": "0"})
    );
    assert_eq!(read["stockLevels"]["nodes"], json!([{"available": "10"}]));
    assert_eq!(read["stockReservations"]["nodes"], json!([]));
    let total = "query($id: ID!) { item(by: {id: $id}) { stock { reserved available } } }";
    let total = shop.manager.ok(total, json!({"id": ring})).await["item"]["stock"].take();
    assert_eq!(total, json!({"reserved": "0", "available": "10"}));
    held["expiresAt"] = json!(until(60));
    shop.manager.done("stockReserve", held.clone()).await;
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["10", "10", "0"]);
    clock.advance(TimeDelta::seconds(60));
    shop.manager
        .done("stockIssue", sold(json!([line(&ring, &shop.tray, 10)])))
        .await;
    held["expiresAt"] = json!(until(0));
    assert_eq!(
        shop.manager.not_done("stockReserve", held).await,
        [("TIME_OUT_OF_RANGE".into(), "expiresAt".into())]
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_hold_on_a_lot_is_let_go_by_whoever_sells_it() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let shop = Shop::of(TestApp::builder().clock(Arc::<ManualClock>::clone(&clock))).await;
    let pill = shop.item("PILL", "LOT").await;
    let mut lots = Vec::new();
    for number in ["A", "B"] {
        let line =
            json!({"itemId": pill, "toId": shop.tray, "quantity": 5, "lot": {"number": number}});
        let entry = shop
            .manager
            .done("stockReceive", bought(json!([line])))
            .await["entry"]
            .take();
        lots.push(text(&entry["movements"]["nodes"][0]["lot"]["id"]));
    }
    let expires = clock.now() + TimeDelta::seconds(30);
    let held = json!({"consumer": "cart", "expiresAt": expires, "lines": [{"itemId": pill, "lotId": lots[0], "locationId": shop.tray, "quantity": 5}]});
    shop.manager.done("stockReserve", held).await;
    let sale = |lot: &str| {
        sold(json!([{"itemId": pill, "lotId": lot, "fromId": shop.tray, "quantity": 2}]))
    };
    // There are enough pieces, but not of this lot.
    assert_eq!(
        shop.manager.not_done("stockIssue", sale(&lots[0])).await[0].0,
        "INSUFFICIENT_STOCK"
    );
    shop.manager.done("stockIssue", sale(&lots[1])).await;
    clock.advance(TimeDelta::seconds(30));
    shop.manager.done("stockIssue", sale(&lots[0])).await;
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_lets_go_and_says_so() {
    let shop = Shop::of(TestApp::builder().with_worker()).await;
    let ring = shop.item_in_tray("RING", 10).await;
    let changes = "subscription($item: ID) { stockChanged(itemId: $item) { action } }";
    let mut heard = shop.manager.subscribe(changes, json!({"item": ring})).await;
    let mut held = held(&ring, &shop.tray, 10);
    held["expiresAt"] = json!(SystemClock.now() + TimeDelta::milliseconds(1_500));
    shop.manager.done("stockReserve", held).await;
    let actions = [heard.next().await, heard.next().await]
        .map(|mut event| event["stockChanged"]["action"].take());
    assert_eq!(actions, ["stock.reserve", "stock.expire"]);
    let kept: String = sqlx::query_scalar("SELECT state || ' ' || open FROM stock_reservation")
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(kept, "expired 0.000000");
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_much_is_held_as_there_is_when_that_will_do() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 3).await;
    let none = shop.item("NONE", "NONE").await;
    let line = |item: &str, quantity: i64| json!({"itemId": item, "locationId": shop.tray, "quantity": quantity});
    let wanted = |partial: bool| {
        let lines = json!([line(&ring, 2), line(&none, 1), line(&ring, 2)]);
        json!({"consumer": "order", "document": "O-1", "partial": partial, "lines": lines})
    };
    let refused = shop.manager.not_done("stockReserve", wanted(false)).await;
    assert!(
        refused.iter().all(|(code, _)| code == "INSUFFICIENT_STOCK"),
        "{refused:?}"
    );
    let held = shop.manager.done("stockReserve", wanted(true)).await["reservations"].take();
    let quantities: Vec<_> = held
        .as_array()
        .unwrap()
        .iter()
        .map(|held| text(&held["quantity"]))
        .collect();
    assert_eq!(quantities, ["2", "1"]);
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["3", "3", "0"]);
    let query = "{ stockReservations(where: {document: \"O-1\"}) { nodes { consumer } } }";
    let found = shop.manager.ok(query, json!({})).await["stockReservations"]["nodes"].take();
    assert_eq!(found, json!([{"consumer": "order"}, {"consumer": "order"}]));
    shop.assert_levels_add_up().await;
}
