//! The runner's conversation with Redis: deliver acknowledgements, renew leases, fetch tasks.

use std::time::Duration;

use apalis::prelude::{TaskBuilder, TaskId};
use redis::RedisResult;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::message::{Ack, Lease, Outcome, Run, millis};
use super::runner::Runner;
use super::scripts;

/// Acknowledgements per script call.
pub(super) const ACK_BATCH: usize = 256;

/// What `fetch.lua` returns: ms until more is due (-1 = nothing known), tasks still ready, tasks leased.
type Fetched = (i64, u64, Vec<FetchedTask>);
/// Id, payload, attempt, max_attempts.
type FetchedTask = (String, Vec<u8>, u32, u32);

impl<T: DeserializeOwned> Runner<T> {
    /// One round of I/O. Acknowledgements go first: they free slots, and a late one may come too late.
    pub(super) async fn exchange(&mut self) -> RedisResult<()> {
        while !self.unsent.is_empty() {
            self.deliver().await?;
        }
        if !self.held.is_empty() && Instant::now() >= self.renew_at {
            self.renew().await?;
        }
        if self.leases_suffered() {
            self.grant_grace();
        }
        if Instant::now() >= self.fetch_due() {
            self.fetch().await?;
        }
        Ok(())
    }

    /// Tells Redis how a batch of attempts ended. What fails stays in `unsent`; telling twice does no harm.
    async fn deliver(&mut self) -> RedisResult<()> {
        let count = self.unsent.len().min(ACK_BATCH);
        let mut call = self.queue.keys.call(&scripts::ACK);
        call.arg(millis(self.settings.retention).max(1))
            .arg(self.settings.dead_limit);
        for ack in &self.unsent[..count] {
            let (outcome, delay, reason) = ack.outcome.parts();
            call.arg(ack.lease.run.id.to_string())
                .arg(ack.lease.token.to_string())
                .arg(outcome)
                .arg(delay)
                .arg(reason);
        }
        let answers: Vec<u8> = self.queue.link.run(&call).await?;
        for (ack, answer) in self.unsent.drain(..count).zip(answers) {
            self.held.remove(&ack.lease.key());
            if answer == 0 {
                report_refusal(&ack);
            } else if matches!(ack.outcome, Outcome::Failed { .. }) {
                self.fetch_at = Instant::now(); // to learn when the next attempt is due
            }
        }
        Ok(())
    }

    /// Extends the leases that are held; an attempt that has lost its lease is stopped.
    async fn renew(&mut self) -> RedisResult<()> {
        let leases: Vec<&Lease> = self
            .held
            .values()
            .filter(|lease| !lease.lost.is_cancelled())
            .collect();
        let mut call = self.queue.keys.call(&scripts::RENEW);
        call.arg(millis(self.settings.lease));
        for lease in &leases {
            call.arg(lease.run.id.to_string())
                .arg(lease.token.to_string());
        }
        let answers: Vec<u8> = self.queue.link.run(&call).await?;
        for (lease, answer) in leases.into_iter().zip(answers) {
            // A forgotten task (answer 2) may as well finish: nobody else is running it.
            if answer == 0 {
                tracing::warn!(task = %lease.run.id, attempt = lease.run.attempt, "lease lost, the attempt is stopped");
                lease.lost.cancel();
            }
        }
        self.renew_at = Instant::now() + self.settings.lease / 3;
        Ok(())
    }

    /// Leases as many tasks as there are free slots. With no free slot it still moves along what has become due.
    async fn fetch(&mut self) -> RedisResult<()> {
        let token = new_token();
        let mut call = self.queue.keys.call(&scripts::FETCH);
        call.arg(self.wanted())
            .arg(millis(self.settings.lease))
            .arg(token.to_string())
            .arg(self.settings.dead_limit);
        let (wait, left, tasks): Fetched = self.queue.link.run(&call).await?;
        let now = Instant::now();
        self.backlog = left > 0;
        self.fetch_at = now
            + u64::try_from(wait).map_or(self.settings.poll, |wait| {
                self.settings.poll.min(Duration::from_millis(wait))
            });
        if self.held.is_empty() {
            self.renew_at = now + self.settings.lease / 3;
        }
        for task in tasks {
            self.hand_over(token, task);
        }
        Ok(())
    }

    fn hand_over(&mut self, token: Uuid, (id, payload, attempt, max_attempts): FetchedTask) {
        let Ok(id) = Uuid::parse_str(&id) else {
            tracing::error!(
                id,
                "a task with a foreign id was found in the queue; it is left to die"
            );
            return;
        };
        let lease = Lease {
            run: Run {
                id,
                attempt,
                max_attempts,
            },
            token,
            lost: CancellationToken::new(),
        };
        self.held.insert(lease.key(), lease.clone());
        match serde_json::from_slice(&payload) {
            Ok(payload) => self.send(payload, lease),
            // Another version of the program may understand it: a failed attempt, not a dead task.
            Err(error) => self.unsent.push(Ack {
                outcome: Outcome::Failed {
                    delay: self.settings.backoff.delay(&lease.run),
                    reason: format!("the payload cannot be decoded: {error}"),
                },
                lease,
            }),
        }
    }

    fn send(&mut self, payload: T, lease: Lease) {
        let Run {
            id,
            attempt,
            max_attempts,
        } = lease.run;
        let task = TaskBuilder::new(payload)
            .task_id(TaskId::from_uuid(id))
            .attempt(attempt.saturating_sub(1) as usize) // apalis counts the start itself
            .max_attempts(max_attempts as usize)
            .data(lease.clone())
            .build();
        if self.outbox.try_send(task).is_err() {
            self.unsent.push(Ack {
                lease,
                outcome: Outcome::Returned,
            });
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a fencing token must differ from every other one, in tests too"
)]
fn new_token() -> Uuid {
    Uuid::now_v7()
}

fn report_refusal(ack: &Ack) {
    let Run { id, attempt, .. } = ack.lease.run;
    tracing::warn!(task = %id, attempt, outcome = ack.outcome.parts().0, "acknowledgement refused: the attempt had lost its lease");
}
