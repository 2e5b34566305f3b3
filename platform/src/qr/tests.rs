//! Codes are read back by a decoder that shares nothing with the encoder.

use std::{io::Cursor, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage, imageops};
use rqrr::PreparedImage;

use super::{Level, Logo, MAX_CONTENT, MAX_PIXELS, Qr, QrError};
use crate::image::{Rejection, RenderError};

const LINK: &str = "https://shop.example/items/0198a7c2-5e1f-7c3a-9d54-0c5fd5a4f1b7";
const LEVELS: [Level; 4] = [Level::L, Level::M, Level::Q, Level::H];

fn png(content: &str, pixels: u32) -> Result<Vec<u8>, QrError> {
    Qr::new(content, Level::M)?.png(pixels)
}

fn svg(content: &str, module: u32) -> Result<String, QrError> {
    Qr::new(content, Level::M)?.svg(module)
}

/// What the one code in the picture says, and its error correction level.
fn read(picture: &GrayImage) -> (String, u8) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixel = |x: usize, y: usize| picture.get_pixel(x as u32, y as u32).0[0];
    let mut prepared = PreparedImage::prepare_from_greyscale(width, height, pixel);
    let grids = prepared.detect_grids();
    assert_eq!(grids.len(), 1, "one code is to be found");
    let (meta, content) = grids[0].decode().unwrap();
    (content, meta.ecc_level as u8)
}

fn picture(bytes: &[u8]) -> GrayImage {
    image::load_from_memory(bytes).unwrap().into_luma8()
}

/// A logo that looks as little like paper as can be: dark, with a bright and a coloured stripe.
fn logo(width: u32, height: u32) -> Arc<Logo> {
    let picture = RgbImage::from_fn(width, height, |x, y| match (x + y) / 10 % 3 {
        0 => Rgb([0, 0, 0]),
        1 => Rgb([200, 20, 20]),
        _ => Rgb([255, 255, 255]),
    });
    Arc::new(Logo::read(&written(&picture.into())).unwrap())
}

