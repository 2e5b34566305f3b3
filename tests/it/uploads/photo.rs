//! What becomes of a photograph: ten renditions, upright, without a word about where it was taken.

use image::{DynamicImage, ImageFormat};
use serde_json::{Value, json};
use tests::{
    actor::Actor,
    app::TestApp,
    picture::{landscape, with_segment},
    wait::PATIENCE,
};

use super::{ring, stored};

const IMAGES: &str = "query($id: ID!) {
    item(by: {id: $id}) {
        primaryImage { id }
        images { id state failure mediaType width height renditions { size format width height bytes url } }
    }
}";
const CHANGES: &str = "subscription($after: EventPosition, $item: ID) {
    itemChanged(after: $after, itemId: $item) { action item { primaryImage { id state } } }
}";

/// Stands for everything personal.
const SECRET: &[u8] = b"KIRCHGASSE-12";

/// The photograph as a telephone would write it: with a comment, a note of an application, and where it was taken.
fn telling(photo: &[u8]) -> Vec<u8> {
    let note = [b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>", SECRET].concat();
    let gps = [b"GPS\0", SECRET].concat();
    [(0xfe, SECRET), (0xe1, &note), (0xed, &gps)]
        .into_iter()
        .fold(photo.to_vec(), |photo, (marker, content)| {
            // Behind the Exif segment, which has to stay the first.
            let exif = 2 + usize::from(u16::from_be_bytes([photo[4], photo[5]]));
            let (start, rest) = photo.split_at(2 + exif);
            let segment = &with_segment(&[0xff, 0xd8], marker, content)[2..];
            [start, segment, rest].concat()
        })
}

struct Rendered {
    size: String,
    format: String,
    bytes: Vec<u8>,
    picture: DynamicImage,
}

/// Everything that is made of an image, fetched as a browser would.
async fn renditions(app: &TestApp, image: &Value) -> Vec<Rendered> {
    let mut rendered = Vec::new();
    for rendition in image["renditions"].as_array().unwrap() {
        let text = |name: &str| rendition[name].as_str().unwrap().to_owned();
        let answer = app.anonymous().get(&text("url")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{rendition}");
        assert_eq!(
            answer.headers()["content-type"],
            format!("image/{}", text("format")).as_str()
        );
        assert!(
            answer.headers()["cache-control"]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        let bytes = answer.bytes().await.unwrap().to_vec();
        assert_eq!(json!(bytes.len()), rendition["bytes"]);
        let format = if text("format") == "webp" {
            ImageFormat::WebP
        } else {
            ImageFormat::Jpeg
        };
        let picture = image::load_from_memory_with_format(&bytes, format).unwrap();
        assert_eq!(
            (json!(picture.width()), json!(picture.height())),
            (rendition["width"].clone(), rendition["height"].clone())
        );
        rendered.push(Rendered {
            size: text("size"),
            format: text("format"),
            bytes,
            picture,
        });
    }
    rendered
}

/// The item's images, once no job is left.
async fn images(app: &TestApp, actor: &Actor, item: &str) -> Value {
    app.until_done(PATIENCE * 3).await;
    actor.ok(IMAGES, json!({"id": item})).await["item"].take()
}

/// How much two pictures differ: the mean over all channels of all pixels, in hundredths of a step of 255.
fn difference(one: &DynamicImage, other: &DynamicImage) -> u64 {
    let (one, other) = (one.to_rgb8(), other.to_rgb8());
    assert_eq!(one.dimensions(), other.dimensions());
    let pairs = one.as_raw().iter().zip(other.as_raw());
    let total: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    total * 100 / one.as_raw().len() as u64
}

/// The picture was uploaded with its side down, and nothing has been made of it yet.
fn assert_waits(uploaded: &Value) {
    let (image, job) = (&uploaded["image"], &uploaded["job"]);
    assert_eq!(
        (&image["state"], &image["mediaType"]),
        (&json!("PROCESSING"), &json!("image/jpeg"))
    );
    assert_eq!(
        (&image["width"], &image["height"]),
        (&json!(1200), &json!(1800))
    );
    assert_eq!(
        (&job["kind"], &job["state"]),
        (&json!("item.render_image"), &json!("QUEUED"))
    );
    assert_eq!(
        uploaded["item"]["primaryImage"]["id"], image["id"],
        "an item's first picture is its primary one"
    );
}

/// Four sizes and a square in two formats each, standing upright.
fn assert_complete(rendered: &[Rendered]) {
    let described = |one: &Rendered| {
        (
            one.picture.width(),
            one.picture.height(),
            one.size.clone(),
            one.format.clone(),
        )
    };
    let mut kinds: Vec<_> = rendered.iter().map(described).collect();
    kinds.sort_unstable();
    let sizes = [
        (160, 107, "thumbnail"),
        (320, 214, "small"),
        (320, 320, "square"),
        (800, 534, "medium"),
        (1600, 1067, "large"),
    ];
    let formats = |(w, h, size): (u32, u32, &str)| {
        ["jpeg", "webp"].map(|format| (w, h, size.to_owned(), format.to_owned()))
    };
    assert_eq!(
        kinds,
        sizes.into_iter().flat_map(formats).collect::<Vec<_>>()
    );
}

/// Nothing is beside the picture. Among compressed pixels any three letters may stand by chance, so what a file has is asked by its parts.
fn assert_clean(one: &Rendered) {
    for trace in [SECRET, b"Exif\0\0", b"http://ns.adobe.com/xap"] {
        let found = one.bytes.windows(trace.len()).any(|bytes| bytes == trace);
        let trace = String::from_utf8_lossy(trace);
        assert!(!found, "{trace} in {} {}", one.size, one.format);
    }
    let (parts, allowed) = match one.format.as_str() {
        "webp" => (chunks(&one.bytes), ["VP8 ", "VP8L"].as_slice()),
        // Tables of quantisation and of codes, the frame, and what every JPEG begins with.
        _ => (
            segments(&one.bytes),
            ["e0", "db", "c0", "c2", "c4", "dd"].as_slice(),
        ),
    };
    assert!(!parts.is_empty());
    for part in parts {
        let is_allowed = allowed.contains(&part.as_str());
        assert!(is_allowed, "{part} in {} {}", one.size, one.format);
    }
}

/// What the parts of a WebP file are called.
fn chunks(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = &bytes[12..];
    while let Some((head, behind)) = rest.split_first_chunk::<8>() {
        names.push(String::from_utf8_lossy(&head[..4]).into_owned());
        let length = u32::from_le_bytes(head[4..].try_into().unwrap());
        let length = usize::try_from(length).unwrap().next_multiple_of(2);
        rest = behind.get(length..).unwrap_or_default();
    }
    names
}

/// The markers of a JPEG file in hexadecimal digits, up to its pixels.
fn segments(bytes: &[u8]) -> Vec<String> {
    let mut markers = Vec::new();
    let mut rest = &bytes[2..];
    while let Some((&[0xff, marker, high, low], _)) = rest.split_first_chunk::<4>() {
        if marker == 0xda {
            return markers;
        }
        markers.push(format!("{marker:02x}"));
        rest = &rest[2 + usize::from(u16::from_be_bytes([high, low]))..];
    }
    panic!("no pixels behind {markers:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photograph_gets_ten_renditions_upright_and_without_its_secrets() {
    let app = TestApp::start().await;
    let (manager, item) = ring(&app).await;
    let photo = telling(&landscape(6));
    assert!(photo.windows(4).any(|bytes| bytes == b"Exif"));
    let uploaded = manager.picture(&item, photo).await;
    assert_waits(&uploaded);

    let after = app.position().await;
    let mut changes = manager
        .subscribe(CHANGES, json!({"after": after, "item": item}))
        .await;
    let _worker = app.worker();
    let mut change = Value::Null;
    while change["action"] != "item.image_rendered" {
        change = changes.next().await["itemChanged"].take();
    }
    assert_eq!(
        change["item"]["primaryImage"],
        json!({"id": uploaded["image"]["id"], "state": "READY"})
    );
    let image = images(&app, &manager, &item).await["images"][0].take();
    assert_eq!(
        (&image["state"], &image["failure"]),
        (&json!("READY"), &Value::Null)
    );
    let rendered = renditions(&app, &image).await;
    assert_complete(&rendered);
    rendered.iter().for_each(assert_clean);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_orientation_shows_the_same_picture() {
    let app = TestApp::builder().with_worker().start().await;
    let (manager, item) = ring(&app).await;
    for orientation in [1, 3, 6, 7] {
        manager.picture(&item, landscape(orientation)).await;
    }
    let images = images(&app, &manager, &item).await;
    let mut thumbnails = Vec::new();
    for image in images["images"].as_array().unwrap() {
        let all = renditions(&app, image).await;
        let thumbnail = all
            .into_iter()
            .find(|one| one.size == "thumbnail" && one.format == "jpeg");
        thumbnails.push(thumbnail.unwrap().picture);
    }
    let (upright, others) = thumbnails.split_first().unwrap();
    // The photographs bear the number of their orientation, so they are not the same altogether.
    assert!(
        difference(upright, &upright.rotate180()) > 2000,
        "turning this picture is seen"
    );
    for other in others {
        let difference = difference(upright, other);
        assert!(difference < 800, "{difference}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_keep_their_order_and_the_first_stays_primary() {
    let app = TestApp::builder().with_worker().start().await;
    let (manager, item) = ring(&app).await;
    let mut uploaded = Vec::new();
    for shade in 1..=3 {
        let payload = manager.picture(&item, tests::picture::small(shade)).await;
        uploaded.push(payload["image"]["id"].clone());
    }
    let found = images(&app, &manager, &item).await;
    assert_eq!(found["primaryImage"]["id"], uploaded[0]);
    let order: Vec<_> = found["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["id"].clone())
        .collect();
    assert_eq!(order, uploaded);
    // A picture smaller than a size keeps its own: ten files each, none larger than the original.
    assert_eq!(stored(&app, "rendition").len(), 3 * 10);
    for one in renditions(&app, &found["images"][2]).await {
        let width = if one.size == "square" { 32 } else { 48 };
        assert_eq!((one.picture.width(), one.picture.height()), (width, 32));
    }
}
