//! Schedules: what is done by itself, and when.

pub mod mutation;

use async_graphql::{
    ComplexObject, Context, Enum, ID, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    schedule::{Firing, Outcome, Schedule as Row, ScheduleRow, WhenMissed},
};
use entity::id::{JobId, ScheduleId};

pub use mutation::ScheduleMutation;

use super::{
    context::ContextExt,
    cost,
    errand::Errand,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    job::Job,
    loader::load,
    page::{self, Connection},
};

/// What becomes of times at which no worker was at work.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "WhenMissed")]
pub enum ScheduleWhenMissed {
    /// They are made good once, however many they are.
    RunOnce,
    /// They are left out. What comes up to a minute late is not missed.
    Skip,
}

/// What became of a time that has come.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Outcome")]
pub enum ScheduleOutcome {
    /// A job was made.
    Fired,
    /// No worker was at work, and it was left out.
    Missed,
    /// The last job was not finished, and it was left out.
    Overlapped,
    /// Somebody asked for it beside its times: `scheduleRunNow`.
    Requested,
}

/// What is done by itself, and when.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Schedule {
    /// Opaque id.
    pub id: ID,
    /// What people call it: unique.
    name: String,
    /// When: minute, hour, day of month, month and day of week as cron has them, or a word such as `@daily`.
    cron: String,
    /// Where those hours are, when that was said: an IANA name. Null when they are the shop's.
    time_zone: Option<String>,
    /// Where those hours are: its own time zone or the shop's.
    effective_time_zone: String,
    /// What is done.
    errand: Errand,
    /// Whether it is done at all; false while it is paused.
    enabled: bool,
    /// What becomes of times at which no worker was at work.
    when_missed: ScheduleWhenMissed,
    /// Whether it is begun while the last job is not finished. Otherwise that time is left out.
    allow_overlap: bool,
    /// The next time; null while it is paused, and for a second at the beginning.
    next_at: Option<DateTime<Utc>>,
    /// The last time that has come; null before the first.
    last_tick: Option<DateTime<Utc>>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    row: Row,
}

impl Schedule {
    /// As clients see it.
    #[must_use]
    pub fn new(schedule: Row) -> Self {
        let row = schedule.clone();
        let Row {
            row:
                ScheduleRow {
                    id,
                    name,
                    cron,
                    time_zone,
                    errand,
                    enabled,
                    when_missed,
                    allow_overlap,
                    version,
                    created_at,
                    updated_at,
                    deleted_at: _,
                },
            zone,
            next_at,
            last_tick,
            last_job_id: _,
        } = schedule;
        Self {
            id: id.encode(),
            name,
            cron,
            time_zone,
            effective_time_zone: zone,
            errand: errand.into(),
            enabled,
            when_missed: when_missed.into(),
            allow_overlap,
            next_at,
            last_tick,
            version,
            created_at,
            updated_at,
            row,
        }
    }
}

#[ComplexObject]
impl Schedule {
    /// The next times, the first of them `nextAt`; none while it is paused.
    async fn next_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, up to 20.", default = 5)] count: i32,
    ) -> async_graphql::Result<Vec<DateTime<Utc>>> {
        let times = ctx.domain().schedules().upcoming(&self.row, count);
        times.or_graphql(ctx.viewer())
    }

    /// The last job that was made; null before the first, and when it was cleared up.
    async fn last_job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        job(ctx, self.row.last_job_id).await
    }
}

/// A time of a schedule that has come.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ScheduleFiring {
    /// Which time.
    tick: DateTime<Utc>,
    /// What became of it.
    outcome: ScheduleOutcome,
    /// From this time on up to `tick` all were missed; null when none was.
    missed_since: Option<DateTime<Utc>>,
    /// When it was decided what becomes of it.
    decided_at: DateTime<Utc>,
    #[graphql(skip)]
    job_id: Option<JobId>,
}

impl ScheduleFiring {
    fn new(row: Firing) -> Self {
        let Firing {
            schedule_id: _,
            tick,
            outcome,
            job_id,
            missed_since,
            decided_at,
        } = row;
        Self {
            tick,
            outcome: outcome.into(),
            missed_since,
            decided_at,
            job_id,
        }
    }
}

#[ComplexObject]
impl ScheduleFiring {
    /// The job that was made; null when none was, and when it was cleared up.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        job(ctx, self.job_id).await
    }
}

async fn job(ctx: &Context<'_>, id: Option<JobId>) -> async_graphql::Result<Option<Job>> {
    match id {
        Some(id) => Ok(load(ctx, id).await?.map(Job::new)),
        None => Ok(None),
    }
}

/// Queries about schedules.
#[derive(Default)]
pub struct ScheduleQuery;

#[Object(guard = "Needs(Permission::JobRead)")]
impl ScheduleQuery {
    /// One schedule; null when there is none such. Needs `job.read`.
    async fn schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<Schedule>> {
        let viewer = ctx.viewer();
        let id = ScheduleId::parse_or_graphql(ctx, "id", &id)?;
        let found = ctx.domain().schedules().find(viewer, id).await;
        Ok(found.or_graphql(viewer)?.map(Schedule::new))
    }

    /// All schedules, by name: at most 100. Needs `job.read`.
    #[graphql(complexity = "cost::STATEMENT + cost::rows(20, child_complexity)")]
    async fn schedules(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Schedule>> {
        let viewer = ctx.viewer();
        let all = ctx.domain().schedules().all(viewer).await;
        let all = all.or_graphql(viewer)?.into_iter();
        Ok(all.map(Schedule::new).collect())
    }

    /// The times of a schedule that have come, latest first, in pages. Of several that were missed, only the last is there, with
    /// `missedSince`. Needs `job.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn schedule_firings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which schedule.")] schedule_id: ID,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<ScheduleFiring>> {
        let viewer = ctx.viewer();
        let id = ScheduleId::parse_or_graphql(ctx, "scheduleId", &schedule_id)?;
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().schedules().firings(viewer, id, &args).await;
        Ok(page::connection(
            rows.or_graphql(viewer)?,
            EmptyFields,
            ScheduleFiring::new,
        ))
    }

    /// The next times of an expression of cron that is not a schedule yet. Needs `job.read`.
    async fn schedule_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Minute, hour, day of month, month and day of week, or a word such as `@daily`."
        )]
        cron: String,
        #[graphql(desc = "Where those hours are: an IANA name; where the shop is without.")]
        time_zone: Option<String>,
        #[graphql(desc = "How many, up to 20.", default = 5)] count: i32,
    ) -> async_graphql::Result<Vec<DateTime<Utc>>> {
        let viewer = ctx.viewer();
        let schedules = ctx.domain().schedules();
        let times = schedules.preview(viewer, &cron, time_zone.as_deref(), count);
        times.await.or_graphql(viewer)
    }
}
