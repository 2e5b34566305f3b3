//! Pieces and weight, and the pure metal in it.

use serde_json::{Value, json};

use super::{Shop, bought, sold, text};

#[tokio::test(flavor = "multi_thread")]
async fn three_of_ten_rings_sold_by_weight_leave_both_right() {
    let shop = Shop::open().await;
    let ring = shop.weighed_item("RING", "750", "0.05", "NONE").await;
    let receive = |weight: Value| {
        bought(json!([{"itemId": ring, "toId": shop.tray, "quantity": 10, "weight": weight}]))
    };
    assert_eq!(
        shop.manager
            .not_done("stockReceive", receive(Value::Null))
            .await,
        [("REQUIRED".into(), "lines.0.weight".into())]
    );
    shop.manager
        .done("stockReceive", receive(json!("52.1 g")))
        .await;
    let sale = |quantity: i64, weight: &str| {
        sold(json!([{"itemId": ring, "fromId": shop.tray, "quantity": quantity, "weight": weight}]))
    };
    shop.manager.done("stockIssue", sale(3, "15.7")).await;
    assert_eq!(
        shop.manager.level(&ring, &shop.tray).await,
        ["7", "0", "7", "36.4", "27.3"]
    );
    // With the last piece all of the weight goes; what the scale finds over or missing is written off.
    assert_eq!(
        shop.manager.not_done("stockIssue", sale(7, "36.3")).await,
        [("WEIGHT_LEFT".into(), "lines.0.weight".into())]
    );
    assert_eq!(
        shop.manager.not_done("stockIssue", sale(6, "36.5")).await,
        [("INSUFFICIENT_WEIGHT".into(), "lines.0.weight".into())]
    );
    let entry = shop.manager.done("stockIssue", sale(7, "36.38")).await["entry"].take();
    let residue = &entry["movements"]["nodes"][1];
    let written = (
        residue["quantity"].as_str(),
        residue["weight"].as_str(),
        residue["fineWeight"].as_str(),
        residue["to"]["code"].as_str(),
    );
    assert_eq!(
        written,
        (Some("0"), Some("0.02"), Some("0.015"), Some("ADJUSTMENT"))
    );
    assert_eq!(shop.manager.level(&ring, &shop.tray).await, ["0"; 5]);
    // Undone, it is all there again.
    shop.manager
        .done("stockReverse", json!({"id": entry["id"]}))
        .await;
    assert_eq!(
        shop.manager.level(&ring, &shop.tray).await,
        ["7", "0", "7", "36.4", "27.3"]
    );
    let plain = shop.item("PLAIN", "NONE").await;
    let weighed =
        bought(json!([{"itemId": plain, "toId": shop.tray, "quantity": 1, "weight": "5"}]));
    assert_eq!(
        shop.manager.not_done("stockReceive", weighed).await,
        [("NOT_WEIGHED".into(), "lines.0.weight".into())]
    );
    let found = json!({"reason": "WEIGHED", "lines": [{"itemId": ring, "locationId": shop.tray, "weight": "-0.4"}]});
    shop.manager.done("stockAdjust", found).await;
    assert_eq!(
        shop.manager.level(&ring, &shop.tray).await,
        ["7", "0", "7", "36", "27"]
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gold_of_different_fineness_is_melted_without_a_microgram_lost() {
    let shop = Shop::open().await;
    let scrap = shop.weighed_item("SCRAP", "750", "0", "LOT").await;
    let bar = shop.weighed_item("BAR", "999.9", "0", "LOT").await;
    let mut inputs = Vec::new();
    for (number, weight, fineness) in [
        ("A", "100.000001", "18K"),
        ("B", "50.333333", "22K"),
        ("C", "7", "585"),
    ] {
        let lot = json!({"number": number, "fineness": fineness});
        let line = json!({"itemId": scrap, "toId": shop.safe, "quantity": 1, "weight": weight, "lot": lot});
        let entry = shop
            .manager
            .done("stockReceive", bought(json!([line])))
            .await["entry"]
            .take();
        let lot = text(&entry["movements"]["nodes"][0]["lot"]["id"]);
        inputs.push(json!({"itemId": scrap, "lotId": lot, "fromId": shop.safe, "quantity": 1}));
    }
    // 75.000001 + 46.138905 + 4.095: each rounded once, when it came in.
    let melt = |fineness: Value, max_loss: Value| {
        let output = json!({"itemId": bar, "toId": shop.safe, "quantity": 1, "weight": "157.3", "lot": {"number": "BAR-1"}, "fineness": fineness});
        json!({"reason": "MELTED", "inputs": inputs, "outputs": [output], "maxLoss": max_loss})
    };
    let gained = shop
        .manager
        .not_done("stockTransform", melt(json!("900"), Value::Null))
        .await;
    assert_eq!(gained, [("FINE_WEIGHT_GAINED".into(), "outputs".into())]);
    let lost = shop
        .manager
        .not_done("stockTransform", melt(json!("796"), Value::Null))
        .await;
    assert_eq!(lost, [("FINE_WEIGHT_LOST".into(), "outputs".into())]);
    let entry = shop
        .manager
        .done("stockTransform", melt(Value::Null, Value::Null))
        .await["entry"]
        .take();
    let movements = entry["movements"]["nodes"].as_array().unwrap().clone();
    assert_eq!(movements.len(), 4);
    assert_eq!(
        (
            movements[3]["fineWeight"].as_str(),
            movements[3]["lot"]["fineness"].as_str()
        ),
        (Some("125.233906"), Some("796.147"))
    );
    assert_eq!(
        shop.manager.level(&bar, &shop.safe).await,
        ["1", "0", "1", "157.3", "125.233906"]
    );
    assert_eq!(shop.manager.level(&scrap, &shop.safe).await, ["0"; 5]);
    shop.manager
        .done("stockReverse", json!({"id": entry["id"]}))
        .await;
    assert_eq!(
        shop.manager.level(&scrap, &shop.safe).await[4],
        "125.233906"
    );
    // An assay that finds less says what was lost.
    let entry = shop
        .manager
        .done("stockTransform", melt(json!("796"), json!("0.03")))
        .await["entry"]
        .take();
    let lost = &entry["movements"]["nodes"][4];
    assert_eq!(
        (lost["to"]["code"].as_str(), lost["fineWeight"].as_str()),
        (Some("LOSS"), Some("0.023106"))
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lots_are_split_and_merged_piece_by_piece() {
    let shop = Shop::open().await;
    let chain = shop.weighed_item("CHAIN", "750", "0", "LOT").await;
    let whole = json!({"itemId": chain, "toId": shop.tray, "quantity": 3, "weight": "10", "lot": {"number": "WHOLE"}});
    let entry = shop
        .manager
        .done("stockReceive", bought(json!([whole])))
        .await["entry"]
        .take();
    let lot = text(&entry["movements"]["nodes"][0]["lot"]["id"]);
    let part = |number: &str, quantity: i64, weight: &str| json!({"itemId": chain, "toId": shop.tray, "quantity": quantity, "weight": weight, "lot": {"number": number}});
    let split = |outputs: Value| {
        let input = json!({"itemId": chain, "lotId": lot, "fromId": shop.tray, "quantity": 3});
        json!({"reason": "SPLIT", "inputs": [input], "outputs": outputs})
    };
    let more = split(json!([part("A", 1, "3.333333"), part("B", 3, "6.666667")]));
    assert_eq!(
        shop.manager.not_done("stockTransform", more).await,
        [("NOT_CONSERVED".into(), "outputs".into())]
    );
    let parts = split(json!([part("A", 1, "3.333333"), part("B", 2, "6.666667")]));
    let entry = shop.manager.done("stockTransform", parts).await["entry"].take();
    let fine: Vec<_> = entry["movements"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|movement| text(&movement["fineWeight"]))
        .collect();
    assert_eq!(fine, ["7.5", "2.5", "5"]);
    assert_eq!(
        shop.manager.level(&chain, &shop.tray).await,
        ["3", "0", "3", "10", "7.5"]
    );
    shop.assert_levels_add_up().await;
}
