//! Items that become variants, change, and stop being such.

use serde_json::{Value, json};

use super::{Shop, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn an_item_joins_a_template_and_leaves_it() {
    let shop = Shop::open().await;
    let template = shop.template("RING").await;
    let white = json!({"size": "50", "colour": "white"});
    let new = shop
        .ring("NEW", json!({"templateId": template, "attributes": white}))
        .await;
    let old = shop
        .ring(
            "OLD",
            json!({"attributes": {"size": "52", "colour": "white"}}),
        )
        .await;
    shop.manager
        .done("itemUpdate", json!({"id": old, "templateId": template}))
        .await;
    let ring = shop.item("RING").await;
    assert_eq!(
        ring["variants"]["nodes"],
        json!([{"sku": "NEW"}, {"sku": "OLD"}])
    );
    shop.manager
        .done("itemUpdate", json!({"id": old, "templateId": null}))
        .await;
    let old_one = shop.item("OLD").await;
    assert_eq!(
        (&old_one["template"], &old_one["variantOptions"]),
        (&Value::Null, &json!([]))
    );
    assert_eq!(old_one["attributes"]["size"], "52");
    // The same for many, and what is so already is left alone.
    let rows =
        json!({"rows": [{"id": old, "templateId": template}, {"id": new, "templateId": template}]});
    shop.manager.done("itemsUpdate", rows).await;
    assert_eq!(shop.item("RING").await["variantCount"], 2);
    assert_eq!(shop.item("NEW").await["version"], 1);
    let rows = json!({"rows": [{"id": old, "templateId": null}]});
    shop.manager.done("itemsUpdate", rows).await;
    assert_eq!(shop.item("RING").await["variantCount"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_variant_has_chosen_follows_its_attributes() {
    let shop = Shop::open().await;
    let template = shop.template("RING").await;
    shop.generate(
        &template,
        json!({"only": [super::chosen(&[("colour", "white")])]}),
    )
    .await;
    let id = shop.id("RING-50-WHITE").await;
    let with = |size: &str, colour: &str| json!({"id": id, "attributes": {"size": size, "colour": colour, "karat": 14}});
    shop.manager
        .done("itemUpdate", with("50", "rose gold"))
        .await;
    assert_eq!(
        shop.item("RING-50-WHITE").await["variantOptions"][1]["value"],
        "rose gold"
    );
    let many = |size: &str, colour: &str| json!({"rows": [with(size, colour)]});
    shop.manager.done("itemsUpdate", many("50", "white")).await;
    assert_eq!(
        shop.item("RING-50-WHITE").await["variantOptions"][1]["value"],
        "white"
    );
    for (size, colour, code, path) in [
        ("52", "white", "VARIANT_EXISTS", "attributes"),
        ("54", "white", "NOT_AN_OPTION", "attributes.size"),
        ("50", "black", "NOT_AN_OPTION", "attributes.colour"),
        ("50", "", "REQUIRED", "attributes.colour"),
    ] {
        let refused = shop
            .manager
            .not_done("itemUpdate", with(size, colour))
            .await;
        assert_eq!(refused, refusal(code, path));
        let refused = shop
            .manager
            .not_done("itemsUpdate", many(size, colour))
            .await;
        assert_eq!(refused, refusal(code, &format!("rows.0.{path}")));
    }
    // Somewhere else what it has chosen would be lost.
    let tools = shop.manager.category("Tools", None).await;
    let input = json!({"categoryId": tools, "name": "grip", "label": tests::shop::english("grip"), "type": "TEXT"});
    shop.manager.done("attributeCreate", input).await;
    let moved = json!({"id": id, "categoryId": tools, "attributes": {"grip": "firm"}});
    let refused = shop.manager.not_done("itemUpdate", moved).await;
    let codes: Vec<_> = refused.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["REQUIRED", "REQUIRED"], "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_a_variant_is_told() {
    let shop = Shop::open().await;
    let (template, other) = (shop.template("RING").await, shop.template("OTHER").await);
    shop.generate(&template, json!({})).await;
    let variant = shop.id("RING-50-WHITE").await;
    let plain = shop
        .ring(
            "PLAIN",
            json!({"attributes": {"size": "50", "colour": "white"}}),
        )
        .await;
    let bare = shop
        .ring("BARE", json!({"attributes": {"size": "54"}}))
        .await;
    let nothing = tests::shop::global_id("Item", "01930000000070008000000000abcdef");
    let archived = shop.template("GONE").await;
    shop.manager
        .done("itemArchive", json!({"id": archived}))
        .await;
    for (id, template, code, path) in [
        (&plain, &template, "VARIANT_EXISTS", "templateId"),
        (&other, &template, "IS_TEMPLATE", "templateId"),
        (&template, &template, "IS_TEMPLATE", "templateId"),
        (&plain, &variant, "NOT_A_TEMPLATE", "templateId"),
        (&plain, &plain, "NOT_A_TEMPLATE", "templateId"),
        (&plain, &nothing, "NOT_FOUND", "templateId"),
        (&plain, &archived, "ARCHIVED", "templateId"),
    ] {
        let input = json!({"id": id, "templateId": template});
        let refused = shop
            .manager
            .not_done("itemsUpdate", json!({"rows": [input.clone()]}))
            .await;
        assert_eq!(refused, refusal(code, &format!("rows.0.{path}")));
        let refused = shop.manager.not_done("itemUpdate", input).await;
        // Alone it is the database that finds a combination taken.
        let path = if code == "VARIANT_EXISTS" {
            "attributes"
        } else {
            path
        };
        assert_eq!(refused, refusal(code, path));
    }
    let refused = shop
        .manager
        .not_done("itemUpdate", json!({"id": bare, "templateId": other}))
        .await;
    assert_eq!(
        refused,
        [
            ("NOT_AN_OPTION".to_owned(), "attributes.size".to_owned()),
            ("REQUIRED".to_owned(), "attributes.colour".to_owned())
        ]
    );
    // Two rows of one call cannot have the same combination either.
    let row = |sku: &str| {
        json!({"sku": sku, "name": tests::shop::english("Ring"), "categoryId": shop.rings, "unitId": shop.unit,
        "templateId": other, "attributes": {"size": "50", "colour": "white"}})
    };
    let rows = json!({"rows": [row("A"), row("B")]});
    let refused = shop.manager.not_done("itemsCreate", rows).await;
    assert_eq!(refused, refusal("VARIANT_EXISTS", "rows.1.attributes"));
}
