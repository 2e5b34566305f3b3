//! Floors, holds and values of dimensions, heard of by those who listen.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    Viewer,
    clock::{Clock, ManualClock, SystemClock},
};
use serde_json::{Value, json};
use tests::{app::TestApp, shop::english, subscription::Subscription};

use super::{Books, text};

const FLOORS: &str = "subscription($account: ID, $after: EventPosition) { accountFloorChanged(accountId: $account, after: $after) { \
    action account { code floors { amount } } } }";
const HOLDS: &str = "subscription($hold: ID, $after: EventPosition) { journalHoldChanged(holdId: $hold, after: $after) { \
    action hold { description state } } }";
const VALUES: &str = "subscription($after: EventPosition) { dimensionValueChanged(after: $after) { \
    action dimensionValue { code kind archivedAt } } }";

/// What is told next, without the name of the subscription around it.
async fn next(heard: &mut Subscription) -> Value {
    let data = heard.next().await;
    let told = data.as_object().unwrap().values().next();
    told.unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn floors_are_heard_of_by_account() {
    let books = Books::open().await;
    let after = books.app.position().await;
    let (cash, bank) = (books.id("1101"), books.id("1103"));
    let set = async |account: &str, amount: &str, key: &str| {
        let floor = json!({"accountId": account, "amount": amount, "idempotencyKey": key});
        books.manager.done("accountFloorSet", floor).await["floor"]["id"].take()
    };
    set(bank, "0", "A").await;
    let floor = set(cash, "5", "B").await;
    // Sent again, and refused: nothing has happened.
    set(cash, "5", "B").await;
    let group = json!({"accountId": books.id("11"), "amount": "0"});
    books.manager.not_done("accountFloorSet", group).await;
    let variables = json!({"account": cash, "after": after});
    let mut of_cash = books.manager.subscribe(FLOORS, variables).await;
    let now = json!({"code": "1101", "floors": [{"amount": "5"}]});
    assert_eq!(
        next(&mut of_cash).await,
        json!({"action": "account.floor_set", "account": now})
    );
    let clear = json!({"id": floor});
    books.manager.done("accountFloorClear", clear).await;
    let now = json!({"code": "1101", "floors": []});
    assert_eq!(
        next(&mut of_cash).await,
        json!({"action": "account.floor_clear", "account": now})
    );
    let mut of_all = books
        .manager
        .subscribe(FLOORS, json!({"after": after}))
        .await;
    for code in ["1103", "1101", "1101"] {
        assert_eq!(next(&mut of_all).await["account"]["code"], code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_holds_is_heard_of() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let books = Books::of(TestApp::builder().clock(Arc::<ManualClock>::clone(&clock))).await;
    let after = books.app.position().await;
    let expires = json!((clock.now() + TimeDelta::seconds(60)).to_rfc3339());
    let hold = async |name: &str, expires_at: &Value| {
        let lines = books.lines(&[("5201", "9"), ("1101", "-9")]);
        let hold = json!({"description": name, "expiresAt": expires_at, "lines": lines});
        text(&books.manager.done("journalHold", hold).await["hold"]["id"])
    };
    let posted = hold("posted", &Value::Null).await;
    let voided = hold("voided", &Value::Null).await;
    hold("expired", &expires).await;
    let part = json!([{"line": 1, "amount": "4"}, {"line": 2, "amount": "4"}]);
    let post = json!({"id": posted, "date": "2026-05-03", "lines": part});
    books.manager.done("journalHoldPost", post).await;
    let void = json!({"id": voided});
    books.manager.done("journalHoldVoid", void.clone()).await;
    // What has ended ends no more.
    books.manager.not_done("journalHoldVoid", void).await;
    clock.advance(TimeDelta::seconds(60));
    let journal = books.app.domain().journal();
    let expiry = Viewer::system("expiry");
    assert_eq!(journal.expire_holds(&expiry, 10).await.unwrap(), 1);
    assert_eq!(journal.expire_holds(&expiry, 10).await.unwrap(), 0);

    let mut heard = books
        .manager
        .subscribe(HOLDS, json!({"after": after}))
        .await;
    for (action, name, state) in [
        ("hold", "posted", "POSTED"),
        ("hold", "voided", "VOIDED"),
        ("hold", "expired", "EXPIRED"),
        ("post", "posted", "POSTED"),
        ("void", "voided", "VOIDED"),
        ("expire", "expired", "EXPIRED"),
    ] {
        let now = json!({"description": name, "state": state});
        let told = json!({"action": format!("journal_hold.{action}"), "hold": now});
        assert_eq!(next(&mut heard).await, told);
    }
    let variables = json!({"hold": voided, "after": after});
    let mut of_one = books.manager.subscribe(HOLDS, variables).await;
    for action in ["journal_hold.hold", "journal_hold.void"] {
        assert_eq!(next(&mut of_one).await["action"], action);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cost_centres_projects_and_parties_are_heard_of() {
    let books = Books::open().await;
    let after = books.app.position().await;
    let value = async |kind: &str, code: &str| {
        let new = json!({"kind": kind, "code": code, "name": english(code)});
        let made = books.manager.done("dimensionValueCreate", new).await;
        text(&made["dimensionValue"]["id"])
    };
    let centre = value("COST_CENTER", "SHOP").await;
    value("PROJECT", "FAIR").await;
    let taken = json!({"kind": "PROJECT", "code": "FAIR", "name": english("Fair")});
    books.manager.not_done("dimensionValueCreate", taken).await;
    let id = json!({"id": centre});
    let update = json!({"id": centre, "code": "STORE"});
    books.manager.done("dimensionValueUpdate", update).await;
    // The second time there is nothing left to do.
    for mutation in ["dimensionValueArchive", "dimensionValueRestore"] {
        books.manager.done(mutation, id.clone()).await;
        books.manager.done(mutation, id.clone()).await;
    }
    value("PARTY", "CUSTOMER").await;
    let mut heard = books
        .manager
        .subscribe(VALUES, json!({"after": after}))
        .await;
    for (action, kind, code) in [
        ("create", "COST_CENTER", "STORE"),
        ("create", "PROJECT", "FAIR"),
        ("update", "COST_CENTER", "STORE"),
        ("archive", "COST_CENTER", "STORE"),
        ("restore", "COST_CENTER", "STORE"),
        ("create", "PARTY", "CUSTOMER"),
    ] {
        let now = json!({"code": code, "kind": kind, "archivedAt": null});
        let told = json!({"action": format!("dimension_value.{action}"), "dimensionValue": now});
        assert_eq!(next(&mut heard).await, told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_may_see_the_books_hear_of_what_is_in_them() {
    let books = Books::open().await;
    let clerk = books.app.clerk().await;
    for document in [FLOORS, HOLDS, VALUES] {
        let mut heard = clerk.subscribe(document, json!({})).await;
        let answer = heard.receive().await;
        assert!(format!("{answer:?}").contains("FORBIDDEN"), "{answer:?}");
    }
}
