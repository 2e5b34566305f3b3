//! Codes are read back by a decoder that shares nothing with the encoder.

use image::{GrayImage, Luma};
use rqrr::PreparedImage;

use super::{MAX_CONTENT, MAX_PIXELS, QrError, modules, png, svg};

const LINK: &str = "https://shop.example/items/0198a7c2-5e1f-7c3a-9d54-0c5fd5a4f1b7";

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

#[test]
fn a_png_is_read_back_at_any_size() {
    for pixels in [100, 256, 333, 1000] {
        let picture = picture(&png(LINK, pixels).unwrap());
        assert_eq!((picture.width(), picture.height()), (pixels, pixels));
        assert_eq!(read(&picture).0, LINK, "{pixels} pixels");
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
        assert_eq!(read(&picture(&png(content, 1500).unwrap())).0, content);
    }
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

/// Paints the drawing's one path of rectangles, each written as `M<x> <y>h<width>v<height>H<x>V<y>`.
fn painted(drawing: &str) -> GrayImage {
    let size = number_after(drawing, "width=\"");
    let mut picture = GrayImage::from_pixel(size, size, Luma([255]));
    let path = drawing.rsplit_once("d=\"").unwrap().1;
    for rectangle in path.split_once('"').unwrap().0.split('M').skip(1) {
        let (x, rest) = rectangle.split_once(' ').unwrap();
        let (y, rest) = rest.split_once('h').unwrap();
        let (width, height) = (number_after(rest, ""), number_after(rest, "v"));
        let (left, top): (u32, u32) = (x.parse().unwrap(), y.parse().unwrap());
        for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
            picture.put_pixel(left + x, top + y, Luma([0]));
        }
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
    let rows = modules(LINK).unwrap();
    let quiet = 4;
    let side = (rows.len() + 2 * quiet) as u32;
    let drawn = picture(&png(LINK, side).unwrap());
    for (y, row) in rows.iter().enumerate() {
        assert_eq!(row.len(), rows.len());
        for (x, dark) in row.iter().enumerate() {
            let pixel = drawn.get_pixel((x + quiet) as u32, (y + quiet) as u32);
            assert_eq!(pixel.0[0] == 0, *dark, "{x}, {y}");
        }
    }
    assert_eq!(modules(""), Err(QrError::Empty));
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
}
