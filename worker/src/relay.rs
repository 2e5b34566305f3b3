//! Hands jobs from PostgreSQL to Redis.
//!
//! A job is claimed in one short transaction and pushed after it; no transaction waits for Redis. Should the relay die in between, or
//! Redis forget what it was given, the job is claimed again a little later: pushing what Redis already has changes nothing there.

use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;
use domain::{Domain, job::Relayed};
use tokio_util::sync::CancellationToken;

use crate::{
    queue::{self, NewTask, Queue},
    runner::Message,
};

/// Jobs handed over at once.
const BATCH: i64 = 500;
/// How long until the relay looks without having been woken.
const LOOK: Duration = Duration::from_secs(1);
/// How often it looks for jobs that Redis may have lost.
const RECLAIM_EVERY: Duration = Duration::from_secs(5);
/// How long ago a job must have been handed over to be suspected.
const RECLAIM_AFTER: TimeDelta = TimeDelta::seconds(20);
/// How often Redis may be asked to begin a job: PostgreSQL counts attempts, and decides.
const ATTEMPTS_IN_REDIS: u32 = 1_000_000;

/// The relay of one worker. Any number of them may run at the same time.
#[derive(Clone, Debug)]
pub struct Relay {
    domain: Domain,
    queues: HashMap<&'static str, Queue>,
}

/// Why a batch could not be handed over. It will be tried again.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the database: {0}")]
    Database(#[from] domain::Error),
    #[error("the queue: {0}")]
    Queue(#[from] queue::Error),
}

impl Relay {
    /// A relay to these queues, by name.
    #[must_use]
    pub fn new(domain: Domain, queues: HashMap<&'static str, Queue>) -> Self {
        Self { domain, queues }
    }

    /// Hands over until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut wakeups = self.domain.jobs().wakeups();
        let mut reclaim = tokio::time::interval(RECLAIM_EVERY);
        while !stop.is_cancelled() {
            match self.hand_over().await {
                Ok(()) => {}
                Err(error) => tracing::warn!(%error, "cannot hand jobs over"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = wakeups.next(LOOK) => {}
                _ = reclaim.tick() => self.reclaim().await,
            }
        }
    }

    /// Everything that waits.
    async fn hand_over(&self) -> Result<(), RelayError> {
        loop {
            let jobs = self.domain.jobs().claim_for_relay(BATCH).await?;
            let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
            if let Err(error) = self.push(&jobs).await {
                self.domain.jobs().release(&ids).await?;
                return Err(error);
            }
            if (jobs.len() as u64) < BATCH.unsigned_abs() {
                return Ok(());
            }
        }
    }

    async fn reclaim(&self) {
        let again = async {
            let jobs = self.domain.jobs().reclaim(RECLAIM_AFTER, BATCH).await?;
            self.push(&jobs).await
        };
        if let Err(error) = again.await {
            tracing::warn!(%error, "cannot look after jobs that were handed over");
        }
    }

    async fn push(&self, jobs: &[Relayed]) -> Result<(), RelayError> {
        let mut by_queue: HashMap<&str, Vec<NewTask<Message>>> = HashMap::new();
        for job in jobs {
            by_queue.entry(&job.queue).or_default().push(task(job));
        }
        for (name, tasks) in by_queue {
            match self.queues.get(name) {
                Some(queue) => drop(queue.push(&tasks).await?),
                None => tracing::error!(
                    queue = name,
                    "jobs for a queue that this worker does not know"
                ),
            }
        }
        Ok(())
    }
}

fn task(job: &Relayed) -> NewTask<Message> {
    let payload = Message {
        job: job.id.0,
        request_id: job.request_id.clone(),
    };
    NewTask {
        id: job.id.0,
        payload,
        run_at: None,
        priority: 0,
        max_attempts: ATTEMPTS_IN_REDIS,
    }
}
