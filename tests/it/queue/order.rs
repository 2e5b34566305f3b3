//! Which task runs next: the higher priority, then the older one.

use std::time::Duration;

use worker::queue::Settings;

use super::support::{Act, Rig, quick, task, tasks};

fn one_at_a_time() -> Settings {
    Settings {
        concurrency: 1,
        ..quick()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn higher_priorities_run_first() {
    let rig = Rig::new();
    let mut pushed = Vec::new();
    for (name, priority) in [
        ("usual", 0),
        ("lowest", i8::MIN),
        ("high", 5),
        ("low", -5),
        ("highest", i8::MAX),
    ] {
        let mut task = task(name, Act::Succeed);
        task.priority = priority;
        pushed.push(task);
    }
    rig.push(&pushed).await;
    let worker = rig.start("w", one_at_a_time());
    rig.until_empty().await;
    assert_eq!(
        rig.log.names(),
        ["highest", "high", "usual", "low", "lowest"]
    );
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_priorities_run_first_in_first_out() {
    let rig = Rig::new();
    let mut pushed = tasks(60, &Act::Succeed);
    // Ids that sort against the order of pushing: the order must not come from them.
    pushed.reverse();
    let names: Vec<_> = pushed
        .iter()
        .map(|task| task.payload.name.clone())
        .collect();
    for some in pushed.chunks(7) {
        rig.push(some).await;
    }
    let worker = rig.start("w", one_at_a_time());
    rig.until_empty().await;
    assert_eq!(rig.log.names(), names);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scheduled_tasks_run_in_the_order_of_their_times() {
    let rig = Rig::new();
    let moment = rig.server_time(Duration::from_secs(1)).await;
    let mut pushed = Vec::new();
    for ms in [90_u64, 30, 60, 31, 29] {
        let mut task = task(&ms.to_string(), Act::Succeed);
        task.run_at = Some(moment + Duration::from_millis(ms * 10));
        pushed.push(task);
    }
    rig.push(&pushed).await;
    let worker = rig.start("w", one_at_a_time());
    rig.until_empty().await;
    assert_eq!(rig.log.names(), ["29", "30", "31", "60", "90"]);
    worker.stop().await;
}
