//! Draws codes, as pictures in an archive or as pages to print.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::{code_batch::OpenedBatch, job::NewJobFile, scan};
use entity::id::CodeBatchId;
use platform::{
    blob::{BlobKey, BlobWriter},
    image::RenderError,
    qr::Logo,
};
use tokio::sync::mpsc::{self, Receiver, Sender};
use uuid::Uuid;

use super::Attempt;
use crate::{
    codes::{DrawError, Drawer, Pipe, Wanted, file_name},
    context::Context,
    failure::Failure,
};

/// Things of which it is read at a time what they are called.
const CHUNK: usize = 200;
/// How often at most somebody hears how far a job has got.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Reads, draws, stores, and says so. An attempt that comes again makes the same file anew.
///
/// # Errors
/// When the picture in the middle cannot be read, or the blob store or the database fails.
pub async fn run(context: &Context, attempt: &Attempt, id: CodeBatchId) -> Result<(), Failure> {
    let job = (attempt.job, attempt.number);
    let jobs = context.domain.jobs();
    let opened = context.domain.code_batches();
    let Some(batch) = opened.open(&attempt.viewer, id).await? else {
        return Ok(jobs.succeed(&attempt.viewer, job.0, job.1).await?);
    };
    let key = BlobKey::of_job(attempt.job.0, attempt.number, 1);
    let mut writer = context.blobs.create(&key);
    if let Err(failure) = make(context, attempt, id, &batch, &mut writer).await {
        writer.abandon().await;
        return Err(failure);
    }
    let length = writer.finish().await.map_err(Failure::retry)?;
    let (name, media_type) = file_name(&batch.options);
    let file = NewJobFile {
        name,
        media_type: media_type.to_owned(),
        blob_key: key.as_str().to_owned(),
        byte_size: i64::try_from(length).map_err(Failure::discard)?,
    };
    jobs.succeed_with_files(&attempt.viewer, job, &[file])
        .await?;
    Ok(())
}

/// Reads what things are called, draws others meanwhile and stores what is drawn. Drawing is work for a thread of its own, and takes memory
/// like a picture does.
async fn make(
    context: &Context,
    attempt: &Attempt,
    id: CodeBatchId,
    batch: &OpenedBatch,
    writer: &mut BlobWriter,
) -> Result<(), Failure> {
    let permit = Arc::clone(&context.decoders)
        .acquire_owned()
        .await
        .map_err(Failure::retry)?;
    let (sender, wanted) = mpsc::channel(1);
    let (pipe, pieces) = Pipe::new();
    let to_draw = batch.clone();
    let drawing = tokio::task::spawn_blocking(move || {
        let drawn = draw(&to_draw, id, wanted, pipe);
        drop(permit);
        drawn
    });
    let (read, stored) = tokio::join!(read(context, attempt, batch, sender), store(pieces, writer));
    let drawn = drawing.await.map_err(Failure::retry)?;
    // When one of the others fails, drawing does, too, or has drawn a part only.
    read.and(stored).and(drawn)
}

/// Stores what comes, until nothing comes any more.
async fn store(mut pieces: Receiver<Bytes>, writer: &mut BlobWriter) -> Result<(), Failure> {
    while let Some(piece) = pieces.recv().await {
        writer.write(piece).await.map_err(Failure::retry)?;
    }
    Ok(())
}

/// Draws what comes, until nothing comes any more.
fn draw(
    batch: &OpenedBatch,
    id: CodeBatchId,
    mut wanted: Receiver<Vec<Wanted>>,
    pipe: Pipe,
) -> Result<(), Failure> {
    let logo = batch.logo.as_deref().map(read_logo).transpose()?;
    let drawn = || {
        let mut drawer = Drawer::new(&batch.options, logo, &id.to_string(), pipe)?;
        while let Some(chunk) = wanted.blocking_recv() {
            for one in &chunk {
                drawer.add(one)?;
            }
        }
        drawer.finish()
    };
    drawn().map_err(|error: DrawError| Failure::discard(error))
}

fn read_logo(bytes: &[u8]) -> Result<Arc<Logo>, Failure> {
    match Logo::read(bytes) {
        Ok(logo) => Ok(Arc::new(logo)),
        Err(error @ RenderError::Rejected(_)) => Err(Failure::discard(error)),
        Err(error @ RenderError::Internal(_)) => Err(Failure::retry(error)),
    }
}

/// Hands over what there is to draw.
async fn read(
    context: &Context,
    attempt: &Attempt,
    batch: &OpenedBatch,
    drawer: Sender<Vec<Wanted>>,
) -> Result<(), Failure> {
    let (mut done, mut said) = (0, Instant::now());
    for chunk in batch.subjects.chunks(CHUNK) {
        if drawer
            .send(wanted(context, attempt, batch, chunk).await?)
            .await
            .is_err()
        {
            // Drawing has failed, and says so itself.
            return Ok(());
        }
        done += chunk.len();
        if said.elapsed() >= TOLD_EVERY {
            said = Instant::now();
            tell(context, attempt, done, batch.subjects.len()).await?;
        }
    }
    Ok(())
}

/// What gets a code of these. Nothing of it is ever deleted, so that nothing is missing.
async fn wanted(
    context: &Context,
    attempt: &Attempt,
    batch: &OpenedBatch,
    ids: &[Uuid],
) -> Result<Vec<Wanted>, Failure> {
    let subject = batch.options.subject;
    let batches = context.domain.code_batches();
    let titles = batches.titles(&attempt.viewer, subject, ids).await?;
    let known = ids.iter().zip(titles).filter_map(|(id, title)| {
        Some(Wanted {
            title: title?,
            address: scan::address(&context.public_url, subject, *id),
        })
    });
    Ok(known.collect())
}

async fn tell(
    context: &Context,
    attempt: &Attempt,
    done: usize,
    all: usize,
) -> Result<(), Failure> {
    let percent = i16::try_from(done * 100 / all.max(1)).unwrap_or(0).min(99);
    let message = format!("code {done} of {all}");
    let jobs = context.domain.jobs();
    let (job, number) = (attempt.job, attempt.number);
    jobs.report_progress(&attempt.viewer, job, number, percent, Some(&message))
        .await?;
    Ok(())
}
