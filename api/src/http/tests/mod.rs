//! The whole HTTP layer around a small real schema: over poem's test client, and over real sockets where the
//! wire matters.

mod events;
mod fixture;
mod graphql;
mod pages;
mod server;
mod shell;
mod socket;
mod uploads;

pub(in crate::http) use fixture::counts;
