//! Why a picture is not taken, in terms that can be told to the person who sent it.

/// A reason to refuse a picture for good: the same file will be refused again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The file is longer than allowed.
    #[error("the image file is larger than {limit} bytes")]
    TooLarge {
        /// The longest file that is taken, in bytes.
        limit: u64,
    },
    /// The content is not one of the accepted formats, whatever the file is called.
    #[error("the file is not a JPEG, PNG, WebP or GIF image")]
    UnsupportedType,
    /// It is a picture as iPhones take them unless told otherwise.
    #[error("the file is a HEIC image")]
    Heic,
    /// It is a picture as some browsers and telephones save them.
    #[error("the file is an AVIF image")]
    Avif,
    /// The picture has too many pixels.
    #[error(
        "the image is {width} x {height} pixels; at most {max_side} a side and {max_pixels} in all are taken"
    )]
    DimensionsTooLarge {
        /// The picture's width in pixels.
        width: u32,
        /// The picture's height in pixels.
        height: u32,
        /// The longest side that is taken, in pixels.
        max_side: u32,
        /// The largest area that is taken, in pixels.
        max_pixels: u64,
    },
    /// The file is damaged, cut short, or uses a rare feature that is not supported.
    #[error("the image is damaged or incomplete")]
    Unreadable,
}

impl Rejection {
    /// The rejection for a decoder's complaint; the complaint itself only interests developers.
    pub(super) fn unreadable(error: impl std::fmt::Display) -> Self {
        tracing::debug!(%error, "an image could not be decoded");
        Self::Unreadable
    }
}
