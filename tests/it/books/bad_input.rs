//! What cannot be posted is told with its path, and leaves the books as they were.

use serde_json::{Value, json};

use super::{Books, pair};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_where_it_is_and_nothing_is_posted() {
    let books = Books::open().await;
    let archived = books.id("1102");
    books
        .manager
        .done("accountArchive", json!({"id": archived}))
        .await;
    let good = || books.sale("2026-05-01", "10");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut input = good();
        change(&mut input);
        input
    };
    let line = |field: &'static str, value: Value| {
        with(&move |input| input["lines"][1][field] = value.clone())
    };
    let stranger = tests::shop::global_id("Account", "01930000000070008000000000abcdef");
    let nowhere = tests::shop::global_id("Location", "01930000000070008000000000abcdef");
    let gold = |amount: &'static str| {
        let books = &books;
        with(&move |input| {
            input["lines"] = json!([
                {"accountId": books.id("1301"), "commodity": "GOLD", "debit": amount},
                {"accountId": books.id("3201"), "commodity": "GOLD", "credit": amount},
            ]);
        })
    };
    for (input, code, path) in [
        (line("credit", json!("10.01")), "UNBALANCED", "lines"),
        (line("commodity", json!("USD")), "UNBALANCED", "lines"),
        (
            line("commodity", json!("ABC")),
            "UNKNOWN_COMMODITY",
            "lines.1.commodity",
        ),
        (
            line("commodity", json!("€")),
            "UNKNOWN_COMMODITY",
            "lines.1.commodity",
        ),
        (line("credit", json!("0")), "OUT_OF_RANGE", "lines.1.credit"),
        (
            line("credit", json!("-10")),
            "OUT_OF_RANGE",
            "lines.1.credit",
        ),
        (line("debit", json!("10")), "ONE_SIDE", "lines.1"),
        (line("credit", json!(null)), "ONE_SIDE", "lines.1"),
        (
            line("credit", json!("10.001")),
            "TOO_FINE",
            "lines.1.credit",
        ),
        (
            line("accountId", json!(stranger)),
            "NOT_FOUND",
            "lines.1.accountId",
        ),
        (
            line("accountId", json!(books.id("11"))),
            "ACCOUNT_IS_GROUP",
            "lines.1.accountId",
        ),
        (
            line("accountId", json!(archived)),
            "ARCHIVED",
            "lines.1.accountId",
        ),
        (
            line("accountId", json!(books.id("1301"))),
            "WRONG_COMMODITY",
            "lines.1.commodity",
        ),
        (
            line("locationId", json!(nowhere)),
            "NOT_FOUND",
            "lines.1.locationId",
        ),
        (
            line("quantity", json!("0")),
            "OUT_OF_RANGE",
            "lines.1.quantity",
        ),
        (gold("1.0000001"), "TOO_FINE", "lines.0.debit"),
        (
            with(&|input| input["date"] = json!("2024-01-01")),
            "NO_PERIOD",
            "date",
        ),
        (
            with(&|input| input["lines"] = json!([])),
            "OUT_OF_RANGE",
            "lines",
        ),
        (
            with(&|input| input["document"] = json!({"type": "", "id": "1"})),
            "REQUIRED",
            "document.type",
        ),
    ] {
        let mut refused = books.manager.not_done("journalPost", input.clone()).await;
        refused.truncate(1);
        assert_eq!(refused, pair(code, path), "{input}");
    }
    let entries = json!({"entries": [good(), line("credit", json!("9"))]});
    assert_eq!(
        books.manager.not_done("journalPostBulk", entries).await,
        pair("UNBALANCED", "entries.1.lines")
    );
    assert_eq!(
        books
            .manager
            .not_done("journalPostBulk", json!({"entries": []}))
            .await,
        pair("REQUIRED", "entries")
    );
    assert_eq!(books.count("SELECT count(*) FROM journal_entry").await, 0);
    assert_eq!(
        books.count("SELECT count(*) FROM account_turnover").await,
        0
    );
    assert_eq!(books.post(good()).await["number"], 1);
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_lines_are_posted_and_not_one_more() {
    let books = Books::open().await;
    let mut lines = vec![books.line("1101", "1"); 5_000];
    lines.extend(vec![books.line("4112", "-1"); 5_000]);
    let entry = books
        .post(json!({"date": "2026-05-01", "lines": lines}))
        .await;
    assert_eq!(entry["lineCount"], 10_000);
    lines.push(books.line("1101", "1"));
    let input = json!({"date": "2026-05-01", "lines": lines});
    assert_eq!(
        books.manager.not_done("journalPost", input).await,
        pair("TOO_MANY", "lines")
    );
    books
        .manager
        .done("journalReverse", json!({"id": entry["id"]}))
        .await;
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn persians_read_persian() {
    let books = Books::open().await;
    let mut input = books.sale("2026-05-01", "10");
    input["lines"][1]["credit"] = json!("9");
    let persian = books.app.persian_manager().await;
    let answer = persian.change("journalPost", input).await;
    assert_eq!(
        answer.user_errors()[0].message,
        "IRR تراز نیست: جمع بدهکار 10 و جمع بستانکار 9 است."
    );
}
