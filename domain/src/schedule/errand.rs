//! What can be done by itself: each asks for a job as somebody at a desk would. Whoever adds one adds a line to [`Errand`], and one here.

use chrono::{DateTime, Utc};
use entity::{id::JobId, stock_reconciliation::Subject};
use sea_orm::DatabaseTransaction;

use super::Errand;
use crate::{
    backup,
    error::Result,
    job::{self, Task},
    retention, stock, trail,
    viewer::Viewer,
};

/// Asks for the job, in the transaction that decides about a time. The note says which schedule it was.
pub(super) async fn ask_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    errand: Errand,
    name: &str,
) -> Result<JobId> {
    let note = Some(name.to_owned());
    match errand {
        Errand::CreateBackup => {
            backup::ask_by_schedule_in_tx(tx, viewer, now, name.to_owned()).await
        }
        Errand::FetchMetalRates => {
            job::enqueue_one_in_tx(tx, viewer, now, Task::FetchMetalRates).await
        }
        Errand::ReconcileCosts => reconcile(tx, viewer, now, Subject::Costs, note).await,
        Errand::ReconcileLevels => reconcile(tx, viewer, now, Subject::Levels, note).await,
        Errand::ReconcileSeries => reconcile(tx, viewer, now, Subject::Series, note).await,
        Errand::Retention => retention::run_in_tx(tx, viewer, now).await,
        Errand::VerifyBackup => backup::verify_newest_in_tx(tx, viewer, now).await,
        Errand::VerifyTrail => Ok(trail::ask_in_tx(tx, viewer, now, note, 0).await?.job_id),
    }
}

async fn reconcile(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    subject: Subject,
    note: Option<String>,
) -> Result<JobId> {
    let asked = stock::ask_in_tx(tx, viewer, now, (subject, note), 0).await?;
    Ok(asked.job_id)
}
