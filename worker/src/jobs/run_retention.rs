//! Clears up what is old: rows first, and files when nothing leads to them any more.

use domain::{
    Viewer,
    retention::{Progress, Report},
};
use entity::id::{JobId, RetentionRunId};
use platform::blob::BlobKey;

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// Clears up, step by step: whoever takes it over goes on where it was.
///
/// # Errors
/// When the database or the blob store fails.
pub async fn run(context: &Context, attempt: &Attempt, id: RetentionRunId) -> Result<(), Failure> {
    let job = (attempt.job, attempt.number);
    clear_up(context, &attempt.viewer, Some(job), id).await?;
    Ok(())
}

/// The same, on behalf of a job or of nobody but the caller.
///
/// # Errors
/// When the database or the blob store fails.
pub async fn clear_up(
    context: &Context,
    viewer: &Viewer,
    job: Option<(JobId, i32)>,
    id: RetentionRunId,
) -> Result<Report, Failure> {
    let retention = context.domain.retention();
    loop {
        let progress = retention.step(viewer, job, id).await?;
        // Also those that somebody has left behind who was stopped here.
        remove_files(context, viewer).await?;
        if progress == Progress::Done {
            break;
        }
    }
    Ok(retention.finish(viewer, job, id).await?)
}

async fn remove_files(context: &Context, viewer: &Viewer) -> Result<(), Failure> {
    let retention = context.domain.retention();
    loop {
        let keys = retention.files(viewer).await?;
        if keys.is_empty() {
            return Ok(());
        }
        for key in &keys {
            let key: BlobKey = key.parse().map_err(Failure::discard)?;
            context.blobs.delete(&key).await.map_err(Failure::retry)?;
        }
        retention.forget_files(viewer, keys).await?;
    }
}
