//! The most labels that one request may ask for take little memory and time, and few statements.

use std::time::{Duration, Instant};

use sea_orm::sqlx;
use serde_json::json;
use tests::{app::TestApp, paper::texts};

use super::Shop;

const MEBIBYTE: u64 = 1024 * 1024;
/// What a worker may have in memory while it draws the most labels there can be.
const MEMORY: u64 = 200 * MEBIBYTE;
/// How long that may take, with a program that was built for debugging, on a machine that is busy.
const TIME: Duration = Duration::from_secs(60);

/// Ten thousand items like the one that is there, each with a barcode of its own.
const COPIES: &str = "WITH copied AS (
        INSERT INTO item (id, kind, sku, name, category_id, unit_id, tracking, price_amount, price_currency, attributes,
            created_at, updated_at)
        SELECT gen_random_uuid(), kind, 'BULK-' || n, name, category_id, unit_id, tracking, price_amount, price_currency,
            attributes, created_at, updated_at
        FROM item, generate_series(1, 10000) n RETURNING id, sku
    )
    INSERT INTO item_barcode (item_id, barcode, position) SELECT id, sku, 0 FROM copied";

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_labels_take_little_memory_and_time_and_no_more_are_taken() {
    let shop = Shop::of(TestApp::start().await).await;
    shop.ring("RING-1", "4006381333931", json!({})).await;
    sqlx::query(COPIES).execute(shop.app.sql()).await.unwrap();
    let all = json!({"where": {}, "kind": "SHELF", "layout": "A4_L7651"});
    let refused = shop.manager.not_done("labelSheetCreate", all).await;
    assert_eq!(refused, [("TOO_MANY".to_owned(), "where".to_owned())]);
    let bulk = json!({"where": {"sku": {"startsWith": "BULK"}}, "kind": "SHELF", "layout": "A4_L7651", "locale": "FA"});
    let sheet = shop.ask(bulk).await;
    let worker = shop.app.worker_process().await;
    let start = Instant::now();
    let files = shop.files(&shop.manager, &sheet).await;
    let (took, most) = (start.elapsed(), worker.memory("VmHWM"));
    let texts = texts(&files[0].2);
    assert_eq!(texts.len(), 10_000_usize.div_ceil(65));
    assert!(texts[0].contains("BULK-"), "{}", texts[0]);
    println!(
        "{took:?}, {} MiB, {} bytes",
        most / MEBIBYTE,
        files[0].2.len()
    );
    assert!(took < TIME, "{took:?}");
    assert!(most < MEMORY, "{} MiB", most / MEBIBYTE);
}
