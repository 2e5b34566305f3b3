//! Jobs that operators start by hand.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::Permission;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{app::TestApp, shop::global_id, wait::PATIENCE};

const STARTED: &str = "SELECT count(*) FROM audit WHERE action = 'job.enqueue'";
const RESULT: &str = "query($id: ID!) { job(id: $id) { state result message priority uniqueKey } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_made_when_an_operator_wants_one() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.actor("owner").await;
    for kind in ["stock.reconcile", "trail.verify"] {
        let done = manager
            .done("jobEnqueue", json!({"kind": kind, "priority": 7}))
            .await;
        let job = &done["job"];
        assert_eq!(
            (&job["kind"], &job["queue"], &job["priority"]),
            (&json!(kind), &json!("bulk"), &json!(7))
        );
        assert_eq!(
            (&done["isNew"], &job["uniqueKey"]),
            (&json!(true), &Value::Null)
        );
        assert!(job["userId"].is_string(), "{job}");
        app.until_done(PATIENCE).await;
        let seen = manager.ok(RESULT, json!({"id": job["id"]})).await["job"].take();
        assert_eq!(seen["state"], "SUCCEEDED");
        let of = if kind == "stock.reconcile" {
            "differences"
        } else {
            "seals"
        };
        assert!(seen["result"][of].is_i64(), "{seen}");
    }
    assert_eq!(app.count(STARTED).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_does_nothing_and_says_that_it_is_done() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let probe = json!({"kind": "queue.probe"});
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        let done = manager.done("jobEnqueue", probe.clone()).await;
        assert_eq!(
            (&done["job"]["queue"], &done["isNew"]),
            (&json!("codes"), &json!(true))
        );
        ids.insert(done["job"]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 2);
    app.until_done(PATIENCE).await;
    for id in ids {
        let seen = manager.ok(RESULT, json!({"id": id})).await["job"].take();
        assert_eq!(
            (&seen["state"], &seen["result"]),
            (&json!("SUCCEEDED"), &Value::Null)
        );
    }
    let of_an_item = json!({"kind": "queue.probe", "itemId": global_id("Item", "01930000000070008000000000abcdef")});
    let refused = manager.not_done("jobEnqueue", of_an_item).await;
    assert_eq!(refused, [("EXCLUSIVE".to_owned(), "itemId".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_who_ask_for_the_same_one_makes_the_job_and_all_get_it() {
    let app = TestApp::builder()
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 40)
        .start()
        .await;
    let manager = app.manager().await;
    let category = manager.category("Rings", None).await;
    let item = manager.item("RING-1", &category).await;
    app.execute("DELETE FROM job").await;
    let input = json!({"kind": "item.render_code", "itemId": item});
    for round in 1..=5 {
        let asked = (0..16).map(|_| manager.done("jobEnqueue", input.clone()));
        let answers = join_all(asked).await;
        let ids: BTreeSet<_> = answers
            .iter()
            .map(|answer| answer["job"]["id"].as_str().unwrap())
            .collect();
        let new = answers.iter().filter(|answer| answer["isNew"] == true);
        assert_eq!((ids.len(), new.count()), (1, 1), "{answers:#?}");
        assert_eq!(app.count("SELECT count(*) FROM job").await, round);
        assert_eq!(app.count(STARTED).await, round);
        // Once it has ended, in whatever way, there may be another.
        let end = match round % 3 {
            0 => {
                "UPDATE job SET state = 'dead', relayed_at = now(), finished_at = now() WHERE finished_at IS NULL"
            }
            1 => {
                "UPDATE job SET state = 'succeeded', relayed_at = now(), finished_at = now() WHERE finished_at IS NULL"
            }
            _ => {
                "UPDATE job SET state = 'cancelled', relayed_at = now(), finished_at = now() WHERE finished_at IS NULL"
            }
        };
        app.execute(end).await;
    }
    // A dead one is not tried again beside another one like it.
    let dead = app.jobs().await.into_iter().find(|job| job.state == "dead");
    let dead = json!({"id": dead.unwrap().global_id()});
    manager.done("jobEnqueue", input).await;
    let refused = manager.not_done("jobRetry", dead.clone()).await;
    assert_eq!(refused, [("JOB_UNDER_WAY".to_owned(), "id".to_owned())]);
    let _worker = app.worker();
    app.until_jobs(PATIENCE, "it is done", |jobs| {
        jobs.iter()
            .all(|job| job.state != "queued" && job.state != "running")
    })
    .await;
    manager.done("jobRetry", dead).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_may_start_is_refused_in_words() {
    let app = TestApp::start().await;
    let (manager, persian) = (app.actor("owner").await, app.persian_manager().await);
    let nothing = global_id("Item", "01930000000070008000000000abcdef");
    for (input, code, path) in [
        (json!({"kind": "item.import"}), "UNKNOWN_KIND", "kind"),
        (json!({"kind": "nonsense"}), "UNKNOWN_KIND", "kind"),
        (json!({"kind": "item.render_code"}), "REQUIRED", "itemId"),
        (
            json!({"kind": "item.render_code", "itemId": nothing}),
            "NOT_FOUND",
            "itemId",
        ),
        (
            json!({"kind": "item.render_code", "itemId": "x"}),
            "INVALID_FORMAT",
            "itemId",
        ),
        (
            json!({"kind": "stock.reconcile", "itemId": nothing}),
            "EXCLUSIVE",
            "itemId",
        ),
        (
            json!({"kind": "stock.reconcile", "priority": 101}),
            "OUT_OF_RANGE",
            "priority",
        ),
        (
            json!({"kind": "stock.reconcile", "priority": -2_000_000_000}),
            "OUT_OF_RANGE",
            "priority",
        ),
    ] {
        let refused = manager.not_done("jobEnqueue", input.clone()).await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{input}");
    }
    let unknown = json!({"kind": "item.import"});
    let answer = manager.change("jobEnqueue", unknown.clone()).await;
    let said = &answer.user_errors()[0].message;
    assert!(
        said.contains("item.import") && said.contains("trail.verify"),
        "{said}"
    );
    let answer = persian.change("jobEnqueue", unknown).await;
    let said = &answer.user_errors()[0].message;
    assert!(
        said.contains("دستی") && said.contains("trail.verify"),
        "{said}"
    );
    assert_eq!(app.count("SELECT count(*) FROM job").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_steer_jobs_is_not_to_do_everything_that_jobs_do() {
    let app = TestApp::start().await;
    let owner = app.user("owner").await;
    let only = async |permissions: &[Permission]| {
        let permissions = permissions.iter().copied().collect();
        let life = TimeDelta::hours(1);
        let secret = app.token(&owner, Some(permissions), life).await;
        app.anonymous().with_token(&secret)
    };
    let operator = only(&[Permission::JobManage]).await;
    let item = global_id("Item", "01930000000070008000000000abcdef");
    for (input, permission) in [
        (json!({"kind": "stock.reconcile"}), "stock.read"),
        (json!({"kind": "trail.verify"}), "audit.read"),
        (
            json!({"kind": "item.render_code", "itemId": item}),
            "catalogue.write",
        ),
    ] {
        let answer = operator.change("jobEnqueue", input).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
        assert_eq!(answer.errors[0]["extensions"]["permission"], permission);
    }
    let auditor = only(&[Permission::JobManage, Permission::AuditRead]).await;
    auditor
        .done("jobEnqueue", json!({"kind": "trail.verify"}))
        .await;
}
