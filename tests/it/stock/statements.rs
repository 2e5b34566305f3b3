//! How many SQL statements stock costs: the same however many lines there are.

use domain::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy};

use super::{Shop, bought, line, sold};

pub(in crate::stock) async fn behind(proxy: &PostgresProxy) -> Shop {
    let builder = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60);
    Shop::of(builder).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_costs_as_many_statements_however_many_lines_it_has() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let shop = behind(&proxy).await;
    let mut items = Vec::new();
    for number in 0..40 {
        items.push(shop.item_in_tray(&format!("I-{number}"), 100).await);
    }
    let watch = shop.item("WATCH", "SERIAL").await;
    let bare = "mutation($input: StockIssueInput!) { stockIssue(input: $input) { entry { id } userErrors { code } } }";
    let receive = "mutation($input: StockReceiveInput!) { stockReceive(input: $input) { entry { id } userErrors { code } } }";
    let issue = |lines: usize| {
        sold(
            items
                .iter()
                .take(lines)
                .map(|item| line(item, &shop.tray, 1))
                .collect::<Value>(),
        )
    };
    let serials = |count: usize| {
        bought(
            json!([{"itemId": watch, "toId": shop.tray, "serialRange": {"first": format!("W-{count}-0001"), "count": count}}]),
        )
    };
    for (document, inputs) in [
        (bare, [issue(3), issue(40)]),
        (receive, [serials(2), serials(500)]),
    ] {
        let mut counts = Vec::new();
        for input in inputs {
            let executed = proxy
                .during(async || shop.manager.ok(document, json!({"input": input})).await)
                .await;
            counts.push(executed.len());
        }
        assert_eq!(counts[0], counts[1], "{document}");
        assert!(counts[0] <= 12, "{document} took {counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_stock_cost_a_statement_a_level() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let shop = behind(&proxy).await;
    let mut last = String::new();
    for number in 0..12 {
        last = shop.item_in_tray(&format!("I-{number}"), 10).await;
        let pill = shop.item(&format!("L-{number}"), "LOT").await;
        let lot = json!({"itemId": pill, "toId": shop.tray, "quantity": 5, "lot": {"number": "A"}});
        shop.manager
            .done("stockReceive", bought(json!([lot])))
            .await;
        let held = json!({"consumer": "cart", "lines": [{"itemId": last, "locationId": shop.tray, "quantity": 1}]});
        shop.manager.done("stockReserve", held).await;
    }
    for (query, most) in [
        (
            "{ stockLevels(first: 20) { nodes { onHand available item { sku } location { code } } } }",
            4,
        ),
        (
            "query($at: DateTime!) { stockLevels(asOf: $at, first: 20) { nodes { onHand item { sku } location { code } } } }",
            3,
        ),
        (
            "query($id: ID!) { stockCard(itemId: $id, first: 20) { nodes { change balance movement { from { code } } } } }",
            2,
        ),
        (
            "{ stockEntries(first: 20) { nodes { number movements(first: 5) { nodes { quantity item { sku } lot { number } from { code } to { code } } } reversedBy { id } } } }",
            6,
        ),
        (
            "query($id: ID!) { stockMovements(where: {itemId: $id}) { nodes { quantity entry { number } item { sku } } } }",
            3,
        ),
        (
            "{ lots(first: 20) { nodes { number item { sku } levels { onHand location { code } } } } }",
            4,
        ),
        (
            "{ stockReservations(first: 20) { nodes { open item { sku } location { code } lot { number } } } }",
            3,
        ),
        (
            "{ items(first: 20) { nodes { sku stock { onHand available } stocking { isWeighed } } } }",
            3,
        ),
    ] {
        let variables = json!({"id": last, "at": SystemClock.now()});
        shop.manager.ok(query, variables.clone()).await;
        let executed = proxy
            .during(async || shop.manager.ok(query, variables.clone()).await)
            .await;
        assert!(
            (1..=most).contains(&executed.len()),
            "{query} took {}: {executed:#?}",
            executed.len()
        );
    }
}
