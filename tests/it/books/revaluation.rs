//! Revaluation: what is held in other currencies and in metals is carried at what it is worth.

use futures_util::future::join_all;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{database, shop::english};

use super::{Books, pair, rates::rate, text, told};

const PREVIEW: &str = "query($date: Date!, $ids: [ID!]) { journalRevaluationPreview(date: $date, accountIds: $ids) { account { code } commodity \
    balance unvalued rate rateDate value carried difference valuationAccount { code } } }";
const LINES: &str = "query($id: ID!) { journalEntry(id: $id) { kind lines { nodes { debit credit commodity description account { code } } } \
    revaluation { line account { code } commodity balance value carried difference } } }";

/// A jeweller's books with dollars in a safe and owed to somebody, and with accounts beside them.
struct Valued {
    books: Books,
}

impl Valued {
    async fn open() -> Self {
        let mut books = Books::open().await;
        for (code, kind, commodity) in [
            ("USD-SAFE", "ASSET", Some("USD")),
            ("USD-OWED", "LIABILITY", Some("USD")),
            ("GOLD-SAFE", "ASSET", Some("GOLD")),
            ("TRADING", "EQUITY", None),
            ("BESIDE-A", "ASSET", Some("IRR")),
            ("BESIDE-L", "LIABILITY", None),
            ("DIFFERENCE", "REVENUE", None),
        ] {
            let account =
                json!({"code": code, "name": english(code), "kind": kind, "commodity": commodity});
            let made = books.manager.done("accountCreate", account).await;
            let id = text(&made["account"]["id"]);
            books.accounts.insert(code.to_owned(), id);
        }
        for (role, code) in [
            ("EXCHANGE_DIFFERENCE", "DIFFERENCE"),
            ("ASSET_VALUATION", "BESIDE-A"),
            ("LIABILITY_VALUATION", "BESIDE-L"),
        ] {
            let role = json!({"role": role, "accountId": books.id(code)});
            books.manager.done("accountRoleSet", role).await;
        }
        Self { books }
    }

    /// So much of a commodity comes into an account, or goes.
    async fn moved(&self, code: &str, commodity: &str, date: &str, amount: &str) -> Value {
        let other = amount
            .strip_prefix('-')
            .map_or_else(|| format!("-{amount}"), str::to_owned);
        let mut lines = self.books.lines(&[(code, amount), ("TRADING", &other)]);
        for line in lines.as_array_mut().unwrap() {
            line["commodity"] = json!(commodity);
        }
        self.books.post(json!({"date": date, "lines": lines})).await
    }

    async fn revalue(&self, date: &str) -> Value {
        let input = json!({"date": date});
        self.books.manager.done("journalRevalue", input).await
    }

    async fn preview(&self, date: &str) -> Vec<String> {
        let seen = self.books.manager.ok(PREVIEW, json!({"date": date})).await;
        shown(&seen["journalRevaluationPreview"])
    }
}

