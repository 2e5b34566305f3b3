//! How many SQL statements prices cost: as many for a page as for an item.

use serde_json::json;
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy};

use super::{by_weight, priced, ring};
use crate::{item::Shop, metal_rate::record};

/// 35 items: of gold and silver, without metal, of formulas, with a fixed price, with none.
async fn furnish(shop: &Shop) {
    let silver = json!({"metal": "SILVER", "fineness": "925", "netWeight": "10"});
    let formula = json!({"formula": {"currency": "IRR", "text": "net_weight * rate"}});
    for number in 0..5 {
        priced(shop, &format!("GOLD-{number}"), ring(), by_weight()).await;
        priced(
            shop,
            &format!("SILVER-{number}"),
            silver.clone(),
            by_weight(),
        )
        .await;
        priced(shop, &format!("FORMULA-{number}"), ring(), formula.clone()).await;
        let stones = json!({"formula": {"currency": "IRR", "text": "attr_stones * 2"}});
        let stones = json!({"attributes": {"stones": number}, "pricing": stones});
        shop.create(&format!("STONES-{number}"), stones).await;
        shop.create(&format!("BARE-{number}"), json!({"pricing": by_weight()}))
            .await;
        let price = json!({"amount": "1", "currency": "IRR"});
        shop.create(&format!("FIXED-{number}"), json!({"price": price}))
            .await;
        shop.create(&format!("FREE-{number}"), json!({})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prices_of_a_page_cost_a_statement_each_for_metal_models_and_rates() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let shop = Shop::of(app).await;
    furnish(&shop).await;
    // No rate of silver: what is not there is looked for once, too.
    record(&shop.manager, "100", json!({})).await;
    for (fields, most) in [
        ("sku price { amount }", 1),
        ("metal { netWeight }", 2),
        ("pricing { __typename }", 2),
        ("currentPrice { amount problem rate { pricePerGram } }", 6),
        (
            "metal { netWeight } pricing { __typename } currentPrice { amount } category { name }",
            7,
        ),
        (
            "one: currentPrice { amount } two: currentPrice(quantity: \"2\") { amount }",
            6,
        ),
    ] {
        for list in [
            format!("{{ items(first: 35) {{ nodes {{ {fields} }} }} }}"),
            format!("{{ items(first: 35) {{ edges {{ node {{ {fields} }} }} }} }}"),
            format!("{{ item(by: {{sku: \"GOLD-1\"}}) {{ {fields} }} }}"),
        ] {
            // The first time, the credential is checked.
            shop.manager.ok(&list, json!({})).await;
            let executed = proxy
                .during(async || shop.manager.ok(&list, json!({})).await)
                .await;
            assert!(
                (1..=most).contains(&executed.len()),
                "{list} took {}: {executed:#?}",
                executed.len()
            );
        }
    }
}
