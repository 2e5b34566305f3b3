//! What the programs write to their log when they are at their most talkative: enough to follow a request, and no secret.

use chrono::TimeDelta;
use redis::cmd;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    answer::Answer,
    app::{PASSWORD, TestApp},
    picture::small,
    postgres::PostgresServer,
    process::Program,
    redis::RedisServer,
    shop::english,
    wait::PATIENCE,
};
use url::Url;

const NEW_PASSWORD: &str = "a password to change to";
const WRONG_PASSWORD: &str = "a password that was mistyped";
const DATABASE_PASSWORD: &str = "password-of-the-database";
const REDIS_PASSWORD: &str = "password-of-redis";
/// Everything, of every crate: a bare `trace` would concern our own alone.
const EVERYTHING: &str = "trace,api=trace";
/// What the client calls its requests; jobs carry it on.
const REQUEST_ID: &str = "request-of-this-test";

const ME: &str = "{ me { user { id } } }";
const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { me { user { id } } userErrors { code path } } }";
const PASSWORD_CHANGE: &str = "mutation($input: UserPasswordChangeInput!) { userPasswordChange(input: $input) { userErrors { code path } } }";
const TOKEN_CREATE: &str = "mutation($input: ApiTokenCreateInput!) { apiTokenCreate(input: $input) { secret userErrors { code path } } }";
const ITEMS: &str = "subscription($after: EventPosition) { itemChanged(after: $after) { action } }";

/// The address of this server with a password in it: it trusts everybody, and takes any.
fn with_password(postgres: &PostgresServer) -> String {
    let mut url: Url = postgres.url().parse().unwrap();
    url.set_password(Some(DATABASE_PASSWORD)).unwrap();
    url.into()
}

/// The address of this server for a user who has to show a password.
async fn with_user(redis: &RedisServer) -> String {
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut user = cmd("ACL");
    user.arg("SETUSER").arg("goldshop").arg("on");
    user.arg(format!(">{REDIS_PASSWORD}"))
        .arg("~*")
        .arg("&*")
        .arg("+@all");
    user.exec_async(&mut connection).await.unwrap();
    redis
        .url()
        .replace("redis://", &format!("redis://goldshop:{REDIS_PASSWORD}@"))
}

/// The value of the session cookie that an answer sets, and the same actor with that session.
fn with_session(actor: &Actor, answer: &Answer) -> (String, Actor) {
    let header = answer.headers.get(SET_COOKIE).unwrap().to_str().unwrap();
    let pair = header.split(';').next().unwrap();
    let (_, value) = pair.split_once('=').unwrap();
    (value.to_owned(), actor.with_header(COOKIE.as_str(), pair))
}

