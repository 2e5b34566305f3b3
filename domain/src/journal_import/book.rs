//! From transactions to entries that balance in each commodity.
//!
//! Where something is counted in one commodity and paid in another, an account for conversions stands between: it gets what the one gives, and
//! gives what the other gets. At cost, amounts often do not come out to the last digit; what is left over goes to an account for rounding, as
//! exactly as it was left.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

use super::{
    chart::{CONVERSIONS, ROUNDING},
    syntax::{Amount, Assertion, Fault, Journal, Posting, Price, Transaction, half_of_last_digit},
};
use crate::error::{Code, Refusal};

/// Decimal places of any amount.
const PLACES: u32 = 6;

/// On which account an amount is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum On {
    /// The account of this name.
    Named(String),
    /// The one that stands between commodities.
    Conversions,
    /// The one of what is left over.
    Rounding,
}

/// A line of an entry to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Booked {
    pub(super) line: u32,
    pub(super) on: On,
    pub(super) commodity: String,
    /// Negative on the credit side.
    pub(super) amount: Decimal,
}

/// An entry to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) line: u32,
    pub(super) date: NaiveDate,
    pub(super) description: String,
    pub(super) lines: Vec<Booked>,
    /// The same for the same transaction, whichever file it is in.
    pub(super) key: String,
}

/// How fine amounts of a commodity are.
pub(super) type Scales = BTreeMap<String, u32>;

type Sums = BTreeMap<String, Decimal>;

/// Books a journal: its entries in the order of days, and all that is wrong with them. Commodities without a scale are not known.
pub(super) fn book(journal: &Journal, scales: &Scales) -> (Vec<Entry>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut entries = Vec::new();
    let mut booked = Vec::new();
    for transaction in &journal.transactions {
        match entry(transaction, scales) {
            Ok(lines) => {
                booked.push(lines.clone());
                if !lines.is_empty() {
                    entries.push(Entry {
                        line: transaction.line,
                        date: transaction.date,
                        description: transaction.description.clone(),
                        key: String::new(),
                        lines,
                    });
                }
            }
            Err(fault) => {
                faults.extend(fault);
                booked.push(Vec::new());
            }
        }
    }
    // What is asserted is known only when all that comes before it is.
    if faults.is_empty() {
        faults.extend(assertions(journal, &booked));
    }
    entries.sort_by_key(|entry| entry.date);
    give_keys(&mut entries);
    (entries, faults)
}

/// What an amount weighs when the transaction is balanced.
fn weight(amount: &Amount, price: Option<&Price>) -> Option<Amount> {
    let (number, commodity) = match price {
        None => (amount.number, &amount.commodity),
        Some(Price::Unit(price)) => (amount.number.checked_mul(price.number)?, &price.commodity),
        Some(Price::Total(price)) if amount.number.is_sign_negative() => {
            (-price.number, &price.commodity)
        }
        Some(Price::Total(price)) => (price.number, &price.commodity),
    };
    Some(Amount {
        number,
        commodity: commodity.clone(),
    })
}

fn entry(transaction: &Transaction, scales: &Scales) -> Result<Vec<Booked>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut lines = Vec::new();
    let (mut left, mut tolerances) = (Sums::new(), Sums::new());
    let mut is_converted = false;
    let mut missing: Option<&Posting> = None;
    for posting in &transaction.postings {
        let Some(amount) = &posting.amount else {
            if missing.replace(posting).is_some() {
                let refusal = Refusal::new(Code::Required, "amount");
                faults.push(Fault::new(posting.line, refusal));
            }
            continue;
        };
        if let Err(refusal) = check(&posting.account, amount, scales) {
            faults.push(Fault::new(posting.line, refusal));
            continue;
        }
        let Some(weight) = weight(amount, posting.price.as_ref()) else {
            let refusal = Refusal::new(Code::OutOfRange, "price");
            faults.push(Fault::new(
                posting.line,
                refusal.with("min", 0).with("max", Decimal::MAX),
            ));
            continue;
        };
        if !scales.contains_key(&weight.commodity) {
            let refusal = Refusal::new(Code::UnknownCommodity, "commodity");
            faults.push(Fault::new(
                posting.line,
                refusal.with("value", &weight.commodity),
            ));
            continue;
        }
        is_converted |= posting.price.is_some();
        *left.entry(weight.commodity).or_default() += weight.number;
        let tolerance = tolerances.entry(amount.commodity.clone()).or_default();
        *tolerance = half_of_last_digit(amount.number).max(*tolerance);
        lines.push(booked(posting, &amount.commodity, amount.number));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if let Some(posting) = missing {
        lines.extend(balancing(posting, &mut left, scales));
        // What is left of it is less than its commodities can say.
        for commodity in left.keys() {
            let scale = scales.get(commodity).copied().unwrap_or(PLACES);
            let tolerance = tolerances.entry(commodity.clone()).or_default();
            *tolerance = Decimal::new(5, scale + 1).max(*tolerance);
        }
    }
    let rounding = rounding(transaction, &left, &tolerances, is_converted)?;
    lines.extend(rounding);
    lines.retain(|line| !line.amount.is_zero());
    lines.extend(conversions(transaction, &lines));
    Ok(lines)
}

