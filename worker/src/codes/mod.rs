//! Codes in a file: pictures in an archive, or pages to print.
//!
//! A file is made by a thread that is fed with what there is to draw and hands on what it has written, so that neither has to be in memory as
//! a whole; but a document has all its pages until it is finished.

mod names;
mod pages;
mod pipe;

use std::{
    io::{self, Write as _},
    sync::Arc,
};

use domain::code_batch::{CodeOptions, Format, Level, Picture, Subject};
use platform::{
    pdf::PdfError,
    qr::{self, Logo, Qr, QrError},
};
use zip::{
    CompressionMethod, DateTime, ZipWriter,
    result::ZipError,
    write::{SimpleFileOptions, StreamWriter},
};

pub use pipe::Pipe;

use self::{names::Names, pages::Pages};

/// User units of one module of a drawing.
pub const SVG_MODULE: u32 = 8;
/// Pixels of a side of a picture: sharp at 3 cm and 300 dots per inch.
pub const PNG_SIDE: u32 = 354;
/// The level of compression that takes the least time.
const FASTEST: i64 = 1;

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
    /// An archive has no room for more, or nobody takes what was written.
    #[error("the archive could not be written: {0}")]
    Archive(#[from] ZipError),
    /// Nobody takes what was written.
    #[error("the file could not be written: {0}")]
    Writing(#[from] io::Error),
}

/// Codes on their way into a file.
pub struct Drawer<W: io::Write> {
    level: qr::Level,
    logo: Option<Arc<Logo>>,
    file: File<W>,
}

enum File<W: io::Write> {
    Zip {
        zip: Box<ZipWriter<StreamWriter<W>>>,
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
                zip: Box::new(ZipWriter::new_stream(out)),
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
                picture,
                names,
            } => {
                let (content, ending) = match picture {
                    Picture::Svg => (code.svg(SVG_MODULE)?.into_bytes(), "svg"),
                    Picture::Png => (code.png(PNG_SIDE)?, "png"),
                };
                zip.start_file(names.give(&wanted.title, ending), in_archive())?;
                zip.write_all(&content)?;
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

/// How a file is kept in an archive. Sizes stand behind each, and whoever reads an archive on its way finds the end of what is compressed only: so
/// pictures are, too. The same files give the same archive, for nothing says when it was made.
fn in_archive() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(FASTEST))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644)
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
