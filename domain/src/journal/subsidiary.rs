//! What subsidiary accounts have at the end of a day: a trial balance below an account, or below a group of accounts.

use chrono::NaiveDate;
use entity::id::{AccountId, DimensionValueId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::{
    error::{Code, Refusal, Result},
    keyset::{Column, Cursor, Order, Term},
    page::{Page, PageArgs},
    sql::{Sql, statement},
};

/// Of which subsidiary accounts, and when.
#[derive(Clone, Copy, Debug)]
pub struct SubsidiaryBalancesOf {
    /// Of this account, or of all accounts in this group.
    pub account_id: AccountId,
    /// At the end of this day.
    pub as_of: NaiveDate,
    /// Of this subsidiary account only.
    pub subsidiary_id: Option<DimensionValueId>,
}

/// What went to each side of an account for one of its subsidiary accounts.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct SubsidiaryBalanceRow {
    /// Which account.
    pub account_id: AccountId,
    /// Which of its subsidiary accounts.
    pub subsidiary_id: DimensionValueId,
    /// A commodity's code.
    pub commodity: String,
    /// How much was debited.
    pub debit: Decimal,
    /// How much was credited.
    pub credit: Decimal,
    account_code: String,
    subsidiary_code: String,
}

impl SubsidiaryBalanceRow {
    /// What it has: on the debit side, or, negative, on the credit side.
    #[must_use]
    pub fn balance(&self) -> Decimal {
        self.debit - self.credit
    }
}

/// By account, commodity and subsidiary account.
fn order() -> Order {
    let term = |sql| Term {
        column: Column { sql, cast: "text" },
        descending: false,
    };
    let last = Column {
        sql: "subsidiary_code",
        cast: "text",
    };
    Order::new(vec![term("account_code"), term("commodity")], last)
}

/// A page, over the months before the day's and the days of its month. Pages go forward.
pub(super) async fn balances(
    db: &impl ConnectionTrait,
    of: &SubsidiaryBalancesOf,
    args: &PageArgs,
) -> Result<Page<SubsidiaryBalanceRow>> {
    let window = args.window()?;
    let after = args.after.as_deref();
    let after = after
        .map(|text| order().parse_cursor("after", text))
        .transpose()?;
    let found = statement(
        "SELECT 1 FROM account WHERE id = $1",
        [of.account_id.into()],
    );
    if db.query_one_raw(found).await?.is_none() {
        return Err(Refusal::new(Code::NotFound, "accountId").into());
    }
    let mut sql = Sql::with_values(vec![of.account_id.into(), of.as_of.into()]);
    sql.push(
        "SELECT * FROM (
             SELECT a.id AS account_id, t.subsidiary_id, t.commodity, sum(t.debit) AS debit, sum(t.credit) AS credit,
                    a.code AS account_code, s.code AS subsidiary_code
             FROM account g
             JOIN account a ON a.path <@ g.path AND a.subsidiary_kind IS NOT NULL
             JOIN subsidiary_turnover t ON t.account_id = a.id
             JOIN dimension_value s ON s.id = t.subsidiary_id
             WHERE g.id = $1 AND (t.span = 'month' AND t.since < date_trunc('month', $2::date)::date
                                  OR t.span = 'day' AND t.since >= date_trunc('month', $2::date)::date AND t.since <= $2::date)",
    );
    if let Some(id) = of.subsidiary_id {
        sql.push(" AND t.subsidiary_id = ").bind(id);
    }
    sql.push(" GROUP BY a.id, t.subsidiary_id, t.commodity, a.code, s.code) r WHERE true");
    if let Some(after) = &after {
        sql.push(" AND ");
        order().push_beyond(&mut sql, after, false);
    }
    order().push_order_by(&mut sql, false);
    sql.push(" LIMIT ").bind(i64::from(window.size) + 1);
    let mut rows = SubsidiaryBalanceRow::find_by_statement(sql.build())
        .all(db)
        .await?;
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
