//! Labels on paper: what they say, where they stand, and the file that is printed.
//!
//! Everything on a label is placed in whole micrometres, relative to its upper left corner. A label is composed once, however many
//! copies there are of it.

mod compose;
mod content;
mod paper;
mod symbol;
mod words;

use domain::{
    label::{LabelSheet, Layout},
    locale::Locale,
};
use platform::pdf::{Canvas, Direction, Length, Line, Pdf, PdfError, Typeface};

pub use content::Content;
pub use words::skipped;

use paper::Paper;

/// A label that is ready to be put on paper, as often as there are copies.
#[derive(Debug, Default)]
struct Drawing {
    texts: Vec<Text>,
    /// Rectangles: left, top, width, height.
    dark: Vec<[Length; 4]>,
}

#[derive(Debug)]
struct Text {
    line: Line,
    size: Length,
    left: Length,
    baseline: Length,
}

impl Drawing {
    fn stamp(&self, canvas: &mut Canvas<'_>, (x, y): (Length, Length)) {
        let dark = self.dark.iter();
        canvas.rectangles(
            dark.map(|[left, top, width, height]| [x + left, y + top, *width, *height]),
        );
        for text in &self.texts {
            let start = (x + text.left, y + text.baseline);
            canvas.text(&text.line, text.size, start);
        }
    }
}

/// The labels of a sheet as a PDF file, in order, with the first one where the sheet says. The same labels give the same file; `id` is
/// the document's name for itself.
///
/// # Errors
/// When the file cannot be written.
pub fn pdf(contents: &[Content], sheet: &LabelSheet, id: &str) -> Result<Vec<u8>, PdfError> {
    let direction = direction(sheet.locale);
    let typeface = Typeface::vazirmatn()?;
    let paper = Paper::of(sheet.layout, sheet.template);
    let copies = usize::try_from(sheet.copies).unwrap_or(1);
    let before = usize::try_from(sheet.start_at - 1).unwrap_or(0);
    let mut pdf = Pdf::new(
        words::title(sheet.locale),
        sheet.locale.as_str(),
        direction,
        id,
    );
    let labels = contents
        .iter()
        .flat_map(|content| std::iter::repeat_n(content, copies));
    let mut labels = labels.peekable();
    let mut first = before;
    // One label is composed at a time; its copies follow each other and share it.
    let mut composed: Option<(&Content, Drawing)> = None;
    while labels.peek().is_some() {
        pdf.page(paper.page, |canvas| {
            for place in first..paper.labels() {
                let Some(content) = labels.next() else { break };
                if composed
                    .as_ref()
                    .is_none_or(|(of, _)| !std::ptr::eq(*of, content))
                {
                    let drawing = compose::label(content, sheet, &typeface, paper.label);
                    composed = Some((content, drawing));
                }
                if let Some((_, drawing)) = &composed {
                    drawing.stamp(canvas, paper.corner(place, direction));
                }
            }
        })?;
        first = 0;
    }
    pdf.finish()
}

fn direction(locale: Locale) -> Direction {
    match locale {
        Locale::En => Direction::LeftToRight,
        Locale::Fa => Direction::RightToLeft,
    }
}

/// What people save the file as.
#[must_use]
pub fn file_name(layout: Layout) -> &'static str {
    match layout {
        Layout::A4L7160 => "labels-a4-l7160.pdf",
        Layout::A4L7651 => "labels-a4-l7651.pdf",
        Layout::Letter5160 => "labels-letter-5160.pdf",
        Layout::Roll => "labels-roll.pdf",
    }
}

#[cfg(test)]
mod tests;
