//! What jobs leave behind for people, and who may fetch it.

use api::graphql::id::GlobalId;
use chrono::TimeDelta;
use domain::{
    Permission, Viewer,
    job::{NewJobFile, Started},
};
use entity::id::JobId;
use platform::blob::BlobKey;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::{PASSWORD, TestApp},
    database::TestDatabase,
    proxy::PostgresProxy,
    work::uuid_of,
};

const FILES: &str = "query($id: ID!) { job(id: $id) { state files { name mediaType bytes url } } }";

const CONTENT: &str = "sku\r\nRING-1\r\n";

/// Ends the job as a worker would that has made these files, all with the same content.
async fn end_with(app: &TestApp, job: JobId, names: &[(&str, &str)]) -> domain::Result<()> {
    let (viewer, jobs) = (Viewer::system("test"), app.domain().jobs());
    let Started::Attempt { attempt, .. } = jobs.start(&viewer, job).await? else {
        panic!("the job is over")
    };
    let blobs = app.config().blob.open().unwrap();
    let mut files = Vec::new();
    for ((name, media_type), number) in names.iter().zip(1..) {
        let key = BlobKey::of_job(job.0, attempt, number);
        blobs.put_bytes(&key, CONTENT.into()).await.unwrap();
        files.push(NewJobFile {
            name: (*name).to_owned(),
            media_type: (*media_type).to_owned(),
            blob_key: key.as_str().to_owned(),
            byte_size: i64::try_from(CONTENT.len()).unwrap(),
        });
    }
    jobs.succeed_with_files(&viewer, (job, attempt), &files)
        .await
}

/// The job of a new item.
async fn a_job(app: &TestApp) -> JobId {
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    JobId(app.job_about(&item).await.id)
}

fn global(job: JobId) -> Value {
    json!({"id": job.encode().0})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_arrives_as_it_was_made() {
    let app = TestApp::start().await;
    let job = a_job(&app).await;
    let table = ("قیمت‌ها.csv", "text/csv; charset=utf-8");
    let page = ("page.html", "text/html");
    end_with(&app, job, &[table, page]).await.unwrap();

    let manager = app.manager().await;
    let seen = manager.ok(FILES, global(job)).await["job"].take();
    assert_eq!(seen["state"], "SUCCEEDED");
    let [first, second] = &seen["files"].as_array().unwrap()[..] else {
        panic!("two files, not {seen}")
    };
    assert_eq!(
        (&first["name"], &first["mediaType"], &first["bytes"]),
        (&json!("page.html"), &json!("text/html"), &json!(13))
    );
    assert_eq!(second["name"], "قیمت‌ها.csv");

    let owner = app.owner().await;
    for actor in [&manager, &owner] {
        let answer = actor.get(second["url"].as_str().unwrap()).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        let headers = answer.headers().clone();
        assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
        assert_eq!(headers["cache-control"], "private, no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let disposition = headers["content-disposition"].to_str().unwrap();
        assert!(
            disposition.starts_with("attachment; filename=\""),
            "{disposition}"
        );
        assert!(disposition.contains("UTF-8''%D9%82"), "{disposition}");
        assert_eq!(answer.text().await.unwrap(), CONTENT);
    }
    // What a browser would run is bytes that mean nothing to it.
    let page = owner.get(first["url"].as_str().unwrap()).send().await;
    assert_eq!(
        page.unwrap().headers()["content-type"],
        "application/octet-stream"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_there_only_for_those_who_may_see_the_job_or_caused_it() {
    let app = TestApp::start().await;
    let job = a_job(&app).await;
    let file = ("a.csv", "text/csv; charset=utf-8");
    end_with(&app, job, &[file]).await.unwrap();
    let seen = app.manager().await.ok(FILES, global(job)).await;
    let url = seen["job"]["files"][0]["url"].as_str().unwrap().to_owned();

    let status = async |actor: &Actor| {
        let answer = actor.get(&url).send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert!(status == 200 || !text.contains("RING-1"), "{text}");
        status
    };
    let blinded = "UPDATE role SET permissions = array_remove(permissions, 'job.read') WHERE code = 'manager'";
    sqlx::query(blinded).execute(app.sql()).await.unwrap();
    let cause = app.user("manager").await;
    let in_person = app.anonymous().logged_in(&cause.email, PASSWORD).await;
    assert_eq!(status(&in_person).await, 200, "who caused it");
    let other = app
        .new_user("other@example.com", "manager", domain::locale::Locale::En)
        .await;
    let stranger = app.anonymous().logged_in(&other.email, PASSWORD).await;
    let narrow = [Permission::CatalogueWrite].into_iter().collect();
    let token = app.token(&cause, Some(narrow), TimeDelta::hours(1)).await;
    assert_eq!(status(&stranger).await, 404, "another manager");
    assert_eq!(
        status(&app.anonymous().with_token(&token)).await,
        404,
        "a token does only what it was made for"
    );
    assert_eq!(status(&app.anonymous()).await, 404, "nobody");
    assert_eq!(
        status(&app.anonymous().with_token("nonsense")).await,
        401,
        "a token that does not hold"
    );
    assert_eq!(status(&app.clerk().await).await, 200, "who may see jobs");
    let clerk = app.clerk().await;
    let others = global(job)["id"].as_str().unwrap().to_owned();
    let unknown = tests::shop::global_id("JobFile", "01930000000070008000000000abcdef");
    for id in [others.as_str(), unknown.as_str(), "nonsense"] {
        let path = format!("/api/files/{id}");
        assert_eq!(clerk.get(&path).send().await.unwrap().status(), 404);
    }
    // Nor is it where pictures are.
    for path in [
        format!("/media/job/{}", job.0.simple()),
        "/media/job".into(),
    ] {
        assert_eq!(clerk.get(&path).send().await.unwrap().status(), 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_the_end_of_their_job_are_one() {
    let app = TestApp::start().await;
    let job = a_job(&app).await;
    let twice = [("a.csv", "text/csv"), ("a.csv", "text/csv")];
    end_with(&app, job, &twice).await.unwrap_err();
    assert_eq!(app.jobs().await[0].state, "running");
    assert_eq!(app.count("SELECT count(*) FROM job_file").await, 0);
    // An attempt that another worker has taken over leaves nothing behind.
    let viewer = Viewer::system("test");
    let jobs = app.domain().jobs();
    let Started::Attempt { attempt, .. } = jobs.start(&viewer, job).await.unwrap() else {
        panic!("the job is over")
    };
    let late = NewJobFile {
        name: "a.csv".into(),
        media_type: "text/csv".into(),
        blob_key: "job/a".into(),
        byte_size: 1,
    };
    let ended = jobs
        .succeed_with_files(&viewer, (job, attempt - 1), &[late])
        .await;
    ended.unwrap_err();
    assert_eq!(app.count("SELECT count(*) FROM job_file").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_page_of_jobs_cost_one_statement() {
    let database = TestDatabase::create();
    let proxy = PostgresProxy::start(database.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for number in 0..5 {
        let item = manager.item(&format!("RING-{number}"), &category).await;
        let job = JobId(app.job_about(&item).await.id);
        assert_eq!(uuid_of(&job.encode().0), job.0);
        end_with(&app, job, &[("a.csv", "text/csv")]).await.unwrap();
    }
    let query = "{ jobs(first: 20) { nodes { files { url } } } }";
    manager.ok(query, json!({})).await;
    let executed = proxy
        .during(async || manager.ok(query, json!({})).await)
        .await;
    assert_eq!(executed.len(), 2, "{executed:#?}");
}
