//! What may be done to a job.

use super::{Job, State};
use crate::error::{Code, Refusal};

/// The lowest and the highest priority.
const PRIORITIES: (i16, i16) = (-100, 100);

/// A priority from -100 to 100.
pub(super) fn parse_priority(priority: i16) -> Result<i16, Refusal> {
    let (min, max) = PRIORITIES;
    if (min..=max).contains(&priority) {
        Ok(priority)
    } else {
        Err(Refusal::new(Code::OutOfRange, "priority")
            .with("min", min)
            .with("max", max))
    }
}

/// What is alive comes again by itself, and what has ended otherwise is over.
pub(super) fn check_retry(state: State) -> Result<(), Refusal> {
    match state {
        State::Dead => Ok(()),
        State::Queued | State::Running | State::Succeeded | State::Failed | State::Cancelled => {
            Err(Refusal::new(Code::NotDead, "id"))
        }
    }
}

/// How a job is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancelling {
    /// Nobody runs it: at once.
    Now,
    /// Whoever runs it is asked to stop.
    Ask,
    /// That was done before.
    Before,
}

/// What has ended cannot be taken back.
pub(super) fn check_cancel(job: &Job) -> Result<Cancelling, Refusal> {
    match (job.state, job.cancel_requested_at) {
        (State::Queued | State::Failed, _) => Ok(Cancelling::Now),
        (State::Running, None) => Ok(Cancelling::Ask),
        (State::Running, Some(_)) | (State::Cancelled, _) => Ok(Cancelling::Before),
        (State::Succeeded | State::Dead, _) => Err(Refusal::new(Code::JobOver, "id")),
    }
}

/// What keeps an attempt from beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hindrance {
    /// It has ended.
    Over,
    /// Somebody has asked to cancel it.
    Cancelled,
    /// It was begun as often as it may be.
    WornOut,
    /// Its queue stands still.
    Paused,
}

/// What keeps an attempt from beginning, if anything does.
pub(super) fn hindrance(job: &Job, is_paused: bool) -> Option<Hindrance> {
    if job.state.is_final() {
        Some(Hindrance::Over)
    } else if job.cancel_requested_at.is_some() {
        Some(Hindrance::Cancelled)
    } else if job.attempts >= job.max_attempts {
        Some(Hindrance::WornOut)
    } else {
        is_paused.then_some(Hindrance::Paused)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::id::JobId;
    use sea_orm::Iterable as _;
    use uuid::Uuid;

    use super::*;

    fn job(state: State) -> Job {
        Job {
            id: JobId(Uuid::nil()),
            kind: String::new(),
            queue: String::new(),
            payload: serde_json::Value::Null,
            state,
            attempts: 1,
            max_attempts: 2,
            progress: 0,
            message: None,
            version: 1,
            error: None,
            result: None,
            priority: 0,
            unique_key: None,
            request_id: None,
            user_id: None,
            schedule_id: None,
            tick: None,
            cancel_requested_at: None,
            relayed_at: None,
            created_at: DateTime::UNIX_EPOCH,
            started_at: None,
            finished_at: None,
        }
    }

    fn to_be_cancelled(state: State) -> Job {
        Job {
            cancel_requested_at: Some(DateTime::UNIX_EPOCH),
            ..job(state)
        }
    }

    #[test]
    fn only_the_dead_are_tried_again() {
        let again: Vec<_> = State::iter()
            .filter(|state| check_retry(*state).is_ok())
            .collect();
        assert_eq!(again, [State::Dead]);
    }

    #[test]
    fn what_has_ended_is_not_cancelled_and_nothing_twice() {
        let how: Vec<_> = State::iter()
            .map(|state| check_cancel(&job(state)).ok())
            .collect();
        let (now, ask, before) = (Cancelling::Now, Cancelling::Ask, Cancelling::Before);
        assert_eq!(
            how,
            [Some(now), Some(ask), None, Some(now), None, Some(before)]
        );
        assert_eq!(check_cancel(&to_be_cancelled(State::Running)), Ok(before));
    }

    #[test]
    fn the_first_thing_that_keeps_a_job_from_beginning_counts() {
        assert_eq!(hindrance(&job(State::Queued), false), None);
        assert_eq!(
            hindrance(&job(State::Running), true),
            Some(Hindrance::Paused)
        );
        let worn = Job {
            attempts: 2,
            ..job(State::Failed)
        };
        assert_eq!(hindrance(&worn, true), Some(Hindrance::WornOut));
        let cancelled = to_be_cancelled(State::Running);
        assert_eq!(hindrance(&cancelled, true), Some(Hindrance::Cancelled));
        let over = to_be_cancelled(State::Succeeded);
        assert_eq!(hindrance(&over, true), Some(Hindrance::Over));
    }

    #[test]
    fn priorities_have_bounds() {
        for priority in [-100, 0, 100] {
            assert_eq!(parse_priority(priority), Ok(priority));
        }
        for priority in [-101, 101, i16::MIN, i16::MAX] {
            assert!(parse_priority(priority).is_err());
        }
    }
}
