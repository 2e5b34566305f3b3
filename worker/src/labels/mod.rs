//! Labels on paper: what they say, where they stand, and the file that is printed.
//!
//! Everything on a label is placed in whole micrometres, relative to its upper left corner. A label is composed once, however many
//! copies there are of it.

mod compose;
mod content;
mod notes;
mod symbol;
mod words;

use std::rc::Rc;

use domain::{
    label::{Grid, LabelOptions, Layout},
    locale::Locale,
};
use platform::pdf::{Canvas, Direction, Length, Line, Pdf, PdfError, Typeface};

pub use content::Content;
pub use notes::{Note, notes};

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

/// Puts labels on pages, one after the other, the first one where it was asked for. The same labels give the same file.
pub struct Press {
    options: LabelOptions,
    grid: Grid,
    typeface: Typeface,
    pdf: Pdf,
    /// Labels that wait for their page to be full.
    waiting: Vec<Rc<Drawing>>,
    /// Places that are gone already on that page.
    gone: i32,
}

impl Press {
    /// Begins a file; `id` is its name for itself.
    ///
    /// # Errors
    /// When the typeface cannot be read.
    pub fn new(options: LabelOptions, id: &str) -> Result<Self, PdfError> {
        let locale = options.locale;
        let title = words::title(locale);
        Ok(Self {
            grid: options.layout.grid(options.kind),
            typeface: Typeface::vazirmatn()?,
            pdf: Pdf::new(title, locale.as_str(), direction(locale), id),
            waiting: Vec::new(),
            gone: options.start_at - 1,
            options,
        })
    }

    /// Adds a label, with its copies.
    ///
    /// # Errors
    /// When a page cannot be made.
    pub fn add(&mut self, content: &Content) -> Result<(), PdfError> {
        let drawing = compose::label(content, &self.options, &self.typeface, self.grid.label);
        let drawing = Rc::new(drawing);
        for _ in 0..self.options.copies {
            self.waiting.push(Rc::clone(&drawing));
            let count = i32::try_from(self.waiting.len()).unwrap_or(i32::MAX);
            if count.saturating_add(self.gone) >= self.grid.labels() {
                self.end_page()?;
            }
        }
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), PdfError> {
        let from_the_right = direction(self.options.locale) == Direction::RightToLeft;
        let labels = std::mem::take(&mut self.waiting);
        let first = std::mem::take(&mut self.gone);
        let grid = self.grid;
        self.pdf.page(grid.page, |canvas| {
            for (drawing, place) in labels.iter().zip(first..) {
                drawing.stamp(canvas, grid.corner(place, from_the_right));
            }
        })
    }

    /// The file; none when there is no label in it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<Option<Vec<u8>>, PdfError> {
        if !self.waiting.is_empty() {
            self.end_page()?;
        }
        if self.pdf.pages() == 0 {
            return Ok(None);
        }
        self.pdf.finish().map(Some)
    }
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
        Layout::A4L4731 => "labels-a4-l4731.pdf",
        Layout::A4L7160 => "labels-a4-l7160.pdf",
        Layout::A4L7163 => "labels-a4-l7163.pdf",
        Layout::A4L7651 => "labels-a4-l7651.pdf",
        Layout::Letter5160 => "labels-letter-5160.pdf",
        Layout::Letter5163 => "labels-letter-5163.pdf",
        Layout::Roll => "labels-roll.pdf",
    }
}

#[cfg(test)]
mod tests;
