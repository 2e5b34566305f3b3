//! GraphQL over HTTP: media types, methods, parameters, credentials, codes.

use poem::{
    Endpoint,
    http::StatusCode,
    test::{TestClient, TestResponse},
};
use serde_json::{Value, json};

use super::{
    fixture::App,
    server::{Running, exchange},
};

const URL: &str = "/api/graphql";
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

async fn post(client: &TestClient<impl Endpoint>, query: &str) -> (StatusCode, Value) {
    answer(
        client
            .post(URL)
            .header("accept", GRAPHQL_RESPONSE)
            .body_json(&json!({ "query": query }))
            .send()
            .await,
    )
    .await
}

async fn answer(response: TestResponse) -> (StatusCode, Value) {
    let status = response.0.status();
    let text = response.0.into_body().into_string().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
}

#[tokio::test]
async fn a_query_is_answered_by_post_and_get() {
    let client = App::default().client();
    assert_eq!(
        post(&client, "{ hello }").await,
        (StatusCode::OK, json!({ "data": { "hello": "world" } }))
    );
    let response = client
        .get(URL)
        .query("query", &"query A { hello } query B { twice(number: 4) }")
        .query("operationName", &"B");
    assert_eq!(
        answer(response.send().await).await.1,
        json!({ "data": { "twice": 8 } })
    );
}

#[tokio::test]
async fn the_media_type_decides_about_the_status_of_request_errors() {
    let client = App::default().client();
    for (accept, query, status, expected) in [
        (
            GRAPHQL_RESPONSE,
            "{ nope }",
            StatusCode::BAD_REQUEST,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "application/json",
            "{ nope }",
            StatusCode::OK,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            GRAPHQL_RESPONSE,
            "{",
            StatusCode::BAD_REQUEST,
            "GRAPHQL_PARSE_FAILED",
        ),
        (
            "application/json",
            "{",
            StatusCode::OK,
            "GRAPHQL_PARSE_FAILED",
        ),
    ] {
        let response = client
            .post(URL)
            .header("accept", accept)
            .body_json(&json!({ "query": query }))
            .send()
            .await;
        response.assert_header("content-type", format!("{accept}; charset=utf-8"));
        let (found, body) = answer(response).await;
        assert_eq!((found, code(&body)), (status, expected), "{accept}");
        assert!(body.get("data").is_none());
    }
    let response = client
        .post(URL)
        .header("accept", "image/png")
        .body_json(&json!({ "query": "{ hello }" }))
        .send()
        .await;
    assert_eq!(answer(response).await.0, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn every_kind_of_error_has_its_code_and_the_request_id() {
    let client = App::default().client();
    for (query, expected) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { hello } query B { hello }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "{ deeper { deeper { deeper { deeper { deeper { hello } } } } } }",
            "QUERY_TOO_COMPLEX",
        ),
        ("{ twice(number: 101) }", "BAD_USER_INPUT"),
        ("{ secretFailure }", "INTERNAL"),
        ("{ knownFailure }", "FORBIDDEN"),
        ("{ crash }", "INTERNAL"),
        ("subscription { count(to: 3) }", "BAD_REQUEST"),
    ] {
        let request = client
            .post(URL)
            .header("x-request-id", "my-id")
            .body_json(&json!({ "query": query }));
        let response = request.send().await;
        response.assert_header("x-request-id", "my-id");
        let body = answer(response).await.1;
        assert_eq!(code(&body), expected, "{query}: {body}");
        assert_eq!(
            body["errors"][0]["extensions"]["requestId"], "my-id",
            "{query}"
        );
        assert!(!body.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn complexity_is_recognised() {
    let fields: String = (0..60).map(|number| format!("f{number}: hello ")).collect();
    let (status, body) = post(&App::default().client(), &format!("{{ {fields} }}")).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::BAD_REQUEST, "QUERY_TOO_COMPLEX")
    );
}

#[tokio::test]
async fn mutations_never_run_by_get() {
    let app = App::default();
    let client = app.client();
    let response = client
        .get(URL)
        .query("query", &"mutation { touch }")
        .send()
        .await;
    response.assert_header("allow", "POST");
    assert_eq!(answer(response).await.0, StatusCode::METHOD_NOT_ALLOWED);
    let several = client
        .get(URL)
        .query("query", &"query A { hello } mutation B { touch }");
    assert_eq!(
        answer(several.query("operationName", &"B").send().await)
            .await
            .0,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(app.count(), 0);
    assert_eq!(
        post(&client, "mutation { touch }").await.1,
        json!({ "data": { "touch": 1 } })
    );
}

#[tokio::test]
async fn simple_requests_of_foreign_pages_change_nothing() {
    let app = App::default();
    let client = app.client();
    let body = json!({ "query": "mutation { touch }" }).to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = client
            .post(URL)
            .header("cookie", "session=alice")
            .content_type(content_type)
            .body(body.clone());
        assert_eq!(
            answer(request.send().await).await.0,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{content_type}"
        );
    }
    assert_eq!(app.count(), 0);
}

#[tokio::test]
async fn cookies_need_an_admitted_origin() {
    let app = App::default();
    let client = app.client();
    for (origin, status) in [
        ("https://evil.example", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
        ("https://shop.example", StatusCode::OK),
        ("http://api.example:8000", StatusCode::OK),
    ] {
        let request = client
            .post(URL)
            .header("host", "api.example:8000")
            .header("cookie", "session=alice");
        let request = request
            .header("origin", origin)
            .body_json(&json!({ "query": "mutation { touch }" }));
        assert_eq!(answer(request.send().await).await.0, status, "{origin}");
    }
    assert_eq!(app.count(), 2);
}

#[tokio::test]
async fn credentials_lead_to_a_caller_or_a_clear_refusal() {
    let client = App::default().client();
    let who = || client.post(URL).body_json(&json!({ "query": "{ who }" }));
    assert_eq!(answer(who().send().await).await.1["data"]["who"], "nobody");
    assert_eq!(
        answer(who().header("authorization", "Bearer alice").send().await)
            .await
            .1["data"]["who"],
        "alice"
    );
    assert_eq!(
        answer(who().header("cookie", "session=alice").send().await)
            .await
            .1["data"]["who"],
        "alice"
    );

    let refused = who().header("authorization", "Bearer mallory").send().await;
    refused.assert_header("www-authenticate", "Bearer");
    let (status, body) = answer(refused).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED")
    );

    let dead_session = who().header("cookie", "session=old").send().await;
    dead_session.assert_header("set-cookie", "session=; Max-Age=0");

    let down = who()
        .header("authorization", "Bearer store-is-down")
        .send()
        .await;
    down.assert_header_exist("retry-after");
    let (status, body) = answer(down).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE")
    );
}

