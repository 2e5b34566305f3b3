//! Files of codes are made piece by piece. What scanners read in them is tested in the project's own tests.

use std::io::{self, Write};

use image::{DynamicImage, ImageFormat, RgbImage};

use super::*;

const LEVELS: [Level; 4] = [Level::L, Level::M, Level::Q, Level::H];

fn options(format: Format, level: Level) -> CodeOptions {
    CodeOptions {
        subject: Subject::Lot,
        format,
        level,
    }
}

fn wanted(number: u32) -> Wanted {
    Wanted {
        title: format!("RING-{number} L{number}"),
        address: format!("https://shop.example/lot/0198a7c2-5e1f-7c3a-9d54-{number:012}"),
    }
}

fn logo() -> Arc<Logo> {
    let picture = RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * 4) as u8, (y * 4) as u8, 9]));
    let mut bytes = io::Cursor::new(Vec::new());
    let picture = DynamicImage::from(picture);
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    Arc::new(Logo::read(&bytes.into_inner()).unwrap())
}

/// A writer that remembers how much came at once.
#[derive(Default)]
struct Pieces(Vec<Vec<u8>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn drawn(options: &CodeOptions, logo: Option<Arc<Logo>>, count: u32) -> Pieces {
    let mut pieces = Pieces::default();
    let mut drawer = Drawer::new(options, logo, "id", &mut pieces).unwrap();
    for number in 0..count {
        drawer.add(&wanted(number)).unwrap();
    }
    drawer.finish().unwrap();
    pieces
}

#[test]
fn the_same_codes_give_the_same_file() {
    for format in [
        Format::Zip(Picture::Svg),
        Format::Zip(Picture::Png),
        Format::Pdf,
    ] {
        for logo in [None, Some(logo())] {
            let make = || {
                drawn(&options(format, Level::H), logo.clone(), 21)
                    .0
                    .concat()
            };
            assert!(make() == make(), "{format:?}");
        }
    }
}

#[test]
fn an_archive_leaves_code_by_code() {
    let pieces = drawn(&options(Format::Zip(Picture::Svg), Level::M), None, 30).0;
    // Each code, the list, and the end.
    assert_eq!(pieces.len(), 32);
    let all: usize = pieces.iter().map(Vec::len).sum();
    assert!(pieces.iter().all(|piece| piece.len() < all / 10));
}

#[test]
fn levels_below_q_have_no_picture_in_the_middle() {
    for level in LEVELS {
        let options = options(Format::Pdf, level);
        let mut out = Vec::new();
        let mut drawer = Drawer::new(&options, Some(logo()), "id", &mut out).unwrap();
        assert_eq!(drawer.add(&wanted(1)).is_ok(), level >= Level::Q);
    }
}

#[test]
fn who_writes_hears_that_nobody_listens() {
    let (mut pipe, pieces) = Pipe::new();
    drop(pieces);
    pipe.write_all(b"a").unwrap();
    assert_eq!(pipe.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn what_is_written_comes_out_as_it_was() {
    let (mut pipe, mut pieces) = Pipe::new();
    let written = std::thread::spawn(move || {
        for number in 0..100_000_u32 {
            pipe.write_all(&number.to_le_bytes()).unwrap();
        }
        pipe.flush().unwrap();
    });
    let mut came = Vec::new();
    while let Some(piece) = pieces.blocking_recv() {
        came.extend_from_slice(&piece);
    }
    written.join().unwrap();
    let expected: Vec<_> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    assert!(came == expected);
}
