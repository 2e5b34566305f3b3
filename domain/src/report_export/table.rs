//! Reports as tables: a line of headers, and a row for each line of the report.

use std::collections::HashMap;

use entity::{id::AccountId, translations::Translations};
use rust_decimal::Decimal;

use crate::report::{Aged, Column, Line, Row, Section, TrialRow, tree::Node};

/// Cells, row by row.
pub(super) type Table = Vec<Vec<String>>;

/// Codes and names of accounts.
pub(super) struct Chart {
    accounts: HashMap<AccountId, (String, String)>,
}

impl Chart {
    pub(super) fn new(nodes: Vec<Node>, locale: &str) -> Self {
        let accounts = nodes
            .into_iter()
            .map(|node| (node.id, (node.code, name_in(locale, &node.name))));
        Self {
            accounts: accounts.collect(),
        }
    }

    pub(super) fn code_and_name(&self, id: Option<AccountId>) -> [String; 2] {
        let found = id.and_then(|id| self.accounts.get(&id)).cloned();
        let (code, name) = found.unwrap_or_default();
        [code, name]
    }
}

fn name_in(locale: &str, name: &Translations) -> String {
    let Translations(texts) = name;
    let found = texts.get(locale).or_else(|| texts.get("en"));
    found
        .or_else(|| texts.values().next())
        .cloned()
        .unwrap_or_default()
}

pub(super) fn amount(amount: Decimal) -> String {
    amount.normalize().to_string()
}

/// The days of a column, as a header shows them.
fn days(column: &Column) -> String {
    match column.from {
        Some(from) => format!("{from}..{}", column.until),
        None => column.until.to_string(),
    }
}

/// A statement: section, line, depth, account, commodity, and an amount for each column.
pub(super) fn of_statement(chart: &Chart, columns: &[Column], rows: &[Row]) -> Table {
    let mut headers: Vec<_> = ["section", "line", "depth", "account", "name", "commodity"]
        .map(str::to_owned)
        .into();
    headers.extend(columns.iter().map(days));
    let rows = rows.iter().map(|row| {
        let mut cells = vec![
            section(row.section).to_owned(),
            line(row.line).to_owned(),
            row.depth.to_string(),
        ];
        cells.extend(chart.code_and_name(row.account_id));
        cells.push(row.commodity.clone());
        cells.extend(row.amounts.iter().map(|sum| amount(*sum)));
        cells
    });
    [headers].into_iter().chain(rows).collect()
}

/// A trial balance: four amounts for each column.
pub(super) fn of_trial(chart: &Chart, columns: &[Column], rows: &[TrialRow]) -> Table {
    let mut headers: Vec<_> = ["account", "name", "commodity"].map(str::to_owned).into();
    for column in columns {
        let days = days(column);
        headers
            .extend(["opening", "debit", "credit", "closing"].map(|name| format!("{name} {days}")));
    }
    let rows = rows.iter().map(|row| {
        let mut cells: Vec<_> = chart.code_and_name(Some(row.account_id)).into();
        cells.push(row.commodity.clone());
        for cell in &row.cells {
            let amounts = [
                cell.opening,
                cell.turnover.debit,
                cell.turnover.credit,
                cell.closing(),
            ];
            cells.extend(amounts.map(amount));
        }
        cells
    });
    [headers].into_iter().chain(rows).collect()
}

/// The headers of what is owed by age.
pub(super) fn aged_headers(limits: &[u16]) -> Vec<String> {
    let mut headers: Vec<_> = ["account", "name", "subsidiary", "commodity", "balance"]
        .map(str::to_owned)
        .into();
    let mut from = 0;
    for limit in limits {
        headers.push(format!("{from}-{limit}"));
        from = limit + 1;
    }
    headers.push(format!("{from}-"));
    headers
}

/// What a subsidiary account owes by age.
pub(super) fn of_aged(chart: &Chart, row: &Aged) -> Vec<String> {
    let mut cells: Vec<_> = chart.code_and_name(Some(row.account_id)).into();
    cells.extend([row.subsidiary_code.clone(), row.commodity.clone()]);
    cells.push(amount(row.balance()));
    cells.extend(row.amounts.iter().map(|sum| amount(*sum)));
    cells
}

fn section(section: Section) -> &'static str {
    match section {
        Section::Assets => "assets",
        Section::Liabilities => "liabilities",
        Section::Equity => "equity",
        Section::Revenue => "revenue",
        Section::Expenses => "expenses",
        Section::Whole => "whole",
    }
}

fn line(line: Line) -> &'static str {
    match line {
        Line::Group => "group",
        Line::Account => "account",
        Line::EarlierResult => "earlier_result",
        Line::CurrentResult => "current_result",
        Line::Total => "total",
        Line::Opening => "opening",
        Line::Change => "change",
        Line::Closing => "closing",
    }
}
