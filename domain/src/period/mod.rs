//! Fiscal years and their periods: up to which day the books are closed.
//!
//! Periods are closed from the first on and opened again from the last on, so what is closed is the past up to a day, of stock as of the
//! books. The database sees to both, and that nothing is posted into a period that is just being closed
//! ([ADR 20](../docs/adr/0020-books-are-kept-by-the-database.md)).

mod query;
mod rules;
mod write;
mod year;

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{FiscalYearId, PeriodId};
use sea_orm::DatabaseTransaction;
use serde::Serialize;

pub use entity::{fiscal_year::Model as FiscalYear, period::Model as Period};
pub(crate) use rules::parse_reason;
pub(crate) use write::own_in_tx;
pub(crate) use year::{close_all_in_tx, is_closed_in_tx, open_last_in_tx};

use crate::{
    Domain,
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    permission::Permission,
    shop, version,
    viewer::Viewer,
};

/// Most periods of one fiscal year: weeks, and some more.
pub const PERIODS_MAX: usize = 60;

/// A period to be: up to the next, or to the end of its fiscal year.
#[derive(Clone, Debug, Serialize)]
pub struct NewPeriod {
    /// What it is called.
    pub name: String,
    /// Its first day.
    pub starts_on: NaiveDate,
}

/// A fiscal year to be.
#[derive(Clone, Debug, Serialize)]
pub struct NewFiscalYear {
    /// What it is called.
    pub name: String,
    /// Its first day.
    pub starts_on: NaiveDate,
    /// Its last day.
    pub ends_on: NaiveDate,
    /// Its parts, in order; it is one without.
    pub periods: Vec<NewPeriod>,
}

/// Fiscal years and periods: their use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Periods<'a> {
    pub(crate) domain: &'a Domain,
}

impl Periods<'_> {
    /// Begins a fiscal year, with all its periods open.
    ///
    /// # Errors
    /// When a value is refused, there is a fiscal year for some of its days already, or it lies before what is closed.
    pub async fn create_year(
        &self,
        viewer: &Viewer,
        new: NewFiscalYear,
        key: Option<&str>,
    ) -> Result<FiscalYear> {
        viewer.require(Permission::BooksManage)?;
        let (name, parts) = rules::parse(&new)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "fiscal_year.create", &new, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let year = insert_in_tx(&tx, viewer, now, &new, (name, parts)).await?;
        claim.keep_in_tx(&tx, &year).await?;
        self.domain.commit(tx).await?;
        Ok(year)
    }

    /// Closes a period: nothing is posted into it any more, nor moved in stock, and what was posted before is all there is.
    ///
    /// # Errors
    /// When there is no such period, it is not over, an earlier one is open, or somebody changed it since `expected_version`.
    pub async fn close(
        &self,
        viewer: &Viewer,
        id: PeriodId,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Period> {
        viewer.require(Permission::PeriodClose)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "period.close", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        own_in_tx(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        if before.closed_at.is_some() {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        }
        rules::check_over(&before, shop::day_in_tx(&tx, now).await?)?;
        let after = write::set_closed_in_tx(&tx, now, id, Some(now)).await?;
        let change = (Some(&before), &after);
        write::record_in_tx(&tx, viewer, now, "period.close", change, None).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }

    /// Opens a period again, for a reason that the trail keeps.
    ///
    /// # Errors
    /// When there is no such period, a later one is closed, or somebody changed it since `expected_version`.
    pub async fn reopen(
        &self,
        viewer: &Viewer,
        id: PeriodId,
        reason: &str,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<Period> {
        viewer.require(Permission::PeriodClose)?;
        let parsed = parse_reason(reason)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let asked = (id, reason, expected_version);
        let claim = match claim_in_tx(&tx, viewer, key, "period.reopen", &asked, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        own_in_tx(&tx).await?;
        let before = expected(query::lock_in_tx(&tx, id).await?, expected_version)?;
        if before.closed_at.is_none() {
            claim.keep_in_tx(&tx, &before).await?;
            self.domain.commit(tx).await?;
            return Ok(before);
        }
        if is_closed_in_tx(&tx, before.fiscal_year_id).await? {
            return Err(Refusal::new(Code::FiscalYearClosed, "id").into());
        }
        let after = write::set_closed_in_tx(&tx, now, id, None).await?;
        let change = (Some(&before), &after);
        write::record_in_tx(&tx, viewer, now, "period.reopen", change, Some(&parsed)).await?;
        claim.keep_in_tx(&tx, &after).await?;
        self.domain.commit(tx).await?;
        Ok(after)
    }

    /// All fiscal years, the newest first.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn years(&self, viewer: &Viewer) -> Result<Vec<FiscalYear>> {
        viewer.require(Permission::BooksRead)?;
        query::years(&self.domain.reads).await
    }

    /// The fiscal years with these ids, in any order.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn years_by_ids(
        &self,
        viewer: &Viewer,
        ids: &[FiscalYearId],
    ) -> Result<Vec<FiscalYear>> {
        viewer.require(Permission::BooksRead)?;
        query::years_by_ids(&self.domain.reads, ids).await
    }

    /// The periods of these fiscal years, in order.
    ///
    /// # Errors
    /// When the viewer may not see the books.
    pub async fn periods_of(&self, viewer: &Viewer, years: &[FiscalYearId]) -> Result<Vec<Period>> {
        viewer.require(Permission::BooksRead)?;
        query::periods_of(&self.domain.reads, years).await
    }
}

/// Begins a fiscal year as a part of something larger.
///
/// # Errors
/// When a value is refused, there is a fiscal year for some of its days already, or it lies before what is closed.
pub(crate) async fn create_year_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    new: &NewFiscalYear,
) -> Result<FiscalYear> {
    let parsed = rules::parse(new)?;
    insert_in_tx(tx, viewer, now, new, parsed).await
}

async fn insert_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    new: &NewFiscalYear,
    (name, parts): (String, Vec<rules::Part>),
) -> Result<FiscalYear> {
    let year = write::insert_year_in_tx(tx, now, &name, new).await?;
    let periods = write::insert_periods_in_tx(tx, now, year.id, &parts).await?;
    write::record_year_in_tx(tx, viewer, now, &year, &periods).await?;
    Ok(year)
}

/// The period, if there is one, and of the version that is expected.
fn expected(found: Option<Period>, expected_version: Option<i64>) -> Result<Period, Refusal> {
    let period = found.ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
    version::check(period.version, expected_version)?;
    Ok(period)
}
