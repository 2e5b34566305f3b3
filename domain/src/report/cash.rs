//! Where cash came from and where it went, by the accounts on the other side.
//!
//! An entry balances in each commodity by itself. So whatever its lines on cash accounts come to in a commodity, its other lines of that
//! commodity come to the opposite: all of them together are the change of cash, exactly, and nothing is shared out by guess.

use std::collections::HashSet;

use entity::{account::Kind, id::AccountId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{
    Column, Scope,
    figures::{self, Figures, Only, Sides, push_intervals},
    span::Spans,
    statement::is_something,
    tree::{self, Amounts, Line, Row, Section, Sign, Tree},
};
use crate::{
    error::{Code, Refusal, Result},
    sql::{Sql, statement, uuids},
};

#[derive(Debug, FromQueryResult)]
struct Moved {
    account_id: AccountId,
    commodity: String,
    interval: i32,
    debit: Decimal,
    credit: Decimal,
}

#[derive(Debug, FromQueryResult)]
struct Cash {
    id: AccountId,
}

/// The accounts that are these, or lie below them.
async fn cash_accounts(
    db: &impl ConnectionTrait,
    roots: &[AccountId],
) -> Result<HashSet<AccountId>> {
    let sql = "SELECT a.id FROM account a WHERE NOT a.is_group AND EXISTS (SELECT FROM account g WHERE g.id = ANY($1) AND a.path <@ g.path)";
    let found = Cash::find_by_statement(statement(sql, [uuids(roots)]));
    let accounts: HashSet<_> = found.all(db).await?.into_iter().map(|row| row.id).collect();
    if accounts.is_empty() {
        return Err(Refusal::new(Code::NotFound, "cashAccountIds").into());
    }
    Ok(accounts)
}

/// What there was in cash, where more came from, where it went, and what there was in the end.
pub(crate) async fn flow(
    db: &impl ConnectionTrait,
    roots: &[AccountId],
    columns: &[Column],
    scope: &Scope,
) -> Result<Vec<Row>> {
    let cash = cash_accounts(db, roots).await?;
    let mut moved = moved(db, &cash, columns, scope).await?;
    moved.retain(|(account, _), _| !cash.contains(account));
    let opening = opening(db, &cash, columns, scope).await?;
    let tree = Tree::new(tree::nodes(db).await?);
    let mut rows: Vec<Row> = tree::sums(Section::Whole, Line::Opening, &opening).collect();
    let mut change = Amounts::new();
    for kind in [
        Kind::Revenue,
        Kind::Expense,
        Kind::Asset,
        Kind::Liability,
        Kind::Equity,
    ] {
        let (lines, total) = tree.section(kind, &moved, Sign::Credit);
        rows.extend(lines);
        rows.extend(tree::sums(Section::of(kind), Line::Total, &total));
        tree::add_all(&mut change, total);
    }
    rows.extend(tree::sums(Section::Whole, Line::Change, &change));
    let mut closing = opening;
    tree::add_all(&mut closing, change);
    rows.extend(tree::sums(Section::Whole, Line::Closing, &closing));
    rows.retain(is_something);
    Ok(rows)
}

/// What cash accounts had before each column.
async fn opening(
    db: &impl ConnectionTrait,
    cash: &HashSet<AccountId>,
    columns: &[Column],
    scope: &Scope,
) -> Result<Amounts> {
    let before: Vec<_> = columns
        .iter()
        .map(|column| Column {
            from: None,
            until: column
                .from
                .and_then(|from| from.pred_opt())
                .unwrap_or_default(),
        })
        .collect();
    let figures = figures::read(db, &before, scope, Only::default()).await?;
    let mut opening = Amounts::new();
    for ((account, commodity), cells) in figures {
        if cash.contains(&account) {
            let amounts = columns.iter().zip(cells).map(|(column, cell)| {
                let cell = column.from.map_or(Sides::default(), |_| cell);
                cell.balance()
            });
            tree::add_all(&mut opening, [(commodity, amounts.collect())].into());
        }
    }
    Ok(opening)
}

/// What entries that move cash have on all their accounts, in the commodities in which they do.
async fn moved(
    db: &impl ConnectionTrait,
    cash: &HashSet<AccountId>,
    columns: &[Column],
    scope: &Scope,
) -> Result<Figures> {
    let spans = Spans::of(columns);
    let accounts: Vec<_> = cash.iter().copied().collect();
    let mut sql = Sql::new(
        "WITH moved AS MATERIALIZED (SELECT DISTINCT l.entry_id, l.commodity, p.interval FROM journal_line l JOIN ",
    );
    push_intervals(&mut sql, &spans);
    sql.push(" ON l.date >= p.since AND l.date <= p.until");
    if scope.known_at.is_some() {
        sql.push(" JOIN journal_entry e ON e.id = l.entry_id");
    }
    sql.push(" WHERE l.account_id = ANY(")
        .bind(uuids(&accounts))
        .push(")");
    scope.push_known(&mut sql);
    sql.push(
        ") SELECT l.account_id, l.commodity, m.interval, COALESCE(sum(l.amount) FILTER (WHERE l.is_debit), 0) AS debit,
                  COALESCE(sum(l.amount) FILTER (WHERE NOT l.is_debit), 0) AS credit
           FROM moved m JOIN journal_line l ON l.entry_id = m.entry_id AND l.commodity = m.commodity
           GROUP BY l.account_id, l.commodity, m.interval",
    );
    let mut figures = Figures::new();
    for row in Moved::find_by_statement(sql.build()).all(db).await? {
        let cells = figures.entry((row.account_id, row.commodity));
        let cells = cells.or_insert_with(|| vec![Sides::default(); columns.len()]);
        let interval = usize::try_from(row.interval).unwrap_or(usize::MAX);
        for column in spans.columns_of(interval) {
            if let Some(cell) = cells.get_mut(column) {
                cell.add(Sides {
                    debit: row.debit,
                    credit: row.credit,
                });
            }
        }
    }
    Ok(figures)
}