fn booked(posting: &Posting, commodity: &str, amount: Decimal) -> Booked {
    Booked {
        line: posting.line,
        on: On::Named(posting.account.clone()),
        commodity: commodity.to_owned(),
        amount,
    }
}

/// Whether there is such a commodity, and amounts of it are so fine on this account.
fn check(account: &str, amount: &Amount, scales: &Scales) -> Result<(), Refusal> {
    let Some(scale) = scales.get(&amount.commodity) else {
        let refusal = Refusal::new(Code::UnknownCommodity, "commodity");
        return Err(refusal.with("value", &amount.commodity));
    };
    // What we wrote of accounts for what is left over comes back as it was.
    let is_fine = [CONVERSIONS, ROUNDING].contains(&account);
    let scale = if is_fine { PLACES } else { *scale };
    if amount.number.normalize().scale() > scale {
        return Err(Refusal::new(Code::TooFine, "amount").with("max", scale));
    }
    Ok(())
}

/// What a posting without an amount has: as fine as its commodities are, of each that is left over.
fn balancing(posting: &Posting, left: &mut Sums, scales: &Scales) -> Vec<Booked> {
    let mut lines = Vec::new();
    for (commodity, left) in left {
        let scale = scales.get(commodity).copied().unwrap_or(PLACES);
        let amount = -left.round_dp(scale);
        *left += amount;
        lines.push(booked(posting, commodity, amount));
    }
    lines
}

/// Lines that take what is left over: nothing at all where nothing was converted, and otherwise less than half of the last digit.
fn rounding(
    transaction: &Transaction,
    left: &Sums,
    tolerances: &Sums,
    is_converted: bool,
) -> Result<Vec<Booked>, Vec<Fault>> {
    let mut lines = Vec::new();
    let mut faults = Vec::new();
    for (commodity, left) in left.iter().filter(|(_, left)| !left.is_zero()) {
        let tolerance = tolerances.get(commodity).copied().unwrap_or_default();
        if is_converted && left.abs() <= tolerance {
            lines.push(Booked {
                line: transaction.line,
                on: On::Rounding,
                commodity: commodity.clone(),
                amount: -left.round_dp(PLACES),
            });
        } else {
            faults.push(Fault::new(
                transaction.line,
                unbalanced(transaction, commodity),
            ));
        }
    }
    if faults.is_empty() {
        Ok(lines)
    } else {
        Err(faults)
    }
}

fn unbalanced(transaction: &Transaction, commodity: &str) -> Refusal {
    let (mut debit, mut credit) = (Decimal::ZERO, Decimal::ZERO);
    for posting in &transaction.postings {
        let amount = posting.amount.as_ref();
        let weight = amount.and_then(|amount| weight(amount, posting.price.as_ref()));
        match weight {
            Some(weight) if weight.commodity != commodity => {}
            Some(weight) if weight.number.is_sign_negative() => credit -= weight.number,
            Some(weight) => debit += weight.number,
            None => {}
        }
    }
    Refusal::new(Code::Unbalanced, "lines")
        .with("commodity", commodity)
        .with("debit", debit.normalize())
        .with("credit", credit.normalize())
}

/// Lines that make the entry balance in each commodity.
fn conversions(transaction: &Transaction, lines: &[Booked]) -> Vec<Booked> {
    let mut sums = Sums::new();
    for line in lines {
        *sums.entry(line.commodity.clone()).or_default() += line.amount;
    }
    sums.retain(|_, sum| !sum.is_zero());
    let lines = sums.into_iter().map(|(commodity, sum)| Booked {
        line: transaction.line,
        on: On::Conversions,
        commodity,
        amount: -sum,
    });
    lines.collect()
}

