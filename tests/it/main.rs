//! Goldshop as its clients see it: over HTTP and WebSocket, on real servers. One file per subject.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: a failed unwrap is a failed test"
)]

mod attribute;
mod audit;
mod backup;
mod bad_input;
mod books;
mod category;
mod codes;
mod database_roles;
mod demo;
mod documentation;
mod events;
mod harness;
mod idempotency;
mod imports;
mod item;
mod jobs;
mod labels;
mod location;
mod metal_rate;
mod metrics;
mod migrations;
mod outages;
mod people;
mod permissions;
mod pricing;
mod programs;
mod queue;
mod reports;
mod retention;
mod saved_view;
mod scaling;
mod schedule;
mod schema;
mod search;
mod stock;
mod tag;
mod trail;
mod unit_of_measure;
mod uploads;
mod variants;
