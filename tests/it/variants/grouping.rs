//! Lists in which templates stand for their variants.

use serde_json::{Value, json};

use super::{Shop, laid_over};

const LIST: &str = "query($search: String, $where: ItemWhere, $orderBy: [ItemOrder!], $groupBy: ItemGroupBy, $first: Int, $last: Int, $after: String, $before: String) {
    items(search: $search, where: $where, orderBy: $orderBy, groupBy: $groupBy, first: $first, last: $last, after: $after, before: $before) {
        nodes { sku } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount { count exact }
    }
}";
const ORDERS: [&str; 5] = ["CREATED_AT", "SKU", "NAME", "PRICE", "UPDATED_AT"];

/// Twelve templates with four variants each, of which every third has a dear white one of size 52; and twelve rings without variants.
async fn furnished() -> Shop {
    let shop = Shop::open().await;
    for number in 0..12 {
        let name = tests::shop::english(["Band", "Solitaire", "Signet"][number % 3]);
        let price = json!({"amount": (number * 7 % 13).to_string(), "currency": "EUR"});
        let sku = format!("T-{:02}", number * 5 % 12);
        let id = shop.ring(&sku, json!({"name": name, "price": price})).await;
        shop.options(
            &id,
            &[("size", &["50", "52"]), ("colour", &["white", "rose gold"])],
        )
        .await;
        let dear = json!([{"options": super::chosen(&[("size", "52"), ("colour", "white")]), "price": {"amount": "5000", "currency": "EUR"}}]);
        let overrides = if number % 3 == 0 { dear } else { json!([]) };
        shop.generate(&id, json!({"overrides": overrides})).await;
        let plain = json!({"name": tests::shop::english("Plain"), "attributes": {"size": "54", "colour": "grey"}});
        shop.ring(&format!("P-{number:02}"), plain).await;
    }
    shop
}

