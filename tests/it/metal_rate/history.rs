//! The rates of the past, in pages.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp};

use super::record;

const HISTORY: &str = "query($metal: Metal, $currency: String, $first: Int, $last: Int, $after: String, $before: String) {
    metalRates(metal: $metal, currency: $currency, first: $first, last: $last, after: $after, before: $before) {
        nodes { metal currency pricePerGram } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}";

async fn page(actor: &Actor, variables: Value) -> (Vec<String>, Value) {
    let mut page = actor.ok(HISTORY, variables).await["metalRates"].take();
    let prices = page["nodes"].as_array().unwrap().iter();
    let prices = prices.map(|node| node["pricePerGram"].as_str().unwrap().to_owned());
    (prices.collect(), page["pageInfo"].take())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_read_from_the_latest_on() {
    let app = TestApp::start().await;
    let (manager, clerk) = (app.manager().await, app.clerk().await);
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    // Recorded in no order, two of them for the same time.
    for (price, day) in [("3", 3), ("1", 1), ("5", 5), ("4", 4), ("2", 2), ("55", 5)] {
        let more = json!({"effectiveAt": start + TimeDelta::days(day)});
        record(&manager, price, more).await;
    }
    record(&manager, "9", json!({"metal": "SILVER"})).await;
    record(&manager, "8", json!({"currency": "EUR"})).await;
    let of = json!({"metal": "GOLD", "currency": "irr", "first": 4});
    let (prices, info) = page(&clerk, of.clone()).await;
    assert_eq!(prices, ["55", "5", "4", "3"]);
    assert_eq!(
        (&info["hasNextPage"], &info["hasPreviousPage"]),
        (&json!(true), &json!(false))
    );
    let mut next = of;
    next["after"] = info["endCursor"].clone();
    let (prices, info) = page(&clerk, next).await;
    assert_eq!(prices, ["2", "1"]);
    assert_eq!(
        (&info["hasNextPage"], &info["hasPreviousPage"]),
        (&json!(false), &json!(true))
    );
    let before =
        json!({"metal": "GOLD", "currency": "IRR", "last": 2, "before": info["startCursor"]});
    assert_eq!(page(&clerk, before).await.0, ["4", "3"]);
    assert_eq!(page(&clerk, json!({"metal": "SILVER"})).await.0, ["9"]);
    assert_eq!(page(&clerk, json!({"currency": "EUR"})).await.0, ["8"]);
    assert_eq!(page(&clerk, json!({})).await.0.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_are_none_are_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for (variables, code) in [
        (json!({"currency": "rial"}), "INVALID_FORMAT"),
        (json!({"first": 101}), "OUT_OF_RANGE"),
        (json!({"after": "nonsense"}), "INVALID_FORMAT"),
        (json!({"metal": "LEAD"}), "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let answer = manager.gql(HISTORY, variables.clone()).await;
        assert_eq!(answer.codes(), [code], "{variables}");
    }
}
