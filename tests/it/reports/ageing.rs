//! What is owed by age, against a model in memory that settles the oldest item first.

use std::collections::{BTreeMap, VecDeque};

use chrono::{Days, NaiveDate};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, shop::english};

use super::{decimal, export};

const PARTIES: usize = 7;

struct Owed {
    _app: TestApp,
    manager: Actor,
    cash: Value,
    receivable: Value,
    payable: Value,
    parties: Vec<Value>,
    /// Of each account and party, by day: what was debited, negative what was credited.
    posted: BTreeMap<(bool, usize), Vec<(NaiveDate, Decimal)>>,
    random: StdRng,
}

fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + Days::new(number)
}

impl Owed {
    async fn open() -> Self {
        let app = TestApp::builder().with_worker().start().await;
        let manager = app.manager().await;
        let chart = manager
            .done("accountTemplateApply", json!({"template": "JEWELLER"}))
            .await["accounts"]
            .take();
        let id = |code: &str| {
            let mut accounts = chart.as_array().unwrap().iter();
            accounts.find(|one| one["code"] == code).unwrap()["id"].clone()
        };
        let year = json!({"name": "2025", "startsOn": "2025-01-01", "endsOn": "2026-12-31"});
        manager.done("fiscalYearCreate", year).await;
        let mut made = Vec::new();
        for (code, parent) in [("1190", "11"), ("2190", "21")] {
            let account = json!({"code": code, "name": english(code), "parentId": id(parent), "subsidiaryKind": "PARTY"});
            made.push(manager.done("accountCreate", account).await["account"]["id"].clone());
        }
        let mut parties = Vec::new();
        for party in 0..PARTIES {
            let new =
                json!({"kind": "PARTY", "code": format!("P-{party}"), "name": english("Somebody")});
            let value = manager.done("dimensionValueCreate", new).await;
            parties.push(value["dimensionValue"]["id"].clone());
        }
        Self {
            _app: app,
            manager,
            cash: id("1101"),
            receivable: made[0].clone(),
            payable: made[1].clone(),
            parties,
            posted: BTreeMap::new(),
            random: StdRng::seed_from_u64(41),
        }
    }

    /// Somebody buys or pays, or we do.
    async fn post(&mut self, count: usize) {
        let mut entries = Vec::new();
        for _ in 0..count {
            let is_owed_to_us = self.random.random_bool(0.5);
            let party = self.random.random_range(0..PARTIES);
            let date = day(self.random.random_range(0..500));
            let amount = Decimal::new(self.random.random_range(1..100_000), 0);
            let is_debit = self.random.random_bool(0.5);
            let account = if is_owed_to_us {
                &self.receivable
            } else {
                &self.payable
            };
            let (side, other) = if is_debit {
                ("debit", "credit")
            } else {
                ("credit", "debit")
            };
            let lines = json!([
                {"accountId": account, "subsidiaryId": self.parties[party], side: amount.to_string()},
                {"accountId": self.cash, other: amount.to_string()}]);
            entries.push(json!({"date": date.to_string(), "lines": lines}));
            let amount = if is_debit { amount } else { -amount };
            let of = self.posted.entry((is_owed_to_us, party)).or_default();
            of.push((date, amount));
        }
        self.manager
            .done("journalPostBulk", json!({"entries": entries}))
            .await;
    }

