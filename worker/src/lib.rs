#![doc = include_str!("../README.md")]

pub mod backup;
pub mod context;
pub mod days;
pub mod demo;
pub mod expiry;
pub mod failure;
pub mod jobs;
pub mod labels;
pub mod queue;
pub mod recost;
pub mod registry;
pub mod relay;
pub mod runner;
pub mod service;
pub mod trail;
pub mod weeks;
