#![doc = include_str!("../README.md")]

pub mod actor;
pub mod answer;
pub mod app;
pub mod database;
pub mod paper;
pub mod pgbouncer;
pub mod picture;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod s3;
pub mod shop;
pub mod subscription;
pub mod wait;
pub mod work;
