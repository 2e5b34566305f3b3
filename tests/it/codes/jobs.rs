//! A job that is taken back leaves nothing; one that comes twice leaves one file.

use std::{path::Path, time::Duration};

use apalis::prelude::Data;
use sea_orm::sqlx;
use serde_json::json;
use tests::{app::TestApp, wait::PATIENCE, work::JobRow};
use worker::runner::{self, Message};

use super::{Shop, logo};

const FILES: &str = "SELECT count(*) FROM job_file";

async fn job(shop: &Shop) -> JobRow {
    let mut jobs = shop.app.jobs().await;
    jobs.retain(|job| job.kind == "code.draw");
    jobs.remove(0)
}

/// Files below this folder.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_while_it_draws_leaves_no_file() {
    let shop = Shop::of(TestApp::start().await).await;
    // Nobody else waits for items, with a connection in their hands.
    shop.app
        .execute("DELETE FROM job WHERE kind = 'item.render_code'")
        .await;
    shop.ask(json!({"itemIds": shop.items}), logo()).await;
    // Whoever wants to know what items are called waits.
    let mut held = shop.app.sql().begin().await.unwrap();
    sqlx::query("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let worker = shop.app.worker_process().await;
    let is = |standing| {
        move |jobs: &[JobRow]| {
            jobs.iter()
                .any(|job| job.kind == "code.draw" && job.standing() == standing)
        }
    };
    shop.app
        .until_jobs(PATIENCE, "it runs", is(("running", 1)))
        .await;
    let id = job(&shop).await.global_id();
    shop.manager.done("jobCancel", json!({"id": id})).await;
    shop.app
        .until_jobs(
            Duration::from_secs(10),
            "it is cancelled",
            is(("cancelled", 1)),
        )
        .await;
    worker.says("job cancelled").await;
    drop(held);
    assert_eq!(shop.app.count(FILES).await, 0);
    assert_eq!(files(&shop.app.media().join("job")), 0);
    // The next one finds the permits that the cancelled one had.
    let batch = shop.ask(json!({"lotIds": shop.lots}), None).await;
    shop.file(&batch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_twice_has_one_file() {
    let shop = Shop::of(TestApp::start().await).await;
    shop.ask(json!({"lotIds": shop.lots, "picture": "PNG"}), logo())
        .await;
    let job = job(&shop).await;
    let context = worker::service::context(&shop.app.config()).unwrap();
    let message = || Message {
        job: job.id,
        request_id: None,
    };
    for _ in 0..2 {
        runner::handle(message(), Data::new(context.clone()))
            .await
            .unwrap();
    }
    assert_eq!(shop.app.count(FILES).await, 1);
    // Had the first attempt been lost, the second would have made the same file.
    let blob = async || {
        let sql = "SELECT blob_key FROM job_file";
        let key: String = sqlx::query_scalar(sql)
            .fetch_one(shop.app.sql())
            .await
            .unwrap();
        std::fs::read(shop.app.media().join(key)).unwrap()
    };
    let first = blob().await;
    for sql in [
        "DELETE FROM job_file",
        "UPDATE job SET state = 'running', finished_at = NULL, progress = 0 WHERE kind = 'code.draw'",
    ] {
        sqlx::query(sql).execute(shop.app.sql()).await.unwrap();
    }
    runner::handle(message(), Data::new(context)).await.unwrap();
    assert_eq!(shop.app.count(FILES).await, 1);
    assert!(blob().await == first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_turns_out_to_be_damaged_ends_the_job() {
    let shop = Shop::of(TestApp::start().await).await;
    shop.ask(json!({"itemIds": shop.items}), logo()).await;
    // It was whole, or it would not have been taken.
    let broken = "UPDATE code_batch SET logo = substring(logo FROM 1 FOR octet_length(logo) / 2)";
    sqlx::query(broken).execute(shop.app.sql()).await.unwrap();
    let _worker = shop.app.worker();
    shop.app
        .until_jobs(PATIENCE, "it is given up", |jobs| {
            jobs.iter()
                .any(|job| job.kind == "code.draw" && job.standing() == ("dead", 1))
        })
        .await;
    let error = job(&shop).await.error.unwrap_or_default();
    assert!(error.contains("damaged"), "{error}");
    assert_eq!(shop.app.count(FILES).await, 0);
}
