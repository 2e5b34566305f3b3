//! How many QR codes a second one core makes, for `scripts/bench/codes.sh`: each code is of another address, as codes of items are, and is
//! made from text to finished file. Prints a line for each kind: what, and how many a second.
//!
//! `code_rate [SECONDS]`: how long each kind is measured (3 unless given), after a tenth of that to warm up.

#![expect(
    clippy::print_stdout,
    reason = "its output is what whoever calls it wants"
)]

use std::{
    error::Error,
    hint::black_box,
    io::Cursor,
    sync::Arc,
    time::{Duration, Instant},
};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use platform::qr::{Level, Logo, Qr};
use uuid::Uuid;

/// As the worker draws them.
const SVG_MODULE: u32 = 8;
const PNG_SIDE: u32 = 354;

type Made = Result<usize, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map(|text| text.parse());
    let time = Duration::from_secs(seconds.transpose()?.unwrap_or(3));
    let logo = logo()?;
    let around = |address: &str| Qr::new(address, Level::H)?.around(Arc::clone(&logo));
    let plain = |address: &str| Qr::new(address, Level::M);
    let svg = |code: Qr| -> Made { Ok(code.svg(SVG_MODULE)?.len()) };
    let png = |code: Qr| -> Made { Ok(code.png(PNG_SIDE)?.len()) };
    measure("QR as SVG", time, |address| svg(plain(address)?))?;
    measure("QR as PNG", time, |address| png(plain(address)?))?;
    measure("QR as SVG and as PNG, both of each", time, |address| {
        let code = plain(address)?;
        Ok(code.svg(SVG_MODULE)?.len() + code.png(PNG_SIDE)?.len())
    })?;
    measure("QR of level H as SVG", time, |address| {
        svg(Qr::new(address, Level::H)?)
    })?;
    measure("QR with a logo as SVG", time, |address| {
        svg(around(address)?)
    })?;
    measure("QR with a logo as PNG", time, |address| {
        png(around(address)?)
    })
}

fn measure(what: &str, time: Duration, make: impl Fn(&str) -> Made) -> Result<(), Box<dyn Error>> {
    rate(time / 10, &make)?;
    println!("{what}\t{}", rate(time, &make)?);
    Ok(())
}

/// Made in a second, rounded down.
fn rate(time: Duration, make: &impl Fn(&str) -> Made) -> Result<u128, Box<dyn Error>> {
    let (start, mut count) = (Instant::now(), 0_u128);
    while start.elapsed() < time {
        // Ids of items made at the same time differ in their ends.
        let id = Uuid::from_u128(0x0198_a7c2_5e1f_7c3a_9d54_0000_0000_0000 | (count << 7));
        black_box(make(&format!("https://shop.example.com/item/{id}"))?);
        count += 1;
    }
    Ok(count * 1_000_000 / start.elapsed().as_micros().max(1))
}

/// As large as it is kept, and with an edge in every direction.
fn logo() -> Result<Arc<Logo>, Box<dyn Error>> {
    let picture = RgbImage::from_fn(128, 128, |x, y| {
        let is_inside = x.abs_diff(64).pow(2) + y.abs_diff(64).pow(2) < 3_600;
        if is_inside {
            Rgb([212, 175, 55])
        } else {
            Rgb([255, 255, 255])
        }
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, ImageFormat::Png)?;
    Ok(Arc::new(Logo::read(&bytes.into_inner())?))
}
