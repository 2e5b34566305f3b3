//! Lots and serials.

use std::time::Instant;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Shop, bought, sold, text};

/// Takes one piece with this serial number in, and tells the id of its lot.
async fn piece(shop: &Shop, item: &str, number: &str) -> String {
    let input = bought(json!([{"itemId": item, "toId": shop.tray, "lot": {"number": number}}]));
    let entry = shop.manager.done("stockReceive", input).await["entry"].take();
    text(&entry["movements"]["nodes"][0]["lot"]["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_is_in_one_place() {
    let shop = Shop::open().await;
    let watch = shop.item("WATCH", "SERIAL").await;
    let one = piece(&shop, &watch, "w-1").await;
    // It is there already.
    let again = bought(json!([{"itemId": watch, "toId": shop.safe, "lot": {"number": "W-1"}}]));
    let answer = shop.manager.change("stockReceive", again).await;
    assert_eq!(
        answer.refused(),
        [("SERIAL_ELSEWHERE".into(), "lines.0.lotId".into())]
    );
    assert!(
        answer.user_errors()[0].message.contains("TRAY"),
        "{answer:?}"
    );
    // It is elsewhere.
    let sale = |from: &str| sold(json!([{"itemId": watch, "lotId": one, "fromId": from}]));
    let refused = shop.manager.not_done("stockIssue", sale(&shop.safe)).await;
    assert_eq!(
        refused,
        [("SERIAL_ELSEWHERE".into(), "lines.0.lotId".into())]
    );
    let twice = sold(
        json!([{"itemId": watch, "lotId": one, "fromId": shop.tray}, {"itemId": watch, "lotId": one, "fromId": shop.tray}]),
    );
    assert_eq!(
        shop.manager.not_done("stockIssue", twice).await[0].0,
        "INSUFFICIENT_STOCK"
    );
    let two = sold(json!([{"itemId": watch, "lotId": one, "fromId": shop.tray, "quantity": 2}]));
    assert_eq!(
        shop.manager.not_done("stockIssue", two).await,
        [("OUT_OF_RANGE".into(), "lines.0.quantity".into())]
    );
    shop.manager.done("stockIssue", sale(&shop.tray)).await;
    // Sold, it can come back.
    let back = json!({"reason": "RETURNED", "lines": [{"itemId": watch, "toId": shop.safe, "lotId": one}]});
    shop.manager.done("stockReceive", back).await;
    let query =
        "query($id: ID!) { lot(id: $id) { number kind levels { onHand location { code } } } }";
    let lot = shop.manager.ok(query, json!({"id": one})).await["lot"].take();
    assert_eq!(
        lot,
        json!({"number": "W-1", "kind": "SERIAL", "levels": [{"onHand": "1", "location": {"code": "SAFE"}}]})
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_is_of_its_item_and_is_named_where_it_must_be() {
    let shop = Shop::open().await;
    let watch = shop.item("WATCH", "SERIAL").await;
    let other = shop.item("OTHER", "SERIAL").await;
    let plain = shop.item_in_tray("PLAIN", 5).await;
    let lot = piece(&shop, &watch, "W-1").await;
    for (line, code, path) in [
        (
            json!({"itemId": other, "lotId": lot, "fromId": shop.tray}),
            "NOT_FOUND",
            "lines.0.lotId",
        ),
        (
            json!({"itemId": watch, "fromId": shop.tray, "quantity": 1}),
            "LOT_REQUIRED",
            "lines.0.lotId",
        ),
        (
            json!({"itemId": plain, "lotId": lot, "fromId": shop.tray, "quantity": 1}),
            "NOT_FOUND",
            "lines.0.lotId",
        ),
    ] {
        let refused = shop
            .manager
            .not_done("stockIssue", sold(json!([line])))
            .await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{line}");
    }
    let tracked = bought(
        json!([{"itemId": plain, "toId": shop.tray, "quantity": 1, "lot": {"number": "L"}}]),
    );
    assert_eq!(
        shop.manager.not_done("stockReceive", tracked).await,
        [("NOT_TRACKED".into(), "lines.0.lot".into())]
    );
    let both =
        bought(json!([{"itemId": watch, "toId": shop.tray, "lotId": lot, "serials": ["A"]}]));
    assert_eq!(
        shop.manager.not_done("stockReceive", both).await,
        [("EXCLUSIVE".into(), "lines.0.serials".into())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_first_is_first_and_what_is_called_back_is_not_sold() {
    let shop = Shop::open().await;
    let pill = shop.item("PILL", "LOT").await;
    for (number, day) in [
        ("L-LATE", Some("2126-12-31")),
        ("L-NEVER", None),
        ("L-SOON", Some("2126-01-01")),
        ("L-OVER", Some("2020-01-01")),
    ] {
        let lot = json!({"number": number, "expiresOn": day});
        let line = json!({"itemId": pill, "toId": shop.tray, "quantity": 10, "lot": lot});
        shop.manager
            .done("stockReceive", bought(json!([line])))
            .await;
    }
    let query = "query($item: ID!, $after: String) { lots(where: {itemIds: [$item], goodOn: \"2026-11-27\", inStock: true}, orderBy: EXPIRY, first: 2, after: $after) { \
                 nodes { id number } pageInfo { endCursor hasNextPage } } }";
    let first = shop.manager.ok(query, json!({"item": pill})).await["lots"].take();
    let numbers = |page: &Value| {
        page["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|lot| text(&lot["number"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(&first), ["L-SOON", "L-LATE"]);
    let rest = json!({"item": pill, "after": first["pageInfo"]["endCursor"]});
    let rest = shop.manager.ok(query, rest).await["lots"].take();
    assert_eq!(numbers(&rest), ["L-NEVER"]);
    let soon = &first["nodes"][0]["id"];
    let sale = |lot: &Value| {
        sold(json!([{"itemId": pill, "lotId": lot, "fromId": shop.tray, "quantity": 1}]))
    };
    shop.manager
        .done("lotUpdate", json!({"id": soon, "state": "QUARANTINED"}))
        .await;
    assert_eq!(
        shop.manager.not_done("stockIssue", sale(soon)).await,
        [("LOT_QUARANTINED".into(), "lines.0.lotId".into())]
    );
    let held = json!({"consumer": "cart", "lines": [{"itemId": pill, "lotId": soon, "locationId": shop.tray, "quantity": 1}]});
    assert_eq!(
        shop.manager.not_done("stockReserve", held).await[0].0,
        "LOT_QUARANTINED"
    );
    shop.manager
        .done("lotUpdate", json!({"id": soon, "state": "AVAILABLE"}))
        .await;
    shop.manager.done("stockIssue", sale(soon)).await;
    let over = "query($item: ID!) { lots(where: {itemIds: [$item], number: {eq: \"L-OVER\"}}) { nodes { id } } }";
    let over = shop.manager.ok(over, json!({"item": pill})).await["lots"]["nodes"][0]["id"].take();
    assert_eq!(
        shop.manager.not_done("stockIssue", sale(&over)).await,
        [("LOT_EXPIRED".into(), "lines.0.lotId".into())]
    );
    // It can still be thrown away.
    let thrown = json!({"reason": "EXPIRED", "lines": [{"itemId": pill, "lotId": over, "fromId": shop.tray, "quantity": 10}]});
    shop.manager.done("stockIssue", thrown).await;
    let same = json!({"number": "l-late", "expiresOn": "2126-12-30"});
    let differs = bought(json!([{"itemId": pill, "toId": shop.tray, "quantity": 1, "lot": same}]));
    assert_eq!(
        shop.manager.not_done("stockReceive", differs).await,
        [("LOT_DIFFERS".into(), "lines.0.lot.expiresOn".into())]
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_take_one_hallmark_id_one_gets_it() {
    let shop = Shop::open().await;
    let watch = shop.item("WATCH", "SERIAL").await;
    let input = |number: usize| {
        bought(
            json!([{"itemId": watch, "toId": shop.tray, "lot": {"number": format!("W-{number}"), "huid": "abc123"}}]),
        )
    };
    let answers =
        join_all((0..10).map(|number| shop.manager.change("stockReceive", input(number)))).await;
    let refused: Vec<_> = answers
        .iter()
        .flat_map(|answer| answer.user_errors())
        .collect();
    assert_eq!(refused.len(), 9);
    for error in refused {
        assert_eq!(
            (error.code.as_str(), error.path.as_str()),
            ("ALREADY_TAKEN", "lines.0.lot.huid")
        );
    }
    assert_eq!(shop.pieces(&watch, &shop.tray).await[0], "1");
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_serials_come_in_at_once_and_go_on() {
    let shop = Shop::open().await;
    let watch = shop.item("WATCH", "SERIAL").await;
    let range = json!({"first": "W-00001", "count": 10_000});
    let line =
        json!({"itemId": watch, "toId": shop.tray, "serialRange": range, "unitCost": "12.5"});
    let begun = Instant::now();
    let entry = shop
        .manager
        .done("stockReceive", bought(json!([line])))
        .await["entry"]
        .take();
    println!("10,000 serials: {:?}", begun.elapsed());
    assert_eq!(entry["lines"], 10_000);
    assert_eq!(entry["movements"]["nodes"][99]["lot"]["number"], "W-00100");
    let again = json!({"itemId": watch, "toId": shop.tray, "serialRange": {"first": "W-10000", "count": 2}});
    assert_eq!(
        shop.manager
            .not_done("stockReceive", bought(json!([again])))
            .await,
        [("SERIAL_ELSEWHERE".into(), "lines.0.lotId".into())]
    );
    assert_eq!(shop.pieces(&watch, &shop.tray).await[0], "10000");
    let undone = shop
        .manager
        .done("stockReverse", json!({"id": entry["id"]}))
        .await["entry"]
        .take();
    assert_eq!(undone["lines"], 10_000);
    shop.assert_levels_add_up().await;
}
