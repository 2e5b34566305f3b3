//! Stones: brilliant-cut seen from above, and pearls.

use tiny_skia::{Color, Shader};

use super::canvas::{Canvas, around, ellipse, polygon};
use super::paint::{Look, darker, lighter, mix, radial, rgb, veil};

const CLEAR: u32 = 0xd9eaf5;

/// One large stone on the table.
pub(super) fn loose(canvas: &mut Canvas, look: &Look) {
    canvas.shadow((500.0, 470.0), 300.0, 130.0);
    stone(
        canvas,
        (480.0, 360.0),
        205.0,
        look.stone.unwrap_or_else(|| rgb(CLEAR)),
        look.smooth,
    );
}

/// One large pearl on the table.
pub(super) fn pearl(canvas: &mut Canvas, look: &Look) {
    canvas.shadow((500.0, 540.0), 250.0, 60.0);
    drop_of_pearl(
        canvas,
        (480.0, 365.0),
        180.0,
        look.stone.unwrap_or_else(|| rgb(0xf1e8dc)),
    );
}

/// A glossy ball.
pub(super) fn drop_of_pearl(canvas: &mut Canvas, centre: (f32, f32), radius: f32, colour: Color) {
    let light = (centre.0 - radius * 0.3, centre.1 - radius * 0.35);
    let shades = [
        Color::WHITE,
        lighter(colour, 0.4),
        colour,
        darker(colour, 0.18),
        darker(colour, 0.45),
        darker(colour, 0.3),
    ];
    canvas.fill(
        ellipse(centre, radius, radius),
        radial(light, radius * 1.45, 1.0, &shades),
    );
    canvas.fill(
        ellipse(light, radius * 0.28, radius * 0.22),
        radial(
            light,
            radius * 0.28,
            0.8,
            &[veil(Color::WHITE, 0.95), veil(Color::WHITE, 0.0)],
        ),
    );
}

/// A stone, smooth or faceted.
pub(super) fn stone(
    canvas: &mut Canvas,
    centre: (f32, f32),
    radius: f32,
    colour: Color,
    smooth: bool,
) {
    if smooth {
        drop_of_pearl(canvas, centre, radius, colour);
    } else {
        brilliant(canvas, centre, radius, colour);
    }
}

/// A stone cut in facets: girdle, two rings of facets, table.
fn brilliant(canvas: &mut Canvas, centre: (f32, f32), radius: f32, colour: Color) {
    canvas.fill(
        ellipse(centre, radius, radius),
        Shader::SolidColor(darker(colour, 0.45)),
    );
    for facet in 0..16_u8 {
        let turn = f32::from(facet) * 22.5;
        let rim = [
            around(centre, radius, turn),
            around(centre, radius, turn + 22.5),
        ];
        let crown = around(centre, radius * 0.76, turn + 11.25);
        canvas.fill(
            polygon(&[rim[0], rim[1], crown]),
            shade(colour, facet.wrapping_mul(7)),
        );
    }
    for facet in 0..8_u8 {
        kite(canvas, centre, radius, facet, colour);
    }
    table(canvas, centre, radius * 0.52, colour);
}

/// One of the eight facets between rim and table, in two halves.
fn kite(canvas: &mut Canvas, centre: (f32, f32), radius: f32, facet: u8, colour: Color) {
    let turn = f32::from(facet) * 45.0;
    let corner = around(centre, radius * 0.52, turn);
    let tip = around(centre, radius * 0.98, turn);
    let next = around(centre, radius * 0.52, turn + 45.0);
    let [left, right] =
        [turn - 11.25, turn + 11.25].map(|angle| around(centre, radius * 0.76, angle));
    canvas.fill(
        polygon(&[corner, left, tip]),
        shade(colour, facet.wrapping_mul(3).wrapping_add(1)),
    );
    canvas.fill(
        polygon(&[corner, right, tip]),
        shade(colour, facet.wrapping_mul(5).wrapping_add(4)),
    );
    let far = around(centre, radius * 0.76, turn + 33.75);
    canvas.fill(
        polygon(&[corner, right, far, next]),
        shade(colour, facet.wrapping_mul(11).wrapping_add(2)),
    );
    let between = around(centre, radius * 0.98, turn + 22.5);
    canvas.fill(
        polygon(&[right, between, far]),
        shade(colour, facet.wrapping_mul(13).wrapping_add(5)),
    );
}

fn table(canvas: &mut Canvas, centre: (f32, f32), radius: f32, colour: Color) {
    for facet in 0..8_u8 {
        let turn = f32::from(facet) * 45.0;
        let [one, other] = [turn, turn + 45.0].map(|angle| around(centre, radius, angle));
        let middle = around(centre, radius, turn + 22.5);
        canvas.fill(
            polygon(&[centre, one, middle]),
            shade(colour, facet.wrapping_mul(9).wrapping_add(3)),
        );
        canvas.fill(
            polygon(&[centre, middle, other, one]),
            shade(colour, facet.wrapping_mul(7).wrapping_add(6)),
        );
    }
    let glint = (centre.0 - radius * 0.35, centre.1 - radius * 0.4);
    canvas.fill(
        ellipse(glint, radius * 0.5, radius * 0.4),
        radial(
            glint,
            radius * 0.5,
            0.8,
            &[veil(Color::WHITE, 0.8), veil(Color::WHITE, 0.0)],
        ),
    );
}

/// The brightness of a facet: each reflects another part of the room.
fn shade(colour: Color, facet: u8) -> Shader<'static> {
    Shader::SolidColor(match facet % 6 {
        0 => lighter(colour, 0.6),
        1 => darker(colour, 0.3),
        2 => lighter(colour, 0.2),
        3 => colour,
        4 => mix(darker(colour, 0.15), rgb(0x8fb4d6), 0.15),
        _ => lighter(colour, 0.8),
    })
}
