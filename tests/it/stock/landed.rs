//! Landed cost: freight, duty and late prices fall on what is left of a receipt and on what was sold, exactly, and the books know it at once.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    database::{self, TestDatabase},
    proxy::PostgresProxy,
    wait::{PATIENCE, eventually},
};

use super::{
    Shop,
    attacks::tried,
    books::{self, Books, assert_proven, balances, map},
    bought,
    costs::{
        ago, assert_costs_add_up, costing, posted, recost, recost_everything, set_method, value,
        values_of,
    },
    line, sold,
    statements::behind,
    text,
};

/// With an account of its own for landed cost.
fn accounts(books: &Books) -> Vec<Value> {
    let mut accounts = books.usual();
    accounts.push(books.line("LANDED_COST", "2109"));
    accounts
}

/// A shop whose stock is booked.
async fn booked() -> (Shop, Books) {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    books::book(&shop, &accounts(&books)).await;
    (shop, books)
}

fn landed(entry: &str, method: &str, amount: &str) -> Value {
    json!({"entryId": entry, "kind": "FREIGHT", "method": method, "amount": amount})
}

/// Adds it, and tells its id and what each line bears.
async fn added(shop: &Shop, input: Value) -> (String, Vec<String>) {
    let cost = shop.manager.done("stockLandedCostAdd", input).await["landedCost"].take();
    let parts = cost["lines"]["nodes"].as_array().unwrap().iter();
    let parts = parts.map(|line| text(&line["amount"])).collect();
    (text(&cost["id"]), parts)
}

async fn reversed(shop: &Shop, id: &str) -> Value {
    let undone = shop
        .manager
        .done("stockLandedCostReverse", json!({"id": id}));
    undone.await["landedCost"].take()
}

async fn refused(shop: &Shop, input: Value) -> (String, String) {
    let refused = shop.manager.not_done("stockLandedCostAdd", input).await;
    refused.into_iter().next().unwrap()
}

/// Items of which ten cost 10 each, by method.
async fn kept_by(shop: &Shop, method: &str) -> (String, String, Option<String>) {
    let tracking = if method == "SPECIFIC" { "LOT" } else { "NONE" };
    let item = shop.item(method, tracking).await;
    set_method(shop, &item, method).await;
    let mut ten = costing(&item, &shop.tray, 10, "10");
    if method == "SPECIFIC" {
        ten["lot"] = json!({"number": "L-1"});
    }
    let receipt = shop
        .manager
        .done("stockReceive", bought(json!([ten])))
        .await;
    let entry = &receipt["entry"];
    let lot = entry["movements"]["nodes"][0]["lot"]["id"].as_str();
    (item, text(&entry["id"]), lot.map(str::to_owned))
}

fn some(shop: &Shop, item: &str, lot: Option<&String>, quantity: i64) -> Value {
    let mut some = line(item, &shop.tray, quantity);
    if let Some(lot) = lot {
        some["lotId"] = json!(lot);
    }
    sold(json!([some]))
}

