//! Finds out how a file is written, from its beginning.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::Format;

/// How much of a file is looked at, in bytes.
pub const PREFIX: usize = 256 * 1024;

/// Where encodings without a mark are guessed, it is from the point of view of the country that most such files here come from.
const COUNTRY: &[u8] = b"ir";

pub(super) struct Sniffed {
    pub(super) encoding: &'static Encoding,
    pub(super) format: Format,
    pub(super) separator: u8,
}

pub(super) fn sniff(prefix: &[u8], format: Option<Format>) -> Sniffed {
    let prefix = &prefix[..prefix.len().min(PREFIX)];
    let encoding = encoding(prefix);
    let (text, _) = encoding.decode_with_bom_removal(prefix);
    let beginning = text.trim_start();
    let looks_like_json = beginning.starts_with('{');
    let format = format.unwrap_or(if looks_like_json {
        Format::JsonLines
    } else {
        Format::Csv
    });
    Sniffed {
        encoding,
        format,
        separator: separator(beginning),
    }
}

fn encoding(prefix: &[u8]) -> &'static Encoding {
    if let Some((marked, _)) = Encoding::for_bom(prefix) {
        return marked;
    }
    if let Some(wide) = wide(prefix) {
        return wide;
    }
    // The last character may be cut off.
    let is_utf8 = match std::str::from_utf8(prefix) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    if is_utf8 {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(prefix, true);
    detector.guess(Some(COUNTRY), Utf8Detection::Deny)
}

/// UTF-16 without a mark: separators, digits and line ends have a zero byte beside them.
fn wide(prefix: &[u8]) -> Option<&'static Encoding> {
    let zeros = |offset: usize| {
        let bytes = prefix.iter().skip(offset).step_by(2);
        bytes.filter(|byte| **byte == 0).count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    let many = prefix.len() / 20 + 1;
    if odd > many && odd > even * 4 {
        Some(UTF_16LE)
    } else if even > many && even > odd * 4 {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// What stands most often between the cells of the first line.
fn separator(text: &str) -> u8 {
    let mut is_quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in text.bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => break,
            _ if is_quoted => {}
            _ => counts
                .iter_mut()
                .filter(|(separator, _)| *separator == byte)
                .for_each(|(_, count)| *count += 1),
        }
    }
    let mut best = counts[0];
    for candidate in counts {
        if candidate.1 > best.1 {
            best = candidate;
        }
    }
    best.0
}
