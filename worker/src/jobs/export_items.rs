//! Exports items into a file, page by page.

use std::time::{Duration, Instant};

use domain::{
    item_export::{ExportedItem, Source},
    item_import::Format,
    job::NewJobFile,
};
use entity::id::ItemExportId;
use platform::{
    blob::{BlobKey, BlobWriter},
    table,
};

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// How often at most somebody hears how far a job has got.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Writes the file, and says so. An attempt that comes again writes it anew.
///
/// # Errors
/// When the blob store or the database fails.
pub async fn run(context: &Context, attempt: &Attempt, id: ItemExportId) -> Result<(), Failure> {
    let exports = context.domain.item_exports();
    let job = (attempt.job, attempt.number);
    let Some(mut source) = exports.open(&attempt.viewer, id).await? else {
        let jobs = context.domain.jobs();
        return Ok(jobs.succeed(&attempt.viewer, job.0, job.1).await?);
    };
    let key = BlobKey::of_job(attempt.job.0, attempt.number, 1);
    let mut writer = context.blobs.create(&key);
    let count = match write_all(context, attempt, &mut source, &mut writer).await {
        Ok(count) => count,
        Err(failure) => {
            writer.abandon().await;
            return Err(failure);
        }
    };
    let format = source.format();
    drop(source);
    let length = writer.finish().await.map_err(Failure::retry)?;
    let file = file(format, &key, length);
    exports
        .finish(&attempt.viewer, job, id, count, file)
        .await?;
    Ok(())
}

fn file(format: Format, key: &BlobKey, length: u64) -> NewJobFile {
    let (name, media_type) = match format {
        Format::Csv => ("items.csv", "text/csv; charset=utf-8"),
        Format::JsonLines => ("items.jsonl", "application/x-ndjson"),
    };
    NewJobFile {
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        blob_key: key.as_str().to_owned(),
        byte_size: i64::try_from(length).unwrap_or(i64::MAX),
    }
}

async fn write_all(
    context: &Context,
    attempt: &Attempt,
    source: &mut Source,
    writer: &mut BlobWriter,
) -> Result<i64, Failure> {
    let mut text = headers(source);
    let (mut written, mut told) = (0_u64, Instant::now());
    loop {
        let page = source.next().await?;
        for item in &page {
            write_item(&mut text, source, item)?;
        }
        let put = writer.write(std::mem::take(&mut text).into()).await;
        put.map_err(Failure::retry)?;
        if page.is_empty() {
            return Ok(i64::try_from(written).unwrap_or(i64::MAX));
        }
        written += page.len() as u64;
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            let percent = (written * 100 / source.count().max(1)).min(99);
            let percent = i16::try_from(percent).unwrap_or(0);
            let jobs = context.domain.jobs();
            let message = format!("row {written} of {}", source.count());
            let (job, number) = (attempt.job, attempt.number);
            jobs.report_progress(&attempt.viewer, job, number, percent, Some(&message))
                .await?;
        }
    }
}

fn headers(source: &Source) -> Vec<u8> {
    let mut text = Vec::new();
    if let (Format::Csv, Some(columns)) = (source.format(), source.columns()) {
        text.extend_from_slice(table::BYTE_ORDER_MARK);
        let headers: Vec<_> = columns.iter().map(|column| column.header()).collect();
        table::write_record(&mut text, headers.iter().map(String::as_str));
    }
    text
}

fn write_item(text: &mut Vec<u8>, source: &Source, item: &ExportedItem) -> Result<(), Failure> {
    match (source.format(), source.columns()) {
        (Format::Csv, columns) => {
            let columns = columns.unwrap_or_default();
            let cells: Vec<_> = columns.iter().map(|column| item.cell(column)).collect();
            table::write_record(text, cells.iter().map(String::as_str));
        }
        (Format::JsonLines, columns) => {
            let line = item.to_json(columns).map_err(Failure::discard)?;
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
    }
    Ok(())
}
