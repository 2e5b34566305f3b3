//! Splits CSV into rows and cells. The parser works in buffers that are given to it, so a quotation mark that is never closed fills
//! those and no more.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{ROW_MAX, Row, readable};

/// Most cells of a row.
const CELLS_MAX: usize = 2000;

pub(super) struct CsvRows {
    core: Reader,
    text: Vec<u8>,
    text_end: usize,
    ends: Vec<usize>,
    ends_end: usize,
    is_too_long: bool,
}

impl CsvRows {
    pub(super) fn new(separator: u8) -> Self {
        Self {
            core: ReaderBuilder::new().delimiter(separator).build(),
            text: vec![0; ROW_MAX],
            text_end: 0,
            ends: vec![0; CELLS_MAX],
            ends_end: 0,
            is_too_long: false,
        }
    }

    pub(super) fn feed(&mut self, mut input: &[u8], rows: &mut Vec<Row>) {
        // To the parser, no input means that there is no more.
        while !input.is_empty() {
            let (_, read) = self.step(input, rows);
            input = &input[read..];
        }
    }

    pub(super) fn finish(mut self, rows: &mut Vec<Row>) {
        while self.step(&[], rows).0 {}
    }

    /// One step of the parser: whether it has more to say, and how much it has read.
    fn step(&mut self, input: &[u8], rows: &mut Vec<Row>) -> (bool, usize) {
        let (result, read, written, ended) = self.core.read_record(
            input,
            &mut self.text[self.text_end..],
            &mut self.ends[self.ends_end..],
        );
        self.text_end += written;
        self.ends_end += ended;
        match result {
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                self.is_too_long = true;
                (self.text_end, self.ends_end) = (0, 0);
            }
            ReadRecordResult::Record => rows.push(self.row()),
            ReadRecordResult::End => return (false, read),
        }
        (true, read)
    }

    fn row(&mut self) -> Row {
        let row = if self.is_too_long {
            Row::TooLong
        } else {
            self.cells().map_or(Row::Unreadable, Row::Cells)
        };
        (self.text_end, self.ends_end, self.is_too_long) = (0, 0, false);
        row
    }

    fn cells(&self) -> Option<Vec<String>> {
        let ends = &self.ends[..self.ends_end];
        let starts = std::iter::once(&0).chain(ends);
        let cells = starts.zip(ends);
        cells
            .map(|(start, end)| readable(self.text.get(*start..*end)?))
            .collect()
    }
}
