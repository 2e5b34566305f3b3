//! Reads the file of an import into chunks of rows: the next one while another is being written, on a thread of its own if there is one.

use domain::{
    Code, Refusal,
    item_import::{Columns, Fields, FileRow, Format, ItemImport, MatchBy},
    locale::Locale,
};
use futures_util::{StreamExt as _, stream};
use platform::{
    blob::{BlobError, BlobKey, BlobStore, BlobStream},
    table::{self, PREFIX, ROW_MAX, Reader, Row},
};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use crate::failure::Failure;

/// Most rows of a chunk.
const CHUNK_ROWS: usize = 2000;
/// A chunk with more than so many bytes is full, however few rows it has.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// A part of the file.
pub(super) enum Chunk {
    /// The next rows.
    Rows {
        rows: Vec<FileRow>,
        /// How many bytes of the file have been read with them.
        read: u64,
    },
    /// What is wrong with its headers. Nothing follows.
    Headers(Vec<Refusal>),
}

/// The chunks of a file, which is read only as long as somebody waits for them.
pub(super) struct Chunks {
    ready: mpsc::Receiver<Chunk>,
    reading: AbortOnDropHandle<Result<(), Failure>>,
}

/// Begins to read the file of this import.
pub(super) fn read(blobs: &BlobStore, key: &BlobKey, import: &ItemImport) -> Chunks {
    let (sender, ready) = mpsc::channel(1);
    let source = Source {
        is_persian: import.locale == Locale::Fa.as_str(),
        format: import.format.map(|format| match format {
            Format::Csv => table::Format::Csv,
            Format::JsonLines => table::Format::JsonLines,
        }),
        match_by: import.match_by,
        chunks: sender,
        columns: None,
        number: 0,
        rows: Vec::new(),
        bytes: 0,
        read: 0,
    };
    let reading = source.read(blobs.clone(), key.clone());
    Chunks {
        ready,
        reading: AbortOnDropHandle::new(tokio::spawn(reading.in_current_span())),
    }
}

impl Chunks {
    /// The next one; none at the end of the file.
    ///
    /// # Errors
    /// When the blob store fails, or the file is gone.
    pub(super) async fn next(&mut self) -> Result<Option<Chunk>, Failure> {
        match self.ready.recv().await {
            Some(chunk) => Ok(Some(chunk)),
            None => {
                let read = (&mut self.reading).await.map_err(Failure::retry)?;
                read.map(|()| None)
            }
        }
    }
}

/// Nobody wants the rest: whoever took the chunks has gone, or the file ends with its headers.
struct Over;

struct Source {
    is_persian: bool,
    format: Option<table::Format>,
    match_by: MatchBy,
    chunks: mpsc::Sender<Chunk>,
    columns: Option<Columns>,
    /// The number of the last row.
    number: i64,
    rows: Vec<FileRow>,
    /// How many bytes they have.
    bytes: usize,
    /// Bytes of the file that have been read.
    read: u64,
}

impl Source {
    async fn read(mut self, blobs: BlobStore, key: BlobKey) -> Result<(), Failure> {
        let blob = blobs.get_stream(&key).await;
        let mut stream = blob.map_err(unreadable)?.stream;
        let beginning = beginning(&mut stream).await?;
        let mut reader = Reader::new(&beginning, self.format, self.is_persian);
        let is_table = reader.format() == table::Format::Csv;
        let mut rows = Vec::new();
        let mut pieces = stream::iter([Ok(beginning.into())]).chain(stream);
        while let Some(piece) = pieces.next().await {
            let piece: bytes::Bytes = piece.map_err(Failure::retry)?;
            self.read += piece.len() as u64;
            reader.feed(&piece, &mut rows);
            if self.take_all(&mut rows, is_table).await.is_err() {
                return Ok(());
            }
        }
        reader.finish(&mut rows);
        let _whether_over = self.end(rows, is_table).await;
        Ok(())
    }

    async fn end(&mut self, mut rows: Vec<Row>, is_table: bool) -> Result<(), Over> {
        self.take_all(&mut rows, is_table).await?;
        if is_table && self.columns.is_none() {
            return self.read_headers(&[]).await;
        }
        self.hand_over().await
    }

    async fn take_all(&mut self, rows: &mut Vec<Row>, is_table: bool) -> Result<(), Over> {
        for row in rows.drain(..) {
            self.number += 1;
            if is_table && self.columns.is_none() {
                let headers = match row {
                    Row::Cells(cells) => cells,
                    Row::Line(_) | Row::TooLong | Row::Unreadable => Vec::new(),
                };
                self.read_headers(&headers).await?;
                continue;
            }
            self.bytes += size(&row);
            let row = FileRow {
                number: self.number,
                fields: self.fields(row),
            };
            self.rows.push(row);
            if self.rows.len() >= CHUNK_ROWS || self.bytes >= CHUNK_BYTES {
                self.hand_over().await?;
            }
        }
        Ok(())
    }

    /// A file whose headers cannot be understood does not go on.
    async fn read_headers(&mut self, headers: &[String]) -> Result<(), Over> {
        match Columns::parse(headers, self.match_by) {
            Ok(columns) => {
                self.columns = Some(columns);
                Ok(())
            }
            Err(refusals) => {
                let _whether_over = self.chunks.send(Chunk::Headers(refusals)).await;
                Err(Over)
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

    async fn hand_over(&mut self) -> Result<(), Over> {
        let rows = std::mem::replace(&mut self.rows, Vec::with_capacity(CHUNK_ROWS));
        self.bytes = 0;
        let chunk = Chunk::Rows {
            rows,
            read: self.read,
        };
        self.chunks.send(chunk).await.map_err(|_gone| Over)?;
        // The next one is not begun before this one is being written: two of them are memory enough.
        let taken = self.chunks.reserve().await;
        taken.map(drop).map_err(|_gone| Over)
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
