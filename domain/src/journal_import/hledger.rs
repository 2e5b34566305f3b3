//! Reads hledger's language, as far as it is understood: transactions with prices, assertions of single balances, prices, declarations. What
//! would change what follows in ways that are not understood is refused, with its line: aliases, includes, default years and commodities,
//! automatic and periodic transactions, virtual postings, lots.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::syntax::{
    Amount, Assertion, Fault, Journal, Posting, Price, Transaction, commodity, date, meaningless,
    number,
};
use crate::error::Refusal;

#[derive(Default)]
struct Reader {
    journal: Journal,
    current: Option<Transaction>,
    /// Whether the directive above was refused, or has lines of its own that say nothing about amounts.
    is_passed: bool,
    is_comment: bool,
}

/// Reads a journal.
pub(super) fn read(text: &str) -> Journal {
    let mut reader = Reader::default();
    for (place, line) in (1..).zip(text.lines()) {
        if let Err(refusal) = reader.line(place, line) {
            reader.journal.faults.push(Fault::new(place, refusal));
        }
    }
    reader.end_transaction();
    reader.journal
}

impl Reader {
    fn line(&mut self, place: u32, line: &str) -> Result<(), Refusal> {
        if self.is_comment {
            self.is_comment = line.trim() != "end comment";
            return Ok(());
        }
        let is_indented = line.starts_with([' ', '\t']);
        let content = line.trim();
        if content.is_empty() {
            self.end_transaction();
            return Ok(());
        }
        if content.starts_with(';') || (!is_indented && content.starts_with(['#', '*'])) {
            return Ok(());
        }
        if is_indented {
            return self.indented(place, content);
        }
        self.end_transaction();
        self.is_passed = true;
        self.directive(place, content)
    }

    fn directive(&mut self, place: u32, content: &str) -> Result<(), Refusal> {
        let (first, rest) = word(content);
        match first {
            "comment" => self.is_comment = true,
            "account" | "commodity" | "payee" | "tag" => {}
            "decimal-mark" if rest == "." => {}
            "P" => {
                let (day, rest) = word(rest);
                let (name, rest) = word(rest);
                date(day).ok_or_else(|| meaningless("", content))?;
                commodity(name.trim_matches('"'))?;
                amount(rest)?;
            }
            _ => {
                let day = date(first).ok_or_else(|| meaningless("", content))?;
                self.current = Some(transaction(place, day, rest));
                self.is_passed = false;
            }
        }
        Ok(())
    }

    fn indented(&mut self, place: u32, content: &str) -> Result<(), Refusal> {
        let behind = self.journal.transactions.len();
        let Some(transaction) = &mut self.current else {
            return if self.is_passed {
                Ok(())
            } else {
                Err(meaningless("", content))
            };
        };
        let content = content.split_once(';').map_or(content, |(it, _)| it).trim();
        let (posting, asserted) = posting(place, content)?;
        if let Some(amount) = asserted {
            self.journal.assertions.push(Assertion {
                line: place,
                date: transaction.date,
                account: posting.account.clone(),
                amount,
                tolerance: Decimal::ZERO,
                behind: Some(behind),
            });
        }
        transaction.postings.push(posting);
        Ok(())
    }

    fn end_transaction(&mut self) {
        self.journal.transactions.extend(self.current.take());
    }
}

fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim())
}

/// Behind the day: whether it is settled, a code in brackets, what it is about, and a comment.
fn transaction(line: u32, day: NaiveDate, rest: &str) -> Transaction {
    let rest = rest.split_once(';').map_or(rest, |(rest, _)| rest).trim();
    let rest = rest.strip_prefix(['*', '!']).unwrap_or(rest).trim_start();
    let rest = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, rest)) => rest,
        None => rest,
    };
    Transaction {
        line,
        date: day,
        description: rest.trim().to_owned(),
        postings: Vec::new(),
    }
}

