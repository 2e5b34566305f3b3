//! Draws an item's QR code, as SVG and as PNG.

use domain::scan::{self, Subject};
use entity::id::ItemId;
use platform::{
    blob::{BlobKey, Fingerprint},
    qr::{Level, Qr},
};

use super::Attempt;
use crate::{
    codes::{PNG_SIDE, SVG_MODULE},
    context::Context,
    failure::Failure,
};

/// Draws, stores, and says so.
///
/// # Errors
/// When the blob store or the database fails.
pub async fn run(context: &Context, attempt: &Attempt, item: ItemId) -> Result<(), Failure> {
    let content = scan::address(&context.public_url, Subject::Item, item.0);
    let code = Qr::new(&content, Level::M).map_err(Failure::discard)?;
    let svg = code.svg(SVG_MODULE).map_err(Failure::discard)?;
    let png = code.png(PNG_SIDE).map_err(Failure::discard)?;
    let svg_key = store(context, "svg", svg.into_bytes()).await?;
    let png_key = store(context, "png", png).await?;
    let job = (attempt.job, attempt.number);
    context
        .domain
        .items()
        .finish_code(&attempt.viewer, job, item, &svg_key, &png_key)
        .await?;
    Ok(())
}

/// Named by content: drawing again finds the same file.
async fn store(context: &Context, extension: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    let hash = Fingerprint::of_bytes(&bytes).to_string();
    let key: BlobKey = format!("code/{}/{hash}.{extension}", &hash[..2])
        .parse()
        .map_err(Failure::discard)?;
    context
        .blobs
        .put_bytes(&key, bytes.into())
        .await
        .map_err(Failure::retry)?;
    Ok(key.as_str().to_owned())
}
