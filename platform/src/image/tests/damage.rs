//! Damaged files: cut, bent at random, and made to be expensive. None may crash or stall us.

use std::time::{Duration, Instant};

use image::ImageFormat;

use super::{encoded, jpeg, png_chunk, png_data, png_header, refusal, scene};
use crate::image::{Focus, Limits, Rejection, Size, render};

/// Far above what a small picture takes on a busy machine, far below what a person waits for.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn a_photo_cut_short_is_refused() {
    for progressive in [false, true] {
        let whole = jpeg(640, 480, progressive);
        for tenth in 3..10 {
            let cut = &whole[..whole.len() * tenth / 10];
            assert_eq!(refusal(cut), Rejection::Unreadable, "{tenth} tenths");
        }
    }
}

#[test]
fn a_photo_with_a_hole_is_refused() {
    for progressive in [false, true] {
        let mut photo = jpeg(640, 480, progressive);
        let middle = photo.len() / 2;
        // Two hundred bits of ones: no code word consists of ones alone.
        photo.splice(middle..middle + 50, b"\xff\x00".repeat(25));
        assert_eq!(refusal(&photo), Rejection::Unreadable);
    }
}

#[test]
fn a_photo_that_makes_the_decoder_panic_is_refused() {
    let mut photo = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut photo, 80);
    encoder.set_progressive(true);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    let kind = jpeg_encoder::ColorType::Cmyk;
    encoder.encode(&[90; 5 * 8 * 4], 5, 8, kind).unwrap();
    assert_eq!(refusal(&photo), Rejection::Unreadable);
}

#[test]
fn the_smallest_and_narrowest_photos_are_taken() {
    use jpeg_encoder::SamplingFactor::{F_1_1, F_1_2, F_2_1, F_2_2, F_4_1};
    for sampling in [F_1_1, F_1_2, F_2_1, F_2_2, F_4_1] {
        for (width, height) in
            (1..20u16).flat_map(|width| [1, 2, 9, 17].map(|height| (width, height)))
        {
            let mut photo = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut photo, 80);
            encoder.set_progressive(width.is_multiple_of(2));
            encoder.set_sampling_factor(sampling);
            let scene = scene(width.into(), height.into());
            let kind = jpeg_encoder::ColorType::Rgb;
            encoder.encode(scene.as_raw(), width, height, kind).unwrap();
            let made = render(
                &photo,
                &Limits::default(),
                &[Size::Thumbnail],
                Focus::default(),
            );
            assert!(made.is_ok(), "{sampling:?}, {width} x {height}: {made:?}");
        }
    }
}

#[test]
fn other_pictures_cut_short_are_refused() {
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let whole = encoded(scene(300, 200), format);
        for tenth in 3..10 {
            let cut = &whole[..whole.len() * tenth / 10];
            assert_eq!(
                refusal(cut),
                Rejection::Unreadable,
                "{format:?}, {tenth} tenths"
            );
        }
    }
}

#[test]
fn a_png_with_less_data_than_its_header_claims_is_refused() {
    let end = png_chunk(b"IEND", &[]);
    let bytes = [png_header(5_000, 5_000, 16, 6), png_data(&[0; 1000]), end].concat();
    assert_eq!(refusal(&bytes), Rejection::Unreadable);
}

#[test]
fn a_flipped_bit_in_a_png_is_noticed() {
    let whole = encoded(scene(300, 200), ImageFormat::Png);
    let mut bent = whole.clone();
    bent[whole.len() / 2] ^= 1;
    assert_eq!(refusal(&bent), Rejection::Unreadable);
}

#[test]
fn a_progressive_photo_of_endless_passes_is_refused_in_time() {
    let photo = jpeg(4_000, 3_000, true);
    let last = photo
        .windows(2)
        .rposition(|pair| pair == [0xff, 0xda])
        .unwrap();
    let scan = &photo[last..last + 2 + usize::from(photo[last + 3])];
    let passes = [&photo[..last], &scan.repeat(5_000), b"\xff\xd9"].concat();
    let started = Instant::now();
    assert_eq!(refusal(&passes), Rejection::Unreadable);
    assert!(started.elapsed() < PATIENCE * 2, "{:?}", started.elapsed());
}

#[test]
fn random_damage_never_crashes_nor_stalls() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for original in [
        jpeg(96, 64, false),
        jpeg(96, 64, true),
        encoded(scene(96, 64), ImageFormat::Png),
        encoded(scene(96, 64), ImageFormat::WebP),
        encoded(scene(96, 64), ImageFormat::Gif),
    ] {
        for round in 0..200 {
            let bytes = random.damaged(&original);
            let started = Instant::now();
            let outcome = render(
                &bytes,
                &Limits::default(),
                &[Size::Thumbnail],
                Focus::default(),
            );
            let taken = started.elapsed();
            assert!(
                taken < PATIENCE,
                "round {round} took {taken:?}: {:?}",
                outcome.is_ok()
            );
        }
    }
}

/// A small generator of numbers that look random and are the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    /// The bytes with some overwritten, then perhaps some left out, doubled or cut off.
    fn damaged(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len());
            bytes[at] = self.below(256) as u8;
        }
        let (one, other) = (self.below(bytes.len()), self.below(bytes.len()));
        let (from, to) = (one.min(other), one.max(other));
        match self.below(6) {
            0 => drop(bytes.drain(from..to.min(from + 40))),
            1 => bytes.extend_from_within(from..to),
            2 => bytes.truncate(to),
            _ => {}
        }
        bytes
    }
}
