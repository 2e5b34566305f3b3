//! The operator's command line for jobs and queues: tables for people, JSON and exit statuses for scripts.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    app::TestApp,
    picture::small,
    process::{Ended, Program, run},
    wait::{PATIENCE, until},
};

async fn worker(app: &TestApp, arguments: &[&str]) -> Ended {
    let deadline = Duration::from_secs(60);
    run("worker", arguments, app.variables(), "", deadline).await
}

/// What it says on its standard output, when all goes well.
async fn said(app: &TestApp, arguments: &[&str]) -> String {
    let ended = worker(app, arguments).await;
    assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {ended:?}");
    ended.output
}

async fn json_said(app: &TestApp, arguments: &[&str]) -> Value {
    let output = said(app, arguments).await;
    serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}"))
}

async fn with_items(count: usize) -> TestApp {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    for number in 0..count {
        manager.item(&format!("RING-{number}"), &category).await;
    }
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_and_shown_for_people_and_for_scripts() {
    let app = with_items(3).await;
    let id = app.jobs().await[2].id.to_string();
    let table = said(&app, &["jobs", "list"]).await;
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[0].starts_with("ID ") && lines[0].contains("STATE"));
    // Newest first.
    assert!(
        lines[1].starts_with(&id) && lines[1].contains("queued"),
        "{table}"
    );
    let listed = json_said(&app, &["jobs", "list", "--json", "--first", "2"]).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(
        (&listed[0]["id"], &listed[0]["state"]),
        (&json!(id), &json!("queued"))
    );
    for (filter, count) in [
        (&["--state", "dead"][..], 0),
        (&["--state", "dead", "--state", "queued"], 3),
        (&["--kind", "item.render_code", "--queue", "codes"], 3),
        (&["--queue", "media"], 0),
    ] {
        let arguments = [&["jobs", "list", "--json"], filter].concat();
        let listed = json_said(&app, &arguments).await;
        assert_eq!(listed.as_array().unwrap().len(), count, "{filter:?}");
    }
    let shown = said(&app, &["jobs", "show", &id]).await;
    assert!(
        shown.contains(&id) && shown.contains("item.render_code"),
        "{shown}"
    );
    let shown = json_said(&app, &["jobs", "show", &id, "--json"]).await;
    assert_eq!(shown["max_attempts"], 14);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_cancelled_and_tried_again() {
    let app = with_items(2).await;
    let ids: Vec<_> = app
        .jobs()
        .await
        .iter()
        .map(|job| job.id.to_string())
        .collect();
    let cancelled = said(&app, &["jobs", "cancel", &ids[0]]).await;
    assert!(cancelled.contains("cancelled"), "{cancelled}");
    app.execute("UPDATE job SET state = 'dead', relayed_at = now(), finished_at = now() WHERE state = 'queued'")
        .await;
    // What is refused of one keeps nothing from the other, and scripts hear of it.
    let nothing = "01930000-0000-7000-8000-000000abcdef";
    let ended = worker(
        &app,
        &["jobs", "retry", &ids[0], nothing, &ids[1], "--json"],
    )
    .await;
    assert_eq!(ended.status.code(), Some(3), "{ended:?}");
    assert!(
        ended.errors.contains(&format!("{}: NOT_DEAD id", ids[0])),
        "{ended:?}"
    );
    assert!(
        ended.errors.contains(&format!("{nothing}: NOT_FOUND id")),
        "{ended:?}"
    );
    let retried: Value = serde_json::from_str(&ended.output).unwrap();
    assert_eq!(retried[0]["id"], ids[1]);
    let audited = "SELECT count(*) FROM audit WHERE actor_name = 'command line' AND action IN ('job.cancel', 'job.retry')";
    assert_eq!(app.count(audited).await, 2);
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "the other one is done", |jobs| {
        jobs.iter().any(|job| job.standing() == ("succeeded", 1))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_stand_still_go_on_and_have_their_dead_tried_again() {
    let app = with_items(2).await;
    let paused = said(&app, &["queues", "pause", "codes", "--reason", "no paper"]).await;
    assert!(paused.contains("codes"), "{paused}");
    let table = said(&app, &["queues", "list"]).await;
    assert!(
        table.contains("no paper") && table.contains("0 workers at work"),
        "{table}"
    );
    let list = json_said(&app, &["queues", "list", "--json"]).await;
    let codes = &list["queues"][1];
    assert_eq!(
        (&codes["queue"], &codes["waiting"], &codes["paused_by"]),
        (&json!("codes"), &json!(2), &json!("command line"))
    );
    said(&app, &["queues", "resume", "codes"]).await;
    let list = json_said(&app, &["queues", "list", "--json"]).await;
    assert!(list["queues"][1]["paused_at"].is_null());

    app.execute("UPDATE job SET state = 'dead', relayed_at = now(), finished_at = now()")
        .await;
    let kind = ["--queue", "codes", "--kind", "item.render_image"];
    let none = [&["queues", "redrive", "--json"], &kind[..]].concat();
    assert_eq!(json_said(&app, &none).await, json!({"count": 0}));
    let all = said(&app, &["queues", "redrive"]).await;
    assert!(all.starts_with("2 jobs"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_can_tell_what_went_wrong() {
    let app = with_items(1).await;
    let nothing = "01930000-0000-7000-8000-000000abcdef";
    for (arguments, code) in [
        (&["jobs", "show", nothing][..], 3),
        (&["queues", "pause", "songs"], 3),
        (&["jobs", "show", "nonsense"], 2),
        (&["jobs", "list", "--state", "nonsense"], 2),
        (&["jobs", "list", "--first", "101"], 2),
        (&["jobs", "cancel"], 2),
    ] {
        let ended = worker(&app, arguments).await;
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {ended:?}");
        assert!(ended.output.is_empty() && !ended.errors.is_empty());
    }
    let mut variables = app.variables().clone();
    variables.insert(
        "DATABASE_URL".into(),
        "postgres://nobody@127.0.0.1:1/nothing".into(),
    );
    let list = run(
        "worker",
        &["jobs", "list"],
        &variables,
        "",
        Duration::from_secs(60),
    )
    .await;
    assert_eq!(list.status.code(), Some(1), "{list:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shells_complete_commands_without_any_settings() {
    let none = std::collections::BTreeMap::new();
    for shell in ["bash", "zsh", "fish"] {
        let arguments = ["completions", shell];
        let ended = run("worker", &arguments, &none, "", Duration::from_secs(60)).await;
        assert!(ended.status.success(), "{ended:?}");
        assert!(ended.output.contains("redrive"), "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_made_anew_and_who_loses_patience_takes_it_back() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    for shade in 0..3 {
        manager.picture(&item, small(shade)).await;
    }
    // Without a worker nobody does it.
    let mut program = Program::spawn("worker", &["images", "regenerate"], app.variables());
    let jobs = "SELECT count(*) FROM job WHERE kind = 'item.regenerate_images'";
    until(PATIENCE, "it is asked for", async || {
        app.count(jobs).await == 1
    })
    .await;
    program.signal("-INT");
    assert_eq!(program.ended().await.code(), Some(4));
    program.says("was cancelled").await;
    let cancelled =
        "SELECT count(*) FROM job WHERE kind = 'item.regenerate_images' AND state = 'cancelled'";
    assert_eq!(app.count(cancelled).await, 1);
    // Asked for twice it is the same job.
    let asked = ["images", "regenerate", "--no-wait", "--json"];
    let job = json_said(&app, &asked).await;
    assert_eq!(
        (&job["kind"], &job["state"]),
        (&json!("item.regenerate_images"), &json!("queued"))
    );
    assert_eq!(json_said(&app, &asked).await["id"], job["id"]);

    let _worker = app.worker();
    app.until_jobs(PATIENCE, "all others have succeeded", |jobs| {
        let mut states = jobs.iter().map(|job| job.state.as_str());
        states.all(|state| ["succeeded", "cancelled"].contains(&state))
    })
    .await;
    let output = said(&app, &["images", "regenerate"]).await;
    assert!(output.contains("is done"), "{output}");
    let done = json_said(&app, &["images", "regenerate", "--json"]).await;
    assert_eq!(
        (&done["state"], &done["progress"]),
        (&json!("succeeded"), &json!(100))
    );
    assert_ne!(done["id"], job["id"]);
}
