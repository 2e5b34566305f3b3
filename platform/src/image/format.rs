//! The formats we accept, told apart by their first bytes.

use super::Rejection;

/// How many bytes at the beginning of a file tell its format: those of the formats that are refused by name say it in a list of brands.
pub(super) const SIGNATURE_LENGTH: usize = 64;

/// A format in which pictures are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG, baseline or progressive, in colour, gray or CMYK.
    Jpeg,
    /// PNG of any depth and colour type.
    Png,
    /// WebP, lossy or lossless; of an animation the first frame.
    WebP,
    /// GIF; of an animation the first frame.
    Gif,
}

impl Format {
    /// The format whose files begin like `start`.
    ///
    /// # Errors
    /// When we do not accept it; of formats that people have on their telephones with its name.
    pub(super) fn recognise(start: &[u8]) -> Result<Self, Rejection> {
        Self::known(start).ok_or_else(|| refused(start))
    }

    fn known(start: &[u8]) -> Option<Self> {
        match start {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            _ => None,
        }
    }

    /// The format's media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
        }
    }
}

/// HEIC and AVIF are in one kind of container, whose first box names the brand that it is best read as, a version, and other brands.
fn refused(start: &[u8]) -> Rejection {
    let [l1, l2, l3, l4, b'f', b't', b'y', b'p', brands @ ..] = start else {
        return Rejection::UnsupportedType;
    };
    let length = u32::from_be_bytes([*l1, *l2, *l3, *l4]);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (brands, _rest) = brands.split_at(brands.len().min(length.saturating_sub(8)));
    let (brands, _cut) = brands.as_chunks::<4>();
    // The second is the version.
    let says = |known: &[&[u8; 4]]| {
        let mut named = brands.iter().enumerate().filter(|(at, _)| *at != 1);
        named.any(|(_, brand)| known.contains(&brand))
    };
    if says(&[b"avif", b"avis"]) {
        Rejection::Avif
    } else if says(&[
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
    ]) {
        Rejection::Heic
    } else {
        Rejection::UnsupportedType
    }
}

impl From<Format> for image::ImageFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Jpeg => Self::Jpeg,
            Format::Png => Self::Png,
            Format::WebP => Self::WebP,
            Format::Gif => Self::Gif,
        }
    }
}
