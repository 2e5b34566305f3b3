//! The trail as something that can be proved: what is written is sealed in a chain of hashes, changes of rows are kept by the database, and
//! whatever was changed behind their back is found ([ADR 22](../docs/adr/0022-the-trail-is-sealed.md)).
//!
//! Rows of `audit` are written elsewhere (`crate::audit`), by whoever changes something.

mod chain;
pub mod coverage;
mod history;
mod mirror;
mod request;
mod retired;
mod seal;
mod source;
mod verify;

pub use chain::hex;
pub use coverage::{COVERAGE, Cover, Covered, Missing};
pub use entity::trail_verification::Model as TrailVerification;
pub use history::{Changed, HistoryArgs, Operation, RowState};
pub(crate) use request::ask_in_tx;
pub use request::progress;
pub use retired::Retirement;
pub use seal::Sealed;
pub use verify::{Checkpoints, Finding, Verdict, Verification, Wrong};

use crate::Domain;

/// The trail: its use cases and queries.
#[derive(Clone, Copy, Debug)]
pub struct Trail<'a> {
    pub(crate) domain: &'a Domain,
}
