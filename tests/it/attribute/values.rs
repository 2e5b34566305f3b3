//! Values of items: how they are written, kept and answered.

use serde_json::json;

use super::{Shop, wrong};

#[tokio::test(flavor = "multi_thread")]
async fn a_weight_is_kept_in_grams_and_answered_in_the_unit_that_is_asked_for() {
    let shop = Shop::open().await;
    let tola = shop.manager.unit("tola").await;
    let _declared = shop
        .declare("weight", "DECIMAL", json!({"unitId": tola}))
        .await;
    for (sku, written) in [
        ("R-1", json!("2")),
        ("R-2", json!("2 tola")),
        ("R-3", json!({"value": "23.3276076", "unit": "gram"})),
    ] {
        let ring = shop.create_ring(sku, json!({"weight": written})).await;
        assert_eq!(ring["attributes"], json!({"weight": "2"}));
    }
    let kept = shop
        .app
        .count("SELECT count(*) FROM item WHERE attributes = '{\"weight\": \"23.3276076\"}'")
        .await;
    assert_eq!(kept, 3);
    let query = "{ item(by: {sku: \"R-1\"}) { attributeValues {
        attribute { name unit { code } } value text amount gram: amount(unit: \"gram\") carat: amount(unit: \"carat\") } } }";
    let data = shop.manager.ok(query, json!({})).await;
    let expected = json!([{
        "attribute": {"name": "weight", "unit": {"code": "tola"}}, "value": "2", "text": "2 tola", "amount": "2",
        "gram": "23.3276076", "carat": "116.638038",
    }]);
    assert_eq!(data["item"]["attributeValues"], expected);
    let metres = shop
        .manager
        .gql(
            "{ item(by: {sku: \"R-1\"}) { attributeValues { amount(unit: \"metre\") } } }",
            json!({}),
        )
        .await;
    assert_eq!(metres.codes(), ["INCOMPATIBLE_UNITS"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_can_be_written_again() {
    let shop = Shop::open().await;
    let tola = shop.manager.unit("tola").await;
    let _ = shop
        .declare("weight", "DECIMAL", json!({"unitId": tola}))
        .await;
    let _ = shop
        .declare("set_of", "REFERENCE", json!({"refersTo": "ITEM"}))
        .await;
    let _ = shop
        .declare("kin", "REFERENCE", json!({"refersTo": "CATEGORY"}))
        .await;
    let first = shop
        .create_ring(
            "R-1",
            json!({"weight": "1 gram", "kin": {"id": shop.jewellery}}),
        )
        .await;
    // A gram is no round number of tolas.
    assert_eq!(
        first["attributes"],
        json!({"weight": {"value": "1", "unit": "gram"}, "kin": {"id": shop.jewellery}})
    );
    let second = shop.create_ring("R-2", json!({"set_of": "r-1"})).await;
    assert_eq!(second["attributes"], json!({"set_of": {"id": first["id"]}}));
    let again = json!({"id": second["id"], "attributes": second["attributes"]});
    let again = shop.manager.done("itemUpdate", again).await;
    assert_eq!(again["item"]["attributes"], second["attributes"]);
    assert_eq!(
        shop.not_a_ring("R-3", json!({"set_of": "R-9"})).await,
        wrong("NOT_FOUND", "attributes.set_of")
    );
    let other_type = json!({"set_of": {"id": shop.jewellery}});
    assert_eq!(
        shop.not_a_ring("R-3", other_type).await,
        wrong("NOT_FOUND", "attributes.set_of")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_labels_in_their_language() {
    let shop = Shop::open().await;
    let label = |en: &str, fa: &str| json!([{"language": "en", "text": en}, {"language": "fa", "text": fa}]);
    let more = json!({"label": label("Colour", "رنگ"), "options": [{"value": "y", "label": label("Yellow", "زرد")}, {"value": "w"}]});
    let _ = shop.declare("colour", "ENUM", more).await;
    let _ = shop.declare("certified", "BOOLEAN", json!({})).await;
    let _ = shop
        .create_ring("R-1", json!({"colour": "زرد", "certified": true}))
        .await;
    let query =
        "{ item(by: {sku: \"R-1\"}) { attributeValues { attribute { label } text value } } }";
    let read = shop.app.persian_manager().await.ok(query, json!({})).await;
    let expected = json!([
        {"attribute": {"label": "رنگ"}, "text": "زرد", "value": "y"},
        {"attribute": {"label": "certified"}, "text": "بله", "value": true},
    ]);
    assert_eq!(read["item"]["attributeValues"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unique_value_is_one_items_alone() {
    let shop = Shop::open().await;
    let _ = shop
        .declare(
            "huid",
            "TEXT",
            json!({"unique": true, "pattern": "[A-Z0-9]{6}"}),
        )
        .await;
    let first = shop.create_ring("R-1", json!({"huid": "AB12CD"})).await;
    assert_eq!(
        shop.not_a_ring("R-2", json!({"huid": "AB12CD"})).await,
        wrong("ALREADY_TAKEN", "attributes.huid")
    );
    assert_eq!(
        shop.not_a_ring("R-2", json!({"huid": "short"})).await,
        wrong("INVALID_FORMAT", "attributes.huid")
    );
    let change = json!({"id": first["id"], "attributes": {"huid": "ZZ99ZZ"}});
    let _ = shop.manager.done("itemUpdate", change).await;
    // What the first has given up is free again, what it has now is not.
    let _ = shop.create_ring("R-2", json!({"huid": "AB12CD"})).await;
    assert_eq!(
        shop.not_a_ring("R-3", json!({"huid": "ZZ99ZZ"})).await,
        wrong("ALREADY_TAKEN", "attributes.huid")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_takes_its_values_along_to_another_category_or_stays() {
    let shop = Shop::open().await;
    let _ = shop.declare("huid", "TEXT", json!({})).await;
    let chains = shop.manager.category("Chains", Some(&shop.jewellery)).await;
    let tools = shop.manager.category("Tools", None).await;
    let _ = shop.manager.done("attributeCreate", json!({
        "categoryId": tools, "name": "voltage", "label": tests::shop::english("Voltage"), "type": "NUMBER",
    })).await;
    let ring = shop.create_ring("R-1", json!({"huid": "AB12CD"})).await;
    let moved = shop
        .manager
        .done(
            "itemUpdate",
            json!({"id": ring["id"], "categoryId": chains}),
        )
        .await;
    assert_eq!(moved["item"]["attributes"], json!({"huid": "AB12CD"}));
    let refused = shop
        .manager
        .not_done("itemUpdate", json!({"id": ring["id"], "categoryId": tools}))
        .await;
    assert_eq!(refused, wrong("UNKNOWN_ATTRIBUTE", "attributes.huid"));
    let both = json!({"id": ring["id"], "categoryId": tools, "attributes": {"voltage": 230}});
    let moved = shop.manager.done("itemUpdate", both).await;
    assert_eq!(moved["item"]["attributes"], json!({"voltage": 230}));
}
