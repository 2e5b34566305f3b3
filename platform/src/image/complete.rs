//! Whether a file goes on to the end that its format prescribes. An upload that broke off is
//! refused at the door, while the person who sent it is still there.

use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom};

use super::{Format, Rejection, jpeg};

/// Refuses a file of `length` bytes that ends too early.
///
/// A GIF has no cheap answer: its first frame tells when it is decoded.
pub(super) fn check<R>(reader: &mut R, format: Format, length: u64) -> Result<(), Rejection>
where
    R: BufRead + Seek,
{
    let checked = reader.rewind().and_then(|()| match format {
        Format::Jpeg => jpeg::find_end(reader),
        Format::Png => find_png_end(reader),
        Format::WebP => check_riff_length(reader, length),
        Format::Gif => Ok(()),
    });
    checked.map_err(Rejection::unreadable)
}

const PNG_SIGNATURE_LENGTH: u64 = 8;
const PNG_CHECKSUM_LENGTH: i64 = 4;

/// Steps from chunk to chunk up to the one named `IEND`.
fn find_png_end<R: BufRead + Seek>(reader: &mut R) -> io::Result<()> {
    reader.seek(SeekFrom::Start(PNG_SIGNATURE_LENGTH))?;
    loop {
        let length = u32::from_be_bytes(read_four(reader)?);
        if &read_four(reader)? == b"IEND" {
            return Ok(());
        }
        reader.seek_relative(i64::from(length) + PNG_CHECKSUM_LENGTH)?;
    }
}

/// A WebP file says after its first four bytes how many follow the first eight.
fn check_riff_length<R: BufRead + Seek>(reader: &mut R, length: u64) -> io::Result<()> {
    let _riff = read_four(reader)?;
    let declared = u32::from_le_bytes(read_four(reader)?);
    if u64::from(declared) + 8 > length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn read_four<R: Read>(reader: &mut R) -> io::Result<[u8; 4]> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}
