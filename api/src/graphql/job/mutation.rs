//! What operators can do to jobs.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Permission,
    job::{Job as Row, NewErrand, Queue as QueueName},
};
use entity::id::{ItemId, JobId};

use super::{Job, Queue};
use crate::graphql::{
    context::ContextExt,
    guard::Needs,
    id::GlobalId,
    payload::{UserError, settle},
};

/// A job to be tried again.
#[derive(InputObject)]
pub struct JobRetryInput {
    /// Which job.
    id: ID,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of trying a job again.
#[derive(SimpleObject)]
pub struct JobRetryPayload {
    /// The job, `QUEUED` again; null when it was refused.
    job: Option<Job>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// A job to be started by hand.
#[derive(InputObject)]
pub struct JobEnqueueInput {
    /// What is to be done: `item.render_code` (draw an item's QR code again), `queue.probe` (nothing: that it is done tells that jobs are handed
    /// over and done), `stock.reconcile` (prove that stock levels are the sums of movements) or `trail.verify` (prove the audit trail).
    kind: String,
    /// To which item; needed for `item.render_code`, and not taken otherwise.
    item_id: Option<ID>,
    /// From -100 to 100: of jobs that wait in a queue, the higher one comes first.
    #[graphql(default)]
    priority: i32,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of starting a job by hand.
#[derive(SimpleObject)]
pub struct JobEnqueuePayload {
    /// The job; null when it was refused.
    job: Option<Job>,
    /// Whether it is new; false when such a job was waiting or running already, of which there is one at a time.
    is_new: bool,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// A job to be cancelled.
#[derive(InputObject)]
pub struct JobCancelInput {
    /// Which job.
    id: ID,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of cancelling a job.
#[derive(SimpleObject)]
pub struct JobCancelPayload {
    /// The job: `CANCELLED`, or `RUNNING` until its worker has stopped it; null when it was refused.
    job: Option<Job>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// A queue to be stopped.
#[derive(InputObject)]
pub struct QueuePauseInput {
    /// Name of the queue, such as `media`.
    queue: String,
    /// Why, for others who see it standing still; at most 500 characters.
    reason: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of stopping a queue.
#[derive(SimpleObject)]
pub struct QueuePausePayload {
    /// The queue; null when it was refused.
    queue: Option<Queue>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// A queue to go on.
#[derive(InputObject)]
pub struct QueueResumeInput {
    /// Name of the queue, such as `media`.
    queue: String,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of letting a queue go on.
#[derive(SimpleObject)]
pub struct QueueResumePayload {
    /// The queue; null when it was refused.
    queue: Option<Queue>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Dead jobs to be tried again.
#[derive(InputObject)]
pub struct DeadLettersRedriveInput {
    /// Name of their queue; all queues without.
    queue: Option<String>,
    /// Their kind, such as `item.render_code`; all kinds without.
    kind: Option<String>,
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of trying dead jobs again.
#[derive(SimpleObject)]
pub struct DeadLettersRedrivePayload {
    /// How many are `QUEUED` again, at most 1,000; null when it was refused.
    count: Option<i64>,
    /// Whether there are more: ask again, with another key. Null when it was refused.
    has_more: Option<bool>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// All pictures to be rendered anew.
#[derive(InputObject)]
pub struct ItemImagesRegenerateInput {
    /// Makes sending the same request again harmless.
    idempotency_key: Option<String>,
}

/// What became of asking for all pictures anew.
#[derive(SimpleObject)]
pub struct ItemImagesRegeneratePayload {
    /// The job that does it; null when it was refused.
    job: Option<Job>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Mutations of jobs.
#[derive(Default)]
pub struct JobMutation;

#[Object(guard = "Needs(Permission::JobManage)")]
impl JobMutation {
    /// Gives a job that is `DEAD` as many attempts as a new one has; a worker begins it within seconds. Its error stays until an attempt
    /// ends, and a picture that has failed with it is `PROCESSING` again. Needs `job.manage`.
    async fn job_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: JobRetryInput,
    ) -> async_graphql::Result<JobRetryPayload> {
        let (row, user_errors) = settle(ctx, retry(ctx, input).await)?;
        Ok(JobRetryPayload {
            job: row.map(Job::new),
            user_errors,
        })
    }

    /// Starts a job by hand. Of an item's code there is one at a time: who asks for another gets that one. Needs `job.manage`, and what it
    /// takes to do the same otherwise: `catalogue.write`, `stock.read` or `audit.read`.
    async fn job_enqueue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: JobEnqueueInput,
    ) -> async_graphql::Result<JobEnqueuePayload> {
        let (done, user_errors) = settle(ctx, enqueue(ctx, input).await)?;
        let (row, is_new) = done.unzip();
        Ok(JobEnqueuePayload {
            job: row.map(Job::new),
            is_new: is_new.unwrap_or_default(),
            user_errors,
        })
    }

    /// Takes a job back. One that waits is `CANCELLED` at once; one that runs is stopped by its worker, mostly within a second, unless it is
    /// done just then. What it was to make will not come: a picture is `FAILED`. Cancelling again changes nothing. Needs `job.manage`.
    async fn job_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: JobCancelInput,
    ) -> async_graphql::Result<JobCancelPayload> {
        let (row, user_errors) = settle(ctx, cancel(ctx, input).await)?;
        Ok(JobCancelPayload {
            job: row.map(Job::new),
            user_errors,
        })
    }

