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

/// What ZBar or rqrr reads on it.
fn read(page: &Page) -> Vec<String> {
    let scanned = page.scan().into_iter().map(|(_, text)| text);
    scanned.chain(page.decode()).collect()
}

/// How many files there are in an archive, and what one in ten of them says.
fn one_in_ten(archive: &[u8], look: impl Fn(&[u8]) -> Page) -> (usize, HashSet<String>) {
    let files = unzipped(archive);
    let some = files.iter().step_by(10);
    let read = some.flat_map(|(_, bytes)| read(&look(bytes)));
    (files.len(), read.collect())
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
        let (codes, found, looked_at) = match picture {
            None => {
                let pages = pages(&bytes, 200);
                let found: HashSet<_> = pages.iter().flat_map(read).collect();
                (pages.len() * 20, found, 1_000)
            }
            Some("PNG") => {
                let (files, found) = one_in_ten(&bytes, Page::picture);
                (files, found, 100)
            }
            Some(_) => {
                let (files, found) = one_in_ten(&bytes, |bytes| Page::drawing(bytes, 400));
                (files, found, 100)
            }
        };
        assert_eq!(codes, 1_000, "{format} {picture:?}");
        // Both give up on a few of very many, with twenty on a page and a picture in the middle of each: those that `read_again` shows them one by
        // one they read all.
        let found = found.len();
        println!("{found} of {looked_at} are read");
        assert!(found <= looked_at, "{format} {picture:?}: {found}");
        assert!(found * 10 >= looked_at * 9, "{format} {picture:?}: {found}");
    }
}
