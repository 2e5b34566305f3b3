//! Lines of text in both directions: brought into visual order after the Unicode Bidirectional Algorithm, and shaped run by run, so that
//! Persian letters join. Each run keeps the text that it stands for, and readers of the file can search and copy it.

use krilla::{
    surface::Surface,
    text::{Font, KrillaGlyph},
};
use rustybuzz::{Face, UnicodeBuffer};
use unicode_bidi::{BidiInfo, Level};

use super::{Length, PdfError, glyph, point};

/// Persian and Latin letters. Where it is from: `assets/fonts/README.md`.
static VAZIRMATN: &[u8] = include_bytes!("../../assets/fonts/Vazirmatn-Regular.ttf");

/// What stands for the rest of a text that has no room.
const ELLIPSIS: char = '…';

/// In which direction a line runs as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// As in English.
    LeftToRight,
    /// As in Persian.
    RightToLeft,
}

/// Letters to write with.
pub struct Typeface {
    font: Font,
    face: Face<'static>,
}

/// A line that is ready to be written.
#[derive(Clone, Debug, Default)]
pub struct Line {
    runs: Vec<Run>,
    /// Sum of all advances, in units of which `units_per_em` make the size of the letters.
    width: i64,
    units_per_em: i64,
}

/// Glyphs of one direction, from left to right.
#[derive(Clone, Debug)]
struct Run {
    text: String,
    glyphs: Vec<KrillaGlyph>,
    width: i64,
    font: Font,
}

impl Typeface {
    /// The typeface that is built in: Vazirmatn.
    ///
    /// # Errors
    /// [`PdfError::Typeface`] when it cannot be read.
    pub fn vazirmatn() -> Result<Self, PdfError> {
        let font = Font::new(VAZIRMATN.into(), 0).ok_or(PdfError::Typeface)?;
        let face = Face::from_slice(VAZIRMATN, 0).ok_or(PdfError::Typeface)?;
        Ok(Self { font, face })
    }

    /// Shapes a line. Line breaks in the text become blanks.
    #[must_use]
    pub fn line(&self, text: &str, direction: Direction) -> Line {
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let level = match direction {
            Direction::LeftToRight => Level::ltr(),
            Direction::RightToLeft => Level::rtl(),
        };
        let bidi = BidiInfo::new(&text, Some(level));
        let mut line = Line {
            units_per_em: i64::from(self.face.units_per_em()),
            ..Line::default()
        };
        for paragraph in &bidi.paragraphs {
            let (levels, ranges) = bidi.visual_runs(paragraph, paragraph.range.clone());
            for range in ranges {
                let is_rtl = levels[range.start].is_rtl();
                let run = self.run(&text[range], is_rtl);
                line.width += run.width;
                line.runs.push(run);
            }
        }
        line
    }

    /// Shapes as much of a text as fits into this width, in letters of this size. What had to be left out, an ellipsis stands for.
    #[must_use]
    pub fn fitted(&self, text: &str, direction: Direction, size: Length, width: Length) -> Line {
        let whole = self.line(text, direction);
        if whole.width(size) <= width {
            return whole;
        }
        let ends: Vec<usize> = text.char_indices().map(|(start, _)| start).collect();
        let shortened = |count: usize| {
            let mut kept = text[..ends[count]].trim_end().to_owned();
            kept.push(ELLIPSIS);
            self.line(&kept, direction)
        };
        let (mut fits, mut too_wide) = (0, ends.len());
        while fits + 1 < too_wide {
            let middle = usize::midpoint(fits, too_wide);
            if shortened(middle).width(size) <= width {
                fits = middle;
            } else {
                too_wide = middle;
            }
        }
        shortened(fits)
    }

    /// Breaks a text between words into at most `most` lines of this width; what has no room in the last one is cut.
    #[must_use]
    pub fn wrapped(
        &self,
        text: &str,
        direction: Direction,
        size: Length,
        width: Length,
        most: usize,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut rest: Vec<&str> = text.split_whitespace().collect();
        while !rest.is_empty() && lines.len() < most {
            let is_last = lines.len() + 1 == most;
            let count = if is_last {
                rest.len()
            } else {
                self.words_that_fit(&rest, direction, size, width)
            };
            let line = rest[..count].join(" ");
            lines.push(self.fitted(&line, direction, size, width));
            rest.drain(..count);
        }
        lines
    }

