//! What operators can do to jobs.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{Permission, job::Job as Row};
use entity::id::JobId;

use super::Job;
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

    /// Renders all pictures anew, in the background: after the way of rendering changed, or files were lost. What is shown stays until there
    /// is something new, and the work goes on where it stopped when a worker dies. Needs `job.manage` and `job.read`.
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
