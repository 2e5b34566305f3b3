//! The most codes that one request may ask for take little memory and time; and each of them is read again.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use sea_orm::sqlx;
use serde_json::json;
use tests::{
    app::TestApp,
    paper::{Page, pages, unzipped},
};

use super::{Shop, logo};

const MEBIBYTE: u64 = 1024 * 1024;
/// What a worker may have in memory while it draws the most codes there can be.
const MEMORY: u64 = 200 * MEBIBYTE;
/// How long a file may take, with a program that was built for debugging, on a machine that is busy.
const TIME: Duration = Duration::from_secs(90);

/// A thousand and one items like one that is there.
const COPIES: &str = "INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, attributes, created_at, updated_at)
    SELECT gen_random_uuid(), i.kind, 'BULK-' || n, i.name, i.category_id, i.unit_id, i.tracking, i.attributes, i.created_at, i.updated_at
    FROM (SELECT * FROM item LIMIT 1) i, generate_series(1, 1001) n";

/// As a page is seen, in dots per inch.
const DOTS: u32 = 200;
/// Left and upper edge of the first code on a page and from one to the next, in micrometres; and how many there are across and down.
const FIRST: (i32, i32) = (10_000, 11_000);
const CELL: (i32, i32) = (47_500, 55_000);
const CODES: (i32, i32) = (4, 5);

/// What the codes of a page say, each looked at alone, as a telephone does: rqrr takes the corners of twenty for one another's.
fn by_cell(page: &Page) -> Vec<String> {
    let pixels = |length: i32| {
        let dots = i64::from(length) * i64::from(DOTS) / 25_400;
        usize::try_from(dots).unwrap()
    };
    let places = (0..CODES.1).flat_map(|row| (0..CODES.0).map(move |column| (column, row)));
    places
        .flat_map(|(column, row)| {
            let (left, top) = (FIRST.0 + CELL.0 * column, FIRST.1 + CELL.1 * row);
            page.cut([left, top, CELL.0, CELL.1].map(pixels)).decode()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_codes_take_little_memory_and_time_and_no_more_are_taken() {
    let shop = Shop::of(TestApp::start().await).await;
    sqlx::query(COPIES).execute(shop.app.sql()).await.unwrap();
    let all = json!({"where": {"sku": {"startsWith": "BULK"}}});
    let refused = shop.refused(all.clone(), None).await;
    assert_eq!(refused, [("TOO_MANY".to_owned(), "where".to_owned())]);
    let one_less = "UPDATE item SET sku = 'OTHER' WHERE sku = 'BULK-1001'";
    sqlx::query(one_less).execute(shop.app.sql()).await.unwrap();
    let worker = shop.app.worker_process().await;
    for (format, picture) in [("PDF", None), ("ZIP", Some("SVG")), ("ZIP", Some("PNG"))] {
        let mut input = all.clone();
        input["format"] = json!(format);
        input["picture"] = json!(picture);
        let start = Instant::now();
        let batch = shop.ask(input, logo()).await;
        let (_, _, bytes) = shop.file(&batch).await;
        let (took, most) = (start.elapsed(), worker.memory("VmHWM"));
        println!(
            "{format} {picture:?}: {took:?}, {} MiB, {} bytes",
            most / MEBIBYTE,
            bytes.len()
        );
        assert!(took < TIME, "{took:?}");
        assert!(most < MEMORY, "{} MiB", most / MEBIBYTE);
        let codes: HashSet<_> = match picture {
            None => pages(&bytes, DOTS).iter().flat_map(by_cell).collect(),
            Some("PNG") => unzipped(&bytes)
                .iter()
                .flat_map(|(_, bytes)| Page::picture(bytes).decode())
                .collect(),
            // A program that draws them takes a while for each: one in ten.
            Some(_) => unzipped(&bytes)
                .iter()
                .step_by(10)
                .flat_map(|(_, bytes)| Page::drawing(bytes, 400).decode())
                .collect(),
        };
        let expected = if picture == Some("SVG") { 100 } else { 1_000 };
        assert_eq!(codes.len(), expected, "{format} {picture:?}");
    }
}
