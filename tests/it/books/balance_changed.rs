//! What accounts have, heard of whenever something is posted to them.

use serde_json::{Value, json};
use tests::shop::english;

use super::Books;

const WATCH: &str = "subscription($ids: [ID!]!, $after: EventPosition) { accountBalanceChanged(accountIds: $ids, after: $after) { position \
    changes { account { code } balances { commodity debit credit balance } } } }";

/// What a message says: each account with each commodity and what it has of it.
fn told(message: &Value) -> Vec<String> {
    let changes = message["accountBalanceChanged"]["changes"]
        .as_array()
        .unwrap();
    let told = changes.iter().flat_map(|change| {
        let balances = change["balances"].as_array().unwrap().iter();
        balances.map(|balance| {
            let part = |value: &Value| value.as_str().unwrap().to_owned();
            format!(
                "{} {} {}",
                part(&change["account"]["code"]),
                part(&balance["balance"]),
                part(&balance["commodity"])
            )
        })
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_are_heard_per_commodity_after_each_entry() {
    let books = Books::open().await;
    let ids = json!([books.id("1101"), books.id("3201")]);
    let variables = json!({"ids": ids, "after": books.app.position().await});
    let mut heard = books.manager.subscribe(WATCH, variables).await;
    books.post(books.sale("2026-05-01", "7")).await;
    assert_eq!(told(&heard.next().await), ["1101 7 IRR"]);
    // What is refused, and what is posted elsewhere, is not heard of.
    let mut wrong = books.sale("2026-05-02", "1");
    wrong["lines"][0]["debit"] = json!("2");
    books.manager.not_done("journalPost", wrong).await;
    let rent = books.lines(&[("5202", "9"), ("1103", "-9")]);
    books
        .post(json!({"date": "2026-05-02", "lines": rent}))
        .await;
    let mut lines = books.lines(&[("1101", "5"), ("4112", "-5")]);
    lines.as_array_mut().unwrap().extend([
        json!({"accountId": books.id("3201"), "commodity": "GOLD", "debit": "2.5"}),
        json!({"accountId": books.id("1301"), "commodity": "GOLD", "credit": "2.5"}),
    ]);
    // Back-dated: what the account has by now is told.
    books
        .post(json!({"date": "2026-04-01", "lines": lines}))
        .await;
    assert_eq!(
        told(&heard.next().await),
        ["1101 12 IRR", "3201 2.5 GOLD"],
        "both of one entry at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_heard_of_by_the_accounts_in_it_even_when_they_come_later() {
    let books = Books::open().await;
    let query = "query($id: ID!) { account(id: $id) { parent { id code } } }";
    let seen = books
        .manager
        .ok(query, json!({"id": books.id("1101")}))
        .await;
    let group = seen["account"]["parent"]["id"].clone();
    let mut heard = books
        .manager
        .subscribe(
            WATCH,
            json!({"ids": [group], "after": books.app.position().await}),
        )
        .await;
    let account = json!({"code": "TILL-9", "name": english("Till"), "parentId": group});
    let till = books.manager.done("accountCreate", account).await["account"]["id"].take();
    let lines =
        json!([{"accountId": till, "debit": "3"}, {"accountId": books.id("4112"), "credit": "3"}]);
    books
        .post(json!({"date": "2026-05-01", "lines": lines}))
        .await;
    assert_eq!(told(&heard.next().await), ["TILL-9 3 IRR"]);
    books.post(books.sale("2026-05-01", "7")).await;
    assert_eq!(told(&heard.next().await), ["1101 7 IRR"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_misses_nothing() {
    let books = Books::open().await;
    let variables = json!({"ids": [books.id("1101"), books.id("1103")]});
    let mut begin = variables.clone();
    begin["after"] = json!(books.app.position().await);
    let mut heard = books.manager.subscribe(WATCH, begin).await;
    books.post(books.sale("2026-05-01", "7")).await;
    let first = heard.next().await;
    let position = first["accountBalanceChanged"]["position"].clone();
    drop(heard);
    for amount in ["1", "2"] {
        books.post(books.sale("2026-05-01", amount)).await;
    }
    let rent = books.lines(&[("5202", "9"), ("1103", "-9")]);
    books
        .post(json!({"date": "2026-05-02", "lines": rent}))
        .await;
    let mut back = variables.clone();
    back["after"] = position;
    let mut heard = books.manager.subscribe(WATCH, back).await;
    let again = heard.next().await;
    assert_eq!(
        told(&again),
        ["1101 10 IRR", "1103 -9 IRR"],
        "once, as it is by now"
    );
    // From there on, nothing is behind it but what comes.
    let mut back = variables;
    back["after"] = again["accountBalanceChanged"]["position"].clone();
    let mut heard = books.manager.subscribe(WATCH, back).await;
    books.post(books.sale("2026-05-01", "5")).await;
    assert_eq!(told(&heard.next().await), ["1101 15 IRR"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_very_many_accounts_is_heard_of_by_each() {
    let books = Books::open().await;
    let table: String = (0..1_001)
        .map(|number| format!("MANY-{number},Many,asset\n"))
        .collect();
    let csv = format!("code,name_en,kind\n{table}");
    let accounts = books
        .manager
        .done("accountImport", json!({"csv": csv}))
        .await["accounts"]
        .take();
    let accounts = accounts.as_array().unwrap();
    let watched = accounts
        .iter()
        .find(|account| account["code"] == "MANY-1000");
    let ids = json!([watched.unwrap()["id"]]);
    let variables = json!({"ids": ids, "after": books.app.position().await});
    let mut heard = books.manager.subscribe(WATCH, variables).await;
    let debits = accounts
        .iter()
        .map(|account| json!({"accountId": account["id"], "debit": "1"}));
    let mut lines: Vec<_> = debits.collect();
    lines.push(json!({"accountId": books.id("4112"), "credit": lines.len().to_string()}));
    books
        .post(json!({"date": "2026-05-01", "lines": lines}))
        .await;
    assert_eq!(told(&heard.next().await), ["MANY-1000 1 IRR"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_may_see_the_books_hear_of_them() {
    let books = Books::open().await;
    let clerk = books.app.clerk().await;
    let account = books.id("1101");
    let many = json!(vec![account; 101]);
    let stranger = tests::shop::global_id("Account", "01930000000070008000000000abcdef");
    for (actor, ids, code) in [
        (&clerk, json!([account]), "FORBIDDEN"),
        (&books.manager, json!([]), "REQUIRED"),
        (&books.manager, many, "TOO_MANY"),
        (&books.manager, json!([account, stranger]), "NOT_FOUND"),
    ] {
        let mut heard = actor.subscribe(WATCH, json!({"ids": ids})).await;
        let answer = heard.receive().await;
        assert!(format!("{answer:?}").contains(code), "{code}: {answer:?}");
    }
}
