//! The picture in the middle of a code.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{Rgb, RgbImage, imageops};

use super::{QrError, raster};
use crate::image::{Limits, RenderError, opaque};

/// Pixels of a side of what is kept of a picture: sharp in the middle of a code that is 3 cm wide, with 400 dots an inch, and small in
/// every drawing that carries it.
const SIDE: u32 = 128;

/// A picture to be put into the middle of codes: small, square, and opaque. What is not square has white beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    square: RgbImage,
    address: String,
}

impl Logo {
    /// How large a picture may be. The worst of these takes 50 MB while it is read.
    pub const LIMITS: Limits = Limits {
        max_bytes: domain::code_batch::LOGO_MAX as u64,
        max_side: 4_000,
        max_pixels: 4_000_000,
    };

    /// Reads a picture of any format that is taken.
    ///
    /// # Errors
    ///
    /// [`RenderError::Rejected`] for what is no picture, damaged or beyond [`Logo::LIMITS`], [`RenderError::Internal`] when the fault is
    /// ours.
    pub fn read(bytes: &[u8]) -> Result<Self, RenderError> {
        let square = squared(&opaque(bytes, &Self::LIMITS, SIDE)?);
        let png = raster::colour(square.width(), square.as_raw());
        let png = png.map_err(|error: QrError| RenderError::Internal(Box::new(error)))?;
        let address = format!("data:image/png;base64,{}", STANDARD.encode(png));
        Ok(Self { square, address })
    }

    /// Pixels of a side, and the pixels row by row: red, green, blue.
    #[must_use]
    pub fn pixels(&self) -> (u32, &[u8]) {
        (self.square.width(), self.square.as_raw())
    }

    /// It as an address that has it inside, for drawings.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// It in exactly so many pixels a side.
    pub(super) fn scaled(&self, side: u32) -> RgbImage {
        imageops::resize(&self.square, side, side, imageops::FilterType::CatmullRom)
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logo")
            .field("side", &self.square.width())
            .finish_non_exhaustive()
    }
}

fn squared(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let side = width.max(height);
    let mut square = RgbImage::from_pixel(side, side, Rgb([u8::MAX; 3]));
    let (left, top) = ((side - width) / 2, (side - height) / 2);
    imageops::replace(&mut square, picture, left.into(), top.into());
    square
}
