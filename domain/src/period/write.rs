//! Writes of fiscal years and periods.

use chrono::{DateTime, Utc};
use entity::{
    fiscal_year::Model as FiscalYear,
    id::{FiscalYearId, PeriodId},
    period::Model as Period,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};
use serde::Serialize;

use super::{NewFiscalYear, rules::Part};
use crate::{
    audit::{self, Change},
    clock::new_id,
    db::refuse_if_broken,
    error::{Code, Error, Refusal, Result},
    sql::{statement, uuids},
    viewer::Viewer,
};

/// Waits until nobody posts to the books or moves stock, and keeps others from it until the transaction ends.
pub(crate) async fn own_in_tx(tx: &DatabaseTransaction) -> Result<()> {
    tx.execute_raw(statement("SELECT books_own()", [])).await?;
    Ok(())
}

pub(super) async fn insert_year_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    name: &str,
    new: &NewFiscalYear,
) -> Result<FiscalYear> {
    let sql = "INSERT INTO fiscal_year (id, name, starts_on, ends_on, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING *";
    let values = [
        new_id(now).into(),
        name.into(),
        new.starts_on.into(),
        new.ends_on.into(),
        now.into(),
    ];
    let inserted = FiscalYear::find_by_statement(statement(sql, values)).one(tx);
    let taken = Refusal::new(Code::AlreadyTaken, "name").with("value", name);
    let refusals = [
        ("fiscal_year_name_unique", taken),
        (
            "fiscal_year_alone",
            Refusal::new(Code::Overlaps, "startsOn"),
        ),
    ];
    let inserted = inserted
        .await
        .map_err(|error| refuse_if_broken(error, &refusals))?;
    inserted.ok_or_else(|| Error::internal("a fiscal year was written and gave no row"))
}

pub(super) async fn insert_periods_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    year: FiscalYearId,
    parts: &[Part],
) -> Result<Vec<Period>> {
    let sql = "INSERT INTO period (id, fiscal_year_id, name, starts_on, ends_on, updated_at)
               SELECT p.id, $5, p.name, p.starts_on, p.ends_on, $6
               FROM unnest($1::uuid[], $2::text[], $3::date[], $4::date[]) p (id, name, starts_on, ends_on)
               RETURNING *";
    let ids: Vec<_> = parts.iter().map(|_| PeriodId(new_id(now))).collect();
    let names: Vec<_> = parts.iter().map(|part| part.name.clone()).collect();
    let starts: Vec<_> = parts.iter().map(|part| part.starts_on).collect();
    let ends: Vec<_> = parts.iter().map(|part| part.ends_on).collect();
    let values = [
        uuids(&ids),
        names.into(),
        starts.into(),
        ends.into(),
        year.into(),
        now.into(),
    ];
    let inserted = Period::find_by_statement(statement(sql, values)).all(tx);
    let closed = Refusal::new(Code::PeriodOrder, "startsOn");
    let refusals = [("period_closed_in_order", closed)];
    inserted
        .await
        .map_err(|error| refuse_if_broken(error, &refusals))
}

pub(super) async fn set_closed_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    id: PeriodId,
    closed_at: Option<DateTime<Utc>>,
) -> Result<Period> {
    let sql = "UPDATE period SET closed_at = $2, version = version + 1, updated_at = $3 WHERE id = $1 RETURNING *";
    let values = [id.into(), closed_at.into(), now.into()];
    let updated = Period::find_by_statement(statement(sql, values)).one(tx);
    let refusals = [(
        "period_closed_in_order",
        Refusal::new(Code::PeriodOrder, "id"),
    )];
    let updated = updated
        .await
        .map_err(|error| refuse_if_broken(error, &refusals))?;
    updated.ok_or_else(|| Error::internal("a period vanished under its lock"))
}

/// A fiscal year as the trail has it.
#[derive(Serialize)]
struct RecordedYear<'a> {
    #[serde(flatten)]
    year: &'a FiscalYear,
    periods: &'a [Period],
}

pub(super) async fn record_year_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    year: &FiscalYear,
    periods: &[Period],
) -> Result<()> {
    let change = Change {
        action: "fiscal_year.create",
        aggregate_type: "fiscal_year",
        aggregate_id: year.id.0,
        before: None,
        after: Some(&RecordedYear { year, periods }),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}

/// A period as the trail has it.
#[derive(Serialize)]
struct Recorded<'a> {
    #[serde(flatten)]
    period: &'a Period,
    /// Why it was opened again.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

pub(super) async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    action: &'static str,
    (before, after): (Option<&Period>, &Period),
    reason: Option<&str>,
) -> Result<()> {
    let recorded = |period, reason| Recorded { period, reason };
    let before = before.map(|period| recorded(period, None));
    let change = Change {
        action,
        aggregate_type: "period",
        aggregate_id: after.id.0,
        before: before.as_ref(),
        after: Some(&recorded(after, reason)),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
