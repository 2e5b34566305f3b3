//! The trail: proofs that nothing was changed behind its back, what has become of things, and how they were.

pub mod history;
pub mod verification;

pub use history::TrailHistoryQuery;
pub use verification::{TrailVerificationMutation, TrailVerificationQuery};
