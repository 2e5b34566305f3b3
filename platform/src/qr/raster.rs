//! Codes as PNG. A row of modules is painted once and then copied, and each row is written as what differs from the one above it: nothing,
//! for most of them. So neither painting nor packing takes as long as finding out what the code looks like.

use image::RgbImage;
use png::{BitDepth, ColorType, Compression, Encoder, Filter};

use super::{Hole, Logo, QUIET_ZONE, Qr, QrError};

/// Where modules are on the picture, in pixels.
struct Frame {
    /// Of the whole picture, a side.
    pixels: u32,
    /// Of a module, a side.
    module: u32,
    /// The left edge of the first module, and its upper one.
    start: u32,
}

pub(super) fn png(qr: &Qr, least: u32, pixels: u32) -> Result<Vec<u8>, QrError> {
    let module = pixels / least;
    let start = (pixels - module * least) / 2 + QUIET_ZONE * module;
    let frame = Frame {
        pixels,
        module,
        start,
    };
    match &qr.middle {
        None => bilevel(qr, &frame),
        Some((hole, logo)) => with_logo(qr, &frame, *hole, logo),
    }
}

/// One bit a pixel.
fn bilevel(qr: &Qr, frame: &Frame) -> Result<Vec<u8>, QrError> {
    let stride = size(frame.pixels.div_ceil(8))?;
    let data = painted(qr, frame, stride, |line, pixel| {
        line[pixel / 8] &= !(0x80 >> (pixel % 8));
    })?;
    let kind = (ColorType::Grayscale, BitDepth::One);
    written(frame.pixels, kind, Compression::Fastest, &data)
}

/// Three bytes a pixel.
fn with_logo(qr: &Qr, frame: &Frame, hole: Hole, logo: &Logo) -> Result<Vec<u8>, QrError> {
    let stride = size(frame.pixels)? * 3;
    let data = painted(qr, frame, stride, |line, pixel| {
        line[pixel * 3..pixel * 3 + 3].fill(0);
    })?;
    let picture = RgbImage::from_raw(frame.pixels, frame.pixels, data);
    let mut picture = picture.ok_or(QrError::Encoding)?;
    let (first, side) = (module_count(hole.first)?, module_count(hole.side)?);
    let place = i64::from(frame.start + first * frame.module + frame.module / 2);
    let middle = logo.scaled((side - 1) * frame.module);
    image::imageops::replace(&mut picture, &middle, place, place);
    colour(frame.pixels, picture.as_raw())
}

/// A square PNG of these pixels: red, green, blue.
pub(super) fn colour(side: u32, pixels: &[u8]) -> Result<Vec<u8>, QrError> {
    let kind = (ColorType::Rgb, BitDepth::Eight);
    written(side, kind, Compression::Fast, pixels)
}

/// Rows of so many bytes, white where `darken` has not been: it gets a row and a pixel in it.
fn painted(
    qr: &Qr,
    frame: &Frame,
    stride: usize,
    darken: impl Fn(&mut [u8], usize),
) -> Result<Vec<u8>, QrError> {
    let (pixels, module, start) = (size(frame.pixels)?, size(frame.module)?, size(frame.start)?);
    let mut data = vec![u8::MAX; stride * pixels];
    let (_, below) = data.split_at_mut(start * stride);
    let mut line = vec![u8::MAX; stride];
    for (modules, group) in qr.rows().zip(below.chunks_mut(stride * module)) {
        line.fill(u8::MAX);
        for (index, _) in modules.iter().enumerate().filter(|(_, dark)| **dark) {
            let left = start + index * module;
            (left..left + module).for_each(|pixel| darken(&mut line, pixel));
        }
        group
            .chunks_mut(stride)
            .for_each(|row| row.copy_from_slice(&line));
    }
    Ok(data)
}

fn written(
    side: u32,
    (color, depth): (ColorType, BitDepth),
    compression: Compression,
    data: &[u8],
) -> Result<Vec<u8>, QrError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, side, side);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(compression);
    encoder.set_filter(Filter::Up);
    let mut writer = encoder.write_header().or(Err(QrError::Encoding))?;
    writer.write_image_data(data).or(Err(QrError::Encoding))?;
    writer.finish().or(Err(QrError::Encoding))?;
    Ok(bytes)
}

fn size(count: u32) -> Result<usize, QrError> {
    usize::try_from(count).or(Err(QrError::Encoding))
}

fn module_count(count: usize) -> Result<u32, QrError> {
    u32::try_from(count).or(Err(QrError::Encoding))
}
