//! GraphQL over server-sent events.

use std::time::Duration;

use poem::{http::StatusCode, test::TestResponse};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{
    fixture::{App, eventually},
    server::{Running, exchange, read_until},
};

async fn stream(app: &App, query: &str) -> TestResponse {
    let client = app.client();
    let request = client
        .post("/api/graphql")
        .header("accept", "text/event-stream");
    request.body_json(&json!({ "query": query })).send().await
}

async fn text(app: &App, query: &str) -> String {
    let response = stream(app, query).await;
    response.assert_status_is_ok();
    response.assert_content_type("text/event-stream; charset=utf-8");
    response.0.into_body().into_string().await.unwrap()
}

const COMPLETE: &str = "event: complete\ndata: \n\n";

#[tokio::test]
async fn queries_and_subscriptions_stream_their_results() {
    let app = App::default();
    let hello = format!("event: next\ndata: {{\"data\":{{\"hello\":\"world\"}}}}\n\n{COMPLETE}");
    assert_eq!(text(&app, "{ hello }").await, hello);
    let counted: String = (1..=3)
        .map(|n| format!("event: next\ndata: {{\"data\":{{\"count\":{n}}}}}\n\n"))
        .collect();
    assert_eq!(
        text(&app, "subscription { count(to: 3) }").await,
        counted + COMPLETE
    );
}

#[tokio::test]
async fn a_mutation_sets_its_cookies() {
    let response = stream(&App::default(), "mutation { login }").await;
    let cookies: Vec<_> = response.0.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["session=alice; HttpOnly", "theme=dark"]);
}

#[tokio::test]
async fn a_query_takes_a_place_and_has_the_time_of_every_request() {
    let app = App::with(|settings| {
        settings.max_in_flight = 1;
        settings.request_timeout = Duration::from_secs(2);
    });
    let server = Running::start(&app).await;
    let ask = |query: &str| {
        format!(
            "GET /api/graphql?query={query} HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n"
        )
    };
    let mut hanging = server.connect().await;
    hanging
        .write_all(ask("%7Bhang%7D").as_bytes())
        .await
        .unwrap();
    server.ask_until(&ask("%7Bhello%7D"), "OVERLOADED").await;
    let late = read_until(&mut hanging, "TIMEOUT").await;
    assert!(late.starts_with("HTTP/1.1 504"), "{late}");
    server.ask_until(&ask("%7Bhello%7D"), "world").await;
}

#[tokio::test]
async fn a_document_that_does_not_validate_streams_its_errors() {
    let text = text(&App::default(), "subscription { nope }").await;
    assert!(
        text.contains("GRAPHQL_VALIDATION_FAILED") && text.ends_with(COMPLETE),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_refused_before_execution_is_plain_json() {
    let response = stream(&App::default(), "{").await;
    response.assert_status(StatusCode::BAD_REQUEST);
    response.assert_content_type("application/json; charset=utf-8");
}

#[tokio::test]
async fn streams_are_not_cut_by_the_request_deadline_and_get_comments() {
    let app = App::with(|settings| {
        settings.request_timeout = Duration::from_millis(50);
        settings.sockets.heartbeat = Duration::from_millis(100);
    });
    let server = Running::start(&app).await;
    let mut connection = server.connect().await;
    let request = "GET /api/graphql?query=subscription%7Bsilence%7D HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n";
    exchange(&mut connection, request.as_bytes(), ":\n\n").await;
    read_until(&mut connection, ":\n\n").await;
    assert_eq!(app.streams.len(), 1);
    drop(connection);
    eventually("the end of a stream nobody reads", || {
        app.streams.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_with_its_credential_and_with_the_program() {
    for logs_out in [true, false] {
        let app = App::with(|settings| settings.sockets.heartbeat = Duration::from_millis(20));
        let client = app.client();
        let request = client
            .post("/api/graphql")
            .header("accept", "text/event-stream");
        let request = request.header("authorization", "Bearer alice");
        let response = request
            .body_json(&json!({ "query": "subscription { silence }" }))
            .send()
            .await;
        if logs_out {
            app.log_out("alice")
        } else {
            app.shutdown.cancel()
        }
        let rest = tokio::time::timeout(
            Duration::from_secs(30),
            response.0.into_body().into_string(),
        )
        .await;
        assert!(rest.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_and_nothing_piles_up() {
    let app = App::with(|settings| settings.sockets.send_timeout = Duration::from_millis(200));
    let server = Running::start(&app).await;
    let mut connection = server.connect().await;
    let request = "GET /api/graphql?query=subscription%7Bflood%7D HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n";
    exchange(&mut connection, request.as_bytes(), "event: next").await;
    eventually("the end of a stream nobody reads", || {
        app.streams.is_empty()
    })
    .await;
    assert!(
        app.count() < 500,
        "{} items of 100 kB were taken for a client that does not read",
        app.count()
    );
}

#[tokio::test]
async fn a_panic_ends_the_stream_and_not_the_server() {
    let text = text(&App::default(), "subscription { crashLater }").await;
    assert!(
        text.contains("\"crashLater\":1") && !text.contains(COMPLETE),
        "{text}"
    );
}

#[tokio::test]
async fn open_streams_are_bounded() {
    let app = App::with(|settings| settings.sockets.max_connections = 0);
    stream(&app, "subscription { silence }")
        .await
        .assert_status(StatusCode::SERVICE_UNAVAILABLE);
}
