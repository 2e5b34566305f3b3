//! Random entries against a small model in memory: balances at every day, and the ledgers, are what anybody would keep on paper.
//!
//! `STOCK_OPERATIONS` says how many, as for stock.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Books, LEDGER, TRIAL, text};

const CODES: [&str; 6] = ["1101", "1103", "1105", "2104", "4111", "4112"];
const COMMODITIES: [(&str, u32); 3] = [("IRR", 2), ("JPY", 0), ("GOLD", 6)];

fn operations() -> usize {
    std::env::var("STOCK_OPERATIONS").map_or(120, |count| count.parse().unwrap())
}

/// What went to an account on a day: its code, the commodity, and the amount, negative on the credit side.
type Line = (&'static str, &'static str, Decimal);

#[derive(Default)]
struct Paper {
    lines: Vec<(NaiveDate, Line)>,
    /// Entries that can be undone.
    open: Vec<(Value, NaiveDate, Vec<Line>)>,
}

impl Paper {
    fn balances(&self, as_of: NaiveDate) -> BTreeMap<(String, String), Decimal> {
        let mut sums = BTreeMap::new();
        for (date, (code, commodity, amount)) in &self.lines {
            if *date <= as_of {
                *sums
                    .entry(((*code).to_owned(), (*commodity).to_owned()))
                    .or_default() += *amount;
            }
        }
        sums
    }
}

/// Some lines that balance in each of some commodities.
fn lines(random: &mut StdRng) -> Vec<Line> {
    let mut lines = Vec::new();
    for _ in 0..random.random_range(1..=2) {
        let (commodity, scale) = COMMODITIES[random.random_range(0..COMMODITIES.len())];
        let mut rest = Decimal::ZERO;
        for _ in 0..random.random_range(1..=4) {
            let mut amount = Decimal::new(random.random_range(1..1_000_000_000), scale);
            if random.random() {
                amount = -amount;
            }
            if (rest + amount).is_zero() {
                continue;
            }
            rest += amount;
            lines.push((
                CODES[random.random_range(0..CODES.len())],
                commodity,
                amount,
            ));
        }
        lines.push((CODES[random.random_range(0..CODES.len())], commodity, -rest));
    }
    lines
}

fn input(books: &Books, date: NaiveDate, lines: &[Line]) -> Value {
    let lines = lines.iter().map(|(code, commodity, amount)| {
        let mut line = books.line(code, &amount.to_string());
        line["commodity"] = json!(commodity);
        line
    });
    json!({"date": date.to_string(), "lines": lines.collect::<Value>()})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_are_what_paper_says() {
    let books = Books::open().await;
    let mut random = StdRng::seed_from_u64(1405);
    let mut paper = Paper::default();
    let begin: NaiveDate = "2026-01-15".parse().unwrap();
    for operation in 0..operations() {
        let date = begin + Days::new(random.random_range(0..120));
        if operation % 5 == 4 && !paper.open.is_empty() {
            let (id, since, lines) = paper
                .open
                .swap_remove(random.random_range(0..paper.open.len()));
            let date = date.max(since);
            let reverse = json!({"id": id, "date": date.to_string()});
            books.manager.done("journalReverse", reverse).await;
            let mirror = lines
                .into_iter()
                .map(|(code, commodity, amount)| (date, (code, commodity, -amount)));
            paper.lines.extend(mirror);
            continue;
        }
        let lines = lines(&mut random);
        if operation % 7 == 6 {
            // A smallest unit too much on one line, and nothing of it is posted.
            let mut wrong = lines.clone();
            let scale = COMMODITIES
                .iter()
                .find(|(code, _)| *code == wrong[0].1)
                .unwrap()
                .1;
            let more = Decimal::new(1, scale);
            let sign = if wrong[0].2.is_sign_negative() {
                -more
            } else {
                more
            };
            wrong[0].2 += sign;
            let refused = books
                .manager
                .not_done("journalPost", input(&books, date, &wrong))
                .await;
            assert_eq!(refused[0].0, "UNBALANCED", "{wrong:?}");
        }
        let entry = books.post(input(&books, date, &lines)).await;
        paper.lines.extend(lines.iter().map(|line| (date, *line)));
        paper.open.push((entry["id"].clone(), date, lines));
    }
    for day in (0..130).step_by(3) {
        let as_of = begin + Days::new(day);
        let rows = books
            .manager
            .ok(TRIAL, json!({"asOf": as_of.to_string()}))
            .await["trialBalance"]
            .take();
        let mut totals: BTreeMap<String, Decimal> = BTreeMap::new();
        let mut told = BTreeMap::new();
        for row in rows.as_array().unwrap() {
            let balance: Decimal = text(&row["balance"]).parse().unwrap();
            *totals.entry(text(&row["commodity"])).or_default() += balance;
            told.insert(
                (text(&row["account"]["code"]), text(&row["commodity"])),
                balance,
            );
        }
        assert_eq!(told, paper.balances(as_of), "{as_of}");
        assert!(totals.values().all(Decimal::is_zero), "{as_of}: {totals:?}");
    }
    for (commodity, _) in COMMODITIES {
        let variables = json!({"account": books.id("1101"), "commodity": commodity, "first": 100});
        let page = books.manager.ok(LEDGER, variables).await["generalLedger"]["nodes"].take();
        let mut sum = Decimal::ZERO;
        for line in page.as_array().unwrap() {
            let side = |name: &str| {
                line["line"][name]
                    .as_str()
                    .map_or(Decimal::ZERO, |amount| amount.parse().unwrap())
            };
            sum += side("debit") - side("credit");
            assert_eq!(text(&line["balance"]).parse::<Decimal>().unwrap(), sum);
        }
    }
    books.assert_verified().await;
}
