//! Imports items from a file: reads it from its beginning, leaves out what earlier attempts have dealt with, and hands the rest over
//! chunk by chunk.

use std::time::{Duration, Instant};

use domain::{
    Code, Refusal,
    item_import::{Columns, Fault, Fields, FileRow, Format, ItemImport, Opened, Phase},
    job::NewJobFile,
    locale::Locale,
};
use entity::id::ItemImportId;
use futures_util::StreamExt as _;
use platform::{
    blob::{BlobError, BlobKey, BlobStream, BlobWriter},
    messages,
    table::{self, PREFIX, ROW_MAX, Reader, Row},
};

use super::Attempt;
use crate::{context::Context, failure::Failure};

/// Most rows of a chunk.
const CHUNK_ROWS: usize = 1000;
/// A chunk with more than so many bytes is full, however few rows it has.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// How much that is wrong is read at a time.
const FAULTS: i64 = 2000;
/// How often at most somebody hears how far a job has got.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Goes on with the import until all of its rows are dealt with, then writes down what was wrong with them.
///
/// # Errors
/// When the blob store or the database fails, or the file is gone.
pub async fn run(context: &Context, attempt: &Attempt, id: ItemImportId) -> Result<(), Failure> {
    let imports = context.domain.item_imports();
    let job = (attempt.job, attempt.number);
    let Some(mut opened) = imports.open(&attempt.viewer, job, id).await? else {
        let jobs = context.domain.jobs();
        return Ok(jobs.succeed(&attempt.viewer, job.0, job.1).await?);
    };
    let key: BlobKey = opened.import.blob_key.parse().map_err(Failure::discard)?;
    while matches!(opened.import.phase, Phase::Check | Phase::Write) {
        let mut pass = Pass::new(context, attempt, opened);
        pass.read(&key).await?;
        opened = pass.opened;
        let is_open = matches!(opened.import.phase, Phase::Check | Phase::Write);
        if is_open && imports.end_phase(&attempt.viewer, job, &mut opened).await? {
            let anew = imports.open(&attempt.viewer, job, id).await?;
            opened = anew.ok_or_else(|| Failure::retry("the import has vanished"))?;
        }
    }
    let files = report(context, attempt, &opened.import).await?;
    imports.finish(&attempt.viewer, job, id, &files).await?;
    // Nobody reads it again. What stays behind costs its place and nothing else.
    if let Err(error) = context.blobs.delete(&key).await {
        tracing::warn!(%key, %error, "the file of a finished import stays where it is");
    }
    Ok(())
}

/// One reading of the file.
struct Pass<'a> {
    context: &'a Context,
    attempt: &'a Attempt,
    opened: Opened,
    columns: Option<Columns>,
    /// The number of the last row.
    number: i64,
    chunk: Vec<FileRow>,
    chunk_bytes: usize,
    /// Bytes of the file that have been read.
    read: u64,
    told: Option<Instant>,
}

impl<'a> Pass<'a> {
    fn new(context: &'a Context, attempt: &'a Attempt, opened: Opened) -> Self {
        Self {
            context,
            attempt,
            opened,
            columns: None,
            number: 0,
            chunk: Vec::with_capacity(CHUNK_ROWS),
            chunk_bytes: 0,
            read: 0,
            told: None,
        }
    }

    async fn read(&mut self, key: &BlobKey) -> Result<(), Failure> {
        let blob = self.context.blobs.get_stream(key).await;
        let mut stream = blob.map_err(unreadable)?.stream;
        let beginning = beginning(&mut stream).await?;
        let is_persian = self.opened.import.locale == Locale::Fa.as_str();
        let format = self.opened.import.format.map(|format| match format {
            Format::Csv => table::Format::Csv,
            Format::JsonLines => table::Format::JsonLines,
        });
        let mut reader = Reader::new(&beginning, format, is_persian);
        let is_table = reader.format() == table::Format::Csv;
        let mut rows = Vec::new();
        let mut pieces = futures_util::stream::iter([Ok(beginning.into())]).chain(stream);
        while let Some(piece) = pieces.next().await {
            let piece: bytes::Bytes = piece.map_err(Failure::retry)?;
            self.read += piece.len() as u64;
            reader.feed(&piece, &mut rows);
            if !self.take_all(&mut rows, is_table).await? {
                return Ok(());
            }
        }
        reader.finish(&mut rows);
        if !self.take_all(&mut rows, is_table).await? {
            return Ok(());
        }
        if is_table && self.columns.is_none() {
            return self.read_headers(&[]).await.map(drop);
        }
        self.hand_over().await
    }

    /// Whether the file goes on: one whose headers cannot be understood does not.
    async fn take_all(&mut self, rows: &mut Vec<Row>, is_table: bool) -> Result<bool, Failure> {
        for row in rows.drain(..) {
            self.number += 1;
            if is_table && self.columns.is_none() {
                let headers = match row {
                    Row::Cells(cells) => cells,
                    Row::Line(_) | Row::TooLong | Row::Unreadable => Vec::new(),
                };
                if !self.read_headers(&headers).await? {
                    return Ok(false);
                }
                continue;
            }
            let bytes = size(&row);
            let row = FileRow {
                number: self.number,
                fields: self.fields(row),
            };
            if self.number <= self.opened.import.next_row {
                self.opened.pass(&row);
                continue;
            }
            self.chunk_bytes += bytes;
            self.chunk.push(row);
            if self.chunk.len() >= CHUNK_ROWS || self.chunk_bytes >= CHUNK_BYTES {
                self.hand_over().await?;
            }
        }
        Ok(true)
    }

