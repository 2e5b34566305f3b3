//! Splits a text into lines, none longer than a row may be.

use super::{ROW_MAX, Row, readable};

#[derive(Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    is_too_long: bool,
}

impl Lines {
    pub(super) fn feed(&mut self, mut input: &[u8], rows: &mut Vec<Row>) {
        while let Some(end) = input.iter().position(|byte| *byte == b'\n') {
            self.append(&input[..end]);
            rows.push(self.row());
            input = &input[end + 1..];
        }
        self.append(input);
    }

    pub(super) fn finish(mut self, rows: &mut Vec<Row>) {
        if self.is_too_long || !self.line.is_empty() {
            rows.push(self.row());
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() > ROW_MAX {
            self.is_too_long = true;
            self.line.clear();
        }
        if !self.is_too_long {
            self.line.extend_from_slice(bytes);
        }
    }

    fn row(&mut self) -> Row {
        let row = if self.is_too_long {
            Row::TooLong
        } else {
            readable(self.line.trim_ascii()).map_or(Row::Unreadable, Row::Line)
        };
        self.line.clear();
        self.is_too_long = false;
        row
    }
}
