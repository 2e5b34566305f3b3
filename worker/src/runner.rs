//! One attempt at one job, from the queue's message to the last word in PostgreSQL.

use std::{panic::AssertUnwindSafe, time::Duration};

use apalis::prelude::{AbortError, BoxDynError, Data, RetryAfterError};
use domain::job::{Started, Task};
use entity::id::JobId;
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    context::Context,
    failure::Failure,
    jobs::Attempt,
    queue::{Backoff, Run},
    registry,
};

/// How long until a job is tried again that could not even be begun, because PostgreSQL is away.
const NOT_BEGUN: Duration = Duration::from_secs(2);

/// What travels through Redis: which job, and for whom the log lines are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Which job.
    pub job: Uuid,
    /// The request that caused it.
    pub request_id: Option<String>,
}

/// Runs one attempt. PostgreSQL counts attempts and decides when there have been enough; the queue only hears when to come again.
///
/// # Errors
/// [`RetryAfterError`] when the job is to be tried again, [`AbortError`] when it is given up.
pub async fn handle(message: Message, context: Data<Context>) -> Result<(), BoxDynError> {
    let span = tracing::info_span!("job", job_id = %message.job, request_id = message.request_id.as_deref());
    let attempt = AssertUnwindSafe(attempt(&context, message))
        .catch_unwind()
        .instrument(span);
    attempt.await.unwrap_or_else(|panic| {
        Err(not_begun(domain::Error::internal(format!(
            "panicked: {}",
            panic_text(&*panic)
        ))))
    })
}

async fn attempt(context: &Context, message: Message) -> Result<(), BoxDynError> {
    let (job, viewer) = (JobId(message.job), context.viewer(message.request_id));
    let started = context
        .domain
        .jobs()
        .start(&viewer, job)
        .await
        .map_err(not_begun)?;
    let Started::Attempt {
        task,
        attempt,
        is_last,
    } = started
    else {
        return Ok(());
    };
    let attempt = Attempt {
        job,
        number: attempt,
        viewer,
    };
    let kind = task.kind();
    tracing::debug!(kind, attempt = attempt.number, "job begins");
    match guarded(context, &attempt, task).await {
        Ok(()) => {
            tracing::info!(kind, attempt = attempt.number, "job done");
            Ok(())
        }
        Err(failure) => failed(context, &attempt, is_last, failure).await,
    }
}

/// A panic and a run over time are failures like others, and come again.
async fn guarded(context: &Context, attempt: &Attempt, task: Task) -> Result<(), Failure> {
    let timeout = task.timeout();
    let work = AssertUnwindSafe(registry::run(context, attempt, task)).catch_unwind();
    match tokio::time::timeout(timeout, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(Failure::retry(format!("panicked: {}", panic_text(&*panic)))),
        Err(_elapsed) => Err(Failure::retry(format!(
            "took longer than {} seconds",
            timeout.as_secs()
        ))),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}

/// First PostgreSQL hears of it, then the queue. When PostgreSQL is away the attempt stays open, and the queue brings it again.
async fn failed(
    context: &Context,
    attempt: &Attempt,
    is_last: bool,
    failure: Failure,
) -> Result<(), BoxDynError> {
    let again = matches!(failure, Failure::Retry(_)) && !is_last;
    let error = failure.to_string();
    tracing::warn!(attempt = attempt.number, again, error, "job failed");
    let jobs = context.domain.jobs();
    let counts = jobs
        .fail(&attempt.viewer, attempt.job, attempt.number, &error, again)
        .await
        .map_err(not_begun)?;
    match (counts, again) {
        // Another worker has it, and will have its own word.
        (false, _) => Ok(()),
        (true, true) => Err(Box::new(RetryAfterError::new(error, delay(attempt)))),
        (true, false) => Err(Box::new(AbortError::new(error))),
    }
}

fn delay(attempt: &Attempt) -> Duration {
    let number = u32::try_from(attempt.number).unwrap_or(1);
    Backoff::default().delay(&Run {
        id: attempt.job.0,
        attempt: number,
        max_attempts: u32::MAX,
    })
}

fn not_begun(error: domain::Error) -> BoxDynError {
    tracing::warn!(
        error = &error as &dyn std::error::Error,
        "cannot say in the database how a job stands"
    );
    Box::new(RetryAfterError::new(error, NOT_BEGUN))
}
