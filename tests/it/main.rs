//! Goldshop as its clients see it: over HTTP and WebSocket, on real servers. One file per subject.

mod category;
mod harness;
mod jobs;
mod queue;
mod uploads;
