//! QR codes as SVG for print and as PNG for screens, with error correction level M and the quiet
//! zone of four modules that scanners ask for.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma, imageops};
use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};

/// The most content a code may carry, in bytes: denser codes are hard to scan from a label.
pub const MAX_CONTENT: usize = 1024;
/// The widest PNG that is drawn, in pixels.
pub const MAX_PIXELS: u32 = 4096;

/// The light margin on each side, in modules.
const QUIET_ZONE: u32 = 4;

/// Why a code could not be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// There is nothing to encode.
    #[error("a QR code needs content")]
    Empty,
    /// The content is longer than [`MAX_CONTENT`].
    #[error("a QR code holds at most {MAX_CONTENT} bytes here")]
    TooLong,
    /// The size asked for has no room for the code's modules, or is beyond [`MAX_PIXELS`].
    #[error("a QR code of this content needs between {least} and {MAX_PIXELS} pixels")]
    BadSize {
        /// The fewest pixels this content can be drawn with.
        least: u32,
    },
    /// The picture could not be written.
    #[error("the QR code could not be written")]
    Encoding,
}

/// The code of `content` as an SVG document whose modules are `module` user units wide. It scales
/// to any size, so `module` only sets the natural one.
///
/// # Errors
///
/// [`QrError::Empty`], [`QrError::TooLong`], or [`QrError::BadSize`] when the natural size is not
/// between one unit a module and [`MAX_PIXELS`].
pub fn svg(content: &str, module: u32) -> Result<String, QrError> {
    let code = encode(content)?;
    let least = least_pixels(&code)?;
    if module == 0 || module.saturating_mul(least) > MAX_PIXELS {
        return Err(QrError::BadSize { least });
    }
    let mut drawing = code.render::<Color<'_>>();
    Ok(drawing.module_dimensions(module, module).build())
}

/// The code of `content` as a square grayscale PNG of exactly `pixels` by `pixels`. Modules are whole
/// pixels; what is left over widens the white margin.
///
/// # Errors
///
/// [`QrError::Empty`], [`QrError::TooLong`] or [`QrError::BadSize`].
pub fn png(content: &str, pixels: u32) -> Result<Vec<u8>, QrError> {
    let code = encode(content)?;
    let least = least_pixels(&code)?;
    if !(least..=MAX_PIXELS).contains(&pixels) {
        return Err(QrError::BadSize { least });
    }
    let module = pixels / least;
    let mut drawing = code.render::<Luma<u8>>();
    let drawing = drawing.module_dimensions(module, module).build();
    write_png(&centred(&drawing, pixels))
}

/// The code of `content` as rows of modules, dark where they are true, without the light margin of four modules.
///
/// # Errors
///
/// [`QrError::Empty`] or [`QrError::TooLong`].
pub fn modules(content: &str) -> Result<Vec<Vec<bool>>, QrError> {
    let code = encode(content)?;
    let dark: Vec<bool> = code
        .to_colors()
        .into_iter()
        .map(|color| color == qrcode::Color::Dark)
        .collect();
    Ok(dark.chunks(code.width()).map(<[bool]>::to_vec).collect())
}

fn encode(content: &str) -> Result<QrCode, QrError> {
    match content.len() {
        0 => Err(QrError::Empty),
        1..=MAX_CONTENT => {
            QrCode::with_error_correction_level(content, EcLevel::M).or(Err(QrError::TooLong))
        }
        _ => Err(QrError::TooLong),
    }
}

/// The code's width with its margin, in modules.
fn least_pixels(code: &QrCode) -> Result<u32, QrError> {
    let width = u32::try_from(code.width()).or(Err(QrError::TooLong))?;
    Ok(width + 2 * QUIET_ZONE)
}

fn centred(drawing: &GrayImage, pixels: u32) -> GrayImage {
    let mut canvas = GrayImage::from_pixel(pixels, pixels, Luma([u8::MAX]));
    let margin = i64::from((pixels - drawing.width()) / 2);
    imageops::replace(&mut canvas, drawing, margin, margin);
    canvas
}

fn write_png(picture: &GrayImage) -> Result<Vec<u8>, QrError> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .or(Err(QrError::Encoding))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests;
