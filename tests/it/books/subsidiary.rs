//! Subsidiary accounts, cost centres and projects: who names them, who does not, and what they have.

use serde_json::{Value, json};
use tests::{database, shop::english};

use super::{Books, attacks::tried, pair, text};

/// Customers with receivables of their own, besides a cost centre and a project.
pub(super) struct Named {
    pub(super) receivable: String,
    pub(super) party: String,
    pub(super) other_party: String,
    pub(super) bank: String,
    pub(super) shop: String,
    pub(super) fair: String,
}

impl Named {
    pub(super) async fn of(books: &Books) -> Self {
        let value = async |kind: &str, code: &str| {
            let new = json!({"kind": kind, "code": code, "name": english(code)});
            let made = books.manager.done("dimensionValueCreate", new).await;
            text(&made["dimensionValue"]["id"])
        };
        let account = json!({"code": "1190", "name": english("Customers"), "parentId": books.id("11"), "subsidiaryKind": "PARTY"});
        let receivable = books.manager.done("accountCreate", account).await;
        assert_eq!(receivable["account"]["subsidiaryKind"], "PARTY");
        Self {
            receivable: text(&receivable["account"]["id"]),
            party: value("PARTY", "p-1").await,
            other_party: value("PARTY", "P-2").await,
            bank: value("BANK", "B-1").await,
            shop: value("COST_CENTER", "P-1").await,
            fair: value("PROJECT", "P-1").await,
        }
    }

    /// What a party owes for something that was sold.
    pub(super) fn sale(&self, books: &Books, date: &str, party: &str, amount: &str) -> Value {
        json!({"date": date, "lines": [
            {"accountId": self.receivable, "debit": amount, "subsidiaryId": party},
            {"accountId": books.id("4112"), "credit": amount, "costCenterId": self.shop, "projectId": self.fair}]})
    }
}

const BALANCES: &str = "query($account: ID!, $asOf: Date!, $first: Int, $after: String) { \
    subsidiaryBalances(accountId: $account, asOf: $asOf, first: $first, after: $after) { \
    pageInfo { hasNextPage endCursor } nodes { account { code } subsidiary { code } commodity balance } } }";

