//! Days are made by a worker behind posting, whatever happens to it, and lie in a partition a month.

use chrono::{Datelike as _, Months, TimeDelta};
use domain::{
    Viewer,
    clock::{Clock as _, SystemClock},
};
use sea_orm::sqlx::{self, Executor as _};
use serde_json::{Value, json};
use tests::wait::{PATIENCE, eventually, until};

use super::{Shop, bought, sold, today};
use crate::stock::line;

const TABLES: [&str; 2] = ["stock_flow_day", "stock_level_day"];

/// The partitions of a table, by their names.
async fn partitions(shop: &Shop, table: &str) -> Vec<String> {
    sqlx::query_scalar("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1")
        .bind(table)
        .fetch_all(shop.app.sql())
        .await
        .unwrap()
}

async fn store(shop: &Shop) -> String {
    sqlx::query_scalar("SELECT store FROM stock_series_mark")
        .fetch_one(shop.app.sql())
        .await
        .unwrap()
}

/// Says which store the tests of series are about, and fails where TimescaleDB could be used and is not.
#[tokio::test(flavor = "multi_thread")]
async fn days_lie_in_timescale_where_it_is_at_hand() {
    let shop = Shop::open().await;
    let is_at_hand: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')",
    )
    .fetch_one(shop.app.sql())
    .await
    .unwrap();
    let store = store(&shop).await;
    eprintln!(
        "series: the tests are about the {store} store; TimescaleDB is {}",
        if is_at_hand { "at hand" } else { "not at hand" }
    );
    assert_eq!(store == "timescale", is_at_hand, "{store}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_partition_for_each_month_in_which_something_moved_and_for_the_next() {
    let shop = Shop::open().await;
    if store(&shop).await != "native" {
        // Chunks are TimescaleDB's own, and asserted by their number.
        return assert_chunks(&shop).await;
    }
    for table in TABLES {
        assert_eq!(partitions(&shop, table).await, [""; 0]);
    }
    let ring = shop.item_in_tray("RING", 10).await;
    shop.add_all_to_days().await;
    let name = |table: &str, month: chrono::NaiveDate| {
        format!("{table}_{}_{:02}", month.year(), month.month())
    };
    let ahead = [today(), today() + Months::new(1)];
    for table in TABLES {
        assert_eq!(
            partitions(&shop, table).await,
            ahead.map(|month| name(table, month))
        );
    }
    // Years late.
    let then = SystemClock.now() - TimeDelta::days(900);
    shop.happen_at(
        "stockReceive",
        bought(json!([{"itemId": ring, "toId": shop.tray, "quantity": 2}])),
        then,
    )
    .await;
    shop.add_all_to_days().await;
    for table in TABLES {
        let mut all = vec![name(table, then.date_naive())];
        all.extend(ahead.map(|month| name(table, month)));
        assert_eq!(partitions(&shop, table).await, all);
        // There is none for whatever has no place.
        let sql = "SELECT count(*) FROM pg_partitioned_table WHERE partdefid <> 0 AND partrelid::regclass::text LIKE 'stock\\_%'";
        assert_eq!(shop.number(sql).await, 0);
    }
    // What lay there is more on all later days.
    let levels: Vec<String> =
        sqlx::query_scalar("SELECT trim_scale(quantity)::text FROM stock_level_day ORDER BY day")
            .fetch_all(shop.app.sql())
            .await
            .unwrap();
    assert_eq!(levels, ["2", "12"]);
    shop.assert_days_add_up().await;
}

