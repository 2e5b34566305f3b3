//! Exports a report into a file, piece by piece.

use domain::{
    job::NewJobFile,
    report_export::{Format, Piece, Source},
};
use entity::id::ReportExportId;
use platform::{
    blob::{BlobKey, BlobWriter},
    table,
};

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// Writes the file, and says so. An attempt that comes again writes it anew.
///
/// # Errors
/// When the blob store or the database fails.
pub async fn run(context: &Context, attempt: &Attempt, id: ReportExportId) -> Result<(), Failure> {
    let exports = context.domain.report_exports();
    let job = (attempt.job, attempt.number);
    let Some(mut source) = exports.open(&attempt.viewer, id).await? else {
        let jobs = context.domain.jobs();
        return Ok(jobs.succeed(&attempt.viewer, job.0, job.1).await?);
    };
    let key = BlobKey::of_job(attempt.job.0, attempt.number, 1);
    let mut writer = context.blobs.create(&key);
    if let Err(failure) = write_all(&mut source, &mut writer).await {
        writer.abandon().await;
        return Err(failure);
    }
    let (format, count) = (source.format(), source.count());
    drop(source);
    let length = writer.finish().await.map_err(Failure::retry)?;
    let (name, media_type) = match format {
        Format::Csv => ("report.csv", "text/csv; charset=utf-8"),
        Format::Hledger => ("books.journal", "text/plain; charset=utf-8"),
        Format::Beancount => ("books.beancount", "text/plain; charset=utf-8"),
    };
    let file = NewJobFile {
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        blob_key: key.as_str().to_owned(),
        byte_size: i64::try_from(length).unwrap_or(i64::MAX),
    };
    Ok(exports
        .finish(&attempt.viewer, job, id, count, file)
        .await?)
}

async fn write_all(source: &mut Source, writer: &mut BlobWriter) -> Result<(), Failure> {
    let mut text = match source.format() {
        Format::Csv => table::BYTE_ORDER_MARK.to_vec(),
        Format::Hledger | Format::Beancount => Vec::new(),
    };
    while let Some(piece) = source.next().await? {
        match piece {
            Piece::Text(piece) => text.extend_from_slice(piece.as_bytes()),
            Piece::Records(rows) => {
                for row in &rows {
                    table::write_record(&mut text, row.iter().map(String::as_str));
                }
            }
        }
        let put = writer.write(std::mem::take(&mut text).into()).await;
        put.map_err(Failure::retry)?;
    }
    Ok(())
}
