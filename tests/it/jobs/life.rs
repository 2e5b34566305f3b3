//! The life of a job that goes well: an item's QR code.

use serde_json::{Value, json};
use tests::{
    app::TestApp,
    wait::{PATIENCE, until},
    work::uuid_of,
};

use super::JOB;

const CODE: &str = "query($id: ID!) { item(by: {id: $id}) { version qrCode { svgUrl pngUrl } } }";
const PROGRESS: &str = "subscription($after: EventPosition, $job: ID) {
    jobProgress(after: $after, jobId: $job) { position job { id state progress attempts } }
}";
const ITEMS: &str = "subscription($after: EventPosition) {
    itemChanged(after: $after) { action item { id qrCode { pngUrl } } }
}";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_runs_and_succeeds_before_its_owners_eyes() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let after = app.position().await;
    let item = manager.item("RING-1", &category).await;
    let id = app.job_about(&item).await.global_id();
    let look = async || manager.ok(JOB, json!({"id": id})).await["job"].clone();
    let expected = json!({"kind": "item.render_code", "queue": "codes", "state": "QUEUED", "attempts": 0,
        "progress": 0, "error": null, "startedAt": null, "finishedAt": null});
    let waiting = look().await;
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&waiting[member], value, "{member} of {waiting}");
    }

    let held = app.hold_items(&[&item]).await;
    let worker = app.worker();
    until(PATIENCE, "the job runs", async || {
        look().await["state"] == "RUNNING"
    })
    .await;
    let running = look().await;
    assert_eq!(
        (&running["attempts"], &running["finishedAt"]),
        (&json!(1), &Value::Null)
    );
    assert!(running["startedAt"].is_string());
    drop(held);

    until(PATIENCE, "the job succeeds", async || {
        look().await["state"] == "SUCCEEDED"
    })
    .await;
    let done = look().await;
    assert_eq!(
        (&done["attempts"], &done["progress"]),
        (&json!(1), &json!(100))
    );
    assert!(done["finishedAt"].is_string() && done["error"].is_null());
    worker.stop().await;

    let mut progress = manager
        .subscribe(PROGRESS, json!({"after": after, "job": id}))
        .await;
    let first = progress.next().await["jobProgress"].clone();
    let last = progress.next().await["jobProgress"].clone();
    assert_eq!(
        (&first["job"]["id"], &last["job"]["id"]),
        (&json!(id), &json!(id))
    );
    assert_eq!(last["job"]["state"], "SUCCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_item_gets_a_code_that_scanners_read() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let mut changes = manager
        .subscribe(ITEMS, json!({"after": app.position().await}))
        .await;
    let item = manager.item("RING-1", &category).await;
    let created = changes.next().await["itemChanged"].clone();
    assert_eq!(
        (&created["action"], &created["item"]["id"]),
        (&json!("item.create"), &json!(item))
    );
    let rendered = changes.next().await["itemChanged"].clone();
    assert_eq!(
        (&rendered["action"], &rendered["item"]["id"]),
        (&json!("item.code_rendered"), &json!(item))
    );

    let found = manager.ok(CODE, json!({"id": item})).await["item"].clone();
    assert_eq!(
        found["qrCode"]["pngUrl"],
        rendered["item"]["qrCode"]["pngUrl"]
    );
    assert_eq!(
        found["version"], 1,
        "a drawn code is no change that somebody could have missed"
    );
    let (media_type, png) = fetch(&app, &found["qrCode"]["pngUrl"]).await;
    assert_eq!(media_type, "image/png");
    assert_eq!(
        scanned(&png),
        format!("{}/item/{}", app.url(), uuid_of(&item))
    );
    let (media_type, svg) = fetch(&app, &found["qrCode"]["svgUrl"]).await;
    assert_eq!(media_type, "image/svg+xml");
    assert!(String::from_utf8(svg).unwrap().contains("<svg"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_id_travels_into_the_job_and_its_events() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let named = manager.with_header("x-request-id", "from-the-till-42");
    let item = named.item("RING-1", &category).await;
    app.until_done(PATIENCE).await;
    let job = app.job_about(&item).await;
    let seen = manager.ok(JOB, json!({"id": job.global_id()})).await;
    assert_eq!(seen["job"]["requestId"], "from-the-till-42");
    let strangers = "SELECT count(*) FROM event WHERE aggregate_type <> 'category' AND request_id IS DISTINCT FROM 'from-the-till-42'";
    assert_eq!(app.count(strangers).await, 0);
    // Created, drawn; begun, done.
    assert_eq!(
        app.count("SELECT count(*) FROM event WHERE aggregate_type <> 'category'")
            .await,
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_jobs_sees_none() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    let id = json!({"id": app.job_about(&item).await.global_id()});
    assert_eq!(
        app.anonymous().gql(JOB, id.clone()).await.codes(),
        ["UNAUTHENTICATED"]
    );
    let user = app.user("manager").await;
    let only_read = [domain::Permission::CatalogueRead].into_iter().collect();
    let secret = app
        .token(&user, Some(only_read), chrono::TimeDelta::hours(1))
        .await;
    let narrow = app.anonymous().with_token(&secret);
    assert_eq!(narrow.gql(JOB, id).await.codes(), ["FORBIDDEN"]);
}

async fn fetch(app: &TestApp, url: &Value) -> (String, Vec<u8>) {
    let answer = app
        .anonymous()
        .get(url.as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let media_type = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    (media_type, answer.bytes().await.unwrap().to_vec())
}

/// What a scanner reads in this picture.
fn scanned(png: &[u8]) -> String {
    let picture = image::load_from_memory(png).unwrap().to_luma8();
    let (width, height) = (
        picture.width().try_into().unwrap(),
        picture.height().try_into().unwrap(),
    );
    let brightness = |x: usize, y: usize| picture.as_raw()[y * width + x];
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, brightness);
    let grids = prepared.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}
