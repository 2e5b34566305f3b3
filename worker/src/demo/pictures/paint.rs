//! Colours: what an item's attributes say about its looks, and gradients.

use serde_json::Value;
use tiny_skia::{
    Color, GradientStop, LinearGradient, Point, RadialGradient, Shader, SpreadMode, SweepGradient,
    Transform,
};

use super::super::item::DemoItem;

/// A colour from `0xRRGGBB`.
pub(super) fn rgb(hex: u32) -> Color {
    let [_, red, green, blue] = hex.to_be_bytes();
    Color::from_rgba8(red, green, blue, 255)
}

/// The colour, mixed with another in a share from 0 to 1.
pub(super) fn mix(one: Color, other: Color, share: f32) -> Color {
    let blend = |a: f32, b: f32| (a + (b - a) * share).clamp(0.0, 1.0);
    Color::from_rgba(
        blend(one.red(), other.red()),
        blend(one.green(), other.green()),
        blend(one.blue(), other.blue()),
        blend(one.alpha(), other.alpha()),
    )
    .unwrap_or(one)
}

/// Towards white.
pub(super) fn lighter(colour: Color, share: f32) -> Color {
    mix(colour, Color::WHITE, share)
}

/// Towards black.
pub(super) fn darker(colour: Color, share: f32) -> Color {
    mix(colour, Color::BLACK, share)
}

/// The colour with an opacity from 0 to 1.
pub(super) fn veil(colour: Color, opacity: f32) -> Color {
    let mut veiled = colour;
    veiled.set_alpha(opacity);
    veiled
}

/// Evenly spaced stops.
fn stops(colours: &[Color]) -> Vec<GradientStop> {
    let last = u8::try_from(colours.len().saturating_sub(1))
        .unwrap_or(u8::MAX)
        .max(1);
    (0..=last)
        .zip(colours)
        .map(|(index, colour)| GradientStop::new(f32::from(index) / f32::from(last), *colour))
        .collect()
}

fn or_first(shader: Option<Shader<'static>>, colours: &[Color]) -> Shader<'static> {
    shader.unwrap_or_else(|| Shader::SolidColor(colours.first().copied().unwrap_or(Color::BLACK)))
}

/// From one point to another.
pub(super) fn linear(from: (f32, f32), to: (f32, f32), colours: &[Color]) -> Shader<'static> {
    let [start, end] = [from, to].map(|(x, y)| Point::from_xy(x, y));
    or_first(
        LinearGradient::new(
            start,
            end,
            stops(colours),
            SpreadMode::Pad,
            Transform::identity(),
        ),
        colours,
    )
}

/// From a centre outwards; `squash` is the height of the circles relative to their width.
pub(super) fn radial(
    centre: (f32, f32),
    radius: f32,
    squash: f32,
    colours: &[Color],
) -> Shader<'static> {
    let middle = Point::from_xy(centre.0, centre.1);
    let flat = Transform::from_row(1.0, 0.0, 0.0, squash, 0.0, centre.1 * (1.0 - squash));
    or_first(
        RadialGradient::new(
            middle,
            0.0,
            middle,
            radius,
            stops(colours),
            SpreadMode::Pad,
            flat,
        ),
        colours,
    )
}

/// Around a centre.
pub(super) fn sweep(centre: (f32, f32), colours: &[Color]) -> Shader<'static> {
    let middle = Point::from_xy(centre.0, centre.1);
    let turned = SweepGradient::new(
        middle,
        0.0,
        360.0,
        stops(colours),
        SpreadMode::Pad,
        Transform::identity(),
    );
    or_first(turned, colours)
}

/// What an item's attributes say about its looks.
pub(super) struct Look {
    /// A number of the item's own, to vary details.
    pub(super) seed: u32,
    /// The colour of its metal, or of a watch's strap.
    pub(super) metal: Color,
    /// The colour of its first stone.
    pub(super) stone: Option<Color>,
    /// Whether that stone is a smooth dome rather than faceted.
    pub(super) smooth: bool,
    /// A lively colour of its own, or that of a watch's dial.
    pub(super) accent: Color,
    /// Top and bottom of the background.
    pub(super) backdrop: [Color; 2],
}

const ACCENTS: [u32; 8] = [
    0x2e7d6b, 0xc0563f, 0x3b6ea8, 0x8a4f9e, 0xd18b2c, 0x4b8f4b, 0xb03a62, 0x4a5a78,
];
const BACKDROPS: [[u32; 2]; 4] = [
    [0xf7f3ec, 0xdcd3c5],
    [0xeef1f4, 0xc8d0d8],
    [0xf5ecea, 0xd9c5c2],
    [0xecf1ec, 0xc5d2c8],
];

impl Look {
    pub(super) fn of(item: &DemoItem) -> Self {
        let seed = item.external_reference.bytes().fold(7_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        let backdrop = pick(&BACKDROPS, seed / 8);
        Self {
            seed,
            metal: metal(&item.attributes),
            stone: item.attributes["stones"][0]["stone"].as_str().map(stone),
            smooth: matches!(
                item.attributes["stones"][0]["cut"].as_str(),
                Some("cabochon" | "spherical" | "drop")
            ),
            accent: rgb(item.attributes["dial"]
                .as_str()
                .map_or_else(|| pick(&ACCENTS, seed), dial)),
            backdrop: backdrop.map(rgb),
        }
    }

    /// A whole number below `below`, another one for each `salt`.
    pub(super) const fn vary(&self, salt: u32, below: u16) -> u16 {
        let mixed = (self.seed ^ salt.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b) >> 16;
        let [.., high, low] = mixed.to_be_bytes();
        u16::from_be_bytes([high, low]) % below
    }
}

fn pick<T: Copy, const N: usize>(choices: &[T; N], seed: u32) -> T {
    choices[usize::try_from(seed).unwrap_or_default() % N]
}

fn dial(name: &str) -> u32 {
    match name {
        "black dial" => 0x222428,
        "blue dial" => 0x1f3f78,
        "green dial" => 0x1f5a42,
        "rose dial" => 0xe2b6b0,
        _ => 0xf2f1ec,
    }
}

fn metal(attributes: &Value) -> Color {
    let colour = attributes["colour"].as_str();
    if attributes["strap"] == "leather" {
        return rgb(0x6b4226);
    }
    rgb(match (attributes["metal"].as_str(), colour) {
        (Some("gold"), Some("white")) => 0xd4d6d8,
        (Some("gold"), Some("rose")) => 0xe0a086,
        (Some("gold"), _) => 0xdfb242,
        (Some("platinum"), _) => 0xc6cbd1,
        (Some("silver"), _) => 0xcbcdcf,
        _ => 0xb4bac1,
    })
}

fn stone(code: &str) -> Color {
    rgb(match code {
        "ruby" => 0xc2163c,
        "sapphire" => 0x1d46b8,
        "emerald" => 0x0f8f55,
        "amethyst" => 0x8e4fc4,
        "garnet" => 0x8c1424,
        "topaz" => 0x55b4e0,
        "peridot" => 0x9abf32,
        "turquoise" => 0x2fb8b4,
        "agate" => 0xa8321c,
        "lapis" => 0x243f9c,
        "onyx" => 0x1c1c20,
        "pearl" => 0xf1e8dc,
        _ => 0xd9eaf5,
    })
}
