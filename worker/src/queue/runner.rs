//! The task that does a worker's Redis I/O: fetches while there are free slots, renews leases, delivers
//! acknowledgements, and keeps trying when Redis is away. It runs beside the handlers, so a slow handler
//! cannot cost another one its lease.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use apalis::prelude::{Task, WorkerContext};
use redis::RedisError;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::backend::Shared;
use super::exchange::ACK_BATCH;
use super::message::{Ack, Lease, Outcome};
use super::{Queue, Settings, wake};

/// Pause after the first failure of Redis; it doubles with each further one …
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// After a long outage nobody fetches for this long: every other worker is back by then and has renewed
/// its leases, which would otherwise look abandoned to the first one that returns.
const GRACE: Duration = Duration::from_secs(2);

/// The owner of a worker's leases; see the module.
pub(super) struct Runner<T> {
    pub(super) queue: Queue,
    pub(super) settings: Settings,
    shared: Arc<Shared<T>>,
    pub(super) outbox: mpsc::Sender<Task<T>>,
    acks: mpsc::UnboundedReceiver<Ack>,
    /// Ended attempts that Redis does not know of yet.
    pub(super) unsent: Vec<Ack>,
    /// Every lease from its fetch to its confirmed acknowledgement; each takes one of the worker's slots.
    pub(super) held: HashMap<(Uuid, Uuid), Lease>,
    /// Whether the last fetch left ready tasks behind.
    pub(super) backlog: bool,
    pub(super) fetch_at: Instant,
    pub(super) renew_at: Instant,
    /// No fetch before this moment, because an outage has just ended.
    no_fetch_until: Instant,
    /// No I/O before this moment, because Redis has just failed.
    paused_until: Instant,
    failing_since: Option<Instant>,
    failures: u32,
    /// Set when only acknowledgements are left to deliver: when to stop trying.
    give_up_at: Option<Instant>,
}

impl<T: DeserializeOwned> Runner<T> {
    pub(super) fn new(
        queue: Queue,
        settings: Settings,
        shared: Arc<Shared<T>>,
        outbox: mpsc::Sender<Task<T>>,
        acks: mpsc::UnboundedReceiver<Ack>,
    ) -> Self {
        let now = Instant::now();
        Self {
            queue,
            settings,
            shared,
            outbox,
            acks,
            unsent: Vec::new(),
            held: HashMap::new(),
            backlog: false,
            fetch_at: now,
            renew_at: now,
            no_fetch_until: now,
            paused_until: now,
            failing_since: None,
            failures: 0,
            give_up_at: None,
        }
    }

    /// Runs until the worker has closed the backend and every acknowledgement is delivered.
    pub(super) async fn run(mut self) {
        let wake = Notify::new();
        let listening = wake::listen(self.queue.client.clone(), self.queue.keys.wake(), &wake);
        tokio::select! {
            () = self.work(&wake) => {}
            never = listening => match never {},
        }
    }

    async fn work(&mut self, wake: &Notify) {
        let shared = Arc::clone(&self.shared);
        while !self.is_finished() {
            let deadline = self.next_deadline();
            tokio::select! {
                received = self.acks.recv_many(&mut self.unsent, ACK_BATCH) => {
                    if received == 0 {
                        return; // the backend is gone
                    }
                }
                () = wake.notified() => self.fetch_at = Instant::now(),
                () = shared.closing.cancelled(), if self.give_up_at.is_none() => {
                    // After a lease's time others may have the tasks, and the acknowledgements are worth nothing.
                    self.give_up_at = Some(Instant::now() + self.settings.lease);
                }
                () = sleep_until(deadline) => {}
            }
            if self.worker().is_some_and(WorkerContext::is_shutting_down) {
                self.give_back();
            }
            if Instant::now() >= self.paused_until {
                let result = self.exchange().await;
                self.note(result);
            }
        }
    }

    fn is_finished(&self) -> bool {
        let Some(give_up_at) = self.give_up_at else {
            return false;
        };
        if !self.held.is_empty() && Instant::now() >= give_up_at {
            tracing::warn!(
                tasks = self.held.len(),
                "stopped without Redis: these tasks will run again"
            );
            return true;
        }
        self.held.is_empty()
    }

    fn next_deadline(&self) -> Instant {
        let mut deadline = self.fetch_due();
        if !self.held.is_empty() {
            deadline = deadline.min(self.renew_at);
        }
        if !self.unsent.is_empty() {
            deadline = Instant::now();
        }
        let deadline = deadline.max(self.paused_until);
        self.give_up_at.map_or(deadline, |at| deadline.min(at))
    }

    /// When the next fetch is due: at once while tasks and slots are left, else when something may have changed.
    pub(super) fn fetch_due(&self) -> Instant {
        if self.backlog && self.wanted() > 0 {
            self.no_fetch_until
        } else {
            self.fetch_at.max(self.no_fetch_until)
        }
    }

    /// Whether Redis was away for so long that leases have, or nearly have, run out.
    pub(super) fn leases_suffered(&self) -> bool {
        self.failing_since
            .is_some_and(|since| since.elapsed() > self.settings.lease / 2)
    }

    /// Holds fetches back; see [`GRACE`].
    pub(super) fn grant_grace(&mut self) {
        self.no_fetch_until = Instant::now() + GRACE;
    }

    /// Returns the tasks that the worker has not begun.
    fn give_back(&mut self) {
        let mut inbox = self
            .shared
            .inbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while let Ok(task) = inbox.try_recv() {
            if let Some(lease) = task.data().get::<Lease>().cloned() {
                self.unsent.push(Ack {
                    lease,
                    outcome: Outcome::Returned,
                });
            }
        }
    }

    /// How many tasks the worker can take now.
    pub(super) fn wanted(&self) -> usize {
        let accepting = self
            .worker()
            .is_some_and(|worker| worker.is_running() && !worker.is_shutting_down());
        if accepting {
            self.settings
                .concurrency
                .max(1)
                .saturating_sub(self.held.len())
        } else {
            0
        }
    }

    fn worker(&self) -> Option<&WorkerContext> {
        self.shared.worker.get()
    }

    /// Keeps the score of Redis's failures; only the first and the recovery are worth a line in the log.
    fn note(&mut self, result: Result<(), RedisError>) {
        let Err(error) = result else {
            if let Some(since) = self.failing_since.take() {
                tracing::info!(
                    seconds = since.elapsed().as_secs(),
                    failures = self.failures,
                    "the queue's Redis is back"
                );
                self.failures = 0;
            }
            return;
        };
        let now = Instant::now();
        if self.failing_since.is_none() {
            tracing::warn!(%error, "the queue's Redis failed; trying again until it is back");
            self.failing_since = Some(now);
        }
        let pause = FIRST_PAUSE
            .saturating_mul(1 << self.failures.min(8))
            .min(LONGEST_PAUSE);
        self.paused_until = now + pause;
        self.failures = self.failures.saturating_add(1);
    }
}
