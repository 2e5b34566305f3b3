//! From an upload in the blob store to all its renditions there.

use std::sync::Arc;

use domain::{
    Code,
    item::{ItemImage, Pictured, RenderedImage, Rendition},
};
use platform::{
    blob::{self, BlobError, BlobKey, Fingerprint},
    image::{self, Encoding, Focus, Placeholder, Rejection, RenderError, Rendered, Size},
};

use crate::{context::Context, failure::Failure};

/// What is made of every picture.
const SIZES: &[Size] = &Size::ALL;
/// Which way of rendering this is. The addresses of renditions never change what they show, so when the same upload comes out otherwise, this
/// must be another.
const LOOK: u32 = 3;

/// Reads, renders and stores.
///
/// # Errors
/// When the upload is not there, the blob store fails, or the machine has too little memory.
pub async fn make(context: &Context, image: &ItemImage) -> Result<RenderedImage, Failure> {
    match render(context, image).await? {
        Ok(rendered) => Ok(RenderedImage::Ready(store(context, image, rendered).await?)),
        Err(rejection) => Ok(RenderedImage::Unreadable(code(rejection))),
    }
}

/// Pixels are work for a thread of their own: it would hold up everything else on this one.
async fn render(
    context: &Context,
    image: &ItemImage,
) -> Result<Result<Rendered, Rejection>, Failure> {
    let key = key(&image.original_key)?;
    let (limits, focus) = (context.limits, focus(image));
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
        let rendered = image::render(&bytes, &limits, SIZES, focus);
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

/// What the table holds is percent.
fn focus(image: &ItemImage) -> Focus {
    let percent = |value: i16| u8::try_from(value).unwrap_or_default();
    Focus {
        x: percent(image.focus_x),
        y: percent(image.focus_y),
    }
}

async fn store(
    context: &Context,
    image: &ItemImage,
    rendered: Rendered,
) -> Result<Pictured, Failure> {
    let original = fingerprint(&image.original_key)?;
    let keys = rendered.renditions.iter().map(|rendition| {
        let name = name(rendition.size, focus(image));
        BlobKey::rendition(&original, &name, rendition.encoding.extension())
    });
    let keys = keys.collect::<Result<_, _>>().map_err(Failure::discard)?;
    let keys = blob::fresh(&context.domain, keys).await?;
    let mut renditions = Vec::with_capacity(rendered.renditions.len());
    for (rendition, key) in rendered.renditions.into_iter().zip(keys) {
        renditions.push(keep(context, rendition, &key).await?);
    }
    let Placeholder {
        thumb_hash,
        dominant_color,
    } = rendered.placeholder;
    Ok(Pictured {
        renditions,
        thumb_hash,
        dominant_color,
    })
}

async fn keep(
    context: &Context,
    rendition: image::Rendition,
    key: &BlobKey,
) -> Result<Rendition, Failure> {
    let image::Rendition {
        size,
        encoding,
        width,
        height,
        bytes,
    } = rendition;
    let length = bytes.len() as u64;
    context
        .blobs
        .put_bytes(key, bytes.into())
        .await
        .map_err(Failure::retry)?;
    Ok(Rendition {
        size: size.name().to_owned(),
        format: format(encoding).to_owned(),
        width,
        height,
        bytes: length,
        key: key.as_str().to_owned(),
    })
}

/// What a rendition is called beside others of the same upload: all that it depends on.
fn name(size: Size, focus: Focus) -> String {
    let name = size.name();
    match size {
        Size::Square => format!("{name}-{LOOK}-{}-{}", focus.x, focus.y),
        Size::Thumbnail | Size::Small | Size::Medium | Size::Large => format!("{name}-{LOOK}"),
    }
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
        Rejection::Heic => Code::HeicPicture,
        Rejection::Avif => Code::AvifPicture,
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
