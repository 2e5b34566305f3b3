//! Every kind of file that the four formats allow.

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, GrayImage, ImageFormat, Luma, LumaA, Rgb, Rgba, RgbaImage};

use super::{
    decoded, difference, encoded, jpeg, png_chunk, png_data, png_header, refusal, rendered,
    rendition, scene,
};
use crate::image::{Encoding, Rejection, Size};

/// Renders `bytes` and compares with `expected`, allowing what quality 80 costs.
fn shows(bytes: &[u8], expected: &DynamicImage) {
    let rendered = rendered(bytes);
    for encoding in Encoding::ALL {
        let shown = decoded(rendition(&rendered, Size::Large, encoding));
        let difference = difference(&shown, expected);
        assert!(difference < 500, "{encoding:?}: {difference}");
    }
}

#[test]
fn sixteen_bits_become_eight() {
    let scene = DynamicImage::from(scene(300, 200));
    let depths = [
        scene.to_rgb16().into(),
        scene.to_rgba16().into(),
        DynamicImage::from(scene.to_luma16()),
        scene.to_luma_alpha16().into(),
    ];
    for picture in depths {
        shows(&encoded(picture.clone(), ImageFormat::Png), &picture);
    }
}

#[test]
fn gray_pictures_are_shown_gray() {
    let gray = DynamicImage::from(scene(300, 200)).to_luma8();
    let alpha =
        image::ImageBuffer::from_fn(300, 200, |x, y| LumaA([gray.get_pixel(x, y).0[0], 255]));
    shows(
        &encoded(gray.clone(), ImageFormat::Png),
        &gray.clone().into(),
    );
    shows(
        &encoded(gray.clone(), ImageFormat::Jpeg),
        &gray.clone().into(),
    );
    shows(&encoded(alpha, ImageFormat::Png), &gray.into());
}

#[test]
fn a_palette_and_single_bits_are_understood() {
    let rows: Vec<u8> = (0..64)
        .flat_map(|_| [&[0][..], &[0b1111_0000; 8]].concat())
        .collect();
    let palette = png_chunk(b"PLTE", &[0, 255, 0, 200, 0, 100]);
    let end = png_chunk(b"IEND", &[]);
    let coloured = [
        png_header(64, 64, 1, 3),
        palette,
        png_data(&rows),
        end.clone(),
    ]
    .concat();
    let plain = [png_header(64, 64, 1, 0), png_data(&rows), end].concat();
    let stripe = |x: u32| x % 8 < 4;
    let colour = |x, _| {
        if stripe(x) {
            Rgb([200, 0, 100])
        } else {
            Rgb([0, 255, 0])
        }
    };
    let expected = DynamicImage::from(image::RgbImage::from_fn(64, 64, colour));
    let black = GrayImage::from_fn(64, 64, |x, _| Luma([if stripe(x) { 255 } else { 0 }]));
    // Narrow stripes of strong colours suffer from halved colour resolution, so only WebP's
    // brightness and the picture as a whole are compared.
    let shown = rendered(&coloured);
    let shown = decoded(rendition(&shown, Size::Large, Encoding::Jpeg));
    assert!(
        difference(&shown, &expected) < 2000,
        "{}",
        difference(&shown, &expected)
    );
    shows(&plain, &black.into());
}

#[test]
fn a_progressive_jpeg_is_a_jpeg() {
    shows(&jpeg(300, 200, true), &scene(300, 200).into());
}

#[test]
fn printers_colours_become_screen_colours() {
    let inks: [([u8; 4], [u8; 3]); 4] = [
        ([255, 0, 0, 0], [0, 255, 255]),
        ([0, 255, 255, 0], [255, 0, 0]),
        ([0, 0, 0, 255], [0, 0, 0]),
        ([0, 0, 0, 0], [255, 255, 255]),
    ];
    for kind in [
        jpeg_encoder::ColorType::Cmyk,
        jpeg_encoder::ColorType::CmykAsYcck,
    ] {
        for (ink, colour) in inks {
            let mut bytes = Vec::new();
            let encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
            encoder.encode(&ink.repeat(64 * 64), 64, 64, kind).unwrap();
            shows(
                &bytes,
                &image::RgbImage::from_pixel(64, 64, Rgb(colour)).into(),
            );
        }
    }
}

fn two_frames() -> [RgbaImage; 2] {
    [[200, 30, 30, 255], [30, 30, 200, 255]].map(|c| RgbaImage::from_pixel(64, 48, Rgba(c)))
}

#[test]
fn of_an_animated_gif_the_first_frame_is_shown() {
    let mut bytes = Vec::new();
    GifEncoder::new(&mut bytes)
        .encode_frames(two_frames().map(Frame::new))
        .unwrap();
    shows(&bytes, &two_frames()[0].clone().into());
}

#[test]
fn of_an_animated_webp_the_first_frame_is_shown() {
    let frames = two_frames();
    let config = webp::WebPConfig::new().unwrap();
    let mut encoder = webp::AnimEncoder::new(64, 48, &config);
    for (frame, time) in frames.iter().zip([0, 500]) {
        encoder.add_frame(webp::AnimFrame::from_rgba(frame.as_raw(), 64, 48, time));
    }
    shows(&encoder.encode(), &frames[0].clone().into());
}

#[test]
fn a_lossy_and_a_lossless_webp_are_understood() {
    let scene = scene(300, 200);
    let encoder = webp::Encoder::from_rgb(scene.as_raw(), 300, 200);
    shows(&encoder.encode(95.0), &scene.clone().into());
    shows(&encoder.encode_lossless(), &scene.into());
}

#[test]
fn a_gif_keeps_its_transparency() {
    let clear = |x, _| {
        if x < 30 {
            Rgba([0; 4])
        } else {
            Rgba([9, 90, 9, 255])
        }
    };
    let bytes = encoded(RgbaImage::from_fn(64, 48, clear), ImageFormat::Gif);
    let shown = decoded(rendition(&rendered(&bytes), Size::Large, Encoding::WebP)).into_rgba8();
    assert_eq!([10, 50].map(|x| shown.get_pixel(x, 20).0[3]), [0, 255]);
}

#[test]
fn a_jpeg_of_a_kind_nobody_uses_is_refused() {
    let mut photo = jpeg(64, 48, false);
    let frame = photo
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    // Arithmetic coding, lossless coding, and samples of twelve bits.
    for (at, value) in [(frame + 1, 0xc9), (frame + 1, 0xc3), (frame + 4, 12)] {
        let before = std::mem::replace(&mut photo[at], value);
        assert_eq!(refusal(&photo), Rejection::Unreadable);
        photo[at] = before;
    }
}
