//! What is shown before a picture is there.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::{encoded, rendered, scene};
use crate::image::Placeholder;

fn placeholder(picture: impl Into<DynamicImage>) -> Placeholder {
    rendered(&encoded(picture, ImageFormat::Png)).placeholder
}

#[track_caller]
fn assert_near(found: [u8; 3], expected: [u8; 3]) {
    let near = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 8);
    assert!(near, "{found:?}, not {expected:?}");
}

#[test]
fn the_hash_is_short_and_a_picture_like_it() {
    let hash = placeholder(scene(1200, 800)).thumb_hash;
    assert!(hash.len() <= 25, "{}", hash.len());
    let (width, height, pixels) = thumbhash::thumb_hash_to_rgba(&hash).unwrap();
    assert_eq!(width.max(height), 32);
    assert!(width > height);
    // The scene is dark in its upper left and red in its upper right corner.
    assert!(pixels[0] < 90, "{:?}", &pixels[..4]);
    assert!(pixels[(width - 1) * 4] > 150);
}

#[test]
fn the_dominant_colour_is_that_of_the_thing_and_not_of_what_it_lies_on() {
    let ring = |x: u32, y: u32| {
        if (200..400).contains(&x) && (200..400).contains(&y) {
            Rgb([212, 175, 55])
        } else {
            Rgb([255, 255, 255])
        }
    };
    let gold = RgbImage::from_fn(600, 600, ring);
    assert_near(placeholder(gold).dominant_color, [212, 175, 55]);
}

#[test]
fn the_plainest_pictures_have_one_too() {
    for color in [[255, 255, 255], [0, 0, 0], [12, 200, 90]] {
        for side in [1, 2, 400] {
            let plain = RgbImage::from_pixel(side, side, Rgb(color));
            assert_near(placeholder(plain).dominant_color, color);
        }
    }
    let nothing = RgbaImage::from_pixel(40, 40, Rgba([0, 0, 0, 0]));
    assert!(!placeholder(nothing).thumb_hash.is_empty());
}
