//! The counts that dashboards and alarms rely on.

use std::time::Duration;

use worker::queue::Stats;

use super::support::{Act, Rig, quick, task, tasks};

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_queue_counts_nothing() {
    assert_eq!(Rig::new().stats().await, Stats::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_is_counted() {
    let rig = Rig::new();
    let worker = rig.start("w", quick());
    rig.push(&[task("dead", Act::Abort), task("done", Act::Succeed)])
        .await;
    rig.push(&tasks(4, &Act::Wait)).await;
    rig.until("all slots are taken", async |rig| {
        rig.log.starts() == 6 && rig.stats().await.leased == 4
    })
    .await;
    rig.push(&tasks(2, &Act::Succeed)).await;
    let mut scheduled = tasks(3, &Act::Succeed);
    for task in &mut scheduled {
        task.run_at = Some(rig.server_time(Duration::from_secs(600)).await);
    }
    rig.push(&scheduled).await;

    let stats = rig.stats().await;
    let expected = Stats {
        ready: 2,
        scheduled: 3,
        leased: 4,
        dead: 1,
        fenced: 0,
        oldest_ready: stats.oldest_ready,
    };
    assert_eq!(stats, expected);
    assert!(stats.oldest_ready.is_some());
    rig.log.gate.add_permits(4);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_ready_task_is_found_behind_any_priority() {
    let rig = Rig::new();
    let mut low = task("low", Act::Succeed);
    low.priority = -7;
    rig.push(&[low]).await;
    rig.until("it has waited", async |rig| {
        age(rig).await >= Duration::from_millis(300)
    })
    .await;
    let mut high = task("high", Act::Succeed);
    high.priority = 7;
    rig.push(&[high]).await;
    assert!(age(&rig).await >= Duration::from_millis(300));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_task_counts_as_ready_though_no_worker_has_seen_it() {
    let rig = Rig::new();
    let mut soon = task("soon", Act::Succeed);
    soon.run_at = Some(rig.server_time(Duration::from_millis(200)).await);
    rig.push(&[soon]).await;
    rig.until("it is overdue", async |rig| {
        age(rig).await >= Duration::from_millis(100)
    })
    .await;
    let stats = rig.stats().await;
    assert_eq!((stats.ready, stats.scheduled), (1, 0));
}

async fn age(rig: &Rig) -> Duration {
    rig.stats().await.oldest_ready.unwrap_or_default()
}
