//! Coins, bars and watches.

use tiny_skia::{Color, PathBuilder, Shader};

use super::canvas::{Canvas, around, ellipse, polygon, polyline, rounded};
use super::metal;
use super::paint::{Look, darker, lighter, linear, radial, rgb, veil};

const CENTRE: (f32, f32) = (480.0, 355.0);

/// A coin with a reeded edge, a ring of beads and a sun.
pub(super) fn coin(canvas: &mut Canvas, look: &Look) {
    canvas.shadow((505.0, 420.0), 320.0, 270.0);
    canvas.fill(
        ellipse((486.0, 364.0), 262.0, 262.0),
        Shader::SolidColor(darker(look.metal, 0.5)),
    );
    canvas.fill(
        ellipse(CENTRE, 260.0, 260.0),
        metal::turned(CENTRE, look.metal),
    );
    canvas.wire(ellipse(CENTRE, 248.0, 248.0).as_ref(), 16.0, look.metal);
    for bead in 0..60_u8 {
        relief(
            canvas,
            around(CENTRE, 222.0, f32::from(bead) * 6.0),
            5.5,
            look.metal,
        );
    }
    sun(canvas, look.metal);
}

/// A raised dot.
fn relief(canvas: &mut Canvas, at: (f32, f32), radius: f32, colour: Color) {
    canvas.fill(
        ellipse((at.0 + 1.5, at.1 + 1.5), radius, radius),
        Shader::SolidColor(darker(colour, 0.4)),
    );
    canvas.fill(
        ellipse(at, radius * 0.85, radius * 0.85),
        Shader::SolidColor(lighter(colour, 0.45)),
    );
}

fn sun(canvas: &mut Canvas, colour: Color) {
    for ray in 0..16_u8 {
        let turn = f32::from(ray) * 22.5;
        let long = if ray % 2 == 0 { 180.0 } else { 140.0 };
        let [left, right] = [turn - 8.0, turn + 8.0].map(|angle| around(CENTRE, 82.0, angle));
        let tip = around(CENTRE, long, turn);
        canvas.fill(
            polygon(&[left, tip, around(CENTRE, 82.0, turn)]),
            Shader::SolidColor(lighter(colour, 0.5)),
        );
        canvas.fill(
            polygon(&[right, tip, around(CENTRE, 82.0, turn)]),
            Shader::SolidColor(darker(colour, 0.35)),
        );
    }
    let light = (450.0, 325.0);
    let dome = [lighter(colour, 0.75), colour, darker(colour, 0.35)];
    canvas.fill(
        ellipse(CENTRE, 70.0, 70.0),
        radial(light, 120.0, 1.0, &dome),
    );
}

/// The visible faces of a bar: front, right side, top.
const FRONT: [(f32, f32); 4] = [
    (200.0, 400.0),
    (690.0, 400.0),
    (735.0, 540.0),
    (155.0, 540.0),
];
const SIDE: [(f32, f32); 4] = [
    (730.0, 240.0),
    (820.0, 350.0),
    (735.0, 540.0),
    (690.0, 400.0),
];
const TOP: [(f32, f32); 4] = [
    (280.0, 240.0),
    (730.0, 240.0),
    (690.0, 400.0),
    (200.0, 400.0),
];

/// A cast bar seen from a corner.
pub(super) fn bar(canvas: &mut Canvas, look: &Look) {
    let colour = look.metal;
    let front = [colour, darker(colour, 0.35)];
    let side = [darker(colour, 0.25), darker(colour, 0.55)];
    let top = [
        lighter(colour, 0.25),
        lighter(colour, 0.7),
        lighter(colour, 0.15),
        colour,
    ];
    canvas.shadow((500.0, 500.0), 370.0, 95.0);
    canvas.fill(polygon(&FRONT), linear((0.0, 400.0), (0.0, 540.0), &front));
    canvas.fill(
        polygon(&SIDE),
        linear((690.0, 300.0), (820.0, 500.0), &side),
    );
    canvas.fill(polygon(&TOP), linear((240.0, 240.0), (720.0, 400.0), &top));
    stamp(canvas, colour);
    let edge = polyline(&[(200.0, 400.0), (690.0, 400.0), (730.0, 240.0)]);
    canvas.line(
        edge.as_ref(),
        3.0,
        Shader::SolidColor(lighter(colour, 0.75)),
    );
}

