//! The shell: ids, safety net, CORS, headers, capacity.

use std::time::Duration;

use poem::http::StatusCode;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{
    fixture::App,
    server::{Running, exchange, read_until},
};

const URL: &str = "/api/graphql";

async fn body(response: poem::test::TestResponse) -> Value {
    serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
}

#[tokio::test]
async fn unknown_addresses_are_404_in_json_with_a_request_id() {
    let response = App::default().client().get("/nowhere").send().await;
    response.assert_status(StatusCode::NOT_FOUND);
    let id = response.0.header("x-request-id").unwrap().to_owned();
    let body = body(response).await;
    assert_eq!(
        body["errors"][0]["extensions"],
        json!({ "code": "NOT_FOUND", "requestId": id })
    );
}

#[tokio::test]
async fn refusals_speak_the_language_that_was_asked_for() {
    let client = App::default().client();
    let requests = || {
        [
            client.get("/nowhere"),
            client.delete("/api/health"),
            client.put(URL),
            client.get(URL).header("accept", "image/png"),
            client.post(URL).body("text"),
            client.post(URL).body_json(&json!([])),
            client.post(URL).body_json(&json!({ "query": "{" })),
            client.post(URL).body_json(&json!({ "query": "{ crash }" })),
            client
                .post(URL)
                .body_json(&json!({ "query": "{ secretFailure }" })),
            client.get(URL).header("authorization", "Bearer mallory"),
            client
                .get(URL)
                .header("authorization", "Bearer store-is-down"),
            client
                .get(URL)
                .header("cookie", "session=alice")
                .header("origin", "https://evil.example"),
        ]
    };
    for (english, persian) in requests().into_iter().zip(requests()) {
        let [english, persian] =
            [(english, "en-GB"), (persian, "fa-IR,en;q=0.5")].map(async |(request, language)| {
                body(request.header("accept-language", language).send().await).await
            });
        let (english, persian) = tokio::join!(english, persian);
        let (english, persian) = (&english["errors"][0], &persian["errors"][0]);
        assert_eq!(english["extensions"]["code"], persian["extensions"]["code"]);
        assert!(english["message"].as_str().unwrap().is_ascii(), "{english}");
        let first = persian["message"].as_str().unwrap().chars().next().unwrap();
        assert!(('\u{600}'..='\u{6ff}').contains(&first), "{persian}");
    }
}

#[tokio::test]
async fn a_panic_is_500_and_the_server_lives_on() {
    let client = App::default().client();
    let response = client
        .post(URL)
        .header("x-request-id", "boom")
        .body_json(&json!({ "query": "{ crash }" }))
        .send()
        .await;
    response.assert_status(StatusCode::INTERNAL_SERVER_ERROR);
    response.assert_header("x-request-id", "boom");
    let text = response.0.into_body().into_string().await.unwrap();
    assert!(
        text.contains("INTERNAL") && !text.contains("crash on request"),
        "{text}"
    );
    client
        .post(URL)
        .body_json(&json!({ "query": "{ hello }" }))
        .send()
        .await
        .assert_status_is_ok();
}

#[tokio::test(start_paused = true)]
async fn a_hanging_request_is_cut_at_its_deadline() {
    let app = App::with(|settings| settings.request_timeout = Duration::from_secs(30));
    let started = tokio::time::Instant::now();
    let response = app
        .client()
        .post(URL)
        .body_json(&json!({ "query": "{ hang }" }))
        .send()
        .await;
    response.assert_status(StatusCode::GATEWAY_TIMEOUT);
    response.assert_header_exist("x-request-id");
    assert_eq!(
        body(response).await["errors"][0]["extensions"]["code"],
        "TIMEOUT"
    );
    assert_eq!(started.elapsed().as_secs(), 30);
}

fn raw_post(query: &str) -> String {
    let body = json!({ "query": query }).to_string();
    let head = "POST /api/graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length:";
    format!("{head} {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn beyond_the_cap_requests_are_refused_but_health_is_not() {
    let app = App::with(|settings| {
        settings.max_in_flight = 1;
        settings.request_timeout = Duration::from_secs(2);
    });
    let server = Running::start(&app).await;
    let mut hanging = server.connect().await;
    hanging
        .write_all(raw_post("{ hang }").as_bytes())
        .await
        .unwrap();

    let hello = raw_post("{ hello }");
    server.ask_until(&hello, "OVERLOADED").await;
    let refused = exchange(&mut server.connect().await, hello.as_bytes(), "}").await;
    assert!(
        refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"),
        "{refused}"
    );
    let request = b"GET /api/health HTTP/1.1\r\nhost: a\r\n\r\n";
    let health = exchange(&mut server.connect().await, request, "healthy").await;
    assert!(health.contains("HTTP/1.1 200"), "{health}");

    // The place is free again when the deadline has ended the request.
    read_until(&mut hanging, "TIMEOUT").await;
    server.ask_until(&hello, "world").await;
}

#[tokio::test]
async fn cors_opens_the_door_to_configured_origins_only() {
    let client = App::default().client();
    let preflight = |origin: &'static str| {
        client
            .request(poem::http::Method::OPTIONS, URL)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let granted = preflight("https://shop.example").send().await;
    granted.assert_status(StatusCode::NO_CONTENT);
    granted.assert_header("access-control-allow-origin", "https://shop.example");
    granted.assert_header("access-control-allow-credentials", "true");
    granted.assert_header_exist("access-control-max-age");
    preflight("https://evil.example")
        .send()
        .await
        .assert_status(StatusCode::FORBIDDEN);

    let ask = |origin: &'static str| {
        client
            .post(URL)
            .header("origin", origin)
            .body_json(&json!({ "query": "{ hello }" }))
    };
    let readable = ask("https://shop.example").send().await;
    readable.assert_header("access-control-allow-origin", "https://shop.example");
    let unreadable = ask("https://evil.example").send().await;
    unreadable.assert_status_is_ok();
    unreadable.assert_header_is_not_exist("access-control-allow-origin");
    assert!(
        unreadable
            .0
            .headers()
            .get_all("vary")
            .iter()
            .any(|value| value == "origin")
    );
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let client = App::default().client();
    for path in ["/api/health", "/nowhere", "/api/graphql?query={hello}"] {
        let response = client.get(path).send().await;
        response.assert_header("x-content-type-options", "nosniff");
        response.assert_header("x-frame-options", "SAMEORIGIN");
        response.assert_header_exist("referrer-policy");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_on_request() {
    let client = App::default().client();
    let ask = |length: usize| {
        let query = format!("{{ text(length: {length}) }}");
        client
            .post(URL)
            .header("accept-encoding", "gzip")
            .body_json(&json!({ "query": query }))
    };
    let long = ask(50_000).send().await;
    long.assert_header("content-encoding", "gzip");
    assert!(long.0.into_body().into_bytes().await.unwrap().len() < 5_000);
    ask(100)
        .send()
        .await
        .assert_header_is_not_exist("content-encoding");
}
