//! Hands jobs from PostgreSQL to Redis.
//!
//! A job is claimed in one short transaction and pushed after it; no transaction waits for Redis. Should the relay die in between, or
//! Redis forget what it was given, the job is claimed again a little later: pushing what Redis already has changes nothing there.

use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;
use domain::{
    Domain, Viewer,
    job::{Queue as QueueName, Relayed},
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    queue::{self, NewTask, Queue},
    runner::Message,
};

/// Jobs of one queue that are handed over at once.
const BATCH: i64 = 500;
/// How long until the relay looks without having been woken.
const LOOK: Duration = Duration::from_secs(1);
/// How often it looks for jobs that Redis may have lost.
const RECLAIM_EVERY: Duration = Duration::from_secs(5);
/// How long ago a job must have been handed over to be suspected.
const RECLAIM_AFTER: TimeDelta = TimeDelta::seconds(20);
/// Batches of jobs that Redis has lost which are handed over in one go, so that new ones do not wait for long.
const RECLAIM_BATCHES: usize = 40;
/// How long a look may take. The limits of PostgreSQL and Redis are for single answers, and a connection whose other end vanished without
/// a word gives none at all.
const LOOK_MAX: Duration = Duration::from_secs(30);
/// How long to leave Redis and PostgreSQL alone after a failure; twice as long after each further one.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest of those pauses.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often Redis may be asked to begin a job: PostgreSQL counts attempts, and decides.
const ATTEMPTS_IN_REDIS: u32 = 1_000_000;

/// The relay of one worker. Any number of them may run at the same time.
#[derive(Clone, Debug)]
pub struct Relay {
    domain: Domain,
    viewer: Viewer,
    queues: HashMap<QueueName, Queue>,
    names: Vec<QueueName>,
}

/// Why a batch could not be handed over. It will be tried again.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the database: {0}")]
    Database(#[from] domain::Error),
    #[error("the queue: {0}")]
    Queue(#[from] queue::Error),
    #[error("no answer within {} seconds", LOOK_MAX.as_secs())]
    Silence,
}

impl Relay {
    /// A relay to these queues. It leaves alone what is meant for others: a worker of another release may know them.
    #[must_use]
    pub fn new(domain: Domain, queues: HashMap<QueueName, Queue>) -> Self {
        let names = queues.keys().copied().collect();
        let viewer = Viewer::system("relay");
        Self {
            domain,
            viewer,
            queues,
            names,
        }
    }

    /// Hands over until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut wakeups = self.domain.jobs().wakeups();
        let mut reclaim = tokio::time::interval(RECLAIM_EVERY);
        reclaim.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pause = PAUSE;
        while !stop.is_cancelled() {
            if let Err(error) = self.hand_over(&stop).await {
                tracing::warn!(%error, "cannot hand jobs over");
                // Every commit wakes us: without a pause, each would have its jobs claimed and given back.
                let _stopped = tokio::time::timeout(pause, stop.cancelled()).await;
                pause = (pause * 2).min(PAUSE_MAX);
            } else {
                pause = PAUSE;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = wakeups.next(LOOK) => {}
                _ = reclaim.tick() => self.reclaim(&stop).await,
            }
        }
    }

    /// Everything that waits.
    async fn hand_over(&self, stop: &CancellationToken) -> Result<(), RelayError> {
        while !stop.is_cancelled() && in_time(self.hand_over_some()).await? {}
        Ok(())
    }

    /// Answers whether there may be more.
    async fn hand_over_some(&self) -> Result<bool, RelayError> {
        let jobs = self.domain.jobs();
        let claimed = jobs
            .claim_for_relay(&self.viewer, &self.names, BATCH)
            .await?;
        if let Err(error) = self.push(&claimed).await {
            let ids: Vec<_> = claimed.iter().map(|job| job.id).collect();
            jobs.release(&self.viewer, &ids).await?;
            return Err(error);
        }
        Ok(is_full(&claimed))
    }

    /// Everything that Redis has lost; of what it still has, a batch.
    async fn reclaim(&self, stop: &CancellationToken) {
        for _ in 0..RECLAIM_BATCHES {
            match in_time(self.reclaim_some()).await {
                Ok(more) if more && !stop.is_cancelled() => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(%error, "cannot look after jobs that were handed over");
                    return;
                }
            }
        }
    }

    /// Answers whether there is reason to go on at once. A job that Redis counts as ended, and PostgreSQL does not, begins anew there;
    /// should it have ended in PostgreSQL meanwhile, the worker that gets it finds nothing to do.
    async fn reclaim_some(&self) -> Result<bool, RelayError> {
        let jobs = self.domain.jobs();
        let suspected = jobs
            .reclaim(&self.viewer, &self.names, RECLAIM_AFTER, BATCH)
            .await?;
        let mut lost = 0;
        for (queue, tasks) in self.sorted(&suspected) {
            lost += queue.push_again(&tasks).await?;
        }
        if lost > 0 {
            tracing::info!(jobs = lost, "handed over again what Redis did not have");
        }
        Ok(lost > 0 && is_full(&suspected))
    }

    /// What Redis counts as ended begins anew there: PostgreSQL says that it has not. It was given up and is tried again, or its queue stood
    /// still.
    async fn push(&self, jobs: &[Relayed]) -> Result<(), RelayError> {
        for (queue, tasks) in self.sorted(jobs) {
            queue.push_again(&tasks).await?;
        }
        Ok(())
    }

    /// The jobs of each queue, as it takes them.
    fn sorted(&self, jobs: &[Relayed]) -> Vec<(&Queue, Vec<NewTask<Message>>)> {
        let of = |name: &QueueName| {
            let jobs = jobs.iter().filter(|job| job.queue == name.as_str());
            jobs.map(task).collect()
        };
        let queues = self.queues.iter();
        queues.map(|(name, queue)| (queue, of(name))).collect()
    }
}

async fn in_time<T>(look: impl Future<Output = Result<T, RelayError>>) -> Result<T, RelayError> {
    tokio::time::timeout(LOOK_MAX, look)
        .await
        .unwrap_or(Err(RelayError::Silence))
}

/// Whether there may be more where these came from: a queue that had more than a batch has given a whole one.
fn is_full(jobs: &[Relayed]) -> bool {
    jobs.len() as u64 >= BATCH.unsigned_abs()
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
        priority: i8::try_from(job.priority).unwrap_or_default(),
        max_attempts: ATTEMPTS_IN_REDIS,
    }
}
