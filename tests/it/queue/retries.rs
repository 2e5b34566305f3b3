//! What becomes of a failed attempt.

use std::slice::from_ref;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{WorkerBuilder, WorkerBuilderExt, WorkerError};
use tower::timeout::TimeoutLayer;
use worker::queue::{Backoff, RedisBackend, Run, Settings};

use super::support::{Act, Job, Rig, handle, quick, task};

#[tokio::test(flavor = "multi_thread")]
async fn max_attempts_is_respected() {
    let rig = Rig::new();
    let worker = rig.start("w", quick());
    let failing = task("fails", Act::Fail);
    rig.push(from_ref(&failing)).await;
    rig.until("it is dead", async |rig| rig.stats().await.dead == 1)
        .await;
    let runs: Vec<Run> = rig.log.seen().iter().map(|seen| seen.run).collect();
    let expected = [1, 2, 3].map(|attempt| Run {
        id: failing.id,
        attempt,
        max_attempts: 3,
    });
    assert_eq!(runs, expected);
    let last: Vec<bool> = runs.iter().map(Run::is_last).collect();
    assert_eq!(last, [false, false, true]);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_succeeds_on_a_later_attempt() {
    let rig = Rig::new();
    let worker = rig.start("w", quick());
    rig.push(&[task("third time", Act::SucceedAt { attempt: 3 })])
        .await;
    rig.until_started(3).await;
    rig.until_empty().await;
    assert_eq!(rig.log.attempts(), [1, 2, 3]);
    assert_eq!(rig.stats().await.dead, 0);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_wait_longer_each_time() {
    let rig = Rig::new();
    let backoff = Backoff {
        base: Duration::from_millis(200),
        cap: Duration::from_secs(600),
    };
    let worker = rig.start("w", Settings { backoff, ..quick() });
    rig.push(&[task("fails", Act::Fail)]).await;
    rig.until_started(3).await;
    let seen = rig.log.seen();
    for pair in seen.windows(2) {
        let waited = pair[1].at - pair[0].at;
        let due = backoff.delay(&pair[0].run);
        // Redis counts whole milliseconds.
        assert!(
            waited + Duration::from_millis(2) >= due,
            "{waited:?} is shorter than {due:?}"
        );
        assert!(
            waited < due + Duration::from_secs(10),
            "{waited:?} is far longer than {due:?}"
        );
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wait_that_a_handler_asks_for_is_honoured() {
    let rig = Rig::new();
    let worker = rig.start("w", quick());
    rig.push(&[task("later", Act::RetryAfter { ms: 700 })])
        .await;
    rig.until_started(2).await;
    let seen = rig.log.seen();
    let waited = seen[1].at - seen[0].at;
    assert!(waited >= Duration::from_millis(698), "{waited:?}");
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_task_is_dead_at_once() {
    let rig = Rig::new();
    let worker = rig.start("w", quick());
    rig.push(&[task("abort", Act::Abort)]).await;
    rig.until("it is dead", async |rig| rig.stats().await.dead == 1)
        .await;
    assert_eq!(rig.log.starts(), 1);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_retried_and_never_ends_the_worker() {
    let rig = Rig::new();
    let worker = rig.start("w", quick());
    rig.push(&[task("panic", Act::Panic)]).await;
    rig.until("it is dead", async |rig| rig.stats().await.dead == 1)
        .await;
    assert_eq!(rig.log.attempts(), [1, 2, 3]);
    rig.push(&[task("after", Act::Succeed)]).await;
    rig.until("the next task is done", async |rig| rig.log.finished() == 1)
        .await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_retried_even_without_the_layer_that_catches_panics() {
    let rig = Rig::new();
    let backend: RedisBackend<Job> = rig.queue.backend(quick()).unwrap();
    let bare = WorkerBuilder::new("bare")
        .backend(backend)
        .data(Arc::clone(&rig.log))
        .build(handle);
    let running = tokio::spawn(bare.run());
    rig.push(&[task("panic", Act::Panic)]).await;
    rig.until("it is dead", async |rig| rig.stats().await.dead == 1)
        .await;
    assert_eq!(rig.log.attempts(), [1, 2, 3]);
    assert!(!running.is_finished());
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_times_out_is_retried() {
    let rig = Rig::new();
    let backend: RedisBackend<Job> = rig.queue.backend(quick()).unwrap();
    let worker = WorkerBuilder::new("w")
        .backend(backend)
        .data(Arc::clone(&rig.log))
        .catch_panic()
        .concurrency(4)
        .layer(TimeoutLayer::new(Duration::from_millis(50)))
        .build(handle);
    let running = tokio::spawn(worker.run_until(std::future::pending::<Result<(), WorkerError>>()));
    rig.push(&[task("slow", Act::Sleep { ms: 60_000 })]).await;
    rig.until("it is dead", async |rig| rig.stats().await.dead == 1)
        .await;
    assert_eq!(rig.log.attempts(), [1, 2, 3]);
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_cannot_be_decoded_fails_and_blocks_nobody() {
    let rig = Rig::new();
    let worker = rig.start("w", quick());
    let strange = worker::queue::NewTask {
        id: super::support::fresh_id(),
        payload: "not a job",
        run_at: None,
        priority: 9,
        max_attempts: 2,
    };
    assert_eq!(rig.queue.push(&[strange]).await.unwrap(), 1);
    rig.push(&[task("fine", Act::Succeed)]).await;
    rig.until("one is dead and one is done", async |rig| {
        rig.stats().await.dead == 1 && rig.log.finished() == 1
    })
    .await;
    rig.until_empty().await;
    worker.stop().await;
}
