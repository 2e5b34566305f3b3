//! Redis goes away, comes back, or misbehaves; the worker neither ends nor loses or repeats more than it must.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tests::redis::{RedisServer, RedisSpace};
use worker::queue::Settings;

use super::proxy::Proxy;
use super::support::{Act, Rig, quick, task, tasks};

/// From the return of Redis to the first task that runs again.
const PROMPTLY: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn half_a_second_without_redis_under_load_costs_nothing() {
    survive_an_outage_of(Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_seconds_without_redis_under_load_cost_nothing() {
    survive_an_outage_of(Duration::from_secs(3)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_seconds_without_redis_under_load_cost_nothing() {
    survive_an_outage_of(Duration::from_secs(20)).await;
}

/// Kills Redis while tasks run and wait, and checks that every task is done in the end and how often it ran.
async fn survive_an_outage_of(outage: Duration) {
    let mut server = RedisServer::start().await;
    let rig = Rig::in_space(RedisSpace::on(&server.url()));
    let worker = rig.start(
        "w",
        Settings {
            concurrency: 8,
            ..quick()
        },
    );
    rig.push(&tasks(400, &Act::Sleep { ms: 10 })).await;
    rig.until("half of them are done", async |rig| {
        rig.log.finished() >= 200
    })
    .await;

    server.kill();
    tokio::time::sleep(outage).await; // the length of the outage is what is tested
    let before = rig.log.starts();
    server.resume().await;
    let back = Instant::now();
    rig.until_started(before + 1).await;
    assert!(
        back.elapsed() < PROMPTLY,
        "it took {:?} to go on",
        back.elapsed()
    );

    rig.until("all are done", async |rig| rig.log.finished() >= 400)
        .await;
    rig.until_empty().await;
    let mut runs = HashMap::<String, usize>::new();
    for name in rig.log.names() {
        *runs.entry(name).or_default() += 1;
    }
    assert_eq!(runs.len(), 400);
    assert!(
        runs.values().all(|&count| count == 1),
        "{:?}",
        repeated(&runs)
    );
    assert!(worker.is_running());
    let stats = rig.stats().await;
    assert_eq!((stats.dead, stats.fenced), (0, 0));
    worker.stop().await;
}

fn repeated(runs: &HashMap<String, usize>) -> Vec<(&String, &usize)> {
    runs.iter().filter(|(_, count)| **count > 1).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ends_during_an_outage_is_acknowledged_after_it() {
    let mut server = RedisServer::start().await;
    let rig = Rig::in_space(RedisSpace::on(&server.url()));
    let worker = rig.start("w", quick());
    rig.push(&tasks(3, &Act::Wait)).await;
    rig.until_started(3).await;
    server.kill();
    rig.log.gate.add_permits(3);
    rig.until_finished_locally(3).await;
    server.resume().await;
    rig.until_empty().await;
    assert_eq!(rig.log.attempts(), [1, 1, 1]);
    assert_eq!(rig.stats().await.fenced, 0);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_longer_than_the_lease_no_worker_loses_its_tasks_to_another() {
    let mut server = RedisServer::start().await;
    let rig = Rig::in_space(RedisSpace::on(&server.url()));
    let settings = Settings {
        concurrency: 2,
        ..quick()
    };
    let workers = ["a", "b", "c"].map(|name| rig.start(name, settings));
    rig.push(&tasks(5, &Act::Wait)).await;
    rig.until_started(5).await;
    server.kill();
    tokio::time::sleep(settings.lease * 2).await; // the length of the outage is what is tested
    server.resume().await;
    // A new task starts only after the workers have met again; by then a stolen one would have started too.
    rig.push_until_taken(task("new", Act::Wait)).await;
    rig.until_started(6).await;
    rig.log.gate.add_permits(6);
    rig.until_empty().await;
    assert_eq!(rig.log.attempts(), [1; 6]);
    assert_eq!(rig.stats().await.fenced, 0);
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_whose_answer_was_lost_is_delivered_again_and_counts_once() {
    let server = RedisServer::start().await;
    let proxy = Proxy::start(&server.url()).await;
    let rig = Rig::in_space(RedisSpace::on(proxy.url()));
    // Nothing but the acknowledgement may be under way when the server freezes.
    let silent = Settings {
        lease: Duration::from_secs(600),
        poll: Duration::from_secs(600),
        ..quick()
    };
    let worker = rig.start("w", silent);
    rig.push(&[task("so that the server knows all scripts", Act::Succeed)])
        .await;
    rig.until_empty().await;
    rig.push(&tasks(3, &Act::Wait)).await;
    rig.until_started(4).await;
    server.freeze();
    rig.log.gate.add_permits(3);
    rig.until_finished_locally(4).await;
    // By then the worker has given up on a message that the server has not read yet, and will read all the same.
    let before = proxy.accepted();
    rig.until("the worker connects anew", async |_| {
        proxy.accepted() > before
    })
    .await;
    server.thaw();
    rig.until_empty().await;
    worker.stop().await;
    let stats = rig.stats().await;
    assert_eq!((stats.fenced, stats.dead), (0, 0));
    assert_eq!(rig.log.attempts(), [1; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_before_redis_waits_for_it() {
    let mut server = RedisServer::start().await;
    server.kill();
    let rig = Rig::in_space(RedisSpace::on(&server.url()));
    let worker = rig.start("w", quick());
    assert!(
        rig.queue
            .push(&[task("too early", Act::Succeed)])
            .await
            .is_err()
    );
    server.resume().await;
    rig.push_until_taken(task("in time", Act::Succeed)).await;
    rig.until("it is done", async |rig| rig.log.finished() == 1)
        .await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_redis_does_not_end_the_worker() {
    let server = RedisServer::start().await;
    let rig = Rig::in_space(RedisSpace::on(&server.url()));
    let worker = rig.start("w", quick());
    let running = task("running", Act::Wait);
    rig.push(&[running.clone(), task("waiting", Act::Wait)])
        .await;
    rig.until_started(2).await;
    let mut connection = rig.connection().await;
    redis::cmd("FLUSHALL")
        .exec_async(&mut connection)
        .await
        .unwrap();
    redis::cmd("SCRIPT")
        .arg("FLUSH")
        .exec_async(&mut connection)
        .await
        .unwrap();

    // What is pushed again runs again, though its first attempt still runs in the same worker.
    rig.push(&[running]).await;
    rig.until_started(3).await;
    rig.log.gate.add_permits(3);
    rig.until_empty().await;
    rig.until("the forgotten attempts are refused", async |rig| {
        rig.stats().await.fenced == 2
    })
    .await;
    rig.push(&[task("new", Act::Succeed)]).await;
    rig.until_started(4).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_a_wiped_redis_has_forgotten_may_finish() {
    let server = RedisServer::start().await;
    let rig = Rig::in_space(RedisSpace::on(&server.url()));
    let worker = rig.start("w", quick());
    rig.push(&[task("forgotten", Act::Wait)]).await;
    rig.until_started(1).await;
    let mut connection = rig.connection().await;
    redis::cmd("FLUSHALL")
        .exec_async(&mut connection)
        .await
        .unwrap();

    // By the time this one runs, the lease of the first has been up for renewal several times.
    let mut later = task("a lease later", Act::Succeed);
    later.run_at = Some(rig.server_time(quick().lease).await);
    rig.push(&[later]).await;
    rig.until("it is done", async |rig| rig.log.finished() == 1)
        .await;
    rig.log.gate.add_permits(1);
    rig.until("the forgotten one is done too", async |rig| {
        rig.log.finished() == 2
    })
    .await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_fell_silent_is_replaced() {
    let proxy = Proxy::start(RedisSpace::shared().url()).await;
    let rig = Rig::in_space(RedisSpace::on(proxy.url()));
    let worker = rig.start(
        "w",
        Settings {
            lease: Duration::from_secs(20),
            ..quick()
        },
    );
    rig.push(&[task("before", Act::Succeed)]).await;
    rig.until("it is done", async |rig| rig.log.finished() == 1)
        .await;
    proxy.swallow_what_is_open();
    rig.push_until_taken(task("after", Act::Succeed)).await;
    rig.until("it is done", async |rig| rig.log.finished() == 2)
        .await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_from_redis_does_not_end_the_worker() {
    let rig = Rig::new();
    let worker = rig.start("w", quick());
    let mut connection = rig.connection().await;
    let ready = rig.queue.keys().ready();
    redis::cmd("SET")
        .arg(&ready)
        .arg("not a sorted set")
        .exec_async(&mut connection)
        .await
        .unwrap();
    assert!(
        rig.queue
            .push(&[task("refused", Act::Succeed)])
            .await
            .is_err()
    );
    redis::cmd("DEL")
        .arg(&ready)
        .exec_async(&mut connection)
        .await
        .unwrap();
    rig.push(&[task("accepted", Act::Succeed)]).await;
    rig.until("it is done", async |rig| rig.log.finished() == 1)
        .await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_without_redis_ends_after_a_lease() {
    let mut server = RedisServer::start().await;
    let rig = Rig::in_space(RedisSpace::on(&server.url()));
    let mut worker = rig.start("w", quick());
    rig.push(&[task("unlucky", Act::Wait)]).await;
    rig.until_started(1).await;
    server.kill();
    worker.begin_to_stop();
    rig.log.gate.add_permits(1);
    let since = Instant::now();
    worker.stop().await;
    assert!(
        since.elapsed() < quick().lease + Duration::from_secs(10),
        "{:?}",
        since.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_redis_learns_late_is_tried_again() {
    let server = RedisServer::start().await;
    let admin = RedisSpace::on(&server.url());
    let url = server.url().replace("redis://", "redis://late:late@");
    let rig = Rig::in_space(RedisSpace::on(&url));
    let worker = rig.start("w", quick());
    assert!(
        rig.queue
            .push(&[task("too early", Act::Succeed)])
            .await
            .is_err()
    );
    let mut connection = admin
        .client()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    redis::cmd("ACL")
        .arg(&["SETUSER", "late", "on", ">late", "~*", "&*", "+@all"])
        .exec_async(&mut connection)
        .await
        .unwrap();
    rig.push_until_taken(task("in time", Act::Succeed)).await;
    rig.until("it is done", async |rig| rig.log.finished() == 1)
        .await;
    worker.stop().await;
}
