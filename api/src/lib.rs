#![doc = include_str!("../README.md")]
// The roots of the schema are merged from one object per aggregate, each around the next: so deep are the types of their futures.
#![recursion_limit = "512"]

pub mod auth;
pub mod events;
pub mod files;
mod freshness;
pub mod graphql;
pub mod healthcheck;
pub mod http;
pub mod media;
pub mod messages;
pub mod metrics;
pub mod probes;
pub mod queues;
pub mod server;
pub mod state;
pub mod upload;
