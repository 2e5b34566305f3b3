//! Makes the renditions of an uploaded picture.

use entity::id::ItemImageId;

use super::Attempt;
use crate::{context::Context, failure::Failure, pictures};

/// Reads, renders, stores, and says so. A picture that was removed meanwhile needs nothing any more.
///
/// # Errors
/// When the blob store or the database fails, or the machine has too little memory.
pub async fn run(context: &Context, attempt: &Attempt, id: ItemImageId) -> Result<(), Failure> {
    let items = context.domain.items();
    let job = (attempt.job, attempt.number);
    let Some(image) = items.find_image(&attempt.viewer, id).await? else {
        let jobs = context.domain.jobs();
        return Ok(jobs.succeed(&attempt.viewer, job.0, job.1).await?);
    };
    let rendered = pictures::make(context, &image).await?;
    let kept = items.finish_image(&attempt.viewer, job, &image, rendered);
    Ok(kept.await?)
}
