//! Makes the renditions of an uploaded picture.

use std::sync::Arc;

use domain::{
    Code,
    item::{ItemImage, RenderedImage, Rendition},
};
use entity::id::ItemImageId;
use platform::{
    blob::{BlobError, BlobKey, Fingerprint},
    image::{self, Encoding, Rejection, RenderError, Rendered, Size},
};

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// What is made of every picture.
const SIZES: [Size; 4] = [Size::Thumbnail, Size::Small, Size::Medium, Size::Large];

/// Reads, renders, stores, and says so. A picture that was removed meanwhile needs nothing any more.
///
/// # Errors
/// When the blob store or the database fails, or the machine has too little memory.
pub async fn run(context: &Context, attempt: &Attempt, id: ItemImageId) -> Result<(), Failure> {
    let items = context.domain.items();
    let Some(image) = items.find_image(&attempt.viewer, id).await? else {
        context
            .domain
            .jobs()
            .succeed(&attempt.viewer, attempt.job, attempt.number)
            .await?;
        return Ok(());
    };
    let rendered = match render(context, &image).await? {
        Ok(rendered) => {
            context
                .domain
                .jobs()
                .report_progress(&attempt.viewer, attempt.job, attempt.number, 60, None)
                .await?;
            RenderedImage::Ready(store(context, &image, rendered).await?)
        }
        Err(rejection) => RenderedImage::Unreadable(code(rejection)),
    };
    items
        .finish_image(
            &attempt.viewer,
            (attempt.job, attempt.number),
            &image,
            rendered,
        )
        .await?;
    Ok(())
}

/// Pixels are work for a thread of their own: it would hold up everything else on this one.
async fn render(
    context: &Context,
    image: &ItemImage,
) -> Result<Result<Rendered, Rejection>, Failure> {
    let key = key(&image.original_key)?;
    let limits = context.limits;
    let permit = Arc::clone(&context.decoders)
        .acquire_owned()
        .await
        .map_err(Failure::retry)?;
    let bytes = context
        .blobs
        .read_limited(&key, limits.max_bytes)
        .await
        .map_err(|error| match error {
            BlobError::NotFound { .. } | BlobError::TooLarge { .. } => Failure::discard(error),
            other => Failure::retry(other),
        })?;
    let rendering = move || {
        let rendered = image::render(&bytes, &limits, &SIZES);
        drop(permit);
        rendered
    };
    let rendered = tokio::task::spawn_blocking(rendering)
        .await
        .map_err(Failure::retry)?;
    match rendered {
        Ok(rendered) => Ok(Ok(rendered)),
        Err(RenderError::Rejected(rejection)) => Ok(Err(rejection)),
        Err(error @ RenderError::Internal(_)) => Err(Failure::retry(error)),
    }
}

async fn store(
    context: &Context,
    image: &ItemImage,
    rendered: Rendered,
) -> Result<Vec<Rendition>, Failure> {
    let original = fingerprint(&image.original_key)?;
    let mut stored = Vec::with_capacity(rendered.renditions.len());
    for image::Rendition {
        size,
        encoding,
        width,
        height,
        bytes,
    } in rendered.renditions
    {
        let key = BlobKey::rendition(&original, size.name(), encoding.extension())
            .map_err(Failure::discard)?;
        let length = bytes.len() as u64;
        context
            .blobs
            .put_bytes(&key, bytes.into())
            .await
            .map_err(Failure::retry)?;
        let (size, format, key) = (
            size.name().to_owned(),
            format(encoding).to_owned(),
            key.as_str().to_owned(),
        );
        stored.push(Rendition {
            size,
            format,
            width,
            height,
            bytes: length,
            key,
        });
    }
    Ok(stored)
}

fn key(text: &str) -> Result<BlobKey, Failure> {
    text.parse().map_err(Failure::discard)
}

/// The last part of an original's key is the hash of its content.
fn fingerprint(original_key: &str) -> Result<Fingerprint, Failure> {
    original_key
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .parse()
        .map_err(Failure::discard)
}

fn code(rejection: Rejection) -> Code {
    match rejection {
        Rejection::TooLarge { .. } => Code::TooLarge,
        Rejection::UnsupportedType => Code::UnsupportedType,
        Rejection::DimensionsTooLarge { .. } => Code::DimensionsTooLarge,
        Rejection::Unreadable => Code::Unreadable,
    }
}

fn format(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::WebP => "webp",
        Encoding::Jpeg => "jpeg",
    }
}
