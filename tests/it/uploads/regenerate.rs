//! All pictures anew.

use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{app::TestApp, picture::small, wait::PATIENCE};

use super::{ring, stored};

const IMAGES: &str =
    "query($id: ID!) { item(by: {id: $id}) { images { id state renditions { url } } } }";

async fn images(app: &TestApp, actor: &tests::actor::Actor, item: &str) -> Vec<Value> {
    app.until_done(PATIENCE * 3).await;
    let found = actor.ok(IMAGES, json!({"id": item})).await;
    found["item"]["images"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_is_made_again_even_when_workers_are_killed() {
    let app = TestApp::start().await;
    let (manager, item) = ring(&app).await;
    for shade in 0..40 {
        manager.picture(&item, small(shade)).await;
    }
    let worker = app.worker();
    let before = images(&app, &manager, &item).await;
    worker.stop().await;
    // Some of so small pictures are the same.
    let files = stored(&app, "rendition");
    assert!(files.len() > 300, "{}", files.len());
    for file in &files {
        std::fs::remove_file(file).unwrap();
    }
    let input = json!({"idempotencyKey": "anew"});
    let job = manager.done("itemImagesRegenerate", input.clone()).await["job"].take();
    assert_eq!(job["kind"], "item.regenerate_images");
    let again = manager.done("itemImagesRegenerate", input).await["job"].take();
    assert_eq!(again["id"], job["id"]);
    // Each is killed as soon as it has got somewhere.
    for round in 1..=3 {
        let mut program = app.worker_process().await;
        tests::wait::until(PATIENCE, "some pictures are there", async || {
            stored(&app, "rendition").len() > round * 80
        })
        .await;
        program.kill();
    }
    let _worker = app.worker();
    assert_eq!(images(&app, &manager, &item).await, before);
    // But for what was just being written when a worker was killed, which no key reaches.
    let whole = stored(&app, "rendition").into_iter();
    let whole = whole.filter(|file| !file.to_string_lossy().contains('#'));
    assert_eq!(whole.count(), files.len());
    let of_it = "SELECT count(*) FROM event WHERE payload->>'action' = 'item.image_rendered'";
    let told: i64 = sqlx::query_scalar(of_it)
        .fetch_one(app.sql())
        .await
        .unwrap();
    assert_eq!(told, 80, "once when they came, and once anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_whose_upload_is_gone_keeps_what_it_has() {
    let app = TestApp::builder().with_worker().start().await;
    let (manager, item) = ring(&app).await;
    for shade in 0..3 {
        manager.picture(&item, small(shade)).await;
    }
    let before = images(&app, &manager, &item).await;
    std::fs::remove_file(&stored(&app, "original")[0]).unwrap();
    let job = manager.done("itemImagesRegenerate", json!({})).await["job"].take();
    assert_eq!(images(&app, &manager, &item).await, before);
    let asked = "query($id: ID!) { job(id: $id) { state progress } }";
    let ended = manager.ok(asked, json!({"id": job["id"]})).await["job"].take();
    assert_eq!(ended, json!({"state": "SUCCEEDED", "progress": 100}));
}
