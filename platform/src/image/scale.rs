//! Making pictures smaller.

use fast_image_resize::Resizer;
use image::{ColorType, DynamicImage};

use super::RenderError;

/// The picture reduced so that its longer side is at most `longest` pixels; one that is small
/// enough comes back as it is.
pub(super) fn shrink(picture: DynamicImage, longest: u32) -> Result<DynamicImage, RenderError> {
    let (width, height) = (picture.width(), picture.height());
    let side = width.max(height);
    if side <= longest {
        return Ok(picture);
    }
    let (width, height) = (part(width, longest, side), part(height, longest, side));
    let mut smaller = DynamicImage::new(width, height, picture.color());
    // The default filter is Lanczos3, and transparent pixels do not bleed their colour.
    Resizer::new()
        .resize(&picture, &mut smaller, None)
        .map_err(|error| RenderError::Internal(Box::new(error)))?;
    Ok(smaller)
}

/// `length * longest / side`, rounded to the nearest and never nothing.
fn part(length: u32, longest: u32, side: u32) -> u32 {
    let scaled = (u64::from(length) * u64::from(longest) + u64::from(side) / 2) / u64::from(side);
    u32::try_from(scaled).unwrap_or(longest).max(1)
}

/// The picture with 8 bits for each channel, which is what renditions have anyway.
pub(super) fn eight_bits(picture: DynamicImage) -> DynamicImage {
    match picture.color() {
        ColorType::L16 => picture.into_luma8().into(),
        ColorType::La16 => picture.into_luma_alpha8().into(),
        ColorType::Rgb16 => picture.into_rgb8().into(),
        ColorType::Rgba16 => picture.into_rgba8().into(),
        _ => picture,
    }
}

/// The picture in one of the two layouts that our encoders write: RGB, or RGBA if there was a
/// channel for transparency.
pub(super) fn in_colour(picture: DynamicImage) -> DynamicImage {
    match picture.color() {
        ColorType::Rgb8 | ColorType::Rgba8 => picture,
        color if color.has_alpha() => picture.into_rgba8().into(),
        _ => picture.into_rgb8().into(),
    }
}
