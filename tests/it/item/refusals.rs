//! What items are refused for.

use serde_json::{Value, json};
use tests::shop::{english, global_id};

use super::Shop;

fn unknown(kind: &str) -> String {
    global_id(kind, "01930000000070008000000000abcdef")
}

/// An object that nests as deep as no attribute needs to.
fn deep(levels: usize) -> Value {
    (0..levels).fold(json!("end"), |inner, _| json!({"a": inner}))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_is_checked() {
    let shop = Shop::open().await;
    shop.create(
        "TAKEN",
        json!({"barcodes": ["96385074"], "externalReference": "taken"}),
    )
    .await;
    let many_attributes: serde_json::Map<_, _> = (0..201)
        .map(|number| (format!("a{number}"), json!(number)))
        .collect();
    let many = |count: usize| {
        (0..count)
            .map(|number| format!("t{number}"))
            .collect::<Vec<_>>()
    };
    for (more, code, path) in [
        (json!({"sku": ""}), "REQUIRED", "sku"),
        (json!({"sku": "a b"}), "INVALID_FORMAT", "sku"),
        (json!({"sku": "A".repeat(65)}), "TOO_LONG", "sku"),
        (json!({"sku": "taken"}), "ALREADY_TAKEN", "sku"),
        (json!({"name": []}), "REQUIRED", "name"),
        (
            json!({"name": english(&"x".repeat(201))}),
            "TOO_LONG",
            "name.en",
        ),
        (
            json!({"description": english(&"x".repeat(10_001))}),
            "TOO_LONG",
            "description.en",
        ),
        (
            json!({"categoryId": unknown("Category")}),
            "NOT_FOUND",
            "categoryId",
        ),
        (
            json!({"categoryId": unknown("Item")}),
            "INVALID_FORMAT",
            "categoryId",
        ),
        (
            json!({"unitId": unknown("UnitOfMeasure")}),
            "NOT_FOUND",
            "unitId",
        ),
        (
            json!({"unitId": unknown("Category")}),
            "INVALID_FORMAT",
            "unitId",
        ),
        (
            json!({"price": {"amount": "1", "currency": "EURO"}}),
            "INVALID_FORMAT",
            "price.currency",
        ),
        (json!({"attributes": []}), "INVALID_FORMAT", "attributes"),
        (
            json!({"attributes": {"weight": 3.5}}),
            "INVALID_FORMAT",
            "attributes.weight",
        ),
        (
            json!({"attributes": {"a": [{"b": 1.25}]}}),
            "INVALID_FORMAT",
            "attributes.a",
        ),
        (
            json!({"attributes": {"a": "x\u{0}y"}}),
            "INVALID_FORMAT",
            "attributes.a",
        ),
        (
            json!({"attributes": {"a\u{0}b": "x"}}),
            "INVALID_FORMAT",
            "attributes",
        ),
        (
            json!({"attributes": many_attributes}),
            "TOO_MANY",
            "attributes",
        ),
        (
            json!({"attributes": {"a": "x".repeat(40_000)}}),
            "TOO_LONG",
            "attributes",
        ),
        (json!({"tags": many(51)}), "TOO_MANY", "tags"),
        (json!({"tags": ["x".repeat(51)]}), "TOO_LONG", "tags.0"),
        (json!({"tags": [""]}), "REQUIRED", "tags.0"),
        (json!({"barcodes": many(21)}), "TOO_MANY", "barcodes"),
        (
            json!({"barcodes": ["4006381333930"]}),
            "INVALID_CHECK_DIGIT",
            "barcodes.0",
        ),
        (
            json!({"barcodes": ["A", "A"]}),
            "ALREADY_TAKEN",
            "barcodes.1",
        ),
        (
            json!({"barcodes": ["۹۶۳۸۵۰۷۴"]}),
            "ALREADY_TAKEN",
            "barcodes",
        ),
        (
            json!({"externalReference": "taken"}),
            "ALREADY_TAKEN",
            "externalReference",
        ),
    ] {
        let refused = shop
            .manager
            .not_done("itemCreate", shop.input("NEW", more.clone()))
            .await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{more}");
    }
    let list = shop
        .manager
        .ok("{ items { nodes { sku } } }", json!({}))
        .await;
    assert_eq!(
        list["items"]["nodes"],
        json!([{"sku": "TAKEN"}]),
        "nothing was half done"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_a_price_with_many_digits_is_not_rounded_silently() {
    let shop = Shop::open().await;
    let input = shop.input(
        "P",
        json!({"price": {"amount": "0.12345678901234567890123456789012345", "currency": "EUR"}}),
    );
    let answer = shop.manager.change("itemCreate", input).await;
    assert!(
        !answer.errors.is_empty() || !answer.user_errors().is_empty(),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deeply_nested_attributes_are_survived() {
    let shop = Shop::open().await;
    for levels in [30, 120, 1_000] {
        let answer = shop
            .manager
            .change(
                "itemCreate",
                shop.input(
                    &format!("D-{levels}"),
                    json!({"attributes": {"a": deep(levels)}}),
                ),
            )
            .await;
        assert!(
            !answer.codes().contains(&"INTERNAL"),
            "{levels} levels: {answer:?}"
        );
    }
    shop.create("STILL-HERE", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_is_said_at_once() {
    let shop = Shop::open().await;
    let more =
        json!({"name": english(""), "tags": [""], "price": {"amount": "-1", "currency": "EUR"}});
    let refused = shop
        .manager
        .not_done("itemCreate", shop.input("a b", more))
        .await;
    let paths: Vec<_> = refused.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(paths, ["sku", "name.en", "price.amount", "tags.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_lead_nowhere_and_old_versions_are_refused_by_every_mutation() {
    let shop = Shop::open().await;
    let item = shop.create("RING-1", json!({})).await;
    for mutation in ["itemUpdate", "itemArchive", "itemRestore"] {
        for (id, version, code, path) in [
            (json!(unknown("Item")), 1, "NOT_FOUND", "id"),
            (json!(unknown("Category")), 1, "INVALID_FORMAT", "id"),
            (item["id"].clone(), 7, "STALE_VERSION", "expectedVersion"),
        ] {
            let refused = shop
                .manager
                .not_done(mutation, json!({"id": id, "expectedVersion": version}))
                .await;
            assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{mutation}");
        }
    }
}
