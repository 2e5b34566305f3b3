//! What is shown of a picture until it is there: a blur of some twenty bytes, and one colour.

use color_thief::{ColorFormat, get_palette};
use image::DynamicImage;

use super::{RenderError, scale::shrink};

/// The longer side of what a `ThumbHash` is made of, in pixels: more than it can be, and more than it needs.
const SIDE: u32 = 100;
/// How many colours the palette has of which the first is the dominant one.
const PALETTE: u8 = 5;

/// Stands for a picture that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// The picture blurred, as a [ThumbHash](https://evanw.github.io/thumbhash/): at most 25 bytes.
    pub thumb_hash: Vec<u8>,
    /// The colour of which there is most, but white: red, green, blue in sRGB. The mean one when everything is white.
    pub dominant_color: [u8; 3],
}

/// Of a picture in RGB or RGBA of 8 bits.
pub(super) fn placeholder(picture: DynamicImage) -> Result<Placeholder, RenderError> {
    let small = shrink(picture, SIDE)?.into_rgba8();
    let (width, height) = (small.width() as usize, small.height() as usize);
    let thumb_hash = thumbhash::rgba_to_thumb_hash(width, height, small.as_raw());
    let palette = get_palette(small.as_raw(), ColorFormat::Rgba, 1, PALETTE);
    let first = palette.ok().and_then(|colors| colors.first().copied());
    let dominant_color = match first {
        Some(color) => [color.r, color.g, color.b],
        None => mean(&small),
    };
    Ok(Placeholder {
        thumb_hash,
        dominant_color,
    })
}

/// Each channel's mean, rounded down.
fn mean(picture: &image::RgbaImage) -> [u8; 3] {
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    let mut sums = [0_u64; 3];
    for pixel in picture.pixels() {
        for (sum, channel) in sums.iter_mut().zip(pixel.0) {
            *sum += u64::from(channel);
        }
    }
    sums.map(|sum| u8::try_from(sum / pixels.max(1)).unwrap_or(u8::MAX))
}
