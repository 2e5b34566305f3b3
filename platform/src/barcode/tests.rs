//! What is drawn. That scanners read it is shown where it is printed.

use domain::barcode::Symbology;

use super::{Undrawable, bars, in_sets, modules, svg};

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

/// An EAN-13 as the GS1 General Specifications draw it: the first digit chooses the patterns of the six on the left.
#[test]
fn a_gtin_is_drawn_as_its_specification_says() {
    let drawn: String = modules("4006381333931", Symbology::Ean13)
        .unwrap()
        .into_iter()
        .map(|dark| if dark { '1' } else { '0' })
        .collect();
    let expected = [
        "101", "0001101", "0100111", "0101111", "0111101", "0001001", "0110011", "01010",
        "1000010", "1000010", "1000010", "1110100", "1000010", "1100110", "101",
    ];
    assert_eq!(drawn, expected.concat());
    let ean8 = modules("96385074", Symbology::Ean8).unwrap();
    let upc = modules("036000291452", Symbology::UpcA).unwrap();
    assert_eq!((ean8.len(), upc.len()), (67, 95));
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
