//! The check at the door refuses quickly, by content, and for the right reason.

use std::fs;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use image::ImageFormat;

use super::{encoded, jpeg, png_chunk, png_data, png_header, refusal, scene};
use crate::image::{Format, InspectError, Inspected, Limits, Rejection, inspect, inspect_file};

fn judged(bytes: &[u8]) -> Result<Inspected, Rejection> {
    let started = Instant::now();
    let judged = inspect(bytes, &Limits::default());
    let taken = started.elapsed();
    assert!(
        taken < Duration::from_millis(100),
        "inspecting took {taken:?}"
    );
    judged
}

fn png_of(width: u32, height: u32) -> Vec<u8> {
    let parts = [
        png_header(width, height, 8, 6),
        png_data(&[0; 64]),
        png_chunk(b"IEND", &[]),
    ];
    parts.concat()
}

#[test]
fn good_pictures_are_measured() {
    let cases = [
        (jpeg(64, 48, false), Format::Jpeg),
        (jpeg(64, 48, true), Format::Jpeg),
        (encoded(scene(64, 48), ImageFormat::Png), Format::Png),
        (encoded(scene(64, 48), ImageFormat::WebP), Format::WebP),
        (encoded(scene(64, 48), ImageFormat::Gif), Format::Gif),
    ];
    for (bytes, format) in cases {
        let inspected = judged(&bytes).unwrap();
        let length = bytes.len() as u64;
        let expected = Inspected {
            format,
            width: 64,
            height: 48,
            bytes: length,
        };
        assert_eq!(inspected, expected);
    }
}

