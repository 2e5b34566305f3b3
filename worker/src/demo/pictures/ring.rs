//! Finger rings and bangles.

use tiny_skia::{Color, Path, PathBuilder, Shader};

use super::canvas::{Canvas, ellipse, inside, polyline};
use super::paint::{Look, darker, lighter, linear};
use super::{gem, metal};

/// A ring with its stone on top; without a stone a band lying on the table.
pub(super) fn ring(canvas: &mut Canvas, look: &Look) {
    match look.stone {
        Some(stone) => stone_ring(canvas, look, stone),
        None => hoop(
            canvas,
            look,
            Hoop {
                centre: (480.0, 330.0),
                radius: 210.0,
                flat: 0.52,
                tall: 70.0 + vary(look, 60),
                wall: 20.0,
            },
        ),
    }
}

/// A wide, thin hoop.
pub(super) fn bangle(canvas: &mut Canvas, look: &Look) {
    hoop(
        canvas,
        look,
        Hoop {
            centre: (480.0, 345.0),
            radius: 310.0,
            flat: 0.46,
            tall: 34.0 + vary(look, 50),
            wall: 16.0,
        },
    );
}

fn vary(look: &Look, below: u16) -> f32 {
    f32::from(look.vary(1, below))
}

fn stone_ring(canvas: &mut Canvas, look: &Look, stone: Color) {
    let size = 62.0 + f32::from(look.vary(2, 26));
    let width = 26.0 + vary(look, 14);
    canvas.shadow((500.0, 612.0), 240.0, 42.0);
    let band = ellipse((480.0, 430.0), 172.0, 176.0);
    canvas.wire(band.as_ref(), width, look.metal);
    let top = (480.0, 254.0 - size * 0.55);
    basket(canvas, top, size, look.metal);
    gem::stone(canvas, top, size, stone, look.smooth);
    prongs(canvas, top, size, look.metal);
}

/// The setting between band and stone.
fn basket(canvas: &mut Canvas, top: (f32, f32), size: f32, colour: Color) {
    for side in [-0.8, -0.3, 0.3, 0.8] {
        let strut = polyline(&[
            (top.0 + side * 24.0, 262.0),
            (top.0 + side * size, top.1 + size * 0.4),
        ]);
        canvas.wire(strut.as_ref(), 13.0, colour);
    }
}

/// Four claws over the stone's edge.
fn prongs(canvas: &mut Canvas, top: (f32, f32), size: f32, colour: Color) {
    for (x, y) in [(-0.72, -0.72), (0.72, -0.72), (-0.72, 0.72), (0.72, 0.72)] {
        let claw = (top.0 + x * size, top.1 + y * size);
        canvas.fill(
            ellipse(claw, 11.0, 11.0),
            Shader::SolidColor(darker(colour, 0.35)),
        );
        canvas.fill(
            ellipse((claw.0 - 2.0, claw.1 - 2.0), 7.5, 7.5),
            Shader::SolidColor(lighter(colour, 0.45)),
        );
    }
}

/// A hoop lying on the table, seen from above at a slant.
struct Hoop {
    /// Of the upper edge.
    centre: (f32, f32),
    radius: f32,
    /// Height of the ellipse relative to its width.
    flat: f32,
    tall: f32,
    /// Thickness of the metal.
    wall: f32,
}

impl Hoop {
    /// The ellipse at a depth below the upper edge, and a distance inside the outer wall.
    fn edge(&self, depth: f32, within: f32) -> Option<Path> {
        let radius = self.radius - within;
        ellipse(
            (self.centre.0, self.centre.1 + depth),
            radius,
            radius * self.flat,
        )
    }

    /// The outer wall: from the widest points down and around the front.
    fn wall(&self) -> Option<Path> {
        let (left, right) = (self.centre.0 - self.radius, self.centre.0 + self.radius);
        let (top, bottom) = (self.centre.1, self.centre.1 + self.tall);
        // A quarter of an ellipse as a Bézier curve: control points at 0.5523 of the half axes.
        let (reach, sink) = (self.radius * 0.5523, self.radius * self.flat);
        let mut builder = PathBuilder::new();
        builder.move_to(left, top);
        builder.line_to(left, bottom);
        builder.cubic_to(
            left,
            bottom + sink * 0.5523,
            self.centre.0 - reach,
            bottom + sink,
            self.centre.0,
            bottom + sink,
        );
        builder.cubic_to(
            self.centre.0 + reach,
            bottom + sink,
            right,
            bottom + sink * 0.5523,
            right,
            bottom,
        );
        builder.line_to(right, top);
        builder.close();
        builder.finish()
    }
}

fn hoop(canvas: &mut Canvas, look: &Look, hoop: Hoop) {
    let (x, y) = hoop.centre;
    let [left, right] = [x - hoop.radius, x + hoop.radius];
    canvas.shadow(
        (x + 24.0, y + hoop.tall + hoop.radius * hoop.flat * 0.35),
        hoop.radius * 1.25,
        hoop.radius * hoop.flat * 1.1,
    );
    canvas.fill(hoop.wall(), metal::cylinder(left, right, look.metal));
    canvas.fill(
        hoop.edge(0.0, 0.0),
        metal::cylinder(right, left, lighter(look.metal, 0.25)),
    );
    let hole = hoop.edge(0.0, hoop.wall);
    let mask = inside(hole.as_ref());
    canvas.fill(hole, metal::hollow(left, right, look.metal));
    let [_, ground] = look.backdrop;
    let floor = linear(
        (0.0, y),
        (0.0, y + hoop.radius),
        &[darker(ground, 0.18), lighter(ground, 0.2)],
    );
    canvas.fill_inside(hoop.edge(hoop.tall, hoop.wall), floor, mask.as_ref());
    groove(canvas, &hoop, look);
}

/// An engraved line around some hoops.
fn groove(canvas: &mut Canvas, hoop: &Hoop, look: &Look) {
    if look.vary(3, 2) == 0 {
        return;
    }
    let sink = hoop.radius * hoop.flat;
    for share in [0.3, 0.7] {
        let y = hoop.centre.1 + hoop.tall * share;
        let mut builder = PathBuilder::new();
        builder.move_to(hoop.centre.0 - hoop.radius + 2.0, y);
        builder.cubic_to(
            hoop.centre.0 - hoop.radius,
            y + sink * 0.5523,
            hoop.centre.0 - hoop.radius * 0.5523,
            y + sink,
            hoop.centre.0,
            y + sink,
        );
        builder.cubic_to(
            hoop.centre.0 + hoop.radius * 0.5523,
            y + sink,
            hoop.centre.0 + hoop.radius,
            y + sink * 0.5523,
            hoop.centre.0 + hoop.radius - 2.0,
            y,
        );
        canvas.line(
            builder.finish().as_ref(),
            3.0,
            Shader::SolidColor(darker(look.metal, 0.4)),
        );
    }
}
