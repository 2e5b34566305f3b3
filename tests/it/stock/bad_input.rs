//! What cannot be: each is refused with where and why, and nothing is moved.

use sea_orm::sqlx;
use serde_json::{Value, json};

use super::{Shop, bought, line, sold};

/// Code and path of the only refusal.
async fn refused(shop: &Shop, mutation: &str, input: Value) -> (String, String) {
    let mut refusals = shop.manager.not_done(mutation, input).await;
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    refusals.remove(0)
}

fn pair(code: &str, path: &str) -> (String, String) {
    (code.to_owned(), path.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn quantities_are_more_than_nothing_and_no_finer_than_they_can_be() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    for (quantity, code) in [
        ("0", "OUT_OF_RANGE"),
        ("-1", "OUT_OF_RANGE"),
        ("1.5", "NOT_WHOLE"),
        ("1.0000001", "TOO_FINE"),
        ("1.00000000000000000001", "TOO_FINE"),
        ("99999999999999", "OUT_OF_RANGE"),
    ] {
        let issue = sold(json!([{"itemId": ring, "fromId": shop.tray, "quantity": quantity}]));
        assert_eq!(
            refused(&shop, "stockIssue", issue).await,
            pair(code, "lines.0.quantity"),
            "{quantity}"
        );
    }
    let none = sold(json!([{"itemId": ring, "fromId": shop.tray}]));
    assert_eq!(
        refused(&shop, "stockIssue", none).await,
        pair("REQUIRED", "lines.0.quantity")
    );
    assert_eq!(
        refused(&shop, "stockIssue", sold(json!([]))).await,
        pair("REQUIRED", "lines")
    );
    let many: Vec<_> = (0..1_001).map(|_| line(&ring, &shop.tray, 1)).collect();
    assert_eq!(
        refused(&shop, "stockIssue", sold(json!(many))).await,
        pair("TOO_MANY", "lines")
    );
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_open_and_of_the_right_kind() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let of = async |code: &str| {
        let query = "query($code: String!) { location(by: {code: $code}) { id } }";
        shop.manager.ok(query, json!({"code": code})).await["location"]["id"].take()
    };
    let customer = of("CUSTOMER").await;
    let move_to = |to: &Value| json!({"lines": [{"itemId": ring, "fromId": shop.tray, "toId": to, "quantity": 1}]});
    assert_eq!(
        refused(&shop, "stockMove", move_to(&customer)).await,
        pair("WRONG_LOCATION", "lines.0.toId")
    );
    assert_eq!(
        refused(&shop, "stockMove", move_to(&json!(shop.tray))).await,
        pair("WRONG_LOCATION", "lines.0.toId")
    );
    let mut issue = sold(json!([line(&ring, &shop.tray, 1)]));
    issue["toId"] = json!(shop.safe);
    assert_eq!(
        refused(&shop, "stockIssue", issue).await,
        pair("WRONG_LOCATION", "lines.0.toId")
    );
    let mut receive = bought(json!([{"itemId": ring, "toId": customer, "quantity": 1}]));
    assert_eq!(
        refused(&shop, "stockReceive", receive.clone()).await,
        pair("WRONG_LOCATION", "lines.0.toId")
    );
    receive["fromId"] = json!(shop.safe);
    receive["lines"][0]["toId"] = json!(shop.tray);
    assert_eq!(
        refused(&shop, "stockReceive", receive).await,
        pair("WRONG_LOCATION", "lines.0.fromId")
    );
    shop.manager
        .done("locationArchive", json!({"id": shop.safe}))
        .await;
    assert_eq!(
        refused(&shop, "stockMove", move_to(&json!(shop.safe))).await,
        pair("ARCHIVED", "lines.0.toId")
    );
    // What lies in a place keeps it open.
    assert_eq!(
        refused(&shop, "locationArchive", json!({"id": shop.tray})).await,
        pair("NOT_EMPTY", "id")
    );
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_places_are_kept() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let watches = shop.manager.category("Watches", None).await;
    let showcase = json!({"id": shop.safe, "categoryIds": [watches], "capacity": "5"});
    shop.manager.done("locationUpdate", showcase).await;
    let receive = |item: &str, quantity: i64| {
        bought(json!([{"itemId": item, "toId": shop.safe, "quantity": quantity}]))
    };
    assert_eq!(
        refused(&shop, "stockReceive", receive(&ring, 1)).await,
        pair("CATEGORY_NOT_KEPT", "lines.0.toId")
    );
    let watch = shop.manager.item_kept("WATCH", &watches, "NONE").await;
    assert_eq!(
        refused(&shop, "stockReceive", receive(&watch, 6)).await,
        pair("LOCATION_FULL", "lines.0.toId")
    );
    shop.manager.done("stockReceive", receive(&watch, 5)).await;
    assert_eq!(
        refused(&shop, "stockReceive", receive(&watch, 1)).await,
        pair("LOCATION_FULL", "lines.0.toId")
    );
    // Where less than nothing may lie, more can leave than is there; and then it cannot be taken back.
    let negative = |allowed: bool| json!({"id": shop.tray, "negativeAllowed": allowed});
    shop.manager.done("locationUpdate", negative(true)).await;
    shop.manager
        .done("stockIssue", sold(json!([line(&ring, &shop.tray, 3)])))
        .await;
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "-3");
    assert_eq!(
        refused(&shop, "locationUpdate", negative(false)).await,
        pair("IN_USE", "negativeAllowed")
    );
    shop.manager.receive(&ring, &shop.tray, 3).await;
    shop.manager.done("locationUpdate", negative(false)).await;
    assert_eq!(
        refused(
            &shop,
            "stockIssue",
            sold(json!([line(&ring, &shop.tray, 1)]))
        )
        .await
        .0,
        "INSUFFICIENT_STOCK"
    );
    shop.assert_levels_add_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_stay_as_they_are_stocked() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 1).await;
    let gram = shop.manager.unit("gram").await;
    for (field, value) in [
        ("tracking", json!("SERIAL")),
        ("unitId", json!(gram)),
        ("kind", json!("SERVICE")),
    ] {
        let change = json!({"id": ring, field: value});
        assert_eq!(
            refused(&shop, "itemUpdate", change.clone()).await,
            pair("IN_USE", field)
        );
        let rows = json!({"rows": [change]});
        assert_eq!(
            refused(&shop, "itemsUpdate", rows).await,
            pair("IN_USE", &format!("rows.0.{field}"))
        );
    }
    assert_eq!(
        refused(
            &shop,
            "itemStockingSet",
            json!({"itemId": ring, "isWeighed": true})
        )
        .await,
        pair("IN_USE", "isWeighed")
    );
    let unit = shop.manager.unit("piece").await;
    let service = json!({"sku": "POLISH", "name": tests::shop::english("Polish"), "categoryId": shop.category, "unitId": unit, "kind": "SERVICE"});
    let service = shop.manager.done("itemCreate", service).await["item"]["id"].take();
    let receive = bought(json!([{"itemId": service, "toId": shop.tray, "quantity": 1}]));
    assert_eq!(
        refused(&shop, "stockReceive", receive).await,
        pair("WITHOUT_STOCK", "lines.0.itemId")
    );
    let nothing = tests::shop::global_id("Item", "01930000000070008000000000abcdef");
    let receive = bought(json!([{"itemId": nothing, "toId": shop.tray, "quantity": 1}]));
    assert_eq!(
        refused(&shop, "stockReceive", receive).await,
        pair("NOT_FOUND", "lines.0.itemId")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_for_one_request_and_closed_periods_stay_as_they_are() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    let mut issue = sold(json!([line(&ring, &shop.tray, 1)]));
    issue["idempotencyKey"] = json!("K");
    shop.manager.done("stockIssue", issue.clone()).await;
    shop.manager.done("stockIssue", issue.clone()).await;
    issue["lines"][0]["quantity"] = json!("2");
    assert_eq!(
        refused(&shop, "stockIssue", issue).await,
        pair("IDEMPOTENCY_KEY_REUSED", "idempotencyKey")
    );
    assert_eq!(shop.pieces(&ring, &shop.tray).await[0], "9");
    let close = "INSERT INTO stock_closing (closed_until, changed_at) VALUES ('2026-03-20', now())";
    sqlx::query(close).execute(shop.app.sql()).await.unwrap();
    let mut back = bought(json!([{"itemId": ring, "toId": shop.tray, "quantity": 1}]));
    back["effectiveAt"] = json!("2026-03-19T12:00:00Z");
    assert_eq!(
        refused(&shop, "stockReceive", back.clone()).await,
        pair("PERIOD_CLOSED", "effectiveAt")
    );
    back["effectiveAt"] = json!("2126-03-19T12:00:00Z");
    assert_eq!(
        refused(&shop, "stockReceive", back).await,
        pair("TIME_OUT_OF_RANGE", "effectiveAt")
    );
}
