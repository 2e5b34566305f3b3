//! Changing one's password, and what must never be found anywhere.

use reqwest::header::COOKIE;
use sea_orm::sqlx;
use serde_json::{Value, json};
use tests::{
    app::{PASSWORD, TestApp},
    redis::RedisServer,
    wait::{PATIENCE, until},
};

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

/// As after a login that has read the old hash just before it was replaced, or when Redis was not there to end the sessions.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_an_earlier_password_opens_nothing() {
    let app = TestApp::builder()
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 0)
        .start()
        .await;
    let owner = app.owner().await;
    owner.ok(ME, json!({})).await;
    let sql = "UPDATE app_user SET credential_version = credential_version + 1";
    sqlx::query(sql).execute(app.sql()).await.unwrap();
    let answer = owner.gql(ME, json!({})).await;
    assert_eq!(
        (answer.status, answer.codes()),
        (401, vec!["UNAUTHENTICATED"])
    );
    assert!(cookie(&answer).1.contains(&"Max-Age=0".to_owned()));
    logs_in(&app.anonymous(), "owner@example.com", PASSWORD).await;
}

/// The old sessions stay in Redis, and both servers believe what they have read for a minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_knows_of_the_new_password_refuses_old_sessions_at_once() {
    let app = TestApp::builder()
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    let other = app.another_server().await;
    let (owner, elsewhere) = (app.owner().await, app.owner().await.at(&other.url));
    for alive in [&owner, &elsewhere] {
        alive.ok(ME, json!({})).await;
    }
    let kept = sessions(&app).await;
    assert_eq!(kept.len(), 2);
    let answer = owner.gql(CHANGE_PASSWORD, change(PASSWORD, NEW)).await;
    keep(&app, &kept).await;
    let new = app
        .anonymous()
        .with_header(COOKIE.as_str(), &cookie(&answer).0);
    assert_eq!(owner.gql(ME, json!({})).await.status, 401);
    new.ok(ME, json!({})).await;
    // The other server hears of the new password from its first session.
    new.at(&other.url).ok(ME, json!({})).await;
    assert_eq!(elsewhere.gql(ME, json!({})).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_changed_while_redis_went_away_is_changed() {
    let mut redis = RedisServer::start().await;
    let app = TestApp::builder().redis_url(redis.url()).start().await;
    let (owner, elsewhere) = (app.owner().await, app.owner().await);
    let mut holder = app.sql().begin().await.unwrap();
    let lock = "SELECT id FROM app_user FOR UPDATE";
    sqlx::query(lock).execute(&mut *holder).await.unwrap();
    let busy = owner.clone();
    let request =
        tokio::spawn(async move { busy.gql(CHANGE_PASSWORD, change(PASSWORD, NEW)).await });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(PATIENCE, "the change waits for the user", async || {
        app.count(waiting).await == 1
    })
    .await;
    redis.kill();
    drop(holder);
    let answer = request.await.unwrap();
    assert!(
        cookie(&answer).1.contains(&"Max-Age=0".to_owned()),
        "the browser drops a session that opens nothing"
    );
    assert_eq!(
        answer.ok()["userPasswordChange"]["user"]["email"],
        "owner@example.com"
    );
    redis.resume().await;
    for dead in [&owner, &elsewhere] {
        assert_eq!(dead.gql(ME, json!({})).await.status, 401);
    }
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
