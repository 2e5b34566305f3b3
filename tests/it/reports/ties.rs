//! Random entries over 24 months: every report against a small model in memory, and against every other.

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::{Builder, TestApp},
    database,
};

use super::{ROWS, decimal};

const CODES: [(&str, &str); 7] = [
    ("1101", "ASSETS"),
    ("1103", "ASSETS"),
    ("1121", "ASSETS"),
    ("2104", "LIABILITIES"),
    ("3101", "EQUITY"),
    ("4111", "REVENUE"),
    ("4112", "REVENUE"),
];
const COMMODITIES: [&str; 2] = ["IRR", "GOLD"];

/// Day, code, commodity, amount (negative on the credit side), and the entry.
type Line = (NaiveDate, &'static str, &'static str, Decimal, usize);

pub(super) struct Books {
    app: TestApp,
    pub(super) manager: Actor,
    pub(super) ids: BTreeMap<String, Value>,
    lines: Vec<Line>,
    random: StdRng,
    entries: usize,
}

fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 1, 1).unwrap()
}

impl Books {
    pub(super) async fn open() -> Self {
        Self::of(TestApp::builder()).await
    }

    pub(super) async fn of(builder: Builder) -> Self {
        let app = builder.start().await;
        let manager = app.manager().await;
        let chart = manager
            .done("accountTemplateApply", json!({"template": "JEWELLER"}))
            .await["accounts"]
            .take();
        let ids = chart.as_array().unwrap().iter();
        let ids = ids.map(|account| {
            (
                account["code"].as_str().unwrap().to_owned(),
                account["id"].clone(),
            )
        });
        let ids = ids.collect();
        for year in ["2025", "2026"] {
            let year = json!({"name": year, "startsOn": format!("{year}-01-01"), "endsOn": format!("{year}-12-31")});
            manager.done("fiscalYearCreate", year).await;
        }
        Self {
            app,
            manager,
            ids,
            lines: Vec::new(),
            random: StdRng::seed_from_u64(23),
            entries: 0,
        }
    }

    /// Posts some random entries in one statement.
    pub(super) async fn post(&mut self, count: usize) {
        let mut entries = Vec::new();
        for _ in 0..count {
            self.entries += 1;
            let date = first_day() + chrono::Days::new(self.random.random_range(0..730));
            let mut lines = Vec::new();
            for commodity in &COMMODITIES[..self.random.random_range(1..=2)] {
                let mut rest = Decimal::ZERO;
                for _ in 0..self.random.random_range(1..=3) {
                    let amount = Decimal::new(self.random.random_range(1..1_000_000), 2);
                    rest += amount;
                    lines.push((self.code(), *commodity, amount));
                }
                lines.push((self.code(), *commodity, -rest));
            }
            let input = lines.iter().map(|(code, commodity, amount)| {
                let side = if amount.is_sign_negative() { "credit" } else { "debit" };
                json!({"accountId": self.ids[*code], "commodity": commodity, side: amount.abs().to_string()})
            });
            entries.push(json!({"date": date.to_string(), "lines": input.collect::<Value>()}));
            let entry = self.entries;
            self.lines.extend(
                lines
                    .into_iter()
                    .map(|(code, commodity, amount)| (date, code, commodity, amount, entry)),
            );
        }
        self.manager
            .done("journalPostBulk", json!({"entries": entries}))
            .await;
    }

    fn code(&mut self) -> &'static str {
        CODES[self.random.random_range(0..CODES.len())].0
    }

    /// What lines come to by account and commodity.
    fn paper(
        &self,
        from: Option<NaiveDate>,
        until: NaiveDate,
    ) -> BTreeMap<(&'static str, &'static str), Decimal> {
        let mut sums = BTreeMap::new();
        for (date, code, commodity, amount, _) in &self.lines {
            if from.is_none_or(|from| from <= *date) && *date <= until {
                *sums.entry((*code, *commodity)).or_default() += *amount;
            }
        }
        sums
    }

    async fn rows(&self, field: &str, arguments: &str) -> Vec<Value> {
        let query = format!("{{ {field}({arguments}) {ROWS} }}");
        let rows = self.manager.ok(&query, json!({})).await[field].take();
        rows.as_array().unwrap().clone()
    }
}

/// The amount of a line of a statement, 0 when there is none.
fn of(
    rows: &[Value],
    section: &str,
    line: &str,
    code: Option<&str>,
    commodity: &str,
    column: usize,
) -> Decimal {
    let mut found = rows.iter().filter(|row| {
        row["section"] == section
            && row["line"] == line
            && row["commodity"] == commodity
            && row["account"]["code"].as_str() == code
    });
    let amount = found
        .next()
        .map_or(Decimal::ZERO, |row| decimal(&row["amounts"][column]));
    assert!(found.next().is_none());
    amount
}

