//! What operators can do to schedules.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    Permission,
    schedule::{NewSchedule, Schedule as Row, ScheduleChange},
};
use entity::id::{JobId, ScheduleId};

use super::{Schedule, ScheduleWhenMissed};
use crate::graphql::{
    category::mutation::patch,
    context::ContextExt,
    errand::Errand,
    guard::Needs,
    id::GlobalId,
    job::Job,
    loader::load,
    payload::{UserError, settle},
};

/// A schedule to be.
#[derive(InputObject)]
pub struct ScheduleCreateInput {
    /// What you call it: unique.
    name: String,
    /// When: minute, hour, day of month, month and day of week as cron has them, or `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`.
    cron: String,
    /// Where those hours are: an IANA name such as `Asia/Tehran`; where the shop is without.
    time_zone: Option<String>,
    /// What is done: anything but `RENDER_CODE`.
    errand: Errand,
    /// Whether it is done at all.
    #[graphql(default = true)]
    enabled: bool,
    /// What becomes of times at which no worker was at work.
    #[graphql(default_with = "ScheduleWhenMissed::RunOnce")]
    when_missed: ScheduleWhenMissed,
    /// Whether it is begun while the last job is not finished.
    #[graphql(default)]
    allow_overlap: bool,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// A change of a schedule. What is not given stays.
#[derive(InputObject)]
pub struct ScheduleUpdateInput {
    /// Which schedule.
    id: ID,
    /// What you call it: unique.
    name: Option<String>,
    /// When. The next time is the first one behind now.
    cron: Option<String>,
    /// Where those hours are: an IANA name; where the shop is with null.
    time_zone: MaybeUndefined<String>,
    /// What becomes of times at which no worker was at work.
    when_missed: Option<ScheduleWhenMissed>,
    /// Whether it is begun while the last job is not finished.
    allow_overlap: Option<bool>,
    /// Refuse when the schedule's version is another.
    expected_version: Option<i64>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! targets {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(InputObject)]
        pub struct $name {
            /// Which schedule.
            id: ID,
            /// Refuse when the schedule's version is another.
            expected_version: Option<i64>,
            /// Makes sending the same request again harmless.
            idempotency_key: Option<String>,
        }
    )+};
}

targets! {
    /// A schedule to rest.
    SchedulePauseInput,
    /// A schedule to go on.
    ScheduleResumeInput,
    /// A schedule to be taken away.
    ScheduleDeleteInput,
}

/// A schedule whose errand is to be done now.
#[derive(InputObject)]
pub struct ScheduleRunNowInput {
    /// Which schedule.
    id: ID,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

macro_rules! schedule_payloads {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {$(
        $(#[$doc])+
        #[derive(SimpleObject)]
        pub struct $name {
            /// The schedule; null when it was refused.
            schedule: Option<Schedule>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(ctx: &Context<'_>, result: domain::Result<Row>) -> async_graphql::Result<Self> {
                let (row, user_errors) = settle(ctx, result)?;
                Ok(Self { schedule: row.map(Schedule::new), user_errors })
            }
        }
    )+};
}

schedule_payloads! {
    /// What became of adding a schedule.
    ScheduleCreatePayload,
    /// What became of changing a schedule.
    ScheduleUpdatePayload,
    /// What became of letting a schedule rest.
    SchedulePausePayload,
    /// What became of letting a schedule go on.
    ScheduleResumePayload,
}

/// What became of taking a schedule away.
#[derive(SimpleObject)]
pub struct ScheduleDeletePayload {
    /// The schedule that is gone; null when it was refused.
    deleted_id: Option<ID>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What became of doing it now.
#[derive(SimpleObject)]
pub struct ScheduleRunNowPayload {
    /// The schedule; null when it was refused.
    schedule: Option<Schedule>,
    /// The job that does it; null when it was refused.
    job: Option<Job>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of schedules.
#[derive(Default)]
pub struct ScheduleMutation;

#[Object(guard = "Needs(Permission::JobManage)")]
impl ScheduleMutation {
    /// Adds a schedule. Needs `job.manage`.
    async fn schedule_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The schedule to be.")] input: ScheduleCreateInput,
    ) -> async_graphql::Result<ScheduleCreatePayload> {
        ScheduleCreatePayload::of(ctx, create(ctx, input).await)
    }

    /// Changes a schedule. Needs `job.manage`.
    async fn schedule_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which schedule, and what is to be different.")]
        input: ScheduleUpdateInput,
    ) -> async_graphql::Result<ScheduleUpdatePayload> {
        ScheduleUpdatePayload::of(ctx, update(ctx, input).await)
    }

    /// Lets a schedule rest: none of its times come. Needs `job.manage`.
    async fn schedule_pause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which schedule.")] input: SchedulePauseInput,
    ) -> async_graphql::Result<SchedulePausePayload> {
        let SchedulePauseInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let target = (&id, expected_version, idempotency_key.as_deref());
        SchedulePausePayload::of(ctx, enable(ctx, target, false).await)
    }

    /// Lets a schedule go on. What would have come meanwhile was not missed. Needs `job.manage`.
    async fn schedule_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which schedule.")] input: ScheduleResumeInput,
    ) -> async_graphql::Result<ScheduleResumePayload> {
        let ScheduleResumeInput {
            id,
            expected_version,
            idempotency_key,
        } = input;
        let target = (&id, expected_version, idempotency_key.as_deref());
        ScheduleResumePayload::of(ctx, enable(ctx, target, true).await)
    }

