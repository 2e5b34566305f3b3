//! The skeleton of a JPEG file: the markers between which everything else lies. Walking from marker
//! to marker finds the dimensions and the end without touching the pixels.

use std::io::{self, BufRead, ErrorKind, Read, Seek};

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// Reads on to the frame header and returns width and height in pixels.
pub(super) fn dimensions<R: BufRead + Seek>(reader: &mut R) -> io::Result<(u32, u32)> {
    loop {
        match next_marker(reader)? {
            marker if is_frame(marker) => return frame_dimensions(reader),
            START_OF_SCAN | END_OF_IMAGE => return Err(ErrorKind::InvalidData.into()),
            marker => skip_segment(reader, marker)?,
        }
    }
}

/// Reads on to the end-of-image marker. A file that ends before it was cut short; what may follow
/// it (cameras append previews and films) is not ours.
pub(super) fn find_end<R: BufRead + Seek>(reader: &mut R) -> io::Result<()> {
    loop {
        match next_marker(reader)? {
            END_OF_IMAGE => return Ok(()),
            marker => skip_segment(reader, marker)?,
        }
    }
}

/// Finds the next marker that is not part of compressed data, where `ff 00` stands for a byte of
/// value `ff`, restart markers stand between the rows, and any number of `ff` may precede a marker.
fn next_marker<R: BufRead>(reader: &mut R) -> io::Result<u8> {
    loop {
        reader.skip_until(0xff)?;
        let mut marker = read_byte(reader)?;
        while marker == 0xff {
            marker = read_byte(reader)?;
        }
        if marker != 0 && !is_restart(marker) {
            return Ok(marker);
        }
    }
}

fn skip_segment<R: BufRead + Seek>(reader: &mut R, marker: u8) -> io::Result<()> {
    if has_no_content(marker) {
        return Ok(());
    }
    let length = read_u16(reader)?;
    // The length counts its own two bytes.
    let rest = length.checked_sub(2).ok_or(ErrorKind::InvalidData)?;
    reader.seek_relative(rest.into())
}

fn frame_dimensions<R: BufRead>(reader: &mut R) -> io::Result<(u32, u32)> {
    let _length = read_u16(reader)?;
    let _precision = read_byte(reader)?;
    let height = read_u16(reader)?;
    let width = read_u16(reader)?;
    Ok((width.into(), height.into()))
}

/// The start-of-frame markers; among their numbers three mean something else.
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

fn is_restart(marker: u8) -> bool {
    matches!(marker, 0xd0..=0xd7)
}

/// The start of the image and the historical "temporary" marker.
fn has_no_content(marker: u8) -> bool {
    matches!(marker, 0x01 | 0xd8)
}

fn read_byte<R: Read>(reader: &mut R) -> io::Result<u8> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn read_u16<R: Read>(reader: &mut R) -> io::Result<u16> {
    let mut bytes = [0; 2];
    reader.read_exact(&mut bytes)?;
    Ok(u16::from_be_bytes(bytes))
}
