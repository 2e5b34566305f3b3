//! Bolts, bearings and spanners.

use tiny_skia::{Color, Path, Shader};

use super::canvas::{Canvas, around, ellipse, polygon, polyline, rounded};
use super::gem;
use super::metal;
use super::paint::{Look, darker, lighter, linear, rgb};

const STEEL: u32 = 0xa9b1ba;

/// A hexagon bolt lying on its side, its head to the left.
pub(super) fn bolt(canvas: &mut Canvas, look: &Look) {
    let steel = if look.vary(1, 3) == 0 {
        rgb(0x555a60)
    } else {
        rgb(STEEL)
    };
    canvas.shadow((490.0, 480.0), 350.0, 50.0);
    let length = 360.0 + f32::from(look.vary(2, 120));
    canvas.fill(
        rounded(270.0, 302.0, length, 116.0, 12.0),
        metal::lying(302.0, 418.0, steel),
    );
    thread(canvas, 400.0, 270.0 + length, steel);
    head(canvas, steel);
}

fn thread(canvas: &mut Canvas, from: f32, to: f32, steel: Color) {
    let mut x = from;
    while x < to - 14.0 {
        canvas.line(
            polyline(&[(x, 303.0), (x + 12.0, 417.0)]).as_ref(),
            5.0,
            Shader::SolidColor(darker(steel, 0.5)),
        );
        canvas.line(
            polyline(&[(x + 6.0, 303.0), (x + 18.0, 417.0)]).as_ref(),
            3.0,
            Shader::SolidColor(lighter(steel, 0.5)),
        );
        x += 17.0;
    }
}

/// Three of the six faces of the head.
fn head(canvas: &mut Canvas, steel: Color) {
    let faces = [
        (240.0, 300.0, 0.15, 0.55),
        (300.0, 420.0, 0.0, 0.3),
        (420.0, 480.0, -0.3, 0.0),
    ];
    for (top, bottom, bright, dark) in faces {
        let shades = [lighter(steel, 0.55 - bright), darker(steel, dark * 0.6)];
        canvas.fill(
            rounded(170.0, top, 110.0, bottom - top, 8.0),
            linear((170.0, top), (170.0, bottom), &shades),
        );
    }
    canvas.fill(
        rounded(272.0, 228.0, 18.0, 264.0, 8.0),
        metal::lying(228.0, 492.0, steel),
    );
}

/// A ball bearing from the front.
pub(super) fn bearing(canvas: &mut Canvas, look: &Look) {
    const CENTRE: (f32, f32) = (480.0, 355.0);
    let steel = rgb(STEEL);
    canvas.shadow((505.0, 410.0), 320.0, 280.0);
    canvas.fill(ring(CENTRE, 265.0, 205.0), metal::turned(CENTRE, steel));
    canvas.fill(
        ring(CENTRE, 205.0, 150.0),
        Shader::SolidColor(darker(look.accent, 0.72)),
    );
    let balls = 9 + look.vary(1, 4);
    for ball in 0..balls {
        let at = around(CENTRE, 178.0, f32::from(ball) * 360.0 / f32::from(balls));
        gem::drop_of_pearl(canvas, at, 31.0, steel);
    }
    canvas.fill(ring(CENTRE, 150.0, 96.0), metal::turned(CENTRE, steel));
    for radius in [262.0, 208.0, 147.0, 99.0] {
        canvas.line(
            ellipse(CENTRE, radius, radius).as_ref(),
            4.0,
            Shader::SolidColor(lighter(steel, 0.5)),
        );
    }
}

fn ring(centre: (f32, f32), outer: f32, inner: f32) -> Option<Path> {
    let mut builder = tiny_skia::PathBuilder::new();
    builder.push_path(&ellipse(centre, outer, outer)?);
    builder.push_path(&ellipse(centre, inner, inner)?);
    builder.finish()
}

/// A spanner with an open end and a ring end.
pub(super) fn spanner(canvas: &mut Canvas, look: &Look) {
    let chrome = rgb(0xb8c0c8);
    canvas.shadow((500.0, 470.0), 390.0, 60.0);
    canvas.fill(
        rounded(290.0, 318.0, 400.0, 84.0, 30.0),
        metal::lying(318.0, 402.0, chrome),
    );
    canvas.fill(
        rounded(360.0, 344.0, 250.0, 32.0, 16.0),
        Shader::SolidColor(darker(look.accent, 0.1)),
    );
    canvas.fill(
        ring((730.0, 360.0), 104.0, 58.0),
        metal::turned((730.0, 360.0), chrome),
    );
    canvas.line(
        ellipse((730.0, 360.0), 58.0, 58.0).as_ref(),
        5.0,
        Shader::SolidColor(darker(chrome, 0.45)),
    );
    jaw(canvas, chrome);
}

/// The open end: a round head with a notch.
fn jaw(canvas: &mut Canvas, chrome: Color) {
    let outline = [
        (130.0, 268.0),
        (180.0, 236.0),
        (250.0, 236.0),
        (306.0, 280.0),
        (330.0, 330.0),
        (330.0, 390.0),
        (306.0, 440.0),
        (250.0, 484.0),
        (180.0, 484.0),
        (130.0, 452.0),
        (150.0, 412.0),
        (228.0, 410.0),
        (252.0, 360.0),
        (228.0, 310.0),
        (150.0, 308.0),
    ];
    let path = polygon(&outline);
    canvas.fill(path.clone(), metal::lying(236.0, 484.0, chrome));
    canvas.line(
        path.as_ref(),
        7.0,
        metal::lying(236.0, 484.0, lighter(chrome, 0.2)),
    );
}
