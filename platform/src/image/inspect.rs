//! The check at the door: what a file is and how many pixels it claims, read from its structure
//! without decoding a single one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use image::ImageReader;

use super::format::SIGNATURE_LENGTH;
use super::{Format, Limits, Rejection, complete, jpeg};

/// What a picture says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The format, by content.
    pub format: Format,
    /// The width as stored, in pixels, before any orientation is applied.
    pub width: u32,
    /// The height as stored, in pixels, before any orientation is applied.
    pub height: u32,
    /// The file's length.
    pub bytes: u64,
}

/// Why a file was not inspected or not accepted.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The picture is refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The file itself could not be read; the picture may be fine.
    #[error("the image file cannot be read: {0}")]
    File(#[from] io::Error),
}

/// Decides whether `bytes` are a picture worth keeping. Takes well under a millisecond for a small
/// file and some milliseconds for one of 25 MiB.
///
/// A file that passes can still turn out to be damaged when it is decoded.
///
/// # Errors
///
/// Every [`Rejection`] is possible.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspected, Rejection> {
    inspect_reader(Cursor::new(bytes), bytes.len() as u64, limits)
}

/// [`inspect`] for a file on disk, of which only small pieces are held in memory.
///
/// # Errors
///
/// [`InspectError::Rejected`] for a picture that is not taken, [`InspectError::File`] when the file
/// cannot be opened.
pub fn inspect_file(path: &Path, limits: &Limits) -> Result<Inspected, InspectError> {
    inspect_open(File::open(path)?, limits)
}

/// [`inspect`] for an open file, such as one that has no name. Where it is left is not said.
///
/// # Errors
///
/// [`InspectError::Rejected`] for a picture that is not taken, [`InspectError::File`] when the file
/// cannot be read.
pub fn inspect_open(mut file: File, limits: &Limits) -> Result<Inspected, InspectError> {
    let bytes = file.metadata()?.len();
    file.rewind()?;
    Ok(inspect_reader(BufReader::new(file), bytes, limits)?)
}

fn inspect_reader<R>(mut reader: R, bytes: u64, limits: &Limits) -> Result<Inspected, Rejection>
where
    R: BufRead + Seek,
{
    limits.check_bytes(bytes)?;
    let format = recognise(&mut reader)?;
    let (width, height) = dimensions(&mut reader, format, limits)?;
    limits.check_dimensions(width, height)?;
    complete::check(&mut reader, format, bytes)?;
    Ok(Inspected {
        format,
        width,
        height,
        bytes,
    })
}

fn recognise<R: BufRead + Seek>(reader: &mut R) -> Result<Format, Rejection> {
    let mut start = Vec::with_capacity(SIGNATURE_LENGTH);
    let mut head = reader.by_ref().take(SIGNATURE_LENGTH as u64);
    head.read_to_end(&mut start)
        .map_err(Rejection::unreadable)?;
    Format::recognise(&start)
}

fn dimensions<R>(reader: &mut R, format: Format, limits: &Limits) -> Result<(u32, u32), Rejection>
where
    R: BufRead + Seek,
{
    reader.rewind().map_err(Rejection::unreadable)?;
    if format == Format::Jpeg {
        // The general reader would load the whole file for this.
        return jpeg::dimensions(reader).map_err(Rejection::unreadable);
    }
    let mut header = ImageReader::with_format(reader, format.into());
    // The sides are ours to judge, to say which bound was crossed; memory is the decoder's.
    let mut memory = limits.for_decoder();
    memory.max_image_width = None;
    memory.max_image_height = None;
    header.limits(memory);
    header.into_dimensions().map_err(Rejection::unreadable)
}
