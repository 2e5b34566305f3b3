//! One uploaded picture in, all its renditions out.

use std::cmp::Reverse;
use std::fmt;

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use super::colour::in_srgb;
use super::decode::{Decoded, decode};
use super::encode::on_white;
use super::focus::{Focus, square};
use super::placeholder::{Placeholder, placeholder};
use super::scale::{eight_bits, in_colour, shrink};
use super::{Encoding, Format, Limits, Rejection, Size, inspect};

/// A picture in one size and one encoding.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendition {
    /// The size it was made for.
    pub size: Size,
    /// How `bytes` are encoded.
    pub encoding: Encoding,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// The whole file.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendition")
            .field("size", &self.size)
            .field("encoding", &self.encoding)
            .field("width", &self.width)
            .field("height", &self.height)
            .field("length", &self.bytes.len())
            .finish()
    }
}

/// Everything made from one picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The format of the picture that came in.
    pub format: Format,
    /// The width of that picture when it stands upright, in pixels.
    pub width: u32,
    /// The height of that picture when it stands upright, in pixels.
    pub height: u32,
    /// Every size asked for in every encoding, largest size first, the square last.
    pub renditions: Vec<Rendition>,
    /// What is shown until one of them is there.
    pub placeholder: Placeholder,
}

/// Why a picture was not rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The picture is refused; trying again will not help.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A good picture could not be scaled or encoded, for instance for want of memory.
    #[error("the image could not be rendered: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Decodes a picture in full, turns it upright, and writes each of `sizes` as WebP and as JPEG, in sRGB. What is cut out is cut out
/// around `focus`. Renditions are never larger than the picture and hold no metadata.
///
/// See [`Limits`] for the memory this takes.
///
/// # Errors
///
/// [`RenderError::Rejected`] for a picture that is damaged or beyond `limits`,
/// [`RenderError::Internal`] when the fault is ours.
pub fn render(
    bytes: &[u8],
    limits: &Limits,
    sizes: &[Size],
    focus: Focus,
) -> Result<Rendered, RenderError> {
    let format = inspect(bytes, limits)?.format;
    let decoded = decode(bytes, format, limits)?;
    let (width, height) = upright_dimensions(&decoded);
    let (renditions, placeholder) = renditions(decoded, &largest_first(sizes), focus)?;
    Ok(Rendered {
        format,
        width,
        height,
        renditions,
        placeholder,
    })
}

/// The picture in full, upright, on white where it is transparent, in sRGB, its longer side at most `longest` pixels.
///
/// # Errors
///
/// As [`render`].
pub(crate) fn opaque(bytes: &[u8], limits: &Limits, longest: u32) -> Result<RgbImage, RenderError> {
    let format = inspect(bytes, limits)?.format;
    let decoded = decode(bytes, format, limits)?;
    Ok(match in_colour(upright(decoded, longest)?) {
        DynamicImage::ImageRgba8(picture) => on_white(&picture),
        opaque => opaque.into_rgb8(),
    })
}

fn upright_dimensions(decoded: &Decoded) -> (u32, u32) {
    let (width, height) = (decoded.picture.width(), decoded.picture.height());
    match decoded.orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => (width, height),
    }
}

/// The sizes that show the whole picture first.
fn largest_first(sizes: &[Size]) -> Vec<Size> {
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable_by_key(|size| (*size == Size::Square, Reverse(*size)));
    sizes.dedup();
    sizes
}

/// Makes each size from the one before, which is far quicker than from the original and looks the
/// same; but the square, which shows a part, from the largest. `sizes` are in descending order.
fn renditions(
    decoded: Decoded,
    sizes: &[Size],
    focus: Focus,
) -> Result<(Vec<Rendition>, Placeholder), RenderError> {
    let mut renditions = Vec::with_capacity(sizes.len() * Encoding::ALL.len());
    let with_square = sizes.contains(&Size::Square);
    let largest = match sizes.first() {
        _ if with_square => Size::Large,
        Some(largest) => *largest,
        None => Size::Thumbnail,
    };
    let mut picture = upright(decoded, largest.longest_side())?;
    let side = Size::Square.longest_side();
    let cut = with_square.then(|| shrink(square(&picture, focus), side));
    for size in sizes.iter().filter(|size| **size != Size::Square) {
        picture = shrink(picture, size.longest_side())?;
        add(&mut renditions, &picture, *size)?;
    }
    if let Some(cut) = cut {
        add(&mut renditions, &cut?, Size::Square)?;
    }
    Ok((renditions, placeholder(picture)?))
}

/// Turning the picture after it is reduced costs less time and memory than turning all of it, and so does looking at its colours.
fn upright(decoded: Decoded, longest: u32) -> Result<DynamicImage, RenderError> {
    let reduced = shrink(eight_bits(decoded.picture), longest)?;
    let mut picture = in_srgb(reduced, decoded.profile.as_deref());
    picture.apply_orientation(decoded.orientation);
    Ok(picture)
}

fn add(
    renditions: &mut Vec<Rendition>,
    picture: &DynamicImage,
    size: Size,
) -> Result<(), RenderError> {
    for encoding in Encoding::ALL {
        renditions.push(Rendition {
            size,
            encoding,
            width: picture.width(),
            height: picture.height(),
            bytes: encoding.encode(picture)?,
        });
    }
    Ok(())
}
