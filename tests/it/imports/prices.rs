//! Metal and prices of many items at once.

use serde_json::{Value, json};

use super::{Shop, counts, row};

const PRICED: &str = "query($sku: String!) { item(by: {sku: $sku}) { version price { amount }
    metal { metal fineness netWeight huid } pricing { __typename } } }";

impl Shop {
    async fn priced(&self, sku: &str) -> Value {
        self.manager.ok(PRICED, json!({"sku": sku})).await["item"].take()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metal_and_models_are_kept_changed_and_left_alone() {
    let shop = Shop::open().await;
    let unit = shop.manager.unit("piece").await;
    let metal =
        |huid: &str| json!({"metal": "GOLD", "fineness": "750", "netWeight": "4.2", "huid": huid});
    let by_weight = json!({"weightBased": {"currency": "IRR", "profitPercent": "7"}});
    let of = |sku: &str, huid: &str| {
        row(
            &shop,
            &unit,
            sku,
            json!({"metal": metal(huid), "pricing": by_weight}),
        )
    };
    let rows = json!([of("A", "AAAAAA"), of("B", "BBBBBB"), of("C", "aaaaaa")]);
    let some = json!({"rows": rows, "policy": "REJECT_FAILED_ROWS"});
    let made = shop.manager.change("itemsCreate", some).await;
    assert_eq!(
        made.refused(),
        [("ALREADY_TAKEN".to_owned(), "rows.2.metal.huid".to_owned())]
    );
    let id = |index: usize| made.data["itemsCreate"]["rows"][index]["itemId"].clone();
    let kept = shop.priced("A").await;
    assert_eq!(
        kept["metal"],
        json!({"metal": "GOLD", "fineness": "750", "netWeight": "4.2", "huid": "AAAAAA"})
    );
    assert_eq!(kept["price"], Value::Null);
    let trail = "SELECT count(*) FROM audit WHERE action = 'item.create' AND after->'metal'->>'huid' IS NOT NULL
                 AND after->'pricing'->>'model' = 'weight_based'";
    assert_eq!(shop.app.count(trail).await, 2);

    // What is so already is left alone; the others' hallmark ids are theirs.
    let same = json!({"rows": [{"id": id(0), "metal": metal("AAAAAA"), "pricing": by_weight, "tags": []}]});
    shop.manager.done("itemsUpdate", same).await;
    assert_eq!(shop.priced("A").await["version"], 1);
    let taken = json!({"rows": [{"id": id(0), "metal": metal("BBBBBB")}]});
    let refused = shop.manager.not_done("itemsUpdate", taken).await;
    assert_eq!(
        refused,
        [("ALREADY_TAKEN".to_owned(), "rows.0.metal.huid".to_owned())]
    );
    let both = json!({"rows": [{"id": id(0), "price": {"amount": "1", "currency": "IRR"}, "pricing": by_weight}]});
    let refused = shop.manager.not_done("itemsUpdate", both).await;
    assert_eq!(
        refused,
        [("EXCLUSIVE".to_owned(), "rows.0.pricing".to_owned())]
    );

    // A file says nothing of metal: it stays, and so does the model unless there is a price.
    let file = "sku,name.en,price,currency\nA,Ring,,\nB,Ring,10,IRR\n";
    let import = shop.import(file, json!({})).await;
    assert_eq!(counts(&import), [2, 0, 2, 0, 0], "{import}");
    let (a, b) = (shop.priced("A").await, shop.priced("B").await);
    assert_eq!(
        (&a["metal"]["huid"], &b["metal"]["huid"]),
        (&json!("AAAAAA"), &json!("BBBBBB"))
    );
    assert_eq!(
        (&a["price"], &b["price"]["amount"]),
        (&Value::Null, &json!("10"))
    );
    let models = "SELECT count(*) FROM item_pricing";
    assert_eq!(shop.app.count(models).await, 1);
    let trail = "SELECT count(*) FROM audit WHERE action = 'item.import' AND before->'pricing'->>'model' = 'weight_based'
                 AND NOT after ? 'pricing' AND NOT after ? 'metal'";
    assert_eq!(shop.app.count(trail).await, 1);

    let cleared = json!({"rows": [{"id": id(0), "metal": null, "pricing": null}]});
    shop.manager.done("itemsUpdate", cleared).await;
    let cleared = shop.priced("A").await;
    assert_eq!(cleared["metal"], Value::Null);
    assert_eq!(shop.app.count(models).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_formula_uses_attributes_that_there_are() {
    let shop = Shop::open().await;
    shop.declare("carat", "DECIMAL", json!({})).await;
    let unit = shop.manager.unit("piece").await;
    let of = |sku: &str, text: &str| {
        let formula = json!({"formula": {"currency": "IRR", "text": text}});
        row(&shop, &unit, sku, json!({"pricing": formula}))
    };
    let rows = json!([of("A", "attr_carat * 2"), of("B", "attr_size * 2")]);
    let some = json!({"rows": rows, "policy": "REJECT_FAILED_ROWS"});
    let made = shop.manager.change("itemsCreate", some).await;
    assert_eq!(
        made.refused(),
        [(
            "UNKNOWN_NAME".to_owned(),
            "rows.1.pricing.formula.text".to_owned()
        )]
    );
}
