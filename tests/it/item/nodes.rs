//! Anything by its id.

use serde_json::{Value, json};
use tests::shop::global_id;

use super::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_every_type_are_found_by_id_in_the_order_they_were_asked_for() {
    let shop = Shop::open().await;
    let item = shop.create("RING-1", json!({})).await;
    let nobody = global_id("Item", "01930000000070008000000000abcdef");
    let ids = json!([shop.unit, item["id"], nobody, shop.category, item["id"]]);
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    let nodes = shop.manager.ok(query, json!({"ids": ids})).await["nodes"].take();
    let types: Vec<_> = nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["__typename"].clone())
        .collect();
    assert_eq!(
        types,
        [
            json!("UnitOfMeasure"),
            json!("Item"),
            Value::Null,
            json!("Category"),
            json!("Item")
        ]
    );
    let one = shop
        .manager
        .ok(
            "query($id: ID!) { node(id: $id) { ... on Category { name } } }",
            json!({"id": shop.category}),
        )
        .await;
    assert_eq!(one["node"], json!({"name": "Rings"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_id_is_refused() {
    let shop = Shop::open().await;
    let wrong_uuid = global_id("Item", "not-a-uuid");
    let of_nobody = global_id("Spaceship", "01930000000070008000000000abcdef");
    for id in ["", "1", "گ", &"x".repeat(100_000), &wrong_uuid, &of_nobody] {
        let answer = shop
            .manager
            .gql(
                "query($id: ID!) { node(id: $id) { id } }",
                json!({"id": id}),
            )
            .await;
        assert_eq!(answer.codes(), ["INVALID_FORMAT"], "{:.60}", id);
        assert!(
            answer.errors[0].to_string().len() < 1_000,
            "an answer does not grow with what was sent"
        );
    }
    let ids = vec![shop.category.clone(); 101];
    let answer = shop
        .manager
        .gql(
            "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            json!({"ids": ids}),
        )
        .await;
    assert_eq!(answer.codes(), ["TOO_MANY"]);
}
