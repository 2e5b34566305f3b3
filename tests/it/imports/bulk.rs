//! Up to a thousand items in one mutation, each row with errors of its own.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Shop, row};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_items_are_created_changed_and_put_away() {
    let shop = Shop::open().await;
    let unit = shop.manager.unit("piece").await;
    let rows: Vec<_> = (0..1000)
        .map(|n| {
            row(
                &shop,
                &unit,
                &format!("R-{n}"),
                json!({"barcodes": [format!("B{n}")]}),
            )
        })
        .collect();
    let created = shop
        .manager
        .done("itemsCreate", json!({"rows": rows}))
        .await;
    let done = created["rows"].as_array().unwrap();
    assert_eq!(done.len(), 1000);
    assert_eq!(
        (&done[7]["row"], &done[7]["item"]["sku"]),
        (&json!(7), &json!("R-7"))
    );
    assert_eq!(shop.app.events_of("item.create").await.len(), 1000);
    let audited =
        "SELECT count(*) FROM audit WHERE action = 'item.create' AND actor_name = 'Test manager'";
    assert_eq!(shop.app.count(audited).await, 1000);
    let codes = "SELECT count(*) FROM job WHERE kind = 'item.render_code'";
    assert_eq!(shop.app.count(codes).await, 1000);

    let ids: Vec<_> = done.iter().map(|row| row["itemId"].clone()).collect();
    let tags = json!(["5\" of {gold}, \\ or \\\"", "null"]);
    let changes: Vec<_> = ids
        .iter()
        .map(|id| json!({"id": id, "tags": tags, "expectedVersion": 1}))
        .collect();
    let changed = shop
        .manager
        .done("itemsUpdate", json!({"rows": changes}))
        .await;
    assert_eq!(changed["rows"][999]["item"]["version"], 2);
    let before = "SELECT count(*) FROM audit WHERE action = 'item.update' AND before->>'version' = '1' AND after->>'version' = '2'";
    assert_eq!(shop.app.count(before).await, 1000);
    // What is so already is left alone.
    let rows: Vec<_> = ids
        .iter()
        .map(|id| json!({"id": id, "tags": tags}))
        .collect();
    let again = shop
        .manager
        .done("itemsUpdate", json!({"rows": rows}))
        .await;
    assert_eq!(again["rows"][0]["item"]["version"], 2);

    let rows: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    let away = shop
        .manager
        .done("itemsArchive", json!({"rows": rows}))
        .await;
    assert!(away["rows"][0]["item"]["archivedAt"].is_string());
    assert_eq!(shop.app.events_of("item.archive").await.len(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_take_all_with_them_or_only_themselves() {
    let shop = Shop::open().await;
    let unit = shop.manager.unit("piece").await;
    shop.manager
        .done(
            "itemsCreate",
            json!({"rows": [row(&shop, &unit, "OLD", json!({"barcodes": ["X"]}))]}),
        )
        .await;
    let rows = json!([
        row(&shop, &unit, "A", json!({"barcodes": ["Y"]})),
        row(&shop, &unit, "old", json!({})),
        row(&shop, &unit, "B", json!({"barcodes": ["X"]})),
        row(&shop, &unit, "C", json!({"barcodes": ["Y"]})),
        row(&shop, &unit, "a", json!({})),
        row(&shop, &unit, "D", json!({"categoryId": "nonsense"})),
        row(&shop, &unit, "E", json!({"name": []})),
        row(
            &shop,
            &unit,
            "F",
            json!({"unitId": tests::shop::global_id("UnitOfMeasure", "01930000000070008000000000abcdef")})
        ),
        row(&shop, &unit, "G", json!({}))
    ]);
    let refusals: Vec<(String, String)> = [
        ("ALREADY_TAKEN", "rows.1.sku"),
        ("ALREADY_TAKEN", "rows.2.barcodes.0"),
        ("ALREADY_TAKEN", "rows.3.barcodes.0"),
        ("ALREADY_TAKEN", "rows.4.sku"),
        ("INVALID_FORMAT", "rows.5.categoryId"),
        ("REQUIRED", "rows.6.name"),
        ("NOT_FOUND", "rows.7.unitId"),
    ]
    .map(|(code, path)| (code.to_owned(), path.to_owned()))
    .into();
    let all = shop
        .manager
        .not_done("itemsCreate", json!({"rows": rows}))
        .await;
    assert_eq!(all, refusals);
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 1);
    let some = json!({"rows": rows, "policy": "REJECT_FAILED_ROWS", "idempotencyKey": "k"});
    let first = shop.manager.change("itemsCreate", some.clone()).await;
    assert_eq!(first.refused(), refusals);
    let done: Vec<_> = first.data["itemsCreate"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["row"].as_i64().unwrap())
        .collect();
    assert_eq!(done, [0, 8]);
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 3);
    // The same request again gets the same answer, errors included.
    let again = shop.manager.change("itemsCreate", some.clone()).await;
    assert_eq!((&again.data, again.refused()), (&first.data, refusals));
    // Another one does not, though it differs in nothing but a row that means nothing.
    let mut other = some;
    other["rows"][5]["categoryId"] = json!("other nonsense");
    let other = shop.manager.change("itemsCreate", other).await.refused();
    assert_eq!(
        other,
        [(
            "IDEMPOTENCY_KEY_REUSED".to_owned(),
            "idempotencyKey".to_owned()
        )]
    );
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_refused_row_by_row() {
    let shop = Shop::open().await;
    let unit = shop.manager.unit("piece").await;
    let rows = ["A", "B", "C"].map(|sku| row(&shop, &unit, sku, json!({})));
    let made = shop
        .manager
        .done("itemsCreate", json!({"rows": rows}))
        .await;
    let id = |index: usize| made["rows"][index]["itemId"].clone();
    shop.manager.done("itemArchive", json!({"id": id(2)})).await;
    let none = tests::shop::global_id("Item", "01930000000070008000000000abcdef");
    let rows = json!([
        {"id": id(0), "sku": "A2"},
        {"id": id(0), "sku": "A3"},
        {"id": id(1), "expectedVersion": 7},
        {"id": id(2), "tags": []},
        {"id": none},
        {"id": "nonsense"}
    ]);
    let input = json!({"rows": rows, "policy": "REJECT_FAILED_ROWS"});
    let answer = shop.manager.change("itemsUpdate", input).await;
    let expected: Vec<(String, String)> = [
        ("ALREADY_TAKEN", "rows.1.id"),
        ("STALE_VERSION", "rows.2.expectedVersion"),
        ("ARCHIVED", "rows.3.id"),
        ("NOT_FOUND", "rows.4.id"),
        ("INVALID_FORMAT", "rows.5.id"),
    ]
    .map(|(code, path)| (code.to_owned(), path.to_owned()))
    .into();
    assert_eq!(answer.refused(), expected);
    assert_eq!(shop.item("A2").await["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_thousand_rows_are_too_many() {
    let shop = Shop::open().await;
    let rows = vec![json!({"id": shop.rings}); 1001];
    let refused = shop
        .manager
        .not_done("itemsArchive", json!({"rows": rows}))
        .await;
    assert_eq!(refused, [("TOO_MANY".to_owned(), "rows".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_who_create_the_same_items_at_once_create_them_once() {
    let shop = Shop::open().await;
    let unit = shop.manager.unit("piece").await;
    let rows: Vec<_> = (0..50)
        .map(|n| row(&shop, &unit, &format!("R-{n}"), json!({})))
        .collect();
    let mut backwards = rows.clone();
    backwards.reverse();
    let input = |turn: usize| {
        let rows = if turn.is_multiple_of(2) {
            &rows
        } else {
            &backwards
        };
        json!({"rows": rows, "policy": "REJECT_FAILED_ROWS"})
    };
    let singles = (0..50).map(|n| {
        let input = row(&shop, &unit, &format!("R-{n}"), json!({}));
        shop.manager.change("itemCreate", input)
    });
    let many = (0..10).map(|turn| shop.manager.change("itemsCreate", input(turn)));
    let (many, singles) = tokio::join!(join_all(many), join_all(singles));
    let of_many: usize = many
        .iter()
        .map(|answer| {
            assert!(answer.errors.is_empty(), "{answer:?}");
            answer.data["itemsCreate"]["rows"].as_array().unwrap().len()
        })
        .sum();
    let of_singles = singles
        .iter()
        .filter(|answer| answer.data["itemCreate"]["item"] != Value::Null)
        .count();
    assert_eq!(of_many + of_singles, 50);
    assert_eq!(shop.app.count("SELECT count(*) FROM item").await, 50);
}
