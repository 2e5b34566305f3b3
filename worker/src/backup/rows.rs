//! Counts rows in SQL as `pg_dump` writes it, while it passes: each line of a `COPY` is one.

use std::collections::BTreeMap;

use memchr::memchr;

/// Longest line that is looked at, in bytes: the head of a `COPY` with all its columns fits.
const LINE_MAX: usize = 64 * 1024;
/// What the last line says when nothing is missing.
const COMPLETE: &[u8] = b"-- PostgreSQL database dump complete";

/// What has passed so far.
#[derive(Debug, Default)]
pub(super) struct Rows {
    counts: BTreeMap<String, i64>,
    /// The table whose rows come, and how many have come.
    table: Option<(String, i64)>,
    /// How many rows have come, of all tables.
    all: u64,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    is_complete: bool,
}

impl Rows {
    /// Looks at the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            if self.begun.is_empty() {
                self.line(line);
            } else {
                self.keep(line);
                let line = std::mem::take(&mut self.begun);
                self.line(&line);
            }
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_MAX.saturating_sub(self.begun.len()).min(bytes.len());
        self.begun
            .extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    fn line(&mut self, line: &[u8]) {
        match &mut self.table {
            Some(_) if line == b"\\." => {
                if let Some((table, count)) = self.table.take() {
                    self.counts.insert(table, count);
                }
            }
            Some((_, count)) => {
                *count += 1;
                self.all += 1;
            }
            None => {
                self.table = copied(line).map(|table| (table, 0));
                self.is_complete |= line == COMPLETE;
            }
        }
    }

    /// How many rows have come so far.
    pub(super) fn all(&self) -> u64 {
        self.all
    }

    /// Rows of each table; nothing when the end is missing.
    pub(super) fn finish(self) -> Option<BTreeMap<String, i64>> {
        (self.is_complete && self.table.is_none()).then_some(self.counts)
    }
}

/// The table that a line begins to fill.
fn copied(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(b"COPY ")?.strip_suffix(b" FROM stdin;")?;
    let text = std::str::from_utf8(rest).ok()?;
    let name = text.split_once(" (").map_or(text, |(name, _)| name);
    Some(name.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::Rows;

    const DUMP: &str = "--\nCREATE TABLE public.a (\n);\nCOPY public.a (id, \"order\") FROM stdin;\n1\tx\n2\ty\\nz\n\\.\n\n\nCOPY public.\"user\" (id) FROM stdin;\n\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

    #[test]
    fn rows_are_counted_however_they_come() {
        for size in [1, 2, 3, 7, 1000] {
            let mut rows = Rows::default();
            DUMP.as_bytes()
                .chunks(size)
                .for_each(|piece| rows.feed(piece));
            assert_eq!(rows.all(), 2);
            let counts = rows.finish().unwrap();
            assert_eq!(
                counts.into_iter().collect::<Vec<_>>(),
                [
                    ("public.\"user\"".to_owned(), 0),
                    ("public.a".to_owned(), 2)
                ]
            );
        }
    }

    #[test]
    fn a_dump_whose_end_is_missing_is_none() {
        for end in 1..DUMP.len() - 6 {
            let mut rows = Rows::default();
            rows.feed(&DUMP.as_bytes()[..end]);
            assert!(rows.finish().is_none(), "{end}");
        }
    }
}
