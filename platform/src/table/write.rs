//! Writes CSV that spreadsheets open as what it is: text.
//!
//! A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return would be a formula to them, which somebody else may have
//! written. A number below zero is none. Any other such cell gets an apostrophe in front, and so does one that begins with apostrophes and then one of those: so that taking
//! one away again ([`unguarded`]) always gives what was there.

/// What a file begins with so that spreadsheets know it is UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Appends a row.
pub fn write_record<'a>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_cell(out, cell);
    }
    out.extend_from_slice(b"\r\n");
}

fn write_cell(out: &mut Vec<u8>, cell: &str) {
    let guard = match is_dangerous(cell) && !is_number(cell) {
        true => "'",
        false => "",
    };
    let needs_quotes = cell
        .bytes()
        .any(|byte| matches!(byte, b'"' | b',' | b';' | b'\n' | b'\r' | b'\t'))
        || cell.starts_with(' ')
        || cell.ends_with(' ');
    if !needs_quotes {
        out.extend_from_slice(guard.as_bytes());
        out.extend_from_slice(cell.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(guard.as_bytes());
    out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

/// The text that was written as this cell.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_dangerous(rest) => rest,
        _ => cell,
    }
}

fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_dangerous(cell: &str) -> bool {
    cell.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r'])
}
