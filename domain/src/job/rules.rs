//! What may be done to a job.

use super::State;
use crate::error::{Code, Refusal};

/// What is alive comes again by itself, and what has ended otherwise is over.
pub(super) fn check_retry(state: State) -> Result<(), Refusal> {
    match state {
        State::Dead => Ok(()),
        State::Queued | State::Running | State::Succeeded | State::Failed | State::Cancelled => {
            Err(Refusal::new(Code::NotDead, "id"))
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable as _;

    use super::{State, check_retry};

    #[test]
    fn only_the_dead_are_tried_again() {
        let again: Vec<_> = State::iter()
            .filter(|state| check_retry(*state).is_ok())
            .collect();
        assert_eq!(again, [State::Dead]);
    }
}
