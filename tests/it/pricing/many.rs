//! A new rate re-prices as many items as there are, and writes a handful of rows.

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::app::TestApp;

use crate::{item::Shop, metal_rate::record};

/// How many weight-based items.
const MANY: i64 = 100_000;

/// Items of 1 to 10 g of 18 karat gold, straight into the database.
async fn furnish(shop: &Shop) {
    let statements = [
        format!(
            "INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, created_at, updated_at)
             SELECT gen_random_uuid(), 'goods', 'MANY-' || n, '{{}}', c.id, u.id, 'none', now(), now()
             FROM generate_series(1, {MANY}) n, (SELECT id FROM category LIMIT 1) c, (SELECT id FROM unit_of_measure LIMIT 1) u"
        ),
        "INSERT INTO item_metal (item_id, metal, fineness, net_weight, stones)
         SELECT id, 'gold', 750, 1 + substr(sku, 6)::int % 10, '[]' FROM item"
            .to_owned(),
        "INSERT INTO item_pricing (item_id, model, currency, profit_percent) SELECT id, 'weight_based', 'IRR', 7 FROM item"
            .to_owned(),
    ];
    for sql in statements {
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(shop.app.sql())
            .await
            .unwrap();
    }
}

/// Where every row is about which a new rate says nothing, and who wrote it last.
async fn places(app: &TestApp) -> Vec<String> {
    let mut places = Vec::new();
    for table in [
        "item",
        "item_metal",
        "item_pricing",
        "category",
        "app_user",
        "role",
    ] {
        let sql = format!(
            "SELECT md5(string_agg(t.ctid::text || t.xmin::text, ' ' ORDER BY t.ctid)) FROM {table} t"
        );
        let place = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(app.sql())
            .await;
        places.push(place.unwrap());
    }
    places
}

/// How many rows there are of rates, audit, events, jobs and kept answers.
async fn rows(app: &TestApp) -> [i64; 5] {
    let mut counts = [0; 5];
    for (count, table) in
        counts
            .iter_mut()
            .zip(["metal_rate", "audit", "event", "job", "idempotency"])
    {
        let sql = format!("SELECT count(*) FROM {table}");
        *count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(app.sql())
            .await
            .unwrap();
    }
    counts
}

/// The prices of the hundred items with the smallest SKUs.
async fn prices(shop: &Shop) -> Vec<(i64, String)> {
    let query = "{ items(first: 100, orderBy: [{field: SKU, direction: ASC}]) { nodes { sku currentPrice { amount } } } }";
    let found = shop.manager.ok(query, json!({})).await;
    let one = |node: &Value| {
        let number = node["sku"].as_str().unwrap()[5..].parse().unwrap();
        (
            number,
            node["currentPrice"]["amount"].as_str().unwrap().to_owned(),
        )
    };
    found["items"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(one)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_for_a_hundred_thousand_items_writes_three_rows() {
    let shop = Shop::open().await;
    furnish(&shop).await;
    record(&shop.manager, "100", json!({})).await;
    let (places_before, rows_before) = (places(&shop.app).await, rows(&shop.app).await);
    for gram in [200, 300] {
        record(&shop.manager, &gram.to_string(), json!({})).await;
        for (number, price) in prices(&shop).await {
            let hundredths = (1 + number % 10) * gram * 107;
            assert_eq!(
                price,
                format!("{}.{:02}", hundredths / 100, hundredths % 100)
            );
        }
    }
    assert_eq!(
        places(&shop.app).await,
        places_before,
        "no other row was written"
    );
    let [rates, audit, events, jobs, answers] = rows_before;
    let expected = [rates + 2, audit + 2, events + 2, jobs, answers];
    assert_eq!(rows(&shop.app).await, expected);
}
