//! From the bytes of a file to pixels, within bounds and without forgiving damage.

use std::io::Cursor;
use std::panic::catch_unwind;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageReader, RgbImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Format, Limits, Rejection};

/// The most passes of a progressive JPEG. Encoders make about ten; a hostile file of hundreds of
/// nearly empty ones would keep the processor busy for minutes.
const MAX_SCANS: usize = 30;

/// A picture as it lies in the file, and how it has to be turned to stand upright.
pub(super) struct Decoded {
    pub(super) picture: DynamicImage,
    pub(super) orientation: Orientation,
    /// Its colour profile (ICC), when it has one that is about its pixels as they are decoded.
    pub(super) profile: Option<Vec<u8>>,
}

/// Decodes the picture; of an animation the first frame.
///
/// Decoders see whatever strangers send, and one of them panics on some of it (a narrow progressive
/// CMYK JPEG). Such a picture is as unreadable as any other, and no reason to end the caller's work.
pub(super) fn decode(bytes: &[u8], format: Format, limits: &Limits) -> Result<Decoded, Rejection> {
    catch_unwind(|| match format {
        Format::Jpeg => decode_jpeg(bytes, limits),
        Format::Png | Format::WebP | Format::Gif => decode_other(bytes, format, limits),
    })
    .unwrap_or(Err(Rejection::Unreadable))
}

/// The general reader paints what a damaged JPEG lacks in gray and calls it a success, so the
/// decoder below it is used directly, in its strict mode.
fn decode_jpeg(bytes: &[u8], limits: &Limits) -> Result<Decoded, Rejection> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), jpeg_options(limits));
    decoder.decode_headers().map_err(Rejection::unreadable)?;
    let (width, height) = jpeg_dimensions(&decoder)?;
    limits.check_dimensions(width, height)?;
    let gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let space = if gray {
        ColorSpace::Luma
    } else {
        ColorSpace::RGB
    };
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(space));
    // Four inks become three colours without their profile, which says nothing about these.
    let inks = matches!(
        decoder.input_colorspace(),
        Some(ColorSpace::CMYK | ColorSpace::YCCK)
    );
    let profile = decoder.icc_profile().filter(|_| !inks);
    let pixels = decoder.decode().map_err(Rejection::unreadable)?;
    let picture = if gray {
        GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
    };
    Ok(Decoded {
        picture: picture.ok_or(Rejection::Unreadable)?,
        orientation: jpeg_orientation(&decoder),
        profile,
    })
}

fn jpeg_options(limits: &Limits) -> DecoderOptions {
    let side = usize::try_from(limits.max_side).unwrap_or(usize::MAX);
    DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(side)
        .set_max_height(side)
        .jpeg_set_max_scans(MAX_SCANS)
}

fn jpeg_dimensions(decoder: &JpegDecoder<ZCursor<&[u8]>>) -> Result<(u32, u32), Rejection> {
    let (width, height) = decoder.dimensions().ok_or(Rejection::Unreadable)?;
    let width = u32::try_from(width).map_err(Rejection::unreadable)?;
    let height = u32::try_from(height).map_err(Rejection::unreadable)?;
    Ok((width, height))
}

fn jpeg_orientation(decoder: &JpegDecoder<ZCursor<&[u8]>>) -> Orientation {
    let exif = decoder.exif();
    exif.and_then(|exif| Orientation::from_exif_chunk(exif))
        .unwrap_or(Orientation::NoTransforms)
}

fn decode_other(bytes: &[u8], format: Format, limits: &Limits) -> Result<Decoded, Rejection> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.into());
    reader.limits(limits.for_decoder());
    let mut decoder = reader.into_decoder().map_err(Rejection::unreadable)?;
    let (width, height) = decoder.dimensions();
    limits.check_dimensions(width, height)?;
    // A damaged note about orientation is no reason to refuse the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default();
    let picture = DynamicImage::from_decoder(decoder).map_err(Rejection::unreadable)?;
    Ok(Decoded {
        picture,
        orientation,
        profile,
    })
}
