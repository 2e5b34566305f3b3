//! Pricing models, and the fixed price that an item may have instead.

use sea_orm::sqlx;
use serde_json::{Value, json};

use super::{by_weight, priced, ring};
use crate::item::Shop;

const PRICING: &str = "query($id: ID!) { item(by: {id: $id}) { price { amount currency } pricing {
    __typename
    ... on FixedPricing { price { amount currency } }
    ... on WeightBasedPricing { currency profitPercent minimumPrice }
    ... on TimeBasedPricing { currency rate unit minimumDuration step }
    ... on FormulaPricing { currency text }
} } }";

async fn pricing(shop: &Shop, item: &Value) -> Value {
    shop.manager.ok(PRICING, json!({"id": item["id"]})).await["item"].take()
}

async fn change(shop: &Shop, item: &Value, more: Value) {
    let mut input = json!({"id": item["id"]});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    shop.manager.done("itemUpdate", input).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_model_is_kept_as_it_was_given() {
    let shop = Shop::open().await;
    for (number, (given, kept)) in [
        (
            json!({"fixed": {"amount": "12.50", "currency": "eur"}}),
            json!({"__typename": "FixedPricing", "price": {"amount": "12.5", "currency": "EUR"}}),
        ),
        (
            json!({"weightBased": {"currency": "irr", "profitPercent": "7.00", "minimumPrice": "1000000"}}),
            json!({"__typename": "WeightBasedPricing", "currency": "IRR", "profitPercent": "7", "minimumPrice": "1000000"}),
        ),
        (
            json!({"timeBased": {"currency": "EUR", "rate": "60", "unit": "HOUR", "minimumDuration": "1", "step": "0.25"}}),
            json!({"__typename": "TimeBasedPricing", "currency": "EUR", "rate": "60", "unit": "HOUR", "minimumDuration": "1", "step": "0.25"}),
        ),
        (
            json!({"formula": {"currency": "EUR", "text": " net_weight  * 2 "}}),
            json!({"__typename": "FormulaPricing", "currency": "EUR", "text": "net_weight * 2"}),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let item = shop.create(&format!("I-{number}"), json!({"pricing": given})).await;
        let found = pricing(&shop, &item).await;
        assert_eq!(found["pricing"], kept);
        assert_eq!(found["price"], kept["price"], "only a fixed price is one");
    }
    let without = shop.create("NOTHING", json!({})).await;
    assert_eq!(
        pricing(&shop, &without).await,
        json!({"price": null, "pricing": null})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_has_a_fixed_price_or_a_model() {
    let shop = Shop::open().await;
    let item = priced(&shop, "RING-1", ring(), by_weight()).await;
    let euros = json!({"amount": "10", "currency": "EUR"});
    for (more, expected) in [
        (json!({"price": euros}), "FixedPricing"),
        (json!({"pricing": by_weight()}), "WeightBasedPricing"),
        (json!({"price": null}), "WeightBasedPricing"),
        (json!({"pricing": {"fixed": euros}}), "FixedPricing"),
        (
            json!({"pricing": {"formula": {"currency": "EUR", "text": "1"}}}),
            "FormulaPricing",
        ),
    ] {
        change(&shop, &item, more.clone()).await;
        let found = pricing(&shop, &item).await;
        assert_eq!(found["pricing"]["__typename"], expected, "{more}");
        assert_eq!(
            found["price"].is_null(),
            expected != "FixedPricing",
            "{more}"
        );
    }
    change(&shop, &item, json!({"pricing": null})).await;
    assert_eq!(
        pricing(&shop, &item).await,
        json!({"price": null, "pricing": null})
    );
    let both = json!({"id": item["id"], "price": euros, "pricing": by_weight()});
    let refused = shop.manager.not_done("itemUpdate", both).await;
    assert_eq!(refused, [("EXCLUSIVE".to_owned(), "pricing".to_owned())]);
    let both = shop.input("RING-2", json!({"price": euros, "pricing": by_weight()}));
    let refused = shop.manager.not_done("itemCreate", both).await;
    assert_eq!(refused, [("EXCLUSIVE".to_owned(), "pricing".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_fixed_prices_as_before() {
    let shop = Shop::open().await;
    let euros = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    shop.create("FIXED-1", json!({"price": euros("10")})).await;
    shop.create("FIXED-2", json!({"pricing": {"fixed": euros("20")}}))
        .await;
    priced(&shop, "RING-1", ring(), by_weight()).await;
    let skus = async |filter: Value| {
        let query = "query($where: ItemWhere) { items(where: $where) { nodes { sku } } }";
        let mut found = shop
            .manager
            .ok(query, json!({"where": {"price": filter}}))
            .await;
        found["items"]["nodes"].take()
    };
    let found = skus(json!({"range": {"min": "15"}})).await;
    assert_eq!(found, json!([{"sku": "FIXED-2"}]));
    assert_eq!(
        skus(json!({"isNull": true})).await,
        json!([{"sku": "RING-1"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_pricing_is_refused_with_its_path() {
    let shop = Shop::open().await;
    for (pricing, code, path) in [
        (
            json!({"fixed": {"amount": "-1", "currency": "EUR"}}),
            "OUT_OF_RANGE",
            "pricing.fixed.amount",
        ),
        (
            json!({"weightBased": {"currency": "EURO", "profitPercent": "1"}}),
            "INVALID_FORMAT",
            "pricing.weightBased.currency",
        ),
        (
            json!({"weightBased": {"currency": "EUR", "profitPercent": "-1"}}),
            "OUT_OF_RANGE",
            "pricing.weightBased.profitPercent",
        ),
        (
            json!({"weightBased": {"currency": "EUR", "profitPercent": "1", "minimumPrice": "-1"}}),
            "OUT_OF_RANGE",
            "pricing.weightBased.minimumPrice",
        ),
        (
            json!({"timeBased": {"currency": "EUR", "rate": "-1", "unit": "HOUR"}}),
            "OUT_OF_RANGE",
            "pricing.timeBased.rate",
        ),
        (
            json!({"timeBased": {"currency": "EUR", "rate": "1", "unit": "DAY", "step": "0"}}),
            "OUT_OF_RANGE",
            "pricing.timeBased.step",
        ),
        (
            json!({"timeBased": {"currency": "EUR", "rate": "1", "unit": "DAY", "minimumDuration": "0"}}),
            "OUT_OF_RANGE",
            "pricing.timeBased.minimumDuration",
        ),
        (
            json!({"formula": {"currency": "E", "text": "1"}}),
            "INVALID_FORMAT",
            "pricing.formula.currency",
        ),
    ] {
        let input = shop.input("I-1", json!({"pricing": pricing}));
        let refused = shop.manager.not_done("itemCreate", input).await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{pricing}");
    }
    // Exactly one model can be given.
    for pricing in [
        json!({}),
        json!({"fixed": {"amount": "1", "currency": "EUR"}, "formula": {"currency": "EUR", "text": "1"}}),
    ] {
        let input = shop.input("I-1", json!({"pricing": pricing}));
        let answer = shop.manager.change("itemCreate", input).await;
        assert!(!answer.errors.is_empty(), "{pricing}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_tells_how_a_model_was_changed() {
    let shop = Shop::open().await;
    let item = priced(&shop, "RING-1", ring(), by_weight()).await;
    change(
        &shop,
        &item,
        json!({"price": {"amount": "10", "currency": "EUR"}}),
    )
    .await;
    let trail: Vec<(Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT before->'pricing'->>'model', after->'pricing'->>'model' FROM audit WHERE aggregate_type = 'item' ORDER BY number",
    )
    .fetch_all(shop.app.sql())
    .await
    .unwrap();
    let weight_based = Some("weight_based".to_owned());
    assert_eq!(trail, [(None, weight_based.clone()), (weight_based, None)]);
}
