//! Changing one's password, and what must never be found anywhere.

use reqwest::header::COOKIE;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp};

use super::support::*;

const NEW: &str = "another long password";

fn change(old: &str, new: &str) -> Value {
    json!({"input": {"oldPassword": old, "newPassword": new}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_all_other_sessions() {
    let app = TestApp::start().await;
    let (owner, elsewhere) = (app.owner().await, app.owner().await);
    let answer = owner.gql(CHANGE_PASSWORD, change(PASSWORD, NEW)).await;
    let (pair, _) = cookie(&answer);
    let _user = answer.ok();
    for dead in [&owner, &elsewhere] {
        assert_eq!(dead.gql(ME, json!({})).await.status, 401);
    }
    app.anonymous()
        .with_header(COOKIE.as_str(), &pair)
        .ok(SESSIONS, json!({}))
        .await;
    assert_eq!(
        refusals(&login(&app.anonymous(), "owner@example.com", PASSWORD).await),
        ["INVALID_CREDENTIALS"]
    );
    logs_in(&app.anonymous(), "owner@example.com", NEW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_password_must_be_right_and_the_new_one_good() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let cases = [
        (
            "wrong password",
            NEW,
            ("INVALID_CREDENTIALS", "oldPassword"),
        ),
        (PASSWORD, "too short", ("TOO_SHORT", "newPassword")),
        (PASSWORD, &"x".repeat(129), ("TOO_LONG", "newPassword")),
        (
            PASSWORD,
            "Owner@Example.com",
            ("INVALID_FORMAT", "newPassword"),
        ),
    ];
    for (old, new, (code, path)) in cases {
        assert_eq!(
            owner.refused(CHANGE_PASSWORD, change(old, new)).await,
            [(code.to_owned(), path.to_owned())]
        );
    }
    logs_in(&app.anonymous(), "owner@example.com", PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_session_cannot_guess_the_password() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    for _ in 0..5 {
        assert_eq!(
            refusals(
                &owner
                    .gql(CHANGE_PASSWORD, change("wrong password", NEW))
                    .await
            ),
            ["INVALID_CREDENTIALS"]
        );
    }
    assert_eq!(
        refusals(&owner.gql(CHANGE_PASSWORD, change(PASSWORD, NEW)).await),
        ["THROTTLED"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_a_token_cannot_change_the_password() {
    let app = TestApp::start().await;
    let program = app.actor("owner").await;
    assert_eq!(
        program
            .gql(CHANGE_PASSWORD, change(PASSWORD, NEW))
            .await
            .codes(),
        ["UNAUTHENTICATED"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_trail_or_among_kept_answers() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let mut new = new_user("sara@example.com", &["clerk"]);
    new["idempotencyKey"] = json!("create");
    owner.ok(CREATE, json!({"input": new})).await;
    let expires_at = (app.domain().now() + chrono::TimeDelta::days(1)).to_rfc3339();
    let token = json!({"name": "till", "permissions": ["job.read"], "expiresAt": expires_at, "idempotencyKey": "token"});
    let made = owner.ok(CREATE_TOKEN, json!({"input": token})).await;
    let mut other = change(PASSWORD, NEW);
    other["input"]["idempotencyKey"] = json!("change");
    owner.ok(CHANGE_PASSWORD, other).await;

    let sql = "SELECT concat(a.t, i.t) FROM (SELECT string_agg(audit::text, ' ') t FROM audit) a, (SELECT string_agg(idempotency::text, ' ') t FROM idempotency) i";
    let kept: String = sqlx::query_scalar(sql).fetch_one(app.sql()).await.unwrap();
    assert!(
        kept.contains("user.create")
            && kept.contains("user.change_password")
            && kept.contains("api_token.create")
    );
    let secret = text(&made["apiTokenCreate"]["secret"]);
    for secret in [
        "a long password",
        PASSWORD,
        NEW,
        secret,
        "$argon2",
        "password_hash",
        "token_hash",
    ] {
        assert!(!kept.contains(secret), "{secret}");
    }
}
