//! Random entries against a small model in memory: balances at every day, and the ledgers, are what anybody would keep on paper.
//!
//! `STOCK_OPERATIONS` says how many, as for stock.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use tests::answer::Answer;

use super::{Books, LEDGER, TRIAL, pair, subsidiary::Named, text, told};

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

/// What each party owes, what of cash is held, and what nobody may fall below.
#[derive(Default)]
struct Drawer {
    cash: i64,
    owed: [i64; 2],
    /// Payments that are going to be made.
    holds: Vec<(Value, i64)>,
}

impl Drawer {
    fn held(&self) -> i64 {
        self.holds.iter().map(|(_, amount)| amount).sum()
    }
}

/// Most that a party may owe.
const LIMIT: i64 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_and_its_customers_are_what_paper_says() {
    let books = Books::open().await;
    let named = Named::of(&books).await;
    let parties = [named.party.clone(), named.other_party.clone()];
    let floor = json!({"accountId": books.id("1101"), "amount": "0"});
    books.manager.done("accountFloorSet", floor).await;
    for party in &parties {
        let limit = json!({"accountId": named.receivable, "subsidiaryId": party, "side": "CREDIT", "amount": (-LIMIT).to_string()});
        books.manager.done("accountFloorSet", limit).await;
    }
    let mut random = StdRng::seed_from_u64(21);
    let mut paper = Drawer::default();
    for _ in 0..operations() {
        let amount = random.random_range(1..200_i64);
        let party = random.random_range(0..2_usize);
        let text_of = amount.to_string();
        let below = |is_below: bool, answer: &Answer| {
            let expected = if is_below {
                pair("BELOW_FLOOR", "lines")
            } else {
                Vec::new()
            };
            assert_eq!(told(answer), expected, "{amount}");
            !is_below
        };
        match random.random_range(0..6) {
            0 => {
                let sale = named.sale(&books, "2026-05-01", &parties[party], &text_of);
                let answer = books.manager.change("journalPost", sale).await;
                if below(paper.owed[party] + amount > LIMIT, &answer) {
                    paper.owed[party] += amount;
                }
            }
            1 => {
                let paid = json!({"date": "2026-05-02", "lines": [books.line("1101", &text_of),
                    {"accountId": named.receivable, "credit": text_of, "subsidiaryId": parties[party]}]});
                let answer = books.manager.change("journalPost", paid).await;
                assert!(told(&answer).is_empty());
                paper.owed[party] -= amount;
                paper.cash += amount;
            }
            2 => {
                let lines = books.lines(&[("5201", &text_of), ("1101", &format!("-{amount}"))]);
                let spend = json!({"date": "2026-05-03", "lines": lines});
                let answer = books.manager.change("journalPost", spend).await;
                if below(paper.cash - paper.held() < amount, &answer) {
                    paper.cash -= amount;
                }
            }
            3 => {
                let lines = books.lines(&[("5201", &text_of), ("1101", &format!("-{amount}"))]);
                let answer = books
                    .manager
                    .change("journalHold", json!({"lines": lines}))
                    .await;
                if below(paper.cash - paper.held() < amount, &answer) {
                    let id = answer.data["journalHold"]["hold"]["id"].clone();
                    paper.holds.push((id, amount));
                }
            }
            choice if !paper.holds.is_empty() => {
                let place = random.random_range(0..paper.holds.len());
                let (id, held) = paper.holds.swap_remove(place);
                if choice == 4 {
                    books
                        .manager
                        .done("journalHoldVoid", json!({"id": id}))
                        .await;
                    continue;
                }
                let part = random.random_range(1..=held);
                let lines = json!([{"line": 1, "amount": part.to_string()}, {"line": 2, "amount": part.to_string()}]);
                let post = json!({"id": id, "date": "2026-05-04", "lines": lines});
                books.manager.done("journalHoldPost", post).await;
                paper.cash -= part;
            }
            _ => {}
        }
    }
    let query = "query($cash: ID!, $owed: ID!, $party: ID!) { account(id: $cash) { balances { balance pendingCredit available } } \
        owed: account(id: $owed) { balances(subsidiaryId: $party) { balance } } }";
    for (party, owed) in parties.iter().zip(paper.owed) {
        let variables = json!({"cash": books.id("1101"), "owed": named.receivable, "party": party});
        let told = books.manager.ok(query, variables).await;
        let cash = &told["account"]["balances"][0];
        let shown = |field: &str| text(&cash[field]).parse::<i64>().unwrap();
        assert_eq!(shown("balance"), paper.cash);
        assert_eq!(shown("pendingCredit"), paper.held());
        assert_eq!(shown("available"), paper.cash - paper.held());
        let balance = text(&told["owed"]["balances"][0]["balance"]);
        assert_eq!(balance.parse::<i64>().unwrap(), owed);
    }
    books.assert_verified().await;
}
