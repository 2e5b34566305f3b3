//! A job that dies takes nobody's hope along: whoever waits for its picture is told that it will not come.

use domain::{Permission, Viewer, job::Failed};
use entity::id::JobId;
use sea_orm::sqlx;
use serde_json::json;
use tests::{actor::Actor, app::TestApp, picture::small, wait::PATIENCE, work::uuid_of};

const IMAGES: &str = "query($id: ID!) { item(by: {id: $id}) { images { state failure } } }";

/// An item with a picture whose job is all there is to do.
async fn pictured(app: &TestApp, manager: &Actor) -> String {
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    sqlx::query("DELETE FROM job")
        .execute(app.sql())
        .await
        .unwrap();
    manager.picture(&item, small(1)).await;
    item
}

async fn is_given_up(app: &TestApp, manager: &Actor, item: &str) {
    app.until_jobs(PATIENCE, "the job is dead", |jobs| jobs[0].state == "dead")
        .await;
    let seen = manager.ok(IMAGES, json!({"id": item})).await;
    assert_eq!(
        seen["item"]["images"],
        json!([{"state": "FAILED", "failure": "GAVE_UP"}])
    );
    assert_eq!(
        app.events_of("item.image_failed").await,
        [(uuid_of(item), 1)].into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_whose_file_is_gone_has_failed() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = pictured(&app, &manager).await;
    std::fs::remove_dir_all(app.media().join("original")).unwrap();
    let _worker = app.worker();
    is_given_up(&app, &manager, &item).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_has_failed_when_its_last_attempt_has() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = pictured(&app, &manager).await;
    std::fs::write(app.media().join("rendition"), "in the way").unwrap();
    sqlx::query("UPDATE job SET max_attempts = 1")
        .execute(app.sql())
        .await
        .unwrap();
    let _worker = app.worker();
    is_given_up(&app, &manager, &item).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_kills_every_worker_has_failed_and_the_last_error_is_kept() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = pictured(&app, &manager).await;
    sqlx::query(
        "UPDATE job SET state = 'running', attempts = max_attempts, error = 'disk full', relayed_at = created_at - interval '1 hour'",
    )
    .execute(app.sql())
    .await
    .unwrap();
    let _worker = app.worker();
    is_given_up(&app, &manager, &item).await;
    let error = app.jobs().await[0].error.clone().unwrap();
    assert!(error.starts_with("disk full"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_any_text_ends_an_attempt_and_no_person_can() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    pictured(&app, &manager).await;
    let id = JobId(app.jobs().await[0].id);
    let (jobs, system) = (app.domain().jobs(), Viewer::system("test"));
    let user = app.user("owner").await;
    let access = app.domain().users().by_login(user.id).await;
    let known = access.unwrap().unwrap().user;
    assert!(known.permissions.contains(Permission::JobManage));
    let person = Viewer {
        identity: domain::Identity::User(known),
        ..Viewer::anonymous()
    };
    assert!(jobs.start(&person, id).await.is_err());
    jobs.start(&system, id).await.unwrap();
    assert!(jobs.fail(&person, id, 1, "mine", false).await.is_err());
    let failed = jobs.fail(&system, id, 1, "a\0b", true).await.unwrap();
    assert_eq!(failed, Failed::Again);
    assert_eq!(app.jobs().await[0].standing(), ("failed", 1));
}
