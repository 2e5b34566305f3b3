//! Barcodes are read back, from the SVG that is printed, by a decoder that shares nothing with the encoder.

use domain::barcode::{Symbology, symbology};
use rxing::{BarcodeFormat, helpers::detect_in_luma};

use super::{Undrawable, bars, in_sets, modules, svg};

/// What a scanner reads off the drawing, and in which pattern.
fn scanned(drawing: &str) -> (String, BarcodeFormat) {
    let (width, height, luma) = painted(drawing);
    let read = detect_in_luma(luma, width, height, None).unwrap();
    (read.getText().to_owned(), *read.getBarcodeFormat())
}

/// Paints the drawing's bars, each written as `M<x> 0h<width>v<height>h-<width>z`, three pixels a module.
fn painted(drawing: &str) -> (u32, u32, Vec<u8>) {
    let scale = 3;
    let view = between(drawing, "viewBox=\"0 0 ", "\"");
    let (width, height) = view.split_once(' ').unwrap();
    let (width, height): (usize, usize) = (width.parse().unwrap(), height.parse().unwrap());
    let (width, height) = (width * scale, height * scale);
    let mut luma = vec![u8::MAX; width * height];
    let path = between(drawing, "crispEdges\" d=\"", "\"");
    for bar in path.split('M').skip(1) {
        let number = |text: &str| text.parse::<usize>().unwrap() * scale;
        let left = number(between(bar, "", " "));
        let (across, down) = (
            number(between(bar, "h", "v")),
            number(between(bar, "v", "h")),
        );
        for row in luma.chunks_mut(width).take(down) {
            row[left..left + across].fill(0);
        }
    }
    (width as u32, height as u32, luma)
}

fn between<'a>(text: &'a str, before: &str, behind: &str) -> &'a str {
    let rest = text.split_once(before).unwrap().1;
    rest.split_once(behind).unwrap().0
}

#[test]
fn every_kind_of_gtin_is_read_back() {
    for (code, format) in [
        ("96385074", BarcodeFormat::EAN_8),
        ("036000291452", BarcodeFormat::UPC_A),
        ("4006381333931", BarcodeFormat::EAN_13),
        ("6260152400019", BarcodeFormat::EAN_13),
        ("10012345678902", BarcodeFormat::ITF),
    ] {
        let read = scanned(&svg(code, symbology(code)).unwrap());
        assert_eq!(read, (code.to_owned(), format));
    }
}

#[test]
fn whatever_can_be_on_file_is_read_back_as_code_128() {
    let printable: String = (b' '..=b'~').map(char::from).collect();
    let (first, second) = printable.split_at(48);
    for code in [
        "R",
        "1",
        "12",
        "123",
        "1234",
        "12345",
        "123456",
        "RING-0001",
        "A1234567B",
        "A123456B7890",
        "12345ABC6789012",
        "https://a.example/?a=1&b=<2>",
        first,
        second,
        &"W".repeat(80),
        &"7".repeat(79),
    ] {
        let read = scanned(&svg(code, Symbology::Code128).unwrap());
        assert_eq!(read, (code.to_owned(), BarcodeFormat::CODE_128), "{code}");
    }
}

#[test]
fn digits_take_half_the_width() {
    assert_eq!(in_sets("12345678"), "\u{106}12345678");
    assert_eq!(in_sets("12345"), "\u{106}1234\u{181}5");
    assert_eq!(in_sets("A1234567"), "\u{181}A1\u{106}234567");
    assert_eq!(in_sets("A12345B"), "\u{181}A12345B");
    assert_eq!(in_sets("A123456B"), "\u{181}A\u{106}123456\u{181}B");
    let width = |code| modules(code, Symbology::Code128).unwrap().len();
    assert_eq!(width("12345678"), 11 + 4 * 11 + 11 + 13);
}

#[test]
fn a_drawing_is_bounded_and_holds_nothing_that_is_not_escaped() {
    let drawing = svg(&"<&>'\"".repeat(16), Symbology::Code128).unwrap();
    assert!(drawing.len() < 16_384, "{} bytes", drawing.len());
    assert!(drawing.contains("&lt;&amp;&gt;'\"&lt;"), "{drawing}");
    assert_eq!(drawing.matches('<').count(), 6, "{drawing}");
}

#[test]
fn bars_are_told_by_start_and_width() {
    let modules = [true, false, false, true, true, true, false];
    assert_eq!(bars(&modules).collect::<Vec<_>>(), [(0, 1), (3, 3)]);
    assert_eq!(bars(&[]).count(), 0);
}

#[test]
fn what_a_pattern_cannot_hold_is_refused() {
    for (code, symbology) in [
        ("", Symbology::Code128),
        ("طلا", Symbology::Code128),
        ("", Symbology::Ean13),
        ("RING", Symbology::Ean13),
        ("4006381333932", Symbology::Ean13),
        ("9638507", Symbology::UpcA),
        ("x", Symbology::Ean8),
    ] {
        assert_eq!(svg(code, symbology), Err(Undrawable), "{code}");
    }
}
