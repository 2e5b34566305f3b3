//! Items that are put away keep what is theirs, and come back, one or many.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::Shop;

/// Ids of so many new items.
async fn items(shop: &Shop, count: usize) -> Vec<Value> {
    let created = join_all(
        (0..count).map(async |n| shop.create(&format!("R-{n}"), json!({})).await["id"].take()),
    );
    created.await
}

fn rows(ids: &[Value]) -> Value {
    let rows: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    json!({ "rows": rows })
}

#[tokio::test(flavor = "multi_thread")]
async fn many_come_back_and_those_in_use_stay_as_they_are() {
    let shop = Shop::open().await;
    let ids = items(&shop, 3).await;
    shop.manager.done("itemsArchive", rows(&ids[..2])).await;
    let back = shop.manager.done("itemsRestore", rows(&ids)).await;
    let told: Vec<_> = back["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["item"]["version"].clone(),
                row["item"]["archivedAt"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (json!(3), Value::Null),
            (json!(3), Value::Null),
            (json!(1), Value::Null)
        ]
    );
    assert_eq!(shop.app.events_of("item.restore").await.len(), 2);
    let audited = "SELECT count(*) FROM audit WHERE action = 'item.restore'
                   AND before->>'archived_at' IS NOT NULL AND after->>'archived_at' IS NULL";
    assert_eq!(shop.app.count(audited).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_does_not_come_back_into_a_category_that_is_put_away() {
    let shop = Shop::open().await;
    let old = shop.manager.category("Old", None).await;
    let inside = shop.create("IN", json!({"categoryId": old})).await["id"].take();
    let other = shop.create("OTHER", json!({})).await["id"].take();
    let ids = [inside, other];
    shop.manager.done("itemsArchive", rows(&ids)).await;
    shop.manager
        .done("categoryArchive", json!({"id": old}))
        .await;
    assert_eq!(
        shop.manager.not_done("itemsRestore", rows(&ids)).await,
        [("ARCHIVED".into(), "rows.0.categoryId".into())]
    );
    assert_eq!(
        shop.manager
            .not_done("itemRestore", json!({"id": ids[0]}))
            .await,
        [("ARCHIVED".into(), "categoryId".into())]
    );
    let mut some = rows(&ids);
    some["policy"] = json!("REJECT_FAILED_ROWS");
    let answer = shop.manager.change("itemsRestore", some).await;
    assert_eq!(
        answer.refused(),
        [("ARCHIVED".into(), "rows.0.categoryId".into())]
    );
    assert_eq!(answer.data["itemsRestore"]["rows"][0]["row"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_rows_are_checked() {
    let shop = Shop::open().await;
    let ids = items(&shop, 1).await;
    shop.manager.done("itemsArchive", rows(&ids)).await;
    for (rows, expected) in [
        (
            json!([{"id": ids[0], "expectedVersion": 1}]),
            ("STALE_VERSION", "rows.0.expectedVersion"),
        ),
        (
            json!([{"id": ids[0]}, {"id": ids[0]}]),
            ("ALREADY_TAKEN", "rows.1.id"),
        ),
        (json!([{"id": "nonsense"}]), ("INVALID_FORMAT", "rows.0.id")),
    ] {
        let refused = shop
            .manager
            .not_done("itemsRestore", json!({"rows": rows}))
            .await;
        assert_eq!(refused, [(expected.0.to_owned(), expected.1.to_owned())]);
    }
}

/// So nothing can stand in the way when it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_away_keeps_its_sku_its_barcodes_and_its_reference() {
    let shop = Shop::open().await;
    let more = json!({"barcodes": ["B-1"], "externalReference": "ext"});
    let item = shop.create("R", more).await;
    shop.manager
        .done("itemArchive", json!({"id": item["id"]}))
        .await;
    for (sku, more, path) in [
        ("R", json!({}), "sku"),
        ("S", json!({"barcodes": ["B-1"]}), "barcodes"),
        (
            "S",
            json!({"externalReference": "ext"}),
            "externalReference",
        ),
    ] {
        let refused = shop
            .manager
            .not_done("itemCreate", shop.input(sku, more))
            .await;
        assert_eq!(refused, [("ALREADY_TAKEN".to_owned(), path.to_owned())]);
    }
    let back = shop
        .manager
        .done("itemRestore", json!({"id": item["id"]}))
        .await;
    assert_eq!(back["item"]["barcodes"], json!(["B-1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_put_away_and_bring_back_at_once_nobody_waits_for_ever() {
    let shop = Shop::open().await;
    let ids = items(&shop, 20).await;
    let reversed: Vec<_> = ids.iter().rev().cloned().collect();
    let rounds = (0..10).map(async |n| {
        let (mutation, ids) = if n % 2 == 0 {
            ("itemsArchive", &ids)
        } else {
            ("itemsRestore", &reversed)
        };
        shop.manager.done(mutation, rows(ids)).await
    });
    join_all(rounds).await;
    let away = "SELECT count(*) FROM item WHERE archived_at IS NOT NULL";
    assert!([0, 20].contains(&shop.app.count(away).await));
    let trail = "SELECT count(*) FROM item i WHERE i.version - 1 <>
                 (SELECT count(*) FROM audit a WHERE a.aggregate_id = i.id AND a.action <> 'item.create')";
    assert_eq!(shop.app.count(trail).await, 0);
}
