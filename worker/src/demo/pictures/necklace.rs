//! Chains, necklaces and earrings.

use tiny_skia::{Color, PathBuilder, Shader};

use super::canvas::{Canvas, around, ellipse};
use super::gem;
use super::paint::{Look, darker, veil};

/// A chain laid in a loop.
pub(super) fn chain(canvas: &mut Canvas, look: &Look) {
    let outline = ellipse((480.0, 360.0), 280.0, 190.0);
    for (width, opacity) in [(30.0, 0.06), (20.0, 0.08), (11.0, 0.1)] {
        canvas.line_moved(
            outline.as_ref(),
            width,
            Shader::SolidColor(veil(Color::BLACK, opacity)),
            (10.0, 16.0),
        );
    }
    let links = 26 + look.vary(1, 5) * 4;
    for link in 0..links {
        let at = |index: u16| oval_point(f32::from(index) * 360.0 / f32::from(links));
        bead(canvas, at(link), at(link + 1), 17.0, look.metal);
    }
    gem::drop_of_pearl(canvas, oval_point(90.0), 20.0, look.metal);
}

fn oval_point(degrees: f32) -> (f32, f32) {
    let (x, y) = around((0.0, 0.0), 1.0, degrees);
    (480.0 + x * 280.0, 360.0 + y * 190.0)
}

/// An oval link from one point to the next.
fn bead(canvas: &mut Canvas, from: (f32, f32), to: (f32, f32), width: f32, colour: Color) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let across = (-dy * 0.32, dx * 0.32);
    let mut builder = PathBuilder::new();
    builder.move_to(from.0 - dx * 0.14, from.1 - dy * 0.14);
    let far = (to.0 + dx * 0.14, to.1 + dy * 0.14);
    builder.cubic_to(
        from.0 + across.0,
        from.1 + across.1,
        to.0 + across.0,
        to.1 + across.1,
        far.0,
        far.1,
    );
    let near = (from.0 - dx * 0.14, from.1 - dy * 0.14);
    builder.cubic_to(
        to.0 - across.0,
        to.1 - across.1,
        from.0 - across.0,
        from.1 - across.1,
        near.0,
        near.1,
    );
    builder.close();
    canvas.wire(builder.finish().as_ref(), width * 0.62, colour);
}

/// A chain hanging in a curve with a pendant.
pub(super) fn necklace(canvas: &mut Canvas, look: &Look) {
    const LINKS: u8 = 56;
    for link in 0..LINKS {
        bead(
            canvas,
            hanging(f32::from(link) / f32::from(LINKS)),
            hanging(f32::from(link + 1) / f32::from(LINKS)),
            12.0,
            look.metal,
        );
    }
    pendant(canvas, look);
}

/// A point of the chain, from 0 at the upper left to 1 at the upper right.
fn hanging(share: f32) -> (f32, f32) {
    let side = share * 2.0 - 1.0;
    let drop = 1.0 - side.abs().powf(2.4);
    (480.0 + side * (300.0 - 20.0 * drop), 40.0 + drop * 390.0)
}

fn pendant(canvas: &mut Canvas, look: &Look) {
    canvas.shadow((490.0, 652.0), 90.0, 16.0);
    canvas.wire(
        ellipse((480.0, 448.0), 14.0, 20.0).as_ref(),
        8.0,
        look.metal,
    );
    match (look.stone, look.vary(2, 3)) {
        (Some(stone), _) => {
            canvas.wire(
                ellipse((480.0, 540.0), 76.0, 76.0).as_ref(),
                18.0,
                look.metal,
            );
            gem::stone(canvas, (480.0, 540.0), 68.0, stone, look.smooth);
        }
        (None, 0) => heart(canvas, look.metal),
        (None, 1) => medal(canvas, look.metal),
        (None, _) => crescent(canvas, look.metal),
    }
}

fn heart(canvas: &mut Canvas, colour: Color) {
    let mut builder = PathBuilder::new();
    builder.move_to(480.0, 505.0);
    builder.cubic_to(450.0, 450.0, 375.0, 475.0, 395.0, 545.0);
    builder.cubic_to(405.0, 585.0, 455.0, 610.0, 480.0, 650.0);
    builder.cubic_to(505.0, 610.0, 555.0, 585.0, 565.0, 545.0);
    builder.cubic_to(585.0, 475.0, 510.0, 450.0, 480.0, 505.0);
    builder.close();
    let path = builder.finish();
    canvas.fill(path.clone(), super::metal::turned((480.0, 560.0), colour));
    canvas.wire(path.as_ref(), 16.0, colour);
}

fn medal(canvas: &mut Canvas, colour: Color) {
    canvas.fill(
        ellipse((480.0, 545.0), 78.0, 78.0),
        super::metal::turned((480.0, 545.0), colour),
    );
    canvas.wire(ellipse((480.0, 545.0), 78.0, 78.0).as_ref(), 16.0, colour);
    for ray in 0..8_u8 {
        let point = around((480.0, 545.0), 44.0, f32::from(ray) * 45.0);
        gem::drop_of_pearl(canvas, point, 9.0, colour);
    }
}

fn crescent(canvas: &mut Canvas, colour: Color) {
    let mut builder = PathBuilder::new();
    builder.move_to(500.0, 468.0);
    builder.cubic_to(395.0, 475.0, 375.0, 620.0, 500.0, 632.0);
    builder.cubic_to(545.0, 634.0, 560.0, 615.0, 566.0, 600.0);
    builder.cubic_to(480.0, 610.0, 450.0, 520.0, 500.0, 468.0);
    builder.close();
    let path = builder.finish();
    canvas.fill(path.clone(), super::metal::turned((480.0, 550.0), colour));
    canvas.wire(path.as_ref(), 12.0, colour);
}

/// A pair of earrings side by side.
pub(super) fn earrings(canvas: &mut Canvas, look: &Look) {
    for x in [320.0, 640.0] {
        canvas.shadow((x + 20.0, 590.0), 130.0, 34.0);
        match look.stone {
            Some(stone) => drop_earring(canvas, x, stone, look),
            None => hoop_earring(canvas, x, look.metal),
        }
    }
}

fn drop_earring(canvas: &mut Canvas, x: f32, stone: Color, look: &Look) {
    let colour = look.metal;
    hook(canvas, x, colour);
    canvas.wire(ellipse((x, 300.0), 12.0, 18.0).as_ref(), 8.0, colour);
    canvas.wire(ellipse((x, 425.0), 102.0, 102.0).as_ref(), 20.0, colour);
    gem::stone(canvas, (x, 425.0), 92.0, stone, look.smooth);
}

fn hoop_earring(canvas: &mut Canvas, x: f32, colour: Color) {
    hook(canvas, x, colour);
    canvas.wire(ellipse((x, 415.0), 112.0, 135.0).as_ref(), 30.0, colour);
    canvas.fill(
        ellipse((x, 284.0), 14.0, 14.0),
        Shader::SolidColor(darker(colour, 0.2)),
    );
}

/// The hook through the ear.
fn hook(canvas: &mut Canvas, x: f32, colour: Color) {
    let mut builder = PathBuilder::new();
    builder.move_to(x, 290.0);
    builder.cubic_to(x, 220.0, x - 10.0, 150.0, x + 34.0, 150.0);
    builder.cubic_to(x + 72.0, 150.0, x + 66.0, 210.0, x + 66.0, 250.0);
    canvas.wire(builder.finish().as_ref(), 9.0, colour);
}
