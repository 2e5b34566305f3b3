//! How large a picture may be.

use super::Rejection;

/// The bounds that a picture must keep, as a file and as pixels.
///
/// They bound memory too. Rendering holds the file and, at the worst moment, 12 bytes for each pixel:
/// a picture of 16 bits in four channels beside its reduction to 8 bits, or the coefficients of a
/// progressive JPEG beside its pixels. An ordinary photograph takes 3 bytes for each pixel. With the
/// default of 50 million pixels that is 150 MB for a photograph and 625 MB for the worst file that
/// can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest file, in bytes.
    pub max_bytes: u64,
    /// The longest side, in pixels.
    pub max_side: u32,
    /// The largest area, in pixels.
    pub max_pixels: u64,
}

impl Default for Limits {
    /// 25 MiB, 16,000 pixels a side, 50 million pixels in all.
    fn default() -> Self {
        Self {
            max_bytes: 25 * 1024 * 1024,
            max_side: 16_000,
            max_pixels: 50_000_000,
        }
    }
}

/// The most bytes a decoded pixel takes: four channels of 16 bits.
const MAX_PIXEL_BYTES: u64 = 8;

impl Limits {
    pub(super) fn check_bytes(&self, bytes: u64) -> Result<(), Rejection> {
        if bytes > self.max_bytes {
            let limit = self.max_bytes;
            return Err(Rejection::TooLarge { limit });
        }
        Ok(())
    }

    pub(super) fn check_dimensions(&self, width: u32, height: u32) -> Result<(), Rejection> {
        if width == 0 || height == 0 {
            return Err(Rejection::Unreadable);
        }
        let area = u64::from(width) * u64::from(height);
        if width.max(height) > self.max_side || area > self.max_pixels {
            return Err(Rejection::DimensionsTooLarge {
                width,
                height,
                max_side: self.max_side,
                max_pixels: self.max_pixels,
            });
        }
        Ok(())
    }

    /// The same bounds in the decoders' terms. A decoder may allocate what the largest picture
    /// takes decoded, and as much again for its own work.
    pub(super) fn for_decoder(&self) -> image::Limits {
        let mut limits = image::Limits::default();
        limits.max_image_width = Some(self.max_side);
        limits.max_image_height = Some(self.max_side);
        limits.max_alloc = Some(self.max_pixels.saturating_mul(2 * MAX_PIXEL_BYTES));
        limits
    }
}
