//! From text to dark and light modules. `qrcode` does what the standard leaves no choice in; which of the eight masks is best is found out
//! here, by the same rules (ISO/IEC 18004, section 7.8.3) and in a fraction of the time, of which this is otherwise by far the most.

use qrcode::{
    Color, EcLevel,
    bits::encode_auto,
    canvas::{Canvas, MaskPattern},
    ec::construct_codewords,
    types::QrError,
};

/// All masks, in the standard's order: of two that are as good the first is taken.
const MASKS: [MaskPattern; 8] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];

/// Modules beside each other that may be mistaken for a corner's pattern: `#.###.#`, with four light ones in front or behind.
const FINDER: u32 = 0b101_1101;
const FINDER_LENGTH: u32 = 7;
const LIGHT_LENGTH: u32 = 4;
const FINDER_PENALTY: u32 = 40;
/// Modules of one colour in a row that are too many.
const RUN: u32 = 5;
const BLOCK_PENALTY: u32 = 3;

/// How many modules a row has, and all of them row by row, dark where they are true.
pub(super) fn modules(content: &str, level: EcLevel) -> Result<(usize, Vec<bool>), QrError> {
    let bits = encode_auto(content.as_bytes(), level)?;
    let version = bits.version();
    let (data, correction) = construct_codewords(&bits.into_bytes(), version, level)?;
    let mut canvas = Canvas::new(version, level);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    let masked = MASKS.iter().map(|mask| masked(&canvas, *mask));
    let width = usize::from(version.width().unsigned_abs());
    let best = masked.min_by_key(|dark| penalty(dark, width));
    Ok((width, best.unwrap_or_default()))
}

fn masked(canvas: &Canvas, mask: MaskPattern) -> Vec<bool> {
    let mut canvas = canvas.clone();
    canvas.apply_mask(mask);
    let colors = canvas.into_colors().into_iter();
    colors.map(|color| color == Color::Dark).collect()
}

/// How hard to read these modules are.
fn penalty(dark: &[bool], width: usize) -> u32 {
    let rows = dark.chunks(width);
    let across: u32 = rows.map(|row| line_penalty(row.iter().copied())).sum();
    let column = |x: usize| dark.iter().copied().skip(x).step_by(width);
    let down: u32 = (0..width).map(|x| line_penalty(column(x))).sum();
    across + down + block_penalty(dark, width) + balance_penalty(dark)
}

/// For runs of one colour, and for what looks like a corner, in a row or a column. Around the code it is light.
fn line_penalty(line: impl Iterator<Item = bool>) -> u32 {
    let (mut score, mut run, mut last) = (0, 0, None);
    let mut window = 0;
    for dark in line {
        if last == Some(dark) {
            run += 1;
        } else {
            score += run_penalty(run);
            (run, last) = (1, Some(dark));
        }
        window = (window << 1) | u32::from(dark);
        score += finder_penalty(window);
    }
    for _ in 0..LIGHT_LENGTH {
        window <<= 1;
        score += finder_penalty(window);
    }
    score + run_penalty(run)
}

fn run_penalty(run: u32) -> u32 {
    if run >= RUN { run - 2 } else { 0 }
}

/// When what was seen up to four modules ago looks like a corner.
fn finder_penalty(window: u32) -> u32 {
    let (light, behind) = ((1 << LIGHT_LENGTH) - 1, window >> LIGHT_LENGTH);
    let is_finder = behind & ((1 << FINDER_LENGTH) - 1) == FINDER;
    let is_free = window & light == 0 || (behind >> FINDER_LENGTH) & light == 0;
    if is_finder && is_free {
        FINDER_PENALTY
    } else {
        0
    }
}

/// For four modules of one colour in a square.
fn block_penalty(dark: &[bool], width: usize) -> u32 {
    let below = dark.get(width..).unwrap_or_default();
    let rows = dark.chunks(width).zip(below.chunks(width));
    let blocks = rows.map(|(upper, lower)| {
        let pairs = upper.windows(2).zip(lower.windows(2));
        let is_block = |(upper, lower): &(&[bool], &[bool])| upper[0] == upper[1] && upper == lower;
        pairs.filter(is_block).map(|_| BLOCK_PENALTY).sum::<u32>()
    });
    blocks.sum()
}

/// For more of one colour than of the other.
fn balance_penalty(dark: &[bool]) -> u32 {
    let count = dark.iter().filter(|dark| **dark).count();
    let percent = count * 200 / dark.len().max(1);
    u32::try_from(percent.abs_diff(100)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use qrcode::QrCode;

    use super::*;

    #[test]
    fn the_mask_is_the_one_that_the_standard_wants() {
        let long = "Gold 750, 4.25 g; ".repeat(30);
        for length in [1, 2, 7, 20, 41, 63, 64, 99, 150, 333, 540] {
            let upper = long.to_uppercase();
            let digits = "1234567890".repeat(54);
            for content in [&long[..length], &upper[..length], &digits[..length]] {
                for level in [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H] {
                    let other = QrCode::with_error_correction_level(content, level).unwrap();
                    let other: Vec<_> = other.to_colors();
                    let (width, ours) = modules(content, level).unwrap();
                    assert_eq!(width * width, other.len());
                    let same = ours.iter().zip(&other);
                    let differing = same.filter(|(dark, color)| **dark != (**color == Color::Dark));
                    assert_eq!(differing.count(), 0, "{content}, {level:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_hard_to_read_is_counted() {
        let line = |text: &str| line_penalty(text.chars().map(|c| c == '#'));
        assert_eq!(line(".#.#.#"), 0);
        assert_eq!(line("#####.###.."), 3);
        assert_eq!(line("#......"), 4);
        // Beside the edge it is light; between dark modules it is none.
        assert_eq!(line("#.###.#"), 40);
        assert_eq!(line("##.#.###.#.##"), 0);
        assert_eq!(line("##.#.###.#....##"), 40);
        let block = [true, true, true, true, true, true, false, true, false];
        assert_eq!(block_penalty(&block, 3), 6);
    }
}
