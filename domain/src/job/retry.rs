//! A dead job's second life, by an operator who has mended what it died of.

use chrono::{DateTime, Utc};
use entity::{id::JobId, job::Model as Job};
use sea_orm::DatabaseTransaction;

use super::{Jobs, death, query, rules, write};
use crate::{
    audit::{self, Change},
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    item::{ImageState, take_up_image_in_tx},
    permission::Permission,
    viewer::Viewer,
};

impl Jobs<'_> {
    /// Gives a dead job as many attempts as a new one has. The picture that it was to render is awaited once more.
    ///
    /// # Errors
    /// When there is no such job, it is not dead, or it is a unique one and another one like it waits or runs.
    pub async fn retry(&self, viewer: &Viewer, id: JobId, key: Option<&str>) -> Result<Job> {
        viewer.require(Permission::JobManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "job.retry", &id, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let image = death::lock_image_in_tx(&tx, id, ImageState::Failed).await?;
        let before = query::lock_in_tx(&tx, id)
            .await?
            .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        rules::check_retry(before.state)?;
        let job = write::revive_in_tx(&tx, viewer, now, before.clone()).await?;
        if let Some(image) = image {
            take_up_image_in_tx(&tx, viewer, now, image).await?;
        }
        record_in_tx(&tx, viewer, now, &before, &job).await?;
        claim.keep_in_tx(&tx, &job).await?;
        self.domain.commit(tx).await?;
        Ok(job)
    }
}

/// The trail; the event is written with the job.
async fn record_in_tx(
    tx: &DatabaseTransaction,
    viewer: &Viewer,
    now: DateTime<Utc>,
    before: &Job,
    after: &Job,
) -> Result<()> {
    let change = Change {
        action: "job.retry",
        aggregate_type: "job",
        aggregate_id: after.id.0,
        before: Some(before),
        after: Some(after),
    };
    audit::write_in_tx(tx, viewer, now, change).await
}
