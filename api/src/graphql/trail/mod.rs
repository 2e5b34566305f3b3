//! The trail: proofs that nothing was changed behind its back, what has become of things, and how they were.

mod history;
mod verification;

pub use history::TrailHistoryQuery;
pub use verification::{TrailVerificationMutation, TrailVerificationQuery};
