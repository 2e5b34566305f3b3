//! Closing fiscal years: what revenue and expenses have goes to retained earnings, and all periods close.
//!
//! What is left of an account is known from its turnovers. Only lines of cost centres and projects are read, so that a closing entry has them, too.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    account::{Kind as AccountKind, Model as Account},
    id::{AccountId, DimensionValueId, FiscalYearId},
};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum as _, DatabaseTransaction, FromQueryResult};
use serde::{Deserialize, Serialize};

use super::{
    Journal, JournalEntry, Kind, LINES_MAX, fault, post, reversal,
    rules::{Entry, Line},
};
use crate::{
    account::{Role, find_in_tx, role_in_tx},
    error::{Code, Error, Refusal, Result},
    idempotency::{Claim, Claimed, claim_in_tx},
    period::{self, FiscalYear},
    permission::Permission,
    shop,
    sql::statement,
    viewer::Viewer,
};

/// Most lines of a closing entry besides those of retained earnings, which are one for each commodity.
const CLOSED_MAX: usize = LINES_MAX - 1_000;

/// A fiscal year that was closed or opened again, with the entries that were posted for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct YearPosted {
    /// The fiscal year.
    pub year: FiscalYear,
    /// In the order of their numbers; none when there was nothing to close.
    pub entries: Vec<JournalEntry>,
}

/// What is left of an account of revenue or expenses.
#[derive(Clone, Debug, FromQueryResult)]
struct Left {
    account_id: AccountId,
    commodity: String,
    subsidiary_id: Option<DimensionValueId>,
    cost_center_id: Option<DimensionValueId>,
    project_id: Option<DimensionValueId>,
    /// Debited without credited.
    balance: Decimal,
}

impl Journal<'_> {
    /// Closes a fiscal year: posts what brings all accounts of revenue and expenses to nothing in each commodity, with their subsidiary accounts,
    /// cost centres and projects, into an account of equity, and closes all periods of the year.
    ///
    /// # Errors
    /// When there is no such year, it is not over or was closed, an earlier one is open, or the account is not of equity.
    pub async fn close_year(
        &self,
        viewer: &Viewer,
        id: FiscalYearId,
        retained_earnings: Option<AccountId>,
        key: Option<&str>,
    ) -> Result<YearPosted> {
        viewer.require(Permission::PeriodClose)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, retained_earnings);
        let operation = "fiscal_year.close";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        period::own_in_tx(&tx).await?;
        let year = year_in_tx(&tx, id).await?;
        let today = shop::day_in_tx(&tx, now).await?;
        if year.ends_on >= today {
            let refusal = Refusal::new(Code::PeriodNotOver, "id");
            return Err(refusal.with("endsOn", year.ends_on).into());
        }
        if period::is_closed_in_tx(&tx, id).await? {
            return Err(Refusal::new(Code::FiscalYearClosed, "id").into());
        }
        let equity = equity_in_tx(&tx, retained_earnings).await?;
        let left = left_in_tx(&tx, year.ends_on).await?;
        period::open_last_in_tx(&tx, viewer, now, id, operation).await?;
        let entries = closing(&left, equity.id, year.ends_on);
        let entries = match write_in_tx(&tx, viewer, now, operation, entries).await {
            Ok(entries) => entries,
            Err(failure) => {
                tx.rollback().await?;
                return Err(fault::explain(&self.domain.reads, failure).await);
            }
        };
        period::close_all_in_tx(&tx, viewer, now, id, operation).await?;
        let closed = YearPosted { year, entries };
        claim.keep_in_tx(&tx, &closed).await?;
        self.domain.commit(tx).await?;
        Ok(closed)
    }

    /// Opens a fiscal year again that was closed as a whole: undoes its closing entries, and opens its last period. Those in front of it can be
    /// opened one by one.
    ///
    /// # Errors
    /// When there is no such year, it was not closed, or a later period is closed.
    pub async fn reopen_year(
        &self,
        viewer: &Viewer,
        id: FiscalYearId,
        reason: &str,
        key: Option<&str>,
    ) -> Result<YearPosted> {
        viewer.require(Permission::PeriodClose)?;
        let reason = period::parse_reason(reason)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, &reason);
        let operation = "fiscal_year.reopen";
        let claim = match claim_in_tx(&tx, viewer, key, operation, &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        period::own_in_tx(&tx).await?;
        let year = year_in_tx(&tx, id).await?;
        let closing = closing_of_in_tx(&tx, id).await?;
        if closing.is_empty() {
            return Err(Refusal::new(Code::FiscalYearOpen, "id").into());
        }
        period::open_last_in_tx(&tx, viewer, now, id, operation).await?;
        let mut mirrors = Vec::new();
        for entry in &closing {
            let reason = Some(reason.clone());
            mirrors.push(reversal::mirror_in_tx(&tx, entry, entry.date, reason).await?);
        }
        let entries = match write_in_tx(&tx, viewer, now, operation, mirrors).await {
            Ok(entries) => entries,
            Err(failure) => {
                tx.rollback().await?;
                return Err(fault::explain(&self.domain.reads, failure).await);
            }
        };
        let opened = YearPosted { year, entries };
        claim.keep_in_tx(&tx, &opened).await?;
        self.domain.commit(tx).await?;
        Ok(opened)
    }
}

