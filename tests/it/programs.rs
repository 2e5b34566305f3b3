//! The programs as an operator meets them: what they complain about, and what they write to their log.

mod commands;
mod complaints;
mod secrets;
