//! What may be said of retention.

use super::{PolicyChange, Subject};
use crate::{
    error::{Code, Refusal},
    text,
};

/// Longest reason, in characters.
const REASON_MAX: usize = 2000;
/// Longest that anything is kept for a time: a century.
const DAYS_MAX: i32 = 36_500;

/// For how many days it has to be kept, whatever somebody says. The database says the same (`retention_minimum`).
#[must_use]
pub fn minimum_days(subject: Subject) -> i32 {
    match subject {
        Subject::Exports | Subject::IdempotencyKeys | Subject::UnreferencedFiles => 1,
        Subject::Events => 3,
        Subject::Imports | Subject::Jobs => 7,
        Subject::Audit => 1827,
        Subject::ApiTokens | Subject::Proofs | Subject::ScheduleFirings => 30,
    }
}

pub(super) fn check_change(subject: Subject, change: PolicyChange) -> Result<(), Refusal> {
    let PolicyChange { keep_days, enabled } = change;
    let (min, max) = (minimum_days(subject), DAYS_MAX);
    match keep_days {
        None if enabled.is_none() => Err(Refusal::new(Code::Required, "keepDays")),
        Some(days) if !(min..=max).contains(&days) => {
            let refusal = Refusal::new(Code::OutOfRange, "keepDays");
            Err(refusal.with("min", min).with("max", max))
        }
        _ => Ok(()),
    }
}

pub(super) fn parse_reason(reason: &str) -> Result<String, Refusal> {
    text::line("reason", reason, 1, REASON_MAX)
}
