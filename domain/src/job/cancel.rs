//! Taking a job back: at once while nobody runs it, otherwise by asking whoever runs it to stop.

use entity::id::JobId;

use super::{
    Job, Jobs, death, query,
    rules::{self, Cancelling},
    write,
};
use crate::{
    error::{Code, Refusal, Result},
    idempotency::{Claimed, claim_in_tx},
    item::ImageState,
    permission::Permission,
    viewer::Viewer,
};

impl Jobs<'_> {
    /// Takes a job back. One that waits is cancelled when this returns; the worker of one that runs hears of it within a second, stops at the
    /// next point where it can, and ends it as cancelled, unless it is done just then. Asking again changes nothing.
    ///
    /// # Errors
    /// When the viewer may not steer jobs, there is no such job, or it has succeeded or was given up.
    pub async fn cancel(&self, viewer: &Viewer, id: JobId, key: Option<&str>) -> Result<Job> {
        viewer.require(Permission::JobManage)?;
        let now = self.domain.now();
        let tx = self.domain.begin().await?;
        let claim = match claim_in_tx(&tx, viewer, key, "job.cancel", &id, now).await? {
            Claimed::Before(answer) => return Ok(answer),
            Claimed::Now(claim) => claim,
        };
        let image = death::lock_image_in_tx(&tx, id, ImageState::Processing).await?;
        let before = query::lock_in_tx(&tx, id)
            .await?
            .ok_or_else(|| Refusal::new(Code::NotFound, "id"))?;
        let job = match rules::check_cancel(&before)? {
            Cancelling::Now => death::cancel_in_tx(&tx, viewer, now, before.clone(), image).await?,
            Cancelling::Ask => {
                write::request_cancel_in_tx(&tx, viewer, now, before.clone()).await?
            }
            Cancelling::Before => before.clone(),
        };
        if job != before {
            write::record_in_tx(&tx, viewer, now, "job.cancel", &before, &job).await?;
        }
        claim.keep_in_tx(&tx, &job).await?;
        self.domain.commit(tx).await?;
        Ok(job)
    }
}
