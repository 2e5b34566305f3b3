//! What stock has cost: by average, first in first out and piece by piece, now and then, also when it is written down too late.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::{
    Viewer,
    clock::{Clock as _, SystemClock},
};
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    app::TestApp,
    wait::{PATIENCE, eventually},
};

use super::{Shop, bought, line, sold, text};

/// Computes anew whatever is due, and tells how many lines came out differently.
pub(super) async fn recost(shop: &Shop) -> usize {
    let viewer = Viewer::system("test");
    let costs = shop.app.domain().costs();
    let mut lines = 0;
    loop {
        let due = costs.due(&viewer, 100).await.unwrap();
        if due.is_empty() {
            return lines;
        }
        for item in due {
            lines += costs.recost(&viewer, item).await.unwrap().unwrap();
        }
    }
}

/// Computes everything anew from its beginning, and tells how many lines came out differently.
pub(super) async fn recost_everything(shop: &Shop) -> usize {
    sqlx::query("UPDATE stock_value SET recost_from = '0001-01-01'")
        .execute(shop.app.sql())
        .await
        .unwrap();
    recost(shop).await
}

/// What does not add up: values are the sums of their lines and of their layers, of as much as lies about, and nothing is worth nothing.
pub(super) async fn assert_costs_add_up(shop: &Shop) {
    let sql = "
        WITH line AS (
            SELECT item_id, sum(amount) AS amount, sum(value) AS value FROM stock_cost GROUP BY item_id
        ), layer AS (
            SELECT item_id, sum(amount) AS amount, sum(value) AS value FROM stock_cost_layer GROUP BY item_id
        ), level AS (
            SELECT l.item_id, sum(CASE WHEN k.is_weighed THEN l.weight ELSE l.on_hand END) AS amount
            FROM stock_level l LEFT JOIN item_stocking k ON k.item_id = l.item_id GROUP BY l.item_id
        ), layer_line AS (
            SELECT layer_id, sum(amount) AS amount, sum(value) AS value FROM stock_cost WHERE layer_id IS NOT NULL GROUP BY layer_id
        )
        SELECT format('item %s', v.item_id) FROM stock_value v
        LEFT JOIN line USING (item_id) LEFT JOIN layer USING (item_id) LEFT JOIN level USING (item_id)
        WHERE (v.amount, v.value) IS DISTINCT FROM (COALESCE(line.amount, 0), COALESCE(line.value, 0))
           OR layer.item_id IS NOT NULL AND (v.amount, v.value) IS DISTINCT FROM (layer.amount, layer.value)
           OR v.amount IS DISTINCT FROM COALESCE(level.amount, 0)
           OR v.amount = 0 AND v.value <> 0
        UNION ALL
        SELECT format('layer %s', s.id) FROM stock_cost_layer s FULL JOIN layer_line l ON l.layer_id = s.id
        WHERE (s.amount, s.value) IS DISTINCT FROM (l.amount, l.value)
        UNION ALL
        -- At no moment was there nothing that was worth something.
        SELECT format('item %s at %s', item_id, effective_at) FROM (
            SELECT item_id, effective_at, sum(sum(amount)) OVER w AS amount, sum(sum(value)) OVER w AS value
            FROM stock_cost GROUP BY item_id, effective_at WINDOW w AS (PARTITION BY item_id ORDER BY effective_at)
        ) m WHERE amount = 0 AND value <> 0";
    let wrong: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(wrong, [""; 0]);
}

/// Some that come in and cost so much each.
pub(super) fn costing(item: &str, to: &str, quantity: i64, cost: &str) -> Value {
    json!({"itemId": item, "toId": to, "quantity": quantity, "unitCost": cost})
}

/// Posts it, and tells the entry's id and what each movement was worth.
pub(super) async fn posted(shop: &Shop, mutation: &str, input: Value) -> (String, Vec<String>) {
    let entry = text(&shop.manager.done(mutation, input).await["entry"]["id"]);
    let values = values_of(shop, &entry).await;
    (entry, values)
}

pub(super) async fn values_of(shop: &Shop, entry: &str) -> Vec<String> {
    let query = "query($id: ID!) { stockEntry(id: $id) { movements(first: 100) { nodes { value { amount currency } } } } }";
    let data = shop.manager.ok(query, json!({"id": entry})).await;
    let nodes = data["stockEntry"]["movements"]["nodes"].as_array().unwrap();
    let shown = nodes.iter().map(|node| match &node["value"] {
        Value::Null => "-".to_owned(),
        value => {
            assert_eq!(value["currency"], "IRR");
            text(&value["amount"])
        }
    });
    shown.collect()
}

