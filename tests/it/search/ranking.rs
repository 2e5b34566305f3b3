//! The order of what is found.

use serde_json::{Value, json};
use tests::shop::english;

use super::{SEARCH, Shop, skus};

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_best_comes_first_page_by_page() {
    let shop = Shop::open().await;
    for (sku, name) in [
        ("A-1", "Ringlet holder"),
        ("A-2", "Box for a large wedding ring"),
        ("A-3", "Ring"),
        ("A-4", "Ring box"),
        ("RING", "Something else"),
    ] {
        shop.create(sku, json!({"name": english(name)})).await;
    }
    let best_first = ["RING", "A-3", "A-4", "A-2", "A-1"];
    assert_eq!(shop.find("ring").await, best_first);
    let mut met = Vec::new();
    let mut after = Value::Null;
    loop {
        let variables = json!({"search": "ring", "first": 2, "after": after});
        let page = shop.manager.ok(SEARCH, variables).await;
        met.extend(skus(&page));
        after = page["items"]["pageInfo"]["endCursor"].clone();
        if page["items"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(met, best_first);
    let worst_first = json!([{"field": "RELEVANCE", "direction": "ASC"}]);
    let page = shop
        .manager
        .ok(SEARCH, json!({"search": "ring", "orderBy": worst_first}))
        .await;
    assert_eq!(
        skus(&page),
        best_first.iter().rev().copied().collect::<Vec<_>>()
    );
    // Without words it says nothing, and items come by creation.
    let page = shop
        .manager
        .ok(SEARCH, json!({"orderBy": worst_first}))
        .await;
    assert_eq!(skus(&page), ["A-1", "A-2", "A-3", "A-4", "RING"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_come_in_the_order_of_the_viewers_language() {
    let shop = Shop::open().await;
    for (sku, en, fa) in [
        ("A", "écru", "گل"),
        ("B", "Zebra", "آب"),
        ("C", "eagle", "پا"),
        ("D", "apple", "بار"),
        ("E", "Fig", "ی"),
    ] {
        shop.ring(sku, en, fa).await;
    }
    shop.create("F", json!({"name": [{"language": "fa", "text": "تاج"}]}))
        .await;
    let by_name = json!({"orderBy": [{"field": "NAME", "direction": "ASC"}], "where": {"tags": {"all": []}, }});
    assert!(skus(&shop.manager.ok(SEARCH, by_name).await).is_empty());
    let by_name = json!({"orderBy": [{"field": "NAME", "direction": "ASC"}]});
    // English letters come in front of others.
    let english = shop.manager.ok(SEARCH, by_name.clone()).await;
    assert_eq!(skus(&english), ["D", "C", "A", "E", "B", "F"]);
    let persian = shop.app.persian_manager().await;
    let page = persian.ok(SEARCH, by_name).await;
    assert_eq!(skus(&page), ["B", "D", "C", "F", "A", "E"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_without_a_price_come_last_whichever_end_comes_first() {
    let shop = Shop::open().await;
    for (sku, price) in [
        ("A", Some("10.5")),
        ("B", None),
        ("C", Some("0")),
        ("D", Some("200")),
    ] {
        let price = price.map(|amount| json!({"amount": amount, "currency": "EUR"}));
        shop.create(sku, json!({"price": price})).await;
    }
    for (direction, expected) in [
        ("ASC", ["C", "A", "D", "B"]),
        ("DESC", ["D", "A", "C", "B"]),
    ] {
        let mut met = Vec::new();
        let mut after = Value::Null;
        for _ in 0..4 {
            let order = json!([{"field": "PRICE", "direction": direction}]);
            let page = json!({"orderBy": order, "first": 1, "after": after});
            let page = shop.manager.ok(SEARCH, page).await;
            met.extend(skus(&page));
            after = page["items"]["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(met, expected, "{direction}");
    }
}
