//! Codes in a file: pictures in an archive, or pages to print.
//!
//! A file is made by a thread that is fed with what there is to draw and hands on what it has written, so that neither has to be in memory as
//! a whole; but a document has all its pages until it is finished.

mod names;
mod pages;
mod pipe;
mod zip;

use std::{io, sync::Arc};

use domain::code_batch::{CodeOptions, Format, Level, Picture, Subject};
use platform::{
    pdf::PdfError,
    qr::{self, Logo, Qr, QrError},
};

pub use pipe::Pipe;

use self::{
    names::Names,
    pages::Pages,
    zip::{Method, Zip},
};

/// User units of one module of a drawing.
pub const SVG_MODULE: u32 = 8;
/// Pixels of a side of a picture: sharp at 3 cm and 300 dots per inch.
pub const PNG_SIDE: u32 = 354;
/// Something that gets a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What people call it.
    pub title: String,
    /// What the code says.
    pub address: String,
}

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// A code could not be drawn.
    #[error(transparent)]
    Code(#[from] QrError),
    /// A page could not be made.
    #[error(transparent)]
    Page(#[from] PdfError),
    /// Nobody takes what was written.
    #[error("the file could not be written: {0}")]
    Writing(#[from] io::Error),
}

/// Codes on their way into a file.
pub struct Drawer<W> {
    level: qr::Level,
    logo: Option<Arc<Logo>>,
    file: File<W>,
}

enum File<W> {
    Zip {
        zip: Zip<W>,
        picture: Picture,
        names: Names,
    },
    Pdf {
        pages: Box<Pages>,
        out: W,
    },
}

impl<W: io::Write> Drawer<W> {
    /// Begins a file; `id` is the name of a document for itself.
    ///
    /// # Errors
    /// When the typeface or the picture in the middle cannot be used.
    pub fn new(
        options: &CodeOptions,
        logo: Option<Arc<Logo>>,
        id: &str,
        out: W,
    ) -> Result<Self, DrawError> {
        let file = match options.format {
            Format::Zip(picture) => File::Zip {
                zip: Zip::new(out),
                picture,
                names: Names::default(),
            },
            Format::Pdf => File::Pdf {
                pages: Box::new(Pages::new(logo.as_deref(), id)?),
                out,
            },
        };
        Ok(Self {
            level: level(options.level),
            logo,
            file,
        })
    }

    /// Adds a code.
    ///
    /// # Errors
    /// When it cannot be drawn or written.
    pub fn add(&mut self, wanted: &Wanted) -> Result<(), DrawError> {
        let mut code = Qr::new(&wanted.address, self.level)?;
        if let Some(logo) = &self.logo {
            code = code.around(Arc::clone(logo))?;
        }
        match &mut self.file {
            File::Zip {
                zip,
                picture: Picture::Svg,
                names,
            } => {
                let drawing = code.svg(SVG_MODULE)?;
                let name = names.give(&wanted.title, "svg");
                zip.add(&name, drawing.as_bytes(), Method::Deflated)?;
            }
            File::Zip {
                zip,
                picture: Picture::Png,
                names,
            } => {
                let name = names.give(&wanted.title, "png");
                zip.add(&name, &code.png(PNG_SIDE)?, Method::Stored)?;
            }
            File::Pdf { pages, .. } => pages.add(&wanted.title, &code)?,
        }
        Ok(())
    }

    /// Writes what is still to be written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<(), DrawError> {
        match self.file {
            File::Zip { zip, .. } => zip.finish()?.flush()?,
            File::Pdf { pages, mut out } => {
                out.write_all(&pages.finish()?)?;
                out.flush()?;
            }
        }
        Ok(())
    }
}

/// The level as the plumbing calls it.
pub(crate) fn level(level: Level) -> qr::Level {
    match level {
        Level::L => qr::Level::L,
        Level::M => qr::Level::M,
        Level::Q => qr::Level::Q,
        Level::H => qr::Level::H,
    }
}

/// What people save the file as, and its media type.
#[must_use]
pub fn file_name(options: &CodeOptions) -> (String, &'static str) {
    let of = match options.subject {
        Subject::Item => "items",
        Subject::Lot => "lots",
        Subject::Location => "locations",
    };
    let (ending, media_type) = match options.format {
        Format::Zip(_) => ("zip", "application/zip"),
        Format::Pdf => ("pdf", "application/pdf"),
    };
    (format!("codes-{of}.{ending}"), media_type)
}

#[cfg(test)]
mod tests;
