//! Draws an item's QR code, as SVG and as PNG.

use domain::scan::{self, Subject};
use entity::id::ItemId;
use platform::{
    blob::{self, BlobKey, Fingerprint},
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
    let drawn = [("svg", svg.into_bytes()), ("png", png)];
    let [svg_key, png_key] = store(context, drawn).await?;
    let job = (attempt.job, attempt.number);
    context
        .domain
        .items()
        .finish_code(&attempt.viewer, job, item, &svg_key, &png_key)
        .await?;
    Ok(())
}

/// Named by content: drawing again finds the same files.
async fn store(context: &Context, drawn: [(&str, Vec<u8>); 2]) -> Result<[String; 2], Failure> {
    let named = drawn.iter().map(|(extension, bytes)| {
        let hash = Fingerprint::of_bytes(bytes).to_string();
        format!("code/{}/{hash}.{extension}", &hash[..2]).parse()
    });
    let named = named.collect::<Result<_, _>>().map_err(Failure::discard)?;
    let keys: Vec<BlobKey> = blob::fresh(&context.domain, named).await?;
    let mut names = [String::new(), String::new()];
    for ((name, key), (_, bytes)) in names.iter_mut().zip(keys).zip(drawn) {
        let stored = context.blobs.put_bytes(&key, bytes.into()).await;
        stored.map_err(Failure::retry)?;
        key.as_str().clone_into(name);
    }
    Ok(names)
}