#[tokio::test(flavor = "multi_thread")]
async fn accounts_demand_what_they_demand_and_lines_say_it() {
    let books = Books::open().await;
    let named = Named::of(&books).await;
    let refused = async |line: Value| {
        let mut one = json!({"debit": "1"});
        for (key, value) in line.as_object().unwrap() {
            one[key] = value.clone();
        }
        let input = json!({"date": "2026-05-01", "lines": [one, books.line("4112", "-1")]});
        books.manager.not_done("journalPost", input).await
    };
    let receivable = |id: &str| json!({"accountId": named.receivable, "subsidiaryId": id});
    let sales = |field: &str, id: &str| json!({"accountId": books.id("1101"), field: id});
    let nobody = "RGltZW5zaW9uVmFsdWU6MDE5MzAwMDAwMDAwNzAwMDgwMDAwMDAwMDBhYmNkZWY";
    for (line, code, field) in [
        (
            json!({"accountId": named.receivable}),
            "SUBSIDIARY_REQUIRED",
            "subsidiaryId",
        ),
        (receivable(&named.bank), "WRONG_DIMENSION", "subsidiaryId"),
        (receivable(&named.shop), "WRONG_DIMENSION", "subsidiaryId"),
        (receivable(nobody), "NOT_FOUND", "subsidiaryId"),
        (
            sales("subsidiaryId", &named.party),
            "SUBSIDIARY_UNWANTED",
            "subsidiaryId",
        ),
        (
            sales("costCenterId", &named.fair),
            "WRONG_DIMENSION",
            "costCenterId",
        ),
        (
            sales("projectId", &named.party),
            "WRONG_DIMENSION",
            "projectId",
        ),
        (sales("projectId", nobody), "NOT_FOUND", "projectId"),
    ] {
        let told = refused(line.clone()).await;
        assert_eq!(told, pair(code, &format!("lines.0.{field}")), "{line}");
    }
    books
        .post(named.sale(&books, "2026-05-01", &named.party, "5"))
        .await;
    let archive = json!({"id": named.party});
    books.manager.done("dimensionValueArchive", archive).await;
    let archived = refused(receivable(&named.party)).await;
    assert_eq!(archived, pair("ARCHIVED", "lines.0.subsidiaryId"));
    let restore = json!({"id": named.party});
    books.manager.done("dimensionValueRestore", restore).await;
    // What was posted to stays as it is.
    let change = json!({"id": named.receivable, "subsidiaryKind": null});
    let told = books.manager.not_done("accountUpdate", change).await;
    assert_eq!(told, pair("IN_USE", "id"));
    let project =
        json!({"code": "X", "name": english("X"), "kind": "ASSET", "subsidiaryKind": "PROJECT"});
    let told = books.manager.not_done("accountCreate", project).await;
    assert_eq!(told, pair("WRONG_DIMENSION", "subsidiaryKind"));
    let taken = json!({"kind": "BANK", "code": "P-1", "name": english("P")});
    let told = books.manager.not_done("dimensionValueCreate", taken).await;
    assert_eq!(told, pair("ALREADY_TAKEN", "code"));
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_runs_on_and_what_undoes_an_entry_names_the_same() {
    let books = Books::open().await;
    let named = Named::of(&books).await;
    let mut sum = 0;
    for (day, party, amount) in [
        ("2026-04-30", &named.party, 10),
        ("2026-05-02", &named.other_party, 100),
        ("2026-05-02", &named.party, 20),
        ("2026-05-02", &named.party, 30),
        ("2026-06-01", &named.party, 40),
    ] {
        sum += amount;
        let sale = named.sale(&books, day, party, &amount.to_string());
        books.post(sale).await;
    }
    assert_eq!(sum, 200);
    let entry = named.sale(&books, "2026-05-02", &named.other_party, "7");
    let entry = books.post(entry).await;
    let undo = json!({"id": entry["id"], "date": "2026-05-03"});
    books.manager.done("journalReverse", undo).await;
    let ledger = "query($account: ID!, $party: ID!, $first: Int, $after: String) { \
        subsidiaryLedger(accountId: $account, subsidiaryId: $party, first: $first, after: $after) { pageInfo { hasNextPage endCursor } \
        nodes { balance line { subsidiary { code } costCenter { code } } } } }";
    let mut after = Value::Null;
    let mut balances = Vec::new();
    loop {
        let variables =
            json!({"account": named.receivable, "party": named.party, "first": 2, "after": after});
        let page = books.manager.ok(ledger, variables).await["subsidiaryLedger"].take();
        for row in page["nodes"].as_array().unwrap() {
            assert_eq!(row["line"]["subsidiary"]["code"], "P-1");
            balances.push(text(&row["balance"]));
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(balances, ["10", "30", "60", "100"]);
    let at = async |account: &str, day: &str| {
        let variables = json!({"account": account, "asOf": day});
        let rows =
            books.manager.ok(BALANCES, variables).await["subsidiaryBalances"]["nodes"].take();
        let rows = rows.as_array().unwrap().iter();
        let rows = rows.map(|row| (text(&row["subsidiary"]["code"]), text(&row["balance"])));
        rows.collect::<Vec<_>>()
    };
    let had = |rows: &[(&str, &str)]| {
        let rows = rows.iter();
        let rows = rows.map(|(code, balance)| ((*code).to_owned(), (*balance).to_owned()));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(
        at(&named.receivable, "2026-05-02").await,
        had(&[("P-1", "60"), ("P-2", "107")])
    );
    // A group has what its accounts have.
    assert_eq!(
        at(books.id("1"), "2026-12-31").await,
        had(&[("P-1", "100"), ("P-2", "100")])
    );
    assert_eq!(at(&named.receivable, "2026-04-29").await, had(&[]));
    let filtered = "query($id: ID!) { journalEntries(where: {dimensionValueId: $id}, first: 100) { nodes { id } } }";
    let found = books.manager.ok(filtered, json!({"id": named.fair})).await;
    assert_eq!(
        found["journalEntries"]["nodes"].as_array().unwrap().len(),
        7
    );
    books.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_round_dimensions_with_psql() {
    let books = Books::open().await;
    let named = Named::of(&books).await;
    books
        .post(named.sale(&books, "2026-05-01", &named.party, "5"))
        .await;
    let db = database::pool(&books.app.database_url());
    let posted = |subsidiary: &str, center: &str| {
        format!(
            "INSERT INTO journal_entry (id, fiscal_year_id, number, date, kind, lines, recorded_at, actor_kind, actor_name) \
             SELECT '01930000-0000-7000-8000-00000000e0aa', fiscal_year_id, last_number + 1, '2026-05-01', 'general', 2, now(), 'system', 'psql' \
             FROM journal_numbers(ARRAY['2026-05-01'::date]); \
             INSERT INTO journal_line (entry_id, line, account_id, commodity, is_debit, amount, date, number, subsidiary_id, cost_center_id) \
             SELECT e.id, l.line, a.id, 'IRR', l.line = 1, 1, e.date, e.number, \
                    CASE WHEN l.line = 1 THEN (SELECT d.id FROM dimension_value d WHERE {subsidiary}) END, \
                    CASE WHEN l.line = 2 THEN (SELECT d.id FROM dimension_value d WHERE {center}) END \
             FROM journal_entry e, (VALUES (1, '1190'), (2, '4112')) l (line, code) JOIN account a ON a.code = l.code \
             WHERE e.id = '01930000-0000-7000-8000-00000000e0aa'"
        )
    };
    for (sql, expected) in [
        (posted("false", "false"), "journal_line_fit"),
        (posted("d.kind = 'bank'", "false"), "journal_line_fit"),
        (
            posted("d.code = 'P-2'", "d.kind = 'bank'"),
            "journal_line_fit",
        ),
        (
            "UPDATE subsidiary_turnover SET debit = 0".to_owned(),
            "42501",
        ),
        ("DELETE FROM subsidiary_turnover".to_owned(), "42501"),
        (
            "DELETE FROM dimension_value".to_owned(),
            "dimension_value_kept",
        ),
        (
            "UPDATE dimension_value SET kind = 'bank' WHERE code = 'P-2'".to_owned(),
            "dimension_value_identity",
        ),
        (
            "UPDATE account SET subsidiary_kind = NULL WHERE code = '1190'".to_owned(),
            "account_stays_as_posted",
        ),
        (
            "UPDATE account SET subsidiary_kind = 'party' WHERE code = '4112'".to_owned(),
            "account_stays_as_posted",
        ),
        (
            "UPDATE account SET subsidiary_kind = 'party' WHERE code = '11'".to_owned(),
            "account_group_has_no_subsidiaries",
        ),
        (posted("d.code = 'P-2'", "d.kind = 'cost_center'"), "done"),
    ] {
        assert_eq!(tried(&db, &sql).await, expected, "{sql}");
    }
    books.assert_verified().await;
    // What the owner bends is found.
    let bend = "UPDATE subsidiary_turnover SET debit = debit + 1 WHERE span = 'day'";
    assert_eq!(tried(books.app.sql(), bend).await, "done");
    let query = "{ ledgerVerify { kind } }";
    let told = books.manager.ok(query, json!({})).await["ledgerVerify"].take();
    assert!(!told.as_array().unwrap().is_empty());
    let told = told.as_array().unwrap().iter();
    assert!(
        told.into_iter()
            .all(|row| row["kind"] == "subsidiary_turnover")
    );
}
