//! Labels stand where the sheet has them.

use domain::label::{LabelKind, Layout};
use serde_json::json;
use tests::paper::{pages, size};

use super::{Shop, input, pixels};

/// Coarse: edges are told to a tenth of a millimetre.
const DOTS: u32 = 254;

#[tokio::test(flavor = "multi_thread")]
async fn labels_begin_where_they_shall_and_keep_to_their_places() {
    let shop = Shop::open().await;
    let ring = shop.ring("RING-1", "4006381333931", json!({})).await;
    for (name, layout) in [
        ("A4_L7160", Layout::A4L7160),
        ("A4_L7163", Layout::A4L7163),
        ("A4_L7651", Layout::A4L7651),
        ("LETTER_5160", Layout::Letter5160),
        ("LETTER_5163", Layout::Letter5163),
    ] {
        let grid = layout.grid(LabelKind::Shelf);
        let all = grid.labels();
        // The last two places of the first page, all of the second, and the first of the third.
        let copies = 2 + all + 1;
        for (locale, from_the_right) in [("EN", false), ("FA", true)] {
            let more =
                json!({"layout": name, "startAt": all - 1, "copies": copies, "locale": locale});
            let pdf = shop.printed(input(&[&ring], more)).await;
            let printed = pages(&pdf, DOTS);
            assert_eq!(printed.len(), 3, "{name}");
            for (page, places) in printed.iter().zip([all - 2..all, 0..all, 0..1]) {
                let mut page = page.clone();
                for place in 0..all {
                    let (left, top) = grid.corner(place, from_the_right);
                    let room = [left, top, grid.label.0, grid.label.1];
                    let room = room.map(|length| pixels(length, DOTS));
                    assert_eq!(
                        page.has_ink(room),
                        places.contains(&place),
                        "{name}: {place}"
                    );
                    page.erase(room);
                }
                let whole = [0, 0, page.width(), page.height()];
                assert!(!page.has_ink(whole), "{name}: nothing is beside the labels");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_the_size_of_the_paper() {
    let shop = Shop::open().await;
    let ring = shop.ring("RING-1", "4006381333931", json!({})).await;
    for (kind, layout, points) in [
        ("SHELF", "A4_L7160", "595.276 x 841.89"),
        ("SHELF", "LETTER_5160", "612 x 792"),
        ("JEWELLERY_TAG", "ROLL", "204.094 x 34.0157"),
        ("SHELF", "ROLL", "170.079 x 113.386"),
        ("CARTON", "ROLL", "283.465 x 425.197"),
    ] {
        let more = json!({"kind": kind, "layout": layout, "copies": 3});
        let pdf = shop.printed(input(&[&ring], more)).await;
        assert_eq!(size(&pdf), points, "{kind} on {layout}");
        let expected = if layout == "ROLL" { 3 } else { 1 };
        assert_eq!(pages(&pdf, 30).len(), expected, "{kind} on {layout}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_selects_what_passes_it_when_it_is_asked() {
    let shop = Shop::of(tests::app::TestApp::start().await).await;
    for number in 1..=3 {
        shop.ring(&format!("RING-{number}"), "", json!({})).await;
    }
    shop.ring("PEN-1", "", json!({})).await;
    let filter =
        json!({"where": {"sku": {"startsWith": "RING"}}, "kind": "CARTON", "layout": "ROLL"});
    let sheet = shop.ask(filter).await;
    shop.ring("RING-4", "", json!({})).await;
    let _worker = shop.app.worker();
    let files = shop.files(&shop.manager, &sheet).await;
    let texts = tests::paper::texts(&files[0].2);
    assert_eq!(texts.len(), 3);
    for (text, sku) in texts.iter().zip(["RING-1", "RING-2", "RING-3"]) {
        assert!(text.contains(sku), "{sku} in {text}");
    }
}
