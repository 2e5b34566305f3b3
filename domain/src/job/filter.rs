//! Which jobs.

use entity::id::ScheduleId;
use sea_orm::ActiveEnum as _;

use super::State;
use crate::{
    error::{Code, Refusal},
    filter::{CONDITIONS_MAX, TextFilter, push_text},
    sql::{Sql, uuids},
};

/// Which jobs. All that is given must hold; an empty filter is every job.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Where it is in its life: one of these.
    pub state_in: Option<Vec<State>>,
    /// By what is to be done.
    pub kind: Option<TextFilter>,
    /// By the queue that carries it.
    pub queue: Option<TextFilter>,
    /// The schedule that caused it: one of these.
    pub schedule_in: Option<Vec<ScheduleId>>,
}

impl JobFilter {
    /// Bounds what a client can make us do.
    ///
    /// # Errors
    /// When the filter has too many conditions, or a text is too long.
    pub fn check(&self) -> Result<(), Refusal> {
        let texts = [&self.kind, &self.queue].into_iter().flatten();
        let conditions = self.state_in.as_ref().map_or(0, Vec::len)
            + self.schedule_in.as_ref().map_or(0, Vec::len)
            + texts.clone().map(TextFilter::size).sum::<usize>();
        if conditions > CONDITIONS_MAX {
            return Err(Refusal::new(Code::TooMany, "where").with("max", CONDITIONS_MAX));
        }
        texts.into_iter().try_for_each(TextFilter::check)
    }

    /// Appends the condition.
    pub(super) fn push(&self, sql: &mut Sql) {
        let Self {
            state_in,
            kind,
            queue,
            schedule_in,
        } = self;
        sql.push("true");
        if let Some(states) = state_in {
            push_states(sql, states);
        }
        push_text(sql, "kind", kind.as_ref());
        push_text(sql, "queue", queue.as_ref());
        if let Some(schedules) = schedule_in {
            push_schedules(sql, schedules);
        }
    }
}

/// As with states, those of one come in order from an index.
fn push_schedules(sql: &mut Sql, schedules: &[ScheduleId]) {
    match schedules {
        [schedule] => sql.push(" AND schedule_id = ").bind(*schedule),
        schedules => sql
            .push(" AND schedule_id = ANY(")
            .bind(uuids(schedules))
            .push(")"),
    };
}

/// Jobs of one state come in order from an index; of a list PostgreSQL would have to sort them.
fn push_states(sql: &mut Sql, states: &[State]) {
    match states {
        [state] => sql.push(" AND state = ").bind(state.to_value()),
        states => {
            let states: Vec<_> = states.iter().map(State::to_value).collect();
            sql.push(" AND state = ANY(").bind(states).push("::text[])")
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(filter: &JobFilter) -> String {
        let mut sql = Sql::default();
        filter.push(&mut sql);
        sql.build().sql
    }

    fn in_states(states: &[State]) -> JobFilter {
        JobFilter {
            state_in: Some(states.to_vec()),
            ..JobFilter::default()
        }
    }

    #[test]
    fn one_state_is_asked_for_as_an_index_has_it() {
        assert_eq!(text(&JobFilter::default()), "true");
        assert_eq!(text(&in_states(&[State::Dead])), "true AND state = $1");
        for states in [&[][..], &[State::Dead, State::Failed]] {
            assert_eq!(text(&in_states(states)), "true AND state = ANY($1::text[])");
        }
    }

    #[test]
    fn one_schedule_is_asked_for_as_an_index_has_it() {
        let of = |schedules: &[ScheduleId]| JobFilter {
            schedule_in: Some(schedules.to_vec()),
            ..JobFilter::default()
        };
        let id = ScheduleId(uuid::Uuid::from_u128(7));
        assert_eq!(text(&of(&[id])), "true AND schedule_id = $1");
        for schedules in [&[][..], &[id, id]] {
            assert_eq!(text(&of(schedules)), "true AND schedule_id = ANY($1)");
        }
        assert!(of(&[id; 100]).check().is_ok());
        assert!(of(&[id; 101]).check().is_err());
    }

    #[test]
    fn the_size_is_bounded() {
        assert!(in_states(&[State::Dead; 100]).check().is_ok());
        assert!(in_states(&[State::Dead; 101]).check().is_err());
    }
}
