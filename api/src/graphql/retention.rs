//! Retention: how long things are kept, and clearing up what is old.

use async_graphql::{
    ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject, connection::EmptyFields,
};
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    retention::{
        Hold, Outcome, Policy as PolicyRow, PolicyChange, Report, Run, Subject, minimum_days,
    },
};
use entity::id::{JobId, RetentionRunId};

use super::{
    context::ContextExt,
    cost,
    error::OrGraphql,
    guard::Needs,
    id::GlobalId,
    job::Job,
    loader::load,
    page::{self, Connection},
    payload::{UserError, settle},
};

/// What is kept for a time. Entries, movements and whatever else says something about the business is kept for ever, and so is the trail unless its policy
/// is enabled.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Subject")]
pub enum RetentionSubject {
    /// API tokens that have expired or were taken back.
    ApiTokens,
    /// The trail, by whole months that are sealed and as they were sealed. What is left can be proved as before, and tells what went. Not enabled at first.
    Audit,
    /// Events that subscriptions replay. Whoever comes with an older position is told so.
    Events,
    /// Jobs that made files of items, reports or labels, with these files.
    Exports,
    /// Answers for requests that are sent again with their `idempotencyKey`.
    IdempotencyKeys,
    /// Jobs that imported, with the files that they left behind. What was imported stays.
    Imports,
    /// Other jobs that are finished.
    Jobs,
    /// Jobs that proved something of stock or of the trail, and what they found.
    Proofs,
    /// Times of schedules that have come.
    ScheduleFirings,
    /// Files that nothing refers to any more, such as pictures that were taken away. Days count from when a run found them so.
    UnreferencedFiles,
}

/// How long something is kept.
#[derive(SimpleObject)]
pub struct RetentionPolicy {
    /// What.
    subject: RetentionSubject,
    /// For how many days.
    keep_days: i32,
    /// For how many days at least.
    minimum_days: i32,
    /// Whether it is cleared up at all; otherwise it is kept for ever.
    enabled: bool,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

impl RetentionPolicy {
    fn new(row: PolicyRow) -> Self {
        let PolicyRow {
            subject,
            keep_days,
            enabled,
            version,
            updated_at,
        } = row;
        Self {
            subject: subject.into(),
            keep_days,
            minimum_days: minimum_days(subject),
            enabled,
            version,
            updated_at,
        }
    }
}

/// Whether everything is held: then nothing is cleared up, whatever the policies say.
#[derive(SimpleObject)]
pub struct LegalHold {
    /// Whether it is.
    held: bool,
    /// Why; null when it is not.
    reason: Option<String>,
    /// Counts changes; send it back as `expectedVersion`.
    version: i64,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

impl LegalHold {
    fn new(row: Hold) -> Self {
        let Hold {
            singleton: _,
            held,
            reason,
            version,
            updated_at,
        } = row;
        Self {
            held,
            reason,
            version,
            updated_at,
        }
    }
}

/// What was cleared up of one subject, or would have been.
#[derive(SimpleObject)]
pub struct RetentionOutcome {
    /// Of what.
    subject: RetentionSubject,
    /// How many rows: keys, events, tokens, times, jobs, names of files, or rows of the trail.
    row_count: i64,
    /// How many files.
    file_count: i64,
    /// How many bytes were in them; of the trail, how many the disk gets back.
    byte_count: i64,
    /// How many files turned out to be referred to by nothing. They go when it has been so for as long as the policy says.
    found_count: i64,
    /// How many bytes are in those.
    found_bytes: i64,
    /// What was older than this; null where it is kept for ever, and until it was dealt with.
    older_than: Option<DateTime<Utc>>,
    /// The age of the oldest that stays; null where nothing does, and until it was dealt with. Where it is older than `olderThan`, something could not go yet,
    /// such as a month of the trail that is not as it was sealed: `auditVerify` names it.
    oldest_kept: Option<DateTime<Utc>>,
}

impl RetentionOutcome {
    fn new(row: Outcome) -> Self {
        let Outcome {
            run_id: _,
            subject,
            row_count,
            file_count,
            byte_count,
            found_count,
            found_bytes,
            older_than,
            oldest_kept,
        } = row;
        Self {
            subject: subject.into(),
            row_count,
            file_count,
            byte_count,
            found_count,
            found_bytes,
            older_than,
            oldest_kept,
        }
    }
}

/// A clearing up of what is old, or a look at what would go.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct RetentionRun {
    /// Opaque id.
    pub id: ID,
    /// Whether it only looks.
    dry_run: bool,
    /// Whether it stopped because everything is held.
    was_held: bool,
    /// What it has done up to now, subject by subject.
    outcomes: Vec<RetentionOutcome>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it came to its end; null before.
    finished_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    job_id: Option<JobId>,
}

impl RetentionRun {
    fn new(report: Report) -> Self {
        let Report {
            run:
                Run {
                    id,
                    job_id,
                    dry_run,
                    subjects: _,
                    surveyed: _,
                    was_held,
                    created_at,
                    finished_at,
                },
            outcomes,
        } = report;
        Self {
            id: id.encode(),
            dry_run,
            was_held,
            outcomes: outcomes.into_iter().map(RetentionOutcome::new).collect(),
            created_at,
            finished_at,
            job_id,
        }
    }
}

#[ComplexObject]
impl RetentionRun {
    /// The job that does it; null when somebody did it at the machine, and when it was cleared up.
    async fn job(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Job>> {
        match self.job_id {
            Some(id) => Ok(load(ctx, id).await?.map(Job::new)),
            None => Ok(None),
        }
    }
}

/// Queries about retention.
#[derive(Default)]
pub struct RetentionQuery;

#[Object(guard = "Needs(Permission::RetentionManage)")]
impl RetentionQuery {
    /// How long things are kept. Needs `retention.manage`.
    async fn retention_policies(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<RetentionPolicy>> {
        let viewer = ctx.viewer();
        let rows = ctx.domain().retention().policies(viewer).await;
        let rows = rows.or_graphql(viewer)?.into_iter();
        Ok(rows.map(RetentionPolicy::new).collect())
    }

    /// Whether everything is held. Needs `retention.manage`.
    async fn legal_hold(&self, ctx: &Context<'_>) -> async_graphql::Result<LegalHold> {
        let viewer = ctx.viewer();
        let row = ctx.domain().retention().hold(viewer).await;
        Ok(LegalHold::new(row.or_graphql(viewer)?))
    }

    /// One clearing up, or look; null when there is none such. Needs `retention.manage`.
    async fn retention_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] id: ID,
    ) -> async_graphql::Result<Option<RetentionRun>> {
        let viewer = ctx.viewer();
        let id = RetentionRunId::parse_or_graphql(ctx, "id", &id)?;
        let found = ctx.domain().retention().find(viewer, id).await;
        Ok(found.or_graphql(viewer)?.map(RetentionRun::new))
    }

