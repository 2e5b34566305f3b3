//! How soon a task starts: at once after a push, to the millisecond when scheduled, by polling when all else fails.

use std::time::{Duration, Instant};

use tests::redis::{RedisServer, RedisSpace};
use worker::queue::Settings;

use super::support::{Act, Rig, quick, task, tasks};

/// A poll so rare that only a wake-up explains a prompt start.
fn deaf() -> Settings {
    Settings {
        poll: Duration::from_secs(600),
        lease: Duration::from_secs(600),
        ..quick()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_task_starts_within_a_second_without_polling_luck() {
    let rig = Rig::new();
    let worker = rig.start("w", deaf());
    let mut waits = Vec::new();
    for n in 1..=20 {
        let pushed = Instant::now();
        rig.push(&[task("now", Act::Succeed)]).await;
        rig.until_started(n).await;
        waits.push(pushed.elapsed());
        rig.until_empty().await;
    }
    waits.sort_unstable();
    // A busy machine may hold up some of them, not half.
    assert!(waits[10] < Duration::from_secs(1), "{waits:?}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_idle_worker_hears_of_a_push() {
    let rig = Rig::new();
    let one_slot = Settings {
        concurrency: 1,
        ..deaf()
    };
    let workers = ["a", "b", "c"].map(|name| rig.start(name, one_slot));
    for _ in 0..3 {
        rig.push(&[task("long", Act::Wait)]).await;
    }
    rig.until("all three run", async |rig| rig.log.most_running() == 3)
        .await;
    rig.log.gate.add_permits(3);
    rig.until_empty().await;
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_poll_alone_finds_every_task() {
    let server = RedisServer::start().await;
    let admin = RedisSpace::on(&server.url());
    let mut connection = admin
        .client()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    // This user may do everything but hear: its subscription is refused for ever.
    redis::cmd("ACL")
        .arg(&[
            "SETUSER",
            "deaf",
            "on",
            ">deaf",
            "~*",
            "+@all",
            "-subscribe",
            "&*",
        ])
        .exec_async(&mut connection)
        .await
        .unwrap();
    let url = server.url().replace("redis://", "redis://deaf:deaf@");
    let rig = Rig::in_space(RedisSpace::on(&url));
    let worker = rig.start(
        "w",
        Settings {
            poll: Duration::from_millis(50),
            ..quick()
        },
    );
    for n in 1..=20 {
        rig.push(&[task("now", Act::Succeed)]).await;
        rig.until_started(n).await;
    }
    rig.until_empty().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_is_kept_to_the_millisecond() {
    let rig = Rig::new();
    let worker = rig.start("w", deaf());
    rig.push(&[task("warm up", Act::Succeed)]).await;
    rig.until_started(1).await;
    let mut expected = Vec::new();
    for ms in [40, 333, 777] {
        let delay = Duration::from_millis(ms);
        let mut late = task(&ms.to_string(), Act::Succeed);
        let asked = Instant::now();
        late.run_at = Some(rig.server_time(delay).await);
        let due = Instant::now() + delay;
        rig.push(&[late]).await;
        expected.push((asked + delay, due));
    }
    rig.until_started(4).await;
    let mut lateness = Vec::new();
    for (seen, (earliest, due)) in rig.log.seen().iter().skip(1).zip(expected) {
        // Redis counts whole milliseconds.
        assert!(
            seen.at + Duration::from_millis(2) >= earliest,
            "{} ran early",
            seen.name
        );
        lateness.push(seen.at.saturating_duration_since(due));
    }
    // A busy machine may hold up some of them, not all.
    let least = lateness.iter().min().unwrap();
    assert!(*least < Duration::from_millis(500), "{lateness:?}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_late_finds_what_waits() {
    let rig = Rig::new();
    rig.push(&tasks(10, &Act::Succeed)).await;
    let worker = rig.start("w", deaf());
    rig.until_empty().await;
    assert_eq!(rig.log.starts(), 10);
    worker.stop().await;
}
