//! Scanners read every code that is printed, wherever it is.

use domain::label::{LabelKind, Layout};
use serde_json::json;
use tests::{
    paper::{Page, pages},
    work::uuid_of,
};

use super::{Shop, input, pixels};

/// As a laser printer prints.
const DOTS: u32 = 600;

const LAYOUTS: [(&str, Layout); 7] = [
    ("A4_L4731", Layout::A4L4731),
    ("A4_L7160", Layout::A4L7160),
    ("A4_L7163", Layout::A4L7163),
    ("A4_L7651", Layout::A4L7651),
    ("LETTER_5160", Layout::Letter5160),
    ("LETTER_5163", Layout::Letter5163),
    ("ROLL", Layout::Roll),
];

/// Only the label in this place, counted as the language has it.
fn label(page: &Page, layout: Layout, kind: LabelKind, place: i32) -> Page {
    let grid = layout.grid(kind);
    let (left, top) = grid.corner(place, false);
    page.cut([left, top, grid.label.0, grid.label.1].map(|length| pixels(length, DOTS)))
}

#[tokio::test(flavor = "multi_thread")]
async fn scanners_read_the_qr_code_of_every_kind_of_label_and_find_the_item() {
    let shop = Shop::open().await;
    let ring = shop.ring("RING-1", "4006381333931", json!({})).await;
    let ends = format!("/item/{}", uuid_of(&ring));
    for (name, layout) in LAYOUTS {
        for (kind_name, kind) in [
            ("JEWELLERY_TAG", LabelKind::JewelleryTag),
            ("SHELF", LabelKind::Shelf),
            ("CARTON", LabelKind::Carton),
        ] {
            let more = json!({"kind": kind_name, "layout": name, "code": "QR", "locale": "EN"});
            let wanted = input(&[&ring], more);
            let too_small = match kind {
                LabelKind::JewelleryTag => false,
                LabelKind::Shelf => layout == Layout::A4L4731,
                LabelKind::Carton => [Layout::A4L4731, Layout::A4L7651].contains(&layout),
            };
            if too_small {
                let refused = shop.manager.not_done("labelSheetCreate", wanted).await;
                let expected = ("LABEL_TOO_SMALL".to_owned(), "layout".to_owned());
                assert_eq!(refused, [expected], "{kind_name} on {name}");
                continue;
            }
            let pdf = shop.printed(wanted).await;
            let seen = label(&pages(&pdf, DOTS)[0], layout, kind, 0).scan();
            let [(pattern, address)] = &seen[..] else {
                panic!("one code on {kind_name} on {name}: {seen:?}")
            };
            assert_eq!(pattern, "QR-Code");
            assert!(address.ends_with(&ends), "{address}");
            let scan = "query($code: String!) { scan(code: $code) { matchedBy ... on ScannedItem { item { id } } } }";
            let found = shop.manager.ok(scan, json!({"code": address})).await;
            assert_eq!(
                found["scan"],
                json!([{"matchedBy": "ID", "item": {"id": ring}}])
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scanners_read_every_pattern_of_bars_on_a_printed_page() {
    let shop = Shop::open().await;
    let codes = [
        ("EAN-13", "4006381333931"),
        ("EAN-8", "96385074"),
        ("UPC-A", "036000291452"),
        ("I2/5", "10012345678902"),
        ("CODE-128", "RING-0001"),
        ("CODE-128", "a <b> & 12345678"),
        ("CODE-128", "1234567"),
    ];
    let mut ids = Vec::new();
    for ((_, code), number) in codes.iter().zip(1..) {
        ids.push(shop.ring(&format!("R{number}"), code, json!({})).await);
    }
    let plain = shop.ring("ONLY-SKU-1", "", json!({})).await;
    ids.push(plain);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    for (kind_name, kind, name, layout) in [
        ("SHELF", LabelKind::Shelf, "A4_L7160", Layout::A4L7160),
        (
            "CARTON",
            LabelKind::Carton,
            "LETTER_5163",
            Layout::Letter5163,
        ),
        ("CARTON", LabelKind::Carton, "ROLL", Layout::Roll),
        ("SHELF", LabelKind::Shelf, "ROLL", Layout::Roll),
    ] {
        let more = json!({"kind": kind_name, "layout": name, "locale": "EN"});
        let pdf = shop.printed(input(&ids, more)).await;
        let pages = pages(&pdf, DOTS);
        let expected = codes.into_iter().chain([("CODE-128", "ONLY-SKU-1")]);
        for ((pattern, code), place) in expected.zip(0..) {
            let on_page = layout.grid(kind).labels();
            let page = &pages[usize::try_from(place / on_page).unwrap()];
            let seen = label(page, layout, kind, place % on_page).scan();
            let expected = (pattern.to_owned(), code.to_owned());
            assert_eq!(seen, [expected], "{kind_name} on {name}, {place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bars_that_would_be_too_fine_give_way_to_a_qr_code() {
    let shop = Shop::open().await;
    let long = "W".repeat(80);
    let first = shop.ring("R1", &long, json!({})).await;
    // An EAN-13 needs 31 mm at four fifths of its size, and a leaf of the tag has 25.
    let second = shop.ring("R2", "4006381333931", json!({})).await;
    let tag = json!({"kind": "JEWELLERY_TAG", "layout": "ROLL"});
    let pdf = shop.printed(input(&[&first, &second], tag)).await;
    for (page, id) in pages(&pdf, DOTS).iter().zip([&first, &second]) {
        let seen = page.scan();
        assert_eq!((seen.len(), &*seen[0].0), (1, "QR-Code"));
        assert!(seen[0].1.ends_with(&uuid_of(id).to_string()), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_page_of_the_smallest_labels_is_read_code_by_code() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(shop.ring(&format!("R{number}"), "", json!({})).await);
    }
    let more = json!({"kind": "JEWELLERY_TAG", "layout": "A4_L4731", "code": "QR", "copies": 27, "locale": "FA"});
    let all: Vec<_> = ids.iter().map(String::as_str).collect();
    let pdf = shop.printed(input(&all, more)).await;
    let printed = pages(&pdf, DOTS);
    assert_eq!(printed.len(), 1);
    let grid = Layout::A4L4731.grid(LabelKind::JewelleryTag);
    for (id, number) in ids.iter().zip(0..) {
        // The last copy of each, in Persian counted from the right.
        let (left, top) = grid.corner(number * 27 + 26, true);
        let room = [left, top, grid.label.0, grid.label.1].map(|length| pixels(length, DOTS));
        let seen = printed[0].cut(room).scan();
        assert!(
            seen.len() == 1 && seen[0].1.ends_with(&uuid_of(id).to_string()),
            "{number}: {seen:?}"
        );
    }
}
