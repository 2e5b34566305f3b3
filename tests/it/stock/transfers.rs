//! Goods that one place asks another for.

use serde_json::{Value, json};

use super::{Shop, bought, line, sold, text};

/// What is wanted from the tray in the safe.
async fn wanted(shop: &Shop, lines: Value) -> Value {
    let input = json!({"fromId": shop.tray, "toId": shop.safe, "lines": lines});
    shop.manager.done("stockTransferCreate", input).await["transfer"]["id"].take()
}

async fn step(shop: &Shop, mutation: &str, input: Value) -> Value {
    shop.manager.done(mutation, input).await["transfer"].take()
}

async fn in_transit(shop: &Shop, item: &str) -> String {
    let query = "query($id: ID!) { item(by: {id: $id}) { stock { inTransit } } }";
    text(&shop.manager.ok(query, json!({"id": item})).await["item"]["stock"]["inTransit"])
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_are_asked_for_picked_sent_and_received_in_part_with_one_missing() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let id = wanted(&shop, json!([{"itemId": ring, "quantity": 8}])).await;
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["10", "0", "10"]);
    let picked = step(
        &shop,
        "stockTransferPick",
        json!({"id": id, "lines": [{"line": 1, "quantity": 6}]}),
    )
    .await;
    assert_eq!(
        (
            picked["state"].as_str(),
            picked["lines"][0]["picked"].as_str()
        ),
        (Some("PICKED"), Some("6"))
    );
    // Nobody else gets what lies ready.
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["10", "6", "4"]);
    assert_eq!(
        shop.manager
            .not_done("stockIssue", sold(json!([line(&ring, &shop.tray, 5)])))
            .await[0]
            .0,
        "INSUFFICIENT_STOCK"
    );
    step(&shop, "stockTransferSend", json!({"id": id})).await;
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["4", "0", "4"]);
    assert_eq!(
        (
            in_transit(&shop, &ring).await.as_str(),
            shop.pieces(&ring, &shop.safe).await[0].as_str()
        ),
        ("6", "0")
    );
    let some = step(
        &shop,
        "stockTransferReceive",
        json!({"id": id, "lines": [{"line": 1, "quantity": 3}]}),
    )
    .await;
    assert_eq!(
        (
            some["state"].as_str(),
            some["lines"][0]["received"].as_str()
        ),
        (Some("IN_TRANSIT"), Some("3"))
    );
    let more = shop
        .manager
        .not_done(
            "stockTransferReceive",
            json!({"id": id, "lines": [{"line": 1, "quantity": 4}]}),
        )
        .await;
    assert_eq!(more, [("OUT_OF_RANGE".into(), "lines.0.quantity".into())]);
    let last = json!({"id": id, "isLast": true, "lines": [{"line": 1, "quantity": 2}]});
    let done = step(&shop, "stockTransferReceive", last).await;
    let row = &done["lines"][0];
    assert_eq!(
        (
            done["state"].as_str(),
            row["received"].as_str(),
            row["missing"].as_str()
        ),
        (Some("RECEIVED"), Some("5"), Some("1"))
    );
    assert_eq!(
        (
            in_transit(&shop, &ring).await.as_str(),
            shop.pieces(&ring, &shop.safe).await[0].as_str()
        ),
        ("0", "5")
    );
    let lost = "{ stockEntries(where: {reasons: [LOST]}) { nodes { movements { nodes { quantity to { code } } } } } }";
    let lost = shop.manager.ok(lost, json!({})).await["stockEntries"]["nodes"].take();
    let one = json!([{"quantity": "1", "to": {"code": "LOSS"}}]);
    assert_eq!(lost, json!([{"movements": {"nodes": one}}]));
    for mutation in [
        "stockTransferPick",
        "stockTransferSend",
        "stockTransferReceive",
        "stockTransferCancel",
    ] {
        assert_eq!(
            shop.manager.not_done(mutation, json!({"id": id})).await,
            [("WRONG_STATE".into(), "id".into())],
            "{mutation}"
        );
    }
    let query = "{ stockTransfers(where: {states: [RECEIVED]}) { nodes { number from { code } to { code } lines { item { sku } } } } }";
    let found = shop.manager.ok(query, json!({})).await["stockTransfers"]["nodes"].take();
    assert_eq!(
        found,
        json!([{"number": 1, "from": {"code": "TRAY"}, "to": {"code": "SAFE"}, "lines": [{"item": {"sku": "RING"}}]}])
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_off_is_held_no_more() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let id = wanted(&shop, json!([{"itemId": ring, "quantity": 8}])).await;
    step(&shop, "stockTransferPick", json!({"id": id})).await;
    let off = step(&shop, "stockTransferCancel", json!({"id": id})).await;
    assert_eq!(off["state"], "CANCELLED");
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["10", "0", "10"]);
    let too_many = wanted(&shop, json!([{"itemId": ring, "quantity": 11}])).await;
    assert_eq!(
        shop.manager
            .not_done("stockTransferPick", json!({"id": too_many}))
            .await,
        [("INSUFFICIENT_STOCK".into(), "lines.0.quantity".into())]
    );
    let same =
        json!({"fromId": shop.tray, "toId": shop.tray, "lines": [{"itemId": ring, "quantity": 0}]});
    let refused = shop.manager.not_done("stockTransferCreate", same).await;
    assert_eq!(
        refused,
        [
            ("WRONG_LOCATION".into(), "toId".into()),
            ("OUT_OF_RANGE".into(), "lines.0.quantity".into())
        ]
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weighed_lots_arrive_with_what_they_weigh() {
    let shop = Shop::open().await;
    let chain = shop.weighed_item("CHAIN", "750", "0", "LOT").await;
    let came = json!({"itemId": chain, "toId": shop.tray, "quantity": 4, "weight": "20", "lot": {"number": "A"}});
    let entry = shop
        .manager
        .done("stockReceive", bought(json!([came])))
        .await["entry"]
        .take();
    let lot = entry["movements"]["nodes"][0]["lot"]["id"].clone();
    let id = wanted(&shop, json!([{"itemId": chain, "quantity": 3}])).await;
    // Which lot is known when it is picked.
    let picked = step(
        &shop,
        "stockTransferPick",
        json!({"id": id, "lines": [{"line": 1, "lotId": lot}]}),
    )
    .await;
    assert_eq!(picked["lines"][0]["lot"]["number"], "A");
    assert_eq!(
        shop.manager
            .not_done("stockTransferSend", json!({"id": id}))
            .await,
        [("REQUIRED".into(), "lines.0.weight".into())]
    );
    let sent = step(
        &shop,
        "stockTransferSend",
        json!({"id": id, "lines": [{"line": 1, "weight": "15.5"}]}),
    )
    .await;
    assert_eq!(sent["lines"][0]["sentWeight"], "15.5");
    let some = json!({"id": id, "lines": [{"line": 1, "quantity": 1, "weight": "5"}]});
    step(&shop, "stockTransferReceive", some).await;
    // What is still to come weighs 10.5 g: no more than that, and something is left for the piece that is missing.
    let last = |quantity: i64, weight: &str| {
        let line = json!({"line": 1, "quantity": quantity, "weight": weight});
        json!({"id": id, "isLast": true, "lines": [line]})
    };
    for wrong in [
        last(1, "10.5"),
        last(1, "11"),
        last(2, "10.4"),
        last(1, "0"),
    ] {
        let refused = shop.manager.not_done("stockTransferReceive", wrong).await;
        assert_eq!(refused, [("OUT_OF_RANGE".into(), "lines.0.weight".into())]);
    }
    let rest = step(&shop, "stockTransferReceive", json!({"id": id})).await;
    assert_eq!(
        (
            rest["state"].as_str(),
            rest["lines"][0]["receivedWeight"].as_str()
        ),
        (Some("RECEIVED"), Some("15.5"))
    );
    assert_eq!(
        shop.manager.level(&chain, &shop.safe).await,
        ["3", "0", "3", "15.5", "11.625"]
    );
    assert_eq!(
        shop.manager.level(&chain, &shop.tray).await,
        ["1", "0", "1", "4.5", "3.375"]
    );
    shop.assert_levels_add_up().await;
}
