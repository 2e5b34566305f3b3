//! A graceful stop: what runs is finished and acknowledged, what has not begun is given back unharmed.

use worker::queue::Settings;

use super::support::{Act, Rig, Worker, quick, tasks};

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_finishes_what_runs_and_starts_nothing_new() {
    let rig = Rig::new();
    let mut worker = rig.start(
        "w",
        Settings {
            concurrency: 2,
            ..quick()
        },
    );
    rig.push(&tasks(5, &Act::Wait)).await;
    rig.until_started(2).await;
    worker.begin_to_stop();
    rig.log.gate.add_permits(5);
    worker.stop().await;
    // The worker has ended, so the last acknowledgements must have arrived by now.
    let stats = rig.stats().await;
    assert_eq!((stats.leased, stats.ready, rig.log.finished()), (0, 3, 2));

    let next = rig.start("w", quick());
    rig.until("the rest is done", async |rig| rig.log.finished() == 5)
        .await;
    rig.until_empty().await;
    assert_eq!(rig.log.attempts(), [1; 5]);
    next.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_name_restarts_at_once() {
    let rig = Rig::new();
    for n in 1..=5 {
        let worker = rig.start("always the same", quick());
        rig.push(&tasks(1, &Act::Succeed)).await;
        rig.until_started(n).await;
        worker.stop().await;
    }
    rig.until_empty().await;
    assert_eq!(rig.log.starts(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_were_leased_but_not_begun_are_given_back_without_costing_an_attempt() {
    let rig = Rig::new();
    // The backend may hold five tasks, but the worker runs one at a time: four wait inside the worker.
    let mut worker: Worker = rig.start_narrow(5, 1);
    let pushed = tasks(5, &Act::Wait);
    rig.push(&pushed).await;
    rig.until("all five are leased and one has begun", async |rig| {
        rig.stats().await.leased == 5 && rig.log.starts() == 1
    })
    .await;
    worker.begin_to_stop();
    rig.until("four are given back", async |rig| {
        rig.stats().await.ready == 4
    })
    .await;
    rig.log.gate.add_permits(5);
    worker.stop().await;
    assert_eq!(rig.log.starts(), 1);

    let next = rig.start(
        "w",
        Settings {
            concurrency: 1,
            ..quick()
        },
    );
    rig.until_started(5).await;
    rig.until_empty().await;
    assert_eq!(rig.log.attempts(), [1; 5]);
    assert_eq!(
        rig.log.names(),
        ["0", "1", "2", "3", "4"],
        "and keep their place in the line"
    );
    next.stop().await;
}