/// Of each account what it has, what that is worth, at what it is carried, and the difference.
fn shown(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    let rows = rows.map(|row| {
        let part = |name: &str| text(&row[name]);
        format!(
            "{} {} {} worth {} carried {} difference {}",
            text(&row["account"]["code"]),
            part("balance"),
            part("commodity"),
            part("value"),
            part("carried"),
            part("difference")
        )
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_difference_lies_in_the_shops_currency_beside_the_account() {
    let valued = Valued::open().await;
    let books = &valued.books;
    rate(books, "USD", "2026-05-01", "1000000").await;
    let bought = valued.moved("USD-SAFE", "USD", "2026-05-02", "100.5").await;
    let query = "query($id: ID!) { journalEntry(id: $id) { lines { nodes { baseAmount } } } }";
    let seen = books.manager.ok(query, json!({"id": bought["id"]})).await;
    assert_eq!(
        seen["journalEntry"]["lines"]["nodes"],
        json!([{"baseAmount": "100500000"}, {"baseAmount": "100500000"}])
    );
    valued.moved("USD-OWED", "USD", "2026-05-03", "-30").await;
    rate(books, "USD", "2026-06-01", "1200000.5").await;
    let expected = [
        "USD-OWED -30 USD worth -36000015 carried -30000000 difference -6000015",
        "USD-SAFE 100.5 USD worth 120600050.25 carried 100500000 difference 20100050.25",
    ];
    assert_eq!(valued.preview("2026-06-30").await, expected);
    let before = books.count("SELECT count(*) FROM journal_entry").await;
    assert_eq!(before, 2, "a preview posts nothing");
    let posted = valued.revalue("2026-06-30").await;
    assert_eq!(shown(&posted["accounts"]), expected, "the same numbers");
    assert_eq!(
        (&posted["entry"]["kind"], &posted["entry"]["date"]),
        (&json!("REVALUATION"), &json!("2026-06-30"))
    );
    let id = posted["entry"]["id"].clone();
    let entry = books.manager.ok(LINES, json!({"id": id})).await["journalEntry"].take();
    let line = |code: &str, debit: Value, credit: Value, description: Value| json!({"account": {"code": code}, "debit": debit, "credit": credit, "commodity": "IRR", "description": description});
    assert_eq!(
        entry["lines"]["nodes"],
        json!([
            line(
                "BESIDE-L",
                json!(null),
                json!("6000015"),
                json!("USD-OWED USD")
            ),
            line(
                "BESIDE-A",
                json!("20100050.25"),
                json!(null),
                json!("USD-SAFE USD")
            ),
            line("DIFFERENCE", json!(null), json!("20100050.25"), json!(null)),
            line("DIFFERENCE", json!("6000015"), json!(null), json!(null)),
        ])
    );
    assert_eq!(
        (
            &entry["revaluation"][1]["account"]["code"],
            &entry["revaluation"][1]["difference"],
            &entry["revaluation"][1]["line"]
        ),
        (&json!("USD-SAFE"), &json!("20100050.25"), &json!(2))
    );
    // What is held stays what it is.
    assert_eq!(
        books
            .balance("USD-SAFE", "USD", "2026-06-30")
            .await
            .as_deref(),
        Some("100.5")
    );
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_time_nothing_is_posted_and_later_only_what_is_new() {
    let valued = Valued::open().await;
    let books = &valued.books;
    rate(books, "USD", "2026-05-01", "10").await;
    valued.moved("USD-SAFE", "USD", "2026-05-02", "100").await;
    rate(books, "USD", "2026-06-01", "12").await;
    assert!(valued.revalue("2026-06-30").await["entry"].is_object());
    let again = valued.revalue("2026-06-30").await;
    assert_eq!(again["entry"], json!(null));
    assert_eq!(
        shown(&again["accounts"]),
        ["USD-SAFE 100 USD worth 1200 carried 1200 difference 0"]
    );
    // Some is spent, at the rate of its day; what is left of the value is a difference, too, when nothing is left of the amount.
    rate(books, "USD", "2026-07-01", "13").await;
    valued.moved("USD-SAFE", "USD", "2026-07-02", "-100").await;
    assert_eq!(
        valued.preview("2026-07-31").await,
        ["USD-SAFE 0 USD worth 0 carried -100 difference 100"]
    );
    valued.revalue("2026-07-31").await;
    assert!(valued.preview("2026-07-31").await.is_empty());
    // 100 were bought at 10 and sold at 13.
    assert_eq!(
        books
            .balance("DIFFERENCE", "IRR", "2026-07-31")
            .await
            .as_deref(),
        Some("-300")
    );
    assert_eq!(
        books
            .balance("BESIDE-A", "IRR", "2026-07-31")
            .await
            .as_deref(),
        Some("300")
    );
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_undone_or_comes_later_does_not_count() {
    let valued = Valued::open().await;
    let books = &valued.books;
    rate(books, "USD", "2026-05-01", "10").await;
    valued.moved("USD-SAFE", "USD", "2026-05-02", "100").await;
    rate(books, "USD", "2026-06-01", "12").await;
    let entry = valued.revalue("2026-06-30").await["entry"]["id"].clone();
    assert_eq!(
        valued.preview("2026-06-29").await,
        ["USD-SAFE 100 USD worth 1200 carried 1000 difference 200"],
        "the day before"
    );
    let undo = json!({"id": entry, "date": "2026-07-01"});
    books.manager.done("journalReverse", undo).await;
    assert_eq!(
        valued.preview("2026-07-01").await,
        ["USD-SAFE 100 USD worth 1200 carried 1000 difference 200"]
    );
    assert_eq!(
        valued.preview("2026-06-30").await,
        ["USD-SAFE 100 USD worth 1200 carried 1200 difference 0"],
        "not undone yet"
    );
    assert!(valued.revalue("2026-07-01").await["entry"].is_object());
    // A back-dated entry is valued when it is posted, by the rate of its day.
    valued.moved("USD-SAFE", "USD", "2026-05-03", "1").await;
    assert_eq!(
        valued.preview("2026-07-01").await,
        ["USD-SAFE 101 USD worth 1212 carried 1210 difference 2"]
    );
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metals_are_valued_by_what_a_gram_costs() {
    let valued = Valued::open().await;
    let books = &valued.books;
    let metal = async |price: &str, at: &str| {
        let input = json!({"metal": "GOLD", "fineness": "750", "currency": "IRR", "pricePerGram": price, "effectiveAt": at, "source": "Bazaar"});
        books.manager.done("metalRateRecord", input).await;
    };
    metal("100", "2026-05-01T08:00:00Z").await;
    valued
        .moved("GOLD-SAFE", "GOLD", "2026-05-02", "2.345678")
        .await;
    metal("110", "2026-06-01T08:00:00Z").await;
    // 2.345678 × 100 / 0.75 and × 110 / 0.75, each rounded once.
    let expected = "GOLD-SAFE 2.345678 GOLD worth 344.03 carried 312.76 difference 31.27";
    assert_eq!(valued.preview("2026-06-30").await, [expected]);
    valued.revalue("2026-06-30").await;
    assert_eq!(valued.revalue("2026-06-30").await["entry"], json!(null));
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_may_have_one_of_its_own_beside_it() {
    let valued = Valued::open().await;
    let books = &valued.books;
    let own = json!({"code": "OWN", "name": english("Own"), "kind": "ASSET"});
    let own = books.manager.done("accountCreate", own).await["account"]["id"].take();
    let set = json!({"accountId": books.id("USD-SAFE"), "valuationAccountId": own});
    let told = books.manager.done("accountValuationSet", set).await;
    assert_eq!(
        told["accountValuation"],
        json!({"account": {"code": "USD-SAFE"}, "valuationAccount": {"code": "OWN"}})
    );
    rate(books, "USD", "2026-05-01", "10").await;
    valued.moved("USD-SAFE", "USD", "2026-05-02", "1").await;
    rate(books, "USD", "2026-06-01", "12").await;
    valued.revalue("2026-06-30").await;
    assert_eq!(
        books.balance("OWN", "IRR", "2026-06-30").await.as_deref(),
        Some("2")
    );
    // What stands beside it may change; what it is carried at does not.
    let clear = json!({"accountId": books.id("USD-SAFE")});
    books.manager.done("accountValuationSet", clear).await;
    assert_eq!(
        valued.preview("2026-06-30").await,
        ["USD-SAFE 1 USD worth 12 carried 12 difference 0"]
    );
    let all = books
        .manager
        .ok("{ accountValuations { account { code } } }", json!({}))
        .await;
    assert_eq!(all["accountValuations"], json!([]));
    for (account, beside, code, path) in [
        ("USD-SAFE", "USD-SAFE", "CYCLE", "valuationAccountId"),
        (
            "USD-SAFE",
            "BESIDE-L",
            "WRONG_ACCOUNT_KIND",
            "valuationAccountId",
        ),
        (
            "USD-SAFE",
            "GOLD-SAFE",
            "WRONG_COMMODITY",
            "valuationAccountId",
        ),
        ("DIFFERENCE", "BESIDE-A", "WRONG_ACCOUNT_KIND", "accountId"),
    ] {
        let wrong = json!({"accountId": books.id(account), "valuationAccountId": books.id(beside)});
        let refused = books.manager.not_done("accountValuationSet", wrong).await;
        assert_eq!(refused, pair(code, path), "{account} {beside}");
    }
    for (role, code) in [
        ("EXCHANGE_DIFFERENCE", "BESIDE-A"),
        ("ASSET_VALUATION", "BESIDE-L"),
    ] {
        let wrong = json!({"role": role, "accountId": books.id(code)});
        let refused = books.manager.not_done("accountRoleSet", wrong).await;
        assert_eq!(refused, pair("WRONG_ACCOUNT_KIND", "accountId"), "{role}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_and_nothing_is_posted() {
    let books = Books::open().await;
    let lines = json!([{"accountId": books.id("1101"), "debit": "5", "commodity": "USD"},
                       {"accountId": books.id("3101"), "credit": "5", "commodity": "USD"}]);
    books
        .post(json!({"date": "2026-05-02", "lines": lines}))
        .await;
    let june = json!({"date": "2026-06-30"});
    assert_eq!(
        books.manager.not_done("journalRevalue", june.clone()).await,
        pair("NO_RATE", "date")
    );
    let preview = books.manager.gql(PREVIEW, june.clone()).await;
    assert_eq!(preview.codes(), ["NO_RATE"]);
    rate(&books, "USD", "2026-06-01", "12").await;
    // It was posted when nobody knew: it is carried at nothing, and it is said how much that is.
    let seen = books.manager.ok(PREVIEW, june.clone()).await;
    let row = &seen["journalRevaluationPreview"][0];
    assert_eq!(
        (&row["unvalued"], &row["difference"]),
        (&json!("5"), &json!("60"))
    );
    let refused = books.manager.not_done("journalRevalue", june).await;
    let codes: Vec<_> = refused.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["NO_ACCOUNT_FOR_ROLE", "NO_ACCOUNT_FOR_ROLE"]);
    let revenue = json!({"date": "2026-06-30", "accountIds": [books.id("4112")]});
    assert_eq!(
        books.manager.not_done("journalRevalue", revenue).await,
        pair("WRONG_ACCOUNT_KIND", "accountIds.0")
    );
    let none = json!({"date": "2026-06-30", "accountIds": []});
    assert_eq!(
        books.manager.not_done("journalRevalue", none).await,
        pair("REQUIRED", "accountIds")
    );
    assert_eq!(books.count("SELECT count(*) FROM journal_entry").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_accounts_that_are_named_are_valued_and_only_in_open_periods() {
    let valued = Valued::open().await;
    let books = &valued.books;
    rate(books, "USD", "2025-04-01", "10").await;
    valued.moved("USD-SAFE", "USD", "2025-04-02", "1").await;
    valued.moved("USD-OWED", "USD", "2025-04-02", "-1").await;
    rate(books, "USD", "2025-04-10", "12").await;
    let of = json!({"date": "2025-04-20", "ids": [books.id("USD-OWED")]});
    let seen = books.manager.ok(PREVIEW, of).await;
    assert_eq!(
        shown(&seen["journalRevaluationPreview"]),
        ["USD-OWED -1 USD worth -12 carried -10 difference -2"]
    );
    let refused = json!({"date": "2031-01-01"});
    assert_eq!(
        books.manager.not_done("journalRevalue", refused).await,
        pair("NO_PERIOD", "date")
    );
    let close = "SELECT id::text FROM period ORDER BY starts_on LIMIT 1";
    let id: String = sqlx::query_scalar(close)
        .fetch_one(books.app.sql())
        .await
        .unwrap();
    let id = tests::shop::global_id("Period", &id);
    books.manager.done("periodClose", json!({"id": id})).await;
    let closed = json!({"date": "2025-04-20"});
    assert_eq!(
        books.manager.not_done("journalRevalue", closed).await,
        pair("PERIOD_CLOSED", "date")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_posts_at_the_same_time_is_valued_or_is_not_but_never_by_halves() {
    let valued = Valued::open().await;
    let books = &valued.books;
    rate(books, "USD", "2026-05-01", "10").await;
    valued.moved("USD-SAFE", "USD", "2026-05-02", "100").await;
    rate(books, "USD", "2026-06-01", "12").await;
    let posts = (0..12).map(|_| valued.moved("USD-SAFE", "USD", "2026-05-03", "1"));
    let revaluations = (0..4).map(|_| async {
        let input = json!({"date": "2026-06-30"});
        let answer = books.manager.change("journalRevalue", input).await;
        assert!(told(&answer).is_empty(), "{answer:?}");
    });
    tokio::join!(join_all(posts), join_all(revaluations));
    valued.revalue("2026-06-30").await;
    assert_eq!(
        valued.preview("2026-06-30").await,
        ["USD-SAFE 112 USD worth 1344 carried 1344 difference 0"]
    );
    assert_eq!(
        books
            .balance("DIFFERENCE", "IRR", "2026-06-30")
            .await
            .as_deref(),
        Some("-224"),
        "each dollar's two once"
    );
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_posts_or_changes_a_revaluation_by_hand() {
    let valued = Valued::open().await;
    let books = &valued.books;
    rate(books, "USD", "2026-05-01", "10").await;
    valued.moved("USD-SAFE", "USD", "2026-05-02", "100").await;
    rate(books, "USD", "2026-06-01", "12").await;
    valued.revalue("2026-06-30").await;
    let db = database::pool(&books.app.database_url());
    for sql in [
        "INSERT INTO journal_revaluation SELECT entry_id, 9, account_id, commodity, balance, numerator, denominator, value, carried, difference \
         FROM journal_revaluation",
        "UPDATE journal_revaluation SET difference = 1",
        "DELETE FROM journal_revaluation",
        "TRUNCATE journal_revaluation",
        "INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, lines, recorded_at, actor_kind, actor_name) \
         SELECT gen_random_uuid(), fiscal_year_id, number + 1, date, kind, 2, now(), 'user', 'x' FROM journal_entry WHERE kind = 'revaluation'",
        "INSERT INTO account_valuation SELECT id, id, 'asset', DEFAULT, now() FROM account WHERE code = 'USD-SAFE'",
        "INSERT INTO account_valuation (account_id, valuation_id, kind, updated_at) \
         SELECT a.id, b.id, 'asset', now() FROM account a, account b WHERE a.code = 'USD-SAFE' AND b.code = 'BESIDE-L'",
    ] {
        let tried = sqlx::raw_sql(sql).execute(&db).await;
        assert!(tried.is_err(), "{sql}");
    }
    // Even the owner is found out.
    let forged = "ALTER TABLE journal_revaluation DISABLE TRIGGER USER; \
                  UPDATE journal_revaluation SET value = value + 1, difference = difference + 1; \
                  ALTER TABLE journal_revaluation ENABLE TRIGGER USER";
    sqlx::raw_sql(forged)
        .execute(books.app.sql())
        .await
        .unwrap();
    let query = "{ ledgerVerify { kind expected actual } }";
    let found = books.manager.ok(query, json!({})).await;
    assert_eq!(found["ledgerVerify"][0]["kind"], "revaluation");
}
