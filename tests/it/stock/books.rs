//! Stock posts to the books: whatever happens, the accounts of stock have what stock is worth.

use std::collections::BTreeMap;

use chrono::Datelike as _;
use domain::clock::{Clock as _, SystemClock};
use sea_orm::sqlx::{self, AssertSqlSafe};
use serde_json::{Value, json};
use tests::database;

use super::{Shop, bought, line, sold, text};

const TRIAL: &str = "{ trialBalance(asOf: \"2027-12-31\") { account { code } commodity balance } }";

/// A chart of accounts, a fiscal year that has today, and which accounts are for what.
pub(super) struct Books {
    pub(super) accounts: BTreeMap<String, String>,
}

impl Books {
    pub(super) async fn of(shop: &Shop) -> Self {
        let chart = json!({"template": "GENERAL_RETAIL"});
        let chart = shop.manager.done("accountTemplateApply", chart).await["accounts"].take();
        let now = SystemClock.now().year();
        let year = json!({"name": "now", "startsOn": format!("{now}-01-01"), "endsOn": format!("{}-12-31", now + 1)});
        shop.manager.done("fiscalYearCreate", year).await;
        let accounts = chart.as_array().unwrap().iter();
        let accounts = accounts.map(|one| (text(&one["code"]), text(&one["id"])));
        Self {
            accounts: accounts.collect(),
        }
    }

    pub(super) fn line(&self, role: &str, code: &str) -> Value {
        json!({"role": role, "accountId": self.accounts[code]})
    }

    pub(super) fn usual(&self) -> Vec<Value> {
        [
            ("INVENTORY", "1108"),
            ("GOODS_RECEIVED", "2107"),
            ("COST_OF_GOODS_SOLD", "5101"),
            ("STOCK_FOUND", "4201"),
            ("STOCK_LOST", "5102"),
            ("PRODUCTION", "1113"),
            ("OPENING", "3104"),
        ]
        .map(|(role, code)| self.line(role, code))
        .into()
    }

    /// Beside the usual ones: what lies in the safe is in an account of its own.
    pub(super) fn with_safe(&self, shop: &Shop) -> Vec<Value> {
        let mut accounts = self.usual();
        let mut safe = self.line("INVENTORY", "1109");
        safe["locationId"] = json!(shop.safe);
        accounts.push(safe);
        accounts
    }
}

pub(super) async fn book(shop: &Shop, accounts: &[Value]) {
    let input = json!({"accounts": accounts});
    shop.manager.done("stockAccountsSet", input).await;
}

/// What the books say now, account by account, without those that have nothing.
pub(super) async fn balances(shop: &Shop) -> BTreeMap<String, String> {
    let rows = shop.manager.ok(TRIAL, json!({})).await["trialBalance"].take();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| (text(&row["account"]["code"]), text(&row["balance"])))
        .filter(|(_, balance)| balance != "0")
        .collect()
}

pub(super) fn map(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    rows.iter()
        .map(|(code, balance)| ((*code).to_owned(), (*balance).to_owned()))
        .collect()
}

/// The proof, as anybody can ask for it: of the accounts, of each lot and item, and of all else in the books.
pub(super) async fn assert_proven(shop: &Shop) {
    let query = "{ ledgerVerify { kind subject expected actual } inventoryAccounts { account { code } isEqual balance { amount } value { amount } } }";
    let data = shop.manager.ok(query, json!({})).await;
    assert_eq!(data["ledgerVerify"], json!([]));
    let accounts = data["inventoryAccounts"].as_array().unwrap();
    assert!(!accounts.is_empty());
    assert!(
        accounts.iter().all(|one| one["isEqual"] == json!(true)),
        "{accounts:?}"
    );
}

