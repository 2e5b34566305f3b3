//! What must stay to be seen when a part of a picture is cut off.

use image::DynamicImage;

/// The point of a picture that matters most, from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Focus {
    /// Percent of the width: 0 to 100.
    pub x: u8,
    /// Percent of the height: 0 to 100.
    pub y: u8,
}

impl Default for Focus {
    /// The middle.
    fn default() -> Self {
        Self { x: 50, y: 50 }
    }
}

/// The largest square of the picture that has the focus as near to its middle as can be.
pub(super) fn square(picture: &DynamicImage, focus: Focus) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    let (left, top) = (begin(width, side, focus.x), begin(height, side, focus.y));
    picture.crop_imm(left, top, side, side)
}

/// Where a part of this length begins, so that the focus is in its middle, or as near as the edges allow.
fn begin(length: u32, part: u32, percent: u8) -> u32 {
    let focus = u64::from(length) * u64::from(percent.min(100)) / 100;
    let begin = focus.saturating_sub(u64::from(part / 2));
    u32::try_from(begin).unwrap_or(u32::MAX).min(length - part)
}

#[cfg(test)]
mod tests {
    use super::begin;

    #[test]
    fn the_focus_is_in_the_middle_unless_an_edge_is_near() {
        for (percent, expected) in [(0, 0), (10, 0), (30, 10), (50, 30), (90, 60), (100, 60)] {
            assert_eq!(begin(100, 40, percent), expected, "{percent}");
        }
        assert_eq!(begin(40, 40, 100), 0);
        assert_eq!(begin(u32::MAX, 1, 100), u32::MAX - 1);
    }
}
