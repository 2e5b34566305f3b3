//! Queues of jobs, as clients see them.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    clock::{Clock as _, SystemClock},
    job::QueueStanding,
};
use platform::presence::Sign;
use tokio::sync::OnceCell;

use crate::{graphql::context::ContextExt, queues::Standing};

/// The workers that are at work, looked up once for all queues; nothing in it when Redis does not answer.
pub type Workers = Arc<OnceCell<Option<Vec<Worker>>>>;

/// A worker that is at work. Each serves all queues.
#[derive(SimpleObject, Clone, Debug)]
pub struct Worker {
    /// What it is called in logs; another one each time it is started.
    name: String,
    /// When it last gave a sign of life, which it does each 5 seconds.
    last_seen_at: DateTime<Utc>,
}

/// A queue's standing still.
#[derive(SimpleObject, Clone, Debug)]
pub struct QueuePause {
    /// Since when.
    since: DateTime<Utc>,
    /// Name of who stopped it.
    by: String,
    /// Why, in their words.
    reason: Option<String>,
}

/// What carries jobs of one nature.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Queue {
    /// Such as `media`.
    name: String,
    /// Jobs that are `QUEUED`: they wait for their turn.
    waiting: i64,
    /// Jobs that are `RUNNING`.
    running: i64,
    /// Jobs that are `FAILED`: they wait for another attempt.
    failed: i64,
    /// Jobs that are `DEAD`: they were given up, and wait for people.
    dead: i64,
    /// When the job was asked for that waits longest; null when none waits.
    oldest_waiting_since: Option<DateTime<Utc>>,
    /// How many seconds that is ago.
    oldest_waiting_seconds: Option<i64>,
    /// Jobs that have `SUCCEEDED` within the last minute.
    succeeded_last_minute: i64,
    /// Jobs that have `SUCCEEDED` within the last hour. Of all queues together, the last 100,000 jobs that have ended are looked at.
    succeeded_last_hour: i64,
    /// Jobs that became `DEAD` within the last minute.
    died_last_minute: i64,
    /// Jobs that became `DEAD` within the last hour.
    died_last_hour: i64,
    /// Why no job of it begins; null while jobs do.
    pause: Option<QueuePause>,
    #[graphql(skip)]
    workers: Workers,
}

impl Queue {
    /// As clients see it.
    #[must_use]
    pub fn new(row: QueueStanding, workers: Workers) -> Self {
        let QueueStanding {
            queue,
            waiting,
            running,
            failed,
            dead,
            oldest_at,
            succeeded_minute,
            succeeded_hour,
            died_minute,
            died_hour,
            paused_at,
            paused_by,
            paused_because,
        } = row;
        let age = oldest_at.map(|at| (SystemClock.now() - at).num_seconds().max(0));
        let pause = paused_at.zip(paused_by).map(|(since, by)| QueuePause {
            since,
            by,
            reason: paused_because,
        });
        Self {
            name: queue,
            waiting,
            running,
            failed,
            dead,
            oldest_waiting_since: oldest_at,
            oldest_waiting_seconds: age,
            succeeded_last_minute: succeeded_minute,
            succeeded_last_hour: succeeded_hour,
            died_last_minute: died_minute,
            died_last_hour: died_hour,
            pause,
            workers,
        }
    }

    /// All queues as they stood at one moment.
    #[must_use]
    pub fn all(standing: &Standing) -> Vec<Self> {
        let workers = standing.workers.as_ref();
        let workers = workers.map(|signs| signs.iter().map(worker).collect());
        let workers = Arc::new(OnceCell::new_with(Some(workers)));
        let rows = standing.queues.iter();
        rows.map(|row| Self::new(row.clone(), Arc::clone(&workers)))
            .collect()
    }
}

#[ComplexObject]
impl Queue {
    /// The workers that are at work, by name: those that gave a sign of life within the last 15 seconds. Null when it cannot be told,
    /// because Redis does not answer.
    #[graphql(complexity = "5 + child_complexity")]
    async fn workers(&self, ctx: &Context<'_>) -> Option<&[Worker]> {
        let workers = self.workers.get_or_init(async || {
            let signs = ctx.presence().list().await.ok()?;
            Some(signs.iter().map(worker).collect())
        });
        workers.await.as_deref()
    }
}

fn worker(sign: &Sign) -> Worker {
    Worker {
        name: sign.worker.clone(),
        last_seen_at: DateTime::from_timestamp_millis(sign.at_millis).unwrap_or_default(),
    }
}