pub(super) fn buys(item: &str, to: &str, quantity: i64, cost: &str) -> Value {
    bought(json!([{"itemId": item, "toId": to, "quantity": quantity, "unitCost": cost}]))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_is_posted_in_the_same_transaction() {
    let shop = Shop::open().await;
    let ring = shop.item("RING", "NONE").await;
    let books = Books::of(&shop).await;
    let buy = buys(&ring, &shop.tray, 3, "1.01");
    shop.manager.done("stockReceive", buy).await;
    assert_eq!(balances(&shop).await, map(&[]), "nothing is booked yet");
    book(&shop, &books.usual()).await;
    assert_eq!(
        balances(&shop).await,
        map(&[("1108", "3.03"), ("3104", "-3.03")])
    );
    // 13 for 23.03.
    let buy = buys(&ring, &shop.tray, 10, "2");
    shop.manager.done("stockReceive", buy).await;
    let sale = sold(json!([line(&ring, &shop.tray, 4)]));
    let sale = shop.manager.done("stockIssue", sale).await["entry"].take();
    let found = json!({"reason": "FOUND", "lines": [{"itemId": ring, "locationId": shop.tray, "quantity": 1}]});
    shop.manager.done("stockAdjust", found).await;
    let lost = json!({"reason": "LOST", "lines": [line(&ring, &shop.tray, 2)]});
    shop.manager.done("stockIssue", lost).await;
    let usual = map(&[
        ("1108", "14.17"),
        ("2107", "-20"),
        ("3104", "-3.03"),
        ("4201", "-1.77"),
        ("5101", "7.09"),
        ("5102", "3.54"),
    ]);
    assert_eq!(balances(&shop).await, usual);
    // Inside the shop nothing is posted, unless it is booked elsewhere.
    let carry =
        json!({"lines": [{"itemId": ring, "fromId": shop.tray, "toId": shop.safe, "quantity": 3}]});
    shop.manager.done("stockMove", carry).await;
    assert_eq!(balances(&shop).await, usual);
    book(&shop, &books.with_safe(&shop)).await;
    let mut split = usual.clone();
    split.insert("1108".to_owned(), "8.86".to_owned());
    split.insert("1109".to_owned(), "5.31".to_owned());
    assert_eq!(balances(&shop).await, split);
    shop.manager
        .done("stockReverse", json!({"id": sale["id"]}))
        .await;
    let after = balances(&shop).await;
    assert_eq!(after.get("5101"), None, "the sale was undone");
    assert_proven(&shop).await;
    // The last piece leaves nothing behind.
    let rest = json!([line(&ring, &shop.tray, 9), line(&ring, &shop.safe, 3)]);
    shop.manager.done("stockIssue", sold(rest)).await;
    let after = balances(&shop).await;
    assert_eq!((after.get("1108"), after.get("1109")), (None, None));
    assert_proven(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_what_was_agreed_on_even_when_it_had_been_sold_before() {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    book(&shop, &books.usual()).await;
    let counter = json!({"code": "COUNTER", "name": [{"language": "en", "text": "Counter"}], "kind": "SHOWCASE", "negativeAllowed": true});
    let counter = shop.manager.done("locationCreate", counter).await;
    let counter = text(&counter["location"]["id"]);
    let item = shop.item("PIN", "NONE").await;
    let buy = buys(&item, &counter, 1, "10");
    shop.manager.done("stockReceive", buy).await;
    let sale = sold(json!([line(&item, &counter, 6)]));
    shop.manager.done("stockIssue", sale).await;
    assert_proven(&shop).await;
    // Five were sold for ten each that come for twelve.
    let buy = buys(&item, &counter, 10, "12");
    shop.manager.done("stockReceive", buy).await;
    assert_eq!(
        balances(&shop).await,
        map(&[("1108", "60"), ("2107", "-130"), ("5101", "70")])
    );
    assert_proven(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_posts_to_the_accounts_of_stock() {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    let item = shop.item("PIN", "NONE").await;
    book(&shop, &books.usual()).await;
    let buy = buys(&item, &shop.tray, 5, "3");
    shop.manager.done("stockReceive", buy).await;
    let lines = json!([{"accountId": books.accounts["1108"], "debit": "1"}, {"accountId": books.accounts["1101"], "credit": "1"}]);
    let post = json!({"date": SystemClock.now().date_naive(), "lines": lines});
    let refused = shop.manager.not_done("journalPost", post).await;
    assert_eq!(
        refused,
        [(
            "ACCOUNT_OF_STOCK".to_owned(),
            "lines.0.accountId".to_owned()
        )]
    );
    let query = "{ journalEntries(first: 10) { nodes { id kind document { type } } } }";
    let entries = shop.manager.ok(query, json!({})).await["journalEntries"]["nodes"].take();
    let posted = entries.as_array().unwrap().iter();
    let posted: Vec<_> = posted
        .filter(|one| one["document"]["type"] == "stock_entry")
        .collect();
    assert_eq!((posted.len(), &posted[0]["kind"]), (1, &json!("STOCK")));
    let undo = json!({"id": posted[0]["id"]});
    let undone = shop.manager.not_done("journalReverse", undo).await;
    assert_eq!(undone[0].0, "ENTRY_OF_STOCK");
    let archive = shop
        .manager
        .not_done("accountArchive", json!({"id": books.accounts["2107"]}))
        .await;
    assert_eq!(archive, [("IN_USE".to_owned(), "id".to_owned())]);
    // Neither with psql and the application's password.
    let db = database::pool(&shop.app.database_url());
    for (sql, expected) in [
        ("UPDATE stock_booked SET value = value + 1", "42501"),
        ("DELETE FROM stock_booking", "42501"),
        ("UPDATE stock_account SET account_id = account_id", "42501"),
        (
            "INSERT INTO stock_recosting (item_id, since, behind, recorded_at) SELECT id, now(), 0, now() FROM item",
            "42501",
        ),
        (
            "INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, lines, recorded_at, actor_kind, actor_name) \
         SELECT gen_random_uuid(), f.id, q.last_number + 1, '2026-11-01', 'stock', 2, now(), 'system', 'psql' \
         FROM fiscal_year f JOIN journal_sequence q ON q.fiscal_year_id = f.id",
            "journal_entry_of_stock",
        ),
        (
            "SELECT stock_book_write(ARRAY[ROW(gen_random_uuid(), '2026-11-01', 'x', 'x', now(), 'system', NULL, 'psql')::stock_book], ARRAY[1, 1], \
         (SELECT array_agg(account_id) FROM (SELECT account_id FROM stock_account LIMIT 2) a), array_fill(gen_random_uuid(), ARRAY[2]), ARRAY[1, -1])",
            "journal_entry_of_stock",
        ),
    ] {
        let tried = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&db)
            .await;
        let refused = tried.unwrap_err();
        let refused = refused.as_database_error().unwrap();
        let code = refused.code().unwrap();
        assert_eq!(refused.constraint().unwrap_or(&code), expected, "{sql}");
    }
    assert_proven(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fiscal_year_nothing_is_done_by_halves() {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    let item = shop.item("PIN", "NONE").await;
    book(&shop, &books.usual()).await;
    // As if today were behind the last fiscal year.
    sqlx::raw_sql("ALTER TABLE stock_booking DISABLE TRIGGER ALL; UPDATE stock_booking SET since = '2999-03-01'")
        .execute(shop.app.sql())
        .await
        .unwrap();
    let buy = buys(&item, &shop.tray, 5, "3");
    let refused = shop.manager.not_done("stockReceive", buy).await;
    assert_eq!(
        refused,
        [("NO_PERIOD".to_owned(), "effectiveAt".to_owned())]
    );
    assert_eq!(shop.pieces(&item, &shop.tray).await[0], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_known_until_when_stock_can_be_booked() {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    book(&shop, &books.usual()).await;
    let year = SystemClock.now().year();
    let until = async || {
        let asked = shop.manager.ok("{ stockBooking { until } }", json!({}));
        asked.await["stockBooking"]["until"].take()
    };
    assert_eq!(until().await, json!(format!("{}-12-31", year + 1)));
    let begin = async |from: String, to: String| {
        let input = json!({"name": from, "startsOn": from, "endsOn": to});
        shop.manager.done("fiscalYearCreate", input).await
    };
    // Behind a gap it is of no use.
    let far = year + 3;
    begin(format!("{far}-02-01"), format!("{far}-12-31")).await;
    assert_eq!(until().await, json!(format!("{}-12-31", year + 1)));
    begin(format!("{}-01-01", year + 2), format!("{far}-01-31")).await;
    assert_eq!(until().await, json!(format!("{far}-12-31")));
    // As if today were in none.
    sqlx::raw_sql("ALTER TABLE fiscal_year DISABLE TRIGGER USER; UPDATE fiscal_year SET starts_on = starts_on + 7000, ends_on = ends_on + 7000")
        .execute(shop.app.sql())
        .await
        .unwrap();
    assert_eq!(until().await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_cannot_have_stock_are_refused() {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    let set = async |accounts: Vec<Value>| {
        shop.manager
            .not_done("stockAccountsSet", json!({"accounts": accounts}))
            .await
    };
    let mut missing = books.usual();
    missing.pop();
    assert_eq!(
        set(missing).await,
        [("REQUIRED".to_owned(), "accounts".to_owned())]
    );
    for (code, expected) in [
        ("11", "ACCOUNT_IS_GROUP"),
        ("2101", "WRONG_ACCOUNT_KIND"),
        ("5101", "WRONG_ACCOUNT_KIND"),
    ] {
        let mut accounts = books.usual();
        accounts[0] = books.line("INVENTORY", code);
        let refused = set(accounts).await;
        assert_eq!(
            refused[0],
            (expected.to_owned(), "accounts.0.accountId".to_owned())
        );
    }
    let mut both = books.usual();
    both[5] = books.line("PRODUCTION", "1108");
    assert_eq!(set(both).await[0].0, "UNFIT_FOR_STOCK");
    let mut twice = books.usual();
    twice.push(books.line("OPENING", "3101"));
    assert_eq!(
        set(twice).await,
        [("ALREADY_TAKEN".to_owned(), "accounts.7.role".to_owned())]
    );
    book(&shop, &books.usual()).await;
    let stale = json!({"accounts": books.usual(), "expectedVersion": 0});
    assert_eq!(
        shop.manager.not_done("stockAccountsSet", stale).await[0].0,
        "STALE_VERSION"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_its_category_or_its_place_changes_its_account() {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    let coins = shop.manager.category("Coins", None).await;
    let item = shop.item("PIN", "NONE").await;
    let mut accounts = books.with_safe(&shop);
    let mut of_coins = books.line("INVENTORY", "1113");
    of_coins["categoryId"] = json!(coins);
    accounts[5] = books.line("PRODUCTION", "5207");
    accounts.push(of_coins);
    book(&shop, &accounts).await;
    let buy = buys(&item, &shop.tray, 5, "3");
    shop.manager.done("stockReceive", buy).await;
    let change = json!({"id": item, "categoryId": coins});
    shop.manager.done("itemUpdate", change).await;
    assert_eq!(
        balances(&shop).await,
        map(&[("1113", "15"), ("2107", "-15")])
    );
    // The place says more than the category.
    let tray = json!({"id": shop.tray, "parentId": shop.safe});
    shop.manager.done("locationMove", tray).await;
    assert_eq!(
        balances(&shop).await,
        map(&[("1109", "15"), ("2107", "-15")])
    );
    assert_proven(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_leave_the_books_right() {
    let shop = Shop::open().await;
    let books = Books::of(&shop).await;
    let mut items = Vec::new();
    for number in 0..4 {
        items.push(shop.item(&format!("I-{number}"), "NONE").await);
    }
    book(&shop, &books.with_safe(&shop)).await;
    let shop = &shop;
    let (items, books) = (&items, &books);
    let work = (0..16).map(|client| async move {
        for round in 0..6 {
            let item = &items[(client + round) % items.len()];
            let other = &items[(client + round + 1) % items.len()];
            let lines = json!([{"itemId": item, "toId": shop.tray, "quantity": 3, "unitCost": format!("{}.37", client + 1)},
                               {"itemId": other, "toId": shop.safe, "quantity": 2, "unitCost": format!("{round}.11")}]);
            shop.manager.done("stockReceive", bought(lines)).await;
            let carry = json!({"lines": [{"itemId": item, "fromId": shop.tray, "toId": shop.safe, "quantity": 2}]});
            shop.manager.change("stockMove", carry).await;
            let sale = sold(json!([line(other, &shop.safe, 1), line(item, &shop.tray, 1)]));
            shop.manager.change("stockIssue", sale).await;
            if client == 0 {
                let accounts = if round % 2 == 0 { books.usual() } else { books.with_safe(shop) };
                book(shop, &accounts).await;
            }
        }
    });
    futures_util::future::join_all(work).await;
    assert_proven(shop).await;
    let entries = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM journal_entry");
    assert!(entries.fetch_one(shop.app.sql()).await.unwrap() > 150);
}