#[tokio::test(flavor = "multi_thread")]
async fn freight_falls_on_what_is_left_and_on_what_was_sold() {
    for method in ["AVERAGE", "FIFO", "SPECIFIC"] {
        let (shop, _) = booked().await;
        let (item, receipt, lot) = kept_by(&shop, method).await;
        let (sale, values) = posted(&shop, "stockIssue", some(&shop, &item, lot.as_ref(), 4)).await;
        assert_eq!(values, ["-40"], "{method}");
        let cost = shop
            .manager
            .done("stockLandedCostAdd", landed(&receipt, "VALUE", "100"))
            .await["landedCost"]
            .take();
        assert_eq!(cost["isPending"], json!(false), "{method}");
        assert_eq!(
            balances(&shop).await,
            map(&[
                ("1108", "120"),
                ("2107", "-100"),
                ("2109", "-100"),
                ("5101", "80")
            ]),
            "{method}"
        );
        assert_eq!(values_of(&shop, &sale).await, ["-80"], "{method}");
        assert_eq!(values_of(&shop, &receipt).await, ["200"], "{method}");
        assert_eq!(
            value(&shop, &item, None).await,
            ("6".into(), "120".into(), false)
        );
        assert_proven(&shop).await;
        // What is sold now costs its share, too; and the last piece takes what is left.
        posted(&shop, "stockIssue", some(&shop, &item, lot.as_ref(), 5)).await;
        added(&shop, landed(&receipt, "VALUE", "0.07")).await;
        assert_eq!(value(&shop, &item, None).await.1, "20.01", "{method}");
        let (_, values) = posted(&shop, "stockIssue", some(&shop, &item, lot.as_ref(), 1)).await;
        assert_eq!(values, ["-20.01"], "{method}");
        assert_eq!(balances(&shop).await.get("1108"), None, "{method}");
        // Nothing is left: all of it was sold.
        added(&shop, landed(&receipt, "VALUE", "33.33")).await;
        assert_eq!(
            balances(&shop).await,
            map(&[("2107", "-100"), ("2109", "-133.4"), ("5101", "233.4")]),
            "{method}"
        );
        assert_eq!(
            value(&shop, &item, None).await,
            ("0".into(), "0".into(), false)
        );
        assert_proven(&shop).await;
        assert_costs_add_up(&shop).await;
        assert_eq!(recost_everything(&shop).await, 0, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_spread_to_the_smallest_coin() {
    let (shop, _) = booked().await;
    let mut lines = Vec::new();
    for (sku, quantity, cost) in [("A", 1, "10"), ("B", 2, "30"), ("C", 4, "7.5")] {
        let item = shop.item(sku, "NONE").await;
        lines.push(costing(&item, &shop.tray, quantity, cost));
    }
    let (receipt, _) = posted(&shop, "stockReceive", bought(json!(lines))).await;
    for (method, amount, parts) in [
        ("EQUALLY", "100", ["33.34", "33.33", "33.33"]),
        ("EQUALLY", "-0.02", ["-0.01", "-0.01", "0"]),
        ("QUANTITY", "100", ["14.29", "28.57", "57.14"]),
        ("VALUE", "99.99", ["10", "59.99", "30"]),
    ] {
        let (_, borne) = added(&shop, landed(&receipt, method, amount)).await;
        assert_eq!(borne, parts, "{method} {amount}");
    }
    // Of what nobody has weighed it is not known.
    let by_weight = landed(&receipt, "WEIGHT", "5");
    assert_eq!(refused(&shop, by_weight).await.0, "WITHOUT_WEIGHT");
    // Some of the lines only.
    let mut two = landed(&receipt, "EQUALLY", "0.03");
    two["lines"] = json!([3, 1]);
    assert_eq!(added(&shop, two).await.1, ["0.02", "0.01"]);
    let gold = shop.weighed_item("GOLD", "750", "0", "NONE").await;
    let heavy =
        |weight: &str| json!({"itemId": gold, "toId": shop.tray, "quantity": 1, "weight": weight});
    let heavy = bought(json!([heavy("3"), heavy("7")]));
    let (heavy, _) = posted(&shop, "stockReceive", heavy).await;
    let by_value = landed(&heavy, "VALUE", "5");
    assert_eq!(refused(&shop, by_value).await.0, "WITHOUT_COST");
    let mut price = landed(&heavy, "WEIGHT", "0.05");
    price["kind"] = json!("PRICE");
    assert_eq!(added(&shop, price).await.1, ["0.02", "0.03"]);
    // Now they cost something.
    let (_, borne) = added(&shop, landed(&heavy, "VALUE", "1")).await;
    assert_eq!(borne, ["0.4", "0.6"]);
    assert_proven(&shop).await;
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

/// All that follows from movements and landed cost.
async fn figures(shop: &Shop) -> Vec<String> {
    let sql = "SELECT 'value ' || to_jsonb(ROW(v.item_id, v.amount, v.value, trim_scale(COALESCE(v.unit_cost, 0)), v.recost_from))::text FROM stock_value v
               UNION ALL SELECT 'layer ' || (to_jsonb(l) - 'opened_at')::text FROM stock_cost_layer l
               UNION ALL SELECT 'booked ' || to_jsonb(b)::text FROM stock_booked b WHERE b.value <> 0
               UNION ALL SELECT 'line ' || c.entry_id || ' ' || c.line || ' ' || sum(c.amount) || ' ' || sum(c.value)
                         FROM stock_cost c GROUP BY c.entry_id, c.line
               UNION ALL SELECT 'account ' || l.account_id || ' ' || sum(CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END)
                         FROM journal_line l GROUP BY l.account_id HAVING sum(CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END) <> 0
               ORDER BY 1";
    sqlx::query_scalar(sql)
        .fetch_all(shop.app.sql())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_leaves_everything_as_it_was() {
    let (shop, books) = booked().await;
    let mut with_safe = books.with_safe(&shop);
    with_safe.push(books.line("LANDED_COST", "2109"));
    books::book(&shop, &with_safe).await;
    let mut lines = Vec::new();
    for method in ["AVERAGE", "FIFO"] {
        let item = shop.item(method, "NONE").await;
        set_method(&shop, &item, method).await;
        let earlier = bought(json!([costing(&item, &shop.safe, 3, "1.11")]));
        shop.manager.done("stockReceive", earlier).await;
        lines.push(costing(&item, &shop.tray, 7, "3.33"));
    }
    let (receipt, _) = posted(&shop, "stockReceive", bought(json!(lines))).await;
    for costed in &lines {
        let item = costed["itemId"].as_str().unwrap();
        let carry = json!({"lines": [{"itemId": item, "fromId": shop.tray, "toId": shop.safe, "quantity": 2}]});
        shop.manager.done("stockMove", carry).await;
        let some = sold(json!([
            line(item, &shop.safe, 4),
            line(item, &shop.tray, 1)
        ]));
        shop.manager.done("stockIssue", some).await;
    }
    let before = figures(&shop).await;
    let (first, _) = added(&shop, landed(&receipt, "VALUE", "77.77")).await;
    let (second, _) = added(&shop, landed(&receipt, "EQUALLY", "-3.01")).await;
    assert_ne!(figures(&shop).await, before);
    assert_proven(&shop).await;
    let undone = reversed(&shop, &first).await;
    assert_eq!(undone["amount"], "-77.77");
    assert_eq!(undone["reverses"]["id"], json!(first));
    reversed(&shop, &second).await;
    assert_eq!(figures(&shop).await, before);
    assert_proven(&shop).await;
    assert_costs_add_up(&shop).await;
    // Once, and what undoes is not undone.
    let again = json!({"id": first});
    let again = shop.manager.not_done("stockLandedCostReverse", again).await;
    assert_eq!(again, [("ALREADY_REVERSED".into(), "id".into())]);
    let undone = json!({"id": undone["id"]});
    let undone = shop
        .manager
        .not_done("stockLandedCostReverse", undone)
        .await;
    assert_eq!(undone, [("NOT_REVERSIBLE".into(), "id".into())]);
    let query = "query($id: ID!) { stockEntry(id: $id) { landedCosts(first: 10) { nodes { amount reversedBy { id } reverses { id } } } } \
                 stockLandedCosts(where: {entryId: $id, kinds: [FREIGHT]}) { nodes { amount } } \
                 none: stockLandedCosts(where: {entryId: $id, kinds: [DUTY]}) { nodes { amount } } }";
    let shown = shop.manager.ok(query, json!({"id": receipt})).await;
    let nodes = shown["stockEntry"]["landedCosts"]["nodes"]
        .as_array()
        .unwrap();
    let amounts: Vec<_> = nodes.iter().map(|node| text(&node["amount"])).collect();
    assert_eq!(amounts, ["77.77", "-3.01", "-77.77", "3.01"]);
    assert!(!nodes[0]["reversedBy"].is_null() && nodes[0]["reverses"].is_null());
    assert!(nodes[2]["reversedBy"].is_null() && !nodes[2]["reverses"].is_null());
    assert_eq!(
        shown["stockLandedCosts"]["nodes"].as_array().unwrap().len(),
        4
    );
    assert_eq!(shown["none"]["nodes"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_undone_without_landed_cost_only() {
    let (shop, _) = booked().await;
    let (item, receipt, _) = kept_by(&shop, "AVERAGE").await;
    let (cost, _) = added(&shop, landed(&receipt, "VALUE", "100")).await;
    let undo = json!({"id": receipt});
    let refusal = shop.manager.not_done("stockReverse", undo.clone()).await;
    assert_eq!(refusal, [("HAS_LANDED_COST".into(), "id".into())]);
    let persian = shop.app.persian_manager().await;
    let answer = persian.change("stockReverse", undo.clone()).await;
    assert!(answer.data.to_string().contains("هزینه"), "{answer:?}");
    reversed(&shop, &cost).await;
    shop.manager.done("stockReverse", undo).await;
    assert_eq!(balances(&shop).await, map(&[]));
    assert_eq!(value(&shop, &item, None).await.1, "0");
    let late = refused(&shop, landed(&receipt, "VALUE", "1")).await;
    assert_eq!(late, ("ALREADY_REVERSED".into(), "entryId".into()));
    assert_proven(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_worth_less_than_nothing() {
    let (shop, _) = booked().await;
    let (item, receipt, _) = kept_by(&shop, "AVERAGE").await;
    posted(&shop, "stockIssue", some(&shop, &item, None, 4)).await;
    let too_much = refused(&shop, landed(&receipt, "VALUE", "-100.01")).await;
    assert_eq!(too_much, ("LESS_THAN_NOTHING".into(), "amount".into()));
    let (freight, _) = added(&shop, landed(&receipt, "VALUE", "50")).await;
    added(&shop, landed(&receipt, "VALUE", "-120")).await;
    assert_eq!(
        balances(&shop).await,
        map(&[
            ("1108", "18"),
            ("2107", "-100"),
            ("2109", "70"),
            ("5101", "12")
        ])
    );
    // Without the freight the rebate would be more than it cost.
    let without = json!({"id": freight});
    let without = shop
        .manager
        .not_done("stockLandedCostReverse", without)
        .await;
    assert_eq!(without, [("LESS_THAN_NOTHING".into(), "id".into())]);
    added(&shop, landed(&receipt, "VALUE", "-30")).await;
    assert_eq!(
        balances(&shop).await,
        map(&[("2107", "-100"), ("2109", "100")])
    );
    // Of what nobody has said the cost of nothing can be taken off, whatever it is worth.
    let unsaid = json!([{"itemId": item, "toId": shop.tray, "quantity": 5}]);
    let (unsaid, _) = posted(&shop, "stockReceive", bought(unsaid)).await;
    let rebate = refused(&shop, landed(&unsaid, "QUANTITY", "-0.01")).await;
    assert_eq!(rebate.0, "LESS_THAN_NOTHING");
    assert_proven(&shop).await;
    assert_costs_add_up(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let (shop, _) = booked().await;
    let (item, receipt, _) = kept_by(&shop, "AVERAGE").await;
    let (sale, _) = posted(&shop, "stockIssue", some(&shop, &item, None, 1)).await;
    let with = |member: &str, value: Value| {
        let mut input = landed(&receipt, "VALUE", "10");
        input[member] = value;
        input
    };
    let long = "x".repeat(2_001);
    for (input, code, path) in [
        (landed(&sale, "VALUE", "10"), "NOT_A_RECEIPT", "entryId"),
        (with("amount", json!("0")), "REQUIRED", "amount"),
        (with("amount", json!("0.001")), "TOO_FINE", "amount"),
        (
            with("amount", json!("1000000000000000")),
            "OUT_OF_RANGE",
            "amount",
        ),
        (with("lines", json!([])), "REQUIRED", "lines"),
        (with("lines", json!([1, 2])), "NOT_FOUND", "lines.1"),
        (with("lines", json!([1, 1])), "ALREADY_TAKEN", "lines.1"),
        (
            with("effectiveAt", json!(ago(60))),
            "TIME_OUT_OF_RANGE",
            "effectiveAt",
        ),
        (
            with("effectiveAt", json!(ago(-60))),
            "TIME_OUT_OF_RANGE",
            "effectiveAt",
        ),
        (with("document", json!("")), "REQUIRED", "document"),
        (with("description", json!(long)), "TOO_LONG", "description"),
        (with("entryId", json!(item)), "INVALID_FORMAT", "entryId"),
    ] {
        let shown = input.to_string();
        assert_eq!(
            refused(&shop, input).await,
            (code.into(), path.into()),
            "{shown}"
        );
    }
    let nothing: i64 = sqlx::query_scalar("SELECT count(*) FROM stock_landed_cost")
        .fetch_one(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(nothing, 0);
    assert_proven(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_account_of_its_own_it_is_owed_like_the_goods() {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    books::book(&shop, &books.usual()).await;
    let (_, receipt, _) = kept_by(&shop, "FIFO").await;
    let (cost, _) = added(&shop, landed(&receipt, "VALUE", "5.5")).await;
    assert_eq!(
        balances(&shop).await,
        map(&[("1108", "105.5"), ("2107", "-105.5")])
    );
    reversed(&shop, &cost).await;
    assert_eq!(
        balances(&shop).await,
        map(&[("1108", "100"), ("2107", "-100")])
    );
    assert_proven(&shop).await;
    // The entry says what it is about.
    let query = "{ journalEntries(first: 10) { nodes { kind document { type id } } } }";
    let shown = shop.manager.ok(query, json!({})).await;
    let entries = shown["journalEntries"]["nodes"].as_array().unwrap().iter();
    let of_it = entries.filter(|entry| entry["document"]["type"] == "stock_landed_cost");
    assert_eq!(of_it.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sold_before_it_came_bears_its_share() {
    for said in [Some("12"), None] {
        let (shop, _) = booked().await;
        let floor = json!({"code": "FLOOR", "kind": "SHOP", "name": [{"language": "en", "text": "Floor"}], "negativeAllowed": true});
        let floor = text(&shop.manager.done("locationCreate", floor).await["location"]["id"]);
        let item = shop.item("PIN", "NONE").await;
        let early = sold(json!([line(&item, &floor, 5)]));
        shop.manager.done("stockIssue", early).await;
        let mut ten = json!({"itemId": item, "toId": floor, "quantity": 10});
        if let Some(cost) = said {
            ten["unitCost"] = json!(cost);
        }
        let (receipt, _) = posted(&shop, "stockReceive", bought(json!([ten]))).await;
        let before = figures(&shop).await;
        // Five of ten had gone already.
        let (cost, _) = added(&shop, landed(&receipt, "QUANTITY", "100")).await;
        let expected = if said.is_some() {
            map(&[
                ("1108", "110"),
                ("2107", "-120"),
                ("2109", "-100"),
                ("5101", "110"),
            ])
        } else {
            map(&[("1108", "50"), ("2109", "-100"), ("5101", "50")])
        };
        assert_eq!(balances(&shop).await, expected, "{said:?}");
        assert_proven(&shop).await;
        assert_eq!(recost_everything(&shop).await, 0);
        reversed(&shop, &cost).await;
        assert_eq!(figures(&shop).await, before, "{said:?}");
        // None was there yet: all of it has been sold.
        let some = bought(json!([{"itemId": item, "toId": floor, "quantity": 3, "unitCost": "2"}]));
        let early = sold(json!([line(&item, &floor, 9)]));
        shop.manager.done("stockIssue", early).await;
        let (receipt, _) = posted(&shop, "stockReceive", some).await;
        let before = figures(&shop).await;
        let cost_of_sales = |balances: &BTreeMap<String, String>| {
            let cost = balances.get("5101").map_or("0", String::as_str);
            cost.parse::<Decimal>().unwrap()
        };
        let before_it = cost_of_sales(&balances(&shop).await);
        let (cost, _) = added(&shop, landed(&receipt, "QUANTITY", "7")).await;
        let after = balances(&shop).await;
        assert_eq!(
            cost_of_sales(&after) - before_it,
            Decimal::from(7),
            "{said:?}"
        );
        assert_eq!(after["2109"], "-7", "{said:?}");
        assert_proven(&shop).await;
        reversed(&shop, &cost).await;
        assert_eq!(figures(&shop).await, before, "{said:?}");
        assert_proven(&shop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_of_it_follows_and_until_then_nothing_is_by_halves() {
    let (shop, _) = booked().await;
    let (wire, receipt, _) = kept_by(&shop, "AVERAGE").await;
    let chain = shop.item("CHAIN", "NONE").await;
    let made = json!({"reason": "ASSEMBLED", "inputs": [line(&wire, &shop.tray, 5)],
        "outputs": [{"itemId": chain, "toId": shop.tray, "quantity": 2}]});
    let (made, values) = posted(&shop, "stockTransform", made).await;
    assert_eq!(values, ["-50", "50"]);
    shop.manager
        .done("stockIssue", sold(json!([line(&chain, &shop.tray, 1)])))
        .await;
    let before = balances(&shop).await;
    let input = landed(&receipt, "VALUE", "100");
    let cost = shop.manager.done("stockLandedCostAdd", input).await["landedCost"].take();
    assert_eq!(cost["isPending"], json!(true));
    assert_eq!(
        balances(&shop).await,
        before,
        "nothing of it is in the books"
    );
    assert_proven(&shop).await;
    let is_pending = async || {
        let query = "query($id: ID!, $entry: ID!) { stockLandedCost(id: $id) { isPending } stockEntry(id: $entry) { isValueProvisional } }";
        let variables = json!({"id": cost["id"], "entry": made});
        let shown = shop.manager.ok(query, variables).await;
        shown["stockLandedCost"]["isPending"] == true
            || shown["stockEntry"]["isValueProvisional"] == true
    };
    assert!(is_pending().await);
    let worker = shop.app.worker();
    eventually(PATIENCE, "the costs are computed anew", async || {
        (!is_pending().await && value(&shop, &chain, None).await.1 == "50").then_some(())
    })
    .await;
    worker.stop().await;
    assert_eq!(values_of(&shop, &made).await, ["-100", "100"]);
    assert_eq!(
        balances(&shop).await,
        map(&[
            ("1108", "150"),
            ("2107", "-100"),
            ("2109", "-100"),
            ("5101", "50")
        ])
    );
    assert_proven(&shop).await;
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_counts_from_the_receipt_on_but_what_is_closed_stays() {
    let (shop, _) = booked().await;
    let ring = shop.item("RING", "NONE").await;
    let dated = |minutes: i64, mut input: Value| {
        input["effectiveAt"] = json!(ago(minutes));
        input
    };
    let ten = dated(60, bought(json!([costing(&ring, &shop.tray, 10, "10")])));
    let (receipt, _) = posted(&shop, "stockReceive", ten).await;
    let four = dated(40, sold(json!([line(&ring, &shop.tray, 4)])));
    let (sale, _) = posted(&shop, "stockIssue", four).await;
    let at = |minutes: i64| value(&shop, &ring, Some(ago(minutes)));
    let arose = dated(20, landed(&receipt, "VALUE", "100"));
    let (cost, _) = added(&shop, arose).await;
    assert_eq!(at(70).await.1, "0");
    assert_eq!(at(50).await, ("10".into(), "200".into(), false));
    assert_eq!(at(30).await, ("6".into(), "120".into(), false));
    // What is closed meanwhile stays as it was, and the difference comes behind it.
    sqlx::query("INSERT INTO stock_closing (closed_until, changed_at) VALUES (now() - interval '30 minutes', now())")
        .execute(shop.app.sql())
        .await
        .unwrap();
    added(&shop, landed(&receipt, "VALUE", "50")).await;
    assert_eq!(at(50).await.1, "200");
    assert_eq!(at(35).await.1, "120");
    assert_eq!(at(25).await.1, "150");
    assert_eq!(values_of(&shop, &sale).await, ["-100"]);
    reversed(&shop, &cost).await;
    assert_eq!(at(35).await.1, "120");
    assert_eq!(at(25).await.1, "90");
    assert_eq!(
        balances(&shop).await,
        map(&[
            ("1108", "90"),
            ("2107", "-100"),
            ("2109", "-50"),
            ("5101", "60")
        ])
    );
    assert_proven(&shop).await;
    assert_costs_add_up(&shop).await;
    assert_eq!(recost_everything(&shop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_round_it_with_psql() {
    let (shop, _) = booked().await;
    let (item, receipt, _) = kept_by(&shop, "AVERAGE").await;
    posted(&shop, "stockIssue", some(&shop, &item, None, 4)).await;
    let (cost, _) = added(&shop, landed(&receipt, "VALUE", "100")).await;
    let before = figures(&shop).await;
    let db = database::pool(&shop.app.database_url());
    let head = |amount: &str, reverses: &str, kind: &str| {
        format!(
            "INSERT INTO stock_landed_cost (id, entry_id, kind, method, amount, effective_at, recorded_at, actor_kind, actor_name, reverses_id, lines) \
             SELECT '01930000-0000-7000-8000-00000000c001', e.id, 'freight', 'value', {amount}, now(), now(), 'system', 'psql', {reverses}, 1 \
             FROM stock_entry e WHERE e.kind = '{kind}'"
        )
    };
    let part = |line: i32, item: &str, amount: &str, kind: &str| {
        format!(
            "INSERT INTO stock_landed_cost_line (landed_cost_id, line, entry_id, item_id, amount) \
             SELECT '01930000-0000-7000-8000-00000000c001', {line}, e.id, {item}, {amount} FROM stock_entry e WHERE e.kind = '{kind}'"
        )
    };
    let of_it = "(SELECT id FROM item)";
    let other = "(SELECT id FROM stock_landed_cost LIMIT 1)";
    let both = |amount: &str, part: String| format!("{}; {part}", head(amount, "NULL", "receive"));
    let attacks = [
        (
            "UPDATE stock_landed_cost SET amount = 1".to_owned(),
            "42501",
        ),
        ("DELETE FROM stock_landed_cost".to_owned(), "42501"),
        ("TRUNCATE stock_landed_cost".to_owned(), "42501"),
        (
            "UPDATE stock_landed_cost_line SET amount = 1".to_owned(),
            "42501",
        ),
        ("DELETE FROM stock_landed_cost_line".to_owned(), "42501"),
        (
            "UPDATE stock_landed_value SET amount = 1".to_owned(),
            "42501",
        ),
        (
            "INSERT INTO stock_landed_value SELECT * FROM stock_landed_value".to_owned(),
            "42501",
        ),
        // It is whole.
        (head("5", "NULL", "receive"), "stock_landed_cost_whole"),
        (
            both("5", part(1, of_it, "4.99", "receive")),
            "stock_landed_cost_whole",
        ),
        (part(1, of_it, "5", "receive"), "stock_landed_cost_whole"),
        (
            format!(
                "{}; {}",
                both("5", part(1, of_it, "5", "receive")),
                part(2, of_it, "0", "receive")
            ),
            "stock_landed_cost_whole",
        ),
        // Of a line of the receipt.
        (
            both("5", part(2, of_it, "5", "receive")),
            "stock_landed_cost_fit",
        ),
        (
            both("5", part(1, "gen_random_uuid()", "5", "receive")),
            "stock_landed_cost_fit",
        ),
        (
            both("5", part(1, of_it, "5", "issue")),
            "stock_landed_cost_fit",
        ),
        (
            format!(
                "{}; {}",
                head("5", "NULL", "issue"),
                part(1, of_it, "5", "issue")
            ),
            "stock_landed_cost_fit",
        ),
        (
            both("0.001", part(1, of_it, "0.001", "receive")),
            "stock_landed_cost_fit",
        ),
        (
            both("-200.01", part(1, of_it, "-200.01", "receive")),
            "stock_landed_cost_fit",
        ),
        (
            format!(
                "{}; {}",
                head("5", "NULL", "receive")
                    .replace("now(), now()", "now() - interval '1 day', now()"),
                part(1, of_it, "5", "receive")
            ),
            "stock_landed_cost_fit",
        ),
        // What undoes another is its mirror.
        (
            format!(
                "{}; {}",
                head("-99", other, "receive"),
                part(1, of_it, "-99", "receive")
            ),
            "stock_landed_cost_fit",
        ),
        (
            format!(
                "{}; {}",
                head("100", other, "receive"),
                part(1, of_it, "100", "receive")
            ),
            "stock_landed_cost_fit",
        ),
        // Whoever computes items anew takes all of it into account.
        (
            format!(
                "{}; SELECT stock_recost(ARRAY[{of_it}], ARRAY[10], now(), '00000000-0000-0000-0000-000000000000', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', \
                 '{{}}', '{{}}', '{{}}', '{{}}', '{{}}')",
                both("5", part(1, of_it, "5", "receive"))
            ),
            "stock_recost_whole",
        ),
    ];
    for (sql, expected) in attacks {
        assert_eq!(tried(&db, &sql).await, expected, "{sql}");
    }
    assert_eq!(figures(&shop).await, before);
    // What the application's role may write is taken into account as if somebody had asked for it.
    let fits = both("5", part(1, of_it, "5", "receive"));
    assert_eq!(tried(&db, &fits).await, "done");
    assert_proven(&shop).await;
    assert_eq!(recost(&shop).await, 2);
    assert_eq!(balances(&shop).await["1108"], "123");
    assert_proven(&shop).await;
    // A receipt is not undone under it, and is not undone and borne at once.
    let undo = "INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines, reverses_id) \
         SELECT '01930000-0000-7000-8000-00000000e001', 'reverse', 'mistaken', now(), now(), 'system', 'psql', 1, c.entry_id \
         FROM (SELECT DISTINCT entry_id FROM stock_landed_cost) c; \
         INSERT INTO stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, unit_cost, effective_at) \
         SELECT '01930000-0000-7000-8000-00000000e001', 1, m.item_id, m.to_location_id, m.from_location_id, m.quantity, m.unit_cost, now() \
         FROM stock_movement m WHERE m.entry_id = (SELECT reverses_id FROM stock_entry WHERE id = '01930000-0000-7000-8000-00000000e001')";
    let more = bought(json!([costing(&item, &shop.safe, 20, "1")]));
    let carry = json!({"lines": [{"itemId": item, "fromId": shop.safe, "toId": shop.tray, "quantity": 20}]});
    shop.manager.done("stockReceive", more).await;
    shop.manager.done("stockMove", carry).await;
    assert_eq!(tried(&db, undo).await, "stock_entry_bears_nothing");
    reversed(&shop, &cost).await;
    assert_eq!(tried(&db, undo).await, "stock_entry_bears_nothing");
    assert_proven(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sells_meanwhile_waits_and_the_books_are_right() {
    let (shop, _) = booked().await;
    let mut items = Vec::new();
    let mut lines = Vec::new();
    for method in ["AVERAGE", "FIFO"] {
        let item = shop.item(method, "NONE").await;
        set_method(&shop, &item, method).await;
        lines.push(costing(&item, &shop.tray, 200, "7.77"));
        items.push(item);
    }
    let (receipt, _) = posted(&shop, "stockReceive", bought(json!(lines))).await;
    let (shop, items, receipt) = (&shop, &items, &receipt);
    let clients = (0..8_usize).map(|client| async move {
        for turn in 0..12_usize {
            let mut order: Vec<_> = items.iter().collect();
            if (client + turn) % 2 == 0 {
                order.reverse();
            }
            let lines: Vec<_> = order.iter().map(|item| line(item, &shop.tray, 2)).collect();
            shop.manager.done("stockIssue", sold(json!(lines))).await;
        }
    });
    let adding = async {
        for turn in 0..10 {
            let (cost, _) =
                added(shop, landed(receipt, "VALUE", &format!("{}.03", turn + 1))).await;
            if turn % 3 == 0 {
                reversed(shop, &cost).await;
            }
        }
    };
    tokio::join!(futures_util::future::join_all(clients), adding);
    assert_proven(shop).await;
    assert_costs_add_up(shop).await;
    recost(shop).await;
    assert_proven(shop).await;
    // 2, 3, 5, 6, 8 and 9, each with 3 more.
    assert_eq!(balances(shop).await["2109"], "-33.18");
    recost_everything(shop).await;
    assert_proven(shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_is_undone_meanwhile_bears_nothing() {
    let (shop, _) = booked().await;
    for round in 0..6 {
        let item = shop.item(&format!("I-{round}"), "NONE").await;
        let ten = bought(json!([costing(&item, &shop.tray, 10, "10")]));
        let (receipt, _) = posted(&shop, "stockReceive", ten).await;
        let undo = shop.manager.change("stockReverse", json!({"id": receipt}));
        let add = shop
            .manager
            .change("stockLandedCostAdd", landed(&receipt, "VALUE", "10"));
        let (undone, borne) = tokio::join!(undo, add);
        let done = |answer: &tests::answer::Answer, field: &str, of: &str| {
            !answer.data[field][of].is_null()
        };
        let undone = done(&undone, "stockReverse", "entry");
        let borne = done(&borne, "stockLandedCostAdd", "landedCost");
        assert!(undone != borne, "{undone} {borne}");
        assert_proven(&shop).await;
    }
    assert_costs_add_up(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_costs_does_not_add_to_them_and_all_hear_of_it() {
    let (shop, _) = booked().await;
    let (item, receipt, _) = kept_by(&shop, "AVERAGE").await;
    let clerk = shop.app.clerk().await;
    let answer = clerk
        .change("stockLandedCostAdd", landed(&receipt, "VALUE", "1"))
        .await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    for query in [
        "{ stockLandedCosts { nodes { id } } }",
        "query($id: ID!) { stockEntry(id: $id) { landedCosts { nodes { id } } } }",
    ] {
        let answer = clerk.gql(query, json!({"id": receipt})).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{query}");
    }
    let subscription = "subscription($id: ID!) { stockChanged(itemId: $id) { action itemIds } }";
    let mut subscription = clerk.subscribe(subscription, json!({"id": item})).await;
    added(&shop, landed(&receipt, "VALUE", "1")).await;
    let told = subscription.next().await;
    assert_eq!(told["stockChanged"]["action"], "stock.landed_cost.add");
    assert_eq!(told["stockChanged"]["itemIds"], json!([item]));
    let actions = "SELECT action FROM audit WHERE aggregate_type = 'stock_landed_cost'";
    let actions: Vec<String> = sqlx::query_scalar(actions)
        .fetch_all(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(actions, ["stock.landed_cost.add"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_it_cost_a_statement_a_level() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let shop = behind(&proxy).await;
    for number in 0..8 {
        let item = shop.item(&format!("I-{number}"), "NONE").await;
        let some = bought(json!([costing(&item, &shop.tray, 3, "2")]));
        let (receipt, _) = posted(&shop, "stockReceive", some).await;
        let (cost, _) = added(&shop, landed(&receipt, "VALUE", "1")).await;
        reversed(&shop, &cost).await;
    }
    for (query, most) in [
        (
            "{ stockLandedCosts(first: 20) { nodes { amount isPending entry { number } reverses { id } reversedBy { id } lines(first: 5) { nodes { amount item { sku } } } } } }",
            7,
        ),
        (
            "{ stockEntries(first: 20) { nodes { number landedCosts(first: 5) { nodes { amount isPending lines(first: 5) { nodes { amount } } } } } } }",
            4,
        ),
    ] {
        shop.manager.ok(query, json!({})).await;
        let executed = proxy
            .during(async || shop.manager.ok(query, json!({})).await)
            .await;
        assert!(
            (1..=most).contains(&executed.len()),
            "{query} took {}: {executed:#?}",
            executed.len()
        );
    }
}

/// Sells so many single pieces of the only item, one by one, as if an hour ago, by SQL: it would take the shop minutes.
async fn sell(shop: &Shop, from: i32, to: i32) {
    let sql = "WITH sale AS MATERIALIZED (
                   SELECT n, gen_random_uuid() AS id, now() - interval '1 hour' + n * interval '10 milliseconds' AS at FROM generate_series($1, $2) n
               ), entry AS (
                   INSERT INTO stock_entry (id, kind, reason, effective_at, recorded_at, actor_kind, actor_name, lines)
                   SELECT id, 'issue', 'sold', at, now(), 'system', 'psql', 1 FROM sale ORDER BY n
               )
               INSERT INTO stock_movement (entry_id, line, item_id, from_location_id, to_location_id, quantity, effective_at)
               SELECT sale.id, 1, item.id, tray.id, customer.id, 1, sale.at
               FROM sale, item, location tray, location customer WHERE tray.code = 'TRAY' AND customer.code = 'CUSTOMER' ORDER BY sale.n";
    let sell = sqlx::query(sql).bind(from).bind(to);
    sell.execute(shop.app.sql()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_sold_two_thousand_times_is_computed_at_once_and_more_by_the_worker() {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    let item = shop.item("PIN", "NONE").await;
    let mut many = bought(json!([costing(&item, &shop.tray, 20_000, "1.01")]));
    many["effectiveAt"] = json!(ago(120));
    let (receipt, _) = posted(&shop, "stockReceive", many).await;
    sell(&shop, 1, 1_000).await;
    sell(&shop, 1_001, 1_999).await;
    recost(&shop).await;
    books::book(&shop, &accounts(&books)).await;
    let add = async || {
        let began = std::time::Instant::now();
        let input = landed(&receipt, "VALUE", "1000.01");
        let cost = shop.manager.done("stockLandedCostAdd", input).await["landedCost"].take();
        (cost["isPending"] == true, began.elapsed())
    };
    let (is_pending, took) = add().await;
    println!("landed cost with 2,000 movements from the receipt on: {took:?}");
    assert!(!is_pending);
    assert_proven(&shop).await;
    // Each of 1,999 pieces that were sold bears five hundredths.
    assert_eq!(balances(&shop).await["5101"], "99.95");
    sell(&shop, 2_000, 2_000).await;
    recost(&shop).await;
    let (is_pending, took) = add().await;
    println!("left to the worker: {took:?}");
    assert!(is_pending);
    assert_proven(&shop).await;
    let began = std::time::Instant::now();
    assert!(recost(&shop).await > 1_000);
    println!("the worker: {:?}", began.elapsed());
    assert_proven(&shop).await;
    assert_costs_add_up(&shop).await;
}
