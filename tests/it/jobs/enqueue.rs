//! Jobs that operators start by hand.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::Permission;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{app::TestApp, shop::global_id, wait::PATIENCE};

const STARTED: &str = "SELECT count(*) FROM audit WHERE action = 'job.enqueue'";
const RESULT: &str = "query($id: ID!) { job(id: $id) { state result message priority uniqueKey } }";

/// What is done to the whole shop, the kind of its job, and what it takes besides steering jobs.
const WHOLE: [(&str, &str, &str); 10] = [
    ("CREATE_BACKUP", "backup.create", "backup.manage"),
    ("FETCH_METAL_RATES", "metal_rate.fetch", "pricing.write"),
    ("RECONCILE_COSTS", "stock.reconcile", "stock.read"),
    ("RECONCILE_LEVELS", "stock.reconcile", "stock.read"),
    ("RECONCILE_SERIES", "stock.reconcile", "stock.read"),
    ("REGENERATE_IMAGES", "item.regenerate_images", "job.manage"),
    ("RETENTION", "retention.run", "retention.manage"),
    ("VERIFY_BACKUP", "backup.verify", "backup.manage"),
    ("VERIFY_LEDGER", "ledger.verify", "books.manage"),
    ("VERIFY_TRAIL", "trail.verify", "audit.read"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_made_when_an_operator_wants_one() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.actor("owner").await;
    for (errand, kind, told) in [
        ("RECONCILE_LEVELS", "stock.reconcile", Some("differences")),
        ("VERIFY_TRAIL", "trail.verify", Some("seals")),
        ("VERIFY_LEDGER", "ledger.verify", Some("differences")),
        ("REGENERATE_IMAGES", "item.regenerate_images", None),
    ] {
        let done = manager
            .done("jobEnqueue", json!({"errand": errand, "priority": 7}))
            .await;
        let job = &done["job"];
        assert_eq!(
            (&job["kind"], &job["queue"], &job["priority"]),
            (&json!(kind), &json!("bulk"), &json!(7))
        );
        assert_eq!(done["isNew"], true);
        assert!(
            job["userId"].is_string() && job["uniqueKey"].is_string(),
            "{job}"
        );
        app.until_done(PATIENCE).await;
        let seen = manager.ok(RESULT, json!({"id": job["id"]})).await["job"].take();
        assert_eq!(seen["state"], "SUCCEEDED");
        if let Some(told) = told {
            assert!(seen["result"][told].is_i64(), "{seen}");
        }
    }
    assert_eq!(app.count(STARTED).await, 4);
    let proved = "SELECT count(*) FROM ledger_verification WHERE difference_count = 0 AND finished_at IS NOT NULL";
    assert_eq!(app.count(proved).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_who_press_the_same_button_one_makes_the_job_and_all_get_it() {
    let app = TestApp::builder()
        .set("GOLDSHOP_DATABASE__MAX_CONNECTIONS", 40)
        .start()
        .await;
    let owner = app.actor("owner").await;
    for (place, (errand, kind, _)) in WHOLE.into_iter().enumerate() {
        let input = json!({"errand": errand, "priority": 3});
        let pressed = (0..8).map(|_| owner.done("jobEnqueue", input.clone()));
        let answers = join_all(pressed).await;
        let ids: BTreeSet<_> = answers
            .iter()
            .map(|answer| answer["job"]["id"].as_str().unwrap())
            .collect();
        let new = answers.iter().filter(|answer| answer["isNew"] == true);
        assert_eq!((ids.len(), new.count()), (1, 1), "{errand}: {answers:#?}");
        let job = &answers[0]["job"];
        assert_eq!((&job["kind"], &job["priority"]), (&json!(kind), &json!(3)));
        let before = i64::try_from(place + 1).unwrap();
        assert_eq!(
            app.count("SELECT count(*) FROM job").await,
            before,
            "{errand}"
        );
        assert_eq!(app.count(STARTED).await, before, "{errand}");
    }
    // Whichever button it is.
    let pictures = owner.done("itemImagesRegenerate", json!({})).await;
    let again = json!({"errand": "REGENERATE_IMAGES"});
    let again = owner.done("jobEnqueue", again).await;
    assert_eq!(
        (&again["isNew"], &again["job"]["id"]),
        (&json!(false), &pictures["job"]["id"])
    );
    app.execute("UPDATE job SET state = 'succeeded', relayed_at = now(), finished_at = now()")
        .await;
    let pictures = owner.done("itemImagesRegenerate", json!({})).await;
    let after = json!({"errand": "REGENERATE_IMAGES"});
    let after = owner.done("jobEnqueue", after).await;
    assert_eq!(
        (&after["isNew"], &after["job"]["id"]),
        (&json!(false), &pictures["job"]["id"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_does_nothing_and_says_that_it_is_done() {
    let app = TestApp::builder().with_worker().start().await;
    let manager = app.manager().await;
    let probe = json!({"errand": "PROBE_QUEUE"});
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
    let of_an_item = json!({"errand": "PROBE_QUEUE", "itemId": global_id("Item", "01930000000070008000000000abcdef")});
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
    let input = json!({"errand": "RENDER_CODE", "itemId": item});
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
    let manager = app.actor("owner").await;
    let nothing = global_id("Item", "01930000000070008000000000abcdef");
    for (input, code, path) in [
        (json!({"errand": "RENDER_CODE"}), "REQUIRED", "itemId"),
        (
            json!({"errand": "RENDER_CODE", "itemId": nothing}),
            "NOT_FOUND",
            "itemId",
        ),
        (
            json!({"errand": "RENDER_CODE", "itemId": "x"}),
            "INVALID_FORMAT",
            "itemId",
        ),
        (
            json!({"errand": "RECONCILE_LEVELS", "priority": 101}),
            "OUT_OF_RANGE",
            "priority",
        ),
        (
            json!({"errand": "RECONCILE_LEVELS", "priority": -2_000_000_000}),
            "OUT_OF_RANGE",
            "priority",
        ),
    ] {
        let refused = manager.not_done("jobEnqueue", input.clone()).await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())], "{input}");
    }
    for (errand, ..) in WHOLE {
        let input = json!({"errand": errand, "itemId": nothing});
        let refused = manager.not_done("jobEnqueue", input).await;
        let expected = [("EXCLUSIVE".to_owned(), "itemId".to_owned())];
        assert_eq!(refused, expected, "{errand}");
    }
    for errand in ["IMPORT_ITEMS", "item.import", "verify_trail"] {
        let answer = manager
            .change("jobEnqueue", json!({"errand": errand}))
            .await;
        let said = &answer.errors[0]["message"];
        assert!(said.as_str().unwrap().contains("Errand"), "{said}");
    }
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
    let code = json!({"errand": "RENDER_CODE", "itemId": item});
    let whole = WHOLE
        .into_iter()
        .map(|(errand, _, permission)| (json!({"errand": errand}), permission));
    for (input, permission) in whole.chain([(code, "catalogue.write")]) {
        let answer = operator.change("jobEnqueue", input.clone()).await;
        if permission == "job.manage" {
            assert_eq!(answer.codes(), [""; 0], "{input}");
            continue;
        }
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{input}");
        assert_eq!(answer.errors[0]["extensions"]["permission"], permission);
    }
    let auditor = only(&[Permission::JobManage, Permission::AuditRead]).await;
    auditor
        .done("jobEnqueue", json!({"errand": "VERIFY_TRAIL"}))
        .await;
}
