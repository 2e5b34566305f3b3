//! A fiscal year ends: nothing is left of revenue and expenses, everything else goes on, and nobody comes behind it.

use serde_json::{Value, json};
use tests::{database, shop::english};

use super::{Books, TRIAL, attacks::tried, pair, subsidiary::Named, text, told};

const YEARS: &str = "{ fiscalYears { id name periods { id name closedAt } } }";

async fn year(books: &Books, name: &str) -> Value {
    let mut years = books.manager.ok(YEARS, json!({})).await["fiscalYears"].take();
    let years = years.as_array_mut().unwrap();
    let mut found = years.iter_mut().filter(|year| year["name"] == name);
    found.next().unwrap().take()
}

/// What accounts whose codes begin so have on a day, without those that have nothing.
async fn balances(books: &Books, day: &str, starts: &[&str]) -> Vec<(String, String, String)> {
    let rows = books.manager.ok(TRIAL, json!({"asOf": day})).await["trialBalance"].take();
    let rows = rows.as_array().unwrap().iter();
    let rows = rows.map(|row| {
        let of = |field: &str| text(&row[field]);
        (
            text(&row["account"]["code"]),
            of("commodity"),
            of("balance"),
        )
    });
    let is_of = |code: &str| starts.iter().any(|start| code.starts_with(start));
    rows.filter(|(code, _, balance)| is_of(code) && balance != "0")
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn revenue_and_expenses_go_to_retained_earnings_and_everything_else_goes_on() {
    let books = Books::open().await;
    let named = Named::of(&books).await;
    let earned =
        json!({"code": "3900", "name": english("Retained earnings"), "parentId": books.id("3")});
    let earned = books.manager.done("accountCreate", earned).await["account"]["id"].clone();
    let open = json!({"date": "2025-03-21", "kind": "OPENING", "lines": books.lines(&[("1101", "500"), ("3101", "-500")])});
    let open = books.post(open).await;
    assert_eq!(open["kind"], "OPENING");
    books
        .post(named.sale(&books, "2025-06-01", &named.party, "300"))
        .await;
    books.post(books.sale("2025-07-01", "40")).await;
    let cost =
        json!({"date": "2026-03-20", "lines": books.lines(&[("5201", "100"), ("1101", "-100")])});
    books.post(cost).await;
    let gold = json!({"date": "2025-08-01", "lines": [
        {"accountId": books.id("1103"), "commodity": "GOLD", "debit": "1.5"}, {"accountId": books.id("4111"), "commodity": "GOLD", "credit": "1.5"}]});
    let gold = books.manager.change("journalPost", gold).await;
    let has_gold = told(&gold).is_empty();
    // Of the next year, and not touched.
    books.post(books.sale("2026-03-21", "7")).await;
    let first = year(&books, "1404").await;
    let close = json!({"id": first["id"]});
    let told = books
        .manager
        .not_done("fiscalYearClose", close.clone())
        .await;
    assert_eq!(told, pair("REQUIRED", "retainedEarningsAccountId"));
    let mut wrong = close.clone();
    wrong["retainedEarningsAccountId"] = json!(books.id("1101"));
    let told = books.manager.not_done("fiscalYearClose", wrong).await;
    assert_eq!(
        told,
        pair("WRONG_ACCOUNT_KIND", "retainedEarningsAccountId")
    );
    let role = json!({"role": "RETAINED_EARNINGS", "accountId": earned});
    books.manager.done("accountRoleSet", role).await;
    let kept = balances(&books, "2026-03-20", &["1", "2"]).await;
    let closed = books.manager.done("fiscalYearClose", close.clone()).await;
    let entry = &closed["entries"][0];
    assert_eq!(
        (&entry["kind"], &entry["date"]),
        (&json!("CLOSING"), &json!("2026-03-20"))
    );
    assert!(balances(&books, "2026-03-20", &["4", "5"]).await.is_empty());
    assert_eq!(balances(&books, "2026-03-20", &["1", "2"]).await, kept);
    let retained = balances(&books, "2026-03-20", &["3900"]).await;
    let rial = retained
        .iter()
        .find(|(_, commodity, _)| commodity == "IRR")
        .unwrap();
    assert_eq!(rial.2, "-240");
    assert_eq!(retained.len(), 1 + usize::from(has_gold));
    // What it has at the end of the year it has at the beginning of the next, when one entry of that is taken away.
    let next = balances(&books, "2026-03-21", &["4", "5"]).await;
    assert_eq!(
        next,
        [("4112".to_owned(), "IRR".to_owned(), "-7".to_owned())]
    );
    // The dimensions of what was closed are closed, too.
    let left = "SELECT count(*) FROM (SELECT FROM journal_line l JOIN account a ON a.id = l.account_id WHERE a.kind IN ('revenue', 'expense') \
                AND l.date <= '2026-03-20' GROUP BY l.account_id, l.commodity, l.subsidiary_id, l.cost_center_id, l.project_id \
                HAVING sum(CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END) <> 0) x";
    assert_eq!(books.count(left).await, 0);
    let first = year(&books, "1404").await;
    let periods = first["periods"].as_array().unwrap();
    assert!(periods.iter().all(|period| period["closedAt"].is_string()));
    // Nobody comes behind it.
    let late = books
        .manager
        .not_done("journalPost", books.sale("2026-03-20", "1"))
        .await;
    assert_eq!(late, pair("PERIOD_CLOSED", "date"));
    let again = books.manager.not_done("fiscalYearClose", close).await;
    assert_eq!(again, pair("FISCAL_YEAR_CLOSED", "id"));
    let last = &periods[11]["id"];
    let open = json!({"id": last, "reason": "Forgotten"});
    let told = books.manager.not_done("periodReopen", open).await;
    assert_eq!(told, pair("FISCAL_YEAR_CLOSED", "id"));
    let undo = json!({"id": entry["id"]});
    let told = books.manager.not_done("journalReverse", undo).await;
    assert_eq!(told, pair("FISCAL_YEAR_CLOSED", "id"));
    let db = database::pool(&books.app.database_url());
    let open = "UPDATE period SET closed_at = NULL WHERE starts_on = '2026-02-20'";
    assert_eq!(tried(&db, open).await, "fiscal_year_kept_closed");
    books.assert_verified().await;
    // Opened again, everything is as it was; and it closes with what came since.
    let reopen = json!({"id": first["id"], "reason": "An invoice was forgotten"});
    let opened = books.manager.done("fiscalYearReopen", reopen.clone()).await;
    assert_eq!(opened["entries"][0]["kind"], "REVERSAL");
    let told = books.manager.not_done("fiscalYearReopen", reopen).await;
    assert_eq!(told, pair("FISCAL_YEAR_OPEN", "id"));
    assert!(balances(&books, "2026-03-20", &["3900"]).await.is_empty());
    books.post(books.sale("2026-03-20", "60")).await;
    let close = json!({"id": first["id"]});
    books.manager.done("fiscalYearClose", close).await;
    let retained = balances(&books, "2026-03-20", &["3900"]).await;
    let rial = retained
        .iter()
        .find(|(_, commodity, _)| commodity == "IRR")
        .unwrap();
    assert_eq!(rial.2, "-300");
    books.assert_verified().await;
    // A year that is not over is not closed.
    let second = year(&books, "1405").await;
    let told = books
        .manager
        .not_done("fiscalYearClose", json!({"id": second["id"]}))
        .await;
    assert_eq!(told, pair("PERIOD_NOT_OVER", "id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_entry_with_psql_closes_a_year_or_nothing() {
    let books = Books::open().await;
    books.post(books.sale("2025-07-01", "40")).await;
    let db = database::pool(&books.app.database_url());
    let close = |amount: i32| {
        format!(
            "INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, lines, recorded_at, actor_kind, actor_name) \
             SELECT '01930000-0000-7000-8000-00000000e0cc', fiscal_year_id, last_number + 1, '2026-03-20', 'closing', 2, now(), 'system', 'psql' \
             FROM journal_numbers(ARRAY['2026-03-20'::date]); \
             INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number) \
             SELECT e.id, l.line, a.id, 'IRR', l.line = 1, {amount}, e.date, e.number \
             FROM journal_entry e, (VALUES (1, '4112'), (2, '3101')) l (line, code) JOIN account a ON a.code = l.code \
             WHERE e.id = '01930000-0000-7000-8000-00000000e0cc'"
        )
    };
    let periods = "UPDATE period SET closed_at = now() WHERE ends_on <= '2026-03-20'";
    assert_eq!(tried(&db, &close(40)).await, "fiscal_year_kept_closed");
    let less = format!("{}; {periods}", close(39));
    assert_eq!(tried(&db, &less).await, "fiscal_year_closed_whole");
    let whole = format!("{}; {periods}", close(40));
    assert_eq!(tried(&db, &whole).await, "done");
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_move_within_their_kind_and_come_from_tables() {
    let books = Books::open().await;
    let table = "code,parent_code,name_en,name_fa,kind,normal_side,group,commodity,subsidiary_kind\n\
        9101,9100,Vault,خزانه,,,no,GOLD,\n\
        9100,9000,Safe,گاوصندوق,,,yes,,\n\
        9000,,Other assets,سایر دارایی‌ها,asset,,yes,,\n\
        1199,11,Staff,کارکنان,,,,,employee\n";
    let made = books
        .manager
        .done("accountImport", json!({"csv": table}))
        .await;
    let made = made["accounts"].as_array().unwrap();
    let codes: Vec<_> = made.iter().map(|account| text(&account["code"])).collect();
    assert_eq!(codes, ["1199", "9000", "9100", "9101"]);
    let depth =
        "query($id: ID!) { account(id: $id) { depth kind parent { code } subsidiaryKind } }";
    let vault = made[3]["id"].clone();
    let told = books.manager.ok(depth, json!({"id": vault})).await["account"].take();
    assert_eq!(
        (&told["depth"], &told["kind"]),
        (&json!(2), &json!("ASSET"))
    );
    // All or nothing, with the line.
    let before = books.count("SELECT count(*) FROM account").await;
    for (rows, code, path) in [
        (
            "9200,,A,,asset,,,,\n9101,,B,,asset,,,,\n",
            "ALREADY_TAKEN",
            "lines.3.code",
        ),
        (
            "9200,,A,,asset,,,,\n9201,77,B,,,,,,\n",
            "NOT_FOUND",
            "lines.3.parent_code",
        ),
        (
            "9200,,A,,asset,,,ABC,\n",
            "UNKNOWN_COMMODITY",
            "lines.2.commodity",
        ),
        ("9200,1101,A,,,,,,\n", "NOT_A_GROUP", "lines.2.parent_code"),
        ("9200,,,,asset,,,,\n", "REQUIRED", "lines.2.name_en"),
        (
            "9200,41,A,,asset,,,,\n",
            "WRONG_ACCOUNT_KIND",
            "lines.2.kind",
        ),
    ] {
        let head = table.lines().next().unwrap();
        let csv = format!("{head}\n{rows}");
        let told = books
            .manager
            .not_done("accountImport", json!({"csv": csv}))
            .await;
        assert_eq!(told, pair(code, path), "{rows}");
    }
    let told = books
        .manager
        .not_done("accountImport", json!({"csv": "code,colour\n1,2\n"}))
        .await;
    assert_eq!(told, pair("UNKNOWN_COLUMN", "csv"));
    assert_eq!(books.count("SELECT count(*) FROM account").await, before);
    // A group takes along what is in it, and what was posted.
    books.post(books.sale("2026-05-01", "7")).await;
    let moved = json!({"id": books.id("11"), "parentId": made[2]["id"]});
    books.manager.done("accountMove", moved).await;
    let told = books
        .manager
        .ok(depth, json!({"id": books.id("1101")}))
        .await["account"]
        .take();
    assert_eq!(
        (&told["depth"], &told["parent"]["code"]),
        (&json!(3), &json!("11"))
    );
    assert_eq!(
        books.balance("1101", "IRR", "2026-05-01").await.as_deref(),
        Some("7")
    );
    let group = json!({"id": made[1]["id"], "parentId": books.id("11")});
    assert_eq!(
        books.manager.not_done("accountMove", group).await,
        pair("CYCLE", "parentId")
    );
    for (parent, code) in [("4", "WRONG_ACCOUNT_KIND"), ("1101", "NOT_A_GROUP")] {
        let wrong = json!({"id": vault, "parentId": books.id(parent)});
        let told = books.manager.not_done("accountMove", wrong).await;
        assert_eq!(told, pair(code, "parentId"));
    }
    books.assert_verified().await;
}
