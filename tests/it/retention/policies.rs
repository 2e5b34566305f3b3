//! How long things are kept, and who may say so.

use domain::retention::Subject;
use sea_orm::Iterable as _;
use serde_json::json;
use tests::{app::TestApp, wait::PATIENCE};

use super::{answers, ask, counts, finished};

const POLICIES: &str = "{ retentionPolicies { subject keepDays minimumDays enabled version } }";

#[tokio::test(flavor = "multi_thread")]
async fn each_subject_has_a_policy_that_is_never_shorter_than_its_minimum() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let policies = owner.ok(POLICIES, json!({})).await;
    let policies = policies["retentionPolicies"].as_array().unwrap();
    assert_eq!(policies.len(), Subject::iter().count());
    for policy in policies {
        let subject = &policy["subject"];
        let least = policy["minimumDays"].as_i64().unwrap();
        assert!(policy["keepDays"].as_i64().unwrap() >= least);
        for days in [least - 1, 0, -1, 36_501] {
            let answer = owner
                .change(
                    "retentionPolicyUpdate",
                    json!({"subject": subject, "keepDays": days}),
                )
                .await;
            assert_eq!(
                answer.refused(),
                [("OUT_OF_RANGE".into(), "keepDays".into())],
                "{subject} {days}"
            );
        }
        // The database says the same.
        let done = owner
            .done(
                "retentionPolicyUpdate",
                json!({"subject": subject, "keepDays": least, "expectedVersion": 1}),
            )
            .await;
        assert_eq!(done["retentionPolicy"]["version"], 2);
    }
    let nothing = json!({"subject": "EVENTS"});
    let answer = owner.change("retentionPolicyUpdate", nothing).await;
    assert_eq!(answer.refused(), [("REQUIRED".into(), "keepDays".into())]);
    let stale = json!({"subject": "EVENTS", "keepDays": 10, "expectedVersion": 1});
    let answer = owner.change("retentionPolicyUpdate", stale).await;
    assert_eq!(
        answer.refused(),
        [("STALE_VERSION".into(), "expectedVersion".into())]
    );
    let changed =
        "SELECT count(*) FROM trail_change WHERE source = 'retention_policy' AND operation = 'u'";
    assert_eq!(app.count(changed).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_ever_stays() {
    let app = TestApp::builder().with_worker().start().await;
    let owner = app.owner().await;
    answers(&app, 5, 0).await;
    let off = json!({"subject": "IDEMPOTENCY_KEYS", "enabled": false});
    owner.done("retentionPolicyUpdate", off).await;
    let run = finished(&owner, &ask(&owner, false).await).await;
    assert_eq!(counts(&run, "IDEMPOTENCY_KEYS"), (0, 0, 0));
    let on = json!({"subject": "IDEMPOTENCY_KEYS", "enabled": true, "keepDays": 40});
    owner.done("retentionPolicyUpdate", on).await;
    let run = finished(&owner, &ask(&owner, false).await).await;
    assert_eq!(counts(&run, "IDEMPOTENCY_KEYS"), (0, 0, 0));
    let shorter = json!({"subject": "IDEMPOTENCY_KEYS", "keepDays": 30});
    owner.done("retentionPolicyUpdate", shorter).await;
    let run = finished(&owner, &ask(&owner, false).await).await;
    assert_eq!(counts(&run, "IDEMPOTENCY_KEYS"), (5, 0, 0));
    let runs = owner
        .ok("{ retentionRuns(first: 2) { nodes { outcomes { rowCount } job { state } } pageInfo { hasNextPage } } }", json!({}))
        .await;
    assert_eq!(runs["retentionRuns"]["pageInfo"]["hasNextPage"], true);
    app.until_done(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_owners_say_how_long() {
    let app = TestApp::start().await;
    for actor in [app.manager().await, app.clerk().await] {
        for (mutation, input) in [
            ("retentionRun", json!({"dryRun": true})),
            (
                "retentionPolicyUpdate",
                json!({"subject": "EVENTS", "keepDays": 10}),
            ),
            ("legalHoldSet", json!({"reason": "Why"})),
        ] {
            let answer = actor.change(mutation, input).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{mutation}");
        }
        for query in [
            POLICIES,
            "{ legalHold { held } }",
            "{ retentionRuns { nodes { id } } }",
        ] {
            assert_eq!(actor.gql(query, json!({})).await.codes(), ["FORBIDDEN"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_changes_nothing_again() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    for (mutation, input, member, other) in [
        (
            "retentionRun",
            json!({"dryRun": true}),
            "dryRun",
            json!(false),
        ),
        (
            "retentionPolicyUpdate",
            json!({"subject": "EVENTS", "keepDays": 10}),
            "keepDays",
            json!(11),
        ),
        (
            "legalHoldSet",
            json!({"reason": "Why"}),
            "reason",
            json!("Why not"),
        ),
    ] {
        let mut input = input;
        input["idempotencyKey"] = json!(mutation);
        let first = owner.done(mutation, input.clone()).await;
        let audited = app.count("SELECT count(*) FROM audit").await;
        assert_eq!(
            owner.done(mutation, input.clone()).await,
            first,
            "{mutation}"
        );
        assert_eq!(app.count("SELECT count(*) FROM audit").await, audited);
        input[member] = other;
        let answer = owner.change(mutation, input).await;
        assert_eq!(
            answer.refused(),
            [("IDEMPOTENCY_KEY_REUSED".into(), "idempotencyKey".into())]
        );
    }
}
