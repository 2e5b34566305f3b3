//! API tokens.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    Permission,
    clock::{Clock, ManualClock, SystemClock},
};
use serde_json::{Value, json};
use tests::app::TestApp;

use super::support::*;

fn new_token(app: &TestApp, permissions: &[&str], days: i64) -> Value {
    let expires_at = (app.domain().now() + TimeDelta::days(days)).to_rfc3339();
    json!({"input": {"name": "till", "permissions": permissions, "expiresAt": expires_at}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_do_what_it_was_made_for_and_no_more() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let made = owner
        .ok(CREATE_TOKEN, new_token(&app, &["user.read"], 1))
        .await["apiTokenCreate"]
        .clone();
    assert_eq!(made["apiToken"]["permissions"], json!(["user.read"]));
    let program = app.anonymous().with_token(text(&made["secret"]));
    assert_eq!(
        program.ok(ME, json!({})).await["me"]["permissions"],
        json!(["user.read"])
    );
    program.ok("{ users { nodes { email } } }", json!({})).await;
    let answer = program
        .gql(CREATE, json!({"input": new_user("b@example.com", &[])}))
        .await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    let listed = owner.ok("{ apiTokens { id name } }", json!({})).await;
    assert_eq!(
        listed["apiTokens"],
        json!([{"id": made["apiToken"]["id"], "name": "till"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_makes_no_other_and_sees_no_sessions() {
    let app = TestApp::start().await;
    let program = app.actor("owner").await;
    assert_eq!(
        program
            .gql(CREATE_TOKEN, new_token(&app, &["user.read"], 1))
            .await
            .codes(),
        ["UNAUTHENTICATED"]
    );
    for closed in [
        SESSIONS,
        "{ apiTokens { id } }",
        "mutation { logout { userErrors { code } } }",
    ] {
        assert_eq!(
            program.gql(closed, json!({})).await.codes(),
            ["UNAUTHENTICATED"],
            "{closed}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_does_nothing_to_its_user() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let mut made = Vec::new();
    for permissions in [&["catalogue.read"][..], &["job.read"]] {
        let data = owner
            .ok(CREATE_TOKEN, new_token(&app, permissions, 1))
            .await;
        made.push(data["apiTokenCreate"].clone());
    }
    let [stolen, other] =
        [0, 1].map(|token| app.anonymous().with_token(text(&made[token]["secret"])));
    let me = owner.ok(ME, json!({})).await["me"]["user"].clone();
    for change in [json!({"displayName": "Mallory"}), json!({"locale": "FA"})] {
        let mut input = change;
        input["id"] = me["id"].clone();
        let answer = stolen.gql(UPDATE, json!({"input": input})).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
        assert_eq!(answer.errors[0]["extensions"]["permission"], "user.manage");
    }
    let refused = stolen
        .refused(REVOKE_TOKEN, json!({"id": made[1]["apiToken"]["id"]}))
        .await;
    assert_eq!(refused, [("NOT_FOUND".to_owned(), "id".to_owned())]);
    assert_eq!(owner.ok(ME, json!({})).await["me"]["user"], me);
    other.ok(ME, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_takes_itself_back() {
    let app = TestApp::builder()
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 0)
        .start()
        .await;
    let owner = app.owner().await;
    let made = owner
        .ok(CREATE_TOKEN, new_token(&app, &["catalogue.read"], 1))
        .await["apiTokenCreate"]
        .clone();
    let program = app.anonymous().with_token(text(&made["secret"]));
    program
        .ok(REVOKE_TOKEN, json!({"id": made["apiToken"]["id"]}))
        .await;
    assert_eq!(program.gql(ME, json!({})).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_a_token_that_may_do_more_or_lasts_for_ever() {
    let app = TestApp::start().await;
    app.user("clerk").await;
    let clerk = app
        .anonymous()
        .logged_in("clerk@example.com", tests::app::PASSWORD)
        .await;
    let answer = clerk
        .gql(CREATE_TOKEN, new_token(&app, &["catalogue.write"], 1))
        .await;
    assert_eq!(
        (
            answer.codes(),
            &answer.errors[0]["extensions"]["permission"]
        ),
        (vec!["FORBIDDEN"], &json!("catalogue.write"))
    );
    for (permissions, days, code, path) in [
        (&["job.read"][..], 366, "OUT_OF_RANGE", "expiresAt"),
        (&["job.read"], -1, "OUT_OF_RANGE", "expiresAt"),
        (&[], 1, "REQUIRED", "permissions"),
        (&["job.read", "job.invent"], 1, "NOT_FOUND", "permissions.1"),
    ] {
        let refused = clerk
            .refused(CREATE_TOKEN, new_token(&app, permissions, days))
            .await;
        assert_eq!(refused, [(code.to_owned(), path.to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let mut input = new_token(&app, &["job.read"], 1);
    input["input"]["idempotencyKey"] = json!("once");
    let first = owner.ok(CREATE_TOKEN, input.clone()).await["apiTokenCreate"].clone();
    let again = owner.ok(CREATE_TOKEN, input).await["apiTokenCreate"].clone();
    assert!(text(&first["secret"]).starts_with("gst_"));
    assert_eq!(
        (&again["secret"], &again["apiToken"]),
        (&Value::Null, &first["apiToken"])
    );
    assert_eq!(
        owner.ok("{ apiTokens { id } }", json!({})).await["apiTokens"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_to_the_second_though_it_is_remembered() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let app = TestApp::builder()
        .clock(Arc::<ManualClock>::clone(&clock))
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let user = app.user("clerk").await;
    let program = app
        .anonymous()
        .with_token(&app.token(&user, None, TimeDelta::hours(1)).await);
    clock.advance(TimeDelta::seconds(3599));
    program.ok(ME, json!({})).await;
    clock.advance(TimeDelta::seconds(1));
    let answer = program.gql(ME, json!({})).await;
    assert_eq!(
        (answer.status, answer.codes()),
        (401, vec!["UNAUTHENTICATED"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_remembered_is_over_at_once_when_it_is_taken_back() {
    let app = TestApp::builder()
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 0)
        .start()
        .await;
    let owner = app.owner().await;
    let made = owner
        .ok(CREATE_TOKEN, new_token(&app, &["job.read"], 1))
        .await["apiTokenCreate"]
        .clone();
    let (id, program) = (
        json!({"id": made["apiToken"]["id"]}),
        app.anonymous().with_token(text(&made["secret"])),
    );
    program.ok(ME, json!({})).await;
    let revoked = owner.ok(REVOKE_TOKEN, id.clone()).await;
    assert_eq!(program.gql(ME, json!({})).await.status, 401);
    assert_eq!(
        owner.ok(REVOKE_TOKEN, id).await,
        revoked,
        "once more changes nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_owner_takes_back_what_is_somebody_elses() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let made = owner
        .ok(CREATE_TOKEN, new_token(&app, &["job.read"], 1))
        .await["apiTokenCreate"]
        .clone();
    let id = json!({"id": made["apiToken"]["id"]});
    assert_eq!(
        app.clerk().await.refused(REVOKE_TOKEN, id.clone()).await,
        [("NOT_FOUND".to_owned(), "id".to_owned())]
    );
    let other = app.user("manager").await;
    let secret = app
        .token(
            &other,
            Some([Permission::JobRead].into_iter().collect()),
            TimeDelta::days(1),
        )
        .await;
    let manager = app
        .anonymous()
        .logged_in(&other.email, tests::app::PASSWORD)
        .await;
    let theirs = manager.ok("{ apiTokens { id } }", json!({})).await["apiTokens"][0]["id"].clone();
    owner.ok(REVOKE_TOKEN, json!({"id": theirs})).await;
    let program = app.anonymous().with_token(&secret);
    assert_eq!(program.gql(ME, json!({})).await.status, 401);
}
