//! Reads of fiscal years and periods.

use entity::{
    fiscal_year::Model as FiscalYear,
    id::{FiscalYearId, PeriodId},
    period::Model as Period,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};

use crate::{
    error::Result,
    sql::{statement, uuids},
};

/// They are few: a shop has one each year.
pub(super) async fn years(db: &impl ConnectionTrait) -> Result<Vec<FiscalYear>> {
    let sql = "SELECT * FROM fiscal_year ORDER BY starts_on DESC LIMIT 1000";
    Ok(FiscalYear::find_by_statement(statement(sql, []))
        .all(db)
        .await?)
}

pub(super) async fn years_by_ids(
    db: &impl ConnectionTrait,
    ids: &[FiscalYearId],
) -> Result<Vec<FiscalYear>> {
    let sql = "SELECT * FROM fiscal_year WHERE id = ANY($1)";
    let years = FiscalYear::find_by_statement(statement(sql, [uuids(ids)]));
    Ok(years.all(db).await?)
}

pub(super) async fn periods_of(
    db: &impl ConnectionTrait,
    years: &[FiscalYearId],
) -> Result<Vec<Period>> {
    let sql = "SELECT * FROM period WHERE fiscal_year_id = ANY($1) ORDER BY starts_on";
    let periods = Period::find_by_statement(statement(sql, [uuids(years)]));
    Ok(periods.all(db).await?)
}

pub(super) async fn lock_in_tx(tx: &DatabaseTransaction, id: PeriodId) -> Result<Option<Period>> {
    let sql = "SELECT * FROM period WHERE id = $1 FOR NO KEY UPDATE";
    let period = Period::find_by_statement(statement(sql, [id.into()]));
    Ok(period.one(tx).await?)
}
