//! What is declared above holds below, and may only become stricter there.

use serde_json::{Value, json};
use tests::shop::english;

use super::{Shop, laid_over, wrong};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declared_above_holds_below() {
    let shop = Shop::open().await;
    let _ = shop
        .declare("metal", "TEXT", json!({"required": true}))
        .await;
    let of_rings = laid_over(
        shop.attribute("size", "NUMBER", json!({})),
        json!({"categoryId": shop.rings}),
    );
    let _ = shop.manager.done("attributeCreate", of_rings).await;
    assert_eq!(
        shop.not_a_ring("R-1", json!({"size": 50})).await,
        wrong("REQUIRED", "attributes.metal")
    );
    let _ = shop
        .create_ring("R-1", json!({"size": 50, "metal": "gold"}))
        .await;
    let query =
        "query($id: ID!) { category(by: {id: $id}) { attributes { name category { name } } } }";
    let data = shop.manager.ok(query, json!({"id": shop.rings})).await;
    let expected = json!([
        {"name": "metal", "category": {"name": "Jewellery"}},
        {"name": "size", "category": {"name": "Rings"}},
    ]);
    assert_eq!(data["category"]["attributes"], expected);
    let above = shop.manager.ok(query, json!({"id": shop.jewellery})).await;
    assert_eq!(above["category"]["attributes"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn below_it_may_only_become_stricter() {
    let shop = Shop::open().await;
    let colours = |values: &[&str]| {
        json!(
            values
                .iter()
                .map(|value| json!({"value": value}))
                .collect::<Vec<_>>()
        )
    };
    let upper = shop
        .declare(
            "colour",
            "ENUM",
            json!({"options": colours(&["yellow", "white", "rose"])}),
        )
        .await;
    let below = |options, more| {
        let input = shop.attribute(
            "colour",
            "ENUM",
            json!({"categoryId": shop.rings, "options": options}),
        );
        laid_over(input, more)
    };
    let other = below(colours(&["yellow", "green"]), json!({}));
    assert_eq!(
        shop.manager.not_done("attributeCreate", other).await,
        wrong("CONTRADICTS", "options")
    );
    let _ = shop
        .manager
        .done(
            "attributeCreate",
            below(colours(&["yellow"]), json!({"required": true})),
        )
        .await;
    assert_eq!(
        shop.not_a_ring("R-1", json!({"colour": "white"})).await,
        wrong("NOT_AN_OPTION", "attributes.colour")
    );
    assert_eq!(
        shop.not_a_ring("R-1", json!({})).await,
        wrong("REQUIRED", "attributes.colour")
    );
    let _ = shop.create_ring("R-1", json!({"colour": "yellow"})).await;
    // Nor may the upper one become stricter than the lower one allows for.
    let change = json!({"id": upper["id"], "options": colours(&["white"])});
    assert_eq!(
        shop.manager.not_done("attributeUpdate", change).await,
        wrong("CONTRADICTS", "options")
    );
    let told = shop
        .manager
        .change(
            "attributeUpdate",
            json!({"id": upper["id"], "options": colours(&["white"])}),
        )
        .await;
    assert!(told.user_errors()[0].message.contains("Rings"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_does_not_move_to_where_it_would_contradict_or_its_items_would_not_fit() {
    let shop = Shop::open().await;
    let other = shop.manager.category("Other", None).await;
    let declare = |category: &str, kind: &str, more| {
        laid_over(
            json!({"categoryId": category, "name": "size", "label": english("Size"), "type": kind}),
            more,
        )
    };
    let _ = shop
        .manager
        .done("attributeCreate", declare(&shop.rings, "NUMBER", json!({})))
        .await;
    let _ = shop
        .manager
        .done("attributeCreate", declare(&other, "TEXT", json!({})))
        .await;
    let _ = shop.create_ring("R-1", json!({"size": 50})).await;
    let to_other = json!({"id": shop.rings, "parentId": other});
    assert_eq!(
        shop.manager.not_done("categoryMove", to_other).await,
        wrong("CONTRADICTS", "parentId")
    );
    let demanding = shop.manager.category("Demanding", None).await;
    let _ = shop.manager.done("attributeCreate", json!({
        "categoryId": demanding, "name": "metal", "label": english("Metal"), "type": "TEXT", "required": true,
    })).await;
    let to_demanding = json!({"id": shop.rings, "parentId": demanding});
    assert_eq!(
        shop.manager.not_done("categoryMove", to_demanding).await,
        wrong("INVALID_ITEMS", "parentId")
    );
    let free = shop.manager.category("Free", None).await;
    let _ = shop
        .manager
        .done("categoryMove", json!({"id": shop.rings, "parentId": free}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unique_stays_unique_among_the_same_items() {
    let shop = Shop::open().await;
    let _ = shop.declare("huid", "TEXT", json!({"unique": true})).await;
    let other = shop.manager.category("Other", None).await;
    let away = json!({"id": shop.rings, "parentId": other});
    assert_eq!(
        shop.manager.not_done("categoryMove", away).await,
        wrong("UNIQUE_ELSEWHERE", "parentId")
    );
    let chains = shop.manager.category("Chains", Some(&shop.jewellery)).await;
    let within = json!({"id": shop.rings, "parentId": chains});
    let _ = shop.manager.done("categoryMove", within).await;
}

/// Items are looked at only where something else is demanded of them. Whatever it is, it is noticed.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_the_same_demands_is_free_and_each_other_demand_is_noticed() {
    let shop = Shop::open().await;
    let manager = &shop.manager;
    let root = async |name: &str, attribute: &str, kind: &str, more: Value| {
        let root = manager.category(name, None).await;
        let declaration = json!({"categoryId": root, "name": attribute, "label": english(attribute), "type": kind});
        let declaration = laid_over(declaration, more);
        let _ = manager.done("attributeCreate", declaration).await;
        root
    };
    let colours = |names: &[&str]| -> Value {
        let options = names.iter().map(|name| json!({"value": name}));
        options.collect()
    };
    for (nth, (kind, value, here, elsewhere)) in [
        ("NUMBER", json!(50), json!({}), json!({"max": "10"})),
        (
            "NUMBER",
            json!(50),
            json!({"max": "90"}),
            json!({"min": "60"}),
        ),
        (
            "TEXT",
            json!("abc"),
            json!({}),
            json!({"pattern": "[0-9]+"}),
        ),
        ("TEXT", json!("50"), json!({}), json!({"type": "NUMBER"})),
        (
            "ENUM",
            json!("red"),
            json!({"options": colours(&["red", "blue"])}),
            json!({"options": colours(&["blue"])}),
        ),
        ("NUMBER", Value::Null, json!({}), json!({"required": true})),
    ]
    .into_iter()
    .enumerate()
    {
        let attribute = format!("fact_{nth}");
        let name = |part: &str| format!("{part} {nth}");
        let home = root(&name("Home"), &attribute, kind, here.clone()).await;
        let alike = root(&name("Alike"), &attribute, kind, here).await;
        let other = root(&name("Other"), &attribute, kind, elsewhere).await;
        let moved = manager.category(&name("Moved"), Some(&home)).await;
        let item = json!({"sku": format!("SKU-{nth}"), "name": english("Thing"), "categoryId": moved,
            "unitId": manager.unit("piece").await, "attributes": {attribute: value}});
        let _ = manager.done("itemCreate", item).await;
        let to = |parent: &str| json!({"id": moved, "parentId": parent});
        let _ = manager.done("categoryMove", to(&alike)).await;
        assert_eq!(
            manager.not_done("categoryMove", to(&other)).await,
            wrong("INVALID_ITEMS", "parentId"),
            "{nth}"
        );
    }
}
