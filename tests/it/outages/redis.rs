//! Redis goes away: what needs no session goes on, and every job is done once it is back.

use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::json;
use tests::{
    actor::Actor,
    app::{PASSWORD, TestApp},
    picture::small,
    redis::RedisServer,
    wait::{PATIENCE, until},
    work::{JobRow, uuid_of},
};
use tokio_util::sync::CancellationToken;
use worker::queue::Queue;

use super::writers::{self, Attempt, Writers, assert_honest, assert_nothing_half_done};

const ME: &str = "{ me { user { id } } }";
const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { me { user { id } } userErrors { code path } } }";

async fn rings(manager: &Actor, category: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
    let mut items = Vec::new();
    for number in numbers {
        items.push(manager.item(&format!("RING-{number}"), category).await);
    }
    items
}

/// Whether every job was begun once and has succeeded.
fn once_each(jobs: &[JobRow]) -> bool {
    jobs.iter().all(|job| job.standing() == ("succeeded", 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn items_created_without_redis_get_their_codes_once_it_is_back() {
    let mut redis = RedisServer::start().await;
    let app = TestApp::builder()
        .redis_url(redis.url())
        .with_worker()
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let mut items = rings(&manager, &category, 0..2).await;
    app.until_done(PATIENCE).await;

    redis.kill();
    items.extend(rings(&manager, &category, 2..8).await);
    manager.picture(&items[2], small(1)).await;
    let liveness = app.anonymous().get("/api/health/liveness");
    assert_eq!(liveness.send().await.unwrap().status(), 200);
    assert_eq!(
        app.jobs()
            .await
            .iter()
            .filter(|job| job.state == "succeeded")
            .count(),
        2
    );

    redis.resume().await;
    app.until_jobs(PATIENCE * 2, "every job has run once", once_each)
        .await;
    let codes = items.iter().map(|item| (uuid_of(item), 1)).collect();
    assert_eq!(app.events_of("item.code_rendered").await, codes);
    assert_eq!(
        app.events_of("item.image_rendered").await,
        [(uuid_of(&items[2]), 1)].into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_without_redis_begins_when_it_is_there() {
    let mut redis = RedisServer::start().await;
    let app = TestApp::builder().redis_url(redis.url()).start().await;
    let manager = app.manager().await;
    redis.kill();
    let worker = app.worker_process().await;
    rings(&manager, &manager.category("Rings", None).await, 0..3).await;
    until(PATIENCE, "the relay has tried in vain", async || {
        worker.output().contains("cannot hand jobs over")
    })
    .await;
    redis.resume().await;
    app.until_jobs(PATIENCE * 2, "every job has run once", once_each)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_under_way_while_redis_restarts_is_not_run_again() {
    let mut redis = RedisServer::start().await;
    let app = TestApp::builder().redis_url(redis.url()).start().await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    let held = app.hold_items(&[&item]).await;
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "the job is under way", |jobs| {
        jobs[0].state == "running"
    })
    .await;
    redis.kill();
    redis.resume().await;
    drop(held);
    app.until_jobs(PATIENCE, "the job has run once", once_each)
        .await;
    // Once the worker's word has reached Redis, nobody can begin it again.
    let queue = Queue::new(app.redis().client().clone(), app.redis().prefix(), "codes").unwrap();
    until(PATIENCE, "Redis knows that it is done", async || {
        queue
            .stats()
            .await
            .is_ok_and(|stats| stats.leased + stats.ready + stats.scheduled == 0)
    })
    .await;
    assert!(once_each(&app.jobs().await));
    assert_eq!(
        app.events_of("item.code_rendered").await,
        [(uuid_of(&item), 1)].into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_comes_back_empty_loses_no_job_and_does_none_twice() {
    let mut redis = RedisServer::start().await;
    let app = TestApp::builder()
        .redis_url(redis.url())
        .set("GOLDSHOP_WORKER__CODE_CONCURRENCY", 1)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let first = manager.item("RING-0", &category).await;
    let held = app.hold_items(&[&first]).await;
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "the first is under way", |jobs| {
        jobs[0].state == "running"
    })
    .await;
    let items = rings(&manager, &category, 1..10).await;
    let queue = Queue::new(app.redis().client().clone(), app.redis().prefix(), "codes").unwrap();
    until(PATIENCE, "Redis has all jobs", async || {
        queue.stats().await.is_ok_and(|stats| stats.ready == 9)
    })
    .await;
    redis.lose();
    redis.resume().await;
    until(PATIENCE, "Redis is there, and empty", async || {
        queue.stats().await.is_ok_and(|stats| stats.ready == 0)
    })
    .await;
    drop(held);
    // As if the half minute had passed after which they are handed over again.
    app.age_handovers().await;
    app.until_done(PATIENCE * 2).await;
    let once = items.iter().chain([&first]).map(|item| (uuid_of(item), 1));
    assert_eq!(app.events_of("item.code_rendered").await, once.collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_sessions_are_unavailable_and_tokens_work() {
    let mut redis = RedisServer::start().await;
    let app = TestApp::builder().redis_url(redis.url()).start().await;
    let (owner, manager) = (app.owner().await, app.manager().await);
    owner.ok("{ me { user { id } } }", json!({})).await;
    redis.kill();
    let unavailable = owner.gql("{ me { user { id } } }", json!({})).await;
    assert_eq!(
        unavailable.codes(),
        ["SERVICE_UNAVAILABLE"],
        "{unavailable:#?}"
    );
    assert!(unavailable.errors[0]["extensions"]["requestId"].is_string());
    manager.category("Rings", None).await;
    redis.resume().await;
    until(PATIENCE, "the session is found again", async || {
        owner
            .gql("{ me { user { id } } }", json!({}))
            .await
            .errors
            .is_empty()
    })
    .await;
}

/// Logs in until told to stop: each time it is refused because something is away, or the session that it opens is one.
async fn come_and_go(nobody: Actor, email: String, stop: CancellationToken) {
    let input = json!({"input": {"email": email, "password": PASSWORD}});
    while !stop.is_cancelled() {
        let login = nobody.gql(LOGIN, input.clone()).await;
        if !login.errors.is_empty() {
            assert_eq!(login.codes(), ["SERVICE_UNAVAILABLE"], "{login:?}");
            continue;
        }
        let cookie = login.headers[SET_COOKIE].to_str().unwrap().to_owned();
        let _me = login.ok();
        let pair = cookie.split(';').next().unwrap();
        let me = nobody
            .with_header(COOKIE.as_str(), pair)
            .gql(ME, json!({}))
            .await;
        let is_known = me.errors.is_empty() && me.data["me"]["user"]["id"].is_string();
        assert!(is_known || me.codes() == ["SERVICE_UNAVAILABLE"], "{me:?}");
    }
}

/// While Redis is away, who needs a session hears so, and everybody else goes on.
async fn until_only_programs_work(people: &Writers, programs: &Writers) {
    tokio::join!(people.until_more(false, 1), programs.until_more(true, 3));
}

async fn until_all_work(people: &Writers, programs: &Writers) {
    tokio::join!(people.until_more(true, 3), programs.until_more(true, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_goes_away_and_comes_back_while_everybody_works() {
    let mut redis = RedisServer::start().await;
    let app = TestApp::builder()
        .redis_url(redis.url())
        .set("GOLDSHOP_REDIS__ACQUIRE_TIMEOUT_SECONDS", 1)
        // A login that is cut off half-way counts as a wrong one; here that may happen more often than anybody mistypes.
        .set("GOLDSHOP_AUTH__LOGIN_ATTEMPTS", 1000)
        .with_worker()
        .start()
        .await;
    let (owner, manager) = (app.owner().await, app.manager().await);
    let input = writers::input(&manager).await;
    let stop = CancellationToken::new();
    let email = app.user("clerk").await.email;
    let visitor = tokio::spawn(come_and_go(app.anonymous(), email, stop.clone()));
    let people = Writers::start(&owner, &input, "PERSON");
    let programs = Writers::start(&manager, &input, "PROGRAM");
    until_all_work(&people, &programs).await;
    redis.kill();
    until_only_programs_work(&people, &programs).await;
    redis.resume().await;
    until_all_work(&people, &programs).await;
    redis.freeze();
    until_only_programs_work(&people, &programs).await;
    redis.thaw();
    until_all_work(&people, &programs).await;
    stop.cancel();
    visitor.await.unwrap();
    let (people, programs) = (people.stop().await, programs.stop().await);
    // Programs have created items all the time, and nobody could draw their codes meanwhile.
    app.until_done(PATIENCE * 6).await;

    let skus = writers::skus(&app).await;
    assert_honest(&people, &skus);
    assert_honest(&programs, &skus);
    assert!(programs.iter().all(Attempt::has_succeeded));
    let refused = people.iter().filter(|attempt| !attempt.has_succeeded());
    for attempt in refused {
        assert!(
            !skus.contains(&attempt.sku),
            "{} was refused and is there",
            attempt.sku
        );
    }
    assert_nothing_half_done(&app, &skus).await;
    owner.ok(ME, json!({})).await;
    let _again = app.owner().await;
}
