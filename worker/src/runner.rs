//! One attempt at one job, from the queue's message to the last word in PostgreSQL.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use apalis::prelude::{AbortError, BoxDynError, Data, RetryAfterError};
use domain::job::{Failed, Started, Task};
use entity::id::JobId;
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    context::Context,
    failure::Failure,
    jobs::Attempt,
    metrics::{self, Outcome},
    queue::{Backoff, Run},
    registry,
};

/// How long until a job comes again whose standing PostgreSQL could not be told.
const NOT_TOLD: Duration = Duration::from_secs(2);
/// How long PostgreSQL may take to hear how a job stands. Its own limits are for single statements.
const WORD: Duration = Duration::from_secs(30);
/// A job that takes longer than this is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

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
        Err(not_told(domain::Error::internal(format!(
            "panicked: {}",
            panic_text(&*panic)
        ))))
    })
}

async fn attempt(context: &Context, message: Message) -> Result<(), BoxDynError> {
    let (job, viewer) = (JobId(message.job), context.viewer(message.request_id));
    let started = in_time(context.together.start(&viewer, job)).await;
    match started.map_err(not_told)? {
        Started::Attempt {
            task,
            attempt: number,
            is_last,
        } => {
            let attempt = Attempt {
                job,
                number,
                viewer,
            };
            run(context, &attempt, task, is_last).await
        }
        Started::Over => {
            tracing::debug!("nothing to do");
            Ok(())
        }
        Started::Paused => {
            tracing::debug!("the queue stands still; the job waits in PostgreSQL");
            Ok(())
        }
    }
}

/// Runs an attempt that has begun, until it ends or has to stop.
async fn run(
    context: &Context,
    attempt: &Attempt,
    task: Result<Task, String>,
    is_last: bool,
) -> Result<(), BoxDynError> {
    let begun = Instant::now();
    let kind = task.as_ref().map_or(metrics::UNKNOWN, Task::kind);
    let counted = context.attempts.begin(kind);
    let running = context.running.enter(attempt.job, attempt.number);
    let ended = tokio::select! {
        // What has ended has ended, even when somebody has just asked to cancel it.
        biased;
        ended = guarded(context, attempt, task) => Ended::ByItself(ended),
        () = running.cancelled() => Ended::Cancelled,
        () = context.cut_short.cancelled() => Ended::CutShort,
    };
    match ended {
        Ended::ByItself(Ok(())) => {
            counted.ended(Outcome::Succeeded);
            log_success(attempt, begun.elapsed());
            Ok(())
        }
        Ended::ByItself(Err(failure)) => {
            let again = comes_again(&failure, is_last);
            counted.ended(if again {
                Outcome::Failed
            } else {
                Outcome::Dead
            });
            failed(context, attempt, again, &failure).await
        }
        Ended::Cancelled => {
            counted.ended(Outcome::Cancelled);
            cancelled(context, attempt).await
        }
        Ended::CutShort => {
            counted.ended(Outcome::GivenBack);
            given_back(context, attempt).await
        }
    }
}

/// How an attempt came to its end.
enum Ended {
    ByItself(Result<(), Failure>),
    /// Somebody has asked to cancel the job.
    Cancelled,
    /// The worker is going down.
    CutShort,
}

/// Thousands of quick jobs are of no interest one by one; what takes long is.
fn log_success(attempt: &Attempt, took: Duration) {
    let (attempt, millis) = (attempt.number, took.as_millis());
    if took < SLOW {
        tracing::debug!(attempt, millis, "job done");
    } else {
        tracing::info!(attempt, millis, "job done");
    }
}

/// Waits for PostgreSQL, but not for ever.
async fn in_time<T>(word: impl Future<Output = domain::Result<T>>) -> domain::Result<T> {
    let word = tokio::time::timeout(WORD, word).await;
    word.unwrap_or_else(|elapsed| Err(domain::Error::Unavailable(elapsed.into())))
}

/// A panic and a run over time are failures like others, and come again.
async fn guarded(
    context: &Context,
    attempt: &Attempt,
    task: Result<Task, String>,
) -> Result<(), Failure> {
    // A worker of another release may understand it: an attempt like others, until there have been enough.
    let task = task.map_err(Failure::retry)?;
    let timeout = task.timeout();
    tracing::debug!(kind = task.kind(), attempt = attempt.number, "job begins");
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

fn comes_again(failure: &Failure, is_last: bool) -> bool {
    matches!(failure, Failure::Retry(_)) && !is_last
}

/// First PostgreSQL hears of it, then the queue. When PostgreSQL is away the attempt stays open, and the queue brings it again.
async fn failed(
    context: &Context,
    attempt: &Attempt,
    again: bool,
    failure: &Failure,
) -> Result<(), BoxDynError> {
    let error = failure.to_string();
    if again {
        tracing::info!(
            attempt = attempt.number,
            error,
            "job failed; it comes again"
        );
    } else {
        tracing::warn!(
            attempt = attempt.number,
            error,
            "job failed; it is given up"
        );
    }
    let jobs = context.domain.jobs();
    let told = jobs.fail(&attempt.viewer, attempt.job, attempt.number, &error, again);
    match in_time(told).await.map_err(not_told)? {
        Failed::Superseded => Ok(()),
        Failed::Again => Err(Box::new(RetryAfterError::new(error, delay(attempt)))),
        Failed::Over => Err(Box::new(AbortError::new(error))),
    }
}

/// Whatever it was doing was dropped, and what it had not committed is undone.
async fn cancelled(context: &Context, attempt: &Attempt) -> Result<(), BoxDynError> {
    tracing::info!(attempt = attempt.number, "job cancelled");
    let jobs = context.domain.jobs();
    let told = jobs.end_cancelled(&attempt.viewer, attempt.job, attempt.number);
    in_time(told).await.map_err(not_told)
}

/// The worker is going down, which is not the job's fault: the attempt does not count, and another worker gets the job at once.
async fn given_back(context: &Context, attempt: &Attempt) -> Result<(), BoxDynError> {
    tracing::warn!(attempt = attempt.number, "job stopped with its worker");
    let jobs = context.domain.jobs();
    let told = jobs.give_back(&attempt.viewer, attempt.job, attempt.number);
    in_time(told).await.map_err(not_told)?;
    let why = "the worker went down";
    Err(Box::new(RetryAfterError::new(why, Duration::ZERO)))
}

fn delay(attempt: &Attempt) -> Duration {
    let number = u32::try_from(attempt.number).unwrap_or(1);
    Backoff::default().delay(&Run {
        id: attempt.job.0,
        attempt: number,
        max_attempts: u32::MAX,
    })
}

fn not_told(error: domain::Error) -> BoxDynError {
    tracing::warn!(
        error = &error as &dyn std::error::Error,
        "cannot say in the database how a job stands"
    );
    Box::new(RetryAfterError::new(error, NOT_TOLD))
}