    /// How many of the words go into one line: one at least.
    fn words_that_fit(
        &self,
        words: &[&str],
        direction: Direction,
        size: Length,
        width: Length,
    ) -> usize {
        (2..=words.len())
            .find(|count| self.line(&words[..*count].join(" "), direction).width(size) > width)
            .map_or(words.len(), |too_many| too_many - 1)
    }

    fn run(&self, text: &str, is_rtl: bool) -> Run {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        // The script follows from the letters, the direction from the line.
        buffer.guess_segment_properties();
        buffer.set_direction(if is_rtl {
            rustybuzz::Direction::RightToLeft
        } else {
            rustybuzz::Direction::LeftToRight
        });
        let shaped = rustybuzz::shape(&self.face, &[], buffer);
        let starts: Vec<usize> = shaped
            .glyph_infos()
            .iter()
            .map(|info| info.cluster as usize)
            .collect();
        let ends = cluster_ends(&starts, text.len());
        let per_em = self.face.units_per_em();
        let glyphs = shaped
            .glyph_infos()
            .iter()
            .zip(shaped.glyph_positions())
            .zip(starts.iter().zip(ends))
            .map(|((info, position), (start, end))| {
                KrillaGlyph::new(
                    glyph(info.glyph_id),
                    per_unit(position.x_advance, per_em),
                    per_unit(position.x_offset, per_em),
                    per_unit(position.y_offset, per_em),
                    per_unit(position.y_advance, per_em),
                    *start..end,
                    None,
                )
            })
            .collect();
        let advances = shaped.glyph_positions().iter();
        Run {
            text: text.to_owned(),
            glyphs,
            width: advances.map(|position| i64::from(position.x_advance)).sum(),
            font: self.font.clone(),
        }
    }
}

/// Where the text of each glyph's cluster ends: where the next one in the text begins.
fn cluster_ends(starts: &[usize], length: usize) -> Vec<usize> {
    let mut sorted = starts.to_vec();
    sorted.sort_unstable();
    let end = |start: &usize| {
        let next = sorted.partition_point(|other| other <= start);
        sorted.get(next).copied().unwrap_or(length)
    };
    starts.iter().map(end).collect()
}

impl Line {
    /// How wide it is in letters of this size.
    #[must_use]
    pub fn width(&self, size: Length) -> Length {
        let width = self.width * i64::from(size) / self.units_per_em.max(1);
        Length::try_from(width).unwrap_or(Length::MAX)
    }

    /// Writes it, run by run from the left.
    pub(super) fn draw(&self, surface: &mut Surface<'_>, size: f32, (x, y): (f32, f32)) {
        let mut before = 0;
        for run in &self.runs {
            let start = point((advanced(x, before, self.units_per_em, size), y));
            surface.draw_glyphs(start, &run.glyphs, run.font.clone(), &run.text, size, false);
            before += run.width;
        }
    }
}

/// Font units as a share of the letters' size.
#[expect(
    clippy::float_arithmetic,
    reason = "glyphs are placed in floating point in the file; font units are small whole numbers"
)]
fn per_unit(units: i32, per_em: i32) -> f32 {
    (f64::from(units) / f64::from(per_em.max(1))) as f32
}

/// Where the pen is after so many font units.
#[expect(clippy::float_arithmetic, reason = "as above")]
fn advanced(x: f32, units: i64, per_em: i64, size: f32) -> f32 {
    (f64::from(x) + units as f64 * f64::from(size) / per_em.max(1) as f64) as f32
}

#[cfg(test)]
impl Line {
    /// The glyphs from left to right, and the text of each run.
    pub(super) fn anatomy(&self) -> Vec<(&str, Vec<u32>)> {
        let ids = |run: &Run| {
            let glyphs = run.glyphs.iter();
            glyphs.map(|glyph| glyph.glyph_id.to_u32()).collect()
        };
        let runs = self.runs.iter();
        runs.map(|run| (run.text.as_str(), ids(run))).collect()
    }
}
