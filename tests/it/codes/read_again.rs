//! Every code that is made is read again by two decoders that share nothing with what made it, ZBar and rqrr; and leads to what it is of.

use serde_json::{Value, json};
use tests::paper::{Page, pages, texts, unzipped};

use super::{Named, Shop, logo};

const SCAN: &str = "query($code: String!) { scan(code: $code) { matchedBy
    ... on ScannedItem { item { id } } ... on ScannedLot { lot { id item { sku } } } ... on ScannedLocation { location { id code } } } }";

/// Each level that there may be, and whether there is a picture in the middle.
const WAYS: [(&str, bool); 6] = [
    ("L", false),
    ("M", false),
    ("Q", false),
    ("H", false),
    ("Q", true),
    ("H", true),
];

/// What both decoders read on it, which is the same.
fn read(page: &Page, about: &str) -> Vec<String> {
    let scanned = page.scan();
    assert!(scanned.iter().all(|(pattern, _)| pattern == "QR-Code"));
    let mut scanned: Vec<_> = scanned.into_iter().map(|(_, text)| text).collect();
    let mut decoded = page.decode();
    scanned.sort();
    decoded.sort();
    assert_eq!(scanned, decoded, "{about}");
    scanned
}

/// As a name in an archive.
fn file_name(title: &str, ending: &str) -> String {
    let safe: String = title
        .chars()
        .map(|c| if " /#".contains(c) { '_' } else { c })
        .collect();
    format!("{safe}.{ending}")
}

/// Each picture in the archive is the code of what it is called after.
fn check_archive(archive: &[u8], ending: &str, expected: &Named, about: &str) {
    let files = unzipped(archive);
    assert_eq!(files.len(), expected.len(), "{about}");
    for ((name, bytes), (title, says)) in files.iter().zip(expected) {
        // `TRAY/2` and `TRAY#2` are the same where neither character may stand.
        let is_second = title == "TRAY#2";
        let numbered = file_name(&format!("{title}-2"), ending);
        let plain = file_name(title, ending);
        assert_eq!(name, if is_second { &numbered } else { &plain }, "{about}");
        let page = match ending {
            "svg" => Page::drawing(bytes, 500),
            _ => Page::picture(bytes),
        };
        let seen = read(&page, about);
        assert!(
            seen.len() == 1 && seen[0].ends_with(says),
            "{about}: {name} says {seen:?}"
        );
    }
}

fn check_pages(pdf: &[u8], expected: &Named, about: &str) {
    let pages = pages(pdf, 300);
    assert_eq!(pages.len(), 1, "{about}");
    let seen = read(&pages[0], about);
    assert_eq!(seen.len(), expected.len(), "{about}: {seen:?}");
    let words = &texts(pdf)[0];
    for (title, says) in expected {
        assert!(seen.iter().any(|code| code.ends_with(says)), "{about}");
        // What is beside Persian letters is moved by whoever extracts text, not by us.
        assert!(
            !title.is_ascii() || words.contains(&**title),
            "{about}: {title} in {words}"
        );
    }
}

async fn all_ways(place: usize) {
    let shop = Shop::open().await;
    let (field, ids, expected) = shop.subjects().into_iter().nth(place).unwrap();
    let mut asked = Vec::new();
    for (level, has_logo) in WAYS {
        for (format, picture) in [
            ("ZIP", json!("SVG")),
            ("ZIP", json!("PNG")),
            ("PDF", Value::Null),
        ] {
            let input = json!({field: ids, "format": format, "picture": picture, "level": level});
            let logo = has_logo.then(logo).flatten();
            let batch = shop.ask(input, logo).await;
            asked.push((
                format!("{level}, {has_logo}, {format}, {picture}"),
                picture,
                batch,
            ));
        }
    }
    for (about, picture, batch) in asked {
        let (name, media_type, bytes) = shop.file(&batch).await;
        let of = field.trim_end_matches("Ids");
        match picture.as_str() {
            Some(picture) => {
                assert_eq!(
                    (name, &*media_type),
                    (format!("codes-{of}s.zip"), "application/zip")
                );
                check_archive(&bytes, &picture.to_lowercase(), &expected, &about);
            }
            None => {
                assert_eq!(
                    (name, &*media_type),
                    (format!("codes-{of}s.pdf"), "application/pdf")
                );
                check_pages(&bytes, &expected, &about);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_of_items_are_read_at_every_level_in_every_file_with_and_without_a_picture() {
    all_ways(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_of_lots_are_read_at_every_level_in_every_file_with_and_without_a_picture() {
    all_ways(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_of_locations_are_read_at_every_level_in_every_file_with_and_without_a_picture() {
    all_ways(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_scans_a_code_finds_what_it_is_of() {
    let shop = Shop::open().await;
    for (field, ids, _) in shop.subjects() {
        let batch = shop
            .ask(json!({field: ids, "picture": "PNG"}), logo())
            .await;
        let (_, _, archive) = shop.file(&batch).await;
        for ((_, picture), id) in unzipped(&archive).iter().zip(ids) {
            let code = Page::picture(picture).decode().remove(0);
            let found = shop.manager.ok(SCAN, json!({"code": code})).await["scan"].take();
            let thing = field.trim_end_matches("Ids");
            assert_eq!(
                (&found[0]["matchedBy"], &found[0][thing]["id"]),
                (&json!("ID"), &json!(id))
            );
            assert_eq!(found.as_array().unwrap().len(), 1);
        }
    }
    let unknown = "https://shop.example/lot/01930000-0000-7000-8000-000000abcdef";
    let found = shop.manager.ok(SCAN, json!({"code": unknown})).await;
    assert_eq!(found["scan"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_carry_codes_of_the_level_that_was_asked_for() {
    let shop = Shop::open().await;
    for level in ["L", "M", "Q", "H"] {
        let input = json!({"itemIds": [shop.items[0]], "kind": "CARTON", "layout": "ROLL", "code": "QR", "level": level});
        let made = shop.manager.done("labelSheetCreate", input).await;
        let query = "query($id: ID!) { labelSheet(id: $id) { level job { state files { url } } } }";
        let id = made["labelSheet"]["id"].clone();
        let seen = tests::wait::eventually(tests::wait::PATIENCE, "it is drawn", async || {
            let seen = shop.manager.ok(query, json!({"id": id})).await["labelSheet"].take();
            (seen["job"]["state"] == "SUCCEEDED").then_some(seen)
        })
        .await;
        assert_eq!(seen["level"], level);
        let url = seen["job"]["files"][0]["url"].as_str().unwrap();
        let pdf = shop.manager.get(url).send().await.unwrap();
        let pdf = pdf.bytes().await.unwrap();
        let found = pages(&pdf, 600)[0].levels();
        assert_eq!(found, [level], "as rqrr reads it");
    }
}
