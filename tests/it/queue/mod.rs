//! The queue: what it promises to those who push tasks and to those who run them, on a real Redis.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed step is a failed test"
)]

mod blackout;
mod crash;
mod leases;
mod limits;
mod order;
mod proxy;
mod retries;
mod shutdown;
mod stats;
mod support;
mod uniqueness;
mod waking;