fn skus(page: &Value) -> Vec<String> {
    let nodes = page["items"]["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| node["sku"].as_str().unwrap().to_owned())
        .collect()
}

/// All pages of five, forwards or backwards; in the order of the list.
async fn walk(shop: &Shop, list: &Value, backwards: bool) -> Vec<String> {
    let (count, cursor, end, more) = if backwards {
        ("last", "before", "startCursor", "hasPreviousPage")
    } else {
        ("first", "after", "endCursor", "hasNextPage")
    };
    let (mut met, mut at) = (Vec::new(), Value::Null);
    loop {
        let variables = laid_over(list.clone(), json!({count: 5, cursor: at}));
        let page = shop.manager.ok(LIST, variables).await;
        let found = skus(&page);
        if backwards {
            met.splice(0..0, found);
        } else {
            met.extend(found);
        }
        let info = &page["items"]["pageInfo"];
        if info[more] == false {
            assert_eq!(
                page["items"]["totalCount"]["count"],
                json!(met.len()),
                "{list}"
            );
            return met;
        }
        at = info[end].clone();
    }
}

async fn grouped(shop: &Shop, more: Value) -> Vec<String> {
    walk(
        shop,
        &laid_over(json!({"groupBy": "TEMPLATE"}), more),
        false,
    )
    .await
}

/// What the list must be, from a list of all items that fit: each by itself, or by the template whose variant it is, in the order of a list
/// of everything that is no variant.
async fn expected(shop: &Shop, list: &Value) -> Vec<String> {
    let fit = "query($search: String, $where: ItemWhere) { items(search: $search, where: $where, first: 100) { nodes { sku template { sku } } } }";
    let fit = shop.manager.ok(fit, list.clone()).await;
    let nodes = fit["items"]["nodes"].as_array().unwrap();
    let stand: Vec<_> = nodes
        .iter()
        .map(|node| {
            node["template"]["sku"]
                .as_str()
                .or(node["sku"].as_str())
                .unwrap()
        })
        .collect();
    let order = json!({"where": {"template": {"isNull": true}, "OR": [{"archived": true}, {"archived": false}]}, "orderBy": list["orderBy"]});
    let mut all = walk(shop, &order, false).await;
    all.retain(|sku| stand.contains(&sku.as_str()));
    all
}

async fn check_all_orders(shop: &Shop) {
    let filters = [
        json!({}),
        json!({"attributes": [{"name": "size", "eq": "52"}]}),
        json!({"attributes": [{"name": "size", "eq": "52"}, {"name": "colour", "eq": "white"}], "price": {"range": {"min": "1000"}}}),
        json!({"name": {"contains": "grey"}}),
        json!({"isTemplate": true}),
        json!({"kind": {"in": ["GOODS"]}, "hasImage": false}),
        json!({"archived": true}),
    ];
    for filter in filters {
        for field in ORDERS {
            for direction in ["ASC", "DESC"] {
                let list =
                    json!({"where": filter, "orderBy": [{"field": field, "direction": direction}]});
                let expected = expected(shop, &list).await;
                let list = laid_over(list, json!({"groupBy": "TEMPLATE"}));
                assert_eq!(walk(shop, &list, false).await, expected, "{list}");
                assert_eq!(walk(shop, &list, true).await, expected, "backwards: {list}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_stands_for_its_variants_in_every_order() {
    let shop = furnished().await;
    assert_eq!(grouped(&shop, json!({})).await.len(), 24);
    let filter =
        json!({"attributes": [{"name": "size", "eq": "52"}, {"name": "colour", "eq": "white"}]});
    assert_eq!(grouped(&shop, json!({"where": filter})).await.len(), 12);
    let dear = json!({"where": {"price": {"range": {"min": "1000"}}}});
    assert_eq!(grouped(&shop, dear).await.len(), 4);
    shop.manager
        .done("itemArchive", json!({"id": shop.id("T-00-50-WHITE").await}))
        .await;
    check_all_orders(&shop).await;
}

/// The same while PostgreSQL believes in thousands of items, and pages are read along an order.
#[tokio::test(flavor = "multi_thread")]
async fn pages_do_not_depend_on_how_many_rows_are_expected() {
    let shop = furnished().await;
    shop.app
        .execute("ALTER TABLE item SET (autovacuum_enabled = false)")
        .await;
    shop.app
        .execute(
            r#"INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, price_amount, price_currency, attributes, created_at, updated_at)
               SELECT gen_random_uuid(), 'goods', 'F-' || n, '{"en": "Grey"}', i.category_id, i.unit_id, 'none', 2000, 'EUR',
                      '{"size": "52", "colour": "white"}', now(), now()
               FROM (SELECT * FROM item LIMIT 1) i CROSS JOIN generate_series(1, 21000) n"#,
        )
        .await;
    shop.app.execute("ANALYZE item").await;
    shop.app
        .execute("DELETE FROM item WHERE sku LIKE 'F-%'")
        .await;
    check_all_orders(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_find_templates_by_their_variants() {
    let shop = furnished().await;
    shop.manager
        .done(
            "itemUpdate",
            json!({"id": shop.id("T-03-50-WHITE").await, "barcodes": ["B-77"], "name": tests::shop::english("Heirloom")}),
        )
        .await;
    assert_eq!(
        grouped(&shop, json!({"search": "heirloom"})).await,
        ["T-03"]
    );
    assert_eq!(grouped(&shop, json!({"search": "B-77"})).await, ["T-03"]);
    assert_eq!(
        grouped(&shop, json!({"search": "solitaire rose"}))
            .await
            .len(),
        4
    );
    assert_eq!(grouped(&shop, json!({"search": "plain"})).await.len(), 12);
    assert_eq!(grouped(&shop, json!({"search": "T-03-50"})).await, ["T-03"]);
    // The filter must hold for what has the words.
    let filter = json!({"attributes": [{"name": "size", "eq": "52"}]});
    assert!(
        grouped(&shop, json!({"search": "heirloom", "where": filter}))
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_tell_templates_variants_and_others_apart() {
    let shop = furnished().await;
    let list = async |filter: Value| {
        let page = shop
            .manager
            .ok(LIST, json!({"where": filter, "first": 100}))
            .await;
        skus(&page).len()
    };
    assert_eq!(list(json!({"isTemplate": true})).await, 12);
    assert_eq!(list(json!({"template": {"isNull": false}})).await, 48);
    assert_eq!(
        list(json!({"template": {"isNull": true}, "isTemplate": false})).await,
        12
    );
    let templates = json!([shop.id("T-00").await, shop.id("T-01").await]);
    assert_eq!(list(json!({"template": {"in": templates}})).await, 8);
    assert_eq!(list(json!({"template": {"in": []}})).await, 0);
    // A template that is put away still stands for variants that are not.
    let id = shop.id("T-00").await;
    shop.manager.done("itemArchive", json!({"id": id})).await;
    assert!(grouped(&shop, json!({})).await.contains(&"T-00".to_owned()));
    let variants = json!({"rows": [{"id": shop.id("T-00-50-WHITE").await}, {"id": shop.id("T-00-52-WHITE").await},
        {"id": shop.id("T-00-50-ROSE_GOLD").await}, {"id": shop.id("T-00-52-ROSE_GOLD").await}]});
    shop.manager.done("itemsArchive", variants).await;
    assert!(!grouped(&shop, json!({})).await.contains(&"T-00".to_owned()));
    assert_eq!(
        grouped(&shop, json!({"where": {"archived": true}})).await,
        ["T-00"]
    );
}
