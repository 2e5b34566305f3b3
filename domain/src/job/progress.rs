//! Work that is done in parts, each in a transaction of its own.

use chrono::{DateTime, Utc};
use entity::id::JobId;
use sea_orm::DatabaseTransaction;

use super::{query, write};
use crate::{
    error::{Error, Result},
    viewer::Viewer,
};

/// Makes sure, in the transaction that does a part of it, that this attempt at the job is still the latest one; and says how far it has
/// got and what it is at, when there is something to say.
///
/// # Errors
/// [`Error::Internal`] when it is not; the caller rolls back what it did.
pub(crate) async fn hold_attempt_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    (id, attempt): (JobId, i32),
    percent: Option<i16>,
    message: Option<&str>,
) -> Result<()> {
    let job = query::lock_attempt_in_tx(tx, id, attempt).await?;
    let job = job.ok_or_else(|| Error::internal("another worker has taken this job over"))?;
    if let Some(percent) = percent.map(|percent| percent.clamp(0, 99))
        && percent > job.progress
    {
        write::progress_in_tx(tx, viewer, now, job, percent, message).await?;
    }
    Ok(())
}
