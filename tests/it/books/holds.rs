//! Holds and floors: what is held is not there for others, ends once, and nobody falls below what is kept, however many come at once.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    Viewer,
    clock::{Clock, ManualClock, SystemClock},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{app::TestApp, database, shop::document};

use super::{Books, attacks::tried, pair, subsidiary::Named, text, told};

const BALANCES: &str = "query($id: ID!, $party: ID) { account(id: $id) { hasFloor \
    balances(subsidiaryId: $party) { commodity balance pendingDebit pendingCredit available } } }";

/// What an account has, holds and may give away.
async fn has(books: &Books, id: &str) -> [String; 4] {
    let account = books.manager.ok(BALANCES, json!({"id": id})).await["account"].take();
    let row = &account["balances"][0];
    ["balance", "pendingDebit", "pendingCredit", "available"].map(|field| text(&row[field]))
}

async fn cash_with(books: &Books, amount: &str) {
    books.post(books.sale("2026-05-01", amount)).await;
    let floor = json!({"accountId": books.id("1101"), "amount": "0"});
    books.manager.done("accountFloorSet", floor).await;
}

/// Cash that is going to be paid.
fn payment(books: &Books, amount: &str) -> Value {
    let credit = format!("-{amount}");
    json!({"lines": books.lines(&[("5201", amount), ("1101", &credit)])})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_not_available_and_is_posted_once() {
    let books = Books::open().await;
    cash_with(&books, "100").await;
    let cash = books.id("1101").to_owned();
    let hold = books
        .manager
        .done("journalHold", payment(&books, "60"))
        .await;
    let id = hold["hold"]["id"].clone();
    assert_eq!(has(&books, &cash).await, ["100", "0", "60", "40"]);
    let more = books
        .manager
        .not_done("journalHold", payment(&books, "41"))
        .await;
    assert_eq!(more, pair("BELOW_FLOOR", "lines"));
    let spend = |amount: &str| {
        let mut entry = payment(&books, amount);
        entry["date"] = json!("2026-05-02");
        entry
    };
    let spent = books.manager.not_done("journalPost", spend("41")).await;
    assert_eq!(spent, pair("BELOW_FLOOR", "lines"));
    books.post(spend("40")).await;
    assert_eq!(has(&books, &cash).await, ["60", "0", "60", "0"]);
    let part = |amounts: Value| json!({"id": id, "date": "2026-05-03", "lines": amounts});
    for (amounts, code, path) in [
        (
            json!([{"line": 1, "amount": "61"}, {"line": 2, "amount": "60"}]),
            "OUT_OF_RANGE",
            "lines.0.amount",
        ),
        (
            json!([{"line": 1, "amount": "50"}, {"line": 3, "amount": "50"}]),
            "NOT_FOUND",
            "lines.1.line",
        ),
        (
            json!([{"line": 1, "amount": "50"}, {"line": 2, "amount": "49"}]),
            "UNBALANCED",
            "lines",
        ),
        (json!([]), "OUT_OF_RANGE", "lines"),
    ] {
        let told = books
            .manager
            .not_done("journalHoldPost", part(amounts))
            .await;
        assert_eq!(told[0], (code.to_owned(), path.to_owned()));
    }
    let posted = part(json!([{"line": 1, "amount": "50"}, {"line": 2, "amount": "50"}]));
    let posted = books.manager.done("journalHoldPost", posted).await;
    assert_eq!(posted["hold"]["state"], "POSTED");
    assert_eq!(posted["hold"]["entry"]["id"], posted["entry"]["id"]);
    assert_eq!(has(&books, &cash).await, ["10", "0", "0", "10"]);
    for (mutation, input) in [
        ("journalHoldPost", json!({"id": id, "date": "2026-05-03"})),
        ("journalHoldVoid", json!({"id": id})),
    ] {
        let told = books.manager.not_done(mutation, input).await;
        assert_eq!(told, pair("WRONG_STATE", "id"), "{mutation}");
    }
    let hold = books
        .manager
        .done("journalHold", payment(&books, "10"))
        .await;
    let id = hold["hold"]["id"].clone();
    books
        .manager
        .done("journalHoldVoid", json!({"id": id}))
        .await;
    assert_eq!(has(&books, &cash).await, ["10", "0", "0", "10"]);
    let told = json!({"id": id, "date": "2026-05-03"});
    let told = books.manager.not_done("journalHoldPost", told).await;
    assert_eq!(told, pair("WRONG_STATE", "id"));
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_holds_nothing_and_is_not_posted() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let books = Books::of(TestApp::builder().clock(Arc::<ManualClock>::clone(&clock))).await;
    cash_with(&books, "100").await;
    let cash = books.id("1101").to_owned();
    let mut hold = payment(&books, "100");
    hold["expiresAt"] = json!((clock.now() + TimeDelta::seconds(60)).to_rfc3339());
    let hold = books.manager.done("journalHold", hold).await["hold"].take();
    assert_eq!(has(&books, &cash).await, ["100", "0", "100", "0"]);
    clock.advance(TimeDelta::seconds(60));
    // Nobody has noticed it yet.
    assert_eq!(has(&books, &cash).await, ["100", "0", "0", "100"]);
    let post = json!({"id": hold["id"], "date": "2026-05-03"});
    let told = books.manager.not_done("journalHoldPost", post).await;
    assert_eq!(told, pair("WRONG_STATE", "id"));
    let other = books
        .manager
        .done("journalHold", payment(&books, "100"))
        .await;
    assert_eq!(other["hold"]["state"], "PENDING");
    let expired = "query($id: ID!) { journalHold(id: $id) { state } journalHolds(where: {states: [EXPIRED]}, first: 9) { nodes { id } } }";
    let told = books.manager.ok(expired, json!({"id": hold["id"]})).await;
    assert_eq!(told["journalHold"]["state"], "EXPIRED");
    assert_eq!(told["journalHolds"]["nodes"], json!([{"id": hold["id"]}]));
    let expiry = Viewer::system("expiry");
    let journal = books.app.domain().journal();
    assert_eq!(journal.expire_holds(&expiry, 10).await.unwrap(), 1);
    assert_eq!(journal.expire_holds(&expiry, 10).await.unwrap(), 0);
    assert_eq!(
        books.count("SELECT count(*) FROM journal_hold_open").await,
        2
    );
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_owes_no_more_than_the_limit() {
    let books = Books::open().await;
    let named = Named::of(&books).await;
    let limit = json!({"accountId": named.receivable, "subsidiaryId": named.party, "side": "CREDIT", "amount": "-100"});
    let floor = books.manager.done("accountFloorSet", limit).await["floor"].take();
    let sell = async |party: &str, amount: &str| {
        let sale = named.sale(&books, "2026-05-01", party, amount);
        told(&books.manager.change("journalPost", sale).await)
    };
    assert!(sell(&named.party, "90").await.is_empty());
    assert_eq!(sell(&named.party, "11").await, pair("BELOW_FLOOR", "lines"));
    assert!(sell(&named.other_party, "1000").await.is_empty());
    assert!(sell(&named.party, "10").await.is_empty());
    // Below what is owed already nothing more is sold, and paying is welcome.
    let lower = json!({"accountId": named.receivable, "subsidiaryId": named.party, "side": "CREDIT", "amount": "-50"});
    let lower = books.manager.done("accountFloorSet", lower).await["floor"].take();
    assert_eq!(lower["id"], floor["id"]);
    assert_eq!(sell(&named.party, "1").await, pair("BELOW_FLOOR", "lines"));
    let paid = json!({"date": "2026-05-02", "lines": [books.line("1101", "20"),
        {"accountId": named.receivable, "credit": "20", "subsidiaryId": named.party}]});
    books.post(paid).await;
    let wrong = json!({"accountId": named.receivable, "subsidiaryId": named.bank, "amount": "0"});
    let told = books.manager.not_done("accountFloorSet", wrong).await;
    assert_eq!(told, pair("WRONG_DIMENSION", "subsidiaryId"));
    let clear = json!({"id": floor["id"]});
    books.manager.done("accountFloorClear", clear).await;
    assert!(sell(&named.party, "1000").await.is_empty());
    let account = books
        .manager
        .ok(BALANCES, json!({"id": named.receivable}))
        .await;
    assert_eq!(account["account"]["hasFloor"], false);
    books.assert_verified().await;
}

const CLIENTS: usize = 16;
const TRIES: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_falls_below_the_floor_however_many_come_at_once() {
    let books = Books::open().await;
    cash_with(&books, "100").await;
    let work = async |client: usize| {
        for attempt in 0..TRIES {
            let amount = (1 + (client * 7 + attempt * 3) % 9).to_string();
            if (client + attempt).is_multiple_of(3) {
                let mut entry = payment(&books, &amount);
                entry["date"] = json!("2026-05-02");
                let why = told(&books.manager.change("journalPost", entry).await);
                assert!(
                    why.is_empty() || why == pair("BELOW_FLOOR", "lines"),
                    "{why:?}"
                );
                continue;
            }
            let held = books
                .manager
                .change("journalHold", payment(&books, &amount))
                .await;
            let why = told(&held);
            assert!(
                why.is_empty() || why == pair("BELOW_FLOOR", "lines"),
                "{why:?}"
            );
            if !why.is_empty() {
                continue;
            }
            let id = held.data["journalHold"]["hold"]["id"].clone();
            if attempt.is_multiple_of(2) {
                // Two at once, and one of them does it.
                let post = json!({"id": id, "date": "2026-05-03"});
                let both =
                    join_all((0..2).map(|_| books.manager.change("journalHoldPost", post.clone())))
                        .await;
                let done = both.iter().filter(|answer| told(answer).is_empty()).count();
                assert_eq!(done, 1);
            } else if attempt % 4 == 1 {
                books
                    .manager
                    .done("journalHoldVoid", json!({"id": id}))
                    .await;
            }
        }
    };
    let watch = async {
        for _ in 0..40 {
            let [balance, _, _, available] = has(&books, books.id("1101")).await;
            for amount in [balance, available] {
                assert!(!amount.starts_with('-'), "{amount}");
            }
        }
    };
    tokio::join!(join_all((0..CLIENTS).map(work)), watch);
    let [_, _, _, available] = has(&books, books.id("1101")).await;
    let left: i64 = available.parse().unwrap();
    assert!((0..9).contains(&left), "{left}");
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_round_holds_and_floors_with_psql() {
    let books = Books::open().await;
    cash_with(&books, "100").await;
    let held = books
        .manager
        .done("journalHold", payment(&books, "60"))
        .await;
    assert_eq!(held["hold"]["state"], "PENDING");
    let ended = books
        .manager
        .done("journalHold", payment(&books, "5"))
        .await;
    books
        .manager
        .done("journalHoldVoid", json!({"id": ended["hold"]["id"]}))
        .await;
    let db = database::pool(&books.app.database_url());
    let hold = |lines: i32, rows: &str| {
        format!(
            "INSERT INTO journal_hold (id, lines, created_at, actor_kind, actor_name) \
             VALUES ('01930000-0000-7000-8000-00000000b001', {lines}, now(), 'system', 'psql'); \
             INSERT INTO journal_hold_line (hold_id, line, account_id, commodity, is_debit, amount) \
             SELECT '01930000-0000-7000-8000-00000000b001', v.line, a.id, 'IRR', v.is_debit, v.amount \
             FROM (VALUES {rows}) v (line, code, is_debit, amount) LEFT JOIN account a ON a.code = v.code"
        )
    };
    let entry = |amount: i32| {
        format!(
            "INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, lines, recorded_at, actor_kind, actor_name) \
             SELECT '01930000-0000-7000-8000-00000000e0bb', fiscal_year_id, last_number + 1, '2026-05-01', 'general', 2, now(), 'system', 'psql' \
             FROM journal_numbers(ARRAY['2026-05-01'::date]); \
             INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number) \
             SELECT e.id, l.line, a.id, 'IRR', l.line = 1, {amount}, e.date, e.number \
             FROM journal_entry e, (VALUES (1, '5201'), (2, '1101')) l (line, code) JOIN account a ON a.code = l.code \
             WHERE e.id = '01930000-0000-7000-8000-00000000e0bb'"
        )
    };
    let post = "UPDATE journal_hold SET state = 'posted', ended_at = now(), entry_id = '01930000-0000-7000-8000-00000000e0bb' WHERE state = 'pending'";
    let two = "(1, '5201', true, 41), (2, '1101', false, 41)";
    for (sql, expected) in [
        (hold(2, two), "account_floor_kept_up"),
        (hold(2, &two.replace("false, 41", "false, 40")), "journal_entry_balanced"),
        (hold(2, &two.replace("5201", "52")), "journal_line_fit"),
        (hold(3, two), "journal_hold_whole"),
        (hold(2, two).split_once(';').unwrap().0.to_owned(), "journal_hold_whole"),
        (entry(41), "account_floor_kept_up"),
        ("UPDATE journal_hold_line SET amount = 1".to_owned(), "42501"),
        ("DELETE FROM journal_hold_line".to_owned(), "42501"),
        ("DELETE FROM journal_hold_open".to_owned(), "42501"),
        ("UPDATE journal_hold_open SET amount = 0".to_owned(), "42501"),
        ("INSERT INTO journal_hold_open SELECT gen_random_uuid(), 1, account_id, NULL, 'IRR', true, 1, NULL FROM journal_hold_open".to_owned(), "42501"),
        ("DELETE FROM journal_hold".to_owned(), "journal_hold_kept"),
        ("UPDATE journal_hold SET state = 'pending', ended_at = NULL WHERE state = 'voided'".to_owned(), "journal_hold_ends_once"),
        ("UPDATE journal_hold SET state = 'voided', lines = 3, ended_at = now() WHERE state = 'pending'".to_owned(), "journal_hold_ends_once"),
        // Posted is what an entry has, and no more than was held.
        (post.to_owned(), "journal_hold_fit"),
        (format!("{post}; {}", entry(61)), "journal_hold_fit"),
        (format!("{post}; {}", entry(101)), "account_floor_kept_up"),
        (format!("{}; {post}", entry(41)), "account_floor_kept_up"),
        ("UPDATE journal_hold SET state = 'posted', ended_at = now() WHERE state = 'pending'".to_owned(), "journal_hold_end"),
        ("UPDATE account SET has_floor = false WHERE code = '1101'".to_owned(), "account_floor_told"),
        ("UPDATE account SET has_floor = true WHERE code = '1103'".to_owned(), "account_floor_told"),
        ("TRUNCATE account_floor".to_owned(), "42501"),
        (format!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {}", hold(2, "(1, '5201', true, 1), (2, '1101', false, 1)")), "journal_isolation"),
        // And what is right is done.
        (format!("{post}; {}", entry(59)), "done"),
        (hold(2, two), "done"),
    ] {
        assert_eq!(tried(&db, &sql).await, expected, "{sql}");
    }
    assert_eq!(has(&books, books.id("1101")).await, ["41", "0", "41", "0"]);
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_hold_is_posted_whole_whenever_the_server_is_killed() {
    let books = Books::open().await;
    cash_with(&books, "1000").await;
    let mut holds = Vec::new();
    for _ in 0..40 {
        let hold = books
            .manager
            .done("journalHold", payment(&books, "20"))
            .await;
        holds.push(hold["hold"]["id"].clone());
    }
    let (mut program, url) = books.app.api_process().await;
    let manager = books.manager.at(&url);
    let answered = std::sync::atomic::AtomicUsize::new(0);
    let order = std::sync::atomic::Ordering::SeqCst;
    let post = async |id: &Value| {
        let amounts = json!([{"line": 1, "amount": "5"}, {"line": 2, "amount": "5"}]);
        let input = json!({"id": id, "date": "2026-05-03", "lines": amounts});
        let document = document("journalHoldPost");
        let answer = manager.try_gql(&document, json!({"input": input})).await;
        if answer.is_ok_and(|answer| answer.status == 200 && answer.errors.is_empty()) {
            answered.fetch_add(1, order);
        }
    };
    let kill = async {
        while answered.load(order) < 10 {
            tokio::task::yield_now().await;
        }
        program.kill();
    };
    tokio::join!(join_all(holds.iter().map(post)), kill);
    tests::wait::until(tests::wait::PATIENCE, "no transaction is open any more", async || {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()";
        books.count(open).await == 0
    })
    .await;
    let posted = books
        .count("SELECT count(*) FROM journal_hold WHERE state = 'posted'")
        .await;
    assert!(posted >= i64::try_from(answered.load(order)).unwrap());
    let entries = "SELECT count(*) FROM journal_entry e JOIN journal_hold h ON h.entry_id = e.id";
    assert_eq!(books.count(entries).await, posted);
    let [balance, _, pending, _] = has(&books, books.id("1101")).await;
    assert_eq!(balance, (1000 - 5 * posted).to_string());
    assert_eq!(pending, (20 * (40 - posted)).to_string());
    books.assert_verified().await;
}
