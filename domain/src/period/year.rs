//! All periods of a fiscal year at once, for whoever closes the year or opens it again.

use chrono::{DateTime, Utc};
use entity::id::{FiscalYearId, PeriodId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};

use super::{Period, query, write};
use crate::{
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    sql::statement,
    viewer::Viewer,
};

/// Whether a fiscal year has a closing entry that was not undone.
pub(crate) async fn is_closed_in_tx(tx: &DatabaseTransaction, id: FiscalYearId) -> Result<bool> {
    let sql = "SELECT fiscal_year_closed($1) AS closed";
    let row = tx.query_one_raw(statement(sql, [id.into()])).await?;
    let row = row.ok_or_else(|| Error::internal("a question gave no row"))?;
    Ok(row.try_get("", "closed")?)
}

/// Opens the last period of a fiscal year, if it is closed: closing entries are of its last day.
pub(crate) async fn open_last_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    id: FiscalYearId,
    action: &'static str,
) -> Result<()> {
    let sql = "SELECT id FROM period WHERE fiscal_year_id = $1 ORDER BY starts_on DESC LIMIT 1";
    let last = tx.query_one_raw(statement(sql, [id.into()])).await?;
    let Some(last) = last else { return Ok(()) };
    let last: PeriodId = last.try_get("", "id")?;
    let before = query::lock_in_tx(tx, last).await?;
    let Some(before) = before.filter(|period| period.closed_at.is_some()) else {
        return Ok(());
    };
    let after = write::set_closed_in_tx(tx, now, last, None).await?;
    write::record_in_tx(tx, viewer, now, action, (Some(&before), &after), None).await
}

/// Closes what is still open of a fiscal year.
pub(crate) async fn close_all_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    id: FiscalYearId,
    action: &'static str,
) -> Result<()> {
    let sql = "UPDATE period SET closed_at = $2, version = version + 1, updated_at = $2
               WHERE fiscal_year_id = $1 AND closed_at IS NULL RETURNING *";
    let closed = Period::find_by_statement(statement(sql, [id.into(), now.into()])).all(tx);
    let order = Refusal::new(Code::PeriodOrder, "id");
    let closed = closed
        .await
        .map_err(|error| refuse_if_broken(error, &[("period_closed_in_order", order)]))?;
    for period in &closed {
        write::record_in_tx(tx, viewer, now, action, (None, period), None).await?;
    }
    Ok(())
}
