//! The ledger of an account: each line with what the account had after it.
//!
//! What it had before a page follows from the turnovers of months and days, and from the lines of one day, so the last page costs as much as
//! the first.

use chrono::NaiveDate;
use entity::{
    id::{AccountId, DimensionValueId},
    journal_line::Model as JournalLine,
};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult};

use crate::{
    account::parse_commodity,
    error::{Code, Refusal, Result},
    keyset::{Column, Cursor, Order, Term},
    page::{Page, PageArgs},
    report::Scope,
    sql::{Sql, statement},
};

/// Whose ledger it is.
#[derive(Clone, Debug)]
pub struct LedgerOf {
    /// Of which account.
    pub account_id: AccountId,
    /// Of which of its subsidiary accounts only.
    pub subsidiary_id: Option<DimensionValueId>,
    /// In which commodity; the account's only one without, or the shop's currency.
    pub commodity: Option<String>,
    /// From this day on.
    pub from: Option<NaiveDate>,
    /// Up to the end of this day.
    pub until: Option<NaiveDate>,
    /// Where, and as known when.
    pub scope: Scope,
}

/// A line, and what the account had after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// The line.
    pub line: JournalLine,
    /// On the account's debit side, or, negative, on its credit side.
    pub balance: Decimal,
}

impl FromQueryResult for LedgerLine {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            line: JournalLine::from_query_result(row, prefix)?,
            balance: row.try_get(prefix, "balance")?,
        })
    }
}

/// By day, by number, by line.
fn order() -> Order {
    let term = |sql, cast| Term {
        column: Column { sql, cast },
        descending: false,
    };
    let line = Column {
        sql: "line",
        cast: "int4",
    };
    Order::new(vec![term("date", "date"), term("number", "int8")], line)
}

/// The commodity that the ledger is in.
async fn commodity(db: &impl ConnectionTrait, of: &LedgerOf) -> Result<String> {
    let sql = "SELECT COALESCE(commodity, (SELECT currency FROM shop)) AS commodity FROM account WHERE id = $1";
    let row = db.query_one_raw(statement(sql, [of.account_id.into()]));
    let row = row
        .await?
        .ok_or_else(|| Refusal::new(Code::NotFound, "accountId"))?;
    match &of.commodity {
        Some(code) => Ok(parse_commodity("commodity", code)?),
        None => Ok(row.try_get("", "commodity")?),
    }
}

/// What there was before the first line.
fn push_before(sql: &mut Sql, of: &LedgerOf) {
    match of.subsidiary_id {
        _ if of.scope != Scope::default() => push_before_from_lines(sql, of),
        Some(id) => push_before_from_turnovers(sql, "subsidiary_turnover", Some(id)),
        None => push_before_from_turnovers(sql, "account_turnover", None),
    }
}

/// From whole months, days, and lines of one day.
fn push_before_from_turnovers(sql: &mut Sql, turnover: &str, subsidiary: Option<DimensionValueId>) {
    let spans = [
        "span = 'month' AND since < f.month",
        "span = 'day' AND since >= f.month AND since < f.date",
    ];
    sql.push(" before AS (SELECT COALESCE(sum(t.balance), 0) AS balance FROM first f CROSS JOIN LATERAL (");
    for span in spans {
        sql.push("SELECT l.debit - l.credit AS balance FROM ")
            .push(turnover);
        sql.push(" l WHERE l.account_id = $1 AND l.commodity = $2 AND ")
            .push(span);
        push_subsidiary(sql, subsidiary);
        sql.push(" UNION ALL ");
    }
    sql.push(
        "SELECT CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END FROM journal_line l
         WHERE l.account_id = $1 AND l.commodity = $2 AND l.date = f.date AND (l.number, l.line) < (f.number, f.line)",
    );
    push_subsidiary(sql, subsidiary);
    sql.push(") t)");
}

/// Of a part of the lines, which nothing keeps added up: from all of them.
fn push_before_from_lines(sql: &mut Sql, of: &LedgerOf) {
    sql.push(
        " before AS (
             SELECT COALESCE(sum(CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END), 0) AS balance
             FROM first f JOIN journal_line l ON l.account_id = $1 AND l.commodity = $2 AND (l.date, l.number, l.line) < (f.date, f.number, f.line)
             WHERE true",
    );
    push_subsidiary(sql, of.subsidiary_id);
    of.scope.push_all(sql);
    sql.push(")");
}

/// Only what is for this subsidiary account.
fn push_subsidiary(sql: &mut Sql, subsidiary: Option<DimensionValueId>) {
    if let Some(id) = subsidiary {
        sql.push(" AND l.subsidiary_id = ").bind(id);
    }
}

/// A page, in one statement: it sees one moment. Pages go forward.
pub(super) async fn page(
    db: &impl ConnectionTrait,
    of: &LedgerOf,
    args: &PageArgs,
) -> Result<Page<LedgerLine>> {
    let window = args.window()?;
    let after = args.after.as_deref();
    let after = after
        .map(|text| order().parse_cursor("after", text))
        .transpose()?;
    let commodity = commodity(db, of).await?;
    let mut sql = Sql::with_values(vec![of.account_id.into(), commodity.into()]);
    sql.push(
        "WITH line AS (SELECT l.* FROM journal_line l WHERE l.account_id = $1 AND l.commodity = $2",
    );
    push_subsidiary(&mut sql, of.subsidiary_id);
    of.scope.push_all(&mut sql);
    if let Some(from) = of.from {
        sql.push(" AND l.date >= ").bind(from);
    }
    if let Some(until) = of.until {
        sql.push(" AND l.date <= ").bind(until);
    }
    if let Some(after) = &after {
        sql.push(" AND ");
        order().push_beyond(&mut sql, after, false);
    }
    order().push_order_by(&mut sql, false);
    sql.push(" LIMIT ").bind(i64::from(window.size) + 1);
    sql.push("), first AS (SELECT date, number, line, date_trunc('month', date)::date AS month FROM line ORDER BY date, number, line LIMIT 1),");
    push_before(&mut sql, of);
    sql.push(
        " SELECT line.*, before.balance + sum(CASE WHEN line.is_debit THEN line.amount ELSE -line.amount END)
                    OVER (ORDER BY line.date, line.number, line.line ROWS UNBOUNDED PRECEDING) AS balance
         FROM line CROSS JOIN before
         ORDER BY line.date, line.number, line.line",
    );
    let mut lines = LedgerLine::find_by_statement(sql.build()).all(db).await?;
    let has_next = lines.len() > window.rows();
    lines.truncate(window.rows());
    let edges = lines.into_iter().map(|row| {
        let JournalLine {
            date, number, line, ..
        } = &row.line;
        let cursor = Cursor(vec![date.to_string(), number.to_string(), line.to_string()]);
        (cursor.encode(), row)
    });
    Ok(Page {
        edges: edges.collect(),
        has_next,
        has_previous: after.is_some(),
    })
}
