//! The square shows what matters.

use image::{ImageFormat, Rgb, RgbImage};

use super::{decoded, encoded, rendition};
use crate::image::{Encoding, Focus, Limits, Size, render};

/// A third each of red, green and blue, from left to right or from top to bottom.
fn flag(upright: bool) -> Vec<u8> {
    let stripe = |along: u32| match along {
        0..600 => Rgb([255, 0, 0]),
        600..1200 => Rgb([0, 255, 0]),
        _ => Rgb([0, 0, 255]),
    };
    let picture = if upright {
        RgbImage::from_fn(600, 1800, |_, y| stripe(y))
    } else {
        RgbImage::from_fn(1800, 600, |x, _| stripe(x))
    };
    encoded(picture, ImageFormat::Png)
}

#[test]
fn a_square_is_cut_out_around_the_focus() {
    for (percent, channel) in [(0, 0), (15, 0), (50, 1), (90, 2), (100, 2)] {
        for (upright, focus) in [
            (true, Focus { x: 50, y: percent }),
            (false, Focus { x: percent, y: 50 }),
        ] {
            let made = render(&flag(upright), &Limits::default(), &Size::ALL, focus).unwrap();
            for encoding in Encoding::ALL {
                let square = decoded(rendition(&made, Size::Square, encoding)).into_rgb8();
                assert_eq!(square.dimensions(), (320, 320));
                for place in [20, 160, 300] {
                    let pixel = square.get_pixel(place, place).0;
                    assert!(pixel[channel] > 200, "{percent} {upright}: {pixel:?}");
                }
            }
            let whole = rendition(&made, Size::Small, Encoding::WebP);
            assert_eq!(whole.width.max(whole.height), 320);
        }
    }
}

#[test]
fn the_square_alone_is_as_sharp() {
    let some = [Size::Square];
    let made = render(&flag(true), &Limits::default(), &some, Focus::default()).unwrap();
    let sides: Vec<_> = made.renditions.iter().map(|one| one.height).collect();
    assert_eq!(sides, [320, 320]);
}
