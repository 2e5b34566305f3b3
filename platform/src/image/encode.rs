//! From pixels to the files we serve. Only pixels are written, so nothing that the camera noted
//! can survive.

use image::{DynamicImage, Rgb, RgbImage, Rgba, RgbaImage};
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, SamplingFactor};
use webp::{PixelLayout, WebPConfig};

use super::RenderError;

const WEBP_QUALITY: f32 = 80.0;
/// How hard libwebp tries, of 0 to 6. 4, which is what it does by itself, makes the same of photographs, as long and as like, and takes a quarter longer.
const WEBP_METHOD: i32 = 3;
/// The same for pictures of more pixels than [`MANY`]: some 4 % longer, in less than half the time. People look at those one by one.
const WEBP_METHOD_OF_MANY: i32 = 2;
const MANY: u32 = 1_000_000;
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
    let mut config = WebPConfig::new().map_err(|()| internal("libwebp is of another version"))?;
    config.quality = WEBP_QUALITY;
    config.method = if width.saturating_mul(height) > MANY {
        WEBP_METHOD_OF_MANY
    } else {
        WEBP_METHOD
    };
    let encoded = encoder
        .encode_advanced(&config)
        .map_err(|error| internal(format!("{error:?}")))?;
    Ok(encoded.to_vec())
}

fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> RenderError {
    RenderError::Internal(error.into())
}

/// Colours have half as many pixels either way as light has, as in WebP and in what cameras write.
fn jpeg(picture: &DynamicImage) -> Result<Vec<u8>, RenderError> {
    let opaque = match picture {
        DynamicImage::ImageRgba8(picture) => &on_white(picture).into(),
        opaque => opaque,
    };
    let width = u16::try_from(opaque.width()).map_err(internal)?;
    let height = u16::try_from(opaque.height()).map_err(internal)?;
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, JPEG_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder
        .encode(opaque.as_bytes(), width, height, ColorType::Rgb)
        .map_err(internal)?;
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
