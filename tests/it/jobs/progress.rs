//! How jobs get on: what they are at, what came of them, and who hears of it.

use chrono::TimeDelta;
use domain::{Permission, Viewer, job::Started};
use entity::id::JobId;
use serde_json::json;
use tests::{
    app::{PASSWORD, TestApp},
    database::TestDatabase,
    proxy::PostgresProxy,
    subscription::Received,
    wait::PATIENCE,
};

const PROGRESS: &str = "subscription($after: EventPosition, $job: ID, $where: JobWhere) {
    jobProgress(after: $after, jobId: $job, where: $where) { position job { id kind queue state progress message result } }
}";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_says_what_it_is_at_and_what_came_of_it() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let after = app.position().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let job = JobId(app.job_about(&item).await.id);
    let id = app.job_about(&item).await.global_id();
    let (jobs, viewer) = (app.domain().jobs(), Viewer::system("test"));
    let mut heard = manager
        .subscribe(PROGRESS, json!({"after": after, "job": id}))
        .await;
    assert!(matches!(
        jobs.start(&viewer, job).await.unwrap(),
        Started::Attempt { attempt: 1, .. }
    ));
    assert_eq!(heard.next().await["jobProgress"]["job"]["state"], "RUNNING");
    let long = "گ".repeat(300);
    jobs.report_progress(&viewer, job, 1, 40, Some(&long))
        .await
        .unwrap();
    let told = heard.next().await["jobProgress"]["job"].take();
    assert_eq!(told["progress"], 40);
    assert_eq!(told["message"].as_str().unwrap().chars().count(), 200);
    // Without a new message the old one stays; an attempt that does not count says nothing.
    jobs.report_progress(&viewer, job, 1, 50, None)
        .await
        .unwrap();
    jobs.report_progress(&viewer, job, 2, 60, Some("mine"))
        .await
        .unwrap();
    let told = heard.next().await["jobProgress"]["job"].take();
    assert_eq!(
        (&told["progress"], told["message"].is_string()),
        (&json!(50), true)
    );
    let result = json!({"rows": 12});
    jobs.succeed_with(&viewer, job, 1, Some(&result))
        .await
        .unwrap();
    let told = heard.next().await["jobProgress"]["job"].take();
    assert_eq!(
        (&told["state"], &told["progress"], &told["result"]),
        (&json!("SUCCEEDED"), &json!(100), &result)
    );
    // A result without bounds is left out, and fails nobody.
    app.execute("UPDATE job SET state = 'running', finished_at = NULL")
        .await;
    let huge = json!("a".repeat(10_000));
    jobs.succeed_with(&viewer, job, 1, Some(&huge))
        .await
        .unwrap();
    let told = heard.next().await["jobProgress"]["job"].take();
    assert_eq!(
        (&told["state"], &told["result"]),
        (&json!("SUCCEEDED"), &json!(null))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_lets_through_what_passes_it_also_of_the_past() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let after = app.position().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    manager.picture(&item, tests::picture::small(1)).await;
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
    let of_media = json!({"after": after, "where": {"queue": {"eq": "media"}}});
    let mut heard = manager.subscribe(PROGRESS, of_media).await;
    // Begun, decoded, done.
    for _ in 0..2 {
        let job = heard.next().await["jobProgress"]["job"].take();
        assert_eq!(job["kind"], "item.render_image");
    }
    let many: Vec<_> = (0..101).map(|number| number.to_string()).collect();
    let too_many = json!({"where": {"kind": {"in": many}}});
    let mut refused = manager.subscribe(PROGRESS, too_many).await;
    let received = refused.receive().await;
    assert!(format!("{received:?}").contains("TOO_MANY"), "{received:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_jobs_hears_of_their_own_when_they_have_logged_in() {
    let app = TestApp::start().await;
    app.execute("UPDATE role SET permissions = array_remove(permissions, 'job.read') WHERE code = 'manager'")
        .await;
    let user = app.user("manager").await;
    let mine = app.anonymous().logged_in(&user.email, PASSWORD).await;
    let other = app
        .new_user("other@example.com", "manager", domain::locale::Locale::En)
        .await;
    let other = app.anonymous().logged_in(&other.email, PASSWORD).await;
    let after = json!({"after": app.position().await});
    let (mut hears, mut other_hears) = (
        mine.subscribe(PROGRESS, after.clone()).await,
        other.subscribe(PROGRESS, after.clone()).await,
    );
    let category = other.category("Rings", None).await;
    other.item("RING-1", &category).await;
    let item = mine.item("RING-2", &category).await;
    let my_job = app.job_about(&item).await.global_id();
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
    assert_eq!(hears.next().await["jobProgress"]["job"]["id"], my_job);
    assert_ne!(other_hears.next().await["jobProgress"]["job"]["id"], my_job);
    // Not even by its id.
    let by_id = json!({"after": after["after"], "job": my_job});
    let mut nothing = other.subscribe(PROGRESS, by_id).await;
    let wait = std::time::Duration::from_secs(2);
    assert_eq!(nothing.receive_within(wait).await, None);
    // A token does only what it was made for.
    let narrow = [Permission::CatalogueRead].into_iter().collect();
    let token = app.token(&user, Some(narrow), TimeDelta::hours(1)).await;
    let narrow = app.anonymous().with_token(&token);
    let received = narrow.subscribe(PROGRESS, json!({})).await.receive().await;
    let (Received::Error(errors) | Received::Next(errors)) = &received else {
        panic!("{received:?}")
    };
    assert!(errors.to_string().contains("FORBIDDEN"), "{received:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_begins_and_ends_by_a_statement_each() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder().database_url(proxy.url()).start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    let job = JobId(app.job_about(&item).await.id);
    let (jobs, viewer) = (app.domain().jobs(), Viewer::system("test"));
    let own = |executed: Vec<String>| executed.iter().filter(|sql| sql.contains("job")).count();
    let begun = proxy.during(async || jobs.start(&viewer, job).await.unwrap());
    assert_eq!(own(begun.await), 1);
    let failed = proxy.during(async || jobs.fail(&viewer, job, 1, "no disk", true).await.unwrap());
    assert_eq!(own(failed.await), 1);
    jobs.start(&viewer, job).await.unwrap();
    let ended = proxy.during(async || jobs.succeed(&viewer, job, 2).await.unwrap());
    assert_eq!(own(ended.await), 1);
}
