//! PDF documents of text, dark rectangles and small pictures, in Persian and English. Lengths are micrometres, counted from a page's upper left corner,
//! so that all that is decided about a page is decided in whole numbers. The same content gives the same bytes.

mod text;

use krilla::{
    Document, SerializeSettings,
    color::luma,
    geom::{PathBuilder, Point, Rect, Size, Transform},
    image::Image,
    metadata::{Metadata, TextDirection},
    num::NormalizedF32,
    page::PageSettings,
    paint::Fill,
    surface::Surface,
    text::GlyphId,
};

pub use text::{Direction, Line, Typeface};

/// A length in micrometres.
pub type Length = i32;

/// Why a document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// The typeface that is built in cannot be read.
    #[error("the typeface cannot be read")]
    Typeface,
    /// A page must have a width and a height.
    #[error("a page of this size cannot be made")]
    PageSize,
    /// A picture has another number of pixels than its square.
    #[error("a picture of this size cannot be put on a page")]
    Picture,
    /// The document could not be written.
    #[error("the document could not be written: {0}")]
    Writing(String),
}

/// A document in the making. It holds all its pages in memory.
pub struct Pdf {
    document: Document,
    pages: usize,
}

impl Pdf {
    /// Begins a document. `id` tells it from others, and is the same for the same document.
    #[must_use]
    pub fn new(title: &str, language: &str, direction: Direction, id: &str) -> Self {
        // No date is written: a document that is made again must be the same.
        let metadata = Metadata::new()
            .title(title.to_owned())
            .language(language.to_owned())
            .creator("goldshop".to_owned())
            .document_id(id.to_owned())
            .text_direction(match direction {
                Direction::LeftToRight => TextDirection::LeftToRight,
                Direction::RightToLeft => TextDirection::RightToLeft,
            });
        let mut document = Document::new_with(SerializeSettings {
            enable_tagging: false,
            ..SerializeSettings::default()
        });
        document.set_metadata(metadata);
        Self { document, pages: 0 }
    }

    /// Adds a page of this width and height, with what `draw` puts on it.
    ///
    /// # Errors
    /// [`PdfError::PageSize`] when one of them is not positive.
    pub fn page(
        &mut self,
        (width, height): (Length, Length),
        draw: impl FnOnce(&mut Canvas<'_>),
    ) -> Result<(), PdfError> {
        let size = PageSettings::from_wh(points(width), points(height));
        let mut page = self
            .document
            .start_page_with(size.ok_or(PdfError::PageSize)?);
        {
            let mut surface = page.surface();
            surface.set_fill(Some(black()));
            draw(&mut Canvas { surface });
        }
        page.finish();
        self.pages += 1;
        Ok(())
    }

    /// How many pages there are so far.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.pages
    }

    /// The document as a file.
    ///
    /// # Errors
    /// [`PdfError::Writing`] when it cannot be written as PDF.
    pub fn finish(self) -> Result<Vec<u8>, PdfError> {
        let written = self.document.finish();
        written.map_err(|error| PdfError::Writing(error.to_string()))
    }
}

/// A picture that can be put on pages; the document has it once, however often that is.
#[derive(Clone, Debug)]
pub struct Picture(Image);

impl Picture {
    /// From pixels of a square with so many of them a side, row by row: red, green, blue.
    ///
    /// # Errors
    /// [`PdfError::Picture`] when there are not as many as the square has.
    pub fn square(side: u32, pixels: &[u8]) -> Result<Self, PdfError> {
        let count = u64::from(side) * u64::from(side) * 3;
        if side == 0 || pixels.len() as u64 != count {
            return Err(PdfError::Picture);
        }
        let opaque = pixels.chunks_exact(3);
        let opaque = opaque.flat_map(|pixel| pixel.iter().copied().chain([u8::MAX]));
        Ok(Self(Image::from_rgba8(opaque.collect(), side, side)))
    }
}

/// A page that is being drawn on, in black.
pub struct Canvas<'a> {
    surface: Surface<'a>,
}

impl Canvas<'_> {
    /// Writes a line in letters of this size, beginning at the left edge `x`, on the base line `y`.
    pub fn text(&mut self, line: &Line, size: Length, (x, y): (Length, Length)) {
        line.draw(&mut self.surface, points(size), (points(x), points(y)));
    }

    /// Puts a picture into a square, given by left and upper edge and the length of a side.
    pub fn picture(&mut self, picture: &Picture, [x, y, side]: [Length; 3]) {
        if let Some(size) = Size::from_wh(points(side), points(side)) {
            let place = Transform::from_translate(points(x), points(y));
            self.surface.push_transform(&place);
            self.surface.draw_image(picture.0.clone(), size);
            self.surface.pop();
        }
    }

    /// Fills rectangles, given by left and upper edge, width and height. Together they are one shape: no hairline shows between them.
    pub fn rectangles(&mut self, all: impl IntoIterator<Item = [Length; 4]>) {
        let mut path = PathBuilder::new();
        for [x, y, width, height] in all {
            let [x, y, width, height] = [x, y, width, height].map(points);
            if let Some(rectangle) = Rect::from_xywh(x, y, width, height) {
                path.push_rect(rectangle);
            }
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
    }
}

fn black() -> Fill {
    Fill {
        paint: luma::Color::new(0).into(),
        opacity: NormalizedF32::ONE,
        rule: krilla::paint::FillRule::default(),
    }
}

/// Micrometres as the points that PDF counts in: 72 to an inch of 25.4 mm.
#[expect(
    clippy::float_arithmetic,
    reason = "lengths on paper end as floating point in the file; whole micrometres are far coarser than its precision"
)]
fn points(length: Length) -> f32 {
    (f64::from(length) * 72.0 / 25_400.0) as f32
}

/// A glyph as shaping has named it.
fn glyph(id: u32) -> GlyphId {
    GlyphId::new(id)
}

/// A point on the page, in points.
fn point((x, y): (f32, f32)) -> Point {
    Point::from_xy(x, y)
}

#[cfg(test)]
mod tests;
