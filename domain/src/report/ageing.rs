//! How long subsidiary accounts have owed what they owe, or been owed: what is paid settles what is oldest.
//!
//! So what is still open is what came last, and only the turnovers of the spans between the limits are needed: of each span, going back from
//! the day, as much as is left of the balance. Nothing has to be matched by hand, and the parts always come to the balance.

use chrono::{Days, NaiveDate};
use entity::{
    account::Kind,
    dimension_value::Kind as DimensionKind,
    id::{AccountId, DimensionValueId},
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DbErr, FromQueryResult, QueryResult};

use super::{
    Column, Scope,
    figures::{push_intervals, push_pieces},
    span::Spans,
};
use crate::{
    error::{Code, Refusal, Result},
    keyset::{Column as KeyColumn, Cursor, Order, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement},
};

/// Most limits between ages.
const LIMITS_MAX: usize = 11;
/// The longest age that a limit can be.
const DAYS_MAX: u16 = 3_650;

/// Who owes whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owing {
    /// What others owe to the business: accounts of assets.
    Receivable,
    /// What the business owes to others: accounts of liabilities.
    Payable,
}

impl Owing {
    fn kind(self) -> Kind {
        match self {
            Self::Receivable => Kind::Asset,
            Self::Payable => Kind::Liability,
        }
    }
}

/// What is aged, and when.
#[derive(Clone, Debug)]
pub struct AgedOf {
    /// Who owes whom.
    pub owing: Owing,
    /// In this account, or in all accounts of this group; without, in all that demand a party.
    pub account_id: Option<AccountId>,
    /// At the end of this day.
    pub as_of: NaiveDate,
    /// Limits between ages in days, growing: 30 and 60 make ages of up to 30 days, of 31 to 60, and of more.
    pub limits: Vec<u16>,
    /// As known when.
    pub scope: Scope,
}

impl AgedOf {
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if self.limits.len() > LIMITS_MAX {
            return Err(Refusal::new(Code::TooMany, "limits").with("max", LIMITS_MAX));
        }
        let mut before = 0;
        for (place, limit) in self.limits.iter().enumerate() {
            if *limit <= before || *limit > DAYS_MAX {
                let refusal = Refusal::new(Code::OutOfRange, &format!("limits.{place}"));
                return Err(refusal.with("min", before + 1).with("max", DAYS_MAX));
            }
            before = *limit;
        }
        Ok(())
    }

    /// Days of each age, the youngest first, as columns of a report.
    fn columns(&self) -> Vec<Column> {
        let back = |days: u16| {
            let day = self.as_of.checked_sub_days(Days::new(days.into()));
            day.unwrap_or(NaiveDate::MIN)
        };
        let limits = self.limits.iter().copied();
        let older = limits.clone().map(|limit| back(limit + 1));
        let until = std::iter::once(self.as_of).chain(older);
        let from = limits.map(|limit| Some(back(limit))).chain([None]);
        let columns = from.zip(until).map(|(from, until)| Column { from, until });
        columns.collect()
    }
}

/// What a subsidiary account owes, or is owed, by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aged {
    /// In which account.
    pub account_id: AccountId,
    /// Who.
    pub subsidiary_id: DimensionValueId,
    /// A commodity's code.
    pub commodity: String,
    /// By age, the youngest first; negative of what was paid in advance.
    pub amounts: Vec<Decimal>,
    /// The code of the account.
    pub account_code: String,
    /// The code of the subsidiary account.
    pub subsidiary_code: String,
}

impl Aged {
    /// All of it.
    #[must_use]
    pub fn balance(&self) -> Decimal {
        self.amounts.iter().sum()
    }
}

impl FromQueryResult for Aged {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            account_id: row.try_get(prefix, "account_id")?,
            subsidiary_id: row.try_get(prefix, "subsidiary_id")?,
            commodity: row.try_get(prefix, "commodity")?,
            amounts: row.try_get(prefix, "amounts")?,
            account_code: row.try_get(prefix, "account_code")?,
            subsidiary_code: row.try_get(prefix, "subsidiary_code")?,
        })
    }
}

