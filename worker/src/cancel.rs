//! Stops attempts whose jobs somebody wants cancelled.
//!
//! Who asks writes it into the job's row. A worker looks now and then, by one statement, at the rows of the jobs that it runs; the others have
//! ended before anybody could have changed their mind.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::Viewer;
use entity::id::JobId;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;

use crate::context::Context;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(500);
/// How long a look may take: a connection whose other end vanished without a word never answers.
const LOOK_MAX: Duration = Duration::from_secs(30);

/// The attempts that run in this process. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Running(Arc<Mutex<Attempts>>);

/// By job: which attempt at it, and what stops that.
type Attempts = HashMap<JobId, (i32, CancellationToken)>;

impl Running {
    /// An attempt runs as long as what is returned is kept.
    #[must_use]
    pub fn enter(&self, job: JobId, attempt: i32) -> Entered {
        let stop = CancellationToken::new();
        self.attempts().insert(job, (attempt, stop.clone()));
        Entered {
            running: self.clone(),
            job,
            attempt,
            stop,
        }
    }

    /// Stops this attempt, if it runs here.
    fn stop(&self, job: JobId, attempt: i32) {
        match self.attempts().get(&job) {
            Some((running, stop)) if *running == attempt => stop.cancel(),
            _ => {}
        }
    }

    fn jobs(&self) -> Vec<JobId> {
        self.attempts().keys().copied().collect()
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt that runs.
#[derive(Debug)]
pub struct Entered {
    running: Running,
    job: JobId,
    attempt: i32,
    stop: CancellationToken,
}

impl Entered {
    /// Returns when the attempt has to stop, and otherwise never.
    pub async fn cancelled(&self) {
        self.stop.cancelled().await;
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut attempts = self.running.attempts();
        // One that has lost its lease may end when the next one at the same job has begun here.
        if attempts
            .get(&self.job)
            .is_some_and(|(attempt, _)| *attempt == self.attempt)
        {
            attempts.remove(&self.job);
        }
    }
}

/// Looks until `stop`, and then until everything has ended that still runs: that may be cancelled, too. What fails is tried again by the next look.
pub async fn run(context: Context, stop: CancellationToken) {
    let viewer = Viewer::system("cancelling");
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let is_over = || stop.is_cancelled() && context.running.jobs().is_empty();
    while !is_over() {
        tokio::select! {
            () = stop.cancelled(), if context.running.jobs().is_empty() => {}
            _ = every.tick() => look(&context, &viewer).await,
        }
    }
}

async fn look(context: &Context, viewer: &Viewer) {
    let jobs = context.running.jobs();
    if jobs.is_empty() {
        return;
    }
    let unwanted = context.domain.jobs();
    let unwanted = timeout(LOOK_MAX, unwanted.to_cancel(viewer, &jobs)).await;
    match unwanted {
        Ok(Ok(unwanted)) => {
            for (job, attempt) in unwanted {
                context.running.stop(job, attempt);
            }
        }
        Ok(Err(error)) => tracing::warn!(%error, "cannot look for jobs that are to be cancelled"),
        Err(_elapsed) => tracing::warn!("the database does not say which jobs are to be cancelled"),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{JobId, Running};

    const JOB: JobId = JobId(Uuid::from_u128(7));

    #[test]
    fn only_the_attempt_that_is_meant_is_stopped() {
        let running = Running::default();
        let second = running.enter(JOB, 2);
        running.stop(JOB, 1);
        running.stop(JobId(Uuid::from_u128(8)), 2);
        assert!(!second.stop.is_cancelled());
        running.stop(JOB, 2);
        assert!(second.stop.is_cancelled());
    }

    #[test]
    fn what_has_ended_does_not_run_and_takes_no_other_attempt_along() {
        let running = Running::default();
        let first = running.enter(JOB, 1);
        let second = running.enter(JOB, 2);
        drop(first);
        assert_eq!(running.jobs(), [JOB]);
        drop(second);
        assert!(running.jobs().is_empty());
    }
}
