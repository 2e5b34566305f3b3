#![doc = include_str!("../README.md")]

pub mod auth;
pub mod events;
pub mod files;
pub mod graphql;
pub mod http;
pub mod media;
pub mod messages;
pub mod probes;
pub mod server;
pub mod state;
pub mod upload;