/// Logs in in vain and well, changes the password, makes a token: the secrets that came up, and the two who hold them.
async fn people_come_and_go(nobody: &Actor, app: &TestApp) -> (Vec<String>, [Actor; 2]) {
    let email = app.user("owner").await.email;
    for password in [WRONG_PASSWORD, NEW_PASSWORD] {
        let input = json!({"input": {"email": email, "password": password}});
        assert_eq!(
            nobody.refused(LOGIN, input).await[0].0,
            "INVALID_CREDENTIALS"
        );
    }
    let input = json!({"input": {"email": email, "password": PASSWORD}});
    let login = nobody.gql(LOGIN, input).await;
    let (first, owner) = with_session(nobody, &login);
    let _me = login.ok();
    let input = json!({"input": {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD, "idempotencyKey": "change"}});
    let changed = owner.gql(PASSWORD_CHANGE, input).await;
    let (second, owner) = with_session(nobody, &changed);
    let _nothing = changed.ok();
    let expires_at = app.domain().now() + TimeDelta::days(1);
    let token = json!({"name": "till", "permissions": ["catalogue.read", "catalogue.write"], "expiresAt": expires_at});
    let made = owner.ok(TOKEN_CREATE, json!({"input": token})).await;
    let secret = made["apiTokenCreate"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let program = nobody.with_token(&secret);
    (vec![first, second, secret], [owner, program])
}

/// Shows secrets where they do not belong, or do no longer hold.
async fn secrets_go_astray(nobody: &Actor, secrets: &[String]) {
    for pair in [
        format!("__Host-goldshop_session={}", secrets[0]),
        secrets[1].clone(),
    ] {
        nobody
            .with_header(COOKIE.as_str(), &pair)
            .gql(ME, json!({}))
            .await;
    }
    nobody.with_token(&secrets[0]).gql(ME, json!({})).await;
    let literal = |more: &str| {
        format!(
            "mutation {{ login(input: {{email: \"a@example.com\", password: \"{WRONG_PASSWORD}\"{more}}}) {{ __typename }} }}"
        )
    };
    let unfinished = literal("").trim_end_matches(" } }").to_owned();
    for document in [literal(""), literal(", nonsense: 1"), unfinished] {
        nobody.gql(&document, json!({})).await;
    }
    for input in [
        json!({"email": [], "password": WRONG_PASSWORD}),
        json!(WRONG_PASSWORD),
    ] {
        nobody.gql(LOGIN, json!({"input": input})).await;
    }
    let broken = format!(
        "{{\"query\": \"{{ me {{ user {{ id }} }} }}\", \"variables\": {{\"password\": \"{WRONG_PASSWORD}"
    );
    let request = nobody
        .post()
        .header(CONTENT_TYPE, "application/json")
        .body(broken);
    nobody.send(request).await.unwrap();
    let page = format!(
        "/api/graphql?query=%7Bme%7Buser%7Bid%7D%7D%7D&password={}",
        secrets[2]
    );
    nobody.get(&page).send().await.unwrap();
}

/// Reads, writes, uploads and listens with a token.
async fn a_program_works(program: &Actor, app: &TestApp) {
    let mut listener = program
        .subscribe(ITEMS, json!({"after": app.position().await}))
        .await;
    let item = program
        .item("RING-1", &program.category("Rings", None).await)
        .await;
    program
        .done("itemUpdate", json!({"id": item, "name": english("Ring")}))
        .await;
    listener.next().await;
    program.picture(&item, small(1)).await;
    app.until_done(PATIENCE).await;
}

fn assert_silent_about(program: &Program, secrets: &[&str]) {
    let output = program.output();
    for secret in secrets {
        // The output is shown when the test fails; only the lines that give something away are needed here.
        let line = output.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_at_its_most_talkative_tells_no_secret() {
    let (postgres, redis) = (PostgresServer::start().await, RedisServer::start().await);
    let app = TestApp::builder()
        .database_url(with_password(&postgres))
        .redis_url(with_user(&redis).await)
        .set("LOG_LEVEL", EVERYTHING)
        .start()
        .await;
    let ((api, url), worker) = (app.api_process().await, app.worker_process().await);
    let nobody = app
        .anonymous()
        .at(&url)
        .with_header("x-request-id", REQUEST_ID);
    let (mut secrets, [owner, program]) = people_come_and_go(&nobody, &app).await;
    owner.ok(ME, json!({})).await;
    a_program_works(&program, &app).await;
    secrets_go_astray(&nobody, &secrets).await;
    owner
        .ok("mutation { logout { userErrors { code } } }", json!({}))
        .await;

    for program in [&api, &worker] {
        program.says(REQUEST_ID).await;
        program.says("\"level\":\"DEBUG\"").await;
    }
    secrets.extend(
        [
            PASSWORD,
            NEW_PASSWORD,
            WRONG_PASSWORD,
            DATABASE_PASSWORD,
            REDIS_PASSWORD,
            "$argon2",
        ]
        .map(str::to_owned),
    );
    let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
    for program in [&api, &worker] {
        assert_silent_about(program, &secrets);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_about_servers_that_are_away_tells_no_secret() {
    let app = TestApp::builder()
        .database_url(format!(
            "postgres://goldshop:{DATABASE_PASSWORD}@127.0.0.1:1/goldshop"
        ))
        .redis_url(format!("redis://goldshop:{REDIS_PASSWORD}@127.0.0.1:1"))
        .set("LOG_LEVEL", EVERYTHING)
        .set("GOLDSHOP_DATABASE__ACQUIRE_TIMEOUT_SECONDS", 1)
        .set("GOLDSHOP_REDIS__ACQUIRE_TIMEOUT_SECONDS", 1)
        .start()
        .await;
    let ((api, url), worker) = (app.api_process().await, app.worker_process().await);
    let nobody = app
        .anonymous()
        .at(&url)
        .with_header("x-request-id", REQUEST_ID);
    let (session, token) = ("A".repeat(43), format!("gst_{}", "E".repeat(43)));
    let browser = nobody.with_header(
        COOKIE.as_str(),
        &format!("__Host-goldshop_session={session}"),
    );
    let program = nobody.with_token(&token);
    let login = json!({"input": {"email": "owner@example.com", "password": PASSWORD}});
    for (actor, document, variables) in [
        (&browser, ME, Value::Null),
        (&program, ME, Value::Null),
        (&nobody, LOGIN, login),
    ] {
        let answer = actor.gql(document, variables).await;
        assert_eq!(answer.codes(), ["SERVICE_UNAVAILABLE"], "{answer:?}");
    }
    api.says(REQUEST_ID).await;
    api.says("a credential cannot be checked").await;
    api.says("cannot read events").await;
    worker.says("cannot hand jobs over").await;
    let secrets = [
        DATABASE_PASSWORD,
        REDIS_PASSWORD,
        PASSWORD,
        &session,
        &token,
    ];
    for program in [&api, &worker] {
        assert_silent_about(program, &secrets);
    }
}