    async fn read_headers(&mut self, headers: &[String]) -> Result<bool, Failure> {
        match Columns::parse(headers, self.opened.import.match_by) {
            Ok(columns) => {
                self.columns = Some(columns);
                Ok(true)
            }
            Err(refusals) => {
                let imports = self.context.domain.item_imports();
                let job = (self.attempt.job, self.attempt.number);
                let (viewer, opened) = (&self.attempt.viewer, &mut self.opened);
                imports.refuse_file(viewer, job, opened, refusals).await?;
                Ok(false)
            }
        }
    }

    fn fields(&self, row: Row) -> Result<Option<Fields>, Vec<Refusal>> {
        match (row, &self.columns) {
            (Row::Cells(cells), Some(columns)) => {
                let cells: Vec<_> = cells
                    .iter()
                    .map(|cell| table::unguarded(cell).to_owned())
                    .collect();
                columns.read(&cells)
            }
            (Row::Line(line), _) if line.is_empty() => Ok(None),
            (Row::Line(line), _) => Fields::of_json(&line).map(Some),
            (Row::TooLong, _) => Err(vec![
                Refusal::new(Code::RowTooLarge, "").with("max", ROW_MAX),
            ]),
            (Row::Cells(_), None) | (Row::Unreadable, _) => {
                Err(vec![Refusal::new(Code::Unreadable, "")])
            }
        }
    }

    async fn hand_over(&mut self) -> Result<(), Failure> {
        let percent = self.percent_to_tell();
        let imports = self.context.domain.item_imports();
        let job = (self.attempt.job, self.attempt.number);
        let (viewer, opened) = (&self.attempt.viewer, &mut self.opened);
        imports
            .take(viewer, job, opened, &self.chunk, percent)
            .await?;
        self.chunk.clear();
        self.chunk_bytes = 0;
        Ok(())
    }

    /// How far the job has got, unless it was told a moment ago. A file that is read twice is half done after the first time.
    fn percent_to_tell(&mut self) -> Option<i16> {
        if self.told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return None;
        }
        self.told = Some(Instant::now());
        let import = &self.opened.import;
        let total = u64::try_from(import.byte_size).unwrap_or(0).max(1);
        let percent = (self.read.min(total) * 100 / total).min(99);
        let percent = i16::try_from(percent).unwrap_or(0);
        let is_read_twice =
            !import.dry_run && import.policy == domain::item_import::Policy::RejectAll;
        Some(match (is_read_twice, import.phase) {
            (true, Phase::Check) => percent / 2,
            (true, _) => 50 + percent / 2,
            (false, _) => percent,
        })
    }
}

/// As much of the file as tells how it is written.
async fn beginning(stream: &mut BlobStream) -> Result<Vec<u8>, Failure> {
    let mut beginning = Vec::new();
    while beginning.len() < PREFIX
        && let Some(piece) = stream.next().await
    {
        beginning.extend_from_slice(&piece.map_err(Failure::retry)?);
    }
    Ok(beginning)
}

fn unreadable(error: BlobError) -> Failure {
    match error {
        BlobError::NotFound { .. } => Failure::discard(error),
        other => Failure::retry(other),
    }
}

fn size(row: &Row) -> usize {
    match row {
        Row::Cells(cells) => cells.iter().map(String::len).sum(),
        Row::Line(line) => line.len(),
        Row::TooLong | Row::Unreadable => 0,
    }
}

/// A file with what is wrong, unless nothing is.
async fn report(
    context: &Context,
    attempt: &Attempt,
    import: &ItemImport,
) -> Result<Vec<NewJobFile>, Failure> {
    if import.failed == 0 {
        return Ok(Vec::new());
    }
    let key = BlobKey::of_job(attempt.job.0, attempt.number, 1);
    let mut writer = context.blobs.create(&key);
    if let Err(failure) = write_faults(context, attempt, import, &mut writer).await {
        writer.abandon().await;
        return Err(failure);
    }
    let length = writer.finish().await.map_err(Failure::retry)?;
    Ok(vec![NewJobFile {
        name: "item-import-errors.csv".to_owned(),
        media_type: "text/csv; charset=utf-8".to_owned(),
        blob_key: key.as_str().to_owned(),
        byte_size: i64::try_from(length).unwrap_or(i64::MAX),
    }])
}

async fn write_faults(
    context: &Context,
    attempt: &Attempt,
    import: &ItemImport,
    writer: &mut BlobWriter,
) -> Result<(), Failure> {
    let mut text = table::BYTE_ORDER_MARK.to_vec();
    table::write_record(&mut text, ["row", "column", "code", "message", "value"]);
    let locale = import.locale.parse::<Locale>().unwrap_or_default();
    let imports = context.domain.item_imports();
    let mut place = 0;
    loop {
        let faults = imports
            .faults(&attempt.viewer, import.id, place, FAULTS)
            .await?;
        for fault in &faults {
            write_fault(&mut text, locale, fault);
        }
        let written = writer.write(std::mem::take(&mut text).into()).await;
        written.map_err(Failure::retry)?;
        match faults.last() {
            Some(fault) => place = fault.place,
            None => return Ok(()),
        }
    }
}

fn write_fault(text: &mut Vec<u8>, locale: Locale, fault: &Fault) {
    let refusal = &fault.refusal;
    let value = refusal.params.get("value").map(String::as_str);
    let (row, column) = (fault.row.to_string(), refusal.path.join("."));
    let message = messages::sentence(locale, refusal);
    let cells = [&row, &column, refusal.code.as_str(), &message];
    table::write_record(text, cells.into_iter().chain([value.unwrap_or_default()]));
}
