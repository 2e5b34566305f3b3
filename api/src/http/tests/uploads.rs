//! Uploads by the GraphQL multipart request specification.

use poem::{http::StatusCode, test::TestResponse};
use serde_json::{Value, json};

use super::{
    fixture::App,
    server::{Running, exchange},
};

const OPERATIONS: &str = r#"{"query":"mutation($files: [Upload!]!) { upload(files: $files) }","variables":{"files":[null,null]}}"#;
const MAP: &str = r#"{"a":["variables.files.0"],"b":["variables.files.1"]}"#;

/// A multipart body of `(name, filename, content)` parts.
fn form(parts: &[(&str, Option<&str>, &str)]) -> String {
    let mut body = String::new();
    for (name, filename, content) in parts {
        let filename = filename
            .map(|name| format!("; filename=\"{name}\""))
            .unwrap_or_default();
        body += &format!(
            "--X\r\ncontent-disposition: form-data; name=\"{name}\"{filename}\r\n\r\n{content}\r\n"
        );
    }
    body + "--X--\r\n"
}

fn two_files(first: &str, second: &str) -> String {
    form(&[
        ("operations", None, OPERATIONS),
        ("map", None, MAP),
        ("a", Some("a.jpg"), first),
        ("b", Some("b.png"), second),
    ])
}

async fn send(app: &App, body: String) -> TestResponse {
    let client = app.client();
    let request = client
        .post("/api/graphql")
        .header("authorization", "Bearer alice");
    request
        .header("graphql-preflight", "1")
        .content_type("multipart/form-data; boundary=X")
        .body(body)
        .send()
        .await
}

async fn outcome(app: &App, body: String) -> (StatusCode, Value) {
    let response = send(app, body).await.0;
    let status = response.status();
    (
        status,
        serde_json::from_str(&response.into_body().into_string().await.unwrap()).unwrap(),
    )
}

fn code(body: &Value) -> &Value {
    &body["errors"][0]["extensions"]["code"]
}

#[tokio::test]
async fn files_arrive_as_files() {
    let (status, body) = outcome(&App::default(), two_files("hello", "")).await;
    assert_eq!(
        (status, body),
        (
            StatusCode::OK,
            json!({ "data": { "upload": ["a.jpg 5", "b.png 0"] } })
        )
    );
}

#[tokio::test]
async fn a_form_needs_a_preflight_header_and_a_caller_who_may_upload() {
    let app = App::default();
    let client = app.client();
    let request = || {
        client
            .post("/api/graphql")
            .content_type("multipart/form-data; boundary=X")
            .body(two_files("a", "b"))
    };
    let without = request().header("cookie", "session=alice").send().await;
    without.assert_status(StatusCode::BAD_REQUEST);
    assert!(
        without
            .0
            .into_body()
            .into_string()
            .await
            .unwrap()
            .contains("PREFLIGHT_REQUIRED")
    );
    let anonymous = request()
        .header("x-requested-with", "XMLHttpRequest")
        .send()
        .await;
    anonymous.assert_status(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn sizes_and_numbers_are_bounded() {
    let app = App::with(|settings| {
        settings.uploads.max_bytes = 1000;
        settings.uploads.max_files = 2;
        settings.max_body_bytes = 500;
    });
    let long = "x".repeat(1000);
    assert_eq!(
        outcome(&app, two_files(&"x".repeat(999), "b")).await.0,
        StatusCode::OK
    );
    let (status, body) = outcome(&app, two_files("a", &long)).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("TOO_LARGE"))
    );

    let operations = format!("{OPERATIONS}{}", " ".repeat(500));
    assert_eq!(
        outcome(&app, form(&[("operations", None, &operations)]))
            .await
            .0,
        StatusCode::PAYLOAD_TOO_LARGE
    );

    let three =
        r#"{"a":["variables.files.0"],"b":["variables.files.1"],"c":["variables.files.2"]}"#;
    let body = form(&[("operations", None, OPERATIONS), ("map", None, three)]);
    assert_eq!(outcome(&app, body).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn malformed_forms_are_refused() {
    let app = App::default();
    let file = ("a", Some("a.jpg"), "hello");
    let operations = ("operations", None, OPERATIONS);
    let forms = [
        form(&[]),
        form(&[("map", None, MAP), operations]),
        form(&[operations, ("map", None, MAP), file]),
        form(&[operations, ("map", None, "{}"), file]),
        form(&[
            operations,
            ("map", None, r#"{"a":["variables.nowhere"]}"#),
            file,
        ]),
        form(&[
            operations,
            (
                "map",
                None,
                r#"{"a":["variables.files.0","variables.files.1"]}"#,
            ),
            file,
        ]),
        form(&[operations, ("map", None, "not json"), file]),
        form(&[("operations", None, "[]"), ("map", None, MAP)]),
        two_files("a", "b").replace("--X--", ""),
        "rubbish".to_owned(),
        String::new(),
    ];
    for form in forms {
        let (status, body) = outcome(&app, form.clone()).await;
        assert_eq!(
            (status, code(&body)),
            (StatusCode::BAD_REQUEST, &json!("BAD_REQUEST")),
            "{form}: {body}"
        );
    }
}

#[tokio::test]
async fn the_whole_form_is_bounded_without_content_length() {
    let app = App::with(|settings| {
        settings.uploads.max_bytes = 100_000;
        settings.uploads.max_files = 1;
    });
    let server = Running::start(&app).await;
    let head = "POST /api/graphql HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\ngraphql-preflight: 1\r\n\
        content-type: multipart/form-data; boundary=X\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut request = head.as_bytes().to_vec();
    for _ in 0..60 {
        request.extend_from_slice(b"100000\r\n--X\r\n");
        request.resize(request.len() + 1024 * 1024 - 5, b'x');
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    let mut connection = server.connect().await;
    let refused = exchange(&mut connection, &request, "\"code\":").await;
    assert!(refused.starts_with("HTTP/1.1 4"), "{refused}");
    let health = exchange(
        &mut connection,
        b"GET /api/health HTTP/1.1\r\nhost: a\r\n\r\n",
        "healthy",
    )
    .await;
    assert!(health.contains("HTTP/1.1 200"), "{health}");
}

#[tokio::test]
async fn a_spool_directory_that_cannot_be_written_is_a_fault_of_ours() {
    let app = App::with(|settings| settings.uploads.spool_dir = "/nonexistent".into());
    let (status, body) = outcome(&app, two_files("a", "b")).await;
    assert_eq!(
        (status, code(&body)),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            &json!("SERVICE_UNAVAILABLE")
        )
    );
}