#[tokio::test]
async fn resolvers_can_set_cookies() {
    let response = App::default()
        .client()
        .post(URL)
        .body_json(&json!({ "query": "mutation { login }" }))
        .send()
        .await;
    let cookies: Vec<_> = response.0.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["session=alice; HttpOnly", "theme=dark"]);
}

#[tokio::test]
async fn batches_and_other_methods_are_refused() {
    let client = App::default().client();
    let batch = client
        .post(URL)
        .body_json(&json!([{ "query": "{ hello }" }]))
        .send()
        .await;
    assert_eq!(answer(batch).await.0, StatusCode::BAD_REQUEST);
    let put = client
        .put(URL)
        .body_json(&json!({ "query": "{ hello }" }))
        .send()
        .await;
    put.assert_header("allow", "GET, POST");
    assert_eq!(answer(put).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

/// Sixty megabytes, announced or not, are refused at once, and the same connection goes on to work.
#[tokio::test]
async fn a_huge_body_is_refused_and_the_connection_lives_on() {
    let server = Running::start(&App::default()).await;
    let size = 60 * 1024 * 1024;
    let head = "POST /api/graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    let mut announced = format!("{head}content-length: {size}\r\n\r\n").into_bytes();
    announced.resize(announced.len() + size, b' ');
    let mut chunked = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..60 {
        chunked.extend_from_slice(b"100000\r\n");
        chunked.resize(chunked.len() + 1024 * 1024, b' ');
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    for body in [announced, chunked] {
        let mut connection = server.connect().await;
        let refused = exchange(&mut connection, &body, "TOO_LARGE").await;
        assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");
        let query = r#"{"query":"{ hello }"}"#;
        let next = format!("{head}content-length: {}\r\n\r\n{query}", query.len());
        let answered = exchange(&mut connection, next.as_bytes(), "world").await;
        assert!(answered.contains("HTTP/1.1 200"), "{answered}");
    }
}
