//! What is closed stays as it is, of the books and of stock, whoever is posting meanwhile.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::clock::ManualClock;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::app::TestApp;

use super::{Books, pair, text};

const YEARS: &str = "{ fiscalYears { name periods { id name startsOn endsOn closedAt } } }";

/// The ids of the months of 1404.
async fn months(books: &Books) -> Vec<String> {
    let years = books.manager.ok(YEARS, json!({})).await["fiscalYears"].take();
    let periods = years[1]["periods"].as_array().unwrap().iter();
    periods.map(|period| text(&period["id"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn periods_close_in_order_and_open_again_for_a_reason() {
    let books = Books::open().await;
    let months = months(&books).await;
    let close = async |id: &str| books.manager.change("periodClose", json!({"id": id})).await;
    assert_eq!(
        close(&months[1]).await.refused(),
        pair("PERIOD_ORDER", "id")
    );
    books.post(books.sale("2025-03-21", "1")).await;
    let closed = close(&months[0]).await.ok()["periodClose"]["period"].take();
    assert_eq!(
        (&closed["endsOn"], &closed["version"]),
        (&json!("2025-04-20"), &json!(2))
    );
    let early = books
        .manager
        .not_done("journalPost", books.sale("2025-04-20", "1"))
        .await;
    assert_eq!(early, pair("PERIOD_CLOSED", "date"));
    books.post(books.sale("2025-04-21", "1")).await;
    // Stock is closed with it.
    let category = books.manager.category("Rings", None).await;
    let ring = books.manager.item_kept("RING", &category, "NONE").await;
    let tray = books.manager.location("TRAY", "TRAY", None).await;
    let receive = |at: &str| json!({"reason": "PURCHASED", "effectiveAt": at, "lines": [{"itemId": ring, "toId": tray, "quantity": 1}]});
    let refused = books
        .manager
        .not_done("stockReceive", receive("2025-04-20T23:59:59Z"))
        .await;
    assert_eq!(refused, pair("PERIOD_CLOSED", "effectiveAt"));
    books
        .manager
        .done("stockReceive", receive("2025-04-21T00:00:00Z"))
        .await;
    let _closed = close(&months[1]).await.ok();
    let reopen = async |id: &str| {
        books
            .manager
            .change(
                "periodReopen",
                json!({"id": id, "reason": "A receipt was forgotten"}),
            )
            .await
    };
    assert_eq!(
        reopen(&months[0]).await.refused(),
        pair("PERIOD_ORDER", "id")
    );
    let _opened = reopen(&months[1]).await.ok();
    let _opened = reopen(&months[0]).await.ok();
    books.post(books.sale("2025-04-20", "1")).await;
    books
        .manager
        .done("stockReceive", receive("2025-04-20T23:59:59Z"))
        .await;
    let reasons = books.count("SELECT count(*) FROM audit WHERE action = 'period.reopen' AND after->>'reason' = 'A receipt was forgotten'").await;
    assert_eq!(reasons, 2);
    let years = books.manager.ok(YEARS, json!({})).await["fiscalYears"].take();
    let present = text(&years[0]["periods"][0]["id"]);
    let refused = close(&present).await.refused();
    assert!(refused == pair("PERIOD_NOT_OVER", "id"), "{refused:?}");
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_end_at_the_midnight_of_the_shop() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    // Half past midnight in Tehran, where the first month of 1404 has just ended.
    let clock = Arc::new(ManualClock::new(at("2025-04-20T21:00:00Z")));
    let books = Books::of(TestApp::builder().clock(clock)).await;
    let months = months(&books).await;
    let close = async || {
        let input = json!({"id": months[0]});
        books.manager.change("periodClose", input).await
    };
    assert_eq!(close().await.refused(), pair("PERIOD_NOT_OVER", "id"));
    books
        .manager
        .done("shopSet", json!({"timeZone": "Asia/Tehran"}))
        .await;
    let _closed = close().await.ok();
    let until =
        "SELECT count(*) FROM stock_closing WHERE closed_until = '2025-04-20 20:29:59.999999+00'";
    assert_eq!(books.count(until).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fiscal_years_do_not_overlap_nor_begin_before_what_is_closed() {
    let books = Books::open().await;
    let year = |name: &str, starts: &str, ends: &str| json!({"name": name, "startsOn": starts, "endsOn": ends});
    let refused = async |input: Value| books.manager.not_done("fiscalYearCreate", input).await;
    assert_eq!(
        refused(year("1406", "2027-03-20", "2028-03-19")).await,
        pair("OVERLAPS", "startsOn")
    );
    assert_eq!(
        refused(year("1405", "2027-03-21", "2028-03-19")).await,
        pair("ALREADY_TAKEN", "name")
    );
    assert_eq!(
        refused(year("1406", "2027-03-21", "2027-03-20")).await,
        pair("TIME_OUT_OF_RANGE", "endsOn")
    );
    books
        .manager
        .done("periodClose", json!({"id": months(&books).await[0]}))
        .await;
    assert_eq!(
        refused(year("1403", "2024-03-20", "2025-03-20")).await,
        pair("PERIOD_ORDER", "startsOn")
    );
    books
        .manager
        .done("fiscalYearCreate", year("1406", "2027-03-21", "2028-03-19"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_gets_into_a_period_that_is_just_being_closed() {
    let books = Books::open().await;
    let first = months(&books).await.swap_remove(0);
    let post = async |client: usize| {
        let mut posted = 0;
        for _ in 0..40 {
            let day = format!("2025-04-{:02}", 1 + client);
            let answer = books
                .manager
                .change("journalPost", books.sale(&day, "1"))
                .await;
            match answer.user_errors().first() {
                None => posted += 1,
                Some(error) => {
                    assert_eq!(error.code, "PERIOD_CLOSED", "{answer:?}");
                    break;
                }
            }
        }
        posted
    };
    let close = async {
        while books.count("SELECT count(*) FROM journal_entry").await < 50 {
            tokio::task::yield_now().await;
        }
        let closed = books
            .manager
            .done("periodClose", json!({"id": first}))
            .await;
        assert_ne!(closed["period"]["closedAt"], Value::Null);
        books.count("SELECT count(*) FROM journal_entry").await
    };
    let (posted, at_closing) = tokio::join!(join_all((0..16).map(post)), close);
    let posted: i64 = posted.into_iter().sum();
    assert_eq!(
        posted, at_closing,
        "what is there when it is closed is all there will be"
    );
    assert_eq!(
        books.count("SELECT count(*) FROM journal_entry").await,
        at_closing
    );
    books.assert_verified().await;
}
