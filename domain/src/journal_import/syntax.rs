//! What a plain-text journal says, whichever program wrote it, and the small words that both languages share.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{
    account::parse_commodity,
    error::{Code, Refusal},
};

/// Something wrong on a line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which line, from 1.
    pub line: u32,
    /// What is wrong there.
    pub refusal: Refusal,
}

impl Fault {
    pub(super) fn new(line: u32, refusal: Refusal) -> Self {
        Self { line, refusal }
    }
}

/// An amount of a commodity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) number: Decimal,
    pub(super) commodity: String,
}

/// What an amount has cost, or is worth in the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Price {
    /// One of it.
    Unit(Amount),
    /// All of it, whatever its sign.
    Total(Amount),
}

/// An amount on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Posting {
    pub(super) line: u32,
    pub(super) account: String,
    /// What balances the others without.
    pub(super) amount: Option<Amount>,
    /// At which the transaction balances.
    pub(super) price: Option<Price>,
}

/// Amounts that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transaction {
    pub(super) line: u32,
    pub(super) date: NaiveDate,
    pub(super) description: String,
    pub(super) postings: Vec<Posting>,
}

/// What somebody says an account has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assertion {
    pub(super) line: u32,
    pub(super) date: NaiveDate,
    pub(super) account: String,
    pub(super) amount: Amount,
    /// How much it may differ.
    pub(super) tolerance: Decimal,
    /// With all accounts below, before the transactions of the day; otherwise alone, behind so many transactions of the file.
    pub(super) behind: Option<usize>,
}

/// A journal as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Journal {
    /// In the order of the file.
    pub(super) transactions: Vec<Transaction>,
    pub(super) assertions: Vec<Assertion>,
    /// What could not be understood, in the order of the file.
    pub(super) faults: Vec<Fault>,
}

/// That these words mean nothing here.
pub(super) fn meaningless(path: &str, words: &str) -> Refusal {
    Refusal::new(Code::InvalidFormat, path).with("value", words.trim())
}

/// A commodity's code. Whether there is one such comes out later.
pub(super) fn commodity(text: &str) -> Result<String, Refusal> {
    // Lower case means another one to both programs.
    match parse_commodity("commodity", text) {
        Ok(code) if code == text => Ok(code),
        _ => Err(Refusal::new(Code::UnknownCommodity, "commodity").with("value", text)),
    }
}

/// An exact number: digits with commas between thousands, a point, and a sign.
pub(super) fn number(text: &str) -> Result<Decimal, Refusal> {
    let wrong = || meaningless("amount", text);
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let groups: Vec<_> = whole.split(',').collect();
    let are_thousands = groups.iter().skip(1).all(|group| group.len() == 3)
        && (groups.len() == 1 || (1..=3).contains(&groups[0].len()));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = are_thousands
        && groups.iter().all(|group| is_digits(group))
        && is_digits(fraction)
        && whole.len() + fraction.len() > 0;
    if !fits {
        return Err(wrong());
    }
    let plain = text.replace(',', "");
    let plain = plain.strip_suffix('.').unwrap_or(&plain);
    Decimal::from_str_exact(plain).map_err(|_too_long| wrong())
}

/// A day with `-`, `/` or `.` between its parts.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let separator = ['-', '/', '.'].into_iter().find(|it| text.contains(*it))?;
    let mut parts = text.split(separator);
    let mut part = |most: usize| -> Option<u32> {
        let part = parts.next()?;
        let fits =
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| part.parse().ok()).flatten()
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    (parts.next().is_none() && year >= 1000).then_some(date)
}

/// Half of the last digit of a number: how much amounts that were written as finely may be off. Whole numbers are exact.
pub(super) fn half_of_last_digit(number: Decimal) -> Decimal {
    if number.scale() == 0 {
        Decimal::ZERO
    } else {
        Decimal::new(5, number.scale() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        for (text, value) in [
            ("1,234.50", "1234.50"),
            ("-0.000001", "-0.000001"),
            ("12.", "12"),
            (".5", "0.5"),
            ("+7", "7"),
        ] {
            assert_eq!(
                number(text).unwrap(),
                value.parse::<Decimal>().unwrap(),
                "{text}"
            );
        }
        for wrong in [
            "",
            ".",
            "-",
            "1,23",
            "12,34.5",
            ",123",
            "1e3",
            "1.2.3",
            "(1)",
            "1/2",
            "۱۲",
            "99999999999999999999999999999",
        ] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_are_days() {
        let day = NaiveDate::from_ymd_opt(2026, 2, 3);
        for text in ["2026-02-03", "2026/2/3", "2026.02.3"] {
            assert_eq!(date(text), day, "{text}");
        }
        for wrong in [
            "2026-02-30",
            "2026-02",
            "2026-02-03-1",
            "26-02-03",
            "2026-+2-03",
            "02/03",
            "",
        ] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }
}
