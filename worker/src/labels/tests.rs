//! Sheets are read back from the PDF: what is drawn where, and what a scanner reads of it.

#![expect(
    clippy::float_arithmetic,
    reason = "the file holds its places in floating point"
)]

use domain::{
    label::{LabelCode, LabelSheet, Layout, Template},
    locale::Locale,
};
use lopdf::{
    Document, Object,
    content::{Content as Operations, Operation},
};
use platform::pdf::{Direction, Length, Typeface};
use rxing::{BarcodeFormat, helpers::detect_in_luma};

use super::{Content, compose, paper::Paper, pdf};

const ADDRESS: &str = "https://shop.example/item/0198a7c2-5e1f-7c3a-9d54-0c5fd5a4f1b7";
const TEMPLATES: [Template; 3] = [Template::Jewellery, Template::Shelf, Template::Carton];
const LAYOUTS: [Layout; 4] = [
    Layout::A4L7160,
    Layout::A4L7651,
    Layout::Letter5160,
    Layout::Roll,
];

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

fn sheet(template: Template, layout: Layout) -> LabelSheet {
    LabelSheet {
        template,
        layout,
        start_at: 1,
        copies: 1,
        locale: Locale::Fa,
        code: LabelCode::Barcode,
    }
}

/// A rectangle on a page, in micrometres: left, top, right, bottom.
type Dark = [Length; 4];

/// For each page, for each shape that is filled, its rectangles.
fn shapes(file: &[u8]) -> Vec<Vec<Vec<Dark>>> {
    let document = Document::load_mem(file).unwrap();
    let pages = document.get_pages();
    let shapes = pages.values().map(|id| {
        let operations = document.get_page_content(*id);
        shapes_of(Operations::decode(&operations).unwrap().operations)
    });
    shapes.collect()
}

fn shapes_of(operations: Vec<Operation>) -> Vec<Vec<Dark>> {
    let mut shapes = Vec::new();
    let (mut corners, mut shape) = (Vec::new(), Vec::new());
    // Only the page's own change from its lower left corner to its upper left one is understood here.
    let mut height = None;
    for Operation { operator, operands } in operations {
        let numbers: Vec<f32> = operands.iter().filter_map(|o| o.as_float().ok()).collect();
        match (operator.as_str(), &numbers[..]) {
            ("cm", [1.0, 0.0, 0.0, -1.0, 0.0, page]) => height = Some(*page),
            ("cm", other) => panic!("a change of place that is not understood: {other:?}"),
            ("m" | "l", [x, y]) => corners.push((micrometres(*x), micrometres(*y))),
            ("re", [x, y, width, height]) => {
                shape.push([*x, *y, x + width, y + height].map(micrometres));
            }
            ("h", _) => {
                let all = || corners.iter().copied();
                let (left, right) = (all().map(|c| c.0).min(), all().map(|c| c.0).max());
                let (top, bottom) = (all().map(|c| c.1).min(), all().map(|c| c.1).max());
                shape.push([left, top, right, bottom].map(Option::unwrap));
                corners.clear();
            }
            ("f" | "f*", _) => shapes.push(std::mem::take(&mut shape)),
            _ => {}
        }
    }
    assert!(height.is_some(), "places are counted from the upper edge");
    shapes
}

fn micrometres(points: f32) -> Length {
    (f64::from(points) * 25_400.0 / 72.0).round() as Length
}

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

/// The shape as a scanner sees it: 20 pixels a millimetre, with 5 mm of paper around it.
fn painted(shape: &[Dark]) -> (usize, usize, Vec<u8>) {
    let pixel = |length: Length| usize::try_from((length + 25) / 50).unwrap();
    let [left, top, right, bottom] = around(shape);
    let margin = 5_000;
    let width = pixel(right - left + 2 * margin);
    let height = pixel(bottom - top + 2 * margin);
    let mut luma = vec![u8::MAX; width * height];
    for dark in shape {
        let (from, to) = (
            pixel(dark[0] - left + margin),
            pixel(dark[2] - left + margin),
        );
        for y in pixel(dark[1] - top + margin)..pixel(dark[3] - top + margin) {
            luma[y * width..][from..to].fill(0);
        }
    }
    (width, height, luma)
}

fn scanned(shape: &[Dark]) -> (String, BarcodeFormat) {
    let (width, height, luma) = painted(shape);
    let read = detect_in_luma(luma, width as u32, height as u32, None).unwrap();
    (read.getText().to_owned(), *read.getBarcodeFormat())
}

fn scanned_qr(shape: &[Dark]) -> String {
    let (width, height, luma) = painted(shape);
    let brightness = |x: usize, y: usize| luma[y * width + x];
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, brightness);
    prepared.detect_grids()[0].decode().unwrap().1
}

#[test]
fn labels_stand_where_the_sheet_has_them() {
    let contents = vec![content("4006381333931"); 12];
    let sheet = LabelSheet {
        start_at: 20,
        copies: 2,
        locale: Locale::En,
        ..sheet(Template::Shelf, Layout::A4L7160)
    };
    let pages = shapes(&pdf(&contents, &sheet, "id").unwrap());
    let counts: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(counts, [2, 21, 1]);
    let paper = Paper::of(sheet.layout, sheet.template);
    for (page, first) in pages.iter().zip([19, 0, 0]) {
        for (shape, place) in page.iter().zip(first..) {
            let (x, y) = paper.corner(place, Direction::LeftToRight);
            let [left, top, right, bottom] = around(shape);
            assert!(left >= x && top >= y, "{place}");
            assert!(right <= x + 63_500 && bottom <= y + 38_100, "{place}");
        }
    }
}

