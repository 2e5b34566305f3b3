//! What hledger and beancount say of journals that were imported and exported again, at 24 month ends: no difference.
//!
//! `make test` installs both. Where they are missing these tests fail: they are never passed over.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use chrono::NaiveDate;
use rand::{Rng, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use serde_json::json;
use tests::actor::Actor;

use super::{anything, balances, export, import, shop};

type Balances = BTreeMap<(String, String), Decimal>;

/// The last days of 24 months.
fn month_ends(first: (i32, u32)) -> Vec<String> {
    let first = NaiveDate::from_ymd_opt(first.0, first.1, 1).unwrap();
    (1..=24)
        .map(|month| {
            let day = first + chrono::Months::new(month);
            day.pred_opt().unwrap().to_string()
        })
        .collect()
}

fn output(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} does not run: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A program of beancount's.
fn beancount(program: &str) -> Command {
    let Ok(folder) = std::env::var("BEANCOUNT_BIN") else {
        panic!("BEANCOUNT_BIN is not set: run the tests by `make test`")
    };
    Command::new(Path::new(&folder).join(program))
}

/// What beancount says that accounts have, by day; and what was left over.
fn of_beancount(file: &Path, days: &[String]) -> (BTreeMap<String, Balances>, Balances) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracle/beancount_balances.py");
    let text = output(beancount("python").arg(script).arg(file).args(days));
    let mut by_day: BTreeMap<_, Balances> = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<_> = line.split(',').collect();
        let [day, account, commodity, amount] = cells[..] else {
            panic!("{line}")
        };
        let key = (account.to_owned(), commodity.to_owned());
        let amount: Decimal = amount.parse().unwrap();
        by_day
            .entry(day.to_owned())
            .or_default()
            .insert(key, amount);
    }
    let left = by_day.remove("residual").unwrap_or_default();
    (by_day, left)
}

/// What hledger says at the end of a day. `report` is `balance`, `balancesheetequity` or `incomestatement`.
fn of_hledger(file: &Path, report: &[&str]) -> Balances {
    let mut command = Command::new("hledger");
    command.arg("-f").arg(file).args(report);
    command.args(["-N", "--flat", "-O", "csv", "--layout", "bare"]);
    let text = output(&mut command);
    let mut balances = Balances::new();
    for line in text.lines() {
        let cells: Vec<_> = line
            .trim_matches('"')
            .split("\",\"")
            .map(str::to_owned)
            .collect();
        if let [account, commodity, amount] = &cells[..]
            && let Ok(amount) = amount.parse::<Decimal>()
            && !amount.is_zero()
        {
            balances.insert((account.clone(), commodity.clone()), amount);
        }
    }
    balances
}

/// Only what is compared with a file that knows of no conversions.
fn real(balances: &Balances) -> Balances {
    let own = ["Equity:Conversions", "Equity:Rounding"];
    let real = balances
        .iter()
        .filter(|((name, _), _)| !own.contains(&name.as_str()));
    real.map(|(key, amount)| (key.clone(), *amount)).collect()
}

/// The balance sheet, or the profit and loss account, by account: on the debit side.
async fn statement(manager: &Actor, field: &str, arguments: &str, debit: &[&str]) -> Balances {
    let query = format!(
        "{{ {field}({arguments}) {{ section line account {{ externalReference }} commodity amounts }} }}"
    );
    let rows = manager.ok(&query, json!({})).await[field].take();
    let rows = rows.as_array().unwrap().iter();
    let rows = rows.filter(|row| row["line"] == "ACCOUNT").map(|row| {
        let name = row["account"]["externalReference"].as_str().unwrap();
        let amount = super::decimal(&row["amounts"][0]);
        let is_debit = debit.contains(&row["section"].as_str().unwrap());
        let amount = if is_debit { amount } else { -amount };
        let commodity = row["commodity"].as_str().unwrap();
        ((name.to_owned(), commodity.to_owned()), amount)
    });
    rows.filter(|(_, amount)| !amount.is_zero()).collect()
}

