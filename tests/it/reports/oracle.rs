//! What hledger and beancount say of journals that were imported and exported again, at 24 month ends: no difference.
//!
//! `make test` installs both. Where they are missing these tests fail: they are never passed over.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use rust_decimal::Decimal;
use serde_json::json;

use super::{anything, balances, export, import, shop};

type Balances = BTreeMap<(String, String), Decimal>;

/// The last days of 24 months.
fn month_ends(first: (i32, u32)) -> Vec<String> {
    let first = chrono::NaiveDate::from_ymd_opt(first.0, first.1, 1).unwrap();
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
    let folder =
        std::env::var("BEANCOUNT_BIN").expect("BEANCOUNT_BIN: run the tests by `make test`");
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
async fn statement(
    manager: &tests::actor::Actor,
    field: &str,
    arguments: &str,
    debit: &[&str],
) -> Balances {
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
        let first = name.split(':').next().unwrap();
        kinds.contains(&first)
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
    let ours = balances(&manager, days.last().unwrap()).await;
    let left = left[&(String::new(), "USD".to_owned())];
    assert_eq!(left.abs(), "0.08115".parse::<Decimal>().unwrap());
    let all = balances(&manager, "2026-12-31").await;
    assert_eq!(all[&usd], -left);
    assert_eq!(
        done["rounding"][0]["amount"],
        all[&usd].normalize().to_string()
    );
    drop(ours);
    let journal =
        json!({"report": "JOURNAL", "columns": [{"until": "2026-12-31"}], "format": "HLEDGER"});
    let (count, hledger) = export(&manager, journal.clone()).await;
    assert_eq!(count, 9_567);
    let hledger_file = folder.path().join("ours.journal");
    fs::write(&hledger_file, &hledger).unwrap();
    let mut again = journal;
    again["format"] = json!("BEANCOUNT");
    let (_, beans) = export(&manager, again).await;
    let beans_file = folder.path().join("ours.beancount");
    fs::write(&beans_file, &beans).unwrap();
    let (ours_by_day, none) = of_beancount(&beans_file, &days);
    assert!(none.values().all(Decimal::is_zero), "{none:?}");
    for day in &days {
        let ours = balances(&manager, day).await;
        assert_eq!(
            keys(&real(&ours)),
            keys(&by_day[day]),
            "{day}: beancount's own file"
        );
        assert_eq!(
            keys(&ours),
            keys(&ours_by_day[day]),
            "{day}: our file in beancount"
        );
        let next = day
            .parse::<chrono::NaiveDate>()
            .unwrap()
            .succ_opt()
            .unwrap();
        let end = next.to_string();
        let trial = of_hledger(&hledger_file, &["balance", "-e", &end]);
        assert_eq!(keys(&ours), keys(&trial), "{day}: hledger's balance");
        let year = &day[..4];
        let (from, sheet) = (format!("{year}-01-01"), format!("asOf: [\"{day}\"]"));
        let sheet = statement(&manager, "balanceSheet", &sheet, &["ASSETS"]).await;
        let kinds = ["Assets", "Liabilities", "Equity"];
        assert_eq!(
            keys(&sheet),
            keys(&of_kinds(&trial, &kinds)),
            "{day}: balance sheet"
        );
        let columns = format!("columns: [{{from: \"{from}\", until: \"{day}\"}}]");
        let earned = statement(&manager, "profitAndLoss", &columns, &["EXPENSES"]).await;
        let income = of_hledger(
            &hledger_file,
            &["balance", "-b", &from, "-e", &end, "type:rx"],
        );
        assert_eq!(keys(&earned), keys(&income), "{day}: profit and loss");
    }
    // Once more, and nothing is posted twice.
    let again = import(&manager, &text, anything("BEANCOUNT")).await;
    assert_eq!(
        (&again["posted"], &again["present"]),
        (&json!(0), &json!(9_567))
    );
    // What we wrote is read by another shop, in both languages.
    let last = days.last().unwrap();
    let ours = balances(&manager, last).await;
    for (text, format) in [(&hledger, "HLEDGER"), (&beans, "BEANCOUNT")] {
        let (_other, theirs) = shop().await;
        let done = import(&theirs, text, anything(format)).await;
        assert_eq!(done["state"], "DONE", "{done}");
        assert_eq!(
            keys(&balances(&theirs, last).await),
            keys(&ours),
            "{format}"
        );
    }
}
