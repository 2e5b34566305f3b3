//! Reports of the books: they tie to each other and to paper, stay as they were known, and hledger and beancount say the same.

mod ageing;
mod files;
mod oracle;
mod scopes;
mod ties;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tests::{
    actor::{Actor, File},
    app::TestApp,
    shop::document,
    wait::{PATIENCE, eventually},
};

const ROWS: &str = "{ section line account { code } depth commodity amounts }";
const IMPORT: &str = "query($id: ID!) { journalImport(id: $id) { state posted lines present accountsCreated failed firstFailedLine firstFailure \
    rounding { commodity amount } finishedAt job { state error files { name url } } } }";
const EXPORT: &str =
    "query($id: ID!) { reportExport(id: $id) { rows job { state error files { name url } } } }";

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

/// Imports this journal to its end.
async fn import(manager: &Actor, text: &str, options: Value) -> Value {
    let file = File {
        bytes: text.as_bytes().to_vec(),
        name: "books".into(),
        content_type: "text/plain".into(),
    };
    let variables = json!({"input": options});
    let asked = manager
        .upload(&document("journalImportCreate"), variables, file)
        .await
        .ok();
    let id = asked["journalImportCreate"]["journalImport"]["id"].clone();
    eventually(PATIENCE, "the import ends", async || {
        let seen = manager.ok(IMPORT, json!({"id": id})).await["journalImport"].take();
        assert_eq!(seen["job"]["error"], Value::Null, "{seen}");
        seen["finishedAt"].is_string().then_some(seen)
    })
    .await
}

fn anything(format: &str) -> Value {
    json!({"format": format, "createAccounts": true, "createCommodities": true, "createFiscalYears": true})
}

/// The only file that the job left behind.
async fn file(manager: &Actor, job: &Value) -> String {
    let url = job["files"][0]["url"].as_str().unwrap();
    let answer = manager.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

async fn export(manager: &Actor, input: Value) -> (i64, String) {
    let asked = manager.done("reportExportCreate", input).await;
    let id = asked["reportExport"]["id"].clone();
    let export = eventually(PATIENCE, "the export ends", async || {
        let seen = manager.ok(EXPORT, json!({"id": id})).await["reportExport"].take();
        assert_eq!(seen["job"]["error"], Value::Null, "{seen}");
        seen["rows"].is_number().then_some(seen)
    })
    .await;
    (
        export["rows"].as_i64().unwrap(),
        file(manager, &export["job"]).await,
    )
}

/// What accounts have at the end of a day, without those that have nothing: by the names that they came with, and commodity.
async fn balances(manager: &Actor, day: &str) -> BTreeMap<(String, String), Decimal> {
    let query = "query($day: Date!) { trialBalance(asOf: $day) { account { externalReference } commodity balance } }";
    let rows = manager.ok(query, json!({"day": day})).await["trialBalance"].take();
    let rows = rows.as_array().unwrap().iter().map(|row| {
        let name = row["account"]["externalReference"].as_str().unwrap();
        let commodity = row["commodity"].as_str().unwrap();
        (
            (name.to_owned(), commodity.to_owned()),
            decimal(&row["balance"]),
        )
    });
    rows.filter(|(_, amount)| !amount.is_zero()).collect()
}

async fn shop() -> (TestApp, Actor) {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    (app, manager)
}