fn of_kinds(balances: &Balances, kinds: &[&str]) -> Balances {
    let of = balances.iter().filter(|((name, _), _)| {
        let first = name.split(':').next().unwrap().to_lowercase();
        kinds.contains(&first.as_str())
    });
    of.map(|(key, amount)| (key.clone(), *amount)).collect()
}

fn keys(balances: &Balances) -> Vec<(String, String, String)> {
    let keys = balances.iter();
    keys.map(|((name, commodity), amount)| {
        (
            name.clone(),
            commodity.clone(),
            amount.normalize().to_string(),
        )
    })
    .collect()
}

/// Our books, written as both programs read them.
struct Files {
    _folder: tempfile::TempDir,
    hledger: PathBuf,
    hledger_text: String,
    beancount: PathBuf,
    beancount_text: String,
}

async fn written(manager: &Actor, entries: i64) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let journal = |format: &str| json!({"report": "JOURNAL", "columns": [{"until": "2026-12-31"}], "format": format});
    let (count, hledger_text) = export(manager, journal("HLEDGER")).await;
    assert_eq!(count, entries);
    let hledger = folder.path().join("ours.journal");
    fs::write(&hledger, &hledger_text).unwrap();
    let (count, beancount_text) = export(manager, journal("BEANCOUNT")).await;
    assert_eq!(count, entries);
    let beancount = folder.path().join("ours.beancount");
    fs::write(&beancount, &beancount_text).unwrap();
    Files {
        _folder: folder,
        hledger,
        hledger_text,
        beancount,
        beancount_text,
    }
}

/// At the end of each day, both programs say of our files what our reports say: the trial balance, the balance sheet, and profit and loss since
/// January.
async fn all_agree(manager: &Actor, files: &Files, days: &[String]) {
    let (by_day, none) = of_beancount(&files.beancount, days);
    assert!(none.values().all(Decimal::is_zero), "{none:?}");
    for day in days {
        let ours = balances(manager, day).await;
        assert_eq!(keys(&ours), keys(&by_day[day]), "{day}: beancount");
        let next = day.parse::<NaiveDate>().unwrap().succ_opt().unwrap();
        let end = next.to_string();
        let trial = of_hledger(&files.hledger, &["balance", "-e", &end]);
        assert_eq!(keys(&ours), keys(&trial), "{day}: hledger");
        let sheet = format!("asOf: [\"{day}\"]");
        let sheet = statement(manager, "balanceSheet", &sheet, &["ASSETS"]).await;
        let kinds = ["assets", "liabilities", "equity"];
        let expected = keys(&of_kinds(&trial, &kinds));
        assert_eq!(keys(&sheet), expected, "{day}: balance sheet");
        let from = format!("{}-01-01", &day[..4]);
        let columns = format!("columns: [{{from: \"{from}\", until: \"{day}\"}}]");
        let earned = statement(manager, "profitAndLoss", &columns, &["EXPENSES"]).await;
        let income = ["balance", "-b", &from, "-e", &end, "type:rx"];
        let income = of_hledger(&files.hledger, &income);
        assert_eq!(keys(&earned), keys(&income), "{day}: profit and loss");
    }
}

