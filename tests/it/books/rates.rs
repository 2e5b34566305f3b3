//! What currencies and metals are worth in the shop's currency, by days.

use serde_json::{Value, json};
use tests::{app::TestApp, database};

use super::{Books, pair};

const QUOTE: &str = "query($from: String!, $to: String, $at: Date, $knownAt: DateTime) { \
    exchangeRate(from: $from, to: $to, at: $at, knownAt: $knownAt) { from to date rate fromDate toDate } }";
const RATES: &str = "query($where: ExchangeRateWhere, $first: Int, $after: String) { exchangeRates(where: $where, first: $first, after: $after) { \
    pageInfo { hasNextPage endCursor } nodes { commodity date rate recordedAt } } }";

/// Records what one of a currency was worth on a day.
pub(super) async fn rate(books: &Books, commodity: &str, date: &str, rate: &str) -> Value {
    let input = json!({"commodity": commodity, "date": date, "rate": rate, "source": "Bazaar"});
    books.manager.done("exchangeRateRecord", input).await["exchangeRate"].take()
}

async fn quote(books: &Books, from: &str, to: &str, at: &str) -> Value {
    let variables = json!({"from": from, "to": to, "at": at});
    books.manager.ok(QUOTE, variables).await["exchangeRate"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_rate_of_the_day_or_of_an_earlier_one_counts() {
    let books = Books::open().await;
    let first = rate(&books, "usd", "2026-05-01", "1100000.123456789012").await;
    assert_eq!(
        (
            &first["commodity"],
            &first["baseCurrency"],
            &first["rate"],
            &first["date"]
        ),
        (
            &json!("USD"),
            &json!("IRR"),
            &json!("1100000.123456789012"),
            &json!("2026-05-01")
        )
    );
    rate(&books, "USD", "2026-05-10", "1200000").await;
    // Back-dated, and corrected on the same day.
    rate(&books, "USD", "2026-04-01", "1000000").await;
    for (at, expected, since) in [
        ("2026-04-01", "1000000", "2026-04-01"),
        ("2026-04-30", "1000000", "2026-04-01"),
        ("2026-05-01", "1100000.123456789012", "2026-05-01"),
        ("2026-05-09", "1100000.123456789012", "2026-05-01"),
        ("2026-06-01", "1200000", "2026-05-10"),
    ] {
        let quote = quote(&books, "USD", "IRR", at).await;
        assert_eq!(
            (&quote["rate"], &quote["fromDate"], &quote["toDate"]),
            (&json!(expected), &json!(since), &json!(null)),
            "{at}"
        );
    }
    let known = first["recordedAt"].clone();
    rate(&books, "USD", "2026-05-01", "1150000").await;
    assert_eq!(
        quote(&books, "USD", "IRR", "2026-05-01").await["rate"],
        "1150000"
    );
    // What was known when only the first was there.
    let then =
        json!({"from": "USD", "to": "IRR", "at": "2026-06-01", "knownAt": "2020-01-01T00:00:00Z"});
    let unknown = books.manager.gql(QUOTE, then).await;
    assert_eq!(unknown.codes(), ["NO_RATE"]);
    let filter = json!({"commodity": "usd", "until": "2026-05-01"});
    let seen = books.manager.ok(RATES, json!({"where": filter})).await;
    let nodes = seen["exchangeRates"]["nodes"].as_array().unwrap();
    let rates: Vec<_> = nodes
        .iter()
        .map(|rate| rate["rate"].as_str().unwrap())
        .collect();
    assert_eq!(rates, ["1150000", "1100000.123456789012", "1000000"]);
    assert!(known.is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_then_is_what_was_recorded_until_then() {
    let books = Books::open().await;
    let recorded = rate(&books, "EUR", "2026-05-01", "1").await["recordedAt"].clone();
    rate(&books, "EUR", "2026-05-01", "2").await;
    let of = |known: &Value| json!({"from": "EUR", "at": "2026-05-01", "knownAt": known});
    let then = books.manager.ok(QUOTE, of(&recorded)).await;
    let now = books.manager.ok(QUOTE, of(&json!(null))).await;
    assert_eq!(
        (&then["exchangeRate"]["rate"], &now["exchangeRate"]["rate"]),
        (&json!("1"), &json!("2"))
    );
    let filter = json!({"knownAt": recorded});
    let seen = books.manager.ok(RATES, json!({"where": filter})).await;
    assert_eq!(seen["exchangeRates"]["nodes"][0]["rate"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_currencies_convert_through_that_of_the_shop() {
    let books = Books::open().await;
    rate(&books, "USD", "2026-05-01", "1100000").await;
    rate(&books, "EUR", "2026-05-02", "1300000").await;
    let cross = quote(&books, "EUR", "USD", "2026-05-03").await;
    assert_eq!(
        (&cross["rate"], &cross["fromDate"], &cross["toDate"]),
        (
            &json!("1.18181818181818"),
            &json!("2026-05-02"),
            &json!("2026-05-01")
        )
    );
    let back = quote(&books, "IRR", "USD", "2026-05-03").await;
    assert_eq!(back["rate"], "0.000000909090909090909");
    assert_eq!(quote(&books, "IRR", "IRR", "2026-05-03").await["rate"], "1");
    assert_eq!(quote(&books, "USD", "USD", "2026-05-03").await["rate"], "1");
    for (from, to, at, codes) in [
        ("EUR", "USD", "2026-05-01", vec!["NO_RATE"]),
        ("CHF", "USD", "2026-05-03", vec!["NO_RATE"]),
        ("XYZ", "USD", "2026-05-03", vec!["UNKNOWN_COMMODITY"]),
        ("CHF", "GOLD", "2026-05-03", vec!["NO_RATE"]),
    ] {
        let variables = json!({"from": from, "to": to, "at": at});
        let answer = books.manager.gql(QUOTE, variables).await;
        assert_eq!(answer.codes(), codes, "{from} {to} {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gram_of_metal_is_worth_what_its_rate_says() {
    let books = Books::open().await;
    rate(&books, "USD", "2026-05-01", "1000000").await;
    for (fineness, price, at) in [
        ("750", "75000000", "2026-05-01T08:00:00Z"),
        ("900", "99000000", "2026-05-02T21:00:00Z"),
    ] {
        let input = json!({"metal": "GOLD", "fineness": fineness, "currency": "IRR", "pricePerGram": price, "effectiveAt": at,
                           "source": "Bazaar"});
        books.manager.done("metalRateRecord", input).await;
    }
    for (from, to, at, expected) in [
        ("GOLD", "IRR", "2026-05-01", "100000000"),
        ("GOLD", "IRR", "2026-05-02", "110000000"),
        ("GOLD", "USD", "2026-05-01", "100"),
        ("USD", "GOLD", "2026-05-01", "0.01"),
    ] {
        let quote = quote(&books, from, to, at).await;
        assert_eq!(quote["rate"], expected, "{from} {to} {at}");
    }
    // Where the shop is, the evening was the next day.
    books
        .manager
        .done("shopSet", json!({"timeZone": "Asia/Tehran"}))
        .await;
    assert_eq!(
        quote(&books, "GOLD", "IRR", "2026-05-02").await["rate"],
        "100000000"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_that_cannot_be_are_refused_and_none_ever_changes() {
    let books = Books::open().await;
    let today = json!({"commodity": "USD", "rate": "2", "source": "Bazaar"});
    for (field, value, code, path) in [
        ("commodity", "GOLD", "NOT_A_CURRENCY", "commodity"),
        ("commodity", "IRR", "NOT_A_CURRENCY", "commodity"),
        ("commodity", "XYZ", "UNKNOWN_COMMODITY", "commodity"),
        ("rate", "0", "OUT_OF_RANGE", "rate"),
        ("rate", "-1", "OUT_OF_RANGE", "rate"),
        ("rate", "1.0000000000001", "TOO_FINE", "rate"),
        ("date", "9999-01-01", "TIME_OUT_OF_RANGE", "date"),
        ("source", " ", "REQUIRED", "source"),
    ] {
        let mut wrong = today.clone();
        wrong[field] = json!(value);
        let refused = books.manager.not_done("exchangeRateRecord", wrong).await;
        assert_eq!(refused, pair(code, path), "{field} {value}");
    }
    books.manager.done("exchangeRateRecord", today).await;
    let db = database::pool(&books.app.database_url());
    for sql in [
        "UPDATE exchange_rate SET rate = 1",
        "DELETE FROM exchange_rate",
        "TRUNCATE exchange_rate",
        "INSERT INTO exchange_rate SELECT gen_random_uuid(), currency, base_currency, date, -1, source, recorded_at, actor_kind, actor_id, \
         actor_name FROM exchange_rate",
        "INSERT INTO exchange_rate SELECT gen_random_uuid(), 'GOLD', base_currency, date, 1, source, recorded_at, actor_kind, actor_id, \
         actor_name FROM exchange_rate",
    ] {
        let tried = sea_orm::sqlx::raw_sql(sql).execute(&db).await;
        assert!(tried.is_err(), "{sql}");
    }
    let kept = "SELECT count(*) FROM trail_change WHERE source = 'exchange_rate'";
    assert_eq!(books.count(kept).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_rates_go_on_where_they_ended() {
    let books = Books::open().await;
    for (day, worth) in [
        ("2026-05-01", "1"),
        ("2026-05-03", "3"),
        ("2026-05-02", "2"),
    ] {
        rate(&books, "USD", day, worth).await;
        rate(&books, "EUR", day, worth).await;
    }
    let (mut after, mut seen) = (json!(null), Vec::new());
    loop {
        let variables = json!({"first": 4, "after": after});
        let page = books.manager.ok(RATES, variables).await["exchangeRates"].take();
        let nodes = page["nodes"].as_array().unwrap().iter();
        seen.extend(nodes.map(|rate| rate["rate"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ["3", "3", "2", "2", "1", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_take_the_permissions_of_the_books() {
    let app = TestApp::start().await;
    let clerk = app.clerk().await;
    let input = json!({"commodity": "USD", "rate": "2", "source": "Bazaar"});
    let refused = clerk.change("exchangeRateRecord", input).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    let refused = clerk.gql(QUOTE, json!({"from": "USD"})).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
}
