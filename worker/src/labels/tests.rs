//! Labels are composed: whatever an item is called, everything keeps to its place. What scanners and people read of them is tested on the
//! printed page, in the project's own tests.

use domain::{
    code_batch::Level,
    label::{LabelCode, LabelKind, LabelOptions, Layout},
    locale::Locale,
};
use platform::pdf::{Length, Typeface};

use super::{Content, Press, compose};

const ADDRESS: &str = "https://shop.example/item/0198a7c2-5e1f-7c3a-9d54-0c5fd5a4f1b7";

fn content(barcode: &str) -> Content {
    Content {
        name: "انگشتر".into(),
        sku: "RING-0001".into(),
        price: Some("۱۲٬۵۰۰٬۰۰۰ ریال".into()),
        facts: vec!["وزن کل ۴٫۲۵ گرم".into(), "عیار ۷۵۰".into()],
        barcode: barcode.into(),
        address: ADDRESS.into(),
    }
}

fn options(kind: LabelKind, layout: Layout) -> LabelOptions {
    LabelOptions {
        kind,
        layout,
        start_at: 1,
        copies: 1,
        locale: Locale::Fa,
        code: LabelCode::Barcode,
        level: Level::M,
    }
}

/// Every kind of label on every layout, but those on which it is refused because it has no room.
fn every_paper() -> impl Iterator<Item = (LabelKind, Layout)> {
    let kinds = LabelKind::ALL.iter();
    let all = kinds.flat_map(|kind| Layout::ALL.iter().map(|layout| (*kind, *layout)));
    all.filter(|(kind, layout)| {
        let (_, height) = layout.grid(*kind).label;
        *kind == LabelKind::JewelleryTag || height > 10_000
    })
}

/// A rectangle on a label: left, top, right, bottom.
type Dark = [Length; 4];

/// The rectangle around all of them.
fn around(shape: &[Dark]) -> Dark {
    let edge = |index: usize| shape.iter().map(move |dark| dark[index]);
    [
        edge(0).min().unwrap(),
        edge(1).min().unwrap(),
        edge(2).max().unwrap(),
        edge(3).max().unwrap(),
    ]
}

#[test]
fn whatever_an_item_is_called_its_label_keeps_within_its_edges() {
    let typeface = Typeface::vazirmatn().unwrap();
    let plain = content("4006381333931");
    let long = Content {
        name: "انگشتر طلای هجده عیار ".repeat(9),
        sku: "W".repeat(64),
        price: Some("۹۹۹٬۹۹۹٬۹۹۹٬۹۹۹٬۹۹۹٬۹۹۹٫۹۹۹۹۹۹ ریال".into()),
        facts: vec![format!("عیار {}", "۷".repeat(40)); 5],
        barcode: "W".repeat(80),
        address: format!("https://{}/item/x", "a".repeat(900)),
    };
    let bare = Content {
        name: String::new(),
        price: None,
        facts: Vec::new(),
        barcode: "طلا".into(),
        ..plain.clone()
    };
    for content in [&plain, &long, &bare] {
        for (kind, layout) in every_paper() {
            for locale in [Locale::En, Locale::Fa] {
                for code in [LabelCode::Barcode, LabelCode::Qr] {
                    let options = LabelOptions {
                        locale,
                        code,
                        ..options(kind, layout)
                    };
                    let (width, height) = layout.grid(kind).label;
                    let drawing = compose::label(content, &options, &typeface, (width, height));
                    for [left, top, across, down] in &drawing.dark {
                        assert!(*left >= 0 && left + across <= width, "{options:?}");
                        assert!(*top >= 0 && top + down <= height, "{options:?}");
                    }
                    for text in &drawing.texts {
                        let right = text.left + text.line.width(text.size);
                        assert!(text.left >= 0 && right <= width, "{options:?}: {text:?}");
                        assert!(
                            text.baseline >= text.size / 2 && text.baseline <= height,
                            "{options:?}: {text:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn texts_stay_clear_of_the_code() {
    let typeface = Typeface::vazirmatn().unwrap();
    for (kind, layout) in every_paper() {
        for (locale, code) in [
            (Locale::En, LabelCode::Barcode),
            (Locale::En, LabelCode::Qr),
            (Locale::Fa, LabelCode::Barcode),
            (Locale::Fa, LabelCode::Qr),
        ] {
            let options = LabelOptions {
                locale,
                code,
                ..options(kind, layout)
            };
            let size = layout.grid(kind).label;
            let drawing = compose::label(&content("4006381333931"), &options, &typeface, size);
            let shape: Vec<Dark> = drawing
                .dark
                .iter()
                .map(|[x, y, width, height]| [*x, *y, x + width, y + height])
                .collect();
            let [left, top, right, bottom] = around(&shape);
            for text in &drawing.texts {
                let (from, to) = (text.left, text.left + text.line.width(text.size));
                // Capital letters are about seven tenths as high as the line.
                let (above, below) = (text.baseline - text.size * 7 / 10, text.baseline);
                let is_clear = to <= left || from >= right || below <= top || above >= bottom;
                assert!(
                    is_clear,
                    "{options:?}: {text:?} and {:?}",
                    [left, top, right, bottom]
                );
            }
        }
    }
}

#[test]
fn the_same_labels_give_the_same_file() {
    let make = || {
        let mut press = Press::new(options(LabelKind::Shelf, Layout::A4L7651), "id").unwrap();
        press.add(&content("4006381333931")).unwrap();
        press.add(&content("RING-0001")).unwrap();
        press.finish().unwrap().unwrap()
    };
    assert!(make() == make());
    let none = Press::new(options(LabelKind::Shelf, Layout::Roll), "id").unwrap();
    assert!(none.finish().unwrap().is_none());
}

#[test]
fn on_a_roll_everything_is_a_whole_number_of_dots() {
    let typeface = Typeface::vazirmatn().unwrap();
    for (kind, code) in [
        (LabelKind::Shelf, LabelCode::Barcode),
        (LabelKind::Carton, LabelCode::Barcode),
        (LabelKind::JewelleryTag, LabelCode::Qr),
    ] {
        let options = LabelOptions {
            code,
            ..options(kind, Layout::Roll)
        };
        let size = Layout::Roll.grid(kind).label;
        let drawing = compose::label(&content("4006381333931"), &options, &typeface, size);
        assert!(!drawing.dark.is_empty(), "{kind:?}");
        let first = drawing.dark[0];
        for [left, _, width, _] in &drawing.dark {
            assert_eq!((width % 125, (left - first[0]) % 125), (0, 0), "{kind:?}");
            assert!(*width >= 250, "{kind:?}: {width}");
        }
    }
}