/// What an account's subsidiary accounts owe altogether, by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgedTotal {
    /// Which account.
    pub account_id: AccountId,
    /// A commodity's code.
    pub commodity: String,
    /// By age, the youngest first.
    pub amounts: Vec<Decimal>,
}

impl FromQueryResult for AgedTotal {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            account_id: row.try_get(prefix, "account_id")?,
            commodity: row.try_get(prefix, "commodity")?,
            amounts: row.try_get(prefix, "amounts")?,
        })
    }
}

/// By account, commodity and subsidiary account.
fn order() -> Order {
    let term = |sql| Term {
        column: KeyColumn { sql, cast: "text" },
        descending: false,
    };
    let last = KeyColumn {
        sql: "subsidiary_code",
        cast: "text",
    };
    Order::new(vec![term("account_code"), term("commodity")], last)
}

/// A page of what is owed. Pages go forward.
pub(super) async fn page(
    db: &impl ConnectionTrait,
    of: &AgedOf,
    args: &PageArgs,
) -> Result<Page<Aged>> {
    let window = args.window()?;
    let after = args.after.as_deref();
    let after = after
        .map(|text| order().parse_cursor("after", text))
        .transpose()?;
    check_account(db, of).await?;
    let mut sql = aged("", of);
    sql.push("SELECT * FROM aged WHERE true");
    if let Some(after) = &after {
        sql.push(" AND ");
        order().push_beyond(&mut sql, after, false);
    }
    order().push_order_by(&mut sql, false);
    sql.push(" LIMIT ").bind(i64::from(window.size) + 1);
    let mut rows = Aged::find_by_statement(sql.build()).all(db).await?;
    let has_next = rows.len() > window.rows();
    rows.truncate(window.rows());
    let edges = rows.into_iter().map(|row| {
        let cursor = [&row.account_code, &row.commodity, &row.subsidiary_code];
        (Cursor(cursor.map(Clone::clone).to_vec()).encode(), row)
    });
    Ok(Page {
        edges: edges.collect(),
        has_next,
        has_previous: after.is_some(),
    })
}

/// What is owed by account and commodity, in the order of codes.
pub(super) async fn totals(db: &impl ConnectionTrait, of: &AgedOf) -> Result<Vec<AgedTotal>> {
    check_account(db, of).await?;
    let mut sql = aged("", of);
    sql.push("SELECT a.account_id, a.commodity, ARRAY[");
    for place in 1..=of.limits.len() + 1 {
        let comma = if place == 1 { "" } else { ", " };
        sql.push(comma);
        sql.push(&format!("sum(a.amounts[{place}])"));
    }
    sql.push("] AS amounts FROM aged a GROUP BY a.account_code, a.account_id, a.commodity ORDER BY a.account_code, a.commodity");
    Ok(AgedTotal::find_by_statement(sql.build()).all(db).await?)
}

/// A statement about all rows, in the order of codes, that begins with this.
pub(crate) fn all(begin: &str, of: &AgedOf) -> Sql {
    let mut sql = aged(begin, of);
    sql.push("SELECT * FROM aged ORDER BY account_code, commodity, subsidiary_code");
    sql
}

async fn check_account(db: &impl ConnectionTrait, of: &AgedOf) -> Result<()> {
    let Some(id) = of.account_id else {
        return Ok(());
    };
    let sql = "SELECT id FROM account WHERE id = $1";
    let found = db.query_one_raw(statement(sql, [id.into()])).await?;
    found.ok_or_else(|| Refusal::new(Code::NotFound, "accountId"))?;
    Ok(())
}

