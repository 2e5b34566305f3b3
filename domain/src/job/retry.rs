//! A dead job's second life, by an operator who has mended what it died of.

use entity::{id::JobId, job::Model as Job};

use super::{Jobs, death, query, rules, write};
use crate::{
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
        write::record_in_tx(&tx, viewer, now, "job.retry", &before, &job).await?;
        claim.keep_in_tx(&tx, &job).await?;
        self.domain.commit(tx).await?;
        Ok(job)
    }
}
