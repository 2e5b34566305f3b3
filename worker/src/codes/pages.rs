//! Codes on pages of A4, twenty on each, with what people call each thing below its code.

use platform::{
    barcode::bars,
    pdf::{Canvas, Direction, Length, Line, Pdf, PdfError, Picture, Typeface},
    qr::{Logo, QUIET_ZONE, Qr},
};

/// Width and height of a page.
const PAGE: (Length, Length) = (210_000, 297_000);
/// Codes beside each other, and under each other.
const COLUMNS: Length = 4;
const ROWS: Length = 5;
/// How much of a page each has.
const CELL: (Length, Length) = (47_500, 55_000);
/// Left and upper edge of the first.
const FIRST: (Length, Length) = (10_000, 11_000);
/// The widest that a code gets, its light margin included.
const CODE: Length = 44_000;
/// Height of the letters, and the least to which they shrink.
const LETTERS: Length = 3_500;
const LETTERS_MIN: Length = 1_800;
/// From the upper edge of a cell to the line that its letters stand on.
const BASELINE: Length = 49_000;

/// A document in the making.
pub(super) struct Pages {
    pdf: Pdf,
    typeface: Typeface,
    logo: Option<Picture>,
    waiting: Vec<Drawing>,
}

/// A code with what is below it, from the upper left corner of its cell.
struct Drawing {
    /// Rectangles: left, top, width, height.
    dark: Vec<[Length; 4]>,
    /// Left, top and side of the picture.
    middle: Option<[Length; 3]>,
    title: Line,
    size: Length,
}

impl Pages {
    pub(super) fn new(logo: Option<&Logo>, id: &str) -> Result<Self, PdfError> {
        let picture = |logo: &Logo| {
            let (side, pixels) = logo.pixels();
            Picture::square(side, pixels)
        };
        Ok(Self {
            pdf: Pdf::new("goldshop", "en", Direction::LeftToRight, id),
            typeface: Typeface::vazirmatn()?,
            logo: logo.map(picture).transpose()?,
            waiting: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, title: &str, code: &Qr) -> Result<(), PdfError> {
        let drawing = drawing(&self.typeface, title, code).ok_or(PdfError::PageSize)?;
        self.waiting.push(drawing);
        if self.waiting.len() >= (COLUMNS * ROWS).unsigned_abs() as usize {
            self.end_page()?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, PdfError> {
        if !self.waiting.is_empty() {
            self.end_page()?;
        }
        self.pdf.finish()
    }

    fn end_page(&mut self) -> Result<(), PdfError> {
        let drawings = std::mem::take(&mut self.waiting);
        let logo = self.logo.as_ref();
        self.pdf.page(PAGE, |canvas| {
            for (drawing, place) in drawings.iter().zip(0..) {
                let x = FIRST.0 + CELL.0 * (place % COLUMNS);
                let y = FIRST.1 + CELL.1 * (place / COLUMNS);
                drawing.stamp(canvas, (x, y), logo);
            }
        })
    }
}

impl Drawing {
    fn stamp(&self, canvas: &mut Canvas<'_>, (x, y): (Length, Length), logo: Option<&Picture>) {
        let dark = self.dark.iter();
        canvas.rectangles(
            dark.map(|[left, top, width, height]| [x + left, y + top, *width, *height]),
        );
        if let Some((picture, [left, top, side])) = logo.zip(self.middle) {
            canvas.picture(picture, [x + left, y + top, side]);
        }
        let left = x + (CELL.0 - self.title.width(self.size)) / 2;
        canvas.text(&self.title, self.size, (left, y + BASELINE));
    }
}

/// None when the code has more modules than a length can count.
fn drawing(typeface: &Typeface, title: &str, code: &Qr) -> Option<Drawing> {
    let length = |count: usize| Length::try_from(count).ok();
    let quiet = Length::try_from(QUIET_ZONE).ok()?;
    let module = CODE / (length(code.rows().len())? + 2 * quiet);
    // In the middle of its cell, also when modules of whole micrometres leave something over.
    let side = (length(code.rows().len())? + 2 * quiet) * module;
    let left = (CELL.0 - side) / 2;
    let place = |index: usize| Some((length(index)? + quiet) * module);
    let mut dark = Vec::new();
    for (index, row) in code.rows().enumerate() {
        for (start, width) in bars(row) {
            let width = length(width)? * module;
            dark.push([left + place(start)?, place(index)?, width, module]);
        }
    }
    let middle = match code.hole() {
        Some(hole) => {
            let corner = place(hole.first)? + module / 2;
            Some([left + corner, corner, length(hole.side - 1)? * module])
        }
        None => None,
    };
    let (title, size) = fitted(typeface, title);
    Some(Drawing {
        dark,
        middle,
        title,
        size,
    })
}

/// The line in letters as large as they can be; one that is too long is cut at last.
fn fitted(typeface: &Typeface, title: &str) -> (Line, Length) {
    let line = typeface.line(title, Direction::LeftToRight);
    let natural = line.width(LETTERS).max(1);
    let fitting = i64::from(LETTERS) * i64::from(CELL.0) / i64::from(natural);
    let size = Length::try_from(fitting)
        .unwrap_or(LETTERS)
        .clamp(LETTERS_MIN, LETTERS);
    if line.width(size) <= CELL.0 {
        return (line, size);
    }
    let cut = typeface.fitted(title, Direction::LeftToRight, size, CELL.0);
    (cut, size)
}