#[test]
fn a_roll_has_a_page_for_each_label() {
    for (template, size) in [
        (Template::Jewellery, [2_041, 340]),
        (Template::Shelf, [1_701, 1_134]),
        (Template::Carton, [2_835, 4_252]),
    ] {
        let contents = vec![content("4006381333931"); 3];
        let file = pdf(&contents, &sheet(template, Layout::Roll), "id").unwrap();
        let document = Document::load_mem(&file).unwrap();
        let pages = document.get_pages();
        assert_eq!(pages.len(), 3);
        let page = document.get_object(pages[&1]).unwrap().as_dict().unwrap();
        let media_box = page.get(b"MediaBox").unwrap().as_array().unwrap();
        let tenths = |object: &Object| (object.as_float().unwrap() * 10.0).round() as i32;
        let corner: Vec<_> = media_box.iter().skip(2).map(tenths).collect();
        assert_eq!(corner, size, "{template:?}, in tenths of a point");
    }
}

#[test]
fn scanners_read_every_kind_of_code() {
    for template in TEMPLATES {
        for layout in LAYOUTS {
            let file = |content: Content, code| {
                let sheet = LabelSheet {
                    code,
                    ..sheet(template, layout)
                };
                shapes(&pdf(&[content], &sheet, "id").unwrap())[0][0].clone()
            };
            let context = format!("{template:?} on {layout:?}");
            let qr = file(content("4006381333931"), LabelCode::Qr);
            assert_eq!(scanned_qr(&qr), ADDRESS, "{context}");
            let long = file(content(&"W".repeat(80)), LabelCode::Barcode);
            if layout != Layout::Roll {
                assert_eq!(
                    scanned_qr(&long),
                    ADDRESS,
                    "{context}: bars would be too fine"
                );
            }
            if template != Template::Jewellery {
                let ean = file(content("4006381333931"), LabelCode::Barcode);
                let expected = ("4006381333931".to_owned(), BarcodeFormat::EAN_13);
                assert_eq!(scanned(&ean), expected, "{context}");
            }
        }
    }
    let tag = pdf(
        &[content("4006381333931")],
        &sheet(Template::Jewellery, Layout::Roll),
        "id",
    );
    let shape = &shapes(&tag.unwrap())[0][0];
    assert_eq!(
        scanned(shape).0,
        "4006381333931",
        "also on the smallest tag"
    );
    let carton = sheet(Template::Carton, Layout::Roll);
    let shape = &shapes(&pdf(&[content("RING-0001")], &carton, "id").unwrap())[0][0];
    let expected = ("RING-0001".to_owned(), BarcodeFormat::CODE_128);
    assert_eq!(scanned(shape), expected);
}

#[test]
fn what_is_printed_can_be_read_back() {
    let file = pdf(
        &[content("4006381333931")],
        &sheet(Template::Jewellery, Layout::Roll),
        "id",
    );
    let document = Document::load_mem(&file.unwrap()).unwrap();
    let text = document.extract_text(&[1]).unwrap();
    // Letters come as they stand on paper, from left to right.
    for seen in ["RING-0001", "رتشگنا", "رایع", "۷۵۰", "مرگ"] {
        assert!(text.contains(seen), "{seen} in {text}");
    }
}

#[test]
fn whatever_an_item_is_called_its_label_keeps_within_its_edges() {
    let typeface = Typeface::vazirmatn().unwrap();
    let plain = content("4006381333931");
    let long = Content {
        name: "انگشتر طلای هجده عیار ".repeat(9),
        sku: "W".repeat(64),
        price: Some("۹۹۹٬۹۹۹٬۹۹۹٬۹۹۹٬۹۹۹٬۹۹۹٫۹۹۹۹۹۹ ریال".into()),
        facts: vec!["عیار ".to_owned() + &"۷".repeat(40); 5],
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
        for (template, layout) in TEMPLATES.iter().flat_map(|t| LAYOUTS.map(|l| (*t, l))) {
            for locale in [Locale::En, Locale::Fa] {
                for code in [LabelCode::Barcode, LabelCode::Qr] {
                    let sheet = LabelSheet {
                        locale,
                        code,
                        ..sheet(template, layout)
                    };
                    let (width, height) = Paper::of(layout, template).label;
                    let drawing = compose::label(content, &sheet, &typeface, (width, height));
                    for [left, top, across, down] in &drawing.dark {
                        assert!(*left >= 0 && left + across <= width, "{sheet:?}");
                        assert!(*top >= 0 && top + down <= height, "{sheet:?}");
                    }
                    for text in &drawing.texts {
                        let right = text.left + text.line.width(text.size);
                        assert!(text.left >= 0 && right <= width, "{sheet:?}: {text:?}");
                        assert!(
                            text.baseline >= text.size / 2 && text.baseline <= height,
                            "{sheet:?}: {text:?}"
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
    for (template, layout) in TEMPLATES.iter().flat_map(|t| LAYOUTS.map(|l| (*t, l))) {
        for (locale, code) in [
            (Locale::En, LabelCode::Barcode),
            (Locale::En, LabelCode::Qr),
            (Locale::Fa, LabelCode::Barcode),
            (Locale::Fa, LabelCode::Qr),
        ] {
            let sheet = LabelSheet {
                locale,
                code,
                ..sheet(template, layout)
            };
            let size = Paper::of(layout, template).label;
            let drawing = compose::label(&content("4006381333931"), &sheet, &typeface, size);
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
                    "{sheet:?}: {text:?} and {:?}",
                    [left, top, right, bottom]
                );
            }
        }
    }
}

#[test]
fn the_same_labels_give_the_same_file() {
    let make = || {
        let contents = [content("4006381333931"), content("RING-0001")];
        pdf(&contents, &sheet(Template::Shelf, Layout::A4L7651), "id").unwrap()
    };
    assert!(make() == make());
}
