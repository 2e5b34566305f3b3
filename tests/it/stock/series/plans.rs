//! Series are read by one statement, which looks at the days that are asked for and no others.

use chrono::{Months, TimeDelta};
use domain::clock::{Clock as _, SystemClock};
use sea_orm::sqlx::{self, AssertSqlSafe};
use serde_json::{Value, json};
use tests::{database::TestDatabase, proxy::PostgresProxy};

use super::{Shop, bought, today};
use crate::stock::statements::behind;

const LEVELS: &str = "query($where: StockTimeSeriesWhere, $from: Date!, $until: Date!, $by: StockSeriesBy!) { \
    stockTimeSeries(where: $where, from: $from, until: $until, interval: DAY, by: $by) { series { points { level { quantity } } } } }";
const NAMED: &str = "query($where: StockTimeSeriesWhere, $from: Date!, $until: Date!, $by: StockSeriesBy!) { \
    stockTimeSeries(where: $where, from: $from, until: $until, interval: DAY, by: $by) { \
    series { unit { code } item { sku } location { code } category { name } points { level { quantity } } } } }";

/// The shop has moved in each of the last twelve months, and many other things have beside it.
async fn history(proxy: &PostgresProxy) -> (Shop, Vec<String>) {
    let shop = behind(proxy).await;
    let mut items = Vec::new();
    for number in 0..40 {
        items.push(shop.item(&format!("I-{number}"), "NONE").await);
    }
    for month in 0..12 {
        let lines: Vec<_> = items
            .iter()
            .map(|item| json!({"itemId": item, "toId": shop.tray, "quantity": 1}))
            .collect();
        shop.happen_at(
            "stockReceive",
            bought(json!(lines)),
            SystemClock.now() - TimeDelta::days(30 * month),
        )
        .await;
    }
    shop.add_all_to_days().await;
    sqlx::query("ANALYZE")
        .execute(shop.app.sql())
        .await
        .unwrap();
    (shop, items)
}

/// A statement as psql would send it, with its values in it.
fn written_out(sql: &str, values: &[String]) -> String {
    let numbered = values.iter().enumerate().rev();
    numbered.fold(sql.to_owned(), |sql, (index, value)| {
        sql.replace(&format!("${}", index + 1), value)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_read_by_its_key_in_the_months_that_are_asked_for() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let (shop, items) = history(&proxy).await;
    let (from, until) = (today() - Months::new(2), today());
    let variables = json!({"where": {"itemIds": [items[7]]}, "from": from.to_string(), "until": until.to_string(), "by": "ALL"});
    let executed = proxy
        .during(async || shop.manager.ok(LEVELS, variables.clone()).await)
        .await;
    let [sql] = &executed[..] else {
        panic!("{executed:#?}")
    };
    let id: String = sqlx::query_scalar("SELECT id::text FROM item WHERE sku = 'I-7'")
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    let (from, until) = (format!("'{from}'::date"), format!("'{until}'::date"));
    let items = format!("'{{{id}}}'::uuid[]");
    let values = [
        "50000".into(),
        items,
        "101".into(),
        "100".into(),
        "100".into(),
        from.clone(),
        from.clone(),
        from.clone(),
        from,
        until.clone(),
        until,
    ];
    let explain = format!(
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {}",
        written_out(sql, &values)
    );
    let mut tx = shop.app.sql().begin().await.unwrap();
    // A table of some hundred rows is read as a whole; this one is to be read as one of millions is.
    sqlx::query("SET LOCAL enable_seqscan = off")
        .execute(&mut *tx)
        .await
        .unwrap();
    let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain))
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    let plan = plan.join("\n");
    let flows = plan
        .lines()
        .filter(|line| line.contains("on stock_flow_day_"))
        .count();
    assert!((2..=4).contains(&flows), "{plan}");
    assert!(
        plan.lines()
            .filter(|line| line.contains("on stock_flow_day_"))
            .all(|line| line.contains("Index")),
        "{plan}"
    );
    assert!(
        plan.lines()
            .filter(|line| line.contains("on stock_level_day_"))
            .all(|line| line.contains("Index")),
        "{plan}"
    );
    // The last level in front of the first day is in the latest month: the older ones are not looked at.
    let is_idle = |line: &&str| line.contains("never executed");
    let levels = plan
        .lines()
        .filter(|line| line.contains("on stock_level_day_"));
    assert!(levels.filter(is_idle).count() >= 5, "{plan}");
    // All movements are in days: nobody looks for late ones.
    let late = plan
        .lines()
        .find(|line| line.contains("Function Scan on stock_flows"));
    assert!(late.is_some_and(|line| is_idle(&line)), "{plan}");
    assert!(
        plan.contains("item_id = s.item_id") || plan.contains("item_id = p.item_id"),
        "{plan}"
    );
    assert!(plan.contains("stock_level_pkey"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn series_cost_one_statement_and_one_for_each_name() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let (shop, items) = history(&proxy).await;
    for (filter, by) in [
        (json!({}), "ALL"),
        (json!({}), "LOCATION"),
        (json!({}), "CATEGORY"),
        (json!({"itemIds": items}), "ITEM"),
        (
            json!({"categoryId": shop.category, "within": shop.tray}),
            "ITEM",
        ),
    ] {
        let variables: Value = json!({"where": filter, "from": (today() - Months::new(6)).to_string(), "until": today().to_string(), "by": by});
        for (query, most) in [(LEVELS, 1), (NAMED, 3)] {
            shop.manager.ok(query, variables.clone()).await;
            let executed = proxy
                .during(async || shop.manager.ok(query, variables.clone()).await)
                .await;
            assert!(
                (1..=most).contains(&executed.len()),
                "{variables} took {}: {executed:#?}",
                executed.len()
            );
        }
    }
}
