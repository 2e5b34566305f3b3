//! How polished metal reflects a room: bands of light and dark across a turned surface.

use tiny_skia::{Color, Shader};

use super::paint::{darker, lighter, linear, sweep};

/// Across a cylinder from left to right.
pub(super) fn cylinder(left: f32, right: f32, colour: Color) -> Shader<'static> {
    linear((left, 0.0), (right, 0.0), &reflections(colour))
}

/// Across a lying cylinder from top to bottom.
pub(super) fn lying(top: f32, bottom: f32, colour: Color) -> Shader<'static> {
    linear((0.0, top), (0.0, bottom), &reflections(colour))
}

/// The inside of a cylinder: the light falls on the other side.
pub(super) fn hollow(left: f32, right: f32, colour: Color) -> Shader<'static> {
    let [light, dark] = [lighter(colour, 0.15), darker(colour, 0.5)];
    linear(
        (left, 0.0),
        (right, 0.0),
        &[
            darker(colour, 0.65),
            dark,
            colour,
            light,
            colour,
            darker(colour, 0.35),
        ],
    )
}

/// A turned disc.
pub(super) fn turned(centre: (f32, f32), colour: Color) -> Shader<'static> {
    let [light, dark] = [lighter(colour, 0.55), darker(colour, 0.18)];
    sweep(
        centre,
        &[
            colour, dark, colour, light, colour, dark, colour, light, colour,
        ],
    )
}

fn reflections(colour: Color) -> [Color; 9] {
    [
        darker(colour, 0.55),
        darker(colour, 0.15),
        lighter(colour, 0.75),
        lighter(colour, 0.15),
        colour,
        darker(colour, 0.25),
        colour,
        lighter(colour, 0.35),
        darker(colour, 0.45),
    ]
}
