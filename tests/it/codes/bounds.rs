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
            None => pages(&bytes, 200).iter().flat_map(Page::decode).collect(),
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
