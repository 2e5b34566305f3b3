//! Requests that no client should send: each gets a clear error with a stable code, and the server lives on.

use std::{error::Error, io::ErrorKind};

use reqwest::header::{ACCEPT, CONTENT_TYPE, SET_COOKIE};
use serde_json::{Value, json};
use tests::{
    actor::{Actor, File},
    answer::Answer,
    app::TestApp,
    picture,
    shop::{document, english},
    wait::{PATIENCE, until},
};

async fn send(actor: &Actor, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = actor.post().header(CONTENT_TYPE, content_type).body(body);
    actor.send(request).await.unwrap()
}

/// The server still does its work.
async fn assert_alive(app: &TestApp) {
    let manager = app.manager().await;
    manager.category("Still here", None).await;
    until(PATIENCE, "the server is healthy", async || {
        let health = app.anonymous().get("/api/health").send().await;
        health.unwrap().status() == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_request_are_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for (body, status, code) in [
        ("", 400, "BAD_REQUEST"),
        ("{", 400, "BAD_REQUEST"),
        ("null", 400, "BAD_REQUEST"),
        ("[]", 400, "BAD_REQUEST"),
        ("\u{feff}{}", 400, "BAD_REQUEST"),
        ("{\"query\": 7}", 400, "BAD_REQUEST"),
        (
            "{\"query\": \"{ me { user { id } } }\", \"variables\": \"x\"}",
            400,
            "BAD_REQUEST",
        ),
        ("{\"variables\": {}}", 400, "BAD_REQUEST"),
        ("{\"query\": \"\"}", 400, "BAD_REQUEST"),
        ("{\"query\": \"{ me\"}", 400, "GRAPHQL_PARSE_FAILED"),
        (
            "{\"query\": \"{ nothing }\"}",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "{\"query\": \"query A { me { user { id } } } query B { me { user { id } } }\"}",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "{\"query\": \"query($a: Int!) { items(first: $a) { nodes { id } } }\"}",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "{\"query\": \"{ items(first: \\\"x\\\") { nodes { id } } }\"}",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "{\"query\": \"{ items(first: 99999999999) { nodes { id } } }\"}",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ] {
        let answer = send(&manager, "application/json", body).await;
        let is_as_expected = answer.status == status && !answer.errors.is_empty();
        assert!(
            is_as_expected && answer.codes().iter().all(|found| *found == code),
            "{body}: {answer:?}"
        );
        assert!(
            answer.errors[0]["extensions"]["requestId"].is_string(),
            "{body}"
        );
    }
    let not_utf8 = send(
        &manager,
        "application/json",
        b"{\"query\": \"\xff\xfe\"}".to_vec(),
    )
    .await;
    assert_eq!(not_utf8.codes(), ["BAD_REQUEST"]);
    assert_alive(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn media_types_that_we_do_not_speak_are_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let body = json!({"query": "{ categoryTree { id } }"}).to_string();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/json; charset=utf-16",
        "json",
    ] {
        let answer = send(&manager, content_type, body.clone()).await;
        assert_eq!(
            (answer.status, answer.codes()),
            (415, vec!["UNSUPPORTED_MEDIA_TYPE"]),
            "{content_type}"
        );
    }
    let request = manager
        .post()
        .header(CONTENT_TYPE, "application/json")
        .body(body);
    let mut request = request.build().unwrap();
    request
        .headers_mut()
        .insert(ACCEPT, "image/png".parse().unwrap());
    let answer = reqwest::Client::new().execute(request).await.unwrap();
    assert_eq!(answer.status(), 406);
}

const SIXTY_MEGABYTES: usize = 60 * 1024 * 1024;
/// How much a server's memory may grow by a body of that size: far less than the body.
const GROWTH_LIMIT: u64 = 20 * 1024 * 1024;

/// What the server says to this body. It may hang up on somebody who talks for too long, and then nobody hears why: so it may happen to a
/// client that was held up, but not again and again.
async fn answer_to(actor: &Actor, content_type: &str, body: &[u8]) -> Answer {
    for _ in 0..3 {
        let request = actor
            .post()
            .header(CONTENT_TYPE, content_type)
            .body(body.to_vec());
        match actor.send(request).await {
            Ok(answer) => return answer,
            Err(error) => assert!(was_cut_off(&error), "{error:?}"),
        }
    }
    panic!("the server hangs up before it has said why");
}

fn was_cut_off(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let mut faults = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    faults.any(|fault| {
        matches!(
            fault.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_megabytes_are_refused_without_being_kept() {
    let app = TestApp::builder()
        .set("GOLDSHOP_HTTP__UPLOAD_LIMIT_BYTES", 32 * 1024 * 1024)
        .start()
        .await;
    let (server, url) = app.api_process().await;
    let manager = app.manager().await.at(&url);
    manager.category("Rings", None).await;
    let before = server.memory("VmRSS");

    let body = vec![b' '; SIXTY_MEGABYTES];
    let answer = answer_to(&manager, "application/json", &body).await;
    assert_eq!((answer.status, answer.codes()), (413, vec!["TOO_LARGE"]));
    let answer = answer_to(&manager, "text/plain", &body).await;
    assert_eq!(
        (answer.status, answer.codes()),
        (415, vec!["UNSUPPORTED_MEDIA_TYPE"])
    );
    let file = File {
        bytes: vec![0xff; SIXTY_MEGABYTES],
        name: "large.jpg".into(),
        content_type: "image/jpeg".into(),
    };
    let answer = manager
        .upload(
            &document("itemImageUpload"),
            json!({"input": {"itemId": "x"}}),
            file,
        )
        .await;
    assert_eq!((answer.status, answer.codes()), (413, vec!["TOO_LARGE"]));

    let growth = server.memory("VmHWM").saturating_sub(before);
    assert!(growth < GROWTH_LIMIT, "{growth} bytes more at its height");
    manager.category("Still here", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_ask_too_much_are_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let repeated = |text: &str, times: usize| text.repeat(times);
    let nested = |times: usize| {
        format!(
            "{{ categories {{ nodes {{ {}name{} }} }} }}",
            repeated("parent { ", times),
            repeated(" }", times)
        )
    };
    let aliases: String = (0..100)
        .map(|number| format!("a{number}: categoryTree {{ id }} "))
        .collect();
    let many_mutations: String = (0..50)
        .map(|_| "logout { userErrors { code } } ".to_owned())
        .collect();
    for (what, document, codes) in [
        ("deep", nested(20), vec!["QUERY_TOO_COMPLEX"]),
        ("deeper", nested(5_000), vec!["TOO_LARGE", "GRAPHQL_PARSE_FAILED"]),
        ("aliased", format!("{{ {aliases} }}"), vec!["TOO_LARGE"]),
        ("complex", "{ items(first: 100) { nodes { images { renditions { url } } category { children { children { children { id } } } } } } }".into(), vec!["QUERY_TOO_COMPLEX"]),
        ("long", format!("{{ {} }}", repeated("__typename ", 20_000)), vec!["TOO_LARGE"]),
        ("directives", format!("{{ __typename {} }}", repeated("@include(if: true) ", 500)), vec!["TOO_LARGE", "GRAPHQL_VALIDATION_FAILED"]),
        ("mutations", format!("mutation {{ {many_mutations} }}"), vec!["TOO_LARGE"]),
        ("brackets", repeated("{", 100_000), vec!["TOO_LARGE", "GRAPHQL_PARSE_FAILED"]),
        ("fragments", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".into(), vec!["QUERY_TOO_COMPLEX"]),
        ("string", format!("{{ category(by: {{id: \"{}\"}}) {{ id }} }}", repeated("x", 900_000)), vec!["INVALID_FORMAT"]),
    ] {
        let answer = manager.gql(&document, json!({})).await;
        assert_eq!(answer.errors.len(), 1, "{what}: {answer:?}");
        assert!(codes.contains(&answer.codes()[0]), "{what}: {:?}", answer.errors);
        assert!(answer.errors[0].to_string().len() < 2_000, "{what}: an answer does not grow with what was sent");
    }
    assert_alive(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_do_not_fit_are_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let create = document("categoryCreate");
    for input in [
        Value::Null,
        json!("x"),
        json!([]),
        json!({}),
        json!({"name": "Rings"}),
        json!({"name": [{"language": "en"}]}),
        json!({"name": english("Rings"), "unknown": 1}),
        json!({"name": english("Rings"), "parentId": {"id": 1}}),
    ] {
        let answer = manager.gql(&create, json!({"input": input})).await;
        assert_eq!(answer.errors.len(), 1, "{input}: {answer:?}");
        assert!(
            ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&answer.codes()[0]),
            "{input}: {answer:?}"
        );
    }
    for version in [json!(1.5), json!("1"), json!(9.3e30)] {
        let answer = manager
            .gql(
                &document("categoryArchive"),
                json!({"input": {"id": "x", "expectedVersion": version}}),
            )
            .await;
        assert!(
            ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&answer.codes()[0]),
            "{version}: {answer:?}"
        );
    }
    assert_alive(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nulls_for_what_may_be_left_out_are_taken_or_clearly_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    for (query, variables) in [
        (
            "query($w: ItemWhere) { items(where: $w) { nodes { id } } }",
            json!({"w": null}),
        ),
        (
            "query($w: ItemWhere) { items(where: $w) { nodes { id } } }",
            json!({}),
        ),
        (
            "query($o: [ItemOrder!]) { items(orderBy: $o) { nodes { id } } }",
            json!({}),
        ),
        (
            "query($o: [ItemOrder!]) { items(orderBy: $o) { nodes { id } } }",
            json!({"o": null}),
        ),
        (
            "query($f: Int, $a: String) { items(first: $f, after: $a) { nodes { id } } }",
            json!({"f": null}),
        ),
        (
            "query($of: CategoryTreeInput) { categoryTree(of: $of) { id } }",
            json!({}),
        ),
        (
            "query($all: Boolean) { categories(includeArchived: $all) { nodes { id } } }",
            json!({}),
        ),
    ] {
        let answer = manager.gql(query, variables.clone()).await;
        assert_eq!(answer.codes(), [""; 0], "{query} {variables}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_none_are_refused() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    for authorization in [
        "Bearer",
        "Bearer x",
        "Bearer gst_",
        "Basic YTpi",
        "nonsense",
        "Bearer gst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let answer = nobody
            .with_header("authorization", authorization)
            .gql("{ me { user { id } } }", json!({}))
            .await;
        assert_eq!(
            (answer.status, answer.codes()),
            (401, vec!["UNAUTHENTICATED"]),
            "{authorization}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_none_is_refused_and_its_cookie_taken_away() {
    let app = TestApp::start().await;
    let me = "{ me { user { id } } }";
    let with_cookie = |cookie: &str| app.anonymous().with_header("cookie", cookie);
    for cookie in [
        "__Host-goldshop_session=".to_owned(),
        "__Host-goldshop_session=x".to_owned(),
        format!("__Host-goldshop_session={}", "A".repeat(43)),
        format!("theme=dark; __Host-goldshop_session={}", "A".repeat(6_000)),
    ] {
        let answer = with_cookie(&cookie).gql(me, json!({})).await;
        assert_eq!(
            (answer.status, answer.codes()),
            (401, vec!["UNAUTHENTICATED"]),
            "{cookie}"
        );
        let removal = answer.headers[SET_COOKIE].to_str().unwrap();
        assert!(
            removal.starts_with("__Host-goldshop_session=; Path=/; Max-Age=0"),
            "{removal}"
        );
    }
    // The cookie of development is somebody else's here: who shows it is nobody.
    for cookie in ["goldshop_session=", "goldshop_session=x", "theme=dark"] {
        let answer = with_cookie(cookie).gql(me, json!({})).await;
        assert_eq!(answer.status, 200, "{cookie}");
        assert_eq!(answer.ok(), json!({"me": null}), "{cookie}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_are_none_are_refused() {
    let app = TestApp::start().await;
    let manager = app.manager().await;
    let item = manager
        .item("RING-1", &manager.category("Rings", None).await)
        .await;
    let text = File {
        bytes: b"no picture".to_vec(),
        name: "ring.jpg".into(),
        content_type: "image/jpeg".into(),
    };
    let answer = manager
        .upload(
            &document("itemImageUpload"),
            json!({"input": {"itemId": item}}),
            text,
        )
        .await;
    assert_eq!(
        answer.refused(),
        [("UNSUPPORTED_TYPE".into(), "file".into())]
    );
    let without_file = manager
        .change("itemImageUpload", json!({"itemId": item, "file": "x"}))
        .await;
    assert!(!without_file.errors.is_empty());
    assert!(
        !without_file.codes().contains(&"INTERNAL"),
        "{without_file:?}"
    );
    let form = reqwest::multipart::Form::new().text("operations", "{}");
    let answer = manager
        .send(
            manager
                .post()
                .header("graphql-require-preflight", "1")
                .multipart(form),
        )
        .await
        .unwrap();
    assert_eq!((answer.status, answer.codes()), (400, vec!["BAD_REQUEST"]));
    let form = reqwest::multipart::Form::new()
        .text("operations", "{}")
        .text("map", "{}");
    let answer = manager.send(manager.post().multipart(form)).await.unwrap();
    assert_eq!(
        (answer.status, answer.codes()),
        (400, vec!["PREFLIGHT_REQUIRED"])
    );
    let picture = File {
        bytes: picture::small(1),
        name: "../../etc/passwd".into(),
        content_type: "text/html".into(),
    };
    let answer = manager
        .upload(
            &document("itemImageUpload"),
            json!({"input": {"itemId": item}}),
            picture,
        )
        .await;
    assert!(
        answer.ok()["itemImageUpload"]["image"]["id"].is_string(),
        "neither name nor claimed type matter"
    );
    assert_alive(&app).await;
}
