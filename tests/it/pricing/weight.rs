//! Prices that follow the rate of a metal.

use serde_json::{Value, json};

use super::{amount, by_weight, price, priced, ring};
use crate::{
    item::Shop,
    metal_rate::{rate, record},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_price_follows_the_rate_at_once() {
    let shop = Shop::open().await;
    let item = priced(&shop, "RING-1", ring(), by_weight()).await;
    assert_eq!(amount(&shop.manager, &item).await, "NO_RATE");
    for (gram, expected) in [("100", "428.00"), ("110", "470.80"), ("90", "385.20")] {
        let recorded = record(&shop.manager, gram, json!({})).await;
        let found = price(&shop.manager, &item, json!({})).await;
        assert_eq!(found["amount"], expected);
        assert_eq!(found["rate"]["id"], recorded["id"]);
    }
    // An old one changes nothing, and neither does one of another metal or in another currency.
    for more in [
        json!({"effectiveAt": "2020-01-01T00:00:00Z"}),
        json!({"metal": "SILVER"}),
        json!({"currency": "EUR"}),
    ] {
        record(&shop.manager, "1", more).await;
        assert_eq!(amount(&shop.manager, &item).await, "385.20");
    }
    assert_eq!(amount(&shop.app.clerk().await, &item).await, "385.20");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_exact_and_rounded_once() {
    let shop = Shop::open().await;
    // 3.333333 g x 81,234,567.89 x 916 / 995, and 17.5 percent of it, and 7 percent of both.
    let metal = json!({"metal": "GOLD", "fineness": "916", "netWeight": "3.333333", "makingCharge": {"mode": "PERCENT", "value": "17.5"}});
    let item = priced(&shop, "RING-1", metal, by_weight()).await;
    let input = json!({"fineness": "995", "pricePerGram": "81234567.89"});
    shop.manager.done("metalRateRecord", rate("1", input)).await;
    let found = price(&shop.manager, &item, json!({})).await;
    assert_eq!(
        (&found["amount"], &found["exact"]),
        (&json!("313410551.57"), &json!("313410551.5715296149"))
    );
    // Two pieces are not twice a rounded one.
    let two = price(&shop.manager, &item, json!({"quantity": "3"})).await;
    assert_eq!(two["amount"], "940231654.71");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_tells_what_it_consists_of() {
    let shop = Shop::open().await;
    record(&shop.manager, "100", json!({})).await;
    let with = |mode: &str, value: &str| {
        let mut metal = ring();
        metal["makingCharge"] = json!({"mode": mode, "value": value});
        metal
    };
    for (sku, metal, making, profit, whole) in [
        ("FIXED", with("FIXED", "50"), "50", "31.5", "481.50"),
        ("PER-GRAM", with("PER_GRAM", "12.5"), "50", "31.5", "481.50"),
        ("PERCENT", with("PERCENT", "12.5"), "50", "31.5", "481.50"),
        ("NONE", ring(), "0", "28", "428.00"),
    ] {
        let item = priced(&shop, sku, metal, by_weight()).await;
        let found = price(&shop.manager, &item, json!({})).await;
        assert_eq!(
            found["breakdown"],
            json!({"metal": "400", "making": making, "profit": profit, "toMinimum": "0"}),
            "{sku}"
        );
        assert_eq!(found["amount"], whole, "{sku}");
    }
    let pricing =
        json!({"weightBased": {"currency": "IRR", "profitPercent": "7", "minimumPrice": "500"}});
    let item = priced(&shop, "MINIMUM", ring(), pricing).await;
    let found = price(&shop.manager, &item, json!({"quantity": "2"})).await;
    let parts = json!({"metal": "800", "making": "0", "profit": "56", "toMinimum": "144"});
    assert_eq!(
        (&found["amount"], &found["breakdown"]),
        (&json!("1000.00"), &parts)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_and_the_list_goes_on() {
    let shop = Shop::open().await;
    let euros = json!({"weightBased": {"currency": "EUR", "profitPercent": "7"}});
    let weightless = json!({"metal": "GOLD", "fineness": "750"});
    priced(&shop, "A-WHOLE", ring(), by_weight()).await;
    shop.create("B-METAL", json!({"pricing": by_weight()}))
        .await;
    priced(&shop, "C-WEIGHT", weightless, by_weight()).await;
    priced(&shop, "D-RATE", ring(), euros).await;
    shop.create("E-NOTHING", json!({})).await;
    shop.create(
        "F-FIXED",
        json!({"price": {"amount": "9.99", "currency": "EUR"}}),
    )
    .await;
    let heavy = json!({"metal": "GOLD", "fineness": "750", "netWeight": "999999999"});
    priced(&shop, "G-HUGE", heavy, by_weight()).await;
    record(&shop.manager, "999999999999", json!({})).await;
    let query = "{ items(orderBy: [{field: SKU, direction: ASC}]) { nodes { currentPrice { amount problem message } } } }";
    let prices = async |actor: &tests::actor::Actor| {
        let found = actor.ok(query, json!({})).await;
        let nodes = found["items"]["nodes"].as_array().unwrap().clone();
        nodes
            .into_iter()
            .map(|mut node| node["currentPrice"].take())
            .collect::<Vec<_>>()
    };
    let found = prices(&shop.manager).await;
    let told: Vec<_> = found
        .iter()
        .map(|price| price["amount"].as_str().or(price["problem"].as_str()))
        .collect();
    let expected = [
        Some("4279999999995.72"),
        Some("NO_METAL"),
        Some("NO_WEIGHT"),
        Some("NO_RATE"),
        None,
        Some("9.99"),
        Some("OUT_OF_RANGE"),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        found[2]["message"],
        "A weight of this item is missing. Enter it."
    );
    let persian = prices(&shop.app.persian_manager().await).await;
    assert!(
        persian[2]["message"]
            .as_str()
            .unwrap()
            .starts_with("یکی از وزن"),
        "{persian:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn quantities_that_are_none_are_refused() {
    let shop = Shop::open().await;
    let item = priced(&shop, "RING-1", ring(), by_weight()).await;
    for (name, value, code) in [
        ("quantity", "0", "OUT_OF_RANGE"),
        ("quantity", "-1", "OUT_OF_RANGE"),
        ("quantity", "1.0000001", "TOO_FINE"),
        ("hours", "-1", "OUT_OF_RANGE"),
    ] {
        let mut variables = json!({"id": item["id"]});
        variables[name] = Value::from(value);
        let answer = shop.manager.gql(super::PRICE, variables).await;
        assert_eq!(answer.codes(), [code], "{name} {value}");
    }
}
