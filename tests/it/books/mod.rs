//! The books: entries that balance and stay, and what accounts have because of them.

mod attachments;
mod attacks;
mod bad_input;
mod balance_changed;
mod basics;
mod chart;
mod closing;
mod concurrency;
mod crash;
mod drafts;
mod heard;
mod holds;
mod periods;
mod random;
mod rates;
mod revaluation;
mod subsidiary;
mod verification;

use std::collections::BTreeMap;

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    answer::Answer,
    app::{Builder, TestApp},
};

const TRIAL: &str = "query($asOf: Date!) { trialBalance(asOf: $asOf) { account { code } commodity debit credit balance } }";
const LEDGER: &str = "query($account: ID!, $commodity: String, $from: Date, $until: Date, $first: Int, $after: String) { \
    generalLedger(accountId: $account, commodity: $commodity, from: $from, until: $until, first: $first, after: $after) { \
    pageInfo { hasNextPage endCursor } nodes { balance line { entryNumber date debit credit account { code } } } } }";

/// A jeweller's books, with the Persian years 1404, by months, and 1405.
struct Books {
    app: TestApp,
    manager: Actor,
    accounts: BTreeMap<String, String>,
}

/// The first days of the months of 1404.
const MONTHS: [&str; 12] = [
    "2025-03-21",
    "2025-04-21",
    "2025-05-22",
    "2025-06-22",
    "2025-07-23",
    "2025-08-23",
    "2025-09-23",
    "2025-10-23",
    "2025-11-22",
    "2025-12-22",
    "2026-01-21",
    "2026-02-20",
];

impl Books {
    async fn open() -> Self {
        Self::of(TestApp::builder()).await
    }

    async fn of(builder: Builder) -> Self {
        let app = builder.start().await;
        let manager = app.manager().await;
        let chart = manager
            .done("accountTemplateApply", json!({"template": "JEWELLER"}))
            .await["accounts"]
            .take();
        let accounts = chart.as_array().unwrap().iter();
        let accounts = accounts.map(|account| (text(&account["code"]), text(&account["id"])));
        let months: Vec<_> = MONTHS
            .iter()
            .enumerate()
            .map(|(month, day)| json!({"name": format!("1404-{:02}", month + 1), "startsOn": day}))
            .collect();
        let first = json!({"name": "1404", "startsOn": "2025-03-21", "endsOn": "2026-03-20", "periods": months});
        manager.done("fiscalYearCreate", first).await;
        let second = json!({"name": "1405", "startsOn": "2026-03-21", "endsOn": "2027-03-20"});
        manager.done("fiscalYearCreate", second).await;
        let accounts = accounts.collect();
        Self {
            app,
            manager,
            accounts,
        }
    }

    fn id(&self, code: &str) -> &str {
        &self.accounts[code]
    }

    /// An amount on the debit side, or, when negative, on the credit side.
    fn line(&self, code: &str, amount: &str) -> Value {
        match amount.strip_prefix('-') {
            Some(credit) => json!({"accountId": self.id(code), "credit": credit}),
            None => json!({"accountId": self.id(code), "debit": amount}),
        }
    }

    fn lines(&self, lines: &[(&str, &str)]) -> Value {
        let lines = lines.iter().map(|(code, amount)| self.line(code, amount));
        lines.collect()
    }

    /// Cash from a sale.
    fn sale(&self, date: &str, amount: &str) -> Value {
        let credit = format!("-{amount}");
        json!({"date": date, "lines": self.lines(&[("1101", amount), ("4112", &credit)])})
    }

    async fn post(&self, input: Value) -> Value {
        self.manager.done("journalPost", input).await["entry"].take()
    }

    /// What an account has of a commodity at the end of a day; nothing when nothing was ever posted.
    async fn balance(&self, code: &str, commodity: &str, as_of: &str) -> Option<String> {
        let rows = self.manager.ok(TRIAL, json!({"asOf": as_of})).await["trialBalance"].take();
        let rows = rows.as_array().unwrap().iter();
        let mut of =
            rows.filter(|row| row["account"]["code"] == code && row["commodity"] == commodity);
        of.next().map(|row| text(&row["balance"]))
    }

    /// Everything comes out the same when it is added up again.
    async fn assert_verified(&self) {
        let query = "{ ledgerVerify { kind subject expected actual } }";
        let differences = self.manager.ok(query, json!({})).await;
        assert_eq!(differences["ledgerVerify"], json!([]));
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql)
            .fetch_one(self.app.sql())
            .await
            .unwrap()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Why something was refused; nothing when it was done.
fn told(answer: &Answer) -> Vec<(String, String)> {
    assert!(answer.errors.is_empty(), "{answer:?}");
    let errors = answer.user_errors().into_iter();
    errors.map(|error| (error.code, error.path)).collect()
}

fn pair(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}
