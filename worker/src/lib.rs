#![doc = include_str!("../README.md")]

pub mod backup;
pub mod cancel;
pub mod codes;
pub mod context;
pub mod days;
pub mod demo;
pub mod expiry;
pub mod failure;
pub mod jobs;
pub mod labels;
mod looks;
pub mod metrics;
pub mod pictures;
pub mod queue;
pub mod recost;
pub mod registry;
pub mod relay;
pub mod runner;
pub mod schedules;
pub mod service;
pub mod together;
pub mod trail;
pub mod weeks;
