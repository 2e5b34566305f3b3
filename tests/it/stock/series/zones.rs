//! Days are the shop's: they begin and end where its time zone says, and are made anew when that changes.

use chrono::{DateTime, Utc};
use sea_orm::sqlx;
use serde_json::{Value, json};

use super::{Shop, bought, sold, text};
use crate::stock::line;

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// On which days how many were sold, and how many lay there then.
async fn sales(shop: &Shop, from: &str, until: &str) -> Vec<(String, String, String)> {
    let answer = shop
        .series(json!({"by": "ALL", "interval": "DAY", "from": from, "until": until}))
        .await;
    assert_eq!(answer["isComplete"], true);
    let points = answer["series"][0]["points"].as_array().unwrap().iter();
    let sold = points.filter(|point| point["sold"]["quantity"] != "0");
    sold.map(|point| {
        (
            text(&point["from"]),
            text(&point["sold"]["quantity"]),
            text(&point["level"]["quantity"]),
        )
    })
    .collect()
}

fn days(told: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    told.iter()
        .map(|(day, sold, level)| ((*day).to_owned(), (*sold).to_owned(), (*level).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_late_in_the_evening_is_of_the_shops_day() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let receipt = json!([{"itemId": ring, "toId": shop.tray, "quantity": 100}]);
    shop.happen_at(
        "stockReceive",
        bought(receipt),
        moment("2025-03-01T12:00:00Z"),
    )
    .await;
    let sell = async |quantity, at: &str| {
        shop.happen_at(
            "stockIssue",
            sold(json!([line(&ring, &shop.tray, quantity)])),
            moment(at),
        )
        .await;
    };
    // Half past eight in the evening in London is midnight in Tehran.
    sell(1, "2025-03-20T20:29:59Z").await;
    sell(2, "2025-03-20T20:30:00Z").await;
    // The clock goes from two to three in Berlin, and that day has 23 hours.
    sell(4, "2025-03-29T22:59:59Z").await;
    sell(8, "2025-03-29T23:00:00Z").await;
    sell(16, "2025-03-30T21:59:59Z").await;
    sell(32, "2025-03-30T22:00:00Z").await;
    let utc = days(&[
        ("2025-03-20", "3", "97"),
        ("2025-03-29", "12", "85"),
        ("2025-03-30", "48", "37"),
    ]);
    assert_eq!(sales(&shop, "2025-03-01", "2025-04-10").await, utc);
    shop.add_all_to_days().await;
    assert_eq!(sales(&shop, "2025-03-01", "2025-04-10").await, utc);
    for (zone, expected) in [
        (
            "Asia/Tehran",
            days(&[
                ("2025-03-20", "1", "99"),
                ("2025-03-21", "2", "97"),
                ("2025-03-30", "12", "85"),
                ("2025-03-31", "48", "37"),
            ]),
        ),
        (
            "Europe/Berlin",
            days(&[
                ("2025-03-20", "3", "97"),
                ("2025-03-29", "4", "93"),
                ("2025-03-30", "24", "69"),
                ("2025-03-31", "32", "37"),
            ]),
        ),
    ] {
        shop.manager
            .done("shopSet", json!({"timeZone": zone}))
            .await;
        // At once, though no day has been made anew yet.
        assert_eq!(
            sales(&shop, "2025-03-01", "2025-04-10").await,
            expected,
            "{zone}"
        );
        assert!(shop.add_to_days(3, 1).await);
        assert_eq!(
            sales(&shop, "2025-03-01", "2025-04-10").await,
            expected,
            "{zone}, without any days"
        );
        assert!(shop.add_to_days(3, 1).await);
        assert_eq!(
            sales(&shop, "2025-03-01", "2025-04-10").await,
            expected,
            "{zone}, with some days"
        );
        shop.add_all_to_days().await;
        assert_eq!(
            sales(&shop, "2025-03-01", "2025-04-10").await,
            expected,
            "{zone}, with all days"
        );
        shop.assert_days_add_up().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_lacks_very_many_says_so_and_is_what_was_true_once() {
    let shop = Shop::open().await;
    let ring = shop.item_in_tray("RING", 10).await;
    shop.add_all_to_days().await;
    shop.manager
        .done("stockIssue", sold(json!([line(&ring, &shop.tray, 3)])))
        .await;
    let today = super::today();
    let question = json!({"where": {"itemIds": [ring]}, "by": "ALL", "interval": "DAY", "from": today.to_string(), "until": (today + chrono::Days::new(1)).to_string()});
    let told = |answer: &Value| {
        let point = &answer["series"][0]["points"][0];
        (
            answer["isComplete"].clone(),
            text(&point["sold"]["quantity"]),
            text(&point["level"]["quantity"]),
        )
    };
    let all = json!({"by": "ALL", "interval": "DAY", "from": question["from"], "until": question["until"]});
    for question in [&question, &all] {
        assert_eq!(
            told(&shop.series(question.clone()).await),
            (json!(true), "3".into(), "7".into())
        );
    }
    // As if very many had come since.
    sqlx::query("SELECT setval('stock_movement_number_seq', 1000000)")
        .execute(shop.app.sql())
        .await
        .unwrap();
    for question in [&question, &all] {
        let answer = shop.series(question.clone()).await;
        assert_eq!(told(&answer), (json!(false), "0".into(), "10".into()));
        assert!(answer["missing"].as_i64().unwrap() > 900_000, "{answer}");
    }
    shop.manager
        .done("shopSet", json!({"timeZone": "Asia/Tehran"}))
        .await;
    let answer = shop.series(question.clone()).await;
    assert_eq!(
        told(&answer),
        (json!(false), "0".into(), "0".into()),
        "days of another zone are of no use"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_time_zone_is_refused() {
    let shop = Shop::open().await;
    for wrong in [
        "Mars/Olympus",
        "asia/tehran",
        "",
        "posix/UTC",
        "right/Asia/Tehran",
        "localtime",
        "UTC'; DROP TABLE shop",
        "+03:30",
        "Asia/Tehran\u{0}",
    ] {
        let refused = shop
            .manager
            .not_done("shopSet", json!({"timeZone": wrong}))
            .await;
        assert_eq!(
            refused,
            [("UNKNOWN_TIME_ZONE".into(), "timeZone".into())],
            "{wrong:?}"
        );
    }
    let refused = shop.manager.not_done("shopSet", json!({})).await;
    assert_eq!(refused, [("REQUIRED".into(), "currency".into())]);
    // One is changed without the other, also when it is too late for another currency.
    shop.item_in_tray("RING", 1).await;
    let set = shop
        .manager
        .done("shopSet", json!({"timeZone": " Asia/Kabul "}))
        .await;
    assert_eq!(
        set["shop"],
        json!({"currency": "IRR", "timeZone": "Asia/Kabul", "version": 2})
    );
    let persian = shop.app.persian_manager().await;
    let answer = persian.change("shopSet", json!({"timeZone": "Mars"})).await;
    let message = text(&answer.data["shopSet"]["userErrors"][0]["message"]);
    assert!(message.contains("منطقهٔ زمانی «Mars»"), "{message}");
}
