//! Two servers that have nothing of a client's: it does not matter which one is asked.

use serde_json::json;
use tests::{
    actor::Actor,
    app::{PASSWORD, TestApp},
};

use crate::events::{ITEMS, items_after, position};

const ME: &str = "{ me { user { email } } }";
const LOGOUT: &str = "mutation { logout { userErrors { code } } }";
const LOGIN: &str = "mutation($email: String!, $password: String!) {
    login(input: {email: $email, password: $password}) { userErrors { code path } }
}";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_began_at_one_server_is_known_and_ended_at_the_other() {
    let app = TestApp::start().await;
    let other = app.another_server().await;
    let here = app.owner().await;
    let there = here.at(&other.url);
    for server in [&here, &there] {
        let me = server.ok(ME, json!({})).await;
        assert_eq!(me["me"]["user"]["email"], "owner@example.com");
    }
    there.ok(LOGOUT, json!({})).await;
    assert_eq!(here.gql(ME, json!({})).await.status, 401);
}

/// The code that an attempt to log in is refused with.
async fn refusal(server: &Actor, password: &str) -> String {
    let variables = json!({"email": "clerk@example.com", "password": password});
    let refusals = server.refused(LOGIN, variables).await;
    let codes: Vec<_> = refusals.into_iter().map(|(code, _)| code).collect();
    codes.join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_at_two_servers_has_no_more_attempts_than_at_one() {
    let app = TestApp::builder()
        .set("GOLDSHOP_AUTH__LOGIN_ATTEMPTS", 4)
        .start()
        .await;
    let other = app.another_server().await;
    app.user("clerk").await;
    let here = app.anonymous();
    let there = here.at(&other.url);
    for server in [&here, &there, &here, &there] {
        assert_eq!(
            refusal(server, "wrong password").await,
            "INVALID_CREDENTIALS"
        );
    }
    for server in [&here, &there] {
        assert_eq!(refusal(server, PASSWORD).await, "THROTTLED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_at_one_server_is_heard_at_the_other_and_a_listener_may_change_over() {
    let app = TestApp::start().await;
    let other = app.another_server().await;
    let here = app.manager().await;
    let there = here.at(&other.url);
    let category = here.category("Rings", None).await;
    let start = app.position().await;
    let mut listener = there.subscribe(ITEMS, json!({"after": start})).await;
    here.item("RING-1", &category).await;
    let first = listener.next().await;
    assert_eq!(first["itemChanged"]["item"]["sku"], "RING-1");
    drop(listener);
    there.item("RING-2", &category).await;
    let mut listener = items_after(&here, position(&first)).await;
    let second = listener.next().await;
    assert_eq!(second["itemChanged"]["item"]["sku"], "RING-2");
}