/// Begins with `aged`: a row for each subsidiary account that owes something, of each account and commodity.
fn aged(begin: &str, of: &AgedOf) -> Sql {
    let columns = of.columns();
    let spans = Spans::of(&columns);
    let mut sql = Sql::new(begin);
    sql.push("WITH whose AS (SELECT a.id, a.code FROM account a WHERE ");
    match of.account_id {
        Some(id) => {
            sql.push(
                "a.subsidiary_kind IS NOT NULL AND a.path <@ (SELECT path FROM account WHERE id = ",
            );
            sql.bind(id).push(")");
        }
        None => {
            sql.push("a.subsidiary_kind = ")
                .bind(DimensionKind::Party.to_value());
        }
    }
    sql.push(" AND a.kind = ").bind(of.owing.kind().to_value());
    sql.push("), flow AS (SELECT t.account_id, t.subsidiary_id, t.commodity, sum(t.debit) - sum(t.credit) AS balance");
    for interval in 1..columns.len() {
        sql.push(&format!(
            ", COALESCE(sum(t.debit) FILTER (WHERE t.interval = {interval}), 0) AS debit_{interval}, \
             COALESCE(sum(t.credit) FILTER (WHERE t.interval = {interval}), 0) AS credit_{interval}"
        ));
    }
    sql.push(" FROM (");
    push_turnovers(&mut sql, &spans, &of.scope);
    sql.push(") t GROUP BY t.account_id, t.subsidiary_id, t.commodity), open AS (SELECT f.account_id, f.subsidiary_id, f.commodity, f.balance");
    for interval in 1..columns.len() {
        sql.push(&format!(
            ", CASE WHEN f.balance > 0 THEN f.debit_{interval} ELSE f.credit_{interval} END AS side_{interval}"
        ));
    }
    sql.push(" FROM flow f WHERE f.balance <> 0), aged AS (SELECT o.account_id, o.subsidiary_id, o.commodity, ARRAY[");
    push_shares(&mut sql, of.owing, columns.len());
    sql.push(
        "] AS amounts, w.code AS account_code, d.code AS subsidiary_code
         FROM open o JOIN whose w ON w.id = o.account_id JOIN dimension_value d ON d.id = o.subsidiary_id) ",
    );
    sql
}

fn push_turnovers(sql: &mut Sql, spans: &Spans, scope: &Scope) {
    sql.push("SELECT o.account_id, o.subsidiary_id, o.commodity, p.interval, o.debit, o.credit FROM whose w CROSS JOIN ");
    push_pieces(sql, &spans.pieces_with_years());
    sql.push(
        " CROSS JOIN LATERAL (SELECT account_id, subsidiary_id, commodity, debit, credit FROM subsidiary_turnover
                              WHERE account_id = w.id AND span = p.span AND since >= p.since AND since <= p.until OFFSET 0) o",
    );
    let Some(known) = scope.known_at else {
        return;
    };
    // What was recorded later is taken away again.
    sql.push(
        " UNION ALL
         SELECT l.account_id, l.subsidiary_id, l.commodity, p.interval, CASE WHEN l.is_debit THEN -l.amount ELSE 0 END,
                CASE WHEN l.is_debit THEN 0 ELSE -l.amount END
         FROM journal_entry e JOIN ",
    );
    push_intervals(sql, spans);
    sql.push(
        " ON e.date >= p.since AND e.date <= p.until JOIN journal_line l ON l.entry_id = e.id
         JOIN whose w ON w.id = l.account_id WHERE e.recorded_at > ",
    );
    sql.bind(known);
}

/// Of each interval, going back in time, as much of the side that is open as is left of the balance; positive where it is owed. What is left
/// behind the others is of the oldest interval, for one side of all intervals is never less than the balance.
fn push_shares(sql: &mut Sql, owing: Owing, intervals: usize) {
    let owed = match owing {
        Owing::Receivable => "",
        Owing::Payable => "-",
    };
    let mut left = "abs(o.balance)".to_owned();
    for interval in (1..intervals).rev() {
        sql.push(&format!(
            "{owed}sign(o.balance) * GREATEST(0, LEAST(o.side_{interval}, {left})), "
        ));
        left.push_str(&format!(" - o.side_{interval}"));
    }
    sql.push(&format!("{owed}sign(o.balance) * GREATEST(0, {left})"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn ages_leave_no_day_out() {
        let of = AgedOf {
            owing: Owing::Receivable,
            account_id: None,
            as_of: day("2026-03-31"),
            limits: vec![30, 60],
            scope: Scope::default(),
        };
        let columns = of.columns();
        let days: Vec<_> = columns
            .iter()
            .map(|column| (column.from, column.until))
            .collect();
        assert_eq!(
            days,
            [
                (Some(day("2026-03-01")), day("2026-03-31")),
                (Some(day("2026-01-30")), day("2026-02-28")),
                (None, day("2026-01-29")),
            ]
        );
    }
}
