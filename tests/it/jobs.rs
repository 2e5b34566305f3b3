//! Background work, from the mutation that asks for it to the event that tells of it.

mod cancel;
mod crash;
mod death;
mod disagreement;
mod enqueue;
mod failure;
mod files;
mod killed;
mod life;
mod list;
mod order;
mod outbox;
mod pause;
mod poison;
mod progress;
mod queues;
mod redrive;
mod retry;
mod stop;
mod together;
mod twice;

/// A job as its owner sees it.
pub(crate) const JOB: &str = "query($id: ID!) {
    job(id: $id) { kind queue state attempts maxAttempts progress error requestId startedAt finishedAt }
}";