fn kind(code: &str) -> &'static str {
    CODES.iter().find(|(known, _)| *known == code).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_ties_to_paper_and_to_every_other() {
    let mut books = Books::open().await;
    books.post(200).await;
    let ends: Vec<_> = (1..=24)
        .map(|month| (first_day() + Months::new(month)).pred_opt().unwrap())
        .collect();
    for half in ends.chunks(12) {
        let days = half
            .iter()
            .map(|day| format!("\"{day}\""))
            .collect::<Vec<_>>()
            .join(", ");
        let ranges = half
            .iter()
            .map(|day| {
                format!(
                    "{{from: \"{}-01-01\", until: \"{day}\"}}",
                    &day.to_string()[..4]
                )
            })
            .collect::<Vec<_>>()
            .join(", ");
        let sheet = books.rows("balanceSheet", &format!("asOf: [{days}]")).await;
        let earned = books
            .rows("profitAndLoss", &format!("columns: [{ranges}]"))
            .await;
        let metal = books.rows("metalBalance", &format!("asOf: [{days}]")).await;
        let cash_id = &books.ids["1101"];
        let flow = books
            .rows(
                "cashFlow",
                &format!("cashAccountIds: [{cash_id}], columns: [{ranges}]"),
            )
            .await;
        let query = format!(
            "{{ trialBalanceReport(columns: [{ranges}]) {{ account {{ code }} commodity cells {{ opening debit credit closing }} }} }}"
        );
        let trial = books.manager.ok(&query, json!({})).await["trialBalanceReport"].take();
        for (column, day) in half.iter().enumerate() {
            let january = day.to_string()[..4]
                .parse()
                .map(|year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap())
                .unwrap();
            let (all, year) = (books.paper(None, *day), books.paper(Some(january), *day));
            let before = books.paper(None, january.pred_opt().unwrap());
            for commodity in COMMODITIES {
                let sum = |paper: &BTreeMap<(&str, &str), Decimal>, kinds: &[&str]| -> Decimal {
                    paper
                        .iter()
                        .filter(|((code, of), _)| *of == commodity && kinds.contains(&kind(code)))
                        .map(|(_, amount)| *amount)
                        .sum()
                };
                let total = |rows: &[Value], section: &str| {
                    of(rows, section, "TOTAL", None, commodity, column)
                };
                assert_eq!(total(&sheet, "ASSETS"), sum(&all, &["ASSETS"]), "{day}");
                assert_eq!(
                    total(&sheet, "ASSETS"),
                    total(&sheet, "LIABILITIES") + total(&sheet, "EQUITY"),
                    "{day}"
                );
                assert_eq!(
                    of(&sheet, "EQUITY", "CURRENT_RESULT", None, commodity, column),
                    -sum(&year, &["REVENUE"]),
                    "{day}"
                );
                assert_eq!(
                    of(&sheet, "EQUITY", "EARLIER_RESULT", None, commodity, column),
                    -sum(&before, &["REVENUE"]),
                    "{day}"
                );
                assert_eq!(total(&earned, "WHOLE"), -sum(&year, &["REVENUE"]), "{day}");
                let cash = |paper: &BTreeMap<(&str, &str), Decimal>| {
                    paper.get(&("1101", commodity)).copied().unwrap_or_default()
                };
                let whole = |line: &str| of(&flow, "WHOLE", line, None, commodity, column);
                assert_eq!(
                    (whole("OPENING"), whole("CHANGE"), whole("CLOSING")),
                    (cash(&before), cash(&year), cash(&all)),
                    "{day}"
                );
                for (code, section) in CODES {
                    let amount = all.get(&(code, commodity)).copied().unwrap_or_default();
                    let sign = if section == "ASSETS" {
                        Decimal::ONE
                    } else {
                        Decimal::NEGATIVE_ONE
                    };
                    if section != "REVENUE" {
                        assert_eq!(
                            of(&sheet, section, "ACCOUNT", Some(code), commodity, column),
                            amount * sign,
                            "{day} {code}"
                        );
                    }
                    if commodity == "GOLD" {
                        assert_eq!(
                            of(&metal, section, "ACCOUNT", Some(code), commodity, column),
                            amount,
                            "{day} {code}"
                        );
                    }
                    let row = trial.as_array().unwrap().iter().find(|row| {
                        row["account"]["code"] == code && row["commodity"] == commodity
                    });
                    let cell = row.map(|row| &row["cells"][column]);
                    let value =
                        |name: &str| cell.map_or(Decimal::ZERO, |cell| decimal(&cell[name]));
                    assert_eq!(value("closing"), amount, "{day} {code}");
                    assert_eq!(
                        value("opening"),
                        before.get(&(code, commodity)).copied().unwrap_or_default(),
                        "{day} {code}"
                    );
                }
                // What others moved against cash, entry by entry.
                let mut against = BTreeMap::<&str, Decimal>::new();
                let is_cash = |line: &&Line| {
                    line.1 == "1101" && line.2 == commodity && (january..=*day).contains(&line.0)
                };
                let entries: std::collections::BTreeSet<_> = books
                    .lines
                    .iter()
                    .filter(is_cash)
                    .map(|line| line.4)
                    .collect();
                for (_, code, of, amount, entry) in &books.lines {
                    if *of == commodity && *code != "1101" && entries.contains(entry) {
                        *against.entry(*code).or_default() -= *amount;
                    }
                }
                for (code, amount) in against {
                    assert_eq!(
                        of(&flow, kind(code), "ACCOUNT", Some(code), commodity, column),
                        amount,
                        "{day} {code}"
                    );
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_stays_known_and_figures_have_their_lines() {
    let mut books = Books::open().await;
    books.post(60).await;
    let now: String = books
        .manager
        .ok(
            "{ journalEntries(first: 1) { nodes { recordedAt } } }",
            json!({}),
        )
        .await["journalEntries"]["nodes"][0]["recordedAt"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = books.ids["1101"].clone();
    let columns = "columns: [{from: \"2025-07-01\", until: \"2026-06-30\"}]";
    let query = format!(
        "{{ trialBalanceReport({columns}, asKnownAt: \"{now}\") {{ account {{ code }} commodity cells {{ opening debit credit closing }} }}
            balanceSheet(asOf: [\"2026-06-30\"], asKnownAt: \"{now}\") {ROWS} profitAndLoss({columns}, asKnownAt: \"{now}\") {ROWS}
            cashFlow(cashAccountIds: [{id}], {columns}, asKnownAt: \"{now}\") {ROWS} metalBalance(asOf: [\"2026-06-30\"], asKnownAt: \"{now}\") {ROWS} }}"
    );
    let rest = format!(
        "{{ generalLedger(accountId: {id}, commodity: \"GOLD\", asKnownAt: \"{now}\", first: 100) {{ nodes {{ balance line {{ debit credit date }} }} }}
            journalEntries(where: {{asKnownAt: \"{now}\"}}, first: 100) {{ nodes {{ id number }} }} }}"
    );
    let before = (
        books.manager.ok(&query, json!({})).await,
        books.manager.ok(&rest, json!({})).await,
    );
    assert_eq!(
        before.1["journalEntries"]["nodes"]
            .as_array()
            .unwrap()
            .len(),
        60
    );
    // The same as without asking when.
    let plain = query.replace(&format!(", asKnownAt: \"{now}\""), "");
    assert_eq!(books.manager.ok(&plain, json!({})).await, before.0);
    books.post(60).await;
    let after = (
        books.manager.ok(&query, json!({})).await,
        books.manager.ok(&rest, json!({})).await,
    );
    assert_eq!(after, before);
    assert_ne!(books.manager.ok(&plain, json!({})).await, before.0);
    // Nor does whoever goes past the api say what will be known.
    let db = database::pool(&books.app.database_url());
    let bent = sqlx::query("SELECT journal_known('2999-01-01')")
        .execute(&db)
        .await
        .unwrap_err();
    let bent = bent.as_database_error().unwrap().constraint();
    assert_eq!(bent, Some("journal_known_past"));
    let future = query.replace(&now, "2999-01-01T00:00:00Z");
    assert!(
        !books
            .manager
            .gql(&future, json!({}))
            .await
            .codes()
            .is_empty()
    );

    // Behind each figure of the balance sheet are lines that come to it.
    let sheet = books
        .manager
        .ok(
            "{ balanceSheet(asOf: [\"2026-06-30\"]) { line section accountId commodity amounts } }",
            json!({}),
        )
        .await["balanceSheet"]
        .take();
    for row in sheet
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["accountId"].is_string())
    {
        let (mut sum, mut after) = (Decimal::ZERO, Value::Null);
        loop {
            let page = "query($of: JournalLineWhere!, $after: String) { journalLines(where: $of, first: 37, after: $after) { \
                        pageInfo { hasNextPage endCursor } nodes { debit credit } } }";
            let of = json!({"accountId": row["accountId"], "commodity": row["commodity"], "until": "2026-06-30"});
            let page = books
                .manager
                .ok(page, json!({"of": of, "after": after}))
                .await["journalLines"]
                .take();
            for line in page["nodes"].as_array().unwrap() {
                sum += line["debit"]
                    .as_str()
                    .map_or(Decimal::ZERO, |it| it.parse().unwrap());
                sum -= line["credit"]
                    .as_str()
                    .map_or(Decimal::ZERO, |it| it.parse().unwrap());
            }
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        let sign = if row["section"] == "ASSETS" {
            Decimal::ONE
        } else {
            Decimal::NEGATIVE_ONE
        };
        assert_eq!(sum * sign, decimal(&row["amounts"][0]), "{row}");
    }
}