    /// What a party owes at the end of a day, by age: positive on the debit side.
    fn on_paper(&self, which: (bool, usize), as_of: NaiveDate, limits: &[u64]) -> Vec<Decimal> {
        let mut posted: Vec<_> = self.posted.get(&which).cloned().unwrap_or_default();
        posted.retain(|(date, _)| *date <= as_of);
        // On the same day what is owed comes first, or what was paid would have nothing to settle.
        let balance: Decimal = posted.iter().map(|(_, amount)| *amount).sum();
        let is_owed = |amount: Decimal| amount.is_sign_positive() == balance.is_sign_positive();
        let mut open: VecDeque<_> = {
            let mut items: Vec<_> = posted
                .iter()
                .filter(|(_, amount)| is_owed(*amount))
                .copied()
                .collect();
            items.sort_by_key(|(date, _)| *date);
            items.into()
        };
        let mut paid: Decimal = posted
            .iter()
            .filter(|(_, amount)| !is_owed(*amount))
            .map(|(_, amount)| amount.abs())
            .sum();
        while !paid.is_zero() {
            let Some((date, amount)) = open.pop_front() else {
                break;
            };
            let settled = paid.min(amount.abs());
            paid -= settled;
            let rest = amount.abs() - settled;
            if !rest.is_zero() {
                open.push_front((
                    date,
                    if amount.is_sign_positive() {
                        rest
                    } else {
                        -rest
                    },
                ));
            }
        }
        let mut by_age = vec![Decimal::ZERO; limits.len() + 1];
        for (date, amount) in open {
            let age = u64::try_from((as_of - date).num_days()).unwrap();
            let place = limits.iter().position(|limit| age <= *limit);
            by_age[place.unwrap_or(limits.len())] += amount;
        }
        by_age
    }

