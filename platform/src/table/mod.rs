//! Tables as files: CSV as any spreadsheet writes it, and JSON Lines.
//!
//! Bytes go in as they come, rows come out; no more of a file is held than the row that has not ended yet, and no more of that than
//! [`ROW_MAX`]. So a file without an end, or one row of a gigabyte, costs no memory.

mod csv;
mod lines;
mod sniff;
#[cfg(test)]
mod tests;
mod write;

use encoding_rs::{Decoder, WINDOWS_1256};

use self::{csv::CsvRows, lines::Lines, sniff::Sniffed};
pub use self::{
    sniff::PREFIX,
    write::{BYTE_ORDER_MARK, unguarded, write_record},
};

/// Longest row, in bytes of UTF-8.
pub const ROW_MAX: usize = 256 * 1024;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Cells with a separator between them.
    Csv,
    /// A JSON value a line.
    JsonLines,
}

/// A row as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// The cells of a table's row.
    Cells(Vec<String>),
    /// A line, which may be empty.
    Line(String),
    /// A row of more than [`ROW_MAX`] bytes, or of more cells than anybody needs.
    TooLong,
    /// A row with bytes that mean nothing in the file's encoding.
    Unreadable,
}

/// Reads a file that comes in pieces.
pub struct Reader {
    decoder: Decoder,
    /// Whether Arabic letters stand for the Persian ones that the encoding does not have.
    persian: bool,
    text: String,
    rows: Rows,
}

enum Rows {
    Csv(Box<CsvRows>),
    Lines(Lines),
}

impl Reader {
    /// A reader for a file that begins with these bytes: [`PREFIX`] of them, or all there are. They are to be fed like all others.
    ///
    /// Windows-1256 has no Persian yeh and, in many programs, no Persian kaf. For `persian` readers the Arabic ones become those.
    #[must_use]
    pub fn new(prefix: &[u8], format: Option<Format>, persian: bool) -> Self {
        let Sniffed {
            encoding,
            format,
            separator,
        } = sniff::sniff(prefix, format);
        let rows = match format {
            Format::Csv => Rows::Csv(Box::new(CsvRows::new(separator))),
            Format::JsonLines => Rows::Lines(Lines::default()),
        };
        Self {
            decoder: encoding.new_decoder(),
            persian: persian && encoding == WINDOWS_1256,
            text: String::new(),
            rows,
        }
    }

    /// How the file is written.
    #[must_use]
    pub fn format(&self) -> Format {
        match self.rows {
            Rows::Csv(_) => Format::Csv,
            Rows::Lines(_) => Format::JsonLines,
        }
    }

    /// The next bytes; appends the rows that have ended.
    pub fn feed(&mut self, bytes: &[u8], rows: &mut Vec<Row>) {
        self.decode(bytes, false);
        self.split(rows);
    }

    /// There are no more bytes; appends the row that ends with them.
    pub fn finish(mut self, rows: &mut Vec<Row>) {
        self.decode(&[], true);
        self.split(rows);
        match self.rows {
            Rows::Csv(csv) => csv.finish(rows),
            Rows::Lines(lines) => lines.finish(rows),
        }
    }

    fn decode(&mut self, bytes: &[u8], is_last: bool) {
        self.text.clear();
        let most = self.decoder.max_utf8_buffer_length(bytes.len());
        self.text.reserve(most.unwrap_or(bytes.len() * 3 + 16));
        // What cannot be decoded becomes the character that stands for that, and is found in its row.
        let _ = self
            .decoder
            .decode_to_string(bytes, &mut self.text, is_last);
        if self.persian {
            self.text = self.text.replace('ي', "ی").replace('ك', "ک");
        }
    }

    fn split(&mut self, rows: &mut Vec<Row>) {
        match &mut self.rows {
            Rows::Csv(csv) => csv.feed(self.text.as_bytes(), rows),
            Rows::Lines(lines) => lines.feed(self.text.as_bytes(), rows),
        }
    }
}

/// The bytes as text, unless something in them could not be decoded.
fn readable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains(char::REPLACEMENT_CHARACTER)).then(|| text.to_owned())
}
