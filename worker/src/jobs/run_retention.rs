//! Clears up what is old: rows first, and files when nothing leads to them any more.

use std::{
    future::ready,
    pin::pin,
    time::{Duration, SystemTime},
};

use domain::{
    Viewer,
    clock::{Clock as _, SystemClock},
    retention::{Progress, Report, StoredFile},
};
use entity::id::{JobId, RetentionRunId};
use futures_util::{StreamExt as _, TryStreamExt as _};
use platform::blob::{BlobKey, Listed};

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// How many files the database is asked about at once.
const BATCH: usize = 500;
/// A staging file that was not written to for so long is written to by nobody: no request and no job takes that long.
const LEFT: Duration = Duration::from_secs(24 * 60 * 60);

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
        let mut progress = retention.step(viewer, job, id).await?;
        if progress == Progress::Survey {
            progress = survey(context, viewer, job, id).await?;
        }
        // Also those that somebody has left behind who was stopped here.
        remove_files(context, viewer).await?;
        if progress == Progress::Done {
            break;
        }
    }
    Ok(retention.finish(viewer, job, id).await?)
}

/// Goes through all files that are there, some at a time, and has those retired that nothing refers to. What is young is left alone: somebody may be
/// about to refer to it, and would have to store it again.
async fn survey(
    context: &Context,
    viewer: &Viewer,
    job: Option<(JobId, i32)>,
    id: RetentionRunId,
) -> Result<Progress, Failure> {
    let retention = context.domain.retention();
    remove_leftovers(context, viewer, job, id).await?;
    let until = SystemClock.now() - context.file_grace;
    let until = until.timestamp_millis();
    let old = context
        .blobs
        .list()
        .try_filter(move |file| ready(file.written_at <= until));
    let mut batches = pin!(old.try_chunks(BATCH));
    while let Some(files) = batches.next().await {
        let files = files.map_err(|error| Failure::retry(error.1))?;
        let files = files.into_iter().map(stored).collect();
        if retention.survey(viewer, job, id, files).await? == Progress::Done {
            return Ok(Progress::Done);
        }
    }
    retention.surveyed(viewer, id).await?;
    Ok(Progress::Open)
}

/// Removes what uploads left behind that were killed.
async fn remove_leftovers(
    context: &Context,
    viewer: &Viewer,
    job: Option<(JobId, i32)>,
    id: RetentionRunId,
) -> Result<(), Failure> {
    let retention = context.domain.retention();
    let until = SystemTime::from(SystemClock.now() - LEFT);
    let left = context.blobs.leftovers(until);
    let left = left.await.map_err(Failure::retry)?;
    if left.is_empty() {
        return Ok(());
    }
    let bytes = left.iter().map(|leftover| leftover.bytes).sum::<u64>();
    let files = i64::try_from(left.len()).unwrap_or(i64::MAX);
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    if retention.leftovers(viewer, job, id, files, bytes).await? {
        let removed = context.blobs.remove_leftovers(left, until);
        removed.await.map_err(Failure::retry)?;
    }
    Ok(())
}

fn stored(file: Listed) -> StoredFile {
    StoredFile {
        key: file.key.as_str().to_owned(),
        bytes: i64::try_from(file.bytes).unwrap_or(i64::MAX),
    }
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
