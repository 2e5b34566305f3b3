//! What renditions are made and what they look like.

use image::{ImageFormat, Rgba, RgbaImage};

use super::{decoded, difference, encoded, jpeg, rendered, rendition, scene};
use crate::image::{Encoding, Focus, Format, Limits, Size, render};

#[test]
fn every_size_comes_in_every_encoding_largest_first() {
    let rendered = rendered(&jpeg(2000, 1000, false));
    assert_eq!(
        (rendered.format, rendered.width, rendered.height),
        (Format::Jpeg, 2000, 1000)
    );
    let made: Vec<_> = rendered
        .renditions
        .iter()
        .map(|one| (one.width, one.height, one.encoding))
        .collect();
    let expected: Vec<_> = [(1600, 800), (800, 400), (320, 160), (160, 80), (320, 320)]
        .iter()
        .flat_map(|(width, height)| Encoding::ALL.map(|encoding| (*width, *height, encoding)))
        .collect();
    assert_eq!(made, expected);
    rendered
        .renditions
        .iter()
        .for_each(|one| drop(decoded(one)));
}

#[test]
fn a_rendition_shows_the_picture() {
    let rendered = rendered(&encoded(scene(900, 600), ImageFormat::Png));
    let whole = rendered.renditions.iter();
    for one in whole.filter(|one| one.size != Size::Square) {
        let expected = image::imageops::thumbnail(&scene(900, 600), one.width, one.height);
        let difference = difference(&decoded(one), &expected.into());
        assert!(
            difference < 600,
            "{:?} {:?}: {difference}",
            one.size,
            one.encoding
        );
    }
}

#[test]
fn nothing_is_enlarged() {
    let rendered = rendered(&encoded(scene(200, 100), ImageFormat::Png));
    let made: Vec<_> = rendered
        .renditions
        .iter()
        .map(|one| (one.width, one.height))
        .collect();
    let expected = [(200, 100), (200, 100), (200, 100), (160, 80), (100, 100)];
    let expected = expected.map(|size| [size, size]);
    assert_eq!(made, expected.concat());
}

#[test]
fn only_the_sizes_asked_for_are_made() {
    let photo = jpeg(900, 900, false);
    let some = [Size::Thumbnail, Size::Medium, Size::Thumbnail];
    let made = render(&photo, &Limits::default(), &some, Focus::default())
        .unwrap()
        .renditions;
    let sizes: Vec<_> = made.iter().map(|one| one.size).collect();
    assert_eq!(
        sizes,
        [Size::Medium, Size::Medium, Size::Thumbnail, Size::Thumbnail]
    );
    assert_eq!(
        render(&photo, &Limits::default(), &[], Focus::default())
            .unwrap()
            .renditions,
        []
    );
}

#[test]
fn the_thinnest_picture_keeps_a_pixel() {
    for (width, height) in [(1, 1), (1, 4000), (4000, 1), (16_000, 2)] {
        let rendered = rendered(&encoded(scene(width, height), ImageFormat::Png));
        assert!(
            rendered
                .renditions
                .iter()
                .all(|one| one.width.min(one.height) >= 1)
        );
        rendered
            .renditions
            .iter()
            .for_each(|one| drop(decoded(one)));
    }
}

#[test]
fn transparency_is_kept_in_webp_and_white_in_jpeg() {
    let left_clear = |x: u32, _: u32| match x {
        0..200 => Rgba([255, 0, 0, 0]),
        200..400 => Rgba([0, 0, 0, 128]),
        _ => Rgba([0, 0, 255, 255]),
    };
    let picture = RgbaImage::from_fn(600, 300, left_clear);
    let rendered = rendered(&encoded(picture, ImageFormat::Png));

    let webp = decoded(rendition(&rendered, Size::Small, Encoding::WebP)).into_rgba8();
    let alpha = [40, 160, 280].map(|x| webp.get_pixel(x, 80).0[3]);
    assert_eq!(alpha, [0, 128, 255]);

    let jpeg = decoded(rendition(&rendered, Size::Small, Encoding::Jpeg)).into_rgb8();
    let expected = [
        (40, [255, 255, 255]),
        (160, [127, 127, 127]),
        (280, [0, 0, 255]),
    ];
    for (x, colour) in expected {
        let found = jpeg.get_pixel(x, 80).0;
        let near = found.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 6);
        assert!(near, "at {x}: {found:?}");
    }
}

#[test]
fn a_hidden_colour_does_not_bleed_into_the_edge() {
    let hidden_red = |x: u32, _: u32| {
        if x.is_multiple_of(2) {
            Rgba([255, 0, 0, 0])
        } else {
            Rgba([0, 0, 255, 255])
        }
    };
    let rendered = rendered(&encoded(
        RgbaImage::from_fn(640, 640, hidden_red),
        ImageFormat::Png,
    ));
    let small = decoded(rendition(&rendered, Size::Small, Encoding::WebP)).into_rgba8();
    let Rgba([red, _, blue, _]) = *small.get_pixel(100, 100);
    assert!(red < 20 && blue > 235, "red {red}, blue {blue}");
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    let photo = jpeg(700, 500, true);
    assert_eq!(rendered(&photo), rendered(&photo));
}
