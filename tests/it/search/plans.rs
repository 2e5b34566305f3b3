//! However PostgreSQL comes by the rows, pages are the same. It decides by what it knows of the table, and here that is long ago.

use serde_json::{Value, json};
use tests::shop::english;

use super::{SEARCH, Shop, skus};

const ORDERS: [(&str, &str); 5] = [
    ("CREATED_AT", "ASC"),
    ("SKU", "DESC"),
    ("NAME", "ASC"),
    ("PRICE", "DESC"),
    ("UPDATED_AT", "ASC"),
];

async fn furnished() -> Shop {
    let shop = Shop::open().await;
    for number in 0..60 {
        let price = (number % 4 != 0)
            .then(|| json!({"amount": (number * 7 % 13).to_string(), "currency": "EUR"}));
        let name = english(&format!("{} ring", ["Gold", "Silver", "Steel"][number % 3]));
        let attributes = json!({"size": number % 5});
        let category = [&shop.rings, &shop.jewellery][number % 2];
        shop.create(
            &format!("R-{:02}", number * 17 % 60),
            json!({"price": price, "name": name, "attributes": attributes, "categoryId": category}),
        )
        .await;
    }
    shop
}

/// PostgreSQL looks at the items while there are 21,000 more, in either category, that pass nearly every filter; then these are put away, and
/// it does not look again. Each has one of two hundred further words: with fewer than a hundred usual words it guesses how many begin with a given one.
async fn deceive(shop: &Shop) {
    shop.app
        .execute("ALTER TABLE item SET (autovacuum_enabled = false)")
        .await;
    shop.app
        .execute(
            "INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, price_amount, price_currency, attributes, created_at, updated_at)
             SELECT gen_random_uuid(), 'goods', 'F-' || n, jsonb_build_object('en', 'Gold ring of series s' || n % 200), i.category_id, i.unit_id, 'none', 1, 'EUR', '{\"size\": 3}', now(), now()
             FROM generate_series(1, 21000) n JOIN (SELECT *, row_number() OVER (ORDER BY sku) AS place FROM item) i ON i.place = n % 60 + 1",
        )
        .await;
    shop.app.execute("ANALYZE item").await;
    shop.app.execute("ANALYZE item_number").await;
    shop.app
        .execute("UPDATE item SET archived_at = now() WHERE sku LIKE 'F-%'")
        .await;
}

/// All pages of five, forwards.
async fn walk(shop: &Shop, variables: &Value) -> Vec<String> {
    let mut met = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut page = variables.clone();
        page["first"] = json!(5);
        page["after"] = after;
        let page = shop.manager.ok(SEARCH, page).await;
        met.extend(skus(&page));
        after = page["items"]["pageInfo"]["endCursor"].clone();
        if page["items"]["pageInfo"]["hasNextPage"] == false {
            return met;
        }
    }
}

/// The same lists, while PostgreSQL knows of sixty items and while it believes in thousands.
#[tokio::test(flavor = "multi_thread")]
async fn pages_do_not_depend_on_how_many_rows_are_expected() {
    let shop = furnished().await;
    let filters = [
        json!({"hasImage": false}),
        json!({"attributes": [{"name": "size", "eq": "3"}]}),
        json!({"attributes": [{"name": "size", "range": {"min": "1", "below": "4"}}], "price": {"isNull": false}}),
        json!({"name": {"contains": "gold"}, "attributes": [{"name": "size", "eq": "9"}]}),
        json!({"category": {"in": [shop.jewellery]}, "attributes": [{"name": "size", "eq": "3"}], "price": {"range": {"min": "1", "max": "8"}}}),
        json!({"category": {"descendantOf": shop.rings}, "NOT": {"name": {"contains": "gold"}}}),
        json!({"category": {"descendantOf": shop.jewellery, "in": [shop.rings]}, "price": {"range": {"min": "1"}}}),
    ];
    let mut lists = Vec::new();
    for filter in &filters {
        for (field, direction) in ORDERS {
            lists.push(
                json!({"where": filter, "orderBy": [{"field": field, "direction": direction}]}),
            );
        }
    }
    lists.push(json!({"search": "gold ring", "orderBy": [{"field": "SKU", "direction": "ASC"}]}));
    let mut gathered = Vec::new();
    for list in &lists {
        gathered.push(walk(&shop, list).await);
    }
    assert!(gathered.iter().any(|list| list.len() == 60) && gathered.iter().any(Vec::is_empty));
    deceive(&shop).await;
    for (list, expected) in lists.iter().zip(&gathered) {
        assert_eq!(&walk(&shop, list).await, expected, "{list}");
    }
    // Too many are not ranked: they come by creation.
    let found = walk(&shop, &json!({"search": "ring"})).await;
    assert_eq!(found, walk(&shop, &json!({})).await);
}

/// A list that was begun by relevance goes on so, whatever PostgreSQL has learnt meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_on_in_the_order_it_was_begun_in() {
    let shop = furnished().await;
    let first = json!({"search": "gold", "first": 5});
    let page = shop.manager.ok(SEARCH, first.clone()).await;
    deceive(&shop).await;
    let mut next = first;
    next["after"] = page["items"]["pageInfo"]["endCursor"].clone();
    let ranked = shop.manager.ok(SEARCH, next).await;
    let mut all = skus(&page);
    all.extend(skus(&ranked));
    assert_eq!(
        all.iter().collect::<std::collections::HashSet<_>>().len(),
        10
    );
}
