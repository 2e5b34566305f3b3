#![doc = include_str!("../README.md")]

pub mod barcode;
pub mod blob;
pub mod config;
pub mod database;
pub mod image;
pub mod memory;
pub mod messages;
pub mod pdf;
pub mod presence;
pub mod qr;
pub mod redis;
pub mod session;
pub mod shutdown;
pub mod table;
pub mod telemetry;
pub mod throttle;