/// How much there is of an item, what it has cost, and whether that is provisional.
pub(super) async fn value(
    shop: &Shop,
    item: &str,
    as_of: Option<DateTime<Utc>>,
) -> (String, String, bool) {
    let query = "query($where: StockValueWhere, $asOf: DateTime) { stockValues(where: $where, asOf: $asOf) { \
                 nodes { amount value { amount } isProvisional item { id } } } }";
    let variables = json!({"where": {"itemIds": [item]}, "asOf": as_of});
    let data = shop.manager.ok(query, variables).await;
    let node = &data["stockValues"]["nodes"][0];
    if node.is_null() {
        return ("0".into(), "0".into(), false);
    }
    assert_eq!(node["item"]["id"], item);
    let provisional = node["isProvisional"].as_bool().unwrap();
    (
        text(&node["amount"]),
        text(&node["value"]["amount"]),
        provisional,
    )
}

pub(super) async fn set_method(shop: &Shop, item: &str, method: &str) {
    let input = json!({"itemId": item, "costMethod": method});
    let payload = shop.manager.done("itemStockingSet", input).await;
    assert_eq!(payload["userErrors"], json!([]));
}

pub(super) fn ago(minutes: i64) -> DateTime<Utc> {
    SystemClock.now() - TimeDelta::minutes(minutes)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_one_takes_what_is_left() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let three = bought(json!([costing(&ring, &shop.tray, 3, "3.333333")]));
    assert_eq!(posted(&shop, "stockReceive", three).await.1, ["10"]);
    let two = json!([line(&ring, &shop.tray, 1), line(&ring, &shop.tray, 1)]);
    let (sale, values) = posted(&shop, "stockIssue", sold(two)).await;
    assert_eq!(values, ["-3.33", "-3.34"]);
    let carried =
        json!({"lines": [{"itemId": ring, "fromId": shop.tray, "toId": shop.safe, "quantity": 1}]});
    assert_eq!(posted(&shop, "stockMove", carried).await.1, ["-"]);
    assert_eq!(
        value(&shop, &ring, None).await,
        ("1".into(), "3.33".into(), false)
    );
    let last = json!([line(&ring, &shop.safe, 1)]);
    assert_eq!(posted(&shop, "stockIssue", sold(last)).await.1, ["-3.33"]);
    assert_eq!(
        value(&shop, &ring, None).await,
        ("0".into(), "0".into(), false)
    );
    // What comes back is worth what it was when it left.
    let undone = json!({"id": sale});
    assert_eq!(
        posted(&shop, "stockReverse", undone).await.1,
        ["3.33", "3.34"]
    );
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_method_finds_its_cost() {
    let shop = Shop::open().await;
    let average = shop.item("AVERAGE", "NONE").await;
    let fifo = shop.item("FIFO", "NONE").await;
    set_method(&shop, &fifo, "FIFO").await;
    let watch = shop.item("WATCH", "SERIAL").await;
    for cost in ["10", "20"] {
        let serial = json!({"itemId": watch, "toId": shop.tray, "lot": {"number": format!("W-{cost}")}, "unitCost": cost});
        let lines = json!([
            costing(&average, &shop.tray, 2, cost),
            costing(&fifo, &shop.tray, 2, cost),
            serial
        ]);
        shop.manager.done("stockReceive", bought(lines)).await;
    }
    let lots = "query($number: String!) { lots(where: {number: {eq: $number}}) { nodes { id } } }";
    let second = shop.manager.ok(lots, json!({"number": "W-20"})).await;
    let piece =
        json!({"itemId": watch, "lotId": second["lots"]["nodes"][0]["id"], "fromId": shop.tray});
    let lines = json!([
        line(&average, &shop.tray, 3),
        line(&fifo, &shop.tray, 3),
        piece
    ]);
    let (_, values) = posted(&shop, "stockIssue", sold(lines)).await;
    assert_eq!(values, ["-45", "-40", "-20"]);
    assert_eq!(value(&shop, &fifo, None).await.1, "20");
    assert_eq!(
        value(&shop, &watch, None).await,
        ("1".into(), "10".into(), false)
    );
    let total = shop
        .manager
        .ok(
            "{ stockValueTotal { value { amount currency } isProvisional } }",
            json!({}),
        )
        .await;
    assert_eq!(
        total["stockValueTotal"],
        json!({"value": {"amount": "45", "currency": "IRR"}, "isProvisional": false})
    );
    let query = "query($id: ID!) { item(by: {id: $id}) { stockValue { unitCost isByWeight } stocking { costMethod } } }";
    let data = shop.manager.ok(query, json!({"id": fifo})).await;
    assert_eq!(
        data["item"],
        json!({"stockValue": {"unitCost": "20", "isByWeight": false}, "stocking": {"costMethod": "FIFO"}})
    );
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_price_goes_away_with_its_receipt() {
    let shop = Shop::open().await;
    for (sku, method) in [("A", "AVERAGE"), ("F", "FIFO")] {
        let item = shop.item(sku, "NONE").await;
        set_method(&shop, &item, method).await;
        let right = bought(json!([costing(&item, &shop.tray, 10, "40")]));
        shop.manager.done("stockReceive", right).await;
        let wrong = bought(json!([costing(&item, &shop.tray, 10, "5000")]));
        let (wrong, _) = posted(&shop, "stockReceive", wrong).await;
        let undone = posted(&shop, "stockReverse", json!({"id": wrong})).await.1;
        assert_eq!(undone, ["-50000"], "{method}");
        assert_eq!(value(&shop, &item, None).await.1, "400", "{method}");
    }
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_is_worth_what_went_in() {
    let shop = Shop::open().await;
    let wire = shop.item("WIRE", "NONE").await;
    let stone = shop.item("STONE", "NONE").await;
    let chain = shop.item("CHAIN", "NONE").await;
    let lines = json!([
        costing(&wire, &shop.tray, 2, "70"),
        costing(&stone, &shop.tray, 1, "60")
    ]);
    shop.manager.done("stockReceive", bought(lines)).await;
    let outputs =
        [1, 1, 1].map(|quantity| json!({"itemId": chain, "toId": shop.tray, "quantity": quantity}));
    let input = json!({"reason": "ASSEMBLED", "inputs": [line(&wire, &shop.tray, 2), line(&stone, &shop.tray, 1)],
        "outputs": outputs});
    let (_, values) = posted(&shop, "stockTransform", input).await;
    assert_eq!(values, ["-140", "-60", "66.67", "66.66", "66.67"]);
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn gold_costs_what_it_weighs() {
    let shop = Shop::open().await;
    let gold = shop.weighed_item("GOLD", "750", "0", "NONE").await;
    let ten =
        json!({"itemId": gold, "toId": shop.tray, "quantity": 4, "weight": "10", "unitCost": "25"});
    shop.manager
        .done("stockReceive", bought(json!([ten])))
        .await;
    let mut heavy = line(&gold, &shop.tray, 1);
    heavy["weight"] = json!("4");
    assert_eq!(
        posted(&shop, "stockIssue", sold(json!([heavy]))).await.1,
        ["-40"]
    );
    assert_eq!(
        value(&shop, &gold, None).await,
        ("6".into(), "60".into(), false)
    );
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sold_before_it_comes_costs_what_comes() {
    let shop = Shop::open().await;
    let floor = json!({"code": "FLOOR", "kind": "SHOP", "name": [{"language": "en", "text": "Floor"}], "negativeAllowed": true});
    let floor = text(&shop.manager.done("locationCreate", floor).await["location"]["id"]);
    let ring = shop.item("RING", "NONE").await;
    let early = sold(json!([line(&ring, &floor, 2)]));
    assert_eq!(posted(&shop, "stockIssue", early).await.1, ["0"]);
    // All four cost 8, so what is left is worth 16, and what was sold cost the rest.
    let four = bought(json!([costing(&ring, &floor, 4, "8")]));
    assert_eq!(posted(&shop, "stockReceive", four).await.1, ["16"]);
    // What came in first is not known of what has not come in.
    let fifo = shop.item("FIFO", "NONE").await;
    set_method(&shop, &fifo, "FIFO").await;
    let early = sold(json!([line(&fifo, &floor, 1)]));
    let refused = shop.manager.change("stockIssue", early).await.refused();
    assert_eq!(refused[0].0, "INSUFFICIENT_STOCK");
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_down_late_is_computed_anew_and_says_so() {
    let shop = Shop::of(TestApp::builder()).await;
    let ring = shop.item("RING", "NONE").await;
    let chain = shop.item("CHAIN", "NONE").await;
    let at = |minutes: i64, mut input: Value| {
        input["effectiveAt"] = json!(ago(minutes).to_rfc3339_opts(SecondsFormat::Micros, true));
        input
    };
    let first = at(60, bought(json!([costing(&ring, &shop.tray, 2, "10")])));
    shop.manager.done("stockReceive", first).await;
    let sale = at(40, sold(json!([line(&ring, &shop.tray, 1)])));
    let (sale, values) = posted(&shop, "stockIssue", sale).await;
    assert_eq!(values, ["-10"]);
    let made = json!({"reason": "ASSEMBLED", "inputs": [line(&ring, &shop.tray, 1)],
        "outputs": [{"itemId": chain, "toId": shop.tray, "quantity": 1}]});
    let (made, values) = posted(&shop, "stockTransform", made).await;
    assert_eq!(values, ["-10", "10"]);
    // Before the sale two more came in, as is found now, which cost twice as much.
    let late = at(50, bought(json!([costing(&ring, &shop.tray, 2, "20")])));
    shop.manager.done("stockReceive", late).await;
    let is_provisional = async |entry: &str| {
        let query = "query($id: ID!) { stockEntry(id: $id) { isValueProvisional } }";
        shop.manager.ok(query, json!({"id": entry})).await["stockEntry"]["isValueProvisional"]
            == true
    };
    assert!(is_provisional(&sale).await);
    assert_eq!(
        value(&shop, &ring, None).await,
        ("2".into(), "40".into(), true)
    );
    assert!(!value(&shop, &ring, Some(ago(55))).await.2);
    // A worker does it by itself.
    let worker = shop.app.worker();
    eventually(PATIENCE, "the costs are computed anew", async || {
        (!is_provisional(&sale).await && !is_provisional(&made).await).then_some(())
    })
    .await;
    worker.stop().await;
    assert_eq!(values_of(&shop, &sale).await, ["-15"]);
    assert_eq!(values_of(&shop, &made).await, ["-15", "15"]);
    assert_eq!(
        value(&shop, &ring, None).await,
        ("2".into(), "30".into(), false)
    );
    assert_eq!(
        value(&shop, &chain, None).await,
        ("1".into(), "15".into(), false)
    );
    assert_eq!(
        value(&shop, &ring, Some(ago(55))).await,
        ("2".into(), "20".into(), false)
    );
    assert_eq!(
        value(&shop, &ring, Some(ago(45))).await,
        ("4".into(), "60".into(), false)
    );
    assert_eq!(
        value(&shop, &ring, Some(ago(30))).await,
        ("3".into(), "45".into(), false)
    );
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
    // What was written first is still there, with what puts it right beside it.
    let sql = "SELECT count(*) FILTER (WHERE corrects) || ' of ' || count(*) FROM stock_cost";
    let told: String = sqlx::query_scalar(sql)
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(told, "3 of 8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_period_keeps_its_values() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let dated = |minutes: i64, mut input: Value| {
        input["effectiveAt"] = json!(ago(minutes));
        input
    };
    shop.manager
        .done(
            "stockReceive",
            dated(60, bought(json!([costing(&ring, &shop.tray, 2, "10")]))),
        )
        .await;
    shop.manager
        .done(
            "stockIssue",
            dated(40, sold(json!([line(&ring, &shop.tray, 1)]))),
        )
        .await;
    shop.manager
        .done(
            "stockReceive",
            dated(50, bought(json!([costing(&ring, &shop.tray, 2, "20")]))),
        )
        .await;
    // The books are closed before anybody has computed it anew.
    sqlx::query("INSERT INTO stock_closing (closed_until, changed_at) VALUES (now() - interval '30 minutes', now())")
        .execute(shop.app.sql())
        .await
        .unwrap();
    let closed = value(&shop, &ring, Some(ago(35))).await.1;
    assert_eq!(recost(&shop).await, 1);
    assert_eq!(value(&shop, &ring, Some(ago(35))).await.1, closed);
    assert_eq!(value(&shop, &ring, None).await.1, "45");
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_it_is_valued_cannot_change_under_it() {
    let shop = Shop::open().await;
    let owner = shop.app.owner().await;
    let ring = shop.item("RING", "NONE").await;
    let specific = json!({"itemId": ring, "costMethod": "SPECIFIC"});
    let refused = shop
        .manager
        .change("itemStockingSet", specific)
        .await
        .refused();
    assert_eq!(refused, [("NOT_TRACKED".into(), "costMethod".into())]);
    let euros = json!({"currency": "eur"});
    let set = owner.done("shopSet", euros).await;
    assert_eq!(set["userErrors"], json!([]));
    let shown = shop
        .manager
        .ok(
            "{ shop { currency currencyScale timeZone version } }",
            json!({}),
        )
        .await;
    assert_eq!(
        shown["shop"],
        json!({"currency": "EUR", "currencyScale": 2, "timeZone": "UTC", "version": 2})
    );
    shop.manager.receive(&ring, &shop.tray, 1).await;
    let refused = owner
        .change("shopSet", json!({"currency": "USD"}))
        .await
        .refused();
    assert_eq!(refused, [("IN_USE".into(), "currency".into())]);
    let refused = owner
        .change("shopSet", json!({"currency": "money"}))
        .await
        .refused();
    assert_eq!(refused, [("INVALID_FORMAT".into(), "currency".into())]);
    let fifo = json!({"itemId": ring, "costMethod": "FIFO"});
    let refused = shop.manager.change("itemStockingSet", fifo).await.refused();
    assert_eq!(refused, [("IN_USE".into(), "costMethod".into())]);
    // What something has cost is not for everybody.
    let clerk = shop.app.clerk().await;
    let refused = clerk
        .gql("{ stockValues { nodes { amount } } }", json!({}))
        .await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    let refused = clerk.gql("query($id: ID!) { stockMovements(where: {itemId: $id}) { nodes { value { amount } } } }", json!({"id": ring})).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_buy_and_sell_at_once_leave_costs_that_add_up() {
    let shop = Shop::open().await;
    let mut items = Vec::new();
    for method in ["AVERAGE", "FIFO"] {
        let item = shop.item(method, "NONE").await;
        set_method(&shop, &item, method).await;
        for place in [&shop.tray, &shop.safe] {
            let some = bought(json!([costing(&item, place, 200, "7.77")]));
            shop.manager.done("stockReceive", some).await;
        }
        items.push(item);
    }
    let (shop, items) = (&shop, &items);
    let clients = (0..24_usize).map(|client| async move {
        let place = [&shop.tray, &shop.safe][client % 2];
        for turn in 0..6_usize {
            let mut order: Vec<_> = items.iter().collect();
            if (client + turn) % 2 == 0 {
                order.reverse();
            }
            if (client + turn) % 3 == 0 {
                let cost = format!("{}.01", client + 1);
                let lines: Vec<_> = order
                    .iter()
                    .map(|item| costing(item, place, 3, &cost))
                    .collect();
                shop.manager
                    .done("stockReceive", bought(json!(lines)))
                    .await;
            } else {
                let lines: Vec<_> = order.iter().map(|item| line(item, place, 2)).collect();
                shop.manager.done("stockIssue", sold(json!(lines))).await;
            }
        }
    });
    futures_util::future::join_all(clients).await;
    assert_costs_add_up(shop).await;
    recost_everything(shop).await;
    assert_costs_add_up(shop).await;
    assert_eq!(recost_everything(shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moved_before_values_were_kept_gets_them() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let chain = shop.item("CHAIN", "NONE").await;
    let fifo = shop.item("FIFO", "NONE").await;
    set_method(&shop, &fifo, "FIFO").await;
    for cost in ["10", "20"] {
        let lines = json!([
            costing(&ring, &shop.tray, 3, cost),
            costing(&fifo, &shop.tray, 3, cost)
        ]);
        shop.manager.done("stockReceive", bought(lines)).await;
    }
    let lines = json!([line(&ring, &shop.tray, 2), line(&fifo, &shop.tray, 4)]);
    let (sale, values) = posted(&shop, "stockIssue", sold(lines)).await;
    assert_eq!(values, ["-30", "-50"]);
    let input = json!({"reason": "ASSEMBLED", "inputs": [line(&ring, &shop.tray, 2)],
        "outputs": [{"itemId": chain, "toId": shop.tray, "quantity": 1}]});
    let (made, values) = posted(&shop, "stockTransform", input).await;
    assert_eq!(values, ["-30", "30"]);
    // As an upgrade finds it.
    let forget = "ALTER TABLE stock_cost DISABLE TRIGGER ALL; DELETE FROM stock_cost; DELETE FROM stock_cost_layer; \
                  ALTER TABLE stock_cost ENABLE TRIGGER ALL; \
                  UPDATE stock_value SET amount = 0, value = 0, unit_cost = NULL, changed_at = '0001-01-01', recost_from = '0001-01-01'";
    sqlx::raw_sql(forget).execute(shop.app.sql()).await.unwrap();
    assert!(value(&shop, &ring, None).await.0 == "0");
    // Somebody sells before the worker has come to it.
    let early = sold(json!([line(&ring, &shop.tray, 1)]));
    let (early, _) = posted(&shop, "stockIssue", early).await;
    assert!(recost(&shop).await >= 8);
    assert_eq!(values_of(&shop, &sale).await, ["-30", "-50"]);
    assert_eq!(values_of(&shop, &made).await, ["-30", "30"]);
    assert_eq!(values_of(&shop, &early).await, ["-15"]);
    assert_eq!(value(&shop, &ring, None).await.1, "15");
    assert_eq!(value(&shop, &fifo, None).await.1, "40");
    assert_eq!(value(&shop, &chain, None).await.1, "30");
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}
