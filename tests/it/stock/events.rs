//! Whoever shows stock hears when it changes, and misses nothing.

use serde_json::{Value, json};

use super::{Shop, line, sold};

const CHANGES: &str = "subscription($item: ID, $location: ID, $after: EventPosition) { \
    stockChanged(itemId: $item, locationId: $location, after: $after) { position action itemIds locationIds } }";

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_heard_by_item_and_place_from_any_position_on() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let chain = shop.item_in_tray("CHAIN", 10).await;
    let after = shop.app.position().await;
    let listen = async |variables: Value| shop.manager.subscribe(CHANGES, variables).await;
    shop.manager
        .done("stockIssue", sold(json!([line(&chain, &shop.tray, 1)])))
        .await;
    shop.manager
        .done("stockIssue", sold(json!([line(&ring, &shop.tray, 1)])))
        .await;
    let mut of_ring = listen(json!({"item": ring, "after": after})).await;
    let missed = of_ring.next().await["stockChanged"].take();
    assert_eq!(
        (missed["action"].as_str(), &missed["itemIds"]),
        (Some("stock.issue"), &json!([ring]))
    );
    let held = json!({"consumer": "cart", "lines": [{"itemId": ring, "locationId": shop.tray, "quantity": 2}]});
    let held = shop.manager.done("stockReserve", held).await["reservations"][0]["id"].take();
    let live = of_ring.next().await["stockChanged"].take();
    assert_eq!(
        (live["action"].as_str(), &live["locationIds"]),
        (Some("stock.reserve"), &json!([shop.tray]))
    );
    let mut moved = line(&ring, &shop.tray, 1);
    moved["toId"] = json!(shop.safe);
    shop.manager
        .done("stockMove", json!({"lines": [moved]}))
        .await;
    shop.manager
        .done("stockReservationRelease", json!({"id": held}))
        .await;
    let mut at_safe = listen(json!({"location": shop.safe, "after": after})).await;
    assert_eq!(at_safe.next().await["stockChanged"]["action"], "stock.move");
    let heard = [of_ring.next().await, of_ring.next().await]
        .map(|mut event| event["stockChanged"]["action"].take());
    assert_eq!(heard, ["stock.move", "stock.release"]);
}
