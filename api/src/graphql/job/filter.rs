//! Which jobs, as clients ask for them.

use async_graphql::{ID, InputObject};
use domain::{Refusal, job::JobFilter};
use entity::id::ScheduleId;

use super::JobState;
use crate::graphql::{filter::StringFilter, id::GlobalId};

/// A condition on where a job is in its life.
#[derive(InputObject, Clone, Debug)]
pub struct JobStateFilter {
    /// One of these. An empty list matches nothing.
    r#in: Vec<JobState>,
}

/// A condition on the schedule that caused a job.
#[derive(InputObject, Clone, Debug)]
pub struct JobScheduleFilter {
    /// One of these. An empty list matches nothing.
    r#in: Vec<ID>,
}

/// Which jobs. All that is given must hold.
#[derive(InputObject, Clone, Debug, Default)]
pub struct JobWhere {
    /// By where it is in its life.
    state: Option<JobStateFilter>,
    /// By what is to be done, such as `item.render_code`.
    kind: Option<StringFilter>,
    /// By what carries it, such as `media`.
    queue: Option<StringFilter>,
    /// By the schedule that caused it.
    schedule: Option<JobScheduleFilter>,
}

impl JobWhere {
    /// With its ids read.
    ///
    /// # Errors
    /// When one of them is none, or one of another type.
    pub fn parse(self) -> Result<JobFilter, Refusal> {
        let Self {
            state,
            kind,
            queue,
            schedule,
        } = self;
        let schedules = schedule.map(|schedule| {
            let ids = schedule.r#in.iter();
            ids.map(|id| ScheduleId::parse("where.schedule.in", id))
                .collect::<Result<Vec<_>, Refusal>>()
        });
        Ok(JobFilter {
            state_in: state.map(|state| state.r#in.into_iter().map(Into::into).collect()),
            kind: kind.map(Into::into),
            queue: queue.map(Into::into),
            schedule_in: schedules.transpose()?,
        })
    }
}
