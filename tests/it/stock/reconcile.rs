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

const COSTS: &str = "query($id: ID!) { stockReconciliation(id: $id) { subject finishedAt levelCount movementCount differenceCount \
    differences { lot { id } } costDifferences { part item { sku } lot { number } kept { amount value } sum { amount value } } } }";

/// The same of costs.
async fn proof_of_costs(shop: &Shop) -> Value {
    let asked = json!({"subject": "COSTS"});
    let asked = shop.manager.done("stockReconcile", asked).await["reconciliation"].take();
    eventually(PATIENCE, "the proof is made", async || {
        let variables = json!({"id": asked["id"]});
        let found = shop.manager.ok(COSTS, variables).await["stockReconciliation"].take();
        (!found["finishedAt"].is_null()).then_some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_costs_behind_the_databases_back_is_named() {
    let shop = Shop::of(TestApp::builder().with_worker()).await;
    let ring = shop.item("RING", "NONE").await;
    let band = shop.item("BAND", "NONE").await;
    let watch = shop.item("WATCH", "SERIAL").await;
    let fifo = json!({"itemId": band, "costMethod": "FIFO"});
    shop.manager.done("itemStockingSet", fifo).await;
    let of = |item: &str, quantity: i64, cost: &str| json!({"itemId": item, "toId": shop.tray, "quantity": quantity, "unitCost": cost});
    let serial = json!({"itemId": watch, "toId": shop.tray, "quantity": 1, "unitCost": "9", "lot": {"number": "W-1"}});
    let lines = json!([
        of(&ring, 10, "3"),
        of(&band, 4, "5"),
        of(&band, 4, "7"),
        serial
    ]);
    shop.manager.done("stockReceive", bought(lines)).await;
    let lines = json!([line(&ring, &shop.tray, 3), line(&band, &shop.tray, 5)]);
    shop.manager.done("stockIssue", sold(lines)).await;
    let sound = proof_of_costs(&shop).await;
    assert_eq!(
        (
            &sound["subject"],
            &sound["differenceCount"],
            &sound["costDifferences"]
        ),
        (&json!("COSTS"), &json!(0), &json!([])),
        "{sound}"
    );
    assert!(sound["movementCount"].as_i64().unwrap() >= 7, "{sound}");
    for sql in [
        "UPDATE stock_value v SET value = value + 1 FROM item i WHERE i.id = v.item_id AND i.sku = 'RING'",
        "UPDATE stock_cost_layer y SET value = value - 2 FROM item i WHERE i.id = y.item_id AND i.sku = 'BAND' AND y.amount <> 0",
        "UPDATE stock_level l SET on_hand = 2 FROM item i WHERE i.id = l.item_id AND i.sku = 'WATCH'",
    ] {
        sqlx::query(sql).execute(shop.app.sql()).await.unwrap();
    }
    let found = proof_of_costs(&shop).await;
    let named = |part: &str, sku: &str, kept: [&str; 2], sum: [&str; 2]| json!({"part": part, "item": {"sku": sku}, "lot": null, "kept": {"amount": kept[0], "value": kept[1]}, "sum": {"amount": sum[0], "value": sum[1]}});
    assert_eq!(
        found["costDifferences"],
        json!([
            named("ITEM", "RING", ["7", "22"], ["7", "21"]),
            named("LAYER", "BAND", ["3", "19"], ["3", "21"]),
            named("LAYERS", "BAND", ["3", "21"], ["3", "19"]),
            named("LEVELS", "WATCH", ["1", "0"], ["2", "0"]),
        ]),
        "{found}"
    );
    assert_eq!(found["differences"], json!([]));
}
