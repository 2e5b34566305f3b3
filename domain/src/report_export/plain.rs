//! Entries as plain-text journals, for hledger and for beancount.
//!
//! Amounts are exact, and entries balance in each commodity by themselves: so neither program has to convert or round anything.

use std::{collections::HashMap, fmt::Write as _};

use chrono::NaiveDate;
use entity::{account::Kind, id::AccountId};
use rust_decimal::Decimal;
use sea_orm::FromQueryResult;

use super::names;
use crate::report::tree::Node;

/// A line of an entry, with what there is to say of the entry.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct EntryLine {
    pub(super) date: NaiveDate,
    pub(super) number: i64,
    pub(super) line: i32,
    pub(super) year: String,
    pub(super) description: Option<String>,
    pub(super) document_type: Option<String>,
    pub(super) document_id: Option<String>,
    pub(super) account_id: AccountId,
    pub(super) commodity: String,
    pub(super) is_debit: bool,
    pub(super) amount: Decimal,
    pub(super) line_description: Option<String>,
}

/// Which program reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Hledger,
    Beancount,
}

/// Writes entries line by line.
pub(super) struct Writer {
    dialect: Dialect,
    names: HashMap<AccountId, String>,
}

impl Writer {
    pub(super) fn new(dialect: Dialect, nodes: &[Node]) -> Self {
        Self {
            dialect,
            names: names::names(nodes),
        }
    }

    /// What a journal begins with: its commodities, and accounts that are there from the day of its first entry on.
    pub(super) fn beginning(
        &self,
        nodes: &[Node],
        commodities: &[String],
        first: NaiveDate,
    ) -> String {
        let mut text = String::new();
        if self.dialect == Dialect::Hledger {
            text.push_str("decimal-mark .\n");
        }
        for code in commodities {
            let _never = match self.dialect {
                Dialect::Hledger => writeln!(text, "commodity 1000.000000 {}", quoted(code)),
                Dialect::Beancount => writeln!(text, "{first} commodity {code}"),
            };
        }
        text.push('\n');
        for node in nodes {
            let Some(name) = self.names.get(&node.id) else {
                continue;
            };
            let _never = match self.dialect {
                Dialect::Hledger => writeln!(text, "account {name}  ; type: {}", letter(node.kind)),
                Dialect::Beancount => writeln!(text, "{first} open {name}"),
            };
        }
        text
    }

    /// Appends a line, and before the first of an entry what is said of all of it.
    pub(super) fn write(&self, text: &mut String, row: &EntryLine) {
        if row.line == 1 {
            self.write_entry(text, row);
        }
        let name = self
            .names
            .get(&row.account_id)
            .map_or("Equity:Unknown", String::as_str);
        let sign = if row.is_debit { "" } else { "-" };
        let amount = row.amount.normalize();
        let commodity = match self.dialect {
            Dialect::Hledger => quoted(&row.commodity),
            Dialect::Beancount => row.commodity.clone(),
        };
        let _never = write!(text, "  {name}  {sign}{amount} {commodity}");
        if let Some(about) = &row.line_description {
            let _never = write!(text, "  ; {}", one_line(about));
        }
        text.push('\n');
    }

    fn write_entry(&self, text: &mut String, row: &EntryLine) {
        let EntryLine {
            date,
            number,
            year,
            description,
            document_type,
            document_id,
            ..
        } = row;
        let description = one_line(description.as_deref().unwrap_or_default());
        let document = document_type.as_deref().zip(document_id.as_deref());
        let document = document.map(|(kind, id)| one_line(&format!("{kind} {id}")));
        let number = format!("{}/{number}", one_line(year));
        let _never = match self.dialect {
            Dialect::Hledger => {
                // Brackets would end the code, and a semicolon the description.
                let number = number.replace(['(', ')'], " ");
                let description = description.replace(';', ",");
                write!(text, "\n{date} * ({number}) {description}")
            }
            Dialect::Beancount => write!(text, "\n{date} * {}", in_quotes(&description)),
        };
        let _never = match (self.dialect, document) {
            (Dialect::Hledger, Some(document)) => writeln!(text, "  ; document: {document}"),
            (Dialect::Hledger, None) => writeln!(text),
            (Dialect::Beancount, document) => {
                let _never = writeln!(text, "\n  number: {}", in_quotes(&number));
                document.map_or(Ok(()), |document| {
                    writeln!(text, "  document: {}", in_quotes(&document))
                })
            }
        };
    }
}

/// The type of an account, as hledger writes it.
fn letter(kind: Kind) -> char {
    match kind {
        Kind::Asset => 'A',
        Kind::Liability => 'L',
        Kind::Equity => 'E',
        Kind::Revenue => 'R',
        Kind::Expense => 'X',
    }
}

/// hledger takes digits and points for a part of the amount, unless the commodity is in quotes.
fn quoted(code: &str) -> String {
    if code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        code.to_owned()
    } else {
        format!("\"{code}\"")
    }
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Without line breaks.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}