async fn write_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    operation: &'static str,
    entries: Vec<Entry>,
) -> Result<Vec<JournalEntry>, fault::Failure> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    post::write_in_tx(tx, viewer, now, (operation, Claim::NONE), entries).await
}

async fn year_in_tx(tx: &DatabaseTransaction, id: FiscalYearId) -> Result<FiscalYear> {
    let sql = "SELECT * FROM fiscal_year WHERE id = $1";
    let year = FiscalYear::find_by_statement(statement(sql, [id.into()]));
    let year = year.one(tx).await?;
    Ok(year.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?)
}

/// Where earnings go: an account of equity that is posted to.
async fn equity_in_tx(tx: &DatabaseTransaction, given: Option<AccountId>) -> Result<Account> {
    let path = "retainedEarningsAccountId";
    let id = match given {
        Some(id) => id,
        None => role_in_tx(tx, Role::RetainedEarnings)
            .await?
            .ok_or_else(|| Error::from(Refusal::new(Code::Required, path)))?,
    };
    let account = find_in_tx(tx, id).await?;
    let account = account.ok_or_else(|| Refusal::new(Code::NotFound, path))?;
    if account.is_group {
        let refusal = Refusal::new(Code::AccountIsGroup, path);
        return Err(refusal.with("account", account.code).into());
    }
    if account.kind != AccountKind::Equity {
        let refusal = Refusal::new(Code::WrongAccountKind, path);
        let expected = AccountKind::Equity.to_value();
        return Err(refusal.with("expected", expected).into());
    }
    Ok(account)
}

/// The closing entries of a year that were not undone.
async fn closing_of_in_tx(tx: &DatabaseTransaction, id: FiscalYearId) -> Result<Vec<JournalEntry>> {
    let sql = "SELECT e.* FROM journal_entry e
               WHERE e.fiscal_year_id = $1 AND e.kind = 'closing' AND NOT EXISTS (SELECT FROM journal_entry r WHERE r.reverses_id = e.id)
               ORDER BY e.number";
    let entries = JournalEntry::find_by_statement(statement(sql, [id.into()]));
    Ok(entries.all(tx).await?)
}

/// What accounts of revenue and expenses have at the end of a day. Of cost centres and projects, lines since the year before was closed are read:
/// closing entries have left nothing of what was earlier.
async fn left_in_tx(tx: &DatabaseTransaction, day: NaiveDate) -> Result<Vec<Left>> {
    let sql = "WITH since AS (
                   SELECT COALESCE(max(f.ends_on), '-infinity'::date) AS day FROM fiscal_year f WHERE f.ends_on < $1 AND fiscal_year_closed(f.id)
               ), result AS MATERIALIZED (
                   SELECT id, subsidiary_kind FROM account WHERE kind IN ('revenue', 'expense') AND NOT is_group
               ), named AS MATERIALIZED (
                   SELECT l.account_id, l.commodity, l.subsidiary_id, l.cost_center_id, l.project_id,
                          sum(CASE WHEN l.is_debit THEN l.amount ELSE -l.amount END) AS balance
                   FROM result a CROSS JOIN since s
                   JOIN journal_line l ON l.account_id = a.id AND l.date > s.day AND l.date <= $1
                                          AND (l.cost_center_id IS NOT NULL OR l.project_id IS NOT NULL)
                   GROUP BY l.account_id, l.commodity, l.subsidiary_id, l.cost_center_id, l.project_id
               ), share AS (
                   SELECT * FROM named
                   UNION ALL
                   SELECT account_id, commodity, subsidiary_id, NULL, NULL, -balance FROM named
                   UNION ALL
                   SELECT r.account_id, r.commodity, NULL, NULL, NULL, r.debit - r.credit
                   FROM books_result($1) r JOIN result a ON a.id = r.account_id AND a.subsidiary_kind IS NULL
                   UNION ALL
                   SELECT t.account_id, t.commodity, t.subsidiary_id, NULL, NULL, t.debit - t.credit
                   FROM result a JOIN subsidiary_turnover t ON t.account_id = a.id
                   WHERE t.span = 'month' AND t.since < date_trunc('month', $1::date)::date
                      OR t.span = 'day' AND t.since >= date_trunc('month', $1::date)::date AND t.since <= $1
               )
               SELECT s.account_id, s.commodity, s.subsidiary_id, s.cost_center_id, s.project_id, sum(s.balance) AS balance
               FROM share s JOIN account a ON a.id = s.account_id
               GROUP BY s.account_id, s.commodity, s.subsidiary_id, s.cost_center_id, s.project_id, a.code
               HAVING sum(s.balance) <> 0
               ORDER BY s.commodity, a.code, s.subsidiary_id, s.cost_center_id, s.project_id";
    let left = Left::find_by_statement(statement(sql, [day.into()]));
    Ok(left.all(tx).await?)
}

