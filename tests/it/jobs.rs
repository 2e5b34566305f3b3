//! Background work, from the mutation that asks for it to the event that tells of it.

mod crash;
mod death;
mod disagreement;
mod failure;
mod files;
mod life;
mod list;
mod outbox;
mod poison;
mod retry;
mod stop;
mod twice;

/// A job as its owner sees it.
pub(crate) const JOB: &str = "query($id: ID!) {
    job(id: $id) { kind queue state attempts maxAttempts progress error requestId startedAt finishedAt }
}";
