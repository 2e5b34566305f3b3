//! What travels through the queue: new tasks, leases, and the outcomes of attempts.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use apalis::prelude::{FromRequest, MissingDataError, Task};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A task to be queued.
#[derive(Clone, Debug)]
pub struct NewTask<T> {
    /// The caller's id of the task; the queue runs an id once, however often it is pushed.
    pub id: Uuid,
    /// What the handler gets.
    pub payload: T,
    /// When it may run at the earliest, to the millisecond; `None` or a past time means now.
    pub run_at: Option<SystemTime>,
    /// A higher priority runs first; 0 is the usual one.
    pub priority: i8,
    /// How often it may be started, crashes included, before it is dead; 0 counts as 1.
    pub max_attempts: u32,
}

impl<T> NewTask<T> {
    /// The due time in Unix milliseconds, 0 for now.
    pub(super) fn due_millis(&self) -> u64 {
        self.run_at
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .map_or(0, millis)
    }
}

/// What a handler may want to know about the run it is part of; take it as an argument of the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The id given when the task was pushed.
    pub id: Uuid,
    /// Which start of the task this is, from 1.
    pub attempt: u32,
    /// How many starts there may be.
    pub max_attempts: u32,
}

impl Run {
    /// Whether the task is dead if this run fails.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    /// A number that is the same for the same run and looks random between runs.
    pub(super) fn scatter(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.id, self.attempt).hash(&mut hasher);
        hasher.finish()
    }
}

impl<T: Sync> FromRequest<Task<T>> for Run {
    type Error = MissingDataError;

    async fn from_request(task: &Task<T>) -> Result<Self, Self::Error> {
        task.data().get_checked::<Lease>().map(|lease| lease.run)
    }
}

/// The right to run one attempt of a task. It travels with the task as apalis task data.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) run: Run,
    /// New for every fetch, so that no earlier or later attempt can be mistaken for this one,
    /// even after the server has forgotten everything.
    pub(super) token: Uuid,
    /// Cancelled when the lease is known to be lost.
    pub(super) lost: CancellationToken,
}

impl Lease {
    /// What tells this lease from every other, also from another lease of the same task.
    pub(super) fn key(&self) -> (Uuid, Uuid) {
        (self.run.id, self.token)
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The handler succeeded.
    Done,
    /// The handler failed; the server decides by the attempts left whether to try again after the delay.
    Failed { delay: Duration, reason: String },
    /// The handler asked not to be tried again.
    Aborted { reason: String },
    /// The task was never started.
    Returned,
}

impl Outcome {
    /// The outcome's name in `ack.lua`, the delay in milliseconds, and the reason.
    pub(super) fn parts(&self) -> (&'static str, u64, &str) {
        match self {
            Self::Done => ("done", 0, ""),
            Self::Failed { delay, reason } => ("failed", millis(*delay), reason),
            Self::Aborted { reason } => ("aborted", 0, reason),
            Self::Returned => ("returned", 0, ""),
        }
    }
}

/// The end of one attempt, to be told to Redis.
#[derive(Clone, Debug)]
pub(super) struct Ack {
    pub(super) lease: Lease,
    pub(super) outcome: Outcome,
}

/// Whole milliseconds of a duration, capped far beyond any use.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .min(MAX_MILLIS)
}

/// Lua's numbers are exact up to 2^53; this leaves room for adding the present time.
const MAX_MILLIS: u64 = 1 << 52;
