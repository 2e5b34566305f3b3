//! What goldshop's tests stand on: servers, databases and actors of their own, cleaned up when a test ends, however it ends.
//!
//! Start with [`app::TestApp::start`], take an actor (`app.manager().await`), ask. How to write a test is told in
//! `docs/testing.md`.

pub mod actor;
pub mod answer;
pub mod app;
pub mod database;
pub mod picture;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod shop;
pub mod subscription;
pub mod wait;
pub mod work;
