//! Messages for people. They are in `platform`, because the worker writes some of them into files.

pub use platform::messages::{message, sentence};
