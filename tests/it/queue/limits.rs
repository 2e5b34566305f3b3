//! Great numbers and long lives: nothing wedges, nothing grows without end.

use std::time::Duration;

use worker::queue::Settings;

use super::support::{Act, Rig, quick, task, tasks};

const MANY: usize = 12_000;

fn wide() -> Settings {
    Settings {
        concurrency: 200,
        retention: Duration::from_millis(500),
        ..quick()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_due_tasks_all_run() {
    let rig = Rig::new();
    rig.push(&tasks(MANY, &Act::Succeed)).await;
    assert_eq!(rig.stats().await.ready, MANY as u64);
    let worker = rig.start("w", wide());
    rig.until("all are done", async |rig| rig.log.finished() == MANY)
        .await;
    rig.until_empty().await;
    assert_eq!(rig.log.starts(), MANY);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_tasks_scheduled_for_the_same_moment_all_run() {
    let rig = Rig::new();
    let moment = rig.server_time(Duration::from_millis(500)).await;
    let mut pushed = tasks(MANY, &Act::Succeed);
    for task in &mut pushed {
        task.run_at = Some(moment);
    }
    rig.push(&pushed).await;
    let worker = rig.start("w", wide());
    rig.until("all are done", async |rig| rig.log.finished() == MANY)
        .await;
    rig.until_empty().await;
    assert_eq!(rig.log.starts(), MANY);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_tasks_leave_nothing_behind() {
    let rig = Rig::new();
    let worker = rig.start("w", wide());
    rig.push(&tasks(300, &Act::Succeed)).await;
    rig.until("all are done", async |rig| rig.log.finished() == 300)
        .await;
    rig.until("only the sequence is left", async |rig| {
        keys(rig).await == [rig.queue.keys().sequence()]
    })
    .await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_latest_dead_tasks_are_remembered() {
    let rig = Rig::new();
    let worker = rig.start(
        "w",
        Settings {
            dead_limit: 5,
            concurrency: 1,
            ..quick()
        },
    );
    rig.push(&tasks(40, &Act::Abort)).await;
    rig.until_started(40).await;
    rig.until_empty().await;
    assert_eq!(rig.stats().await.dead, 5);
    let records = keys(&rig)
        .await
        .into_iter()
        .filter(|key| key.contains(":task:"))
        .count();
    assert_eq!(records, 5);
    rig.push(&[task("still at work", Act::Succeed)]).await;
    rig.until("the next task is done", async |rig| rig.log.finished() == 1)
        .await;
    worker.stop().await;
}

async fn keys(rig: &Rig) -> Vec<String> {
    let mut connection = rig.connection().await;
    redis::cmd("KEYS")
        .arg(format!("*{}*", rig.space.prefix()))
        .query_async(&mut connection)
        .await
        .unwrap()
}
