//! it

mod queue;
