//! Reads beancount's language, as far as it is understood: transactions with costs and prices, openings, closings, balances, prices, and
//! whatever says nothing about amounts. What would change amounts in ways that are not understood is refused, with its line: pads, plugins,
//! includes, lots that are to be found, arithmetic.

use std::collections::HashMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::syntax::{
    Amount, Assertion, Fault, Journal, Posting, Price, Transaction, commodity, date,
    half_of_last_digit, meaningless, number,
};
use crate::error::{Code, Refusal};

/// From when to when an account is open.
#[derive(Default)]
struct Opened {
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
}

#[derive(Default)]
struct Reader {
    journal: Journal,
    opened: HashMap<String, Opened>,
    /// The transaction that indented lines belong to.
    current: Option<Transaction>,
    /// Whether the directive above was refused: then what belongs to it says nothing.
    is_refused: bool,
}

/// Reads a journal.
pub(super) fn read(text: &str) -> Journal {
    let mut reader = Reader::default();
    for (place, line) in (1..).zip(text.lines()) {
        if let Err(refusal) = reader.line(place, line) {
            reader.refuse(place, refusal);
        }
    }
    reader.end_transaction();
    reader.check_opened();
    let mut journal = reader.journal;
    journal.faults.sort_by_key(|fault| fault.line);
    journal
}

impl Reader {
    fn refuse(&mut self, line: u32, refusal: Refusal) {
        self.journal.faults.push(Fault::new(line, refusal));
    }

    fn line(&mut self, place: u32, line: &str) -> Result<(), Refusal> {
        let is_indented = line.starts_with([' ', '\t']);
        let content = without_comment(line).trim();
        if content.is_empty() {
            // An empty line ends a transaction, one with nothing but a comment does not.
            if line.trim().is_empty() {
                self.end_transaction();
            }
            return Ok(());
        }
        if is_indented {
            return self.indented(place, content);
        }
        self.end_transaction();
        self.is_refused = false;
        let done = self.directive(place, line, content);
        self.is_refused = done.is_err();
        done
    }

    fn directive(&mut self, place: u32, line: &str, content: &str) -> Result<(), Refusal> {
        // Headings of outlines, which beancount passes over.
        if line.starts_with(['*', ':', '#', '!', '&', '?', '%']) {
            return Ok(());
        }
        let (first, rest) = word(content);
        match first {
            "option" | "pushtag" | "poptag" | "pushmeta" | "popmeta" => return Ok(()),
            _ => {}
        }
        let day = date(first).ok_or_else(|| meaningless("", content))?;
        let (kind, rest) = word(rest);
        match kind {
            "open" => self.open(day, rest),
            "close" => self.close(day, rest),
            "balance" => self.balance(place, day, rest),
            "price" => {
                let (code, rest) = word(rest);
                commodity(code)?;
                amount(rest).map(drop)
            }
            "commodity" | "event" | "note" | "document" | "query" | "custom" => Ok(()),
            "*" | "!" | "txn" => self.transaction(place, day, rest),
            _ => Err(meaningless("", content)),
        }
    }

    fn open(&mut self, day: NaiveDate, rest: &str) -> Result<(), Refusal> {
        let name = account(word(rest).0)?;
        let opened = self.opened.entry(name.clone()).or_default();
        if opened.from.is_some() {
            return Err(Refusal::new(Code::AlreadyTaken, "account").with("value", name));
        }
        opened.from = Some(day);
        Ok(())
    }

    fn close(&mut self, day: NaiveDate, rest: &str) -> Result<(), Refusal> {
        let name = account(word(rest).0)?;
        self.opened.entry(name).or_default().until = Some(day);
        Ok(())
    }

    fn balance(&mut self, place: u32, day: NaiveDate, rest: &str) -> Result<(), Refusal> {
        let (name, rest) = word(rest);
        let account = account(name)?;
        let (amount, tolerance) = match rest.split_once('~') {
            Some((text, rest)) => {
                let (tolerance, code) = word(rest);
                let amount = Amount {
                    number: number(text.trim())?,
                    commodity: commodity(code)?,
                };
                (amount, number(tolerance)?)
            }
            None => {
                let amount = amount(rest)?;
                let tolerance = half_of_last_digit(amount.number) * Decimal::TWO;
                (amount, tolerance)
            }
        };
        self.journal.assertions.push(Assertion {
            line: place,
            date: day,
            account,
            amount,
            tolerance,
            behind: None,
        });
        Ok(())
    }