    async fn pages(&self, arguments: &str) -> Vec<Value> {
        let (mut rows, mut after) = (Vec::new(), Value::Null);
        loop {
            let query = format!(
                "query($after: String) {{ agedBalances({arguments}, first: 3, after: $after) {{ pageInfo {{ hasNextPage endCursor }}
                     nodes {{ account {{ code }} subsidiary {{ code }} commodity balance amounts {{ from until amount }} }} }} }}"
            );
            let page =
                self.manager.ok(&query, json!({"after": after})).await["agedBalances"].take();
            rows.extend(page["nodes"].as_array().unwrap().clone());
            if page["pageInfo"]["hasNextPage"] == false {
                return rows;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

fn amounts(row: &Value) -> Vec<Decimal> {
    let amounts = row["amounts"].as_array().unwrap().iter();
    amounts.map(|age| decimal(&age["amount"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_as_old_as_on_paper_and_ties_to_the_ledgers() {
    let mut owed = Owed::open().await;
    owed.post(150).await;
    for (as_of, limits) in [
        (day(499), vec![30, 60, 90]),
        (day(300), vec![1]),
        (day(120), vec![7, 14, 21, 200]),
        (day(77), vec![]),
    ] {
        for (is_owed_to_us, owing, code) in
            [(true, "RECEIVABLE", "1190"), (false, "PAYABLE", "2190")]
        {
            let list: Vec<_> = limits.iter().map(u64::to_string).collect();
            let arguments = format!(
                "owing: {owing}, asOf: \"{as_of}\", limits: [{}]",
                list.join(", ")
            );
            let rows = owed.pages(&arguments).await;
            let mut sum = vec![Decimal::ZERO; limits.len() + 1];
            for party in 0..PARTIES {
                let paper = owed.on_paper((is_owed_to_us, party), as_of, &limits);
                let sign = if is_owed_to_us {
                    Decimal::ONE
                } else {
                    Decimal::NEGATIVE_ONE
                };
                let paper: Vec<_> = paper.into_iter().map(|amount| amount * sign).collect();
                let row = rows
                    .iter()
                    .find(|row| row["subsidiary"]["code"] == format!("P-{party}"));
                let told = row.map_or_else(|| vec![Decimal::ZERO; limits.len() + 1], amounts);
                assert_eq!(told, paper, "{owing} {as_of} {limits:?} P-{party}");
                for (sum, amount) in sum.iter_mut().zip(paper) {
                    *sum += amount;
                }
            }
            let query = format!(
                "{{ agedBalanceTotals({arguments}) {{ account {{ code }} balance amounts {{ from until amount }} }}
                    trialBalance(asOf: \"{as_of}\") {{ account {{ code }} balance }} }}"
            );
            let told = owed.manager.ok(&query, json!({})).await;
            let total = &told["agedBalanceTotals"][0];
            assert_eq!(amounts(total), sum);
            let trial = told["trialBalance"].as_array().unwrap().iter();
            let trial = trial
                .filter(|row| row["account"]["code"] == code)
                .map(|row| decimal(&row["balance"]));
            let sign = if is_owed_to_us {
                Decimal::ONE
            } else {
                Decimal::NEGATIVE_ONE
            };
            assert_eq!(decimal(&total["balance"]), trial.sum::<Decimal>() * sign);
            let ages: Vec<_> = total["amounts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|age| (age["from"].as_u64(), age["until"].as_u64()))
                .collect();
            let from = [0]
                .into_iter()
                .chain(limits.iter().map(|limit| limit + 1))
                .map(Some);
            let until = limits.iter().copied().map(Some).chain([None]);
            assert_eq!(ages, from.zip(until).collect::<Vec<_>>());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_owed_stays_as_it_was_known_and_goes_into_a_file() {
    let mut owed = Owed::open().await;
    owed.post(60).await;
    let query = "{ journalEntries(first: 1) { nodes { recordedAt } } }";
    let now =
        owed.manager.ok(query, json!({})).await["journalEntries"]["nodes"][0]["recordedAt"].clone();
    let now = now.as_str().unwrap();
    let arguments = format!("owing: RECEIVABLE, asOf: \"{}\"", day(499));
    let known = format!("{arguments}, asKnownAt: \"{now}\"");
    let before = owed.pages(&known).await;
    assert!(!before.is_empty());
    assert_eq!(owed.pages(&arguments).await, before);
    owed.post(60).await;
    assert_eq!(owed.pages(&known).await, before);
    assert_ne!(owed.pages(&arguments).await, before);
    let input =
        json!({"report": "AGED_RECEIVABLES", "asOf": [day(499)], "limits": [30], "asKnownAt": now});
    let (count, text) = export(&owed.manager, input).await;
    assert_eq!(usize::try_from(count).unwrap(), before.len());
    let mut lines = text.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .ends_with("account,name,subsidiary,commodity,balance,0-30,31-")
    );
    for (line, row) in lines.zip(&before) {
        let who = row["subsidiary"]["code"].as_str().unwrap();
        let balance = row["balance"].as_str().unwrap();
        assert!(
            line.starts_with(&format!("1190,1190,{who},IRR,{balance},")),
            "{line} {row}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_aged_is_refused() {
    let owed = Owed::open().await;
    let asked = async |arguments: &str| {
        let query = format!(
            "{{ agedBalances(owing: PAYABLE, asOf: \"2025-05-01\", {arguments}) {{ nodes {{ balance }} }} }}"
        );
        let answer = owed.manager.gql(&query, json!({})).await;
        let codes = answer.codes().into_iter();
        codes.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(asked("limits: [30, 30]").await, ["OUT_OF_RANGE"]);
    assert_eq!(asked("limits: [0]").await, ["OUT_OF_RANGE"]);
    assert_eq!(asked("limits: [-5]").await, ["OUT_OF_RANGE"]);
    assert_eq!(asked("limits: [4000]").await, ["OUT_OF_RANGE"]);
    assert_eq!(
        asked("limits: [1,2,3,4,5,6,7,8,9,10,11,12]").await,
        ["TOO_MANY"]
    );
    assert_eq!(
        asked("accountId: \"QWNjb3VudDowMTkzMDAwMDAwMDA3MDAwODAwMDAwMDAwMGFiY2RlZg\"").await,
        ["NOT_FOUND"]
    );
    let cash = owed.cash.as_str().unwrap();
    assert_eq!(
        asked(&format!("accountId: \"{cash}\"")).await,
        Vec::<String>::new()
    );
    let input = json!({"report": "AGED_PAYABLES", "asOf": ["2025-05-01"], "limits": [3, 2]});
    let told = owed.manager.not_done("reportExportCreate", input).await;
    assert_eq!(told, [("OUT_OF_RANGE".to_owned(), "limits.1".to_owned())]);
}
