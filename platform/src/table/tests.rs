//! What is read is what was written, however it comes.

use super::{Format, PREFIX, ROW_MAX, Reader, Row, unguarded, write_record};

/// Reads the bytes in pieces of this length.
fn read_in(bytes: &[u8], piece: usize) -> Vec<Row> {
    let mut reader = Reader::new(bytes, None, true);
    let mut rows = Vec::new();
    for piece in bytes.chunks(piece) {
        reader.feed(piece, &mut rows);
    }
    reader.finish(&mut rows);
    rows
}

fn read(bytes: &[u8]) -> Vec<Row> {
    let rows = read_in(bytes, bytes.len().max(1));
    for piece in [1, 2, 3, 7] {
        assert_eq!(read_in(bytes, piece), rows, "in pieces of {piece}");
    }
    rows
}

fn cells(cells: &[&str]) -> Row {
    Row::Cells(cells.iter().map(|cell| (*cell).to_owned()).collect())
}

const PERSIAN: &str = "sku,name.fa\nR-1,انگشتر طلا با نگین یاقوت و کار دست\nR-2,گردنبند مروارید\n";

fn persian() -> Vec<Row> {
    vec![
        cells(&["sku", "name.fa"]),
        cells(&["R-1", "انگشتر طلا با نگین یاقوت و کار دست"]),
        cells(&["R-2", "گردنبند مروارید"]),
    ]
}

#[test]
fn every_encoding_is_found() {
    assert_eq!(read(PERSIAN.as_bytes()), persian());
    assert_eq!(
        read(&[b"\xEF\xBB\xBF", PERSIAN.as_bytes()].concat()),
        persian()
    );
    let wide = PERSIAN.encode_utf16();
    let little: Vec<u8> = wide.clone().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = wide.flat_map(u16::to_be_bytes).collect();
    assert_eq!(read(&[&[0xFF, 0xFE], &little[..]].concat()), persian());
    assert_eq!(read(&[&[0xFE, 0xFF], &big[..]].concat()), persian());
    assert_eq!(read(&little), persian());
    let arabic = PERSIAN.replace('ی', "ي").replace('ک', "ك");
    let (narrow, _, has_failed) = encoding_rs::WINDOWS_1256.encode(&arabic);
    assert!(!has_failed);
    assert_eq!(read(&narrow), persian());
}

#[test]
fn every_separator_and_quoting_is_found() {
    for text in [
        "a,b\r\n\"1,5\",\"x \"\"y\"\"\nz\"\r\n",
        "a;b\n\"1,5\";\"x \"\"y\"\"\nz\"",
        "a\tb\n1,5\t\"x \"\"y\"\"\nz\"\n",
    ] {
        let rows = read(text.as_bytes());
        assert_eq!(
            rows,
            [cells(&["a", "b"]), cells(&["1,5", "x \"y\"\nz"])],
            "{text}"
        );
    }
}

#[test]
fn lines_of_json_are_told_from_tables() {
    let rows = read(b"{\"a\": 1}\n\n{\"a\": 2}");
    let line = |text: &str| Row::Line(text.to_owned());
    assert_eq!(rows, [line("{\"a\": 1}"), line(""), line("{\"a\": 2}")]);
    let reader = Reader::new(b"{", Some(Format::Csv), false);
    assert_eq!(reader.format(), Format::Csv);
}

#[test]
fn a_row_without_an_end_takes_no_more_than_its_place() {
    let long = "x".repeat(ROW_MAX + 1);
    let text = format!("a,b\n1,{long}\n2,3\n");
    let rows = read_in(text.as_bytes(), 4096);
    assert_eq!(rows, [cells(&["a", "b"]), Row::TooLong, cells(&["2", "3"])]);
    let unclosed = format!("a,b\n1,\"{}", "x,\n".repeat(ROW_MAX));
    let rows = read_in(unclosed.as_bytes(), 4096);
    assert_eq!(rows, [cells(&["a", "b"]), Row::TooLong]);
    let lines = format!("{{\"a\": \"{long}\"}}\n{{}}\n");
    let rows = read_in(lines.as_bytes(), 4096);
    assert_eq!(rows, [Row::TooLong, Row::Line("{}".to_owned())]);
}

#[test]
fn bytes_that_mean_nothing_are_found_in_their_row() {
    let mut text = b"a,b\n".to_vec();
    text.extend(b"1,2\n".repeat(PREFIX / 4));
    text.extend(b"3,\xFF\n5,6\n");
    let rows = read_in(&text, 65536);
    assert_eq!(
        rows[rows.len() - 2..],
        [Row::Unreadable, cells(&["5", "6"])]
    );
}

#[test]
fn no_cell_is_a_formula_and_each_comes_back() {
    for text in [
        "=1+1", "+1", "-1+2", "-", "-.5", "'-1", "@x", "\t=1", "\r=1", "'=1", "''-1", "plain",
        "'tis", "", "=\"a\",b",
    ] {
        let mut out = Vec::new();
        write_record(&mut out, ["key", text]);
        let Row::Cells(read) = read(&out).remove(0) else {
            panic!("{text:?} is no row")
        };
        assert!(!read[1].starts_with(['=', '+', '-', '@', '\t', '\r']));
        assert_eq!(unguarded(&read[1]), text);
    }
}

#[test]
fn numbers_are_written_as_numbers() {
    for text in ["-1", "-56679.25", "0", "12.5"] {
        let mut out = Vec::new();
        write_record(&mut out, [text]);
        assert_eq!(out, format!("{text}\r\n").into_bytes());
        assert_eq!(unguarded(text), text);
    }
    // As it was written once.
    assert_eq!(unguarded("'-1"), "-1");
}