    /// Takes a schedule away. Its jobs stay, and its name is free. Needs `job.manage`.
    async fn schedule_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which schedule.")] input: ScheduleDeleteInput,
    ) -> async_graphql::Result<ScheduleDeletePayload> {
        let (id, user_errors) = settle(ctx, delete(ctx, input).await)?;
        Ok(ScheduleDeletePayload {
            deleted_id: id.map(GlobalId::encode),
            user_errors,
        })
    }

    /// Does it now, beside its times, which stay as they are. While the last job is not finished it is refused, unless the schedule allows
    /// that. Needs `job.manage`.
    async fn schedule_run_now(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which schedule.")] input: ScheduleRunNowInput,
    ) -> async_graphql::Result<ScheduleRunNowPayload> {
        let (done, user_errors) = settle(ctx, run_now(ctx, input).await)?;
        let (schedule, job) = done.unzip();
        let job = match job {
            Some(id) => load(ctx, id).await?.map(Job::new),
            None => None,
        };
        Ok(ScheduleRunNowPayload {
            schedule: schedule.map(Schedule::new),
            job,
            user_errors,
        })
    }
}

async fn create(ctx: &Context<'_>, input: ScheduleCreateInput) -> domain::Result<Row> {
    let ScheduleCreateInput {
        name,
        cron,
        time_zone,
        errand,
        enabled,
        when_missed,
        allow_overlap,
        idempotency_key,
    } = input;
    let new = NewSchedule {
        name,
        cron,
        time_zone,
        errand: errand.into(),
        enabled,
        when_missed: when_missed.into(),
        allow_overlap,
    };
    let schedules = ctx.domain().schedules();
    schedules
        .create(ctx.viewer(), new, idempotency_key.as_deref())
        .await
}

async fn update(ctx: &Context<'_>, input: ScheduleUpdateInput) -> domain::Result<Row> {
    let ScheduleUpdateInput {
        id,
        name,
        cron,
        time_zone,
        when_missed,
        allow_overlap,
        expected_version,
        idempotency_key,
    } = input;
    let id = ScheduleId::parse("id", &id)?;
    let change = ScheduleChange {
        name,
        cron,
        time_zone: patch(time_zone),
        when_missed: when_missed.map(Into::into),
        allow_overlap,
    };
    let (schedules, key) = (ctx.domain().schedules(), idempotency_key.as_deref());
    schedules
        .update(ctx.viewer(), id, change, expected_version, key)
        .await
}

async fn enable(
    ctx: &Context<'_>,
    (id, expected_version, key): (&ID, Option<i64>, Option<&str>),
    enabled: bool,
) -> domain::Result<Row> {
    let id = ScheduleId::parse("id", id)?;
    let schedules = ctx.domain().schedules();
    schedules
        .enable(ctx.viewer(), id, enabled, expected_version, key)
        .await
}

async fn delete(ctx: &Context<'_>, input: ScheduleDeleteInput) -> domain::Result<ScheduleId> {
    let ScheduleDeleteInput {
        id,
        expected_version,
        idempotency_key,
    } = input;
    let id = ScheduleId::parse("id", &id)?;
    let (schedules, key) = (ctx.domain().schedules(), idempotency_key.as_deref());
    schedules
        .delete(ctx.viewer(), id, expected_version, key)
        .await
}

async fn run_now(ctx: &Context<'_>, input: ScheduleRunNowInput) -> domain::Result<(Row, JobId)> {
    let ScheduleRunNowInput {
        id,
        idempotency_key,
    } = input;
    let id = ScheduleId::parse("id", &id)?;
    let schedules = ctx.domain().schedules();
    schedules
        .run_now(ctx.viewer(), id, idempotency_key.as_deref())
        .await
}
