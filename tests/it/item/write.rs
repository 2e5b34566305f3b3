//! Creating and changing items.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{app::TestApp, shop::english};

use super::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_created_as_it_was_described() {
    let shop = Shop::open().await;
    let attributes = json!({"fineness": "750", "stones": 3, "cut": {"shape": "round", "sides": [1, 2]}, "certified": true, "note": null});
    let more = json!({
        "kind": "SERVICE",
        "tracking": "SERIAL",
        "description": english("A ring of gold."),
        "price": {"amount": "1250000.50", "currency": "irr"},
        "attributes": attributes,
        "tags": ["New", "gold", "gold "],
        "barcodes": ["4006381333931", "R-1"],
        "externalReference": "ext-1",
    });
    let item = shop.create(" ring-۱ ", more).await;
    let expected = json!({
        "id": item["id"],
        "kind": "SERVICE",
        "sku": "RING-1",
        "name": " ring-۱ ".trim(),
        "description": "A ring of gold.",
        "tracking": "SERIAL",
        "price": {"amount": "1250000.5", "currency": "IRR"},
        "attributes": attributes,
        "tags": ["gold", "new"],
        "barcodes": ["4006381333931", "R-1"],
        "images": [],
        "primaryImage": null,
        "externalReference": "ext-1",
        "archivedAt": null,
        "version": 1,
        "category": {"id": shop.category},
        "unit": {"id": shop.unit},
    });
    assert_eq!(item, expected);
    let query = "query($by: ItemBy!) { item(by: $by) { id } }";
    for by in [
        json!({"id": item["id"]}),
        json!({"sku": "RING-1"}),
        json!({"externalReference": "ext-1"}),
    ] {
        assert_eq!(
            shop.manager.ok(query, json!({"by": by})).await["item"]["id"],
            item["id"],
            "{by}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_needs_little_and_has_sensible_defaults() {
    let shop = Shop::open().await;
    let item = shop.create("RING-1", json!({})).await;
    let found = (
        &item["kind"],
        &item["tracking"],
        &item["price"],
        &item["attributes"],
        &item["description"],
    );
    assert_eq!(
        found,
        (
            &json!("GOODS"),
            &json!("NONE"),
            &Value::Null,
            &json!({}),
            &json!("")
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_keep_what_is_absent_and_clear_what_is_null() {
    let shop = Shop::open().await;
    let price = json!({"amount": "10", "currency": "EUR"});
    let item = shop.create("RING-1", json!({"price": price, "externalReference": "ext-1", "tags": ["a"], "barcodes": ["B-1"]})).await;
    let tools = shop.manager.category("Tools", None).await;
    let change = json!({"id": item["id"], "categoryId": tools, "name": english("Band"), "externalReference": null, "barcodes": ["B-2", "B-1"]});
    let changed = shop.manager.done("itemUpdate", change).await["item"].take();
    let found = (
        &changed["name"],
        &changed["category"]["id"],
        &changed["externalReference"],
        &changed["barcodes"],
    );
    assert_eq!(
        found,
        (
            &json!("Band"),
            &json!(tools),
            &Value::Null,
            &json!(["B-2", "B-1"])
        )
    );
    assert_eq!(
        (&changed["price"], &changed["tags"], &changed["sku"]),
        (&price, &json!(["a"]), &json!("RING-1"))
    );
    assert_eq!(changed["version"], json!(2));
    let changed = shop
        .manager
        .done(
            "itemUpdate",
            json!({"id": item["id"], "price": null, "tags": [], "barcodes": []}),
        )
        .await["item"]
        .take();
    assert_eq!(
        (&changed["price"], &changed["tags"], &changed["barcodes"]),
        (&Value::Null, &json!([]), &json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_exact() {
    let shop = Shop::open().await;
    for (number, (given, kept)) in [
        ("0.1", "0.1"),
        ("0.10", "0.1"),
        ("0", "0"),
        ("0.000001", "0.000001"),
        ("999999999999999999", "999999999999999999"),
        ("99999999999999999.999999", "99999999999999999.999999"),
        ("123456789012345678", "123456789012345678"),
        ("100", "100"),
    ]
    .into_iter()
    .enumerate()
    {
        let item = shop
            .create(
                &format!("P-{number}"),
                json!({"price": {"amount": given, "currency": "EUR"}}),
            )
            .await;
        assert_eq!(item["price"]["amount"], json!(kept), "given as {given}");
    }
    for (amount, code) in [
        ("-1", "OUT_OF_RANGE"),
        ("0.0000001", "OUT_OF_RANGE"),
        ("1000000000000000000", "OUT_OF_RANGE"),
    ] {
        let input = shop.input("P", json!({"price": {"amount": amount, "currency": "EUR"}}));
        assert_eq!(
            shop.manager.not_done("itemCreate", input).await,
            [(code.to_owned(), "price.amount".to_owned())],
            "{amount}"
        );
    }
    for amount in [json!(0.1), json!("ten"), json!("1e400")] {
        let input = shop.input("P", json!({"price": {"amount": amount, "currency": "EUR"}}));
        let answer = shop.manager.change("itemCreate", input).await;
        assert_eq!(
            answer.codes(),
            ["BAD_USER_INPUT"],
            "{amount}: a price is a string with an exact number"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_items_are_put_away_until_they_are_restored() {
    let shop = Shop::open().await;
    let item = shop.create("RING-1", json!({})).await;
    let id = json!({"id": item["id"]});
    let archived = shop.manager.done("itemArchive", id.clone()).await["item"].take();
    assert!(archived["archivedAt"].is_string());
    assert_eq!(
        shop.manager.done("itemArchive", id.clone()).await["item"],
        archived,
        "again changes nothing"
    );
    let refused = shop
        .manager
        .not_done(
            "itemUpdate",
            json!({"id": item["id"], "name": english("Band")}),
        )
        .await;
    assert_eq!(refused, [("ARCHIVED".into(), "id".into())]);
    let list = shop
        .manager
        .ok(
            "{ items { nodes { sku } totalCount { count exact } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        list["items"],
        json!({"nodes": [], "totalCount": {"count": 0, "exact": true}})
    );
    let restored = shop.manager.done("itemRestore", id).await["item"].take();
    assert_eq!(
        (&restored["archivedAt"], &restored["version"]),
        (&Value::Null, &json!(3))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_take_one_sku_one_gets_it() {
    let shop = Shop::open().await;
    let inputs = (0..10)
        .map(|number| shop.input(if number % 2 == 0 { "RING-1" } else { "ring-۱" }, json!({})));
    let answers = join_all(inputs.map(|input| shop.manager.change("itemCreate", input))).await;
    let refused: Vec<_> = answers
        .iter()
        .flat_map(|answer| answer.user_errors())
        .collect();
    assert_eq!(refused.len(), 9);
    assert!(
        refused
            .iter()
            .all(|error| error.code == "ALREADY_TAKEN" && error.path == "sku"),
        "{refused:?}"
    );
    let list = shop
        .manager
        .ok("{ items { totalCount { count } } }", json!({}))
        .await;
    assert_eq!(list["items"]["totalCount"]["count"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_expect_the_same_version_one_succeeds() {
    let shop = Shop::open().await;
    let item = shop.create("RING-1", json!({})).await;
    let inputs = (0..10).map(|number| json!({"id": item["id"], "name": english(&format!("Ring {number}")), "expectedVersion": 1}));
    let answers = join_all(inputs.map(|input| shop.manager.change("itemUpdate", input))).await;
    let stale = answers
        .iter()
        .flat_map(|answer| answer.user_errors())
        .filter(|error| error.code == "STALE_VERSION")
        .count();
    assert_eq!(stale, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_kept_to_the_last_digit_or_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Gold", None).await;
    let item = manager.item("BAR", &category).await;
    let price = async |amount: Value| {
        let input = json!({"id": item, "price": {"amount": amount, "currency": "EUR"}});
        manager
            .gql(
                "mutation($input: ItemUpdateInput!) { itemUpdate(input: $input) { item { price { amount } } userErrors { code path } } }",
                json!({"input": input}),
            )
            .await
    };
    for (amount, kept) in [
        (json!("1234567890123.45"), "1234567890123.45"),
        (json!(1_234_567_890_123_i64), "1234567890123"),
    ] {
        let data = price(amount).await.ok();
        assert_eq!(data["itemUpdate"]["item"]["price"]["amount"], kept);
    }
    let answer = price(json!(0.1)).await;
    assert!(answer.data["itemUpdate"].is_null());
    let message = answer.errors[0]["message"].as_str().unwrap();
    assert!(message.contains("send decimals as strings"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_mutation_of_a_request_sees_what_an_earlier_one_did() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Before", None).await;
    let item = manager.item("RING", &category).await;
    let query = "mutation($item: ItemUpdateInput!, $category: CategoryUpdateInput!) {
        first: itemUpdate(input: $item) { item { category { name } } }
        between: categoryUpdate(input: $category) { category { name } }
        last: itemUpdate(input: $item) { item { category { name } } }
    }";
    let variables = json!({
        "item": {"id": item, "tags": ["x"]},
        "category": {"id": category, "name": english("After")},
    });
    let data = manager.ok(query, variables).await;
    assert_eq!(data["first"]["item"]["category"]["name"], "Before");
    assert_eq!(data["between"]["category"]["name"], "After");
    assert_eq!(data["last"]["item"]["category"]["name"], "After");
}
