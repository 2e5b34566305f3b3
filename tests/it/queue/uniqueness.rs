//! An id runs once, however often it is pushed, until somebody asks for it to run again.

use std::slice::from_ref;
use std::time::Duration;

use futures_util::future::join_all;
use worker::queue::Settings;

use super::support::{Act, Rig, quick, task, tasks};

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_running_or_finished_id_is_not_accepted_again() {
    let rig = Rig::new();
    let ready = task("ready", Act::Wait);
    rig.push(from_ref(&ready)).await;
    assert_eq!(rig.queue.push(from_ref(&ready)).await.unwrap(), 0, "ready");

    let worker = rig.start("w", quick());
    rig.until_started(1).await;
    assert_eq!(
        rig.queue.push(from_ref(&ready)).await.unwrap(),
        0,
        "running"
    );
    assert_eq!(
        rig.queue.push_again(from_ref(&ready)).await.unwrap(),
        0,
        "running, by force"
    );

    rig.log.gate.add_permits(1);
    rig.until_empty().await;
    assert_eq!(rig.queue.push(&[ready]).await.unwrap(), 0, "done");

    let mut scheduled = task("scheduled", Act::Succeed);
    scheduled.run_at = Some(rig.server_time(Duration::from_secs(600)).await);
    rig.push(&[scheduled.clone()]).await;
    assert_eq!(
        rig.queue.push(&[scheduled.clone()]).await.unwrap(),
        0,
        "scheduled"
    );
    assert_eq!(
        rig.queue.push_again(&[scheduled]).await.unwrap(),
        0,
        "scheduled, by force"
    );
    assert_eq!(rig.log.starts(), 1);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_pushes_one_is_accepted() {
    let rig = Rig::new();
    let same = tasks(50, &Act::Succeed);
    let pushes = (0..16).map(|_| {
        let (queue, same) = (rig.queue.clone(), same.clone());
        tokio::spawn(async move { queue.push(&same).await.unwrap() })
    });
    let accepted: u64 = join_all(pushes).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(accepted, 50);
    let worker = rig.start("w", quick());
    rig.until_empty().await;
    assert_eq!(rig.log.starts(), 50);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_forgotten_after_the_retention() {
    let rig = Rig::new();
    let short = Settings {
        retention: Duration::from_millis(200),
        ..quick()
    };
    let worker = rig.start("w", short);
    let again = task("again", Act::Succeed);
    rig.push(from_ref(&again)).await;
    rig.until_started(1).await;
    rig.until("the id is forgotten", async |rig| {
        rig.queue.push(from_ref(&again)).await.unwrap() == 1
    })
    .await;
    rig.until_started(2).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_task_can_be_driven_again_with_all_its_attempts() {
    let rig = Rig::new();
    let worker = rig.start("w", quick());
    let mut task = task("dead", Act::Fail);
    rig.push(from_ref(&task)).await;
    rig.until("it is dead", async |rig| rig.stats().await.dead == 1)
        .await;
    assert_eq!(rig.queue.push(from_ref(&task)).await.unwrap(), 0);

    task.payload.act = Act::SucceedAt { attempt: 3 };
    assert_eq!(rig.queue.push_again(&[task]).await.unwrap(), 1);
    rig.until("it is done", async |rig| rig.log.finished() == 1)
        .await;
    rig.until_empty().await;
    assert_eq!(rig.log.attempts(), [1, 2, 3, 1, 2, 3]);
    assert_eq!(rig.stats().await.dead, 0);
    worker.stop().await;
}
