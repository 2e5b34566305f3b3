//! Logging in and out, and those who should not get in.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    Viewer,
    clock::{Clock, ManualClock, SystemClock},
    user::UserChange,
};
use reqwest::header::COOKIE;
use serde_json::json;
use tests::{
    app::{PASSWORD, TestApp},
    postgres::PostgresServer,
    proxy::PostgresProxy,
    redis::RedisServer,
};

use super::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_login_opens_a_session_and_a_logout_ends_it() {
    let app = TestApp::start().await;
    app.user("clerk").await;
    let answer = login(&app.anonymous(), " Clerk@Example.com", PASSWORD).await;
    let (pair, attributes) = cookie(&answer);
    assert!(pair.starts_with("__Host-goldshop_session="), "{pair}");
    assert_eq!(
        attributes,
        [
            "Path=/",
            "Max-Age=2592000",
            "HttpOnly",
            "SameSite=Lax",
            "Secure"
        ]
    );
    let me = &answer.ok()["login"]["me"];
    assert_eq!(
        (&me["user"]["roles"], &me["permissions"]),
        (
            &json!([{"code": "clerk"}]),
            &json!(["catalogue.read", "job.read", "stock.read", "stock.write"])
        )
    );

    let clerk = app.anonymous().with_header(COOKIE.as_str(), &pair);
    assert_eq!(
        clerk.ok(ME, json!({})).await["me"]["user"]["email"],
        "clerk@example.com"
    );
    let logout = clerk
        .gql(
            "mutation { logout { userErrors { code path } } }",
            json!({}),
        )
        .await;
    assert!(cookie(&logout).1.contains(&"Max-Age=0".to_owned()));
    let after = clerk.gql(ME, json!({})).await;
    assert_eq!(
        (after.status, after.codes()),
        (401, vec!["UNAUTHENTICATED"])
    );
    assert!(
        cookie(&after).1.contains(&"Max-Age=0".to_owned()),
        "the browser drops the dead session"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_null_and_gets_nowhere() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    assert_eq!(nobody.ok(ME, json!({})).await["me"], json!(null));
    for closed in [
        "{ users { nodes { email } } }",
        "{ roles { code } }",
        SESSIONS,
        "{ apiTokens { id } }",
        "mutation { logout { userErrors { code } } }",
    ] {
        assert_eq!(
            nobody.gql(closed, json!({})).await.codes(),
            ["UNAUTHENTICATED"],
            "{closed}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_an_unknown_email_and_a_disabled_user_look_the_same() {
    let app = TestApp::start().await;
    app.user("clerk").await;
    let gone = app.user("manager").await;
    let disable = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    app.domain()
        .users()
        .update(&Viewer::system("test"), gone.id, disable, None, None)
        .await
        .unwrap();
    for (email, password) in [
        ("clerk@example.com", "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("rubbish", PASSWORD),
        (gone.email.as_str(), PASSWORD),
    ] {
        let answer = login(&app.anonymous(), email, password).await;
        assert_eq!(answer.data["login"]["me"], json!(null));
        let errors = answer.user_errors();
        assert_eq!(
            (
                errors[0].code.as_str(),
                errors[0].path.as_str(),
                errors.len()
            ),
            ("INVALID_CREDENTIALS", "", 1),
            "{email}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_wrong_passwords_are_five_attempts() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let app = TestApp::builder()
        .clock(Arc::<ManualClock>::clone(&clock))
        .start()
        .await;
    app.user("clerk").await;
    let nobody = app.anonymous();
    let mut codes = Vec::new();
    for _ in 0..100 {
        codes.extend(refusals(
            &login(&nobody, "clerk@example.com", "wrong password").await,
        ));
    }
    assert_eq!(codes[..5], vec!["INVALID_CREDENTIALS"; 5]);
    assert_eq!(codes[5..], vec!["THROTTLED"; 95]);
    let right = login(&nobody, "clerk@example.com", PASSWORD).await;
    assert_eq!(refusals(&right), ["THROTTLED"], "not even the right one");
    assert_eq!(
        right.data["login"]["userErrors"][0]["params"],
        json!([{"name": "seconds", "value": "900"}])
    );
    clock.advance(TimeDelta::seconds(901));
    logs_in(&nobody, "clerk@example.com", PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_try_names_for_ever_and_a_login_does_not_wipe_that_out() {
    let app = TestApp::builder()
        .set("GOLDSHOP_AUTH__LOGIN_ATTEMPTS", 1)
        .start()
        .await;
    app.user("clerk").await;
    let nobody = app.anonymous();
    for guess in 0..20 {
        let answer = login(
            &nobody,
            &format!("guess{guess}@example.com"),
            "wrong password",
        )
        .await;
        assert_eq!(refusals(&answer), ["INVALID_CREDENTIALS"], "{guess}");
        if guess == 10 {
            logs_in(&nobody, "clerk@example.com", PASSWORD).await;
        }
    }
    assert_eq!(
        refusals(&login(&nobody, "guess@example.com", "wrong password").await),
        ["THROTTLED"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_can_be_ended_from_another_one_but_not_by_somebody_else() {
    let app = TestApp::start().await;
    app.user("clerk").await;
    let lost = app
        .anonymous()
        .logged_in("clerk@example.com", PASSWORD)
        .await;
    let here = app
        .anonymous()
        .logged_in("clerk@example.com", PASSWORD)
        .await;
    let sessions = here.ok(SESSIONS, json!({})).await["sessions"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(
        (sessions.len(), &sessions[0]["address"]),
        (2, &json!("127.0.0.1"))
    );
    let other = sessions
        .iter()
        .find(|session| session["current"] == false)
        .unwrap();

    let stranger = app.owner().await;
    assert_eq!(
        stranger
            .refused(REVOKE_SESSION, json!({"id": other["id"]}))
            .await,
        [("NOT_FOUND".to_owned(), "id".to_owned())]
    );
    assert_eq!(
        stranger.refused(REVOKE_SESSION, json!({"id": "x"})).await,
        [("INVALID_FORMAT".to_owned(), "id".to_owned())]
    );
    lost.ok(ME, json!({})).await;
    here.ok(REVOKE_SESSION, json!({"id": other["id"]})).await;
    assert_eq!(lost.gql(ME, json!({})).await.status, 401, "at once");
    here.ok(ME, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_login_takes_the_place_of_the_old_session() {
    let app = TestApp::start().await;
    let before = app.owner().await;
    let after = before.logged_in("owner@example.com", PASSWORD).await;
    assert_eq!(before.gql(ME, json!({})).await.status, 401);
    assert_eq!(
        after.ok(SESSIONS, json!({})).await["sessions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_it_is_idle() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let app = TestApp::builder()
        .clock(Arc::<ManualClock>::clone(&clock))
        .start()
        .await;
    let owner = app.owner().await;
    for _ in 0..3 {
        clock.advance(TimeDelta::hours(11));
        owner.ok(ME, json!({})).await;
    }
    clock.advance(TimeDelta::hours(12));
    assert_eq!(owner.gql(ME, json!({})).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_do_not_hold_are_not_taken_for_nobody() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    let wrong = [
        nobody.with_token("gst_nonsense"),
        nobody.with_token(&format!("gst_{}", "A".repeat(43))),
        nobody.with_header("authorization", "Basic b3duZXI6b3duZXI="),
        nobody.with_header("authorization", "Bearer"),
        nobody.with_header("cookie", "__Host-goldshop_session=nonsense"),
        nobody.with_header(
            "cookie",
            &format!("__Host-goldshop_session={}", "A".repeat(43)),
        ),
    ];
    for actor in wrong {
        let answer = actor.gql(ME, json!({})).await;
        assert_eq!(
            (answer.status, answer.codes()),
            (401, vec!["UNAUTHENTICATED"]),
            "{:?}",
            actor.headers()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_nobody_logs_in_but_tokens_go_on() {
    let mut redis = RedisServer::start().await;
    let app = TestApp::builder().redis_url(redis.url()).start().await;
    let (owner, program) = (app.owner().await, app.manager().await);
    redis.kill();
    let answer = owner.gql(ME, json!({})).await;
    assert_eq!(
        (answer.status, answer.codes()),
        (503, vec!["SERVICE_UNAVAILABLE"])
    );
    assert_eq!(
        login(&app.anonymous(), "owner@example.com", PASSWORD)
            .await
            .codes(),
        ["SERVICE_UNAVAILABLE"]
    );
    program.ok(ME, json!({})).await;
    redis.resume().await;
    owner.ok(ME, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_here_a_moment_ago_costs_no_statement() {
    let postgres = PostgresServer::start().await;
    let proxy = PostgresProxy::start(&postgres.url()).await;
    let app = TestApp::builder()
        .database_url(proxy.url())
        .set("GOLDSHOP_AUTH__CREDENTIAL_CACHE_SECONDS", 60)
        .start()
        .await;
    for actor in [app.manager().await, app.owner().await] {
        let ask = async || actor.ok("{ __typename }", json!({})).await;
        let first = proxy.during(&ask).await;
        assert_eq!(first.len(), 1, "the first request asks once: {first:#?}");
        assert_eq!(proxy.during(&ask).await, Vec::<String>::new());
    }
}
