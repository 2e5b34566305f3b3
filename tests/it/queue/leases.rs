//! A lease belongs to one attempt: it is kept alive while the attempt runs, bounded in number, and taken over when its holder is lost.

use std::slice::from_ref;
use std::time::{Duration, Instant};

use worker::queue::Settings;

use super::support::{Act, Rig, quick, task, tasks};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_outlasts_its_lease_many_times_runs_once() {
    let rig = Rig::new();
    let short = Settings {
        lease: Duration::from_secs(2),
        ..quick()
    };
    let (first, second) = (rig.start("a", short), rig.start("b", short));
    rig.push(&tasks(2, &Act::Sleep { ms: 8000 })).await;
    rig.until("both are done", async |rig| rig.log.finished() == 2)
        .await;
    rig.until_empty().await;
    assert_eq!(rig.log.starts(), 2);
    assert_eq!(rig.stats().await.fenced, 0);
    assert!(first.is_running() && second.is_running());
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_worker_that_starts_in_mid_task_leaves_it_alone() {
    let rig = Rig::new();
    let first = rig.start("a", quick());
    rig.push(&tasks(3, &Act::Wait)).await;
    rig.until_started(3).await;
    let second = rig.start("b", quick());
    rig.push(&[task("for the second", Act::Succeed)]).await;
    rig.until_started(4).await;
    rig.log.gate.add_permits(3);
    rig.until("all are done", async |rig| rig.log.finished() == 4)
        .await;
    rig.until_empty().await;
    assert_eq!(rig.log.attempts(), [1, 1, 1, 1]);
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_never_holds_more_tasks_than_it_has_slots() {
    let rig = Rig::new();
    let worker = rig.start(
        "w",
        Settings {
            concurrency: 3,
            ..quick()
        },
    );
    rig.push(&tasks(40, &Act::Sleep { ms: 15 })).await;
    let mut most_leased = 0;
    while rig.log.finished() < 40 {
        most_leased = most_leased.max(rig.stats().await.leased);
    }
    assert_eq!(rig.log.most_running(), 3);
    assert_eq!(most_leased, 3);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_workers_task_is_taken_over_within_a_lease() {
    assert!(Settings::default().lease <= Duration::from_secs(15));
    let rig = Rig::new();
    let lost = rig.start("a", quick());
    rig.push(&[task("orphan", Act::Wait)]).await;
    rig.until_started(1).await;
    drop(lost);
    let since = Instant::now();
    let heir = rig.start("b", quick());
    rig.until_started(2).await;
    assert!(
        since.elapsed() < quick().lease + Duration::from_secs(10),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(rig.log.attempts(), [1, 2]);
    rig.log.gate.add_permits(1);
    rig.until_empty().await;
    heir.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_counts_as_an_attempt() {
    let rig = Rig::new();
    rig.push(&[task("poison", Act::Wait)]).await;
    for n in 1..=3 {
        let doomed = rig.start(
            "doomed",
            Settings {
                lease: Duration::from_millis(300),
                ..quick()
            },
        );
        rig.until_started(n).await;
        drop(doomed);
    }
    let survivor = rig.start("survivor", quick());
    rig.until("it is dead", async |rig| rig.stats().await.dead == 1)
        .await;
    assert_eq!(rig.log.attempts(), [1, 2, 3]);
    survivor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_whose_task_was_given_to_another_is_stopped_and_fenced() {
    let rig = Rig::new();
    let stalled = rig.start("a", quick());
    let task = task("contested", Act::Wait);
    rig.push(from_ref(&task)).await;
    rig.until_started(1).await;
    // The server believes the lease to have ended, as it would had the worker stalled.
    let mut connection = rig.connection().await;
    redis::cmd("ZADD")
        .arg(rig.queue.keys().leased())
        .arg(1)
        .arg(task.id.to_string())
        .exec_async(&mut connection)
        .await
        .unwrap();
    let heir = rig.start("b", quick());
    rig.until_started(2).await;
    rig.until("the first attempt is refused", async |rig| {
        rig.stats().await.fenced == 1
    })
    .await;
    rig.log.gate.add_permits(1);
    rig.until_empty().await;
    assert_eq!(rig.log.finished(), 1);
    assert_eq!(rig.log.attempts(), [1, 2]);
    stalled.stop().await;
    heir.stop().await;
}
