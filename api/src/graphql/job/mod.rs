//! Background jobs: the object and its queries.

pub mod filter;
pub mod mutation;
pub mod queue;

use std::sync::Arc;

use async_graphql::{
    ComplexObject, Context, Enum, ID, Json, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    job::{Job as Row, JobFile as FileRow},
};
use entity::id::{JobId, ScheduleId};

use filter::JobWhere;
pub use mutation::JobMutation;
pub use queue::Queue;

use super::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    loader::{FilesOf, load, preload},
    page::{self, Connection},
    schedule::Schedule,
};

/// Where a job is in its life.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "domain::job::State", name = "JobState")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// A worker has it.
    Running,
    /// Done.
    Succeeded,
    /// The last attempt failed; there will be another.
    Failed,
    /// Given up.
    Dead,
    /// Taken back before it was done.
    Cancelled,
}

/// A file that a job has left behind.
#[derive(SimpleObject)]
pub struct JobFile {
    /// What to save it as; unique among the job's files.
    name: String,
    /// Media type of its content, such as `text/csv`.
    media_type: String,
    /// Bytes.
    bytes: i64,
    /// Where it can be fetched, with the same login or token. Only who may see jobs, or has caused this one, finds it there.
    url: String,
}

impl JobFile {
    /// As clients see it. Where the file itself lies stays our secret.
    fn new(ctx: &Context<'_>, row: FileRow) -> Self {
        let FileRow {
            id,
            job_id: _,
            name,
            media_type,
            blob_key: _,
            byte_size,
            created_at: _,
        } = row;
        Self {
            name,
            media_type,
            bytes: byte_size,
            url: format!("{}{}", ctx.addresses().files, id.encode().as_str()),
        }
    }
}

/// A piece of background work.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Job {
    /// Opaque id.
    pub id: ID,
    /// What is to be done, such as `item.render_code`.
    kind: String,
    /// What carries it, such as `media`.
    queue: String,
    /// Where it is in its life.
    state: JobState,
    /// How often a worker has begun it.
    attempts: i32,
    /// How often a worker may begin it.
    max_attempts: i32,
    /// Percent done.
    progress: i32,
    /// What it is at, or was when it last said so; null when it has nothing to say.
    message: Option<String>,
    /// Why the last attempt failed; none when none did.
    error: Option<String>,
    /// What came of it, such as how many rows; null until it is `SUCCEEDED`, and of jobs that have nothing to say of that.
    result: Option<Json<serde_json::Value>>,
    /// From -100 to 100: of jobs that wait in a queue, the higher one comes first. 0 is the usual one.
    priority: i32,
    /// While a job with this key has not ended, there is no other; null when there may be any number like it.
    unique_key: Option<String>,
    /// The request that caused it.
    request_id: Option<String>,
    /// The user who caused it; null when nobody in particular did.
    user_id: Option<ID>,
    /// The schedule that caused it; null when none did.
    schedule_id: Option<ID>,
    /// For which of its schedule's moments it is, or when it was asked for by `scheduleRunNow`; null when no schedule caused it.
    tick: Option<DateTime<Utc>>,
    /// When somebody first asked to cancel it. A worker that has it stops it as soon as it can.
    cancel_requested_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When the last attempt began.
    started_at: Option<DateTime<Utc>>,
    /// When it came to its end.
    finished_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    row_id: JobId,
    #[graphql(skip)]
    by_schedule: Option<ScheduleId>,
}

impl Job {
    /// As clients see it.
    #[must_use]
    pub fn new(row: Row) -> Self {
        let Row {
            id,
            kind,
            queue,
            payload: _,
            state,
            attempts,
            max_attempts,
            progress,
            message,
            version: _,
            error,
            result,
            priority,
            unique_key,
            request_id,
            user_id,
            schedule_id,
            tick,
            cancel_requested_at,
            relayed_at: _,
            created_at,
            started_at,
            finished_at,
        } = row;
        Self {
            id: id.encode(),
            kind,
            queue,
            state: state.into(),
            attempts,
            max_attempts,
            progress: progress.into(),
            message,
            error,
            result: result.map(Json),
            priority: priority.into(),
            unique_key,
            request_id,
            user_id: user_id.map(GlobalId::encode),
            schedule_id: schedule_id.map(GlobalId::encode),
            tick,
            cancel_requested_at,
            created_at,
            started_at,
            finished_at,
            row_id: id,
            by_schedule: schedule_id,
        }
    }
}

#[ComplexObject]
impl Job {
    /// What it has left behind for people, by name; empty until it is `SUCCEEDED`.
    #[graphql(complexity = "cost::rows(3, child_complexity)")]
    async fn files(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<JobFile>> {
        let rows = load(ctx, FilesOf(self.row_id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(|row| JobFile::new(ctx, row)).collect())
    }

    /// The schedule that caused it; null when none did, and when it was taken away since. Needs `job.read`.
    async fn schedule(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Schedule>> {
        match self.by_schedule {
            Some(id) => Ok(load(ctx, id).await?.map(Schedule::new)),
            None => Ok(None),
        }
    }
}

/// Queries about jobs.
#[derive(Default)]
pub struct JobQuery;

#[Object(guard = "Needs(Permission::JobRead)")]
impl JobQuery {
    /// One job; null when there is none such. Needs `job.read`.
    async fn job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<Job>> {
        let id = JobId::parse_or_graphql(ctx, "id", &id)?;
        Ok(load(ctx, id).await?.map(Job::new))
    }

    /// How the queues of jobs stand, by their names. Needs `job.read`.
    #[graphql(complexity = "cost::STATEMENT + cost::rows(3, child_complexity)")]
    async fn queues(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Queue>> {
        let viewer = ctx.viewer();
        let rows = ctx
            .domain()
            .jobs()
            .queues(viewer)
            .await
            .or_graphql(viewer)?;
        let workers = Arc::default();
        let queues = rows.into_iter();
        Ok(queues
            .map(|row| Queue::new(row, Arc::clone(&workers)))
            .collect())
    }

    /// The jobs that pass a filter, in pages, newest first. Needs `job.read`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which jobs; all without.", name = "where")] filter: Option<JobWhere>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Job>> {
        let viewer = ctx.viewer();
        let filter = filter.unwrap_or_default().parse();
        let filter = filter.map_err(Into::into).or_graphql(viewer)?;
        let args = page::args(first, last, after, before);
        let rows = ctx
            .domain()
            .jobs()
            .page(viewer, &filter, &args)
            .await
            .or_graphql(viewer)?;
        let selected = ctx.look_ahead();
        let asks = |field| {
            let edges = selected.field("edges").field("node");
            selected.field("nodes").field(field).exists() || edges.field(field).exists()
        };
        let jobs = rows.edges.iter().map(|(_, row)| row);
        if asks("files") {
            preload(ctx, jobs.clone().map(|row| FilesOf(row.id))).await?;
        }
        if asks("schedule") {
            preload(ctx, jobs.filter_map(|row| row.schedule_id)).await?;
        }
        Ok(page::connection(rows, EmptyFields, Job::new))
    }
}
