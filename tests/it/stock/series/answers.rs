//! Who may see what of series, and what is refused.

use chrono::Days;
use serde_json::{Value, json};

use super::{Shop, bought, document, text, today};

const BARE: &str = "query($from: Date!, $until: Date!, $interval: StockSeriesInterval!, $by: StockSeriesBy, $where: StockTimeSeriesWhere) { \
    stockTimeSeries(from: $from, until: $until, interval: $interval, by: $by, where: $where) { series { points { from } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn values_are_for_those_who_may_see_costs() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let receipt = json!([{"itemId": ring, "toId": shop.tray, "quantity": 10, "unitCost": "7"}]);
    shop.manager.done("stockReceive", bought(receipt)).await;
    let question = json!({"by": "ALL", "interval": "DAY", "from": today().to_string(), "until": (today() + Days::new(1)).to_string()});
    let clerk = shop.app.clerk().await;
    for when in ["late", "in days"] {
        let seen = shop.series(question.clone()).await;
        assert_eq!(
            seen["series"][0]["points"][0]["purchased"]["value"]["amount"], "70",
            "{when}"
        );
        let seen = clerk.ok(&document(), question.clone()).await["stockTimeSeries"].take();
        let point = &seen["series"][0]["points"][0];
        assert_eq!(
            (
                &point["purchased"]["quantity"],
                &point["purchased"]["value"],
                &point["received"]["value"]
            ),
            (&json!("10"), &Value::Null, &Value::Null),
            "{when}"
        );
        shop.add_all_to_days().await;
    }
    let nobody = shop.app.anonymous().gql(&document(), question).await;
    assert_eq!(nobody.codes(), ["UNAUTHENTICATED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_or_makes_no_sense_is_refused() {
    let shop = Shop::open().await;
    let lines: Vec<_> = {
        let mut lines = Vec::new();
        for number in 0..19 {
            let item = shop.item(&format!("I-{number}"), "NONE").await;
            lines.push(json!({"itemId": item, "toId": shop.tray, "quantity": 1}));
        }
        lines
    };
    shop.manager
        .done("stockReceive", bought(json!(lines)))
        .await;
    let ask = |from: &str, until: &str, interval: &str, by: &str, filter: Value| json!({"from": from, "until": until, "interval": interval, "by": by, "where": filter});
    let refused = async |variables: Value| {
        let answer = shop.manager.gql(BARE, variables).await;
        let extensions = &answer.errors[0]["extensions"];
        (text(&extensions["code"]), text(&extensions["argument"]))
    };
    let told = |code: &str, argument: &str| (code.to_owned(), argument.to_owned());
    assert_eq!(
        refused(ask("2026-01-02", "2026-01-02", "DAY", "ALL", json!({}))).await,
        told("TIME_OUT_OF_RANGE", "until")
    );
    assert_eq!(
        refused(ask("1899-01-01", "2026-01-02", "YEAR", "ALL", json!({}))).await,
        told("TIME_OUT_OF_RANGE", "from")
    );
    assert_eq!(
        refused(ask("2020-01-01", "2023-01-06", "DAY", "ALL", json!({}))).await,
        told("TOO_MANY", "interval")
    );
    // Nineteen series of 1,100 points are more than 20,000 points.
    assert_eq!(
        refused(ask("2020-01-01", "2023-01-05", "DAY", "ITEM", json!({}))).await,
        told("TOO_MANY", "by")
    );
    let many: Vec<_> = (0..101).map(|_| lines[0]["itemId"].clone()).collect();
    assert_eq!(
        refused(ask(
            "2020-01-01",
            "2020-01-05",
            "DAY",
            "ALL",
            json!({"itemIds": many})
        ))
        .await,
        told("TOO_MANY", "where")
    );
    assert_eq!(
        refused(ask(
            "2020-01-01",
            "2020-01-05",
            "DAY",
            "ALL",
            json!({"categoryId": lines[0]["itemId"]})
        ))
        .await
        .1,
        "where.categoryId"
    );
    // One series less is not too much, in days or not.
    let eighteen: Vec<_> = lines[1..]
        .iter()
        .map(|line| line["itemId"].clone())
        .collect();
    for when in ["late", "in days"] {
        let fits = shop
            .manager
            .ok(
                BARE,
                ask(
                    "2020-01-01",
                    "2023-01-05",
                    "DAY",
                    "ITEM",
                    json!({"itemIds": eighteen}),
                ),
            )
            .await;
        let series = fits["stockTimeSeries"]["series"].as_array().unwrap();
        assert_eq!(
            (series.len(), series[17]["points"].as_array().unwrap().len()),
            (18, 1_100),
            "{when}"
        );
        assert_eq!(
            refused(ask("2020-01-01", "2023-01-05", "DAY", "ITEM", json!({}))).await,
            told("TOO_MANY", "by"),
            "{when}"
        );
        shop.add_all_to_days().await;
    }
    // Nothing matches an empty list, and what is nowhere has no series.
    for filter in [
        json!({"itemIds": []}),
        json!({"locationIds": []}),
        json!({"within": shop.safe}),
        json!({"itemIds": [], "within": shop.tray}),
    ] {
        for by in ["ALL", "ITEM", "LOCATION", "CATEGORY"] {
            let none = shop
                .manager
                .ok(
                    BARE,
                    ask("2020-01-01", "2020-01-05", "DAY", by, filter.clone()),
                )
                .await;
            assert_eq!(
                none["stockTimeSeries"]["series"],
                json!([]),
                "{filter} {by}"
            );
        }
    }
}
