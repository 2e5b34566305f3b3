//! Many post to the same accounts at once: nobody waits in a circle, numbers have no gaps, and the sums are right.

use std::time::Duration;

use futures_util::future::join_all;
use sea_orm::sqlx::{self, Executor as _};
use serde_json::json;
use tests::database;

use super::Books;

const CLIENTS: usize = 16;
const POSTINGS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn hot_accounts_take_everything_from_everybody() {
    let books = Books::open().await;
    let work = async |client: usize| {
        for posting in 0..POSTINGS {
            // In an order of its own, in two fiscal years at once now and then.
            let mut lines = vec![
                books.line("1101", "3"),
                books.line("4111", "-1"),
                books.line("4112", "-1"),
                books.line("2104", "-1"),
            ];
            lines.rotate_left((client + posting) % 4);
            let entry = |date: &str| json!({"date": date, "lines": lines});
            let days = if client.is_multiple_of(2) {
                ["2026-03-20", "2026-03-21"]
            } else {
                ["2026-03-21", "2026-03-20"]
            };
            if posting.is_multiple_of(3) {
                let entries = json!({"entries": days.map(entry)});
                books.manager.done("journalPostBulk", entries).await;
            } else {
                books.post(entry(days[posting % 2])).await;
            }
        }
    };
    join_all((0..CLIENTS).map(work)).await;
    let bulk = POSTINGS.div_ceil(3);
    let entries = i64::try_from(CLIENTS * (POSTINGS + bulk)).unwrap();
    assert_eq!(
        books.count("SELECT count(*) FROM journal_entry").await,
        entries
    );
    let gaps = "SELECT count(*) FROM (SELECT number - lag(number, 1, 0::bigint) OVER (PARTITION BY fiscal_year_id ORDER BY number) AS step
                                      FROM journal_entry) s WHERE step <> 1";
    assert_eq!(books.count(gaps).await, 0);
    let cash = books.balance("1101", "IRR", "2026-12-31").await;
    assert_eq!(cash, Some((3 * entries).to_string()));
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_posts_once_however_many_send_it() {
    let books = Books::open().await;
    let mut input = books.sale("2026-05-01", "10");
    input["idempotencyKey"] = json!("K");
    let answers = join_all((0..50).map(|_| books.manager.done("journalPost", input.clone()))).await;
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(books.count("SELECT count(*) FROM journal_entry").await, 1);
    input["date"] = json!("2026-05-02");
    let refused = books.manager.not_done("journalPost", input).await;
    assert_eq!(refused[0].0, "IDEMPOTENCY_KEY_REUSED");
}

/// Somebody has taken a number and does not come to an end: whoever posts waits, and whoever reads does not.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_waits_for_nobody_who_posts() {
    let books = Books::open().await;
    books.post(books.sale("2026-05-01", "10")).await;
    let db = database::pool(&books.app.database_url());
    let mut slow = db.acquire().await.unwrap();
    slow.execute("BEGIN").await.unwrap();
    let number = "SELECT last_number FROM journal_numbers(ARRAY['2026-05-01'::date])";
    let number: i64 = sqlx::query_scalar(number)
        .fetch_one(&mut *slow)
        .await
        .unwrap();
    assert_eq!(number, 1);
    let waiting = books.post(books.sale("2026-05-02", "7"));
    tokio::pin!(waiting);
    let soon = Duration::from_millis(500);
    let posted = tokio::time::timeout(soon, &mut waiting).await;
    assert!(posted.is_err(), "{posted:?}");
    let cash = books.balance("1101", "IRR", "2026-12-31").await;
    assert_eq!(cash.as_deref(), Some("10"));
    let entries = "{ journalEntries(first: 5) { nodes { number } } }";
    let entries = books.manager.ok(entries, json!({})).await;
    assert_eq!(entries["journalEntries"]["nodes"], json!([{"number": 1}]));
    slow.execute("ROLLBACK").await.unwrap();
    assert_eq!(waiting.await["number"], 2);
    let cash = books.balance("1101", "IRR", "2026-12-31").await;
    assert_eq!(cash.as_deref(), Some("17"));
}

#[tokio::test]
async fn what_was_answered_is_answered_again_however_it_was_kept() {
    let books = Books::open().await;
    // Two fiscal years, and not in the order of their numbers.
    let days = ["2026-05-01", "2026-02-01", "2026-05-01", "2026-01-31"];
    let entries = days.map(|day| books.sale(day, "10"));
    let input = json!({"entries": entries, "idempotencyKey": "K"});
    let first = books.manager.done("journalPostBulk", input.clone()).await;
    let ids = "SELECT count(*) FROM idempotency, jsonb_array_elements(answer) a WHERE key = 'K' AND jsonb_typeof(a) = 'string'";
    assert_eq!(books.count(ids).await, 4);
    let again = books.manager.done("journalPostBulk", input.clone()).await;
    assert_eq!(again, first);
    let reverse =
        json!({"id": first["entries"][0]["id"], "date": "2026-05-02", "idempotencyKey": "R"});
    let undone = books.manager.done("journalReverse", reverse.clone()).await;
    let again = books.manager.done("journalReverse", reverse).await;
    assert_eq!(again, undone);

    // As they were kept once: whole.
    let whole = "UPDATE idempotency SET answer = (
                     SELECT jsonb_agg(to_jsonb(e) ORDER BY k.place)
                     FROM jsonb_array_elements_text(answer) WITH ORDINALITY k (id, place) JOIN journal_entry e ON e.id = k.id::uuid)
                 WHERE key = 'K'";
    let kept = sqlx::query(whole).execute(books.app.sql()).await.unwrap();
    assert_eq!((kept.rows_affected(), books.count(ids).await), (1, 0));
    let again = books.manager.done("journalPostBulk", input).await;
    assert_eq!(again, first);
    assert_eq!(books.count("SELECT count(*) FROM journal_entry").await, 5);
}
