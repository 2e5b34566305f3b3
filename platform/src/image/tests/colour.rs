//! Profiles: what is shown has the colours that the camera meant.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageEncoder, Luma, Rgb, RgbImage, codecs::png::PngEncoder};
use moxcms::ColorProfile;

use super::{decoded, rendered, rendition};
use crate::image::{Encoding, Rendered, Size};

fn png_with_profile(picture: &DynamicImage, profile: Vec<u8>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(profile).unwrap();
    let (width, height) = (picture.width(), picture.height());
    encoder
        .write_image(picture.as_bytes(), width, height, picture.color().into())
        .unwrap();
    bytes.into_inner()
}

fn jpeg_with_profile(picture: &RgbImage, profile: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 100);
    encoder.add_icc_profile(profile).unwrap();
    let (width, height) = (picture.width(), picture.height());
    let (width, height) = (width.try_into().unwrap(), height.try_into().unwrap());
    let kind = jpeg_encoder::ColorType::Rgb;
    encoder
        .encode(picture.as_raw(), width, height, kind)
        .unwrap();
    bytes
}

#[track_caller]
fn assert_shows(rendered: &Rendered, expected: [u8; 3]) {
    for encoding in Encoding::ALL {
        let shown = decoded(rendition(rendered, Size::Small, encoding)).into_rgb8();
        let found = shown.get_pixel(100, 100).0;
        let near = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 4);
        assert!(near, "{encoding:?}: {found:?}, not {expected:?}");
    }
}

#[test]
fn a_wide_picture_is_converted() {
    // By hand, with the matrix from the primaries of Display P3 to those of sRGB and the transfer function that both share.
    let (meant, shown) = (Rgb([200, 100, 100]), [215, 93, 97]);
    let wide = ColorProfile::new_display_p3().encode().unwrap();
    let picture = RgbImage::from_pixel(400, 400, meant);
    assert_shows(&rendered(&jpeg_with_profile(&picture, &wide)), shown);
    let png = png_with_profile(&picture.clone().into(), wide.clone());
    assert_shows(&rendered(&png), shown);
    let clear = DynamicImage::from(picture).into_rgba8().into();
    assert_shows(&rendered(&png_with_profile(&clear, wide)), shown);
}

#[test]
fn srgb_stays_as_it_is() {
    let srgb = ColorProfile::new_srgb().encode().unwrap();
    let picture = RgbImage::from_pixel(400, 400, Rgb([200, 100, 50]));
    assert_shows(
        &rendered(&jpeg_with_profile(&picture, &srgb)),
        [200, 100, 50],
    );
}

#[test]
fn gray_with_a_profile_of_its_own_is_converted() {
    // Half of the light at a gamma of 1.0 is 188 in sRGB.
    let linear = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let picture = GrayImage::from_pixel(400, 400, Luma([128])).into();
    assert_shows(&rendered(&png_with_profile(&picture, linear)), [188; 3]);
}

#[test]
fn a_profile_that_is_of_no_use_is_left_out() {
    let picture = RgbImage::from_pixel(400, 400, Rgb([200, 100, 50]));
    let wide = ColorProfile::new_display_p3().encode().unwrap();
    let gray = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
    let mut wrong = wide.clone();
    wrong[128..].reverse();
    for profile in [&wide[..200], &gray, &wrong, b"nothing"] {
        let png = png_with_profile(&picture.clone().into(), profile.to_vec());
        assert_shows(&rendered(&png), [200, 100, 50]);
    }
}