    /// Stops a queue: once this is answered no job of it begins, until `queueResume`. What runs comes to its end, and what waits is kept.
    /// A queue that stands still already stays as it is. Needs `job.manage`.
    async fn queue_pause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which queue.")] input: QueuePauseInput,
    ) -> async_graphql::Result<QueuePausePayload> {
        let QueuePauseInput {
            queue,
            reason,
            idempotency_key: key,
        } = input;
        let jobs = ctx.domain().jobs();
        let paused = jobs.pause(ctx.viewer(), &queue, reason.as_deref(), key.as_deref());
        let (queue, user_errors) = settle(ctx, standing(ctx, paused.await).await)?;
        Ok(QueuePausePayload { queue, user_errors })
    }

    /// Lets a queue go on that stands still. Needs `job.manage`.
    async fn queue_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which queue.")] input: QueueResumeInput,
    ) -> async_graphql::Result<QueueResumePayload> {
        let QueueResumeInput {
            queue,
            idempotency_key: key,
        } = input;
        let jobs = ctx.domain().jobs();
        let resumed = jobs.resume(ctx.viewer(), &queue, key.as_deref()).await;
        let (queue, user_errors) = settle(ctx, standing(ctx, resumed).await)?;
        Ok(QueueResumePayload { queue, user_errors })
    }

    /// Does what `jobRetry` does to many jobs that are `DEAD`: the oldest 1,000 of a queue or of all, of one kind or of all. Of jobs of which
    /// there is one at a time only the last is tried again, and none while another one waits or runs. Needs `job.manage`.
    async fn dead_letters_redrive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which jobs.")] input: DeadLettersRedriveInput,
    ) -> async_graphql::Result<DeadLettersRedrivePayload> {
        let DeadLettersRedriveInput {
            queue,
            kind,
            idempotency_key: key,
        } = input;
        let jobs = ctx.domain().jobs();
        let (queue, kind, key) = (queue.as_deref(), kind.as_deref(), key.as_deref());
        let done = jobs.redrive(ctx.viewer(), queue, kind, key).await;
        let (done, user_errors) = settle(ctx, done)?;
        Ok(DeadLettersRedrivePayload {
            count: done.map(|done| done.count),
            has_more: done.map(|done| done.has_more),
            user_errors,
        })
    }

    /// Renders all pictures anew, in the background: after the way of rendering changed, or files were lost. What is shown stays until there
    /// is something new, and the work goes on where it stopped when a worker dies. There is one at a time: who asks for another gets that one. Needs `job.manage` and `job.read`.
    async fn item_images_regenerate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How.")] input: ItemImagesRegenerateInput,
    ) -> async_graphql::Result<ItemImagesRegeneratePayload> {
        let (row, user_errors) = settle(ctx, regenerate(ctx, input).await)?;
        Ok(ItemImagesRegeneratePayload {
            job: row.map(Job::new),
            user_errors,
        })
    }
}

async fn regenerate(ctx: &Context<'_>, input: ItemImagesRegenerateInput) -> domain::Result<Row> {
    let (domain, key) = (ctx.domain(), input.idempotency_key.as_deref());
    let id = domain.items().regenerate_images(ctx.viewer(), key).await?;
    domain.jobs().get(ctx.viewer(), id).await
}

async fn retry(ctx: &Context<'_>, input: JobRetryInput) -> domain::Result<Row> {
    let JobRetryInput {
        id,
        idempotency_key,
    } = input;
    let id = JobId::parse("id", &id)?;
    let jobs = ctx.domain().jobs();
    jobs.retry(ctx.viewer(), id, idempotency_key.as_deref())
        .await
}

async fn enqueue(ctx: &Context<'_>, input: JobEnqueueInput) -> domain::Result<(Row, bool)> {
    let JobEnqueueInput {
        kind,
        item_id,
        priority,
        idempotency_key: key,
    } = input;
    let item = item_id.map(|id| ItemId::parse("itemId", &id)).transpose()?;
    let new = NewErrand {
        kind,
        item,
        // What does not fit is out of range in any case.
        priority: i16::try_from(priority).unwrap_or(i16::MAX),
    };
    let jobs = ctx.domain().jobs();
    jobs.enqueue(ctx.viewer(), &new, key.as_deref()).await
}

async fn cancel(ctx: &Context<'_>, input: JobCancelInput) -> domain::Result<Row> {
    let JobCancelInput {
        id,
        idempotency_key: key,
    } = input;
    let id = JobId::parse("id", &id)?;
    let jobs = ctx.domain().jobs();
    jobs.cancel(ctx.viewer(), id, key.as_deref()).await
}

/// How a queue stands by now to which something was done.
async fn standing(ctx: &Context<'_>, done: domain::Result<QueueName>) -> domain::Result<Queue> {
    let jobs = ctx.domain().jobs();
    let row = jobs.queue(ctx.viewer(), done?).await?;
    Ok(Queue::new(row, Arc::default()))
}
