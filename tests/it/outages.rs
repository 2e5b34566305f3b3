//! Services that go away while goldshop is at work, and come back.

mod cut;
mod health;
mod postgres;
mod redis;
mod silence;
mod stop;
mod writers;
