//! Goldshop as its clients see it: over HTTP and WebSocket, on real servers. One file per subject.

mod category;
mod events;
mod harness;
mod jobs;
mod outages;
mod people;
mod queue;
mod uploads;
