//! Where uploads are kept: once for each content, and where nobody can reach them.

use serde_json::{Value, json};
use tests::{
    app::TestApp,
    picture::{landscape, small},
    wait::PATIENCE,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ring, stored};

const RENDITIONS: &str =
    "query($id: ID!) { item(by: {id: $id}) { images { id state renditions { url } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn the_same_picture_twice_is_stored_once() {
    let app = TestApp::builder().with_worker().start().await;
    let (manager, item) = ring(&app).await;
    let other = manager
        .item("RING-2", &manager.category("More rings", None).await)
        .await;
    for item in [&item, &item, &other] {
        manager.picture(item, small(9)).await;
    }
    app.until_done(PATIENCE).await;
    assert_eq!(
        (
            stored(&app, "original").len(),
            stored(&app, "rendition").len()
        ),
        (1, 10)
    );
    let images = manager.ok(RENDITIONS, json!({"id": item})).await["item"]["images"].take();
    let [one, two] = &images.as_array().unwrap()[..] else {
        panic!("two images, not {images}")
    };
    assert_ne!(one["id"], two["id"]);
    assert_eq!(
        (&one["state"], &one["renditions"]),
        (&json!("READY"), &two["renditions"])
    );
    // Taking one away takes nothing from the other.
    manager
        .done(
            "itemImageRemove",
            json!({"itemId": item, "imageId": one["id"]}),
        )
        .await;
    let url = two["renditions"][0]["url"].as_str().unwrap();
    assert_eq!(app.anonymous().get(url).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_removed_before_it_is_rendered_needs_nothing_any_more() {
    let app = TestApp::start().await;
    let (manager, item) = ring(&app).await;
    let image = manager.picture(&item, small(3)).await["image"]["id"].take();
    manager
        .done("itemImageRemove", json!({"itemId": item, "imageId": image}))
        .await;
    let _worker = app.worker();
    app.until_done(PATIENCE).await;
    assert_eq!(stored(&app, "rendition").len(), 0);
    assert_eq!(app.events_of("item.image_rendered").await.len(), 0);
}

/// Asks as no client library would: the path goes out as it stands here.
async fn raw_status(app: &TestApp, path: &str) -> u16 {
    let address = app.url().trim_start_matches("http://");
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    let line = String::from_utf8_lossy(&answer);
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_is_reachable_by_nobody() {
    let app = TestApp::builder().with_worker().start().await;
    let (manager, item) = ring(&app).await;
    manager.picture(&item, landscape(1)).await;
    app.until_done(PATIENCE).await;
    let original = stored(&app, "original").remove(0);
    let key = original
        .strip_prefix(app.media())
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let inner = key.trim_start_matches("original/");
    let paths = [
        format!("/media/{key}"),
        format!("/media//{key}"),
        format!("/media/rendition/../{key}"),
        format!("/media/rendition/%2e%2e/{key}"),
        format!("/media/rendition/..%2f{key}"),
        format!("/media/ORIGINAL/{inner}"),
        format!("/media/%6friginal/{inner}"),
        "/media/original".to_owned(),
        "/media/rendition".to_owned(),
        "/media/rendition/".to_owned(),
    ];
    for path in &paths {
        assert_eq!(raw_status(&app, path).await, 404, "{path}");
        assert_eq!(
            manager.get(path).send().await.unwrap().status(),
            404,
            "{path}"
        );
    }
    // And nothing that clients are told leads there.
    let item = manager.ok(RENDITIONS, json!({"id": item})).await;
    assert!(!item.to_string().contains("original"), "{item}");
    let url = item["item"]["images"][0]["renditions"][0]["url"]
        .as_str()
        .map(str::to_owned)
        .unwrap();
    assert_eq!(
        raw_status(&app, url.trim_start_matches(app.url())).await,
        200
    );
    assert_ne!(item["item"]["images"], Value::Null);
}