/// What we wrote is read by other shops, in both languages.
async fn all_come_back(manager: &Actor, files: &Files, day: &str) {
    let ours = balances(manager, day).await;
    for (text, format) in [
        (&files.hledger_text, "HLEDGER"),
        (&files.beancount_text, "BEANCOUNT"),
    ] {
        let (_other, theirs) = shop().await;
        let done = import(&theirs, text, anything(format)).await;
        assert_eq!(done["state"], "DONE", "{done}");
        let theirs = balances(&theirs, day).await;
        assert_eq!(keys(&theirs), keys(&ours), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_in_beancount_is_imported_and_both_programs_agree() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original.beancount");
    let arguments = "--date-begin 2000-01-01 --date-end 2026-01-01 --date-birth 1980-05-05 -s 42";
    let text = output(beancount("bean-example").args(arguments.split(' ')));
    fs::write(&original, &text).unwrap();
    let (_app, manager) = shop().await;
    let begun = std::time::Instant::now();
    let done = import(&manager, &text, anything("BEANCOUNT")).await;
    println!("29,584 postings imported in {:?}", begun.elapsed());
    assert_eq!(done["state"], "DONE", "{done}");
    assert_eq!(done["posted"], 9_567);
    let days = month_ends((2023, 11));
    let (by_day, left) = of_beancount(&original, &days);
    // What was left over is booked, all of it, on the other side.
    let usd = ("Equity:Rounding".to_owned(), "USD".to_owned());
    let left = left[&(String::new(), "USD".to_owned())];
    assert_eq!(left.abs(), "0.08115".parse::<Decimal>().unwrap());
    let all = balances(&manager, "2026-12-31").await;
    assert_eq!(all[&usd], -left);
    assert_eq!(
        done["rounding"][0]["amount"],
        all[&usd].normalize().to_string()
    );
    for day in &days {
        let ours = balances(&manager, day).await;
        assert_eq!(
            keys(&real(&ours)),
            keys(&by_day[day]),
            "{day}: its own file"
        );
    }
    let files = written(&manager, 9_567).await;
    all_agree(&manager, &files, &days).await;
    // Once more, and nothing is posted twice.
    let again = import(&manager, &text, anything("BEANCOUNT")).await;
    assert_eq!(
        (&again["posted"], &again["present"]),
        (&json!(0), &json!(9_567))
    );
    all_come_back(&manager, &files, days.last().unwrap()).await;
}

/// A journal of whatever: some accounts of each kind, two currencies, shares and gold, each balanced in an entry.
fn random_journal(random: &mut StdRng, entries: usize) -> String {
    const ACCOUNTS: [&str; 9] = [
        "Assets:Cash",
        "Assets:Bank:Corner-Street",
        "Assets:Safe",
        "Liabilities:Card",
        "Equity:Opening-Balances",
        "Income:Sales",
        "Income:Gifts",
        "Expenses:Rent",
        "Expenses:Food:Market",
    ];
    const COMMODITIES: [(&str, u32); 4] = [("USD", 2), ("JPY", 0), ("GOLD", 6), ("SHARES", 3)];
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let mut text = String::new();
    for entry in 0..entries {
        let day = first + chrono::Days::new(random.random_range(0..731));
        text.push_str(&format!("{day} * Whatever {entry}\n"));
        for _ in 0..random.random_range(1..=2) {
            let (commodity, scale) = COMMODITIES[random.random_range(0..COMMODITIES.len())];
            let mut rest = Decimal::ZERO;
            let count = random.random_range(1..=4);
            for line in 0..=count {
                let any = Decimal::new(random.random_range(-1_000_000..1_000_000), scale);
                let amount = if line == count { -rest } else { any };
                if amount.is_zero() {
                    continue;
                }
                rest += amount;
                let account = ACCOUNTS[random.random_range(0..ACCOUNTS.len())];
                text.push_str(&format!("  {account}  {amount} {commodity}\n"));
            }
        }
        text.push('\n');
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn random_journals_are_imported_and_both_programs_agree() {
    for seed in [5, 11] {
        let text = random_journal(&mut StdRng::seed_from_u64(seed), 600);
        let folder = tempfile::tempdir().unwrap();
        let original = folder.path().join("original.journal");
        fs::write(&original, &text).unwrap();
        let (_app, manager) = shop().await;
        let done = import(&manager, &text, anything("HLEDGER")).await;
        assert_eq!(
            (&done["state"], &done["posted"]),
            (&json!("DONE"), &json!(600)),
            "{done}"
        );
        let days = month_ends((2024, 1));
        for day in &days {
            let next = day.parse::<NaiveDate>().unwrap().succ_opt().unwrap();
            let theirs = of_hledger(&original, &["balance", "-e", &next.to_string()]);
            let ours = balances(&manager, day).await;
            assert_eq!(keys(&ours), keys(&theirs), "{seed} {day}: its own file");
        }
        let files = written(&manager, 600).await;
        all_agree(&manager, &files, &days).await;
        all_come_back(&manager, &files, days.last().unwrap()).await;
    }
}
