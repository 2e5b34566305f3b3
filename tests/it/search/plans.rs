//! However PostgreSQL comes by the rows, pages are the same. It decides by what it knows of the table, and here that is long ago.

use serde_json::{Value, json};
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy, shop::english};

use super::{SEARCH, Shop, skus};

const BACKWARDS: &str =
    "query($search: String, $where: ItemWhere, $orderBy: [ItemOrder!], $before: String) {
    items(search: $search, where: $where, orderBy: $orderBy, last: 5, before: $before) {
        edges { node { sku } } pageInfo { hasPreviousPage hasNextPage startCursor }
    }
}";

const ORDERS: [(&str, &str); 6] = [
    ("CREATED_AT", "ASC"),
    ("SKU", "DESC"),
    ("NAME", "ASC"),
    ("PRICE", "DESC"),
    ("PRICE", "ASC"),
    ("UPDATED_AT", "ASC"),
];

async fn furnished(app: TestApp) -> Shop {
    let shop = Shop::of(app).await;
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

/// All pages of five, from the last one to the first; in the order of the list.
async fn walk_backwards(shop: &Shop, variables: &Value) -> Vec<String> {
    let mut met = Vec::new();
    let mut before = Value::Null;
    loop {
        let is_last = before.is_null();
        let mut page = variables.clone();
        page["before"] = before;
        let page = shop.manager.ok(BACKWARDS, page).await;
        met.extend(skus(&page).into_iter().rev());
        let info = &page["items"]["pageInfo"];
        assert_eq!(info["hasNextPage"], !is_last, "{variables}");
        before = info["startCursor"].clone();
        if info["hasPreviousPage"] == false {
            met.reverse();
            return met;
        }
    }
}

/// The same lists, while PostgreSQL knows of sixty items and while it believes in thousands.
#[tokio::test(flavor = "multi_thread")]
async fn pages_do_not_depend_on_how_many_rows_are_expected() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder().database_url(proxy.url()).start().await;
    let shop = furnished(app).await;
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
    let _executed_before = proxy.take();
    for (list, expected) in lists.iter().zip(&gathered) {
        assert_eq!(&walk(&shop, list).await, expected, "{list}");
        assert_eq!(&walk_backwards(&shop, list).await, expected, "{list}");
    }
    // Along both indexes of prices, and in both directions, items were looked up one by one.
    let executed = proxy.take();
    for direction in ["ASC", "DESC"] {
        let order = format!("ORDER BY order_0 {direction}");
        let sieved = |sql: &String| sql.contains("CROSS JOIN LATERAL") && sql.contains(&order);
        assert!(executed.iter().any(sieved), "{direction}");
    }
    // Too many are not ranked: they come by creation.
    let found = walk(&shop, &json!({"search": "ring"})).await;
    assert_eq!(found, walk(&shop, &json!({})).await);
}

/// A list that was begun by relevance goes on so, whatever PostgreSQL has learnt meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_on_in_the_order_it_was_begun_in() {
    let shop = furnished(TestApp::start().await).await;
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
