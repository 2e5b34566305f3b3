//! Levels are proved to be the sums of their movements, and what somebody did behind the database's back is named.

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    app::TestApp,
    wait::{PATIENCE, eventually},
};

use super::{Shop, bought, line, sold};

/// Asks for a proof, and waits until it is made.
async fn proof(shop: &Shop) -> Value {
    let asked = shop.manager.done("stockReconcile", json!({})).await["reconciliation"].take();
    assert_eq!(asked["finishedAt"], Value::Null);
    let query = "query($id: ID!) { stockReconciliation(id: $id) { finishedAt levelCount movementCount differenceCount \
                 differences { item { sku } lot { number } location { code } level { onHand reserved weight } sum { onHand reserved weight } } } }";
    eventually(PATIENCE, "the proof is made", async || {
        let variables = json!({"id": asked["id"]});
        let found = shop.manager.ok(query, variables).await["stockReconciliation"].take();
        (!found["finishedAt"].is_null()).then_some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_behind_the_databases_back_is_named() {
    let shop = Shop::of(TestApp::builder().with_worker()).await;
    let ring = shop.item_in_tray("RING", 10).await;
    let pill = shop.item("PILL", "LOT").await;
    let lot = json!({"itemId": pill, "toId": shop.tray, "quantity": 5, "lot": {"number": "A"}});
    shop.manager
        .done("stockReceive", bought(json!([lot])))
        .await;
    shop.manager
        .done("stockIssue", sold(json!([line(&ring, &shop.tray, 3)])))
        .await;
    let held = json!({"consumer": "cart", "lines": [{"itemId": ring, "locationId": shop.tray, "quantity": 2}]});
    shop.manager.done("stockReserve", held).await;
    let sound = proof(&shop).await;
    assert_eq!(
        (
            &sound["levelCount"],
            &sound["movementCount"],
            &sound["differenceCount"]
        ),
        (&json!(3), &json!(3), &json!(0))
    );
    assert_eq!(sound["differences"], json!([]));
    for sql in [
        "UPDATE stock_level s SET on_hand = 8 FROM item i WHERE i.id = s.item_id AND i.sku = 'RING'",
        "UPDATE stock_lot_level SET reserved = 1",
    ] {
        sqlx::query(sql).execute(shop.app.sql()).await.unwrap();
    }
    let found = proof(&shop).await;
    assert_eq!(found["differenceCount"], 2);
    let ring = json!({"item": {"sku": "RING"}, "lot": null, "location": {"code": "TRAY"},
        "level": {"onHand": "8", "reserved": "2", "weight": "0"}, "sum": {"onHand": "7", "reserved": "2", "weight": "0"}});
    let pill = json!({"item": {"sku": "PILL"}, "lot": {"number": "A"}, "location": {"code": "TRAY"},
        "level": {"onHand": "5", "reserved": "1", "weight": "0"}, "sum": {"onHand": "5", "reserved": "0", "weight": "0"}});
    assert_eq!(found["differences"], json!([ring, pill]));
}
