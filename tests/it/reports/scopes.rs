//! Reports of a part of the books: a location, a cost centre; and reports behind the end of a fiscal year.

use domain::clock::{Clock, SystemClock};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tests::{app::TestApp, database::TestDatabase, proxy::PostgresProxy, shop::english};

use super::{ROWS, decimal, ties::Books};

/// The amounts of lines, by code.
fn accounts(rows: &Value) -> Vec<(String, String, Decimal)> {
    let rows = rows.as_array().unwrap().iter();
    rows.filter(|row| row["line"] == "ACCOUNT")
        .map(|row| {
            let code = row["account"]["code"].as_str().unwrap().to_owned();
            let commodity = row["commodity"].as_str().unwrap().to_owned();
            (code, commodity, decimal(&row["amounts"][0]))
        })
        .collect()
}

fn line(code: &str, amount: i64) -> (String, String, Decimal) {
    (code.to_owned(), "IRR".to_owned(), amount.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_and_a_cost_centre_have_reports_of_their_own() {
    let books = Books::open().await;
    let manager = &books.manager;
    let value = async |kind: &str, code: &str| {
        let new = json!({"kind": kind, "code": code, "name": english(code)});
        manager.done("dimensionValueCreate", new).await["dimensionValue"]["id"].clone()
    };
    let (north, fair) = (
        value("COST_CENTER", "NORTH").await,
        value("PROJECT", "FAIR").await,
    );
    let house = json!({"code": "HOUSE", "name": english("House"), "kind": "SHOP"});
    let house = manager.done("locationCreate", house).await["location"]["id"].clone();
    let tray =
        json!({"code": "TRAY-9", "name": english("Tray"), "kind": "STORAGE", "parentId": house});
    let tray = manager.done("locationCreate", tray).await["location"]["id"].clone();
    let sale = |amount: &str, more: Value| {
        let mut sold = json!({"accountId": books.ids["4112"], "credit": amount});
        for (key, value) in more.as_object().unwrap() {
            sold[key] = value.clone();
        }
        json!({"date": "2025-05-05", "lines": [{"accountId": books.ids["1101"], "debit": amount}, sold]})
    };
    let entries = json!([
        sale("1", json!({})),
        sale("20", json!({"costCenterId": north})),
        sale("300", json!({"costCenterId": north, "projectId": fair})),
        sale("4000", json!({"locationId": tray})),
        sale("50000", json!({"locationId": house, "projectId": fair})),
    ]);
    manager
        .done("journalPostBulk", json!({"entries": entries}))
        .await;
    let columns = json!([{"until": "2025-12-31"}]);
    let query = format!(
        "query($columns: [ReportColumnInput!]!, $place: ID, $value: ID) {{
             profitAndLoss(columns: $columns, locationId: $place, dimensionValueId: $value) {ROWS} }}"
    );
    for (place, value, amount) in [
        (Value::Null, Value::Null, 54_321),
        (Value::Null, north.clone(), 320),
        (Value::Null, fair.clone(), 50_300),
        (house.clone(), Value::Null, 54_000),
        (tray.clone(), Value::Null, 4_000),
        (house.clone(), fair.clone(), 50_000),
    ] {
        let asked = json!({"columns": columns, "place": place, "value": value});
        let rows = manager.ok(&query, asked.clone()).await["profitAndLoss"].take();
        assert_eq!(accounts(&rows), [line("4112", amount)], "{asked}");
        // The ledger and the lines behind the figure are of the same part.
        let ledger = "query($account: ID!, $place: ID, $value: ID) {
            generalLedger(accountId: $account, locationId: $place, dimensionValueId: $value, first: 100) { nodes { balance } }
            journalLines(where: {accountId: $account, until: \"2025-12-31\", locationId: $place, dimensionValueId: $value}, first: 100) {
                nodes { credit } } }";
        let asked = json!({"account": books.ids["4112"], "place": place, "value": value});
        let told = manager.ok(ledger, asked).await;
        let last = told["generalLedger"]["nodes"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        assert_eq!(decimal(&last["balance"]), Decimal::from(-amount));
        let lines = told["journalLines"]["nodes"].as_array().unwrap().iter();
        let sum: Decimal = lines.map(|line| decimal(&line["credit"])).sum();
        assert_eq!(sum, amount.into());
    }
    let nobody = "RGltZW5zaW9uVmFsdWU6MDE5MzAwMDAwMDAwNzAwMDgwMDAwMDAwMDBhYmNkZWY";
    let asked = json!({"columns": columns, "value": nobody});
    let told = manager.gql(&query, asked).await;
    assert_eq!(told.codes(), ["NOT_FOUND"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_fiscal_year_is_in_no_profit_and_moves_no_total() {
    let mut books = Books::open().await;
    books.post(80).await;
    let manager = &books.manager;
    let cash = &books.ids["1101"];
    let north = json!({"kind": "COST_CENTER", "code": "NORTH", "name": english("North")});
    let north = manager.done("dimensionValueCreate", north).await["dimensionValue"]["id"].clone();
    let sale = json!({"date": "2025-05-05", "lines": [{"accountId": cash, "debit": "320"},
        {"accountId": books.ids["4112"], "credit": "320", "costCenterId": north}]});
    manager.done("journalPost", sale).await;
    let query = format!(
        "{{ profitAndLoss(columns: [{{from: \"2025-01-01\", until: \"2025-12-31\"}}]) {ROWS}
            north: profitAndLoss(columns: [{{from: \"2025-01-01\", until: \"2025-12-31\"}}], dimensionValueId: {north}) {ROWS}
            balanceSheet(asOf: [\"2025-12-31\"]) {ROWS}
            cashFlow(cashAccountIds: [{cash}], columns: [{{from: \"2025-01-01\", until: \"2025-12-31\"}}]) {ROWS}
            next: balanceSheet(asOf: [\"2026-01-31\"]) {ROWS} }}"
    );
    let before = manager.ok(&query, json!({})).await;
    let earned =
        json!({"code": "3900", "name": english("Retained earnings"), "parentId": books.ids["3"]});
    let earned = manager.done("accountCreate", earned).await["account"]["id"].clone();
    let role = json!({"role": "RETAINED_EARNINGS", "accountId": earned});
    manager.done("accountRoleSet", role).await;
    let years = manager.ok("{ fiscalYears { id name } }", json!({})).await;
    let years = years["fiscalYears"].as_array().unwrap().iter();
    let year = years.clone().find(|year| year["name"] == "2025").unwrap();
    manager
        .done("fiscalYearClose", json!({"id": year["id"]}))
        .await;
    let after = manager.ok(&query, json!({})).await;
    for part in ["profitAndLoss", "north", "cashFlow"] {
        assert_eq!(after[part], before[part], "{part}");
    }
    assert_eq!(
        accounts(&before["north"]),
        [("4112".to_owned(), "IRR".to_owned(), 320.into())]
    );
    let totals = |data: &Value, field: &str, line: &str| -> Vec<(String, String, Decimal)> {
        let rows = data[field].as_array().unwrap().iter();
        rows.filter(|row| row["line"] == line)
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap().to_owned();
                (
                    text("section"),
                    text("commodity"),
                    decimal(&row["amounts"][0]),
                )
            })
            .collect()
    };
    for field in ["balanceSheet", "next"] {
        assert_eq!(
            totals(&after, field, "TOTAL"),
            totals(&before, field, "TOTAL")
        );
    }
    // What was earned is an account's now.
    let results = totals(&before, "balanceSheet", "CURRENT_RESULT");
    assert!(!results.is_empty());
    assert_eq!(totals(&after, "balanceSheet", "CURRENT_RESULT"), []);
    assert_eq!(totals(&after, "next", "EARLIER_RESULT"), []);
    let kept = accounts(&after["balanceSheet"]);
    for (_, commodity, amount) in results {
        let kept = kept
            .iter()
            .find(|(code, of, _)| code == "3900" && *of == commodity);
        assert_eq!(kept.unwrap().2, amount, "{commodity}");
    }

    // Nor is what undoes the end of a year, when it is opened again, and it ends once more; also as it was known.
    let reopen = json!({"id": year["id"], "reason": "An invoice was forgotten"});
    manager.done("fiscalYearReopen", reopen).await;
    let opened = manager.ok(&query, json!({})).await;
    manager
        .done("fiscalYearClose", json!({"id": year["id"]}))
        .await;
    let again = manager.ok(&query, json!({})).await;
    let now = SystemClock.now().to_rfc3339();
    let known = query.replace("\"}]", &format!("\"}}], asKnownAt: \"{now}\""));
    assert_ne!(known, query);
    let known = manager.ok(&known, json!({})).await;
    for part in ["profitAndLoss", "north"] {
        assert_eq!(opened[part], before[part], "{part}, opened");
        assert_eq!(again[part], before[part], "{part}, closed again");
        assert_eq!(known[part], before[part], "{part}, as it was known");
    }
    for line in ["TOTAL", "CURRENT_RESULT"] {
        assert_eq!(
            totals(&opened, "balanceSheet", line),
            totals(&before, "balanceSheet", line)
        );
    }
    figures_have_their_lines(&books, &before["profitAndLoss"]).await;
}

/// Behind each figure of an account in the profit and loss of 2025 are lines that come to it.
async fn figures_have_their_lines(books: &Books, profit: &Value) {
    let page = "query($of: JournalLineWhere!) { journalLines(where: $of, first: 100) { \
                pageInfo { hasNextPage } nodes { debit credit } } }";
    let figures = accounts(profit);
    assert!(figures.len() > 1, "{figures:?}");
    for (code, commodity, amount) in figures {
        let of = json!({"accountId": books.ids[&code], "commodity": commodity, "from": "2025-01-01", "until": "2025-12-31",
            "exceptClosing": true});
        let page = books.manager.ok(page, json!({"of": of})).await["journalLines"].take();
        assert_eq!(page["pageInfo"]["hasNextPage"], false, "{code}");
        let side = |line: &Value, side: &str| {
            let amount = line[side].as_str();
            amount.map_or(Decimal::ZERO, |amount| amount.parse().unwrap())
        };
        let lines = page["nodes"].as_array().unwrap().iter();
        let sum: Decimal = lines
            .map(|line| side(line, "credit") - side(line, "debit"))
            .sum();
        let earned = if code.starts_with('4') { sum } else { -sum };
        assert_eq!(earned, amount, "{code} {commodity}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_takes_as_many_statements_whatever_its_columns_are() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let builder = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 2)
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60);
    let mut books = Books::of(builder).await;
    books.post(40).await;
    let counted = async |query: String| {
        let executed = proxy
            .during(async || books.manager.ok(&query, json!({})).await)
            .await;
        executed.len()
    };
    let columns = |count: u32| {
        let columns = (1..=count).map(|month| {
            format!("{{from: \"2025-{month:02}-01\", until: \"2025-{month:02}-28\"}}")
        });
        columns.collect::<Vec<_>>().join(", ")
    };
    for field in ["profitAndLoss", "trialBalanceReport"] {
        let shown = match field {
            "profitAndLoss" => ROWS,
            _ => "{ account { code name } cells { closing } }",
        };
        let asked = |count| format!("{{ {field}(columns: [{}]) {shown} }}", columns(count));
        let (one, twelve) = (counted(asked(1)).await, counted(asked(12)).await);
        assert_eq!(one, twelve, "{field}");
        assert!((1..=5).contains(&one), "{field}: {one}");
    }
}
