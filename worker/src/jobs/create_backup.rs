//! Makes a backup.

use std::{sync::Arc, time::Duration};

use domain::clock::SystemClock;
use entity::id::BackupId;

use super::Attempt;
use crate::{
    backup::{self, BackupError, Progress, Request},
    context::Context,
    failure::Failure,
};

/// How often it is told how far it has come.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Makes it. One that is there already, because the last attempt died before it could say so, is only told.
///
/// # Errors
/// When a part of it fails: then there is none. It is not tried again, for somebody has to look. When one is being made from the command line:
/// that one is waited for.
pub async fn run(context: &Context, attempt: &Attempt, id: BackupId) -> Result<(), Failure> {
    let (backups, viewer) = (context.domain.backups(), &attempt.viewer);
    let job = (attempt.job, attempt.number);
    let Some(asked) = backups.begin(viewer, id).await? else {
        let jobs = context.domain.jobs();
        return Ok(jobs.succeed(viewer, job.0, job.1).await?);
    };
    let request = Request {
        id: id.0,
        is_incremental: asked.is_incremental,
    };
    let progress = Arc::<Progress>::default();
    let made = tokio::select! {
        made = backup::create(&context.backups, &SystemClock, request, &progress) => made,
        never = tell(context, attempt, &progress) => match never {},
    };
    match made {
        Ok(outcome) => Ok(backups.finish(viewer, job, id, outcome.made()).await?),
        Err(error @ BackupError::Busy(_)) => Err(Failure::retry(error)),
        Err(error) => {
            tracing::error!(%error, "there is no backup");
            backups.fail(viewer, id, &error.to_string()).await?;
            Err(Failure::discard(error))
        }
    }
}

async fn tell(
    context: &Context,
    attempt: &Attempt,
    progress: &Progress,
) -> std::convert::Infallible {
    let jobs = context.domain.jobs();
    let mut told = 0;
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        // The last of it is the end.
        let percent = i16::try_from(progress.percent())
            .unwrap_or_default()
            .min(99);
        if percent > told {
            let said = jobs
                .report_progress(&attempt.viewer, attempt.job, attempt.number, percent, None)
                .await;
            match said {
                Ok(()) => told = percent,
                Err(error) => tracing::debug!(%error, "cannot tell how far it has come"),
            }
        }
    }
}
