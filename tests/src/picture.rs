//! Pictures to be uploaded: real ones, and ones made to do harm.

#![expect(
    clippy::expect_used,
    reason = "a picture that cannot be made has to fail the test"
)]

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    actor::{Actor, File},
    answer::Answer,
};

/// Uploads a picture; `$input` is its item, the file comes with [`Actor::upload`].
pub const IMAGE_UPLOAD: &str = "mutation($input: ItemImageUploadInput!) {
    itemImageUpload(input: $input) {
        item { id primaryImage { id } } image { id state width height mediaType } job { id state kind requestId }
        userErrors { code path message }
    }
}";

/// The photograph `Landscape_<n>.jpg`: the same scene stored in the `n`th of Exif's eight orientations.
///
/// # Panics
/// When there is no such file.
#[must_use]
pub fn landscape(orientation: u8) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("fixtures/exif/Landscape_{orientation}.jpg"));
    std::fs::read(path).expect("the photograph is there")
}

/// A small JPEG in one colour, another for each `shade`.
///
/// # Panics
/// Never: memory takes every picture.
#[must_use]
pub fn small(shade: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(48, 32, image::Rgb([shade, 128, 255 - shade]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .expect("memory takes every picture");
    bytes.into_inner()
}

/// The JPEG with one more segment after its start, such as a comment (`0xfe`) or a note of an application (`0xe1`).
///
/// # Panics
/// When `content` is longer than a segment may be.
#[must_use]
pub fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).expect("a segment is short");
    let (start, rest) = jpeg.split_at(2);
    [start, &[0xff, marker], &length.to_be_bytes(), content, rest].concat()
}

/// The JPEG with damage inside its pixels: whole from marker to marker, so that only a decoder can find out.
#[must_use]
pub fn damaged(jpeg: &[u8]) -> Vec<u8> {
    let mut damaged = jpeg.to_vec();
    // No code word consists of ones alone.
    let middle = damaged.len() / 2;
    damaged.splice(middle..middle + 50, b"\xff\x00".repeat(25));
    damaged
}

/// A whole and valid PNG of a few bytes that claims to have this many pixels.
#[must_use]
pub fn enormous_png(width: u32, height: u32) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = [&size[..], &[8, 2, 0, 0, 0]].concat();
    let nothing_compressed = [0x78, 0x9c, 0x03, 0, 0, 0, 0, 1];
    [
        &b"\x89PNG\r\n\x1a\n"[..],
        &chunk(b"IHDR", &header),
        &chunk(b"IDAT", &nothing_compressed),
        &chunk(b"IEND", &[]),
    ]
    .concat()
}

fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [&name[..], content].concat();
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let checksum = checksum(&named);
    [
        &length.to_be_bytes()[..],
        &named,
        &checksum.to_be_bytes()[..],
    ]
    .concat()
}

/// CRC-32, as PNG has it.
fn checksum(bytes: &[u8]) -> u32 {
    let fold = |sum: u32| {
        if sum & 1 == 1 {
            sum >> 1 ^ 0xedb8_8320
        } else {
            sum >> 1
        }
    };
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| fold(sum))
    })
}

impl Actor {
    /// Uploads this file as a picture of the item.
    pub async fn upload_picture(&self, item: &str, name: &str, bytes: Vec<u8>) -> Answer {
        let file = File {
            bytes,
            name: name.to_owned(),
            content_type: "image/jpeg".to_owned(),
        };
        self.upload(IMAGE_UPLOAD, json!({"input": {"itemId": item}}), file)
            .await
    }

    /// Uploads a good picture: the payload's `item`, `image` and `job`.
    pub async fn picture(&self, item: &str, bytes: Vec<u8>) -> Value {
        let mut data = self.upload_picture(item, "photo.jpg", bytes).await.ok();
        data["itemImageUpload"].take()
    }
}
