//! Colours as everybody sees them: whatever colour space a picture's profile speaks of, browsers are given sRGB.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::DynamicImage;
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, ParsingOptions, TransformOptions};

/// Largest profile that is looked at, in bytes. Those of cameras and screens have a few kilobytes, those of printers a few megabytes.
const PROFILE_MAX: usize = 4 << 20;

/// The picture of 8 bits in sRGB, as RGB or RGBA. Without a profile it is taken to be sRGB already, and so it is when the profile is
/// damaged or speaks of something else than the picture has: colours that are slightly off are no reason to refuse a picture.
pub(super) fn in_srgb(picture: DynamicImage, profile: Option<&[u8]>) -> DynamicImage {
    // Profiles come from strangers, as pictures do.
    let converted = profile.and_then(|profile| {
        catch_unwind(AssertUnwindSafe(|| converted(&picture, profile)))
            .ok()?
            .inspect_err(|error| tracing::debug!(%error, "a colour profile is of no use"))
            .ok()?
    });
    converted.unwrap_or_else(|| super::scale::in_colour(picture))
}

/// None when the profile is not about such pictures.
fn converted(picture: &DynamicImage, profile: &[u8]) -> Result<Option<DynamicImage>, CmsError> {
    let options = ParsingOptions {
        max_profile_size: PROFILE_MAX,
        ..ParsingOptions::default()
    };
    let profile = ColorProfile::new_from_slice_with_options(profile, options)?;
    let (from, to) = match (picture, profile.color_space) {
        (DynamicImage::ImageRgb8(_), DataColorSpace::Rgb) => (Layout::Rgb, Layout::Rgb),
        (DynamicImage::ImageRgba8(_), DataColorSpace::Rgb) => (Layout::Rgba, Layout::Rgba),
        (DynamicImage::ImageLuma8(_), DataColorSpace::Gray) => (Layout::Gray, Layout::Rgb),
        (DynamicImage::ImageLumaA8(_), DataColorSpace::Gray) => (Layout::GrayAlpha, Layout::Rgba),
        _ => return Ok(None),
    };
    let srgb = ColorProfile::new_srgb();
    let transform = profile.create_transform_8bit(from, &srgb, to, TransformOptions::default())?;
    let mut shown = if to == Layout::Rgba {
        DynamicImage::new_rgba8(picture.width(), picture.height())
    } else {
        DynamicImage::new_rgb8(picture.width(), picture.height())
    };
    let target = match &mut shown {
        DynamicImage::ImageRgba8(pixels) => &mut **pixels,
        DynamicImage::ImageRgb8(pixels) => &mut **pixels,
        _ => return Ok(None),
    };
    transform.transform(picture.as_bytes(), target)?;
    Ok(Some(shown))
}