/// What brings all of it to nothing: as few entries as it takes.
fn closing(left: &[Left], equity: AccountId, day: NaiveDate) -> Vec<Entry> {
    let entries = left.chunks(CLOSED_MAX).map(|some| Entry {
        prefix: String::new(),
        date: day,
        kind: Kind::Closing,
        description: None,
        document: None,
        reverses: None,
        lines: lines(some, equity),
    });
    entries.collect()
}

/// They come sorted by commodity.
fn lines(left: &[Left], equity: AccountId) -> Vec<Line> {
    let by_commodity = left.chunk_by(|one, next| one.commodity == next.commodity);
    let lines = by_commodity.flat_map(|of| {
        let rest: Decimal = of.iter().map(|one| one.balance).sum();
        let commodity = of.first().map(|one| one.commodity.clone());
        let retained = Left {
            account_id: equity,
            commodity: commodity.unwrap_or_default(),
            subsidiary_id: None,
            cost_center_id: None,
            project_id: None,
            balance: -rest,
        };
        let retained = (!rest.is_zero()).then_some(retained);
        of.iter().cloned().chain(retained).map(opposite)
    });
    lines.collect()
}

fn opposite(left: Left) -> Line {
    let Left {
        account_id,
        commodity,
        subsidiary_id,
        cost_center_id,
        project_id,
        balance,
    } = left;
    Line {
        account: account_id,
        commodity: Some(commodity),
        is_debit: balance.is_sign_negative(),
        amount: balance.abs(),
        base_amount: None,
        quantity: None,
        location: None,
        subsidiary: subsidiary_id,
        cost_center: cost_center_id,
        project: project_id,
        description: None,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn left(account: u128, commodity: &str, balance: i64) -> Left {
        Left {
            account_id: AccountId(Uuid::from_u128(account)),
            commodity: commodity.to_owned(),
            subsidiary_id: None,
            cost_center_id: None,
            project_id: None,
            balance: Decimal::from(balance),
        }
    }

    #[test]
    fn what_is_left_goes_to_the_other_side_and_the_rest_to_equity() {
        let left = [
            left(1, "GOLD", 5),
            left(2, "GOLD", -5),
            left(1, "IRR", 30),
            left(2, "IRR", -100),
        ];
        let equity = AccountId(Uuid::from_u128(9));
        let entries = closing(&left, equity, NaiveDate::default());
        let lines: Vec<_> = entries[0]
            .lines
            .iter()
            .map(|line| {
                (
                    line.account.0.as_u128(),
                    line.is_debit,
                    line.amount.to_string(),
                )
            })
            .collect();
        let line = |account, is_debit, amount: &str| (account, is_debit, amount.to_owned());
        assert_eq!(
            lines,
            [
                line(1, false, "5"),
                line(2, true, "5"),
                line(1, false, "30"),
                line(2, true, "100"),
                line(9, false, "70"),
            ]
        );
        assert!(closing(&[], equity, NaiveDate::default()).is_empty());
    }

    #[test]
    fn no_closing_entry_has_too_many_lines() {
        let many: Vec<_> = (0..25_000).map(|account| left(account, "IRR", 1)).collect();
        let entries = closing(&many, AccountId(Uuid::nil()), NaiveDate::default());
        assert_eq!(entries.len(), 3);
        assert!(entries.iter().all(|entry| entry.lines.len() <= LINES_MAX));
    }
}
