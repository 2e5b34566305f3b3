//! Lines are shaped, ordered, cut and broken. What comes of them on paper is read back where labels are printed.

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
    // A letter after another is not drawn as when it stands alone.
    let (lam, alef) = (glyphs("ل")[0], glyphs("ا")[0]);
    let joined = glyphs("لا");
    assert!(
        !joined.contains(&lam) && !joined.contains(&alef),
        "{joined:?}"
    );
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
    // What is compared letter by letter keeps its order only where the line runs from left to right.
    let order = |direction| {
        let line = typeface().line("1-A", direction);
        let runs = line.anatomy();
        runs.iter().map(|(text, _)| *text).collect::<String>()
    };
    assert_eq!(order(Direction::LeftToRight), "1-A");
    assert_eq!(order(Direction::RightToLeft), "A-1");
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
