//! Which jobs, as clients ask for them.

use async_graphql::InputObject;
use domain::job::JobFilter;

use super::JobState;
use crate::graphql::filter::StringFilter;

/// A condition on where a job is in its life.
#[derive(InputObject, Clone, Debug)]
pub struct JobStateFilter {
    /// One of these. An empty list matches nothing.
    r#in: Vec<JobState>,
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
}

impl From<JobWhere> for JobFilter {
    fn from(JobWhere { state, kind, queue }: JobWhere) -> Self {
        Self {
            state_in: state.map(|state| state.r#in.into_iter().map(Into::into).collect()),
            kind: kind.map(Into::into),
            queue: queue.map(Into::into),
        }
    }
}
