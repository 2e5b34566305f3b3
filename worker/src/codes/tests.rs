//! Files of codes are made piece by piece. What scanners read in them is tested in the project's own tests.

use std::{
    cell::Cell,
    io::{self, Write},
    rc::Rc,
};

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

/// A writer that tells how much has come.
#[derive(Clone, Default)]
struct Counted(Rc<Cell<usize>>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn drawn(options: &CodeOptions, logo: Option<Arc<Logo>>, all: &[Wanted]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut drawer = Drawer::new(options, logo, "id", &mut out).unwrap();
    for one in all {
        drawer.add(one).unwrap();
    }
    drawer.finish().unwrap();
    out
}

#[test]
fn the_same_codes_give_the_same_file() {
    for format in [
        Format::Zip(Picture::Svg),
        Format::Zip(Picture::Png),
        Format::Pdf,
    ] {
        for logo in [None, Some(logo())] {
            let all: Vec<_> = (0..21).map(wanted).collect();
            let make = || drawn(&options(format, Level::H), logo.clone(), &all);
            assert!(make() == make(), "{format:?}");
        }
    }
}

#[test]
fn an_archive_leaves_code_by_code() {
    let options = options(Format::Zip(Picture::Svg), Level::M);
    let out = Counted::default();
    let mut drawer = Drawer::new(&options, None, "id", out.clone()).unwrap();
    let mut left = 0;
    for number in 0..30 {
        drawer.add(&wanted(number)).unwrap();
        let before = left;
        left = out.0.get();
        assert!(left > before, "{number}");
    }
    drawer.finish().unwrap();
    // In the end there are the last one and the list.
    assert!(left * 10 > out.0.get() * 8, "{left} of {}", out.0.get());
}

#[test]
fn names_are_in_utf_8_and_nothing_says_when() {
    for picture in [Picture::Svg, Picture::Png] {
        let gold = Wanted {
            title: "طلا-۱".to_owned(),
            ..wanted(1)
        };
        let archive = drawn(&options(Format::Zip(picture), Level::M), None, &[gold]);
        // What the list at the end says of it (PKWARE's APPNOTE 6.3.10, section 4.3.12).
        let mut places = archive.windows(4);
        let place = places.rposition(|four| four == b"PK\x01\x02").unwrap();
        let entry = &archive[place..];
        let number = |at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
        assert_eq!(number(8) & (1 << 11), 1 << 11, "in UTF-8");
        assert_eq!(number(10), 8, "deflated");
        assert_eq!([number(12), number(14)], [0, (1 << 5) | 1], "1980-01-01");
        assert_eq!(entry[38..42], (0o100_644_u32 << 16).to_le_bytes());
        assert!(entry[46..].starts_with("طلا-۱.".as_bytes()));
    }
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
