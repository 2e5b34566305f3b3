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
    let (turnover, narrowed) = match of.subsidiary_id {
        Some(_) => ("subsidiary_turnover", " AND subsidiary_id = $3"),
        None => ("account_turnover", ""),
    };
    sql.push("WITH line AS (SELECT * FROM journal_line WHERE account_id = $1 AND commodity = $2");
    if let Some(id) = of.subsidiary_id {
        sql.push(" AND subsidiary_id = ").bind(id);
    }
    if let Some(from) = of.from {
        sql.push(" AND date >= ").bind(from);
    }
    if let Some(until) = of.until {
        sql.push(" AND date <= ").bind(until);
    }
    if let Some(after) = &after {
        sql.push(" AND ");
        order().push_beyond(&mut sql, after, false);
    }
    order().push_order_by(&mut sql, false);
    sql.push(" LIMIT ").bind(i64::from(window.size) + 1);
    sql.push(&format!(
        "), first AS (SELECT date, number, line, date_trunc('month', date)::date AS month FROM line ORDER BY date, number, line LIMIT 1),
         before AS (
             SELECT COALESCE(sum(t.balance), 0) AS balance FROM first f CROSS JOIN LATERAL (
                 SELECT debit - credit AS balance FROM {turnover}
                 WHERE account_id = $1 AND commodity = $2{narrowed} AND span = 'month' AND since < f.month
                 UNION ALL
                 SELECT debit - credit FROM {turnover}
                 WHERE account_id = $1 AND commodity = $2{narrowed} AND span = 'day' AND since >= f.month AND since < f.date
                 UNION ALL
                 SELECT CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END FROM journal_line l
                 WHERE l.account_id = $1 AND l.commodity = $2{narrowed} AND l.date = f.date AND (l.number, l.line) < (f.number, f.line)
             ) t
         )
         SELECT line.*, before.balance + sum(CASE WHEN line.is_debit THEN line.amount ELSE -line.amount END)
                    OVER (ORDER BY line.date, line.number, line.line ROWS UNBOUNDED PRECEDING) AS balance
         FROM line CROSS JOIN before
         ORDER BY line.date, line.number, line.line",
    ));
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
