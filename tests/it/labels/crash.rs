//! A job that is cut off, or comes twice, leaves one file.

use apalis::prelude::Data;
use sea_orm::sqlx;
use serde_json::json;
use tests::{
    app::TestApp,
    wait::{PATIENCE, until},
};
use worker::runner::{self, Message};

use super::{Shop, input};

const FILES: &str = "SELECT count(*) FROM job_file";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_twice_has_one_file() {
    let shop = Shop::of(TestApp::start().await).await;
    let ring = shop.ring("RING-1", "4006381333931", json!({})).await;
    shop.ask(input(&[&ring], json!({}))).await;
    let job = shop.label_jobs().await.remove(0);
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
        "UPDATE job SET state = 'running', finished_at = NULL, progress = 0 WHERE kind = 'label.print'",
    ] {
        sqlx::query(sql).execute(shop.app.sql()).await.unwrap();
    }
    runner::handle(message(), Data::new(context)).await.unwrap();
    assert_eq!(shop.app.count(FILES).await, 1);
    assert!(blob().await == first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_leaves_one_file_and_no_trace() {
    let app = TestApp::builder()
        .set("GOLDSHOP_WORKER__LEASE_SECONDS", 3)
        .start()
        .await;
    let shop = Shop::of(app).await;
    let ring = shop.ring("RING-1", "4006381333931", json!({})).await;
    let sheet = shop.ask(input(&[&ring], json!({}))).await;
    // Whoever wants to give a job its files waits, in the middle of the transaction that ends it.
    let mut held = shop.app.sql().begin().await.unwrap();
    sqlx::query("LOCK TABLE job_file IN SHARE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let mut worker = shop.app.worker_process().await;
    let waiting =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'job_file'::regclass";
    until(PATIENCE, "the file is about to be written", async || {
        shop.app.count(waiting).await > 0
    })
    .await;
    worker.kill();
    drop(held);
    let _heir = shop.app.worker_process().await;
    let files = shop.files(&shop.manager, &sheet).await;
    assert_eq!(files.len(), 1);
    let about = shop.label_jobs().await.remove(0);
    assert_eq!(about.standing(), ("succeeded", 2));
    assert_eq!(shop.app.count(FILES).await, 1);
}
