//! All combinations at once.

use serde_json::{Value, json};

use super::{GENERATE, Shop, chosen, refusal};

fn skus(generated: &Value) -> Vec<&str> {
    let rows = generated["combinations"].as_array().unwrap();
    rows.iter()
        .map(|row| row["sku"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_are_items_with_the_values_of_their_template() {
    let shop = Shop::open().await;
    shop.declare("serial", "TEXT", json!({"unique": true}))
        .await;
    let names = json!([{"language": "en", "text": "Ring"}, {"language": "fa", "text": "انگشتر"}]);
    let metal =
        json!({"metal": "GOLD", "fineness": "750", "huid": "ABC123", "certificateNumber": "C-1"});
    let id = shop
        .ring(
            "RING",
            json!({"name": names, "tags": ["new"], "barcodes": ["B-1"], "tracking": "SERIAL", "metal": metal,
                "attributes": {"size": "50", "karat": 18, "serial": "S-1"}, "externalReference": "till:1"}),
        )
        .await;
    shop.options(
        &id,
        &[
            ("size", &["50", "52"]),
            ("colour", &["white", "rose gold", "سیاه"]),
        ],
    )
    .await;
    let before = shop.app.jobs().await.len();
    let told = shop.generate(&id, json!({"dryRun": true})).await;
    assert_eq!(
        (&told["created"], &told["combinations"][0]["item"]),
        (&json!(6), &Value::Null)
    );
    assert_eq!(shop.item("RING-50-WHITE").await, Value::Null);
    let generated = shop.generate(&id, json!({})).await;
    assert_eq!(skus(&generated), skus(&told));
    assert_eq!(
        skus(&generated),
        [
            "RING-50-WHITE",
            "RING-50-ROSE_GOLD",
            "RING-50-3",
            "RING-52-WHITE",
            "RING-52-ROSE_GOLD",
            "RING-52-3"
        ]
    );
    assert_eq!(
        generated["template"],
        json!({"sku": "RING", "variantCount": 6})
    );
    assert_eq!(
        generated["combinations"][4],
        json!({"sku": "RING-52-ROSE_GOLD", "isNew": true, "item": {"sku": "RING-52-ROSE_GOLD", "version": 1}, "options": [
            {"attribute": {"name": "size"}, "value": "52"}, {"attribute": {"name": "colour"}, "value": "rose gold"}]})
    );
    let variant = shop.item("RING-52-ROSE_GOLD").await;
    assert_eq!(
        variant["attributes"],
        json!({"size": "52", "colour": "rose gold", "karat": 18})
    );
    assert_eq!(
        variant["nameTranslations"],
        json!([{"language": "en", "text": "Ring, size 52, rose gold"}, {"language": "fa", "text": "انگشتر، سایز 52، rose gold"}])
    );
    assert_eq!(
        variant["price"],
        json!({"amount": "100", "currency": "EUR"})
    );
    assert_eq!(
        (&variant["tags"], &variant["tracking"]),
        (&json!(["new"]), &json!("SERIAL"))
    );
    assert_eq!(
        variant["metal"],
        json!({"fineness": "750", "huid": null, "certificateNumber": null})
    );
    assert_eq!(
        (&variant["barcodes"], &variant["template"]["sku"]),
        (&json!([]), &json!("RING"))
    );
    assert_eq!(variant["variantOptions"][0]["text"], "size 52");
    let nodes = shop.item("RING").await["variants"]["nodes"].take();
    let listed: Vec<_> = nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["sku"].as_str().unwrap())
        .collect();
    assert_eq!(listed, skus(&generated));
    assert_eq!(shop.app.jobs().await.len(), before + 6);
    assert_eq!(shop.app.events_of("item.create").await.len(), 7);
    // A copy changes on its own.
    let changed =
        json!({"id": variant["id"], "price": {"amount": "90", "currency": "EUR"}, "sku": "ROSE"});
    shop.manager.done("itemUpdate", changed).await;
    assert_eq!(shop.item("RING-52-WHITE").await["price"]["amount"], "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_left_alone() {
    let shop = Shop::open().await;
    let id = shop.template("RING").await;
    let first = json!({"only": [chosen(&[("size", "52")]), chosen(&[("colour", "white"), ("size", "50")])]});
    assert_eq!(shop.generate(&id, first.clone()).await["created"], 3);
    let archived = shop.id("RING-52-WHITE").await;
    shop.manager
        .done("itemArchive", json!({"id": archived}))
        .await;
    let renamed = json!({"id": shop.id("RING-50-WHITE").await, "sku": "OTHER"});
    shop.manager.done("itemUpdate", renamed).await;
    let again = shop.generate(&id, first).await;
    assert_eq!(
        (&again["created"], &again["existing"]),
        (&json!(0), &json!(3))
    );
    let all = shop.generate(&id, json!({})).await;
    assert_eq!((&all["created"], &all["existing"]), (&json!(1), &json!(3)));
    assert_eq!(all["combinations"][0]["sku"], "OTHER");
    assert_eq!(
        all["template"]["variantCount"],
        json!(3),
        "the archived one is not in use"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn some_are_different() {
    let shop = Shop::open().await;
    let id = shop.template("RING").await;
    let white = chosen(&[("colour", "white"), ("size", "size 52")]);
    let overrides = json!([{"options": white, "sku": "special", "barcodes": ["B-7"], "price": {"amount": "120", "currency": "USD"}}]);
    let generated = shop
        .generate(&id, json!({"overrides": overrides, "skuSeparator": "/"}))
        .await;
    assert_eq!(
        skus(&generated),
        [
            "RING/50/WHITE",
            "RING/50/ROSE_GOLD",
            "SPECIAL",
            "RING/52/ROSE_GOLD"
        ]
    );
    let special = shop.item("SPECIAL").await;
    assert_eq!(
        special["price"],
        json!({"amount": "120", "currency": "USD"})
    );
    assert_eq!(special["barcodes"], json!(["B-7"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_told_and_nothing_is_created() {
    let shop = Shop::open().await;
    let id = shop.template("RING").await;
    shop.ring("RING-52-WHITE", json!({"barcodes": ["B-1"]}))
        .await;
    let whole = |size: &str| chosen(&[("size", size), ("colour", "white")]);
    let sku = |size: &str, sku: &str| json!([{"options": whole(size), "sku": sku}]);
    let cases = [
        (json!({}), "ALREADY_TAKEN", "combinations.2.sku"),
        (
            json!({"dryRun": true}),
            "ALREADY_TAKEN",
            "combinations.2.sku",
        ),
        (
            json!({"only": [whole("50")], "overrides": sku("50", "RING")}),
            "ALREADY_TAKEN",
            "overrides.0.sku",
        ),
        (
            json!({"only": [whole("50")], "overrides": sku("50", "a b")}),
            "INVALID_FORMAT",
            "overrides.0.sku",
        ),
        (
            json!({"only": [whole("50")], "overrides": sku("52", "X")}),
            "EXCLUSIVE",
            "overrides.0.options",
        ),
        (
            json!({"only": [whole("50")], "overrides": [{"options": whole("50"), "barcodes": ["C", "B-1"]}]}),
            "ALREADY_TAKEN",
            "overrides.0.barcodes.1",
        ),
        (
            json!({"overrides": [{"options": chosen(&[("size", "50")])}]}),
            "REQUIRED",
            "overrides.0.options",
        ),
        (
            json!({"overrides": [{"options": whole("50")}, {"options": whole("50")}]}),
            "ALREADY_TAKEN",
            "overrides.1.options",
        ),
        (
            json!({"only": [whole("54")]}),
            "NOT_AN_OPTION",
            "only.0.0.value",
        ),
        (
            json!({"only": [chosen(&[("karat", "18")])]}),
            "UNKNOWN_ATTRIBUTE",
            "only.0.0.attribute",
        ),
        (
            json!({"only": [chosen(&[("size", "50"), ("size", "52")])]}),
            "ALREADY_TAKEN",
            "only.0.1.value",
        ),
        (
            json!({"skuSeparator": "x"}),
            "INVALID_FORMAT",
            "skuSeparator",
        ),
        (json!({"skuSeparator": ""}), "REQUIRED", "skuSeparator"),
        (
            json!({"expectedVersion": 1}),
            "STALE_VERSION",
            "expectedVersion",
        ),
    ];
    for (more, code, path) in cases {
        assert_eq!(
            shop.not_generated(&id, more.clone()).await,
            refusal(code, path),
            "{more}"
        );
    }
    assert_eq!(shop.item("RING").await["variantCount"], 0);
    let ordinary = shop.ring("PLAIN", json!({})).await;
    assert_eq!(
        shop.not_generated(&ordinary, json!({})).await,
        refusal("NOT_A_TEMPLATE", "templateId")
    );
    let nothing = tests::shop::global_id("Item", "01930000000070008000000000abcdef");
    assert_eq!(
        shop.not_generated(&nothing, json!({})).await,
        refusal("NOT_FOUND", "templateId")
    );
    shop.manager.done("itemArchive", json!({"id": id})).await;
    assert_eq!(
        shop.not_generated(&id, json!({})).await,
        refusal("ARCHIVED", "templateId")
    );
    // A person reads of it in their language.
    let persian = shop.app.persian_manager().await;
    let answer = persian
        .gql(GENERATE, json!({"input": {"templateId": ordinary}}))
        .await;
    assert!(
        answer.user_errors()[0].message.contains("گزینه"),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sku_has_its_length() {
    let shop = Shop::open().await;
    let id = shop.ring(&"R".repeat(60), json!({})).await;
    shop.options(
        &id,
        &[
            ("size", &["50"]),
            ("colour", &["a colour with a very long name indeed"]),
        ],
    )
    .await;
    assert_eq!(
        shop.not_generated(&id, json!({})).await,
        refusal("TOO_LONG", "combinations.0.sku")
    );
    let overrides = json!([{"options": chosen(&[("size", "50"), ("colour", "a colour with a very long name indeed")]), "sku": "R-50"}]);
    assert_eq!(
        shop.generate(&id, json!({"overrides": overrides})).await["created"],
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_variants_come_at_once() {
    let shop = Shop::open().await;
    let id = shop.ring("RING", json!({})).await;
    let numbers: Vec<_> = (10..60).map(|number| number.to_string()).collect();
    let options = json!([{"attribute": "karat", "values": numbers[..20]}, {"attribute": "colour", "values": numbers}]);
    shop.manager
        .done("itemOptionsSet", json!({"id": id, "options": options}))
        .await;
    shop.declare(
        "stamp",
        "TEXT",
        json!({"required": true, "onInvalid": "KEEP"}),
    )
    .await;
    let required = shop.not_generated(&id, json!({})).await;
    assert_eq!(required.len(), 100);
    assert_eq!(
        required[0],
        ("REQUIRED".into(), "combinations.0.attributes.stamp".into())
    );
    let attributes = json!({"size": "50", "stamp": "750"});
    shop.manager
        .done("itemUpdate", json!({"id": id, "attributes": attributes}))
        .await;
    let generated = shop.generate(&id, json!({})).await;
    assert_eq!(generated["created"], 1000);
    let page = "query($id: ID!, $after: String) { item(by: {id: $id}) { variants(first: 100, after: $after) {
        nodes { sku } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } } }";
    let (mut met, mut after) = (0, Value::Null);
    loop {
        let data = shop
            .manager
            .ok(page, json!({"id": id, "after": after}))
            .await;
        let variants = &data["item"]["variants"];
        met += variants["nodes"].as_array().unwrap().len();
        if variants["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = variants["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(met, 1000);
    let bad = shop
        .manager
        .gql(page, json!({"id": id, "after": "x"}))
        .await;
    assert_eq!(bad.codes(), ["INVALID_FORMAT"]);
}
