//! What the tests of people ask for again and again.

#![expect(clippy::expect_used, reason = "what is not there fails the test")]

use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};
use tests::{actor::Actor, answer::Answer, app::TestApp};

pub(super) const LOGIN: &str = "mutation($email: String!, $password: String!) {
    login(input: {email: $email, password: $password}) {
        me { user { email roles { code } } permissions } userErrors { code path message params { name value } }
    }
}";
pub(super) const ME: &str = "{ me { user { id email displayName version } permissions } }";
pub(super) const SESSIONS: &str = "{ sessions { id current address lastSeenAt } }";
pub(super) const REVOKE_SESSION: &str = "mutation($id: ID!) { sessionRevoke(input: {id: $id}) { sessionId userErrors { code path message } } }";
pub(super) const CREATE: &str = "mutation($input: UserCreateInput!) {
    userCreate(input: $input) { user { id email version locale } userErrors { code path message } }
}";
pub(super) const UPDATE: &str = "mutation($input: UserUpdateInput!) {
    userUpdate(input: $input) { user { id displayName disabledAt version roles { code } } userErrors { code path message } }
}";
pub(super) const CHANGE_PASSWORD: &str = "mutation($input: UserPasswordChangeInput!) {
    userPasswordChange(input: $input) { user { email } userErrors { code path message } }
}";
pub(super) const CREATE_TOKEN: &str = "mutation($input: ApiTokenCreateInput!) {
    apiTokenCreate(input: $input) { apiToken { id permissions expiresAt } secret userErrors { code path message } }
}";
pub(super) const REVOKE_TOKEN: &str = "mutation($id: ID!) { apiTokenRevoke(input: {id: $id}) { apiToken { id revokedAt } userErrors { code path message } } }";

/// Asks for a login without expecting anything.
pub(super) async fn login(actor: &Actor, email: &str, password: &str) -> Answer {
    actor
        .gql(LOGIN, json!({"email": email, "password": password}))
        .await
}

/// Logs in, which must succeed.
pub(super) async fn logs_in(actor: &Actor, email: &str, password: &str) {
    let _me = login(actor, email, password).await.ok();
}

/// Codes of an answer's `userErrors`.
pub(super) fn refusals(answer: &Answer) -> Vec<String> {
    answer
        .user_errors()
        .into_iter()
        .map(|error| error.code)
        .collect()
}

/// What a user to be looks like.
pub(super) fn new_user(email: &str, roles: &[&str]) -> Value {
    json!({"email": email, "displayName": "Sara", "password": "a long password", "roles": roles})
}

/// The cookie that an answer sets: its `name=value`, and its attributes.
pub(super) fn cookie(answer: &Answer) -> (String, Vec<String>) {
    let header = answer
        .headers
        .get(SET_COOKIE)
        .expect("a cookie is set")
        .to_str()
        .expect("a cookie is text");
    let mut parts = header.split("; ").map(str::to_owned);
    (parts.next().expect("a cookie has a value"), parts.collect())
}

/// The text at this place.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Names and records of all sessions.
pub(super) async fn sessions(app: &TestApp) -> Vec<(String, String)> {
    let mut connection = connection(app).await;
    let names: Vec<String> = redis::cmd("KEYS")
        .arg(format!("{}:session:*", app.redis().prefix()))
        .query_async(&mut connection)
        .await
        .expect("Redis answers");
    let records: Vec<String> = redis::cmd("MGET")
        .arg(&names)
        .query_async(&mut connection)
        .await
        .expect("Redis answers");
    names.into_iter().zip(records).collect()
}

/// Brings sessions back that have ended.
pub(super) async fn keep(app: &TestApp, sessions: &[(String, String)]) {
    redis::cmd("MSET")
        .arg(sessions)
        .exec_async(&mut connection(app).await)
        .await
        .expect("Redis answers");
}

async fn connection(app: &TestApp) -> redis::aio::MultiplexedConnection {
    let client = app.redis().client();
    client
        .get_multiplexed_async_connection()
        .await
        .expect("Redis answers")
}
