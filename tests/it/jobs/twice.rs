//! Running a job twice equals running it once: one after the other, and at the same time.

use apalis::prelude::Data;
use domain::job::Failed;
use entity::id::JobId;
use tests::{
    app::TestApp,
    picture::small,
    wait::PATIENCE,
    work::{JobRow, uuid_of},
};
use worker::{
    context::Context,
    queue::{NewTask, Queue},
    runner::{self, Message},
};

/// What a worker does with a message about this job.
async fn handle(context: Context, job: JobRow) {
    let message = Message {
        job: job.id,
        request_id: job.request_id,
    };
    runner::handle(message, Data::new(context)).await.unwrap();
}

fn context(app: &TestApp) -> Context {
    worker::service::context(&app.config()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_ended_is_not_begun_again() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    manager.picture(&item, small(1)).await;
    app.until_done(PATIENCE).await;
    let (events, before) = (
        app.count("SELECT count(*) FROM event").await,
        app.jobs().await,
    );

    // As if Redis had lost everything and been given it again.
    let client = app.redis().client().clone();
    for job in &before {
        let name = if job.kind == "item.render_code" {
            "codes"
        } else {
            "media"
        };
        let queue = Queue::new(client.clone(), app.redis().prefix(), name).unwrap();
        let payload = Message {
            job: job.id,
            request_id: None,
        };
        let task = NewTask {
            id: job.id,
            payload,
            run_at: None,
            priority: 0,
            max_attempts: 5,
        };
        assert_eq!(queue.push_again(&[task]).await.unwrap(), 1);
        tests::wait::until(PATIENCE, "the queue is empty", async || {
            let stats = queue.stats().await.unwrap();
            stats.ready + stats.scheduled + stats.leased == 0
        })
        .await;
    }
    assert_eq!(app.jobs().await, before);
    assert_eq!(app.count("SELECT count(*) FROM event").await, events);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_at_the_same_job_have_one_effect() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    manager.picture(&item, small(1)).await;
    for job in app.jobs().await {
        let held = app.hold_items(&[&item]).await;
        let first = tokio::spawn(handle(context(&app), job.clone()));
        begun(&app, &job, 1).await;
        let second = tokio::spawn(handle(context(&app), job.clone()));
        begun(&app, &job, 2).await;
        drop(held);
        first.await.unwrap();
        second.await.unwrap();
        handle(context(&app), job).await;
    }
    let standings: Vec<_> = app
        .jobs()
        .await
        .iter()
        .map(|job| (job.state.clone(), job.attempts))
        .collect();
    assert_eq!(
        standings,
        [("succeeded".to_owned(), 2), ("succeeded".to_owned(), 2)]
    );
    for action in ["item.code_rendered", "item.image_rendered"] {
        assert_eq!(
            app.events_of(action).await,
            [(uuid_of(&item), 1)].into(),
            "{action}"
        );
    }
}

async fn begun(app: &TestApp, job: &JobRow, attempts: i32) {
    app.until_jobs(PATIENCE, "the attempt has begun", |jobs| {
        jobs.iter()
            .any(|other| other.id == job.id && other.standing() == ("running", attempts))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_was_taken_over_cannot_end_the_job() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    let job = app.job_about(&item).await;
    let (jobs, viewer) = (app.domain().jobs(), domain::Viewer::system("test"));
    jobs.start(&viewer, JobId(job.id)).await.unwrap();
    jobs.start(&viewer, JobId(job.id)).await.unwrap();
    let late = jobs.fail(&viewer, JobId(job.id), 1, "too late", false);
    assert_eq!(late.await.unwrap(), Failed::Superseded);
    let late = jobs.fail(&viewer, JobId(job.id), 1, "too late", true);
    assert_eq!(late.await.unwrap(), Failed::Superseded);
    assert!(jobs.succeed(&viewer, JobId(job.id), 1).await.is_err());
    let code = app
        .domain()
        .items()
        .finish_code(
            &viewer,
            (JobId(job.id), 1),
            uuid_of(&item).into(),
            "code/aa/a.svg",
            "code/aa/a.png",
        )
        .await;
    assert!(code.is_err());
    assert_eq!(app.job_about(&item).await.standing(), ("running", 2));
    assert_eq!(
        app.count("SELECT count(*) FROM item WHERE qr_svg_key IS NOT NULL")
            .await,
        0
    );
}