/// Compares what is asserted with what the transactions of the file come to.
fn assertions(journal: &Journal, booked: &[Vec<Booked>]) -> Vec<Fault> {
    let mut order: Vec<usize> = (0..journal.transactions.len()).collect();
    order.sort_by_key(|place| journal.transactions[*place].date);
    let mut asserted: Vec<&Assertion> = journal.assertions.iter().collect();
    asserted.sort_by_key(|assertion| (assertion.date, assertion.behind.is_some()));
    let mut sums: BTreeMap<&str, BTreeMap<&str, Decimal>> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut next = order.iter().copied().peekable();
    for assertion in asserted {
        let is_before = |place: usize| {
            let date = journal.transactions[place].date;
            match assertion.behind {
                // Up to the line of the assertion, lines of its own transaction as well.
                Some(behind) => date < assertion.date || date == assertion.date && place <= behind,
                None => date < assertion.date,
            }
        };
        let is_reached = |line: &Booked, place: usize| {
            assertion.behind != Some(place) || line.line <= assertion.line
        };
        while let Some(place) = next.peek().copied().filter(|place| is_before(*place)) {
            if assertion.behind == Some(place) {
                break;
            }
            next.next();
            add(&mut sums, booked[place].iter());
        }
        let mut actual = sum_of(&sums, assertion);
        if let Some(place) = assertion.behind {
            let own = booked.get(place).into_iter().flatten();
            let own = own.filter(|line| is_reached(line, place));
            actual += own
                .filter(|line| {
                    line.on == On::Named(assertion.account.clone())
                        && line.commodity == assertion.amount.commodity
                })
                .map(|line| line.amount)
                .sum::<Decimal>();
        }
        if (actual - assertion.amount.number).abs() > assertion.tolerance {
            let refusal = Refusal::new(Code::AssertionFailed, "balance")
                .with("account", &assertion.account)
                .with("commodity", &assertion.amount.commodity)
                .with("asserted", assertion.amount.number)
                .with("actual", actual.normalize());
            faults.push(Fault::new(assertion.line, refusal));
        }
    }
    faults
}

fn add<'a>(
    sums: &mut BTreeMap<&'a str, BTreeMap<&'a str, Decimal>>,
    lines: impl Iterator<Item = &'a Booked>,
) {
    for line in lines {
        if let On::Named(name) = &line.on {
            let of_account = sums.entry(name).or_default();
            *of_account.entry(&line.commodity).or_default() += line.amount;
        }
    }
}

/// What the account has; with all below it, where the assertion is of a day.
fn sum_of(sums: &BTreeMap<&str, BTreeMap<&str, Decimal>>, assertion: &Assertion) -> Decimal {
    let name = assertion.account.as_str();
    let below = format!("{name}:");
    let is_below = |account: &str| assertion.behind.is_none() && account.starts_with(&below);
    let accounts = sums
        .range(name..)
        .take_while(|(account, _)| account.starts_with(name));
    let accounts = accounts.filter(|(account, _)| **account == name || is_below(account));
    let commodity = assertion.amount.commodity.as_str();
    accounts
        .filter_map(|(_, of_account)| of_account.get(commodity))
        .sum()
}

/// An entry's key follows from what it says, and how many that say the same come before it.
fn give_keys(entries: &mut [Entry]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        let mut hash = Sha256::new();
        hash.update(format!("{}\n{}\n", entry.date, entry.description));
        for line in &entry.lines {
            let name = match &line.on {
                On::Named(name) => name,
                On::Conversions | On::Rounding => continue,
            };
            let amount = line.amount.normalize();
            hash.update(format!("{name}\n{amount} {}\n", line.commodity));
        }
        let digest = hash.finalize();
        let digest: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let twins = seen.entry(digest.clone()).or_default();
        *twins += 1;
        entry.key = format!("{digest}-{twins}");
    }
}

#[cfg(test)]
mod tests {
    use super::{super::beancount, super::hledger, *};

    fn scales() -> Scales {
        [("USD", 2), ("EUR", 2), ("VBMPX", 6)]
            .map(|(code, scale)| (code.to_owned(), scale))
            .into()
    }

    const OPEN: &str = "2020-01-01 open Assets:Cash\n2020-01-01 open Assets:Cash:Box\n2020-01-01 open Assets:Shares\n2020-01-01 open Income:Gains\n";

    fn beans(text: &str) -> (Vec<Entry>, Vec<Fault>) {
        let journal = beancount::read(&format!("{OPEN}{text}"));
        assert_eq!(journal.faults, []);
        book(&journal, &scales())
    }

    fn lines(entry: &Entry) -> Vec<(String, String)> {
        let name = |on: &On| match on {
            On::Named(name) => name.clone(),
            On::Conversions => "conversions".to_owned(),
            On::Rounding => "rounding".to_owned(),
        };
        let lines = entry.lines.iter();
        lines
            .map(|line| {
                (
                    name(&line.on),
                    format!("{} {}", line.amount.normalize(), line.commodity),
                )
            })
            .collect()
    }

    fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
        pairs
            .map(|(name, amount)| (name.to_owned(), amount.to_owned()))
            .into()
    }

    #[test]
    fn what_is_bought_goes_through_conversions_and_what_is_left_over_to_rounding() {
        let (entries, faults) = beans(
            "2020-02-01 * \"x\"\n  Assets:Shares  3.123 VBMPX {33.33 USD}\n  Assets:Cash  -104.09 USD\n",
        );
        assert_eq!(faults, []);
        // 3.123 × 33.33 is 104.08959.
        assert_eq!(
            lines(&entries[0]),
            pairs([
                ("Assets:Shares", "3.123 VBMPX"),
                ("Assets:Cash", "-104.09 USD"),
                ("rounding", "0.00041 USD"),
                ("conversions", "104.08959 USD"),
                ("conversions", "-3.123 VBMPX"),
            ])
        );
    }

    #[test]
    fn a_smallest_unit_too_much_is_too_much() {
        for text in [
            "  Assets:Cash  10.00 USD\n  Income:Gains  -9.99 USD\n",
            "  Assets:Cash  10 USD\n  Income:Gains  -9.995 USD\n",
            "  Assets:Shares  1 VBMPX {10.00 USD}\n  Assets:Cash  -9.99 USD\n",
            "  Assets:Cash  1.00 USD\n",
        ] {
            let (_, faults) = beans(&format!("2020-02-01 * \"x\"\n{text}"));
            let codes: Vec<_> = faults.iter().map(|fault| fault.refusal.code).collect();
            assert!(
                codes == [Code::Unbalanced] || codes == [Code::TooFine],
                "{text}: {faults:?}"
            );
        }
    }

    #[test]
    fn one_amount_may_be_missing_and_not_two() {
        let (entries, _) = beans(
            "2020-02-01 * \"x\"\n  Assets:Shares  1 VBMPX {10.005 USD}\n  Assets:Cash  1 EUR\n  Income:Gains\n",
        );
        assert_eq!(
            lines(&entries[0]),
            pairs([
                ("Assets:Shares", "1 VBMPX"),
                ("Assets:Cash", "1 EUR"),
                ("Income:Gains", "-1 EUR"),
                ("Income:Gains", "-10 USD"),
                ("rounding", "-0.005 USD"),
                ("conversions", "10.005 USD"),
                ("conversions", "-1 VBMPX"),
            ])
        );
        let (_, faults) =
            beans("2020-02-01 * \"x\"\n  Assets:Cash  1 USD\n  Income:Gains\n  Assets:Shares\n");
        assert_eq!(faults[0].refusal.code, Code::Required);
        assert_eq!(faults[0].line, 8);
    }

    #[test]
    fn what_is_asserted_is_looked_up() {
        let entry = "2020-02-01 * \"x\"\n  Assets:Cash:Box  10.00 USD\n  Income:Gains\n";
        for (day, amount, is_so) in [
            ("2020-02-01", "0.00", true),
            ("2020-02-02", "10.00", true),
            ("2020-02-02", "10.01", true),
            ("2020-02-02", "10.02", false),
            ("2020-02-02", "10", true),
            ("2020-02-01", "10", false),
        ] {
            for account in ["Assets:Cash", "Assets:Cash:Box"] {
                let text = format!("{day} balance {account}  {amount} USD\n{entry}");
                let (_, faults) = beans(&text);
                assert_eq!(faults.is_empty(), is_so, "{text}: {faults:?}");
            }
        }
        let text = |second: &str| {
            format!(
                "2020-02-02 x\n  a  1 USD = 4 USD\n  b  -1 USD\n\n2020-02-01 x\n  a  3 USD = 3 USD\n  a  1 USD = {second} USD\n  a  -1 USD\n  b  -3 USD\n"
            )
        };
        let check = |second: &str| {
            let journal = hledger::read(&text(second));
            book(&journal, &scales()).1
        };
        assert_eq!(check("4"), []);
        assert_eq!(check("3")[0].line, 7);
    }

    #[test]
    fn twins_have_keys_of_their_own() {
        let entry = "2020-02-01 * \"x\"\n  Assets:Cash  10.00 USD\n  Income:Gains\n\n";
        let (entries, _) = beans(&format!("{entry}{entry}"));
        let (again, _) = beans(&format!("{entry}{entry}{entry}"));
        assert_ne!(entries[0].key, entries[1].key);
        assert_eq!(entries[1].key, again[1].key);
    }
}
