//! Balance sheets, profit and loss accounts, and what there is of metals.

use std::collections::HashSet;

use chrono::NaiveDate;
use entity::{account::Kind, id::AccountId};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{
    Column, Scope,
    figures::{self, Figures, Only, Sides},
    tree::{self, Amounts, Line, Row, Section, Sign, Tree},
};
use crate::{error::Result, sql::Sql};

const EARNING: [Kind; 2] = [Kind::Revenue, Kind::Expense];

/// What the business had at the end of each day, what it owed, and what of it belonged to its owners: assets are liabilities and equity
/// together, in each commodity.
pub(crate) async fn balance_sheet(
    db: &impl ConnectionTrait,
    days: &[NaiveDate],
    scope: &Scope,
) -> Result<Vec<Row>> {
    let begins = fiscal_years(db, days).await?;
    let ends = days.iter().map(|day| Column {
        from: None,
        until: *day,
    });
    // Up to the fiscal year of each day; nothing at all, when there is none.
    let earlier = begins.iter().map(|begin| Column {
        from: None,
        until: begin.and_then(|begin| begin.pred_opt()).unwrap_or_default(),
    });
    let columns: Vec<_> = ends.chain(earlier).collect();
    let mut figures = figures::read(db, &columns, scope, Only::default()).await?;
    let tree = Tree::new(tree::nodes(db).await?);
    let results = results(&tree, &begins, &figures);
    for cells in figures.values_mut() {
        cells.truncate(days.len());
    }
    Ok(sheet(&tree, &figures, results))
}

fn sheet(tree: &Tree, figures: &Figures, (earlier, current): (Amounts, Amounts)) -> Vec<Row> {
    let (mut rows, assets) = tree.section(Kind::Asset, figures, Sign::Normal);
    rows.extend(tree::sums(Section::Assets, Line::Total, &assets));
    let (owed, liabilities) = tree.section(Kind::Liability, figures, Sign::Normal);
    rows.extend(owed);
    rows.extend(tree::sums(Section::Liabilities, Line::Total, &liabilities));
    let (own, mut equity) = tree.section(Kind::Equity, figures, Sign::Normal);
    rows.extend(own);
    for (line, result) in [
        (Line::EarlierResult, earlier),
        (Line::CurrentResult, current),
    ] {
        rows.extend(tree::sums(Section::Equity, line, &result).filter(is_something));
        tree::add_all(&mut equity, result);
    }
    rows.extend(tree::sums(Section::Equity, Line::Total, &equity));
    rows.retain(is_something);
    rows
}

/// What was earned before the fiscal years of the days, and in them.
fn results(tree: &Tree, begins: &[Option<NaiveDate>], figures: &Figures) -> (Amounts, Amounts) {
    let earning: HashSet<AccountId> = tree.of_kinds(&EARNING).collect();
    let (mut earlier, mut current) = (Amounts::new(), Amounts::new());
    for ((account, commodity), cells) in figures {
        if !earning.contains(account) {
            continue;
        }
        let (until, before) = cells.split_at(begins.len());
        let before: Vec<_> = begins
            .iter()
            .zip(before)
            .map(|(begin, cell)| begin.map_or(Sides::default(), |_| *cell))
            .collect();
        let all = until.iter().map(|cell| -cell.balance());
        let past: Vec<_> = before.iter().map(|cell| -cell.balance()).collect();
        let present = all.zip(&past).map(|(all, past)| all - past).collect();
        tree::add_all(&mut earlier, [(commodity.clone(), past)].into());
        tree::add_all(&mut current, [(commodity.clone(), present)].into());
    }
    (earlier, current)
}

/// What was earned in each column, what it cost, and what is left. What ends fiscal years is left out: it takes away what was earned.
pub(crate) async fn profit_and_loss(
    db: &impl ConnectionTrait,
    columns: &[Column],
    scope: &Scope,
) -> Result<Vec<Row>> {
    let only = Only {
        except_closing: true,
        ..Only::default()
    };
    let figures = figures::read(db, columns, scope, only).await?;
    let tree = Tree::new(tree::nodes(db).await?);
    let (mut rows, revenue) = tree.section(Kind::Revenue, &figures, Sign::Normal);
    rows.extend(tree::sums(Section::Revenue, Line::Total, &revenue));
    let (spent, expenses) = tree.section(Kind::Expense, &figures, Sign::Normal);
    rows.extend(spent);
    rows.extend(tree::sums(Section::Expenses, Line::Total, &expenses));
    let mut result = revenue;
    let negative = expenses.into_iter().map(|(commodity, amounts)| {
        let amounts = amounts.into_iter().map(|amount| -amount);
        (commodity, amounts.collect())
    });
    tree::add_all(&mut result, negative.collect());
    rows.extend(tree::sums(Section::Whole, Line::Total, &result));
    rows.retain(is_something);
    Ok(rows)
}

/// Grams of fine weight of each metal at the end of each day, debited without credited. All accounts together have none.
pub(crate) async fn metal_balance(
    db: &impl ConnectionTrait,
    days: &[NaiveDate],
    scope: &Scope,
) -> Result<Vec<Row>> {
    let columns: Vec<_> = days
        .iter()
        .map(|day| Column {
            from: None,
            until: *day,
        })
        .collect();
    let only = Only {
        metals: true,
        ..Only::default()
    };
    let figures = figures::read(db, &columns, scope, only).await?;
    let tree = Tree::new(tree::nodes(db).await?);
    let mut rows = Vec::new();
    for kind in [
        Kind::Asset,
        Kind::Liability,
        Kind::Equity,
        Kind::Revenue,
        Kind::Expense,
    ] {
        let (lines, total) = tree.section(kind, &figures, Sign::Debit);
        rows.extend(lines);
        rows.extend(tree::sums(Section::of(kind), Line::Total, &total));
    }
    rows.retain(is_something);
    Ok(rows)
}

/// Whether some column has something.
pub(super) fn is_something(row: &Row) -> bool {
    row.amounts.iter().any(|amount| !amount.is_zero())
}

#[derive(Debug, FromQueryResult)]
struct Begin {
    starts_on: Option<NaiveDate>,
}

/// When the fiscal year of each day began; of a day behind all of them, or between them, the last one before it.
async fn fiscal_years(
    db: &impl ConnectionTrait,
    days: &[NaiveDate],
) -> Result<Vec<Option<NaiveDate>>> {
    let mut sql = Sql::new("SELECT y.starts_on FROM unnest(");
    sql.bind(days.to_vec()).push(
        "::date[]) WITH ORDINALITY d (day, place)
         LEFT JOIN LATERAL (SELECT f.starts_on FROM fiscal_year f WHERE f.starts_on <= d.day ORDER BY f.starts_on DESC LIMIT 1) y ON true
         ORDER BY d.place",
    );
    let begins = Begin::find_by_statement(sql.build()).all(db).await?;
    Ok(begins.into_iter().map(|begin| begin.starts_on).collect())
}
