//! Makes the renditions of all pictures anew, some at a time: what is done stays done when an attempt is cut off.

use chrono::{DateTime, Utc};
use domain::{
    Code,
    item::{ItemImage, RenderedImage},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::Attempt;
use crate::{context::Context, failure::Failure, pictures};

/// Pictures whose renditions become visible together, and are made again should the attempt end before.
const TOGETHER: u64 = 8;

/// Goes on with those that were not rendered since `before`. One whose upload is gone keeps what it has.
///
/// # Errors
/// When the blob store or the database fails, or the machine has too little memory.
pub async fn run(
    context: &Context,
    attempt: &Attempt,
    before: DateTime<Utc>,
) -> Result<(), Failure> {
    let (items, viewer) = (context.domain.items(), &attempt.viewer);
    let job = (attempt.job, attempt.number);
    loop {
        let next = items.images_rendered_before(viewer, before, TOGETHER);
        let next = next.await?;
        if next.is_empty() {
            break;
        }
        let rendered = all(context, next).await?;
        items.keep_images(viewer, job, before, rendered).await?;
    }
    Ok(context.domain.jobs().succeed(viewer, job.0, job.1).await?)
}

/// As many at the same time as may be decoded.
async fn all(
    context: &Context,
    images: Vec<ItemImage>,
) -> Result<Vec<(ItemImage, RenderedImage)>, Failure> {
    let at_once = images.len();
    stream::iter(images)
        .map(|image| async move {
            let rendered = match pictures::make(context, &image).await {
                Err(Failure::Discard(error)) => {
                    tracing::warn!(image = %image.id.0, %error, "a picture cannot be rendered anew");
                    RenderedImage::Unreadable(Code::GaveUp)
                }
                other => other?,
            };
            Ok((image, rendered))
        })
        .buffer_unordered(at_once)
        .try_collect()
        .await
}
