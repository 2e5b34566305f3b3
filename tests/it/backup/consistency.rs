//! A backup is of one moment, however much goes on meanwhile; and it holds nobody up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Instant,
};

use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_of_one_moment_while_a_writer_posts_all_the_time() {
    let shop = Arc::new(Shop::open().await);
    let (stop, posted, slowest) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicU32::new(0)),
    );
    let writers = (0..2).map(|writer| {
        let (shop, stop, posted, slowest) = (
            Arc::clone(&shop),
            Arc::clone(&stop),
            Arc::clone(&posted),
            Arc::clone(&slowest),
        );
        tokio::spawn(async move {
            let mut round = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                round += 1;
                let begun = Instant::now();
                shop.post(round + 1).await;
                shop.manager.receive(&shop.ring, &shop.tray, 1).await;
                // An item takes fifty pictures.
                if round.is_multiple_of(8) && round < 160 {
                    let shade = u8::try_from(round / 4).unwrap() + writer;
                    shop.manager.picture(&shop.ring, small(shade)).await;
                    shop.seal().await;
                }
                posted.fetch_add(1, Ordering::Relaxed);
                slowest.fetch_max(
                    u32::try_from(begun.elapsed().as_millis()).unwrap(),
                    Ordering::Relaxed,
                );
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut folders = Vec::new();
    for _ in 0..2 {
        let before = posted.load(Ordering::Relaxed);
        folders.push(shop.backup().await);
        let during = posted.load(Ordering::Relaxed) - before;
        assert!(
            during > 3,
            "only {during} were posted while a backup was made"
        );
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    for folder in &folders {
        shop.assert_sound(folder).await;
    }
    let entries = |folder: &Path| {
        manifest(folder)["facts"]["rows"]["public.journal_entry"]
            .as_i64()
            .unwrap()
    };
    assert!(entries(&folders[0]) < entries(&folders[1]));
    // What debits and credits add up to is the same in each.
    for folder in &folders {
        let totals = &manifest(folder)["facts"]["totals"];
        assert_eq!(totals["journal.debit.IRR"], totals["journal.credit.IRR"]);
        assert_ne!(totals["trail.seal"], json!(null));
    }
    let slowest = slowest.load(Ordering::Relaxed);
    assert!(slowest < 20_000, "somebody waited for {slowest} ms");
}
