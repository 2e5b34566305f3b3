//! What an account has, what is held of it, and what of it is available.

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{AccountId, DimensionValueId};
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::{Accounts, Side};
use crate::{
    error::Result,
    permission::Permission,
    sql::{Sql, uuids},
    viewer::Viewer,
};

/// Of what, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BalanceOf {
    /// At the end of this day; with all that was posted, whatever day, without.
    pub as_of: Option<NaiveDate>,
    /// Of this subsidiary account only.
    pub subsidiary_id: Option<DimensionValueId>,
}

/// What an account has of a commodity, or all accounts of a group together.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct AccountBalance {
    /// Which account or group.
    pub account_id: AccountId,
    /// A commodity's code.
    pub commodity: String,
    /// On which side it usually grows.
    pub normal_side: Side,
    /// How much was debited.
    pub debit: Decimal,
    /// How much was credited.
    pub credit: Decimal,
    /// How much is going to be debited, now.
    pub pending_debit: Decimal,
    /// How much is going to be credited, now.
    pub pending_credit: Decimal,
}

impl AccountBalance {
    /// What it has: on the debit side, or, negative, on the credit side.
    #[must_use]
    pub fn balance(&self) -> Decimal {
        self.debit - self.credit
    }

    /// What of it is available on its usual side: without what is going to be taken away.
    #[must_use]
    pub fn available(&self) -> Decimal {
        match self.normal_side {
            Side::Debit => self.balance() - self.pending_credit,
            Side::Credit => -self.balance() - self.pending_debit,
        }
    }
}

impl Accounts<'_> {
    /// What each of these accounts and groups has, by account and commodity: one statement.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn balances_of(
        &self,
        viewer: &Viewer,
        accounts: &[AccountId],
        of: BalanceOf,
    ) -> Result<Vec<AccountBalance>> {
        viewer.require(Permission::BooksRead)?;
        read(&self.domain.reads, accounts, of, self.domain.now()).await
    }
}

async fn read(
    db: &impl ConnectionTrait,
    accounts: &[AccountId],
    of: BalanceOf,
    now: DateTime<Utc>,
) -> Result<Vec<AccountBalance>> {
    let table = match of.subsidiary_id {
        Some(_) => "subsidiary_turnover",
        None => "account_turnover",
    };
    let mut sql = Sql::new(
        "SELECT g.id AS account_id, r.commodity, g.normal_side, COALESCE(sum(r.debit), 0) AS debit, COALESCE(sum(r.credit), 0) AS credit,
                COALESCE(sum(r.pending_debit), 0) AS pending_debit, COALESCE(sum(r.pending_credit), 0) AS pending_credit
         FROM account g JOIN account a ON a.path <@ g.path AND NOT a.is_group
         CROSS JOIN LATERAL (
             SELECT t.commodity, t.debit, t.credit, NULL::numeric AS pending_debit, NULL::numeric AS pending_credit FROM ",
    );
    sql.push(table).push(" t WHERE t.account_id = a.id AND ");
    match of.as_of {
        None => sql.push("t.span = 'month'"),
        Some(day) => {
            sql.push("(t.span = 'month' AND t.since < date_trunc('month', ")
                .bind(day);
            sql.push("::date)::date OR t.span = 'day' AND t.since >= date_trunc('month', ")
                .bind(day);
            sql.push("::date)::date AND t.since <= ").bind(day);
            sql.push("::date)")
        }
    };
    if let Some(id) = of.subsidiary_id {
        sql.push(" AND t.subsidiary_id = ").bind(id);
    }
    sql.push(
        " UNION ALL
             SELECT h.commodity, NULL, NULL, CASE WHEN h.is_debit THEN h.amount END, CASE WHEN NOT h.is_debit THEN h.amount END
             FROM journal_hold_open h WHERE h.account_id = a.id AND (h.expires_at IS NULL OR h.expires_at > ",
    );
    sql.bind(now).push(")");
    if let Some(id) = of.subsidiary_id {
        sql.push(" AND h.subsidiary_id = ").bind(id);
    }
    sql.push(") r WHERE g.id = ANY(")
        .bind(uuids(accounts))
        .push(") GROUP BY g.id, r.commodity, g.normal_side ORDER BY g.id, r.commodity");
    Ok(AccountBalance::find_by_statement(sql.build())
        .all(db)
        .await?)
}
