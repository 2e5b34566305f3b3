//! Where and with what a picture was taken stays with its owner.

use image::ImageFormat;

use super::{encoded, jpeg, png_chunk, rendered, scene};
use crate::image::{Encoding, Rendered};

/// Stands for everything personal: it is put into each kind of note and must come out of none.
const SECRET: &[u8] = b"KIRCHGASSE-12";

/// The JPEG with one more segment right after its start.
pub(super) fn with_segment(photo: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    let (start, rest) = photo.split_at(2);
    [start, &[0xff, marker], &length, content, rest].concat()
}

/// Exif in big-endian order: the description, orientation 6, and a GPS directory with a latitude.
fn exif() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        let head = [tag.to_be_bytes(), kind.to_be_bytes()].concat();
        [&head[..], &count.to_be_bytes(), &value].concat()
    };
    let first = [
        entry(0x010e, 2, 13, 100u32.to_be_bytes()),
        entry(0x0112, 3, 1, [0, 6, 0, 0]),
        entry(0x8825, 4, 1, 60u32.to_be_bytes()),
    ];
    let gps = [
        entry(1, 2, 2, *b"N\0\0\0"),
        entry(2, 5, 3, 120u32.to_be_bytes()),
    ];
    let mut tiff = [b"MM\0*\0\0\0\x08\0\x03", &first.concat()[..], &[0; 4]].concat();
    tiff.resize(60, 0);
    tiff.extend([b"\0\x02", &gps.concat()[..], &[0; 4]].concat());
    tiff.resize(100, 0);
    tiff.extend(SECRET);
    tiff.resize(120, 0);
    tiff.extend([48u32, 1, 51, 1, 30, 1].map(u32::to_be_bytes).concat());
    [b"Exif\0\0", &tiff[..]].concat()
}

fn tagged_photo() -> Vec<u8> {
    let xmp = [b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>", SECRET].concat();
    let profile = [b"ICC_PROFILE\0\x01\x01", SECRET].concat();
    let press = [b"Photoshop 3.0\08BIM", SECRET].concat();
    let segments = [
        (0xfe, SECRET),
        (0xed, &press),
        (0xe2, &profile),
        (0xe1, &xmp),
        (0xe1, &exif()),
    ];
    let tag =
        |photo: Vec<u8>, (marker, content): (u8, &[u8])| with_segment(&photo, marker, content);
    segments.into_iter().fold(jpeg(900, 600, false), tag)
}

fn tagged_png() -> Vec<u8> {
    let plain = encoded(scene(900, 600), ImageFormat::Png);
    // The signature and the header take 33 bytes.
    let (start, rest) = plain.split_at(33);
    let text = png_chunk(b"tEXt", &[b"Author\0", SECRET].concat());
    let exif = png_chunk(b"eXIf", &exif()[6..]);
    [start, &text, &exif, rest].concat()
}

#[test]
fn nothing_personal_is_in_any_rendition() {
    for original in [tagged_photo(), tagged_png()] {
        assert!(contains(&original, SECRET));
        let rendered = rendered(&original);
        assert_eq!(
            (rendered.width, rendered.height),
            (600, 900),
            "the orientation was not read"
        );
        assert_is_clean(&rendered);
    }
}

fn assert_is_clean(rendered: &Rendered) {
    let traces: [&[u8]; 8] = [
        SECRET,
        b"Exif",
        b"EXIF",
        b"GPS",
        b"xmp",
        b"XMP ",
        b"ICC",
        b"Photoshop",
    ];
    for one in &rendered.renditions {
        for trace in traces {
            assert!(
                !contains(&one.bytes, trace),
                "{}",
                String::from_utf8_lossy(trace)
            );
        }
        match one.encoding {
            Encoding::Jpeg => assert_eq!(notes_in_jpeg(&one.bytes), [0xe0]),
            Encoding::WebP => assert_eq!(chunks_in_webp(&one.bytes), ["VP8 "]),
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The application segments and comments before the scan; `e0` is JFIF's, which has no notes.
fn notes_in_jpeg(bytes: &[u8]) -> Vec<u8> {
    let mut notes = Vec::new();
    let mut at = 2;
    while bytes[at + 1] != 0xda {
        if matches!(bytes[at + 1], 0xe0..=0xef | 0xfe) {
            notes.push(bytes[at + 1]);
        }
        at += 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    }
    notes
}

fn chunks_in_webp(bytes: &[u8]) -> Vec<String> {
    let mut chunks = Vec::new();
    let mut at = 12;
    while at < bytes.len() {
        chunks.push(String::from_utf8(bytes[at..at + 4].to_vec()).unwrap());
        let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap());
        at += 8 + length.next_multiple_of(2) as usize;
    }
    chunks
}
