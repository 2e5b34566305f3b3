//! Draws labels for items, as a file to print.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    job::NewJobFile,
    label::{LabelItem, LabelKind, LabelOptions},
    scan::{self, Subject},
};
use entity::id::{ItemId, LabelSheetId};
use platform::{blob::BlobKey, pdf::PdfError};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::Attempt;
use crate::{
    context::Context,
    failure::Failure,
    labels::{Content, Note, Press, file_name, notes},
};

/// Items that are read at a time: an item can be large, what its label says of it is not.
const CHUNK: usize = 200;
/// How often at most somebody hears how far a job has got.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// What people save the list as of what is not as they may expect.
const NOTES: &str = "notes.txt";

/// Reads, draws, stores, and says so. Items that were archived or have vanished are left out, and told of in a file of their own.
///
/// # Errors
/// When the blob store or the database fails.
pub async fn run(context: &Context, attempt: &Attempt, id: LabelSheetId) -> Result<(), Failure> {
    let job = (attempt.job, attempt.number);
    let jobs = context.domain.jobs();
    let opened = context.domain.labels().open(&attempt.viewer, id).await?;
    let Some((options, ids)) = opened else {
        return Ok(jobs.succeed(&attempt.viewer, job.0, job.1).await?);
    };
    let (pdf, told) = print(context, attempt, options, &ids, id).await?;
    let mut files = Vec::new();
    if let Some(pdf) = pdf {
        let name = file_name(options.layout);
        files.push(store(context, attempt, 1, (name, "application/pdf"), pdf).await?);
    }
    if !told.is_empty() {
        let text = notes(options.locale, &told).into_bytes();
        let kind = (NOTES, "text/plain; charset=utf-8");
        files.push(store(context, attempt, 2, kind, text).await?);
    }
    jobs.succeed_with_files(&attempt.viewer, job, &files)
        .await?;
    Ok(())
}

/// Reads items while others are drawn. Drawing is work for a thread of its own, and takes memory like a picture does; there is no file
/// when nothing was left to be drawn.
async fn print(
    context: &Context,
    attempt: &Attempt,
    options: LabelOptions,
    ids: &[ItemId],
    sheet: LabelSheetId,
) -> Result<(Option<Vec<u8>>, Vec<Note>), Failure> {
    let permit = Arc::clone(&context.decoders)
        .acquire_owned()
        .await
        .map_err(Failure::retry)?;
    let (sender, receiver) = mpsc::channel(1);
    let drawing = tokio::task::spawn_blocking(move || {
        let pdf = draw(receiver, options, &sheet.to_string());
        drop(permit);
        pdf
    });
    let told = read(context, attempt, options, ids, sender).await;
    let pdf = drawing.await.map_err(Failure::retry)?;
    Ok((pdf.map_err(Failure::discard)?, told?))
}

/// Draws what comes, until nothing comes any more.
fn draw(
    mut chunks: Receiver<Vec<Content>>,
    options: LabelOptions,
    id: &str,
) -> Result<Option<Vec<u8>>, PdfError> {
    let mut press = Press::new(options, id)?;
    while let Some(chunk) = chunks.blocking_recv() {
        for content in &chunk {
            press.add(content)?;
        }
    }
    press.finish()
}

/// Hands over what the labels say, and returns what people should hear of.
async fn read(
    context: &Context,
    attempt: &Attempt,
    options: LabelOptions,
    ids: &[ItemId],
    drawer: Sender<Vec<Content>>,
) -> Result<Vec<Note>, Failure> {
    let (mut told, mut done, mut said) = (Vec::new(), 0, Instant::now());
    for chunk in ids.chunks(CHUNK) {
        let labels = context.domain.labels();
        let items = labels.items(&attempt.viewer, chunk).await?;
        let mut contents = Vec::with_capacity(items.len());
        for (id, label) in chunk.iter().zip(items) {
            let label = usable(options.kind, *id, label, &mut told);
            let address = scan::address(&context.public_url, Subject::Item, id.0);
            contents.extend(label.map(|label| Content::new(label, options.locale, address)));
        }
        if drawer.send(contents).await.is_err() {
            // Drawing has failed, and says so itself.
            return Ok(told);
        }
        done += chunk.len();
        if said.elapsed() >= TOLD_EVERY {
            said = Instant::now();
            let percent = i16::try_from(done * 100 / ids.len().max(1))
                .unwrap_or(0)
                .min(99);
            let jobs = context.domain.jobs();
            let message = format!("item {done} of {}", ids.len());
            let (job, number) = (attempt.job, attempt.number);
            jobs.report_progress(&attempt.viewer, job, number, percent, Some(&message))
                .await?;
        }
    }
    Ok(told)
}

/// The item, if it gets a label; and what is to be told about that.
fn usable(
    kind: LabelKind,
    id: ItemId,
    label: Option<LabelItem>,
    told: &mut Vec<Note>,
) -> Option<LabelItem> {
    let Some(label) = label else {
        told.push(Note::Missing(id.to_string()));
        return None;
    };
    if label.item.archived_at.is_some() {
        told.push(Note::Archived(label.item.sku));
        return None;
    }
    if kind == LabelKind::Shelf {
        let problem = label.price.as_ref().map(|price| price.amount.err());
        match problem {
            None => told.push(Note::WithoutPrice(label.item.sku.clone(), None)),
            Some(Some(problem)) => {
                told.push(Note::WithoutPrice(label.item.sku.clone(), Some(problem)));
            }
            Some(None) => {}
        }
    }
    Some(label)
}

async fn store(
    context: &Context,
    attempt: &Attempt,
    number: u32,
    (name, media_type): (&str, &str),
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