/// The sunken field on the bar's upper face.
fn stamp(canvas: &mut Canvas, colour: Color) {
    let field = [
        (336.0, 274.0),
        (662.0, 274.0),
        (640.0, 366.0),
        (296.0, 366.0),
    ];
    canvas.line(
        polygon(&field).as_ref(),
        5.0,
        Shader::SolidColor(darker(colour, 0.3)),
    );
    for (row, length) in [(300.0, 210.0), (322.0, 150.0), (344.0, 180.0)] {
        let line = polyline(&[(480.0 - length * 0.5, row), (480.0 + length * 0.5, row)]);
        canvas.line(line.as_ref(), 8.0, Shader::SolidColor(darker(colour, 0.28)));
    }
}

/// A wrist watch from the front.
pub(super) fn watch(canvas: &mut Canvas, look: &Look) {
    canvas.shadow((505.0, 390.0), 240.0, 330.0);
    strap(canvas, look);
    let steel = rgb(0xb9bfc6);
    canvas.fill(
        rounded(668.0, 338.0, 34.0, 44.0, 8.0),
        metal::lying(338.0, 382.0, steel),
    );
    canvas.fill(
        ellipse((480.0, 360.0), 196.0, 196.0),
        metal::turned((480.0, 360.0), steel),
    );
    canvas.wire(ellipse((480.0, 360.0), 178.0, 178.0).as_ref(), 14.0, steel);
    dial(canvas, look.accent);
}

fn strap(canvas: &mut Canvas, look: &Look) {
    canvas.fill(
        polygon(&[
            (392.0, -10.0),
            (568.0, -10.0),
            (590.0, 240.0),
            (370.0, 240.0),
        ]),
        metal::cylinder(360.0, 600.0, look.metal),
    );
    canvas.fill(
        polygon(&[
            (370.0, 480.0),
            (590.0, 480.0),
            (568.0, 730.0),
            (392.0, 730.0),
        ]),
        metal::cylinder(360.0, 600.0, look.metal),
    );
}

fn dial(canvas: &mut Canvas, colour: Color) {
    const MIDDLE: (f32, f32) = (480.0, 360.0);
    canvas.fill(
        ellipse(MIDDLE, 168.0, 168.0),
        radial(
            (430.0, 300.0),
            260.0,
            1.0,
            &[lighter(colour, 0.3), colour, darker(colour, 0.4)],
        ),
    );
    let pale = colour.red() + colour.green() + colour.blue() > 2.0;
    let marks = Shader::SolidColor(rgb(if pale { 0x2a2c30 } else { 0xf4f4f0 }));
    for hour in 0..12_u8 {
        let turn = f32::from(hour) * 30.0;
        let mark = polyline(&[around(MIDDLE, 134.0, turn), around(MIDDLE, 154.0, turn)]);
        canvas.line(
            mark.as_ref(),
            if hour % 3 == 0 { 10.0 } else { 5.0 },
            marks.clone(),
        );
    }
    for (length, turn, width) in [(84.0, 215.0, 10.0), (126.0, 308.0, 7.0), (138.0, 90.0, 2.5)] {
        canvas.line(
            polyline(&[MIDDLE, around(MIDDLE, length, turn)]).as_ref(),
            width,
            marks.clone(),
        );
    }
    canvas.fill(ellipse(MIDDLE, 10.0, 10.0), marks);
    glass(canvas);
}

/// Light on the watch's glass.
fn glass(canvas: &mut Canvas) {
    let mut builder = PathBuilder::new();
    builder.move_to(340.0, 290.0);
    builder.cubic_to(380.0, 210.0, 480.0, 185.0, 560.0, 215.0);
    builder.cubic_to(470.0, 235.0, 380.0, 300.0, 330.0, 400.0);
    builder.cubic_to(318.0, 360.0, 325.0, 320.0, 340.0, 290.0);
    builder.close();
    canvas.fill(
        builder.finish(),
        Shader::SolidColor(veil(Color::WHITE, 0.16)),
    );
}
