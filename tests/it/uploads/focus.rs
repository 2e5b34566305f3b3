//! What of a picture stays to be seen when a part is cut off.

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use tests::{actor::Actor, app::TestApp, wait::PATIENCE};

use super::ring;

const IMAGES: &str = "query($id: ID!) { item(by: {id: $id}) { images {
    id state thumbHash dominantColor focus { x y } renditions { size format url }
} } }";

/// Red on its left half, blue on its right.
fn two_halves() -> Vec<u8> {
    let picture = RgbImage::from_fn(800, 400, |x, _| {
        if x < 400 {
            Rgb([200, 30, 30])
        } else {
            Rgb([30, 30, 200])
        }
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

async fn image(app: &TestApp, actor: &Actor, item: &str) -> Value {
    app.until_done(PATIENCE).await;
    actor.ok(IMAGES, json!({"id": item})).await["item"]["images"][0].take()
}

/// The middle of the square, and where it is.
async fn square(app: &TestApp, image: &Value) -> ([u8; 3], String) {
    let all = image["renditions"].as_array().unwrap().iter();
    let mut all = all.filter(|one| one["size"] == "square" && one["format"] == "jpeg");
    let url = all.next().unwrap()["url"].as_str().unwrap().to_owned();
    let answer = app.anonymous().get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    let bytes = answer.bytes().await.unwrap();
    let picture = image::load_from_memory(&bytes).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), (320, 320));
    (picture.get_pixel(160, 160).0, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_square_follows_the_focus_and_has_an_address_of_its_own() {
    let app = TestApp::builder().with_worker().start().await;
    let (manager, item) = ring(&app).await;
    manager.picture(&item, two_halves()).await;
    let before = image(&app, &manager, &item).await;
    assert_eq!(before["focus"], json!({"x": 50, "y": 50}));
    let (_, middle) = square(&app, &before).await;
    let mut addresses = vec![middle];
    for (x, red) in [(0, true), (100, false), (20, true)] {
        let input = json!({"itemId": item, "imageId": before["id"], "x": x, "y": 50});
        manager.done("itemImageFocus", input).await;
        let after = image(&app, &manager, &item).await;
        assert_eq!(after["state"], "READY");
        assert_eq!(after["focus"], json!({"x": x, "y": 50}));
        let (color, url) = square(&app, &after).await;
        assert_eq!(color[0] > color[2], red, "{x}: {color:?}");
        assert!(
            !addresses.contains(&url),
            "caches keep what is there: {url}"
        );
        addresses.push(url);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_says_what_to_show_until_it_is_there() {
    let app = TestApp::start().await;
    let (manager, item) = ring(&app).await;
    manager.picture(&item, two_halves()).await;
    let waiting = manager.ok(IMAGES, json!({"id": item})).await["item"]["images"][0].take();
    assert_eq!(
        (&waiting["thumbHash"], &waiting["dominantColor"]),
        (&Value::Null, &Value::Null)
    );
    let _worker = app.worker();
    let ready = image(&app, &manager, &item).await;
    let color = ready["dominantColor"].as_str().unwrap();
    let channel = |at: usize| u8::from_str_radix(&color[at..at + 2], 16).unwrap();
    assert!(channel(1).max(channel(5)) > 150, "{color}");
    assert!(channel(3) < 60, "{color}");
    let hash = ready["thumbHash"].as_str().unwrap();
    assert!((20..=36).contains(&hash.len()), "{hash}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_focus_is_refused() {
    let app = TestApp::start().await;
    let (manager, item) = ring(&app).await;
    let other = manager
        .item("RING-2", &manager.category("More rings", None).await)
        .await;
    let picture = manager.picture(&item, two_halves()).await["image"]["id"].take();
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    for (of, x, y, expected) in [
        (&item, -1, 50, one("OUT_OF_RANGE", "x")),
        (&item, 50, 101, one("OUT_OF_RANGE", "y")),
        (&item, 70_000, 50, one("OUT_OF_RANGE", "x")),
        (&other, 50, 50, one("NOT_FOUND", "imageId")),
    ] {
        let input = json!({"itemId": of, "imageId": picture, "x": x, "y": y});
        assert_eq!(manager.not_done("itemImageFocus", input).await, expected);
    }
}