/// A posting, and what its account is said to have behind it. The name of an account ends at two blanks or a tab.
fn posting(line: u32, content: &str) -> Result<(Posting, Option<Amount>), Refusal> {
    let content = content
        .strip_prefix(['*', '!'])
        .unwrap_or(content)
        .trim_start();
    let end = content.find("  ").unwrap_or(content.len());
    let end = content.find('\t').map_or(end, |tab| tab.min(end));
    let (account, rest) = content.split_at(end);
    let account = account.trim();
    let steps = account.split(':');
    let is_name = !account.starts_with(['(', '['])
        && steps
            .map(str::trim)
            .all(|step| !step.is_empty() && !step.chars().any(char::is_control));
    if !is_name {
        return Err(meaningless("account", account));
    }
    let rest = rest.trim();
    let (rest, asserted) = match rest.split_once('=') {
        // Several commodities, or accounts below.
        Some((_, asserted)) if asserted.starts_with(['=', '*']) => {
            return Err(meaningless("balance", asserted));
        }
        // What is to be assigned.
        Some((before, asserted)) if before.trim().is_empty() => {
            return Err(meaningless("balance", asserted));
        }
        Some((before, asserted)) => (before.trim(), Some(amount(asserted)?)),
        None => (rest, None),
    };
    let account = account.to_owned();
    if rest.is_empty() {
        let posting = Posting {
            line,
            account,
            amount: None,
            price: None,
        };
        return Ok((posting, None));
    }
    let (text, price) = match rest.split_once("@@") {
        Some((text, total)) => (text, Some(Price::Total(amount(total)?))),
        None => match rest.split_once('@') {
            Some((text, unit)) => (text, Some(Price::Unit(amount(unit)?))),
            None => (rest, None),
        },
    };
    if let Some(Price::Unit(price) | Price::Total(price)) = &price
        && price.number.is_sign_negative()
        && !price.number.is_zero()
    {
        return Err(meaningless("price", &price.number.to_string()));
    }
    let posting = Posting {
        line,
        account,
        amount: Some(amount(text)?),
        price,
    };
    Ok((posting, asserted))
}

/// A number with its commodity in front or behind, which is in quotes when it is more than letters.
fn amount(text: &str) -> Result<Amount, Refusal> {
    let text = text.trim();
    let wrong = || meaningless("amount", text);
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest.trim_start()),
        None => ("", text.strip_prefix('+').unwrap_or(text).trim_start()),
    };
    let is_number = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | ',');
    let (digits, name) = if rest.starts_with(is_number) {
        let end = rest.find(|letter| !is_number(letter));
        rest.split_at(end.unwrap_or(rest.len()))
    } else if let Some(quoted) = rest.strip_prefix('"') {
        let (name, digits) = quoted.split_once('"').ok_or_else(wrong)?;
        (digits, name)
    } else {
        let end = rest.find(|letter: char| is_number(letter) || matches!(letter, '-' | '+'));
        let (name, digits) = rest.split_at(end.ok_or_else(wrong)?);
        (digits, name)
    };
    let digits = digits.trim();
    if !sign.is_empty() && digits.starts_with(['-', '+']) {
        return Err(wrong());
    }
    let name = name.trim();
    let unquoted = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    Ok(Amount {
        number: number(&format!("{sign}{digits}"))?,
        commodity: commodity(unquoted.unwrap_or(name))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for text in [
            "-1,234.50 USD",
            "USD -1234.50",
            "-USD 1234.50",
            "- 1234.50 \"USD\"",
            "\"USD\" -1,234.50",
            "-1234.50USD",
        ] {
            let amount = amount(text).unwrap();
            assert_eq!(
                (amount.number, amount.commodity.as_str()),
                (Decimal::new(-123_450, 2), "USD"),
                "{text}"
            );
        }
        for wrong in [
            "",
            "12",
            "USD",
            "1.2.3 USD",
            "--1 USD",
            "-USD -1",
            "$12",
            "1 usd",
            "1 U D",
        ] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_journal_is_read() {
        let text = "decimal-mark .\ncommodity 1000.00 USD\n  format 1.00 USD\naccount assets:cash box  ; type: A\nP 2020-01-01 EUR 1.1 USD\n\
                    comment\n  anything\nend comment\n2020/1/2 * (12) Shop  ; note\n  ! assets:cash box  -10 USD = 5.00 USD ; x\n  ; more\n\
                    \texpenses:food\t7 EUR @@ 10 USD\n  income:rest\n";
        let journal = read(text);
        assert_eq!(journal.faults, []);
        let [transaction] = &journal.transactions[..] else {
            panic!("{journal:?}")
        };
        assert_eq!(transaction.description, "Shop");
        let accounts: Vec<_> = transaction
            .postings
            .iter()
            .map(|posting| posting.account.as_str())
            .collect();
        assert_eq!(
            accounts,
            ["assets:cash box", "expenses:food", "income:rest"]
        );
        assert_eq!(journal.assertions[0].amount.number, Decimal::new(500, 2));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        for (text, line) in [
            ("include other.journal", 1),
            ("alias a=b", 1),
            ("Y2020", 1),
            ("D 1000.00 USD", 1),
            ("decimal-mark ,", 1),
            ("~ monthly\n  a  1 USD", 1),
            ("= expenses\n  a  1 USD", 1),
            ("2020-01-02 x\n  (a)  1 USD", 2),
            ("2020-01-02 x\n  a  1 USD {2 EUR}", 2),
            ("2020-01-02 x\n  a  = 1 USD", 2),
            ("2020-01-02=2020-01-03 x\n  a  1 USD", 1),
            ("02/03 x", 1),
        ] {
            let faults = read(text).faults;
            let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
            assert_eq!(lines, [line], "{text}");
            assert!(matches!(
                faults[0].refusal.code,
                Code::InvalidFormat | Code::UnknownCommodity
            ));
        }
    }
}
