//! Journals that are wrong, and reports in files.

use serde_json::json;

use super::{anything, balances, export, file, import, shop};

/// Entries of two lines each, and a blank one between them.
fn journal(entries: usize) -> String {
    (0..entries)
        .map(|entry| {
            format!(
                "2020-{:02}-{:02} * Sale {entry}\n  assets:cash  {}.25 USD\n  income:sales\n\n",
                entry % 12 + 1,
                entry % 28 + 1,
                entry + 1
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_on_line_7312_is_named_and_nothing_is_imported() {
    let (app, manager) = shop().await;
    let good = journal(2_500);
    let lines: Vec<_> = good.lines().collect();
    let with = |wrong: &str| {
        let mut lines = lines.clone();
        lines[7_311] = wrong;
        lines.join("\n")
    };
    // Line 7,312 is blank in the good file: a posting there is a third of its entry.
    for (wrong, code) in [
        ("  assets:cash  1.0.0 USD", "INVALID_FORMAT"),
        ("  assets:cash  1.00 XQZ", "UNKNOWN_COMMODITY"),
        ("  assets:cash  0.001 USD", "TOO_FINE"),
        ("  income:sales", "REQUIRED"),
        ("nonsense", "INVALID_FORMAT"),
    ] {
        let options =
            json!({"format": "HLEDGER", "createAccounts": true, "createFiscalYears": true});
        let done = import(&manager, &with(wrong), options).await;
        assert_eq!(
            (&done["state"], &done["firstFailedLine"], &done["posted"]),
            (&json!("REJECTED"), &json!(7_312), &json!(0)),
            "{wrong}: {done}"
        );
        let errors = file(&manager, &done["job"]).await;
        assert!(
            errors.contains("\n7312,") && errors.contains(code),
            "{errors}"
        );
    }
    let unbalanced = good.replace(
        "  assets:cash  1001.25 USD\n  income:sales\n",
        "  assets:cash  1001.25 USD\n  income:sales  -1001.24 USD\n",
    );
    let done = import(&manager, &unbalanced, anything("HLEDGER")).await;
    assert_eq!(
        (&done["state"], &done["failed"]),
        (&json!("REJECTED"), &json!(1)),
        "{done}"
    );
    assert_eq!(done["firstFailedLine"], 4_001);
    for table in ["journal_entry", "account", "fiscal_year"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let count: i64 = sea_orm::sqlx::query_scalar(sea_orm::sqlx::AssertSqlSafe(sql))
            .fetch_one(app.sql())
            .await
            .unwrap();
        assert_eq!(count, 0, "{table}");
    }
    let mut dry = anything("HLEDGER");
    dry["dryRun"] = json!(true);
    let done = import(&manager, &good, dry).await;
    assert_eq!(
        (&done["state"], &done["posted"]),
        (&json!("DONE"), &json!(2_500))
    );
    assert!(balances(&manager, "2020-12-31").await.is_empty());
    // Accounts and years have to be there, unless they may be created.
    let done = import(&manager, &good, json!({"format": "HLEDGER"})).await;
    assert_eq!(
        (&done["state"], &done["failed"]),
        (&json!("REJECTED"), &json!(2)),
        "{done}"
    );
    let done = import(
        &manager,
        &good,
        json!({"format": "HLEDGER", "createAccounts": true}),
    )
    .await;
    assert_eq!(
        (&done["state"], &done["firstFailedLine"]),
        (&json!("REJECTED"), &json!(1)),
        "{done}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_written_into_files() {
    let (_app, manager) = shop().await;
    let done = import(&manager, &journal(30), anything("HLEDGER")).await;
    assert_eq!(done["state"], "DONE", "{done}");
    let year = json!([{"from": "2020-01-01", "until": "2020-12-31"}]);
    let accounts = manager
        .ok(
            "{ accounts(first: 100) { nodes { id externalReference } } }",
            json!({}),
        )
        .await;
    let nodes = accounts["accounts"]["nodes"].as_array().unwrap();
    let cash = nodes
        .iter()
        .find(|node| node["externalReference"] == "assets:cash")
        .unwrap();
    let cases = [
        (
            json!({"report": "TRIAL_BALANCE", "columns": year}),
            2,
            "USD,0,472.5,0,472.5",
        ),
        (
            json!({"report": "BALANCE_SHEET", "asOf": ["2020-12-31", "2019-12-31"]}),
            5,
            "current_result,0,,,USD,472.5,0",
        ),
        (
            json!({"report": "PROFIT_AND_LOSS", "columns": year}),
            4,
            "whole,total,0,,,USD,472.5",
        ),
        (
            json!({"report": "CASH_FLOW", "columns": year, "cashAccountIds": [cash["id"]]}),
            5,
            "whole,change,0,,,USD,472.5",
        ),
        (
            json!({"report": "GENERAL_LEDGER", "columns": year, "accountId": cash["id"]}),
            30,
            ",472.5\r\n",
        ),
        (json!({"report": "JOURNAL", "columns": year}), 60, "Sale 29"),
    ];
    // Behind each other over the same connections, in both orders.
    for (input, rows, has) in cases.iter().chain(cases.iter().rev()) {
        let (count, text) = export(&manager, input.clone()).await;
        assert!(text.contains(has), "{input}: {text}");
        assert_eq!(count, *rows, "{input}: {text}");
        assert_eq!(
            text.lines().count(),
            usize::try_from(*rows).unwrap() + 1,
            "{input}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stock_was_worth_is_written_into_a_file() {
    let (app, manager) = shop().await;
    let category = manager.category("Rings", None).await;
    let tray = manager.location("TRAY", "TRAY", None).await;
    let ring = manager.item_kept("RING", &category, "NONE").await;
    let line = json!({"itemId": ring, "toId": tray, "quantity": 4, "unitCost": "2.5"});
    let bought = json!({"reason": "PURCHASED", "lines": [line]});
    manager.done("stockReceive", bought).await;
    let today: chrono::NaiveDate =
        sea_orm::sqlx::query_scalar("SELECT (now() AT TIME ZONE time_zone)::date FROM shop")
            .fetch_one(app.sql())
            .await
            .unwrap();
    let valued = |day: chrono::NaiveDate| json!({"report": "INVENTORY_VALUATION", "asOf": [day]});
    let (count, text) = export(&manager, valued(today)).await;
    assert_eq!(count, 1, "{text}");
    assert!(
        text.contains("RING,") && text.contains(",Rings,4,pieces,10,IRR"),
        "{text}"
    );
    let (count, text) = export(&manager, valued(today.pred_opt().unwrap())).await;
    assert_eq!((count, text.lines().count()), (0, 1), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_does_not_fit_is_refused() {
    let (_app, manager) = shop().await;
    let tray = manager.location("TRAY", "TRAY", None).await;
    let valued = json!({"report": "INVENTORY_VALUATION", "asOf": ["2026-01-01"]});
    let owed = json!({"report": "AGED_PAYABLES", "asOf": ["2026-01-01"]});
    for (report, field, value) in [
        (&valued, "locationId", json!(tray)),
        (&valued, "asKnownAt", json!("2026-01-01T00:00:00Z")),
        (&owed, "locationId", json!(tray)),
    ] {
        let mut input = report.clone();
        input[field] = value;
        let told = manager.not_done("reportExportCreate", input).await;
        assert_eq!(told, [("EXCLUSIVE".to_owned(), field.to_owned())]);
    }
    for (report, missing) in [
        ("TRIAL_BALANCE", "columns"),
        ("BALANCE_SHEET", "asOf"),
        ("AGED_RECEIVABLES", "asOf"),
        ("INVENTORY_VALUATION", "asOf"),
    ] {
        let told = manager
            .not_done("reportExportCreate", json!({"report": report}))
            .await;
        assert_eq!(told, [("REQUIRED".to_owned(), missing.to_owned())]);
    }
}
