//! Pictures of every kind, good, odd and hostile.

mod colour;
mod damage;
mod door;
mod focus;
mod kinds;
mod orientation;
mod placeholder;
mod privacy;
mod sizes;

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use super::{Encoding, Focus, Limits, Rejection, RenderError, Rendered, Rendition, Size, render};

/// A picture with large areas and fine detail, the same every time.
fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let red = x * 255 / width;
        let green = y * 255 / height;
        let blue = (x ^ y) & 0x3f;
        Rgb([red, green, blue].map(|channel| channel as u8))
    })
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG of the scene, progressive if so wished.
fn jpeg(width: u16, height: u16, progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    encoder.set_progressive(progressive);
    let scene = scene(width.into(), height.into());
    let kind = jpeg_encoder::ColorType::Rgb;
    encoder.encode(scene.as_raw(), width, height, kind).unwrap();
    bytes
}

fn rendered(bytes: &[u8]) -> Rendered {
    render(bytes, &Limits::default(), &Size::ALL, Focus::default()).unwrap()
}

/// Why `bytes` are not rendered.
fn refusal(bytes: &[u8]) -> Rejection {
    match render(bytes, &Limits::default(), &Size::ALL, Focus::default()) {
        Err(RenderError::Rejected(rejection)) => rejection,
        other => panic!("not refused but {other:?}"),
    }
}

fn rendition(rendered: &Rendered, size: Size, encoding: Encoding) -> &Rendition {
    let mut all = rendered.renditions.iter();
    all.find(|one| one.size == size && one.encoding == encoding)
        .unwrap()
}

/// Decodes a rendition, which must be what it says it is.
fn decoded(rendition: &Rendition) -> DynamicImage {
    let format = match rendition.encoding {
        Encoding::WebP => ImageFormat::WebP,
        Encoding::Jpeg => ImageFormat::Jpeg,
    };
    let picture = image::load_from_memory_with_format(&rendition.bytes, format).unwrap();
    assert_eq!(
        (picture.width(), picture.height()),
        (rendition.width, rendition.height)
    );
    picture
}

/// The mean difference of all channels of all pixels, in hundredths of a step.
fn difference(one: &DynamicImage, other: &DynamicImage) -> u64 {
    let (one, other) = (one.to_rgba8(), other.to_rgba8());
    assert_eq!(one.dimensions(), other.dimensions());
    let pairs = one.as_raw().iter().zip(other.as_raw());
    let total: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    total * 100 / one.as_raw().len() as u64
}

/// A PNG chunk with its length and checksum.
fn png_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let checked = [kind, content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[..], &checked, &crc32(&checked).to_be_bytes()].concat()
}

/// The beginning of a PNG up to and including its header.
fn png_header(width: u32, height: u32, depth: u8, colour_type: u8) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([depth, colour_type, 0, 0, 0]);
    [b"\x89PNG\r\n\x1a\n", &png_chunk(b"IHDR", &header)[..]].concat()
}

/// PNG image data in a zlib stream of one stored block.
fn png_data(rows: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rows.len()).unwrap();
    let (mut low, mut high) = (1u32, 0u32);
    for byte in rows {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(rows);
    stream.extend((high << 16 | low).to_be_bytes());
    png_chunk(b"IDAT", &stream)
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| {
        if crc & 1 == 1 {
            crc >> 1 ^ 0xedb8_8320
        } else {
            crc >> 1
        }
    };
    let add = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(u32::MAX, add)
}