async fn assert_chunks(shop: &Shop) {
    shop.item_in_tray("RING", 10).await;
    shop.add_all_to_days().await;
    let sql = "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name IN ('stock_flow_day', 'stock_level_day')";
    assert_eq!(shop.number(sql).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_yet_holds_the_bound_back() {
    let shop = Shop::open().await;
    shop.item_in_tray("RING", 10).await;
    let chain = shop.item_in_tray("CHAIN", 10).await;
    let sql = shop.app.sql();
    let moved = async || {
        sqlx::query_scalar::<_, bool>("SELECT stock_series_bound()")
            .fetch_one(sql)
            .await
            .unwrap()
    };
    assert!(moved().await);
    assert!(!moved().await, "nothing has moved since");
    let mut somebody = sql.begin().await.unwrap();
    somebody
        .execute(
            "INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines)
             SELECT gen_random_uuid(), 'issue', 'sold', now(), now(), 'system', 'psql', 1;
             INSERT INTO stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, effective_at)
             SELECT e.id, 1, i.id, f.id, t.id, 1, now() FROM stock_entry e, item i, location f, location t
             WHERE e.actor_name = 'psql' AND i.sku = 'RING' AND f.code = 'TRAY' AND t.code = 'CUSTOMER'",
        )
        .await
        .unwrap();
    // Others post on.
    shop.manager.receive(&chain, &shop.safe, 1).await;
    assert!(!moved().await);
    somebody.commit().await.unwrap();
    assert!(moved().await);
    let behind = "SELECT (SELECT max(number) FROM stock_movement) - bound FROM stock_series_mark";
    assert_eq!(shop.number(behind).await, 0);
}

/// Receives so many lines of an item, a day each.
async fn receive_much(shop: &Shop, item: &str, entries: i64) {
    for entry in 0..entries {
        let lines: Vec<Value> = (0..1_000)
            .map(|_| json!({"itemId": item, "toId": shop.tray, "quantity": 1}))
            .collect();
        let at = SystemClock.now() - TimeDelta::days(1 + entry * 40);
        shop.happen_at("stockReceive", bought(json!(lines)), at)
            .await;
    }
}

const DUE: &str = "SELECT (SELECT max(number) FROM stock_movement) - number FROM stock_series_mark";

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_leaves_whole_days_and_the_next_one_goes_on() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    receive_much(&shop, &ring, 20).await;
    for _ in 0..3 {
        let mut worker = shop.app.worker_process().await;
        // In the middle of it, or before: wherever it has got to.
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT stock_series_add%'
                    AND state = 'active'";
        until(PATIENCE, "days are being made, or are made", async || {
            shop.number(open).await > 0 || shop.number(DUE).await == 0
        })
        .await;
        worker.kill();
        until(PATIENCE, "no transaction is open any more", async || {
            let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()";
            shop.number(open).await == 0
        })
        .await;
        shop.assert_days_add_up().await;
        receive_much(&shop, &ring, 2).await;
    }
    let _worker = shop.app.worker();
    until(PATIENCE, "days are made", async || {
        shop.number(DUE).await == 0
    })
    .await;
    shop.assert_days_add_up().await;
    let sold_out = shop
        .series(
            json!({"where": {"itemIds": [ring]}, "by": "ALL", "interval": "YEAR",
        "from": "2000-01-01", "until": (today() + chrono::Days::new(1)).to_string()}),
        )
        .await;
    let points = sold_out["series"][0]["points"].as_array().unwrap();
    assert_eq!(points.last().unwrap()["level"]["quantity"], "26000");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_workers_make_days() {
    let shop = Shop::open().await;
    let series = shop.app.domain().series();
    let nobody = Viewer::anonymous();
    assert!(series.add(&nobody).await.is_err());
    assert!(series.rebuild(&nobody).await.is_err());
}

const PROOF: &str = "query($id: ID!) { stockReconciliation(id: $id) { subject finishedAt levelCount movementCount differenceCount differences { lot { id } } \
    seriesDifferences { part day flow item { sku } location { code } kept { quantity value } sum { quantity value } } } }";

/// Asks for a proof of days, and waits until it is made.
async fn proof(shop: &Shop) -> Value {
    let asked = shop
        .manager
        .done("stockReconcile", json!({"subject": "SERIES"}))
        .await["reconciliation"]
        .take();
    eventually(PATIENCE, "the proof is made", async || {
        let found =
            shop.manager.ok(PROOF, json!({"id": asked["id"]})).await["stockReconciliation"].take();
        (!found["finishedAt"].is_null()).then_some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_days_behind_the_databases_back_is_named_and_mended() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let receipt = json!([{"itemId": ring, "toId": shop.tray, "quantity": 10, "unitCost": "7"}]);
    let then = SystemClock.now() - TimeDelta::days(40);
    shop.happen_at("stockReceive", bought(receipt), then).await;
    shop.manager
        .done("stockIssue", sold(json!([line(&ring, &shop.tray, 3)])))
        .await;
    shop.add_all_to_days().await;
    let _worker = shop.app.worker();
    let sound = proof(&shop).await;
    // Two flows, their totals, and two levels.
    assert_eq!(
        (
            &sound["subject"],
            &sound["levelCount"],
            &sound["movementCount"],
            &sound["differenceCount"]
        ),
        (&json!("SERIES"), &json!(6), &json!(2), &json!(0))
    );
    for sql in [
        "UPDATE stock_flow_day SET quantity = 4, value = 22 WHERE flow = 'sold'",
        "UPDATE stock_level_day SET quantity = 8 WHERE quantity = 7",
        "DELETE FROM stock_flow_total WHERE flow = 'purchased'",
    ] {
        sqlx::query(sql).execute(shop.app.sql()).await.unwrap();
    }
    let found = proof(&shop).await;
    assert_eq!(
        (&found["differenceCount"], &found["differences"]),
        (&json!(3), &json!([]))
    );
    let named = |part: &str, flow: Value, sku: Value, kept: [&str; 2], sum: [&str; 2]| json!({"part": part, "flow": flow, "item": sku, "location": {"code": "TRAY"}, "kept": {"quantity": kept[0], "value": kept[1]}, "sum": {"quantity": sum[0], "value": sum[1]}});
    let mut differences = found["seriesDifferences"].as_array().unwrap().clone();
    for difference in &mut differences {
        let day = difference.as_object_mut().unwrap().remove("day").unwrap();
        let is_then = difference["part"] == "TOTAL";
        assert_eq!(
            day,
            json!(if is_then { then.date_naive() } else { today() }.to_string())
        );
    }
    let ring = json!({"sku": "RING"});
    assert_eq!(
        differences,
        [
            named(
                "TOTAL",
                json!("purchased"),
                Value::Null,
                ["0", "0"],
                ["10", "70"]
            ),
            named(
                "FLOW",
                json!("sold"),
                ring.clone(),
                ["4", "22"],
                ["3", "21"]
            ),
            named("LEVEL", Value::Null, ring, ["8", "0"], ["7", "0"]),
        ]
    );
    // Making them anew mends it.
    shop.app
        .domain()
        .series()
        .rebuild(&Viewer::system("test"))
        .await
        .unwrap();
    shop.add_all_to_days().await;
    assert_eq!(proof(&shop).await["differenceCount"], 0);
}
