//! What all accounts have at the end of a day: whole months are kept added up, and days, so that neither a long history nor a busy day makes
//! it slow.

use chrono::NaiveDate;
use entity::id::AccountId;
use rust_decimal::Decimal;
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::{error::Result, sql::statement};

/// What went to each side of an account in a commodity.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct TrialBalanceRow {
    /// Which account.
    pub account_id: AccountId,
    /// A commodity's code.
    pub commodity: String,
    /// How much was debited.
    pub debit: Decimal,
    /// How much was credited.
    pub credit: Decimal,
}

impl TrialBalanceRow {
    /// What the account has: on its debit side, or, negative, on its credit side.
    #[must_use]
    pub fn balance(&self) -> Decimal {
        self.debit - self.credit
    }
}

/// One statement, over the months before the day's and the days of its month.
pub(super) async fn trial(
    db: &impl ConnectionTrait,
    as_of: NaiveDate,
) -> Result<Vec<TrialBalanceRow>> {
    let sql = "SELECT t.account_id, t.commodity, t.debit, t.credit
               FROM (
                   SELECT account_id, commodity, sum(debit) AS debit, sum(credit) AS credit
                   FROM (
                       SELECT account_id, commodity, debit, credit FROM account_turnover
                       WHERE span = 'month' AND since < date_trunc('month', $1::date)::date
                       UNION ALL
                       SELECT account_id, commodity, debit, credit FROM account_turnover
                       WHERE span = 'day' AND since >= date_trunc('month', $1::date)::date AND since <= $1::date
                   ) t
                   GROUP BY account_id, commodity
               ) t
               JOIN account a ON a.id = t.account_id
               ORDER BY a.code, t.commodity";
    let rows = TrialBalanceRow::find_by_statement(statement(sql, [as_of.into()]));
    Ok(rows.all(db).await?)
}