    fn transaction(&mut self, place: u32, day: NaiveDate, rest: &str) -> Result<(), Refusal> {
        let mut texts = Vec::new();
        let mut rest = rest.trim();
        while rest.starts_with('"') {
            let (text, behind) = string(rest)?;
            texts.push(text);
            rest = behind.trim_start();
        }
        let are_tags = rest
            .split_whitespace()
            .all(|tag| tag.len() > 1 && tag.starts_with(['#', '^']));
        if !are_tags || texts.len() > 2 {
            return Err(meaningless("", rest));
        }
        texts.retain(|text| !text.is_empty());
        self.current = Some(Transaction {
            line: place,
            date: day,
            description: texts.join(" | "),
            postings: Vec::new(),
        });
        Ok(())
    }

    fn indented(&mut self, place: u32, content: &str) -> Result<(), Refusal> {
        let is_metadata = content.starts_with(|first: char| first.is_ascii_lowercase())
            && content
                .split_once(':')
                .is_some_and(|(key, _)| key.bytes().all(is_of_key));
        if is_metadata || self.is_refused {
            return Ok(());
        }
        let Some(transaction) = &mut self.current else {
            return Err(meaningless("", content));
        };
        if content.starts_with(['#', '^']) {
            return Ok(());
        }
        let posting = posting(place, content)?;
        transaction.postings.push(posting);
        Ok(())
    }

    fn end_transaction(&mut self) {
        self.journal.transactions.extend(self.current.take());
    }

    /// Accounts are opened before they are posted to, and closed behind that.
    fn check_opened(&mut self) {
        let mut faults = Vec::new();
        for transaction in &self.journal.transactions {
            for posting in &transaction.postings {
                let opened = self.opened.get(&posting.account);
                let is_opened = opened
                    .and_then(|opened| opened.from)
                    .is_some_and(|from| from <= transaction.date);
                let is_closed = opened
                    .and_then(|opened| opened.until)
                    .is_some_and(|until| until < transaction.date);
                let code = match (is_opened, is_closed) {
                    (true, false) => continue,
                    (true, true) => Code::Archived,
                    (false, _) => Code::NotFound,
                };
                let refusal = Refusal::new(code, "account").with("value", &posting.account);
                faults.push(Fault::new(posting.line, refusal));
            }
        }
        self.journal.faults.extend(faults);
    }
}

fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// The first word, and what is behind it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim())
}

/// Without what is behind a semicolon that is in no quotes.
fn without_comment(line: &str) -> &str {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (place, letter) in line.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => return &line[..place],
            _ => {}
        }
    }
    line
}

/// A text in quotes, and what is behind it.
fn string(text: &str) -> Result<(String, &str), Refusal> {
    let mut value = String::new();
    let mut is_escaped = false;
    for (place, letter) in text.char_indices().skip(1) {
        match letter {
            _ if is_escaped => {
                value.push(letter);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => return Ok((value, &text[place + 1..])),
            _ => value.push(letter),
        }
    }
    Err(meaningless("", text))
}

/// The name of an account: steps with colons between them, the first one of five.
fn account(text: &str) -> Result<String, Refusal> {
    let is_step = |step: &str| {
        let is_first =
            |first: char| first.is_uppercase() || first.is_numeric() || !first.is_ascii();
        step.starts_with(is_first)
            && step
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '-' || !letter.is_ascii())
    };
    if text.contains(':') && text.split(':').all(is_step) {
        Ok(text.to_owned())
    } else {
        Err(meaningless("account", text))
    }
}

fn amount(text: &str) -> Result<Amount, Refusal> {
    let (digits, rest) = word(text);
    let (code, rest) = word(rest);
    if !rest.is_empty() || code.is_empty() {
        return Err(meaningless("amount", text));
    }
    Ok(Amount {
        number: number(digits)?,
        commodity: commodity(code)?,
    })
}

fn posting(line: u32, content: &str) -> Result<Posting, Refusal> {
    let content = match word(content) {
        ("!" | "*", rest) => rest,
        _ => content,
    };
    let (name, rest) = word(content);
    let account = account(name)?;
    if rest.is_empty() {
        return Ok(Posting {
            line,
            account,
            amount: None,
            price: None,
        });
    }
    let (rest, price) = match rest.split_once("@@") {
        Some((rest, total)) => (rest, Some(Price::Total(positive(amount(total)?)?))),
        None => match rest.split_once('@') {
            Some((rest, unit)) => (rest, Some(Price::Unit(positive(amount(unit)?)?))),
            None => (rest, None),
        },
    };
    let (rest, cost) = match rest.split_once('{') {
        Some((rest, inside)) => (rest, Some(cost(inside)?)),
        None => (rest, None),
    };
    Ok(Posting {
        line,
        account,
        amount: Some(amount(rest.trim())?),
        // Where there is a cost, the price says only what it is worth.
        price: cost.or(price),
    })
}