#[test]
fn what_is_no_picture_is_an_unsupported_type() {
    let bitmap = [b"BM".as_slice(), &[0; 200]].concat();
    let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let wave = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00";
    let texts: [&[u8]; 8] = [
        b"",
        b"x",
        b"a text file named photo.jpg",
        b"%PDF-1.7",
        script,
        wave,
        &bitmap,
        b"\xff\xd8",
    ];
    for bytes in texts {
        assert_eq!(judged(bytes), Err(Rejection::UnsupportedType), "{bytes:?}");
        assert_eq!(refusal(bytes), Rejection::UnsupportedType);
    }
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_by_its_header() {
    for (width, height) in [(50_000, 50_000), (50_000, 1), (1, 16_001), (8_000, 6_251)] {
        let expected = Rejection::DimensionsTooLarge {
            width,
            height,
            max_side: 16_000,
            max_pixels: 50_000_000,
        };
        assert_eq!(judged(&png_of(width, height)), Err(expected));
        assert_eq!(refusal(&png_of(width, height)), expected);
    }
    assert!(judged(&png_of(8_000, 6_250)).is_ok());
}

#[test]
fn the_other_formats_cannot_hide_their_size_either() {
    let mut gif = encoded(scene(64, 48), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0x50, 0xc3, 0x50, 0xc3]);
    let mut photo = jpeg(64, 48, false);
    let frame = photo
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    photo[frame + 5..frame + 9].copy_from_slice(&[0xc3, 0x50, 0xc3, 0x50]);
    for bytes in [gif, photo] {
        let refused = judged(&bytes);
        assert!(
            matches!(refused, Err(Rejection::DimensionsTooLarge { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn a_picture_of_no_pixels_is_refused() {
    for (width, height) in [(0, 0), (0, 10), (10, 0)] {
        assert_eq!(judged(&png_of(width, height)), Err(Rejection::Unreadable));
    }
    let mut photo = jpeg(64, 48, false);
    let frame = photo
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    photo[frame + 5..frame + 7].fill(0);
    assert_eq!(judged(&photo), Err(Rejection::Unreadable));
}

#[test]
fn a_header_cut_short_is_unreadable() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
    ] {
        let whole = encoded(scene(64, 48), format);
        // 12 bytes hold every signature, and none of the four formats' headers.
        assert_eq!(
            judged(&whole[..12]),
            Err(Rejection::Unreadable),
            "{format:?}"
        );
    }
}

#[test]
fn an_upload_that_broke_off_is_refused_wherever_it_broke() {
    for bytes in [
        jpeg(64, 48, false),
        jpeg(64, 48, true),
        encoded(scene(64, 48), ImageFormat::Png),
        encoded(scene(64, 48), ImageFormat::WebP),
    ] {
        // A PNG is whole once its end is named: the checksum after it adds nothing.
        for length in 12..bytes.len() - 4 {
            assert_eq!(
                judged(&bytes[..length]),
                Err(Rejection::Unreadable),
                "{length} bytes"
            );
        }
        assert!(judged(&bytes).is_ok());
    }
}

#[test]
fn what_a_camera_appends_is_no_harm() {
    let photo = [
        jpeg(64, 48, false),
        jpeg(32, 24, false),
        b"trailer".to_vec(),
    ]
    .concat();
    assert_eq!(judged(&photo).map(|inspected| inspected.width), Ok(64));
}

#[test]
fn a_file_of_markers_and_nothing_else_is_refused_quickly() {
    let markers = [
        b"\xff\xd8\xff".to_vec(),
        b"\xff\xe0\x00\x02".repeat(1_000_000),
    ]
    .concat();
    let stuffing = [b"\xff\xd8".to_vec(), b"\xff\x00".repeat(2_000_000)].concat();
    for bytes in [markers, stuffing] {
        let started = Instant::now();
        assert!(inspect(&bytes, &Limits::default()).is_err());
        let taken = started.elapsed();
        assert!(taken < Duration::from_secs(5), "inspecting took {taken:?}");
    }
}

#[test]
fn a_file_that_is_too_long_is_refused_before_it_is_read() {
    let limits = Limits {
        max_bytes: 100,
        ..Limits::default()
    };
    let refused = Rejection::TooLarge { limit: 100 };
    assert_eq!(inspect(&[b'x'; 101], &limits), Err(refused));
    assert_eq!(
        inspect(&[b'x'; 100], &limits),
        Err(Rejection::UnsupportedType)
    );
}

#[test]
fn a_file_on_disk_is_judged_like_its_bytes_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    for bytes in [
        jpeg(64, 48, true),
        png_of(50_000, 50_000),
        b"text".to_vec(),
        Vec::new(),
    ] {
        fs::write(&path, &bytes).unwrap();
        let by_path = match inspect_file(&path, &Limits::default()) {
            Err(InspectError::File(error)) => panic!("{error}"),
            Err(InspectError::Rejected(rejection)) => Err(rejection),
            Ok(inspected) => Ok(inspected),
        };
        assert_eq!(by_path, inspect(&bytes, &Limits::default()));
    }
    let missing = inspect_file(&folder.path().join("none"), &Limits::default());
    let not_found = |error: &InspectError| matches!(error, InspectError::File(file) if file.kind() == ErrorKind::NotFound);
    assert!(missing.as_ref().is_err_and(not_found), "{missing:?}");
}

/// The beginning of a file in the container of HEIC and AVIF: its first box.
fn container(brand: &[u8; 4], others: &[&[u8; 4]]) -> Vec<u8> {
    let others: Vec<u8> = others.iter().copied().flatten().copied().collect();
    let length = u32::try_from(16 + others.len()).unwrap();
    let head = [&length.to_be_bytes()[..], b"ftyp", brand, &[0; 4]].concat();
    // What follows says nothing about what it is, whatever it says.
    [head, others, b"\0\0\0\x22metaheicavif".to_vec()].concat()
}

#[test]
fn pictures_of_telephones_are_refused_by_name() {
    for (bytes, rejection) in [
        // As an iPhone begins them, and as ffmpeg does.
        (
            container(b"heic", &[b"mif1", b"MiHE", b"miaf", b"MiHB", b"heic"]),
            Rejection::Heic,
        ),
        (
            container(b"mif1", &[b"mif1", b"heic", b"miaf"]),
            Rejection::Heic,
        ),
        (container(b"heix", &[b"mif1", b"heix"]), Rejection::Heic),
        (container(b"hevc", &[b"msf1"]), Rejection::Heic),
        (container(b"mif1", &[]), Rejection::Heic),
        // As libavif begins them; a sequence; and one that says first that it is some picture.
        (
            container(b"avif", &[b"avif", b"mif1", b"miaf", b"MA1B"]),
            Rejection::Avif,
        ),
        (
            container(b"avis", &[b"avis", b"msf1", b"avif"]),
            Rejection::Avif,
        ),
        (container(b"mif1", &[b"miaf", b"avif"]), Rejection::Avif),
        // Films and sounds are in this container, too.
        (
            container(b"isom", &[b"iso2", b"avc1", b"mp41"]),
            Rejection::UnsupportedType,
        ),
        (container(b"M4A ", &[]), Rejection::UnsupportedType),
        (b"\0\0\0\x08ftyp".to_vec(), Rejection::UnsupportedType),
        (b"\0\0\0\0ftypheic".to_vec(), Rejection::UnsupportedType),
        (b"\xff\xff\xff\xffftypheic".to_vec(), Rejection::Heic),
        (b"\0\0\0\x14ftyphe".to_vec(), Rejection::UnsupportedType),
    ] {
        assert_eq!(judged(&bytes), Err(rejection), "{bytes:?}");
        assert_eq!(refusal(&bytes), rejection);
    }
}
