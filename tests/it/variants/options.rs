//! How an item becomes a template, and what can be changed about that.

use serde_json::{Value, json};

use super::{Shop, options_of, refusal};

/// Attributes, and what there is to choose of each.
type Options<'a> = &'a [(&'a str, &'a [&'a str])];

#[tokio::test(flavor = "multi_thread")]
async fn an_item_becomes_a_template_and_an_item_again() {
    let shop = Shop::open().await;
    let id = shop.template("RING").await;
    let ring = shop.item("RING").await;
    assert_eq!(
        (&ring["isTemplate"], &ring["variantCount"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(
        ring["attributes"],
        json!({"karat": 18}),
        "a template has no size"
    );
    assert_eq!(
        ring["options"][0],
        json!({"attributeName": "size", "attribute": {"name": "size"},
            "values": [{"value": "50", "label": "size 50"}, {"value": "52", "label": "size 52"}]})
    );
    assert_eq!(
        ring["options"][1]["values"][1],
        json!({"value": "rose gold", "label": "rose gold"})
    );
    // It can be changed, though it lacks what others must have; but it gets no value of its own.
    let update = |attributes: Value| json!({"id": id, "attributes": attributes});
    shop.manager
        .done("itemUpdate", update(json!({"karat": 14})))
        .await;
    let refused = shop
        .manager
        .not_done("itemUpdate", update(json!({"size": "50"})))
        .await;
    assert_eq!(refused, refusal("VARIES", "attributes.size"));
    // The same options again change nothing.
    let version = shop.item("RING").await["version"].clone();
    let same = shop
        .options(
            &id,
            &[
                ("size", &["50", "52"]),
                ("colour", &[" white", "rose gold"]),
            ],
        )
        .await;
    assert_eq!(same["version"], version);
    let ordinary = shop.options(&id, &[]).await;
    assert_eq!(ordinary["version"], json!(version.as_i64().unwrap() + 1));
    let ring = shop.item("RING").await;
    assert_eq!(
        (&ring["isTemplate"], &ring["options"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(
        shop.app
            .events_of("item.set_options")
            .await
            .values()
            .sum::<i64>(),
        2
    );
    let trail = shop
        .app
        .count("SELECT count(*) FROM audit WHERE action = 'item.set_options' AND after ? 'options'")
        .await;
    assert_eq!(trail, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_tells_what_there_was_to_choose() {
    let shop = Shop::open().await;
    let id = shop.ring("RING", json!({})).await;
    shop.options(&id, &[("size", &["50", "52"]), ("karat", &["18"])])
        .await;
    shop.generate(&id, json!({})).await;
    let query = "query($sku: String!) { item(by: {sku: $sku}) { history(first: 1) { nodes { action fields { path before after } } } } }";
    let of_template = shop.manager.ok(query, json!({"sku": "RING"})).await;
    let change = |path: [&str; 2], before: Value, after: Value| json!({"path": path, "before": before, "after": after});
    assert_eq!(
        of_template["item"]["history"]["nodes"][0],
        json!({"action": "item.set_options", "fields": [
            change(["attributes", "karat"], json!(18), Value::Null),
            change(["attributes", "size"], json!("50"), Value::Null),
            {"path": ["isTemplate"], "before": false, "after": true},
            change(["options", "karat"], Value::Null, json!([18])),
            change(["options", "size"], Value::Null, json!(["50", "52"])),
        ]})
    );
    let of_variant = shop.manager.ok(query, json!({"sku": "RING-50-18"})).await;
    let fields = of_variant["item"]["history"]["nodes"][0]["fields"].clone();
    let template = json!({"path": ["templateId"], "before": null, "after": id});
    assert!(fields.as_array().unwrap().contains(&template), "{fields}");
    assert!(!fields.to_string().contains("variant"), "{fields}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_option_is_refused() {
    let shop = Shop::open().await;
    shop.declare("serial", "TEXT", json!({"unique": true}))
        .await;
    shop.declare("set", "REFERENCE", json!({"refersTo": "ITEM"}))
        .await;
    shop.declare(
        "width",
        "DECIMAL",
        json!({"unitId": shop.manager.unit("millimetre").await}),
    )
    .await;
    shop.declare("day", "DATE", json!({})).await;
    let id = shop.ring("RING", json!({})).await;
    let numbers: Vec<_> = (0..101).map(|number| number.to_string()).collect();
    let numbers: Vec<_> = numbers.iter().map(String::as_str).collect();
    let long = "x".repeat(101);
    let cases: [(Options<'_>, &str, &str); 14] = [
        (&[("size", &[])], "REQUIRED", "options.0.values"),
        (&[("karat", &numbers)], "TOO_MANY", "options.0.values"),
        (
            &[
                ("size", &["50"]),
                ("colour", &["a"]),
                ("karat", &["1"]),
                ("width", &["1"]),
                ("day", &["2026-01-01"]),
                ("x", &["1"]),
            ],
            "TOO_MANY",
            "options",
        ),
        (
            &[("karat", &numbers[..40]), ("width", &numbers[..50])],
            "TOO_MANY",
            "options",
        ),
        (
            &[("weight", &["1"])],
            "UNKNOWN_ATTRIBUTE",
            "options.0.attribute",
        ),
        (&[("serial", &["1"])], "CANNOT_VARY", "options.0.attribute"),
        (&[("set", &["RING"])], "CANNOT_VARY", "options.0.attribute"),
        (
            &[("size", &["50"]), ("size", &["52"])],
            "ALREADY_TAKEN",
            "options.1.attribute",
        ),
        (
            &[("size", &["50", "51"])],
            "NOT_AN_OPTION",
            "options.0.values.1",
        ),
        (&[("karat", &["much"])], "WRONG_TYPE", "options.0.values.0"),
        (
            &[("karat", &["18", "۱۸"])],
            "ALREADY_TAKEN",
            "options.0.values.1",
        ),
        (
            &[("width", &["2", "0.2 cm"])],
            "ALREADY_TAKEN",
            "options.0.values.1",
        ),
        (&[("colour", &[&long])], "TOO_LONG", "options.0.values.0"),
        (
            &[("day", &["tomorrow"])],
            "WRONG_TYPE",
            "options.0.values.0",
        ),
    ];
    for (options, code, path) in cases {
        let input = json!({"id": id, "options": options_of(options)});
        let refused = shop.manager.not_done("itemOptionsSet", input).await;
        assert_eq!(refused, refusal(code, path), "{options:?}");
    }
    assert_eq!(shop.item("RING").await["version"], json!(1));
    let set = |id: &str, more: Value| {
        let mut input = json!({"id": id, "options": options_of(&[("size", &["50"])])});
        if let Some((name, value)) = more.as_object().and_then(|more| more.iter().next()) {
            input[name] = value.clone();
        }
        input
    };
    let stale = shop
        .manager
        .not_done("itemOptionsSet", set(&id, json!({"expectedVersion": 7})))
        .await;
    assert_eq!(stale, refusal("STALE_VERSION", "expectedVersion"));
    shop.manager.done("itemArchive", json!({"id": id})).await;
    let archived = shop
        .manager
        .not_done("itemOptionsSet", set(&id, Value::Null))
        .await;
    assert_eq!(archived, refusal("ARCHIVED", "id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_variants_have_stays() {
    let shop = Shop::open().await;
    let id = shop.template("RING").await;
    let only = json!({"only": [super::chosen(&[("size", "50"), ("colour", "white")])]});
    assert_eq!(shop.generate(&id, only).await["created"], 1);
    // Archived ones come back some day.
    let variant = shop.id("RING-50-WHITE").await;
    shop.manager
        .done("itemArchive", json!({"id": variant}))
        .await;
    let not_set = async |options: &[(&str, &[&str])]| {
        let input = json!({"id": id, "options": options_of(options)});
        shop.manager.not_done("itemOptionsSet", input).await
    };
    assert_eq!(not_set(&[]).await, refusal("HAS_VARIANTS", "options"));
    assert_eq!(
        not_set(&[("size", &["50"])]).await,
        refusal("HAS_VARIANTS", "options")
    );
    assert_eq!(
        not_set(&[
            ("size", &["50", "52"]),
            ("colour", &["white"]),
            ("karat", &["18"])
        ])
        .await,
        refusal("HAS_VARIANTS", "options")
    );
    assert_eq!(
        not_set(&[("colour", &["rose gold"]), ("size", &["50"])]).await,
        refusal("HAS_VARIANTS", "options.0.values")
    );
    // Another order, more values, fewer that nobody has.
    shop.options(
        &id,
        &[("colour", &["black", "white"]), ("size", &["54", "50"])],
    )
    .await;
    assert_eq!(shop.generate(&id, json!({})).await["created"], 3);
    let nested = json!({"id": variant, "options": options_of(&[("size", &["50"])])});
    shop.manager
        .done("itemRestore", json!({"id": variant}))
        .await;
    let refused = shop.manager.not_done("itemOptionsSet", nested).await;
    assert_eq!(refused, refusal("IS_VARIANT", "id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_variants_differ_in_stays() {
    let shop = Shop::open().await;
    let metal = shop.declare("metal", "TEXT", json!({})).await;
    let id = shop.ring("RING", json!({})).await;
    shop.options(&id, &[("metal", &["gold", "silver"])]).await;
    let refused = shop
        .manager
        .not_done("attributeRetire", json!({"id": metal}))
        .await;
    assert_eq!(refused, refusal("IN_USE", "id"));
    // It is called otherwise without anybody noticing.
    shop.manager
        .done("attributeUpdate", json!({"id": metal, "name": "material"}))
        .await;
    assert_eq!(
        shop.item("RING").await["options"][0]["attributeName"],
        "material"
    );
    shop.generate(&id, json!({})).await;
    let variant = shop.item("RING-GOLD").await;
    assert_eq!(
        variant["variantOptions"][0]["attribute"]["name"],
        "material"
    );
    // That items must have it is no hindrance to a template that has not.
    let required = json!({"id": metal, "required": true});
    let report = shop.manager.done("attributeUpdate", required.clone()).await["report"].take();
    assert_eq!(report["invalid"], json!(0), "{report}");
    shop.manager
        .done(
            "itemUpdate",
            json!({"id": id, "attributes": {"karat": 18, "size": "50"}}),
        )
        .await;
    // A template does not go where its variants could not stand.
    let tools = shop.manager.category("Tools", None).await;
    let moved = shop
        .manager
        .not_done("itemUpdate", json!({"id": id, "categoryId": tools}))
        .await;
    assert_eq!(moved, refusal("UNKNOWN_ATTRIBUTE", "categoryId"));
    let moved = shop
        .manager
        .not_done(
            "itemsUpdate",
            json!({"rows": [{"id": id, "categoryId": tools}]}),
        )
        .await;
    assert_eq!(moved, refusal("UNKNOWN_ATTRIBUTE", "rows.0.categoryId"));
}