fn positive(amount: Amount) -> Result<Amount, Refusal> {
    if amount.number.is_sign_negative() && !amount.number.is_zero() {
        return Err(meaningless("price", &amount.number.to_string()));
    }
    Ok(amount)
}

/// What is in braces: a cost, and when and as what it was bought.
fn cost(inside: &str) -> Result<Price, Refusal> {
    let wrong = || meaningless("cost", inside);
    let (inside, is_total) = match inside.strip_prefix('{') {
        Some(inside) => (inside.trim().strip_suffix("}}").ok_or_else(wrong)?, true),
        None => (inside.trim().strip_suffix('}').ok_or_else(wrong)?, false),
    };
    let mut cost = None;
    for part in inside.split(',').map(str::trim) {
        let is_label = part.len() >= 2 && part.starts_with('"') && part.ends_with('"');
        if is_label || date(part).is_some() {
            continue;
        }
        let found = positive(amount(part)?)?;
        if cost.replace(found).is_some() {
            return Err(wrong());
        }
    }
    let cost = cost.ok_or_else(wrong)?;
    Ok(if is_total {
        Price::Total(cost)
    } else {
        Price::Unit(cost)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "2020-01-01 open Assets:Cash\n2020-01-01 open Assets:Shares\n2020-01-01 open Income:Gains\n";

    fn faults(text: &str) -> Vec<(u32, Code)> {
        let journal = read(&format!("{OPEN}{text}"));
        let faults = journal.faults.iter();
        faults
            .map(|fault| (fault.line, fault.refusal.code))
            .collect()
    }

    #[test]
    fn a_transaction_is_read_with_its_costs() {
        let text = format!(
            "{OPEN}* Heading\n2020-02-01 * \"Broker; Inc\" \"Sold \\\"some\\\"\" #tag ^link ; comment\n  note: \"x\"\n  \
             Assets:Shares  -10 VBMPX {{100.00 USD, 2020-01-05, \"lot\"}} @ 101.00 USD\n    kind: \"y\"\n  \
             ! Assets:Cash  1,010.00 USD\n  Income:Gains\n"
        );
        let journal = read(&text);
        assert_eq!(journal.faults, []);
        let [transaction] = &journal.transactions[..] else {
            panic!("{journal:?}")
        };
        assert_eq!(transaction.description, "Broker; Inc | Sold \"some\"");
        let usd = |number: &str| Amount {
            number: number.parse().unwrap(),
            commodity: "USD".to_owned(),
        };
        assert_eq!(
            transaction.postings[0].price,
            Some(Price::Unit(usd("100.00")))
        );
        assert_eq!(transaction.postings[1].amount, Some(usd("1010.00")));
        assert_eq!(transaction.postings[2].amount, None);
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        for (text, line, code) in [
            (
                "2020-01-02 pad Assets:Cash Income:Gains",
                4,
                Code::InvalidFormat,
            ),
            ("plugin \"x\"", 4, Code::InvalidFormat),
            ("include \"x\"", 4, Code::InvalidFormat),
            (
                "2020-02-01 * \"x\"\n  Assets:Cash  1/2 USD",
                5,
                Code::InvalidFormat,
            ),
            (
                "2020-02-01 * \"x\"\n  Assets:Shares  -1 VBMPX {}",
                5,
                Code::InvalidFormat,
            ),
            (
                "2020-02-01 * \"x\"\n  Assets:Cash  1 usd",
                5,
                Code::UnknownCommodity,
            ),
            (
                "2020-02-01 * \"x\"\n  Assets:Other  1 USD\n  Assets:Cash",
                5,
                Code::NotFound,
            ),
            (
                "2019-02-01 * \"x\"\n  Assets:Cash  1 USD",
                5,
                Code::NotFound,
            ),
            (
                "2020-02-01 close Income:Gains\n2020-02-02 * \"x\"\n  Income:Gains  1 USD",
                6,
                Code::Archived,
            ),
            (
                "2020-02-01 * \"x\n  Assets:Cash  1 USD",
                4,
                Code::InvalidFormat,
            ),
            ("  Assets:Cash  1 USD", 4, Code::InvalidFormat),
            ("2020-01-01 open Assets:Cash", 4, Code::AlreadyTaken),
        ] {
            assert_eq!(faults(text), [(line, code)], "{text}");
        }
    }
}