fn written(picture: &image::DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn a_png_is_read_back_at_any_size() {
    for pixels in [100, 256, 333, 1000] {
        let picture = picture(&png(LINK, pixels).unwrap());
        assert_eq!((picture.width(), picture.height()), (pixels, pixels));
        assert_eq!(read(&picture).0, LINK, "{pixels} pixels");
    }
}

#[test]
fn a_code_has_the_level_that_was_asked_for() {
    // As the format information in a code numbers them (ISO/IEC 18004, table 12).
    for (level, number) in LEVELS.into_iter().zip([1, 0, 3, 2]) {
        let code = Qr::new(LINK, level).unwrap();
        let expected = (LINK.to_owned(), number);
        assert_eq!(read(&picture(&code.png(400).unwrap())), expected);
        assert_eq!(read(&painted(&code.svg(8).unwrap())), expected);
    }
}

#[test]
fn content_in_any_script_and_of_any_allowed_length_is_read_back() {
    let longest = "x7".repeat(MAX_CONTENT / 2);
    for content in [
        "1",
        "انگشتر طلا ۱۸ عیار",
        "A-1",
        "line\nbreak",
        longest.as_str(),
    ] {
        for level in LEVELS {
            let code = Qr::new(content, level).unwrap();
            assert_eq!(read(&picture(&code.png(1500).unwrap())).0, content);
        }
    }
}

#[test]
fn around_a_picture_every_length_is_read_back() {
    let logo = logo(300, 300);
    let all = "0198a7c2-5e1f-7c3a-9d54-0c5fd5a4f1b7/".repeat(14);
    for length in (1..=500).step_by(13) {
        let content = &all[..length];
        for level in [Level::Q, Level::H] {
            let code = Qr::new(content, level).unwrap();
            let code = code.around(Arc::clone(&logo)).unwrap();
            let pixels = picture(&code.png(900).unwrap());
            assert_eq!(read(&pixels).0, content, "{level:?}, {length}");
            let drawing = painted(&code.svg(8).unwrap());
            assert_eq!(read(&drawing).0, content, "{level:?}, {length}");
        }
    }
}

#[test]
fn around_a_picture_a_code_may_get_dirty_still() {
    let code = Qr::new(LINK, Level::H).unwrap().around(logo(300, 300));
    let mut picture = picture(&code.unwrap().png(600).unwrap());
    // A stain a tenth as wide as the code, beside the middle.
    for (x, y) in (400..450).flat_map(|x| (300..350).map(move |y| (x, y))) {
        picture.put_pixel(x, y, Luma([0]));
    }
    assert_eq!(read(&picture).0, LINK);
}

#[test]
fn a_picture_covers_a_fifth_of_the_width_and_keeps_off_the_modules() {
    for length in [1, 30, 63, 200, 500] {
        let code = Qr::new(&LINK.repeat(8)[..length], Level::H).unwrap();
        let width = code.rows().len();
        let hole = code.around(logo(60, 60)).unwrap().hole().unwrap();
        assert!(hole.side * 100 <= width * 22, "{hole:?} of {width}");
        assert!((hole.side + 2) * 100 > width * 22, "{hole:?} of {width}");
        assert_eq!(hole.first * 2 + hole.side, width, "in the middle");
    }
    let code = Qr::new(LINK, Level::H).unwrap().around(logo(60, 60));
    let code = code.unwrap();
    let hole = code.hole().unwrap();
    let (module, drawn) = (10, 10 * (code.rows().len() as u32 + 8));
    let pixels = image::load_from_memory(&code.png(drawn).unwrap()).unwrap();
    let edge = (hole.first as u32 + 4) * module;
    let far = edge + hole.side as u32 * module - 1;
    for along in edge..=far {
        for (x, y) in [(along, edge), (along, far), (edge, along), (far, along)] {
            let pixel = image::GenericImageView::get_pixel(&pixels, x, y);
            assert_eq!(pixel, Rgba([255; 4]), "a light margin at {x}, {y}");
        }
    }
}

#[test]
fn a_picture_needs_a_level_at_which_it_may_cover_something() {
    for level in LEVELS {
        let code = Qr::new(LINK, level).unwrap().around(logo(10, 10));
        match level {
            Level::L | Level::M => assert_eq!(code.err(), Some(QrError::LevelTooLow)),
            Level::Q | Level::H => assert!(code.is_ok()),
        }
    }
}

#[test]
fn what_is_not_square_or_transparent_stands_on_white() {
    let wide = RgbaImage::from_fn(80, 20, |x, _| {
        Rgba([255, 0, 0, if x < 40 { 255 } else { 0 }])
    });
    let logo = Logo::read(&written(&wide.into())).unwrap();
    let (side, pixels) = logo.pixels();
    assert_eq!((side, pixels.len()), (80, 80 * 80 * 3));
    let at = |x: usize, y: usize| &pixels[(y * 80 + x) * 3..][..3];
    assert_eq!(at(10, 40), [255, 0, 0]);
    for (x, y) in [(60, 40), (10, 10), (10, 70)] {
        assert_eq!(at(x, y), [255, 255, 255], "{x}, {y}");
    }
    let large = Logo::read(&written(&RgbImage::new(1000, 500).into())).unwrap();
    assert_eq!(large.pixels().0, 128);
}

#[test]
fn what_is_no_picture_or_too_large_is_no_logo() {
    let rejected = |bytes: &[u8]| match Logo::read(bytes) {
        Err(RenderError::Rejected(rejection)) => Some(rejection),
        _ => None,
    };
    assert_eq!(rejected(b"<svg/>"), Some(Rejection::UnsupportedType));
    let wide = written(&GrayImage::new(4_001, 1).into());
    let many = written(&GrayImage::new(2_001, 2_000).into());
    for bytes in [wide, many] {
        let rejection = rejected(&bytes);
        assert!(
            matches!(rejection, Some(Rejection::DimensionsTooLarge { .. })),
            "{rejection:?}"
        );
    }
    let mut long = written(&GrayImage::new(10, 10).into());
    long.resize(512 * 1024 + 1, 0);
    let limit = 512 * 1024;
    assert_eq!(rejected(&long), Some(Rejection::TooLarge { limit }));
    let whole = written(&RgbImage::new(300, 300).into());
    assert_eq!(
        rejected(&whole[..whole.len() / 2]),
        Some(Rejection::Unreadable)
    );
}

#[test]
fn the_margin_is_at_least_four_modules_wide() {
    let picture = picture(&png(LINK, 370).unwrap());
    let dark = |(_, _, Luma([value])): &(u32, u32, &Luma<u8>)| *value < 128;
    let first = picture
        .enumerate_pixels()
        .filter(dark)
        .map(|(x, y, _)| x.min(y))
        .min()
        .unwrap();
    // The finder pattern in the corner is seven modules wide.
    let finder = (first..)
        .take_while(|x| picture.get_pixel(*x, first).0[0] < 128)
        .count() as u32;
    assert!(
        first >= finder * 4 / 7,
        "margin {first}, finder pattern {finder}"
    );
}

#[test]
fn a_tenth_of_the_code_may_be_lost() {
    let mut picture = picture(&png(LINK, 400).unwrap());
    for (x, y) in (180..220).flat_map(|x| (180..220).map(move |y| (x, y))) {
        picture.put_pixel(x, y, Luma([255]));
    }
    assert_eq!(read(&picture).0, LINK);
}

#[test]
fn an_svg_shows_the_same_code() {
    let drawing = svg(LINK, 10).unwrap();
    assert!(drawing.starts_with("<?xml"), "{drawing}");
    assert_eq!(read(&painted(&drawing)).0, LINK);
}

/// Paints the drawing: its path of rectangles, each written as `M<x> <y>h<width>v1h-<width>z`, and its picture.
fn painted(drawing: &str) -> GrayImage {
    let (size, modules) = (
        number_after(drawing, "width=\""),
        number_after(drawing, "viewBox=\"0 0 "),
    );
    let module = size / modules;
    let mut picture = GrayImage::from_pixel(size, size, Luma([255]));
    let path = drawing.split("<path d=\"").nth(2).unwrap();
    for rectangle in path.split_once('"').unwrap().0.split('M').skip(1) {
        let (x, rest) = rectangle.split_once(' ').unwrap();
        let (y, rest) = rest.split_once('h').unwrap();
        let (x, y): (u32, u32) = (x.parse().unwrap(), y.parse().unwrap());
        let width = number_after(rest, "");
        assert_eq!(rest.trim_end(), format!("{width}v1h-{width}z"));
        let dark = GrayImage::new(width * module, module);
        imageops::replace(
            &mut picture,
            &dark,
            (x * module).into(),
            (y * module).into(),
        );
    }
    if let Some((_, image)) = drawing.split_once("<image ") {
        let (first, side) = (number_after(image, "x=\""), number_after(image, "width=\""));
        let data = image.split_once("base64,").unwrap().1;
        let data = data.split_once('"').unwrap().0;
        let logo = self::picture(&STANDARD.decode(data).unwrap());
        let pixels = side * module;
        let logo = imageops::resize(&logo, pixels, pixels, imageops::FilterType::Triangle);
        let place = i64::from(first * module + module / 2);
        imageops::replace(&mut picture, &logo, place, place);
    }
    picture
}

fn number_after(text: &str, before: &str) -> u32 {
    let start = text.find(before).unwrap() + before.len();
    let digits = text[start..].chars().take_while(char::is_ascii_digit);
    digits.collect::<String>().parse().unwrap()
}

#[test]
fn modules_are_what_is_drawn() {
    let code = Qr::new(LINK, Level::M).unwrap();
    let quiet = 4;
    let side = (code.rows().len() + 2 * quiet) as u32;
    let drawn = picture(&code.png(side).unwrap());
    for (y, row) in code.rows().enumerate() {
        assert_eq!(row.len(), code.rows().len());
        for (x, dark) in row.iter().enumerate() {
            let pixel = drawn.get_pixel((x + quiet) as u32, (y + quiet) as u32);
            assert_eq!(pixel.0[0] == 0, *dark, "{x}, {y}");
        }
    }
    assert_eq!(Qr::new("", Level::M).err(), Some(QrError::Empty));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let long = "x".repeat(MAX_CONTENT + 1);
    assert_eq!(png("", 300), Err(QrError::Empty));
    assert_eq!(svg("", 10), Err(QrError::Empty));
    assert_eq!(png(&long, 300), Err(QrError::TooLong));
    assert_eq!(svg(&long, 10), Err(QrError::TooLong));
    assert_eq!(png("1", 0), Err(QrError::BadSize { least: 29 }));
    assert_eq!(png("1", 28), Err(QrError::BadSize { least: 29 }));
    assert_eq!(
        png("1", MAX_PIXELS + 1),
        Err(QrError::BadSize { least: 29 })
    );
    assert_eq!(svg("1", 0), Err(QrError::BadSize { least: 29 }));
    assert_eq!(svg("1", u32::MAX), Err(QrError::BadSize { least: 29 }));
    for pixels in [29, MAX_PIXELS] {
        let picture = picture(&png("1", pixels).unwrap());
        assert_eq!((picture.width(), picture.height()), (pixels, pixels));
    }
}

#[test]
fn the_same_content_gives_the_same_files() {
    assert_eq!(png(LINK, 300), png(LINK, 300));
    assert_eq!(svg(LINK, 10), svg(LINK, 10));
    let around = || {
        Qr::new(LINK, Level::H)
            .unwrap()
            .around(logo(90, 50))
            .unwrap()
    };
    assert_eq!(around().png(300), around().png(300));
    assert_eq!(around().svg(10), around().svg(10));
}
