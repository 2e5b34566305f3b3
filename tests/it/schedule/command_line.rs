//! `worker schedules`, for whoever is at the machine.

use serde_json::{Value, json};
use tests::{
    app::TestApp,
    process::{Ended, run},
    wait::PATIENCE,
    work::uuid_of,
};

use super::{schedule, shown};

async fn worker(app: &TestApp, arguments: &[&str]) -> Ended {
    let all: Vec<_> = ["schedules"].iter().chain(arguments).copied().collect();
    run("worker", &all, app.variables(), "", PATIENCE).await
}

fn value(ended: &Ended) -> Value {
    assert!(ended.status.success(), "{ended:?}");
    serde_json::from_str(&ended.output).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_listed_shown_paused_resumed_and_run() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let id = schedule(&manager, "Nightly proof", json!({"cron": "0 2 * * *"})).await;

    let list = worker(&app, &["list"]).await;
    assert!(list.status.success(), "{list:?}");
    let mut lines = list.output.lines();
    assert!(lines.next().unwrap().starts_with("NAME"), "{list:?}");
    assert!(
        lines.any(|line| line.starts_with("Nightly proof") && line.contains("0 2 * * *")),
        "{list:?}"
    );
    let all = value(&worker(&app, &["list", "--json"]).await);
    assert_eq!(all.as_array().unwrap().len(), 9);

    let paused = worker(&app, &["pause", "Nightly proof"]).await;
    assert!(paused.output.contains("paused"), "{paused:?}");
    assert_eq!(shown(&manager, &id).await["enabled"], false);
    let resumed = value(&worker(&app, &["resume", "Nightly proof", "--json"]).await);
    assert_eq!(resumed[0]["enabled"], true);
    let job = value(&worker(&app, &["run", "Nightly proof", "--json"]).await);
    assert_eq!(
        app.jobs().await[0].id.to_string(),
        job["job"].as_str().unwrap()
    );
    // The job tells what caused it.
    let job = job["job"].as_str().unwrap();
    let jobs = async |arguments: &[&str]| {
        let all = [&["jobs"], arguments].concat();
        run("worker", &all, app.variables(), "", PATIENCE)
            .await
            .output
    };
    let told = jobs(&["show", job]).await;
    let schedule = uuid_of(&id);
    assert!(
        told.contains(&format!("{schedule} (Nightly proof)")),
        "{told}"
    );
    let told = jobs(&["list"]).await;
    assert!(
        told.contains("CAUSE") && told.contains(&format!("schedule {schedule}")),
        "{told}"
    );
    let show = value(&worker(&app, &["show", "Nightly proof", "--json"]).await);
    assert_eq!(show["next_runs"].as_array().unwrap().len(), 5);
    assert_eq!(show["firings"][0]["outcome"], "requested");
    let show = worker(&app, &["show", "Nightly proof"]).await;
    assert!(show.output.contains("requested"), "{show:?}");

    // The last one is not finished: said in words, and by the exit code.
    let again = worker(&app, &["run", "Nightly proof"]).await;
    assert!(!again.status.success());
    assert!(again.errors.contains("is not finished"), "{again:?}");
    let unknown = worker(&app, &["pause", "No such"]).await;
    assert!(!unknown.status.success());
    assert!(unknown.errors.contains("No such"), "{unknown:?}");
    let by =
        "SELECT count(*) FROM audit WHERE action LIKE 'schedule.%' AND actor_name = 'command line'";
    assert_eq!(app.count(by).await, 3);
}
