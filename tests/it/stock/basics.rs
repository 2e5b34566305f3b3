//! Goods come in, are moved, leave, and come back.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    clock::{Clock as _, SystemClock},
    locale::Locale,
};
use serde_json::{Value, json};
use tests::app::PASSWORD;

use super::{Shop, line, sold, text};

#[tokio::test(flavor = "multi_thread")]
async fn goods_come_in_are_moved_and_leave() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    assert_eq!(shop.pieces(&ring, &shop.tray).await, ["10", "0", "10"]);
    let mut moved = line(&ring, &shop.tray, 4);
    moved["toId"] = json!(shop.safe);
    let entry = shop
        .manager
        .done("stockMove", json!({"lines": [moved]}))
        .await["entry"]
        .take();
    assert_eq!(
        (&entry["kind"], &entry["reason"]),
        (&json!("MOVE"), &json!("MOVED"))
    );
    let movement = &entry["movements"]["nodes"][0];
    let way = (
        movement["from"]["code"].as_str(),
        movement["to"]["code"].as_str(),
    );
    assert_eq!(way, (Some("TRAY"), Some("SAFE")));
    let mut issued = sold(json!([
        line(&ring, &shop.safe, 3),
        line(&ring, &shop.tray, 1)
    ]));
    issued["document"] = json!("INV-1");
    let entry = shop.manager.done("stockIssue", issued).await["entry"].take();
    assert_eq!(
        (entry["lines"].as_i64(), entry["document"].as_str()),
        (Some(2), Some("INV-1"))
    );
    assert_eq!(shop.pieces(&ring, &shop.safe).await[0], "1");
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "5");
    let total =
        "query($id: ID!) { item(by: {id: $id}) { stock { onHand reserved available inTransit } } }";
    let total = shop.manager.ok(total, json!({"id": ring})).await["item"]["stock"].take();
    assert_eq!(
        total,
        json!({"onHand": "6", "reserved": "0", "available": "6", "inTransit": "0"})
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_that_is_not_there_and_it_is_said_how_much_is() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let chain = shop.item_in_tray("CHAIN", 10).await;
    // Two lines of one item count together.
    let lines = json!([
        line(&chain, &shop.tray, 1),
        line(&ring, &shop.tray, 6),
        line(&ring, &shop.tray, 5)
    ]);
    let answer = shop.manager.change("stockIssue", sold(lines.clone())).await;
    let refused = answer.refused();
    assert_eq!(
        refused,
        [(
            "INSUFFICIENT_STOCK".to_owned(),
            "lines.1.quantity".to_owned()
        )]
    );
    let error = &answer.data["stockIssue"]["userErrors"][0];
    let params: Vec<_> = error["params"]
        .as_array()
        .unwrap()
        .iter()
        .map(|param| {
            (
                param["name"].as_str().unwrap(),
                param["value"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        params,
        [
            ("available", "10"),
            ("location", "TRAY"),
            ("requested", "11"),
            ("sku", "RING")
        ]
    );
    assert_eq!(
        error["message"],
        "Only 10 of RING are available in TRAY; 11 were asked for."
    );
    let reader = shop
        .app
        .new_user("fa@example.com", "manager", Locale::Fa)
        .await;
    let persian = shop
        .app
        .anonymous()
        .logged_in(&reader.email, PASSWORD)
        .await;
    let in_persian = persian.change("stockIssue", sold(lines)).await;
    assert!(in_persian.user_errors()[0].message.contains("در دسترس است"));
    for item in [&ring, &chain] {
        assert_eq!(shop.pieces(item, &shop.tray).await[0], "10");
    }
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_undone_once_and_by_its_mirror() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let sale = sold(json!([line(&ring, &shop.tray, 4)]));
    let sale = shop.manager.done("stockIssue", sale).await["entry"]["id"].take();
    let undo = json!({"id": sale, "note": "wrong customer"});
    let undone = shop.manager.done("stockReverse", undo.clone()).await["entry"].take();
    assert_eq!(
        (&undone["kind"], &undone["reverses"]["id"]),
        (&json!("REVERSE"), &sale)
    );
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "10");
    let refused = shop.manager.not_done("stockReverse", undo).await;
    assert_eq!(refused, [("ALREADY_REVERSED".into(), "id".into())]);
    let again = json!({"id": undone["id"]});
    assert_eq!(
        shop.manager.not_done("stockReverse", again).await,
        [("NOT_REVERSIBLE".into(), "id".into())]
    );
    let query = "query($id: ID!) { stockEntry(id: $id) { reversedBy { id } reverses { id } } }";
    let entry = shop.manager.ok(query, json!({"id": sale})).await["stockEntry"].take();
    assert_eq!(
        entry,
        json!({"reversedBy": {"id": undone["id"]}, "reverses": null})
    );
    // What was sold on meanwhile cannot be taken back.
    let bought = json!({"reason": "PURCHASED", "lines": [{"itemId": ring, "toId": shop.safe, "quantity": 5}]});
    let bought = shop.manager.done("stockReceive", bought).await["entry"]["id"].take();
    shop.manager
        .done("stockIssue", sold(json!([line(&ring, &shop.safe, 1)])))
        .await;
    let refused = shop
        .manager
        .not_done("stockReverse", json!({"id": bought}))
        .await;
    assert_eq!(refused[0].0, "INSUFFICIENT_STOCK");
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_back_dated_must_have_been_there_then() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let day = |day: u32| format!("2026-03-{day:02}T12:00:00Z");
    let received = |quantity: i64, at: u32| json!({"reason": "PURCHASED", "effectiveAt": day(at), "lines": [{"itemId": ring, "toId": shop.tray, "quantity": quantity}]});
    let issued = |quantity: i64, at: u32| json!({"reason": "SOLD", "effectiveAt": day(at), "lines": [line(&ring, &shop.tray, quantity)]});
    shop.manager.done("stockReceive", received(5, 10)).await;
    shop.manager.done("stockIssue", issued(4, 20)).await;
    // There is one, but on the 5th there was none, and on the 15th only so many that one is left on the 20th.
    let refused = shop.manager.not_done("stockIssue", issued(1, 5)).await;
    assert_eq!(
        refused,
        [("INSUFFICIENT_STOCK_THEN".into(), "effectiveAt".into())]
    );
    shop.manager.done("stockReceive", received(10, 25)).await;
    let refused = shop.manager.not_done("stockIssue", issued(2, 15)).await;
    assert_eq!(refused[0].0, "INSUFFICIENT_STOCK_THEN");
    shop.manager.done("stockIssue", issued(1, 15)).await;
    shop.manager.done("stockReceive", received(3, 1)).await;
    shop.manager.done("stockIssue", issued(3, 5)).await;
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "10");
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_a_little_ahead_happens_now() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let ahead = SystemClock.now() + TimeDelta::minutes(4);
    let received = json!({"reason": "PURCHASED", "effectiveAt": ahead, "lines": [{"itemId": ring, "toId": shop.tray, "quantity": 2}]});
    let entry = shop.manager.done("stockReceive", received).await["entry"].take();
    let at = |entry: &Value| {
        text(&entry["effectiveAt"])
            .parse::<DateTime<Utc>>()
            .unwrap()
    };
    assert!(at(&entry) < ahead, "{entry}");
    // Those that follow each other do so in time as well.
    let mut before = at(&entry);
    for _ in 0..2 {
        let sale = sold(json!([line(&ring, &shop.tray, 1)]));
        let after = at(&shop.manager.done("stockIssue", sale).await["entry"]);
        assert!(after > before, "{after} is behind {before}");
        before = after;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_entries_and_movements_are_read_page_by_page() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    for _ in 0..4 {
        shop.manager
            .done("stockIssue", sold(json!([line(&ring, &shop.tray, 1)])))
            .await;
    }
    let query = "query($item: ID!, $after: String) { stockMovements(where: {itemId: $item}, first: 2, after: $after) { \
                 nodes { quantity entry { kind number } item { sku } from { code } to { code } } pageInfo { hasNextPage endCursor } } }";
    let (mut after, mut kinds) = (Value::Null, Vec::new());
    loop {
        let page = shop
            .manager
            .ok(query, json!({"item": ring, "after": after}))
            .await["stockMovements"]
            .take();
        kinds.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["entry"]["kind"].clone()),
        );
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(kinds, ["ISSUE", "ISSUE", "ISSUE", "ISSUE", "RECEIVE"]);
    let query = "{ stockEntries(where: {kinds: [RECEIVE]}) { nodes { kind lines movements(first: 1) { nodes { quantity } } } } }";
    let entries = shop.manager.ok(query, json!({})).await["stockEntries"]["nodes"].take();
    assert_eq!(
        entries,
        json!([{"kind": "RECEIVE", "lines": 1, "movements": {"nodes": [{"quantity": "10"}]}}])
    );
    let query = "query($tray: ID!, $after: String) { stockMovements(where: {locationId: $tray}, first: 3, after: $after) { \
                 nodes { entry { kind } } pageInfo { endCursor hasNextPage } } }";
    let first = shop.manager.ok(query, json!({"tray": shop.tray})).await["stockMovements"].take();
    let after = json!({"tray": shop.tray, "after": first["pageInfo"]["endCursor"]});
    let rest = shop.manager.ok(query, after).await["stockMovements"].take();
    let rest: Vec<_> = rest["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["entry"]["kind"].clone())
        .collect();
    assert_eq!(
        (first["pageInfo"]["hasNextPage"].as_bool(), rest),
        (Some(true), vec![json!("ISSUE"), json!("RECEIVE")])
    );
    let all = "{ stockMovements(where: {}) { nodes { line } } }";
    assert_eq!(shop.manager.gql(all, json!({})).await.codes(), ["REQUIRED"]);
}
