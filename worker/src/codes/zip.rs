//! A ZIP archive of small files, written from its beginning to its end: only the list of what is in it is kept until then. The same files give
//! the same archive, for nothing says when it was made.
//!
//! The layout is that of PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.4, without its 64 bit parts: so an archive is refused rather than wrong
//! when it would have more than 65,535 files or 4 GiB.

use std::io::{self, Write};

use flate2::{Compression, Crc, write::DeflateEncoder};

const LOCAL_HEADER: u32 = 0x0403_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// PKZIP 2.0: what is compressed with deflate needs that.
const VERSION: u16 = 20;
/// Made on Unix: of what was made on DOS, Info-ZIP takes names as DOS had them, whatever else is said.
const MADE_BY: u16 = (3 << 8) | VERSION;
/// A plain file that its owner writes and everybody reads, as Unix has it.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// Names are in UTF-8.
const UTF_8: u16 = 1 << 11;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// 1980-01-01 00:00, the first there is.
const TIME: u16 = 0;
const DATE: u16 = (1 << 5) | 1;

/// How a file is kept in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// As it is: what is compressed already.
    Stored,
    /// Compressed.
    Deflated,
}

/// An archive in the making.
pub(super) struct Zip<W> {
    out: W,
    written: u64,
    central: Vec<u8>,
    count: u16,
}

impl<W: Write> Zip<W> {
    /// Begins an archive.
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            written: 0,
            central: Vec::new(),
            count: 0,
        }
    }

    /// Adds a file. No other one may have its name.
    ///
    /// # Errors
    /// When there is no room for it, or the archive cannot be written.
    pub(super) fn add(&mut self, name: &str, content: &[u8], method: Method) -> io::Result<()> {
        let packed;
        let (number, data) = match method {
            Method::Stored => (STORED, content),
            Method::Deflated => {
                packed = deflated(content)?;
                (DEFLATED, packed.as_slice())
            }
        };
        let about = about(name, content, number, data.len())?;
        let offset = narrow::<u32>(self.written)?;
        self.write(
            &[
                &LOCAL_HEADER.to_le_bytes()[..],
                &about,
                name.as_bytes(),
                data,
            ]
            .concat(),
        )?;
        self.central.extend(CENTRAL_HEADER.to_le_bytes());
        self.central.extend(MADE_BY.to_le_bytes());
        self.central.extend(&about);
        // No comment, the first disk, nothing that is known of the content.
        self.central.extend([0; 6]);
        self.central.extend(ATTRIBUTES.to_le_bytes());
        self.central.extend(offset.to_le_bytes());
        self.central.extend(name.as_bytes());
        self.count = self.count.checked_add(1).ok_or_else(full)?;
        Ok(())
    }

    /// Writes the list of what is in it, and gives back what it was written to.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let offset = narrow::<u32>(self.written)?;
        let central = std::mem::take(&mut self.central);
        let length = narrow::<u32>(central.len())?;
        self.write(&central)?;
        let count = self.count.to_le_bytes();
        let end = [
            &END.to_le_bytes()[..],
            // The first disk of one.
            &[0; 4],
            &count,
            &count,
            &length.to_le_bytes(),
            &offset.to_le_bytes(),
            // No comment.
            &[0; 2],
        ];
        self.write(&end.concat())?;
        Ok(self.out)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

/// What both headers of a file say alike.
fn about(name: &str, content: &[u8], method: u16, packed: usize) -> io::Result<Vec<u8>> {
    let mut crc = Crc::new();
    crc.update(content);
    let mut about = Vec::with_capacity(26);
    for part in [VERSION, UTF_8, method, TIME, DATE] {
        about.extend(part.to_le_bytes());
    }
    for part in [crc.sum(), narrow(packed)?, narrow(content.len())?] {
        about.extend(part.to_le_bytes());
    }
    about.extend(narrow::<u16>(name.len())?.to_le_bytes());
    // Nothing extra.
    about.extend([0; 2]);
    Ok(about)
}

fn deflated(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content)?;
    encoder.finish()
}

fn narrow<N: TryFrom<u64>>(count: impl TryInto<u64>) -> io::Result<N> {
    let count = count.try_into().ok();
    count
        .and_then(|count| N::try_from(count).ok())
        .ok_or_else(full)
}

fn full() -> io::Error {
    io::Error::other("a ZIP archive has no room for more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_laid_out_as_the_standard_says() {
        let mut zip = Zip::new(Vec::new());
        zip.add("a", b"123456789", Method::Stored).unwrap();
        let bytes = zip.finish().unwrap();
        // Local header, name and content; what is in it, with its name; the end.
        assert_eq!(bytes.len(), (30 + 1 + 9) + (46 + 1) + 22);
        assert_eq!(&bytes[..4], b"PK\x03\x04");
        // The checksum of these nine digits is known to everybody.
        assert_eq!(bytes[14..18], 0xcbf4_3926_u32.to_le_bytes());
        assert_eq!(&bytes[40..46], b"PK\x01\x02\x14\x03");
        assert_eq!(bytes[78..82], (0o100_644_u32 << 16).to_le_bytes());
        assert_eq!(&bytes[87..91], b"PK\x05\x06");
        assert_eq!(bytes[103..107], 40_u32.to_le_bytes(), "where the list is");
    }

    #[test]
    fn the_same_files_give_the_same_archive() {
        let archive = || {
            let mut zip = Zip::new(Vec::new());
            zip.add("گ.svg", &[7; 1000], Method::Deflated).unwrap();
            zip.finish().unwrap()
        };
        assert!(archive() == archive());
        assert!(archive().len() < 300);
    }
}
