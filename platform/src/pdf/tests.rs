//! Documents are read back by a library that shares nothing with the one that writes them.

use lopdf::{Document, Object, content::Content};

use super::{Direction, Length, Pdf, Typeface};

const SIZE: Length = 3_000;

fn typeface() -> Typeface {
    Typeface::vazirmatn().unwrap()
}

/// One page of A7 with this line in it, and a square.
fn page_with(text: &str, direction: Direction) -> Vec<u8> {
    let line = typeface().line(text, direction);
    let mut pdf = Pdf::new("Test", "fa", direction, "id");
    pdf.page((74_000, 105_000), |canvas| {
        canvas.text(&line, SIZE, (10_000, 20_000));
        canvas.rectangles([[10_000, 30_000, 25_400, 25_400], [0, 0, 0, 10]]);
    })
    .unwrap();
    assert_eq!(pdf.pages(), 1);
    pdf.finish().unwrap()
}

/// The text as it stands on the page, from left to right.
fn text_of(file: &[u8]) -> String {
    let document = Document::load_mem(file).unwrap();
    let text = document.extract_text(&[1]).unwrap();
    text.trim().to_owned()
}

#[test]
fn persian_is_written_from_right_to_left_and_can_be_read_back() {
    for text in ["انگشتر", "گردنبند", "۱۸ عیار"] {
        let seen = text_of(&page_with(text, Direction::RightToLeft));
        let letters = text.chars().rev().filter(|c| !c.is_whitespace());
        if text.chars().all(char::is_alphabetic) {
            assert_eq!(seen, letters.collect::<String>(), "{text}");
        } else {
            assert!(seen.contains("۱۸"), "digits stay in their order: {seen}");
            assert!(seen.contains("رایع"), "{seen}");
        }
    }
    let seen = text_of(&page_with("Gold ring 18 ct", Direction::LeftToRight));
    assert_eq!(seen, "Gold ring 18 ct");
}

#[test]
fn persian_letters_are_joined() {
    let typeface = typeface();
    let glyphs = |text: &str| {
        let line = typeface.line(text, Direction::RightToLeft);
        let (_, glyphs) = line.anatomy()[0].clone();
        glyphs
    };
    let isolated = glyphs("ه")[0];
    let joined = glyphs("ههه");
    // Final, medial and initial form, from left to right: none of them is the isolated one, nor like another.
    assert_eq!(joined.len(), 3);
    let mut forms = [&joined[..], &[isolated]].concat();
    forms.sort_unstable();
    forms.dedup();
    assert_eq!(forms.len(), 4, "{joined:?} and {isolated}");
    assert_eq!(
        glyphs("هه")[1],
        joined[2],
        "the initial form stands at the right"
    );
    assert_eq!(
        glyphs("هه")[0],
        joined[0],
        "the final form stands at the left"
    );
    assert!(glyphs("لا").len() < 2 || glyphs("لا") != [glyphs("ا")[0], glyphs("ل")[0]]);
    // Nothing that the shop prints is without a glyph.
    for text in ["پچژگکی", "۰۱۲۳۴۵۶۷۸۹", "٬٫،؛؟", "می‌شود", "ئؤأإآ"]
    {
        assert!(!glyphs(text).contains(&0), "{text}");
    }
}

#[test]
fn both_directions_stand_in_one_line() {
    let line = typeface().line("انگشتر RING-1 طلا", Direction::RightToLeft);
    let texts: Vec<_> = line.anatomy().iter().map(|(text, _)| text.trim()).collect();
    assert_eq!(texts, ["طلا", "RING-1", "انگشتر"]);
    let line = typeface().line("Ring انگشتر (18)", Direction::LeftToRight);
    let first = line.anatomy()[0].0.trim().to_owned();
    assert_eq!(first, "Ring");
    let hostile = "a\nb\u{2029}c\u{202E}d\0";
    assert!(typeface().line(hostile, Direction::LeftToRight).width(SIZE) > 0);
    assert_eq!(typeface().line("", Direction::RightToLeft).width(SIZE), 0);
}

#[test]
fn what_has_no_room_is_cut_or_broken() {
    let typeface = typeface();
    let long = "انگشتر طلای هجده عیار با نگین فیروزهٔ نیشابوری";
    for width in [0, 2_000, 10_000, 30_000] {
        let line = typeface.fitted(long, Direction::RightToLeft, SIZE, width);
        let ellipsis = typeface.line("…", Direction::RightToLeft).width(SIZE);
        assert!(line.width(SIZE) <= width.max(ellipsis), "{width}");
    }
    let whole = typeface.fitted("ring", Direction::LeftToRight, SIZE, 100_000);
    assert_eq!(whole.anatomy()[0].0, "ring");
    let lines = typeface.wrapped(long, Direction::RightToLeft, SIZE, 35_000, 2);
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.width(SIZE) <= 35_000));
    let lines = typeface.wrapped("a b", Direction::LeftToRight, SIZE, 100_000, 3);
    assert_eq!(lines.len(), 1);
    let lines = typeface.wrapped(&"W".repeat(200), Direction::LeftToRight, SIZE, 9_000, 2);
    assert!(lines.iter().all(|line| line.width(SIZE) <= 9_000));
    assert_eq!(
        typeface
            .wrapped(" ", Direction::LeftToRight, SIZE, 9_000, 2)
            .len(),
        0
    );
}

#[test]
fn a_page_has_its_size_and_what_is_drawn_its_place() {
    let file = page_with("x", Direction::LeftToRight);
    let document = Document::load_mem(&file).unwrap();
    let id = document.get_pages()[&1];
    let media_box = document.get_object(id).unwrap().as_dict().unwrap();
    let media_box = media_box.get(b"MediaBox").unwrap().as_array().unwrap();
    let size: Vec<_> = media_box.iter().map(number).collect();
    assert_eq!(size, [0.0, 0.0, 209.8, 297.6], "A7 in points");
    let content = Content::decode(&document.get_page_content(id)).unwrap();
    // The square's edges: 10 mm and an inch more, 30 mm and an inch more; an inch is 72 points.
    let operations = content.operations.iter();
    let drawn: Vec<_> = operations
        .filter(|operation| ["m", "l", "re"].contains(&operation.operator.as_str()))
        .flat_map(|operation| operation.operands.iter().map(number))
        .collect();
    for edge in [28.3, 100.3, 85.0, 157.0] {
        assert!(drawn.contains(&edge), "{edge} in {drawn:?}");
    }
}

/// In tenths.
fn number(object: &Object) -> f32 {
    (object.as_float().unwrap() * 10.0).round() / 10.0
}

#[test]
fn the_same_content_gives_the_same_file() {
    let make = || page_with("انگشتر", Direction::RightToLeft);
    assert!(make() == make());
    let size = make().len();
    assert!(size < 30_000, "only used glyphs are in it: {size} bytes");
}

#[test]
fn a_page_without_a_size_is_refused() {
    let mut pdf = Pdf::new("Test", "en", Direction::LeftToRight, "id");
    assert!(pdf.page((0, 10), |_| ()).is_err());
}