    /// What was cleared up, and looked at, in pages, newest first. Needs `retention.manage`.
    #[graphql(complexity = "cost::page(first, last, child_complexity)")]
    async fn retention_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "This many from the beginning, or from `after`; at most 100.")]
        first: Option<i32>,
        #[graphql(desc = "This many from the end, or from `before`; at most 100.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what is behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only what is in front of this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<RetentionRun>> {
        let viewer = ctx.viewer();
        let args = page::args(first, last, after, before);
        let rows = ctx.domain().retention().page(viewer, &args).await;
        Ok(page::connection(
            rows.or_graphql(viewer)?,
            EmptyFields,
            RetentionRun::new,
        ))
    }
}

/// A change of how long something is kept. What is not given stays.
#[derive(InputObject)]
pub struct RetentionPolicyUpdateInput {
    /// What.
    subject: RetentionSubject,
    /// For how many days: at least `minimumDays` of the policy.
    keep_days: Option<i32>,
    /// Whether it is cleared up at all.
    enabled: Option<bool>,
    /// Refuse when the policy's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of changing a policy.
#[derive(SimpleObject)]
pub struct RetentionPolicyUpdatePayload {
    /// The policy; null when it was refused.
    retention_policy: Option<RetentionPolicy>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Whether everything is to be held.
#[derive(InputObject)]
pub struct LegalHoldSetInput {
    /// Why everything is held. Without, it is not held any more.
    reason: Option<String>,
    /// Refuse when the hold's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of it.
#[derive(SimpleObject)]
pub struct LegalHoldSetPayload {
    /// The hold; null when it was refused.
    legal_hold: Option<LegalHold>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// A clearing up.
#[derive(InputObject)]
pub struct RetentionRunInput {
    /// Only look what would go.
    dry_run: bool,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for it.
#[derive(SimpleObject)]
pub struct RetentionRunPayload {
    /// The run, which a job does; null when it was refused.
    retention_run: Option<RetentionRun>,
    /// Why it was refused; empty when it was asked for.
    user_errors: Vec<UserError>,
}

/// Mutations of retention.
#[derive(Default)]
pub struct RetentionMutation;

#[Object(guard = "Needs(Permission::RetentionManage)")]
impl RetentionMutation {
    /// Changes how long something is kept. Needs `retention.manage`.
    async fn retention_policy_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and how long.")] input: RetentionPolicyUpdateInput,
    ) -> async_graphql::Result<RetentionPolicyUpdatePayload> {
        let RetentionPolicyUpdateInput {
            subject,
            keep_days,
            enabled,
            expected_version,
            idempotency_key,
        } = input;
        let change = PolicyChange { keep_days, enabled };
        let (retention, key) = (ctx.domain().retention(), idempotency_key.as_deref());
        let subject = subject.into();
        let row = retention.update_policy(ctx.viewer(), subject, change, expected_version, key);
        let (row, user_errors) = settle(ctx, row.await)?;
        Ok(RetentionPolicyUpdatePayload {
            retention_policy: row.map(RetentionPolicy::new),
            user_errors,
        })
    }

    /// Has everything held: nothing is cleared up until that ends. Needs `retention.manage`.
    async fn legal_hold_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Why, or that no more.")] input: LegalHoldSetInput,
    ) -> async_graphql::Result<LegalHoldSetPayload> {
        let LegalHoldSetInput {
            reason,
            expected_version,
            idempotency_key,
        } = input;
        let (retention, key) = (ctx.domain().retention(), idempotency_key.as_deref());
        let row = retention.set_hold(ctx.viewer(), reason.as_deref(), expected_version, key);
        let (row, user_errors) = settle(ctx, row.await)?;
        Ok(LegalHoldSetPayload {
            legal_hold: row.map(LegalHold::new),
            user_errors,
        })
    }

    /// Clears up what is older than the policies say, for good, or only looks what would go. A job does it. Needs `retention.manage`.
    async fn retention_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is done.")] input: RetentionRunInput,
    ) -> async_graphql::Result<RetentionRunPayload> {
        let RetentionRunInput {
            dry_run,
            idempotency_key,
        } = input;
        let (retention, key) = (ctx.domain().retention(), idempotency_key.as_deref());
        let asked = retention.ask(ctx.viewer(), dry_run, key).await;
        let (report, user_errors) = settle(ctx, asked)?;
        Ok(RetentionRunPayload {
            retention_run: report.map(RetentionRun::new),
            user_errors,
        })
    }
}
