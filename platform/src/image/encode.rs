//! From pixels to the files we serve. Only pixels are written, so nothing that the camera noted
//! can survive.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Rgb, RgbImage, Rgba, RgbaImage};

use webp::PixelLayout;

use super::RenderError;

const WEBP_QUALITY: f32 = 80.0;
const JPEG_QUALITY: u8 = 82;

/// A format in which renditions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Lossy WebP of quality 80; keeps transparency.
    WebP,
    /// JPEG of quality 82, for what cannot read WebP; transparent parts become white.
    Jpeg,
}

impl Encoding {
    /// Every encoding, the preferred one first.
    pub const ALL: [Self; 2] = [Self::WebP, Self::Jpeg];

    /// The ending of a blob key with this content.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::WebP => "webp",
            Self::Jpeg => "jpg",
        }
    }

    /// Encodes `picture`, which must be RGB or RGBA of 8 bits.
    pub(super) fn encode(self, picture: &DynamicImage) -> Result<Vec<u8>, RenderError> {
        match self {
            Self::WebP => webp(picture),
            Self::Jpeg => jpeg(picture),
        }
    }
}

fn webp(picture: &DynamicImage) -> Result<Vec<u8>, RenderError> {
    let transparent = picture.color().has_alpha();
    let layout = if transparent {
        PixelLayout::Rgba
    } else {
        PixelLayout::Rgb
    };
    let (width, height) = (picture.width(), picture.height());
    let encoder = webp::Encoder::new(picture.as_bytes(), layout, width, height);
    let encoded = encoder
        .encode_simple(false, WEBP_QUALITY)
        .map_err(|error| RenderError::Internal(format!("{error:?}").into()))?;
    Ok(encoded.to_vec())
}

fn jpeg(picture: &DynamicImage) -> Result<Vec<u8>, RenderError> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    let written = match picture {
        DynamicImage::ImageRgba8(picture) => on_white(picture).write_with_encoder(encoder),
        opaque => opaque.write_with_encoder(encoder),
    };
    written.map_err(|error| RenderError::Internal(Box::new(error)))?;
    Ok(bytes)
}

pub(super) fn on_white(picture: &RgbaImage) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = *picture.get_pixel(x, y);
        Rgb([red, green, blue].map(|channel| over_white(channel, alpha)))
    })
}

fn over_white(channel: u8, alpha: u8) -> u8 {
    let (channel, alpha) = (u16::from(channel), u16::from(alpha));
    let mixed = (channel * alpha + 255 * (255 - alpha) + 127) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}
