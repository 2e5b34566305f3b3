//! Draws labels for items, as a file to print.

use std::sync::Arc;

use domain::{job::NewJobFile, label::LabelSheet};
use entity::id::ItemId;
use platform::blob::BlobKey;

use super::{Attempt, render_code};
use crate::{
    context::Context,
    failure::Failure,
    labels::{self, Content},
};

/// Items that are read at a time: an item can be large, what its label says of it is not.
const CHUNK: usize = 100;
/// What people save the list as of those that have got no label.
const SKIPPED: &str = "skipped.txt";

/// What is to be printed, and whom there is no label for.
#[derive(Default)]
struct Printed {
    contents: Vec<Content>,
    archived: Vec<String>,
    missing: Vec<String>,
}

/// Reads, draws, stores, and says so. Items that were archived or have vanished are skipped, and told of in a file of their own.
///
/// # Errors
/// When the blob store or the database fails.
pub async fn run(
    context: &Context,
    attempt: &Attempt,
    ids: Vec<ItemId>,
    sheet: LabelSheet,
) -> Result<(), Failure> {
    let Printed {
        contents,
        archived,
        missing,
    } = read(context, attempt, &ids, &sheet).await?;
    let mut files = Vec::new();
    if !contents.is_empty() {
        let pdf = draw(context, attempt, contents, sheet).await?;
        let name = labels::file_name(sheet.layout);
        files.push((name, "application/pdf", pdf));
    }
    if !(archived.is_empty() && missing.is_empty()) {
        let told = labels::skipped(sheet.locale, &archived, &missing);
        files.push((SKIPPED, "text/plain; charset=utf-8", told.into_bytes()));
    }
    let mut stored = Vec::with_capacity(files.len());
    for ((name, media_type, bytes), number) in files.into_iter().zip(0..) {
        stored.push(store(context, attempt, number, name, media_type, bytes).await?);
    }
    let jobs = context.domain.jobs();
    let job = (attempt.job, attempt.number);
    jobs.succeed_with_files(&attempt.viewer, job, &stored)
        .await?;
    Ok(())
}

async fn read(
    context: &Context,
    attempt: &Attempt,
    ids: &[ItemId],
    sheet: &LabelSheet,
) -> Result<Printed, Failure> {
    let mut printed = Printed::default();
    for chunk in ids.chunks(CHUNK) {
        let found = context
            .domain
            .labels()
            .items(&attempt.viewer, chunk)
            .await?;
        for (id, label) in chunk.iter().zip(found) {
            match label {
                None => printed.missing.push(id.to_string()),
                Some(label) if label.item.archived_at.is_some() => {
                    printed.archived.push(label.item.sku);
                }
                Some(label) => {
                    let address = render_code::content(&context.public_url, *id);
                    let content = Content::new(label, sheet.locale, address);
                    printed.contents.push(content);
                }
            }
        }
    }
    Ok(printed)
}

/// Drawing is work for a thread of its own, and takes memory like a picture does.
async fn draw(
    context: &Context,
    attempt: &Attempt,
    contents: Vec<Content>,
    sheet: LabelSheet,
) -> Result<Vec<u8>, Failure> {
    let permit = Arc::clone(&context.decoders)
        .acquire_owned()
        .await
        .map_err(Failure::retry)?;
    let id = attempt.job.to_string();
    let drawing = move || {
        let pdf = labels::pdf(&contents, &sheet, &id);
        drop(permit);
        pdf
    };
    let drawn = tokio::task::spawn_blocking(drawing)
        .await
        .map_err(Failure::retry)?;
    drawn.map_err(Failure::discard)
}

async fn store(
    context: &Context,
    attempt: &Attempt,
    number: u32,
    name: &str,
    media_type: &str,
    bytes: Vec<u8>,
) -> Result<NewJobFile, Failure> {
    let key = BlobKey::of_job(attempt.job.0, attempt.number, number);
    let byte_size = i64::try_from(bytes.len()).map_err(Failure::discard)?;
    context
        .blobs
        .put_bytes(&key, bytes.into())
        .await
        .map_err(Failure::retry)?;
    Ok(NewJobFile {
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        blob_key: key.as_str().to_owned(),
        byte_size,
    })
}
