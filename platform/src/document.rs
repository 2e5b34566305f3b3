//! Files that people attach to something: what they are is found in their content, whatever they are called.
//!
//! Synchronous and busy with the disk: call it where blocking is allowed.

use std::fs::File;
use std::io::{self, Read, Seek};

use crate::image::{Format, InspectError, Limits, Rejection, inspect_open};

/// How far into a file its mark as a PDF may stand, in bytes: readers look no further.
const PDF_WITHIN: usize = 1024;
const PDF_MARK: &[u8] = b"%PDF-";

/// What is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// A PDF.
    Pdf,
    /// A picture: JPEG, PNG or WebP.
    Picture(Format),
    /// A table with separators between its cells.
    Csv,
    /// Any other text.
    Text,
}

impl Document {
    /// Its media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Picture(format) => format.content_type(),
            Self::Csv => "text/csv",
            Self::Text => "text/plain",
        }
    }
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is none of those, or a picture that is not taken.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The file itself could not be read.
    #[error("the file cannot be read: {0}")]
    File(#[from] io::Error),
}

/// What the file is: a picture when it is a whole one, a PDF when it says so at its beginning, a text when there is nothing in it but text. Whether a text
/// is a table says its name. At most `limits.max_bytes` of it are held in memory.
///
/// # Errors
/// When it is something else, or cannot be read.
pub fn recognise(mut file: File, name: &str, limits: &Limits) -> Result<Document, DocumentError> {
    match inspect_open(file.try_clone()?, limits) {
        Ok(inspected) if inspected.format == Format::Gif => {
            return Err(Rejection::UnsupportedType.into());
        }
        Ok(inspected) => return Ok(Document::Picture(inspected.format)),
        Err(InspectError::Rejected(Rejection::UnsupportedType)) => {}
        Err(InspectError::Rejected(rejection)) => return Err(rejection.into()),
        Err(InspectError::File(error)) => return Err(error.into()),
    }
    file.rewind()?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    let beginning = content.get(..PDF_WITHIN).unwrap_or(&content);
    if beginning
        .windows(PDF_MARK.len())
        .any(|window| window == PDF_MARK)
    {
        return Ok(Document::Pdf);
    }
    if content.is_empty() || content.iter().any(|byte| is_no_text(*byte)) {
        return Err(Rejection::UnsupportedType.into());
    }
    let is_table = name
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("csv"));
    Ok(if is_table {
        Document::Csv
    } else {
        Document::Text
    })
}

/// In whatever encoding whose letters begin with those of ASCII, a text has no control characters but those that break lines and pages.
fn is_no_text(byte: u8) -> bool {
    byte == 0x7f || byte < 0x20 && !matches!(byte, b'\t' | b'\n' | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn of(content: &[u8], name: &str) -> Option<&'static str> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let document = recognise(file, name, &Limits::default());
        document.ok().map(Document::content_type)
    }

    #[test]
    fn what_a_file_is_says_its_content() {
        assert_eq!(of(b"%PDF-1.7\n\0\x01", "scan.txt"), Some("application/pdf"));
        let late = [&b"\0".repeat(900)[..], b"%PDF-1.4"].concat();
        assert_eq!(of(&late, "a.pdf"), Some("application/pdf"));
        assert_eq!(of(b"a,b\n1,2\n", "Table.CSV"), Some("text/csv"));
        assert_eq!(of("یک\tدو\r\n".as_bytes(), "note"), Some("text/plain"));
        // Windows-1256.
        assert_eq!(of(b"\xed\xdf,\xcf\xe6\n", "bank.csv"), Some("text/csv"));
        for (content, name) in [
            (&b"PK\x03\x04\x14\0"[..], "a.pdf"),
            (b"MZ\x90\0", "a.txt"),
            (b"GIF89a\x01\0", "a.png"),
            (b"\x7fELF", "a.csv"),
            (b"", "a.txt"),
            // The beginning of a picture, and no more.
            (b"\x89PNG\r\n\x1a\n", "a.png"),
        ] {
            assert_eq!(of(content, name), None, "{name}");
        }
    }
}
