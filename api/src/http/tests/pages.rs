//! Health, media and the playground.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::fixture::{App, Probes};

async fn get(app: &App, path: &str) -> (StatusCode, Value) {
    let response = app.client().get(path).send().await.0;
    let status = response.status();
    (
        status,
        serde_json::from_str(&response.into_body().into_string().await.unwrap()).unwrap(),
    )
}

#[tokio::test]
async fn whoever_has_no_address_that_is_trusted_hears_nothing_of_metrics() {
    let (status, body) = get(&App::default(), "/api/metrics").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn a_healthy_service_says_so() {
    let app = App::default();
    for (path, status) in [
        ("/api/health", "healthy"),
        ("/api/health/readiness", "ready"),
        ("/api/health/liveness", "alive"),
    ] {
        let expected = json!({ "service": "goldshop-backend", "status": status });
        assert_eq!(get(&app, path).await, (StatusCode::OK, expected));
    }
    let (status, detailed) = get(&app, "/api/health/detailed").await;
    assert_eq!(
        (status, &detailed["status"]),
        (StatusCode::OK, &json!("healthy"))
    );
    for component in [
        "database",
        "migrations",
        "redis",
        "system",
        "worker",
        "storage",
    ] {
        assert_eq!(
            detailed["components"][component]["status"], "healthy",
            "{component}"
        );
        assert!(
            detailed["components"][component]["latencyMs"].is_u64(),
            "{component}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_is_unhealthy_after_a_second() {
    let app = App {
        probes: Probes {
            redis_hangs: true,
            ..Probes::default()
        },
        ..App::default()
    };
    let started = tokio::time::Instant::now();
    assert_eq!(get(&app, "/api/health").await.1["status"], "unhealthy");
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    let (status, body) = get(&app, "/api/health/readiness").await;
    assert_eq!(
        (status, &body["status"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("not ready"))
    );
    assert_eq!(get(&app, "/api/health/liveness").await.0, StatusCode::OK);
    let (status, body) = get(&app, "/api/health/detailed").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["components"]["redis"]["status"], "unhealthy");
    assert_eq!(body["components"]["database"]["status"], "healthy");
}

#[tokio::test]
async fn a_service_whose_database_is_behind_is_alive_but_not_ready() {
    let app = App {
        probes: Probes {
            migrations_pending: true,
            ..Probes::default()
        },
        ..App::default()
    };
    for path in [
        "/api/health",
        "/api/health/readiness",
        "/api/health/detailed",
    ] {
        let (status, body) = get(&app, path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {body}");
    }
    assert_eq!(get(&app, "/api/health/liveness").await.0, StatusCode::OK);
    let (_, body) = get(&app, "/api/health/detailed").await;
    assert_eq!(body["components"]["migrations"]["status"], "unhealthy");
    assert_eq!(body["components"]["database"]["status"], "healthy");
}

#[tokio::test]
async fn a_machine_short_of_memory_shows_without_taking_the_api_down() {
    let app = App {
        probes: Probes {
            memory_short: true,
            ..Probes::default()
        },
        ..App::default()
    };
    let (status, body) = get(&app, "/api/health/detailed").await;
    assert_eq!(
        (status, &body["components"]["system"]["status"]),
        (StatusCode::OK, &json!("unhealthy"))
    );
}

#[tokio::test]
async fn a_missing_worker_shows_without_taking_the_api_down() {
    let app = App {
        probes: Probes {
            worker_missing: true,
            ..Probes::default()
        },
        ..App::default()
    };
    let (status, body) = get(&app, "/api/health/detailed").await;
    assert_eq!(
        (status, &body["components"]["worker"]["status"]),
        (StatusCode::OK, &json!("unhealthy"))
    );
}

#[tokio::test]
async fn a_stopping_service_is_alive_but_not_ready() {
    let app = App::default();
    app.shutdown.cancel();
    assert_eq!(
        get(&app, "/api/health/readiness").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(get(&app, "/api/health/liveness").await.0, StatusCode::OK);
}

#[tokio::test]
async fn pages_are_only_read() {
    let client = App::default().client();
    for path in [
        "/api/health",
        "/media/rendition/abc-small.webp",
        "/api/playground/assets/start.js",
    ] {
        let response = client.post(path).send().await;
        response.assert_status(StatusCode::METHOD_NOT_ALLOWED);
        response.assert_header("allow", "GET, HEAD");
        client
            .request(Method::HEAD, path)
            .send()
            .await
            .assert_status_is_ok();
    }
}

#[tokio::test]
async fn media_is_streamed_and_cached_for_ever() {
    let client = App::default().client();
    let path = "/media/rendition/abc-small.webp";
    let response = client.get(path).send().await;
    response.assert_header("content-type", "image/webp");
    response.assert_header("cache-control", "public, max-age=31536000, immutable");
    let tag = response.0.header("etag").unwrap().to_owned();
    response.assert_text("webp!").await;

    for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let response = client
            .get(path)
            .header("if-none-match", &known)
            .send()
            .await;
        response.assert_status(StatusCode::NOT_MODIFIED);
        response.assert_text("").await;
    }
    let stale = client
        .get(path)
        .header("if-none-match", "\"other\"")
        .send()
        .await;
    stale.assert_status_is_ok();

    let head = client.request(Method::HEAD, path).send().await;
    head.assert_header("content-length", "5");
    head.assert_text("").await;
}

#[tokio::test]
async fn missing_private_and_unreachable_media_are_told_apart() {
    let app = App::default();
    for path in [
        "/media/rendition/none.webp",
        "/media/original/abc.jpg",
        "/media/rendition/../original/abc.jpg",
    ] {
        assert_eq!(get(&app, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(
        get(&app, "/media/code/unreachable.svg").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn browsers_get_the_playground_and_programs_do_not() {
    let app = App::default();
    let client = app.client();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = client
        .get("/api/graphql")
        .header("accept", browser)
        .send()
        .await;
    page.assert_content_type("text/html; charset=utf-8");
    let policy = page.0.header("content-security-policy").unwrap();
    assert!(
        policy.contains("script-src 'self';") && !policy.contains("unsafe-eval"),
        "{policy}"
    );

    let off = App::with(|settings| settings.playground = false);
    let page = off
        .client()
        .get("/api/graphql")
        .query("query", &"{hello}")
        .header("accept", browser)
        .send()
        .await;
    page.assert_text(r#"{"data":{"hello":"world"}}"#).await;
}

#[tokio::test]
async fn playground_files_are_served_with_their_types() {
    let client = App::default().client();
    let script = client
        .get("/api/playground/assets/graphiql-4.1.2.min.js")
        .header("accept-encoding", "br")
        .send()
        .await;
    script.assert_content_type("text/javascript; charset=utf-8");
    script.assert_header("cache-control", "public, max-age=31536000, immutable");
    script.assert_header("content-encoding", "br");
    let own = client.get("/api/playground/assets/start.js").send().await;
    own.assert_header("cache-control", "no-cache");
    client
        .get("/api/playground/assets/none.js")
        .send()
        .await
        .assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn files_are_saved_under_their_names_and_kept_by_nobody_on_the_way() {
    let client = App::default().client();
    let file = client
        .get("/api/files/table")
        .header("authorization", "Bearer alice")
        .send()
        .await;
    file.assert_status_is_ok();
    file.assert_header("content-type", "text/csv; charset=utf-8");
    file.assert_header("cache-control", "private, no-store");
    file.assert_header("x-content-type-options", "nosniff");
    file.assert_header("content-length", "5");
    file.assert_header(
        "content-disposition",
        "attachment; filename=\"_______ _1__ a_b.csv\"; \
         filename*=UTF-8''%D9%82%DB%8C%D9%85%D8%AA%E2%80%8C%D9%87%D8%A7%20%221%22%3B%20a_b.csv",
    );
    file.assert_text("a,b,c").await;

    let page = client
        .request(Method::HEAD, "/api/files/page")
        .header("cookie", "session=alice")
        .send()
        .await;
    page.assert_status_is_ok();
    page.assert_header("content-type", "application/octet-stream");
    page.assert_text("").await;
}

#[tokio::test]
async fn files_are_for_those_they_are_meant_for() {
    let app = App::default();
    for path in [
        "/api/files/table",
        "/api/files/none",
        "/api/files/../health",
    ] {
        assert_eq!(get(&app, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let client = app.client();
    for (header, value, status) in [
        ("authorization", "Bearer mallory", StatusCode::UNAUTHORIZED),
        ("cookie", "session=mallory", StatusCode::UNAUTHORIZED),
        ("authorization", "Bearer alice", StatusCode::OK),
    ] {
        let file = client.get("/api/files/table").header(header, value);
        file.send().await.assert_status(status);
    }
    let stranger = client
        .get("/api/files/table")
        .header("cookie", "session=alice")
        .header("origin", "https://evil.example");
    let refused = stranger.send().await;
    refused.assert_status(StatusCode::FORBIDDEN);
    let unreachable = client
        .get("/api/files/unreachable")
        .header("authorization", "Bearer alice");
    unreachable
        .send()
        .await
        .assert_status(StatusCode::SERVICE_UNAVAILABLE);
}
