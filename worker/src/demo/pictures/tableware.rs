//! Cups, bowls and glasses.

use tiny_skia::{Color, PathBuilder, Shader};

use super::canvas::{Canvas, around, ellipse, polygon, polyline};
use super::metal;
use super::paint::{Look, darker, lighter, linear, mix, radial, rgb, veil};

const CHINA: u32 = 0xf8f6f1;

/// A cup on a saucer with steam.
pub(super) fn cup(canvas: &mut Canvas, look: &Look) {
    let china = rgb(CHINA);
    canvas.shadow((500.0, 600.0), 330.0, 66.0);
    canvas.fill(
        ellipse((470.0, 580.0), 300.0, 62.0),
        linear(
            (170.0, 0.0),
            (770.0, 0.0),
            &[
                darker(china, 0.2),
                china,
                Color::WHITE,
                darker(china, 0.12),
                darker(china, 0.3),
            ],
        ),
    );
    canvas.fill(
        ellipse((470.0, 570.0), 210.0, 36.0),
        Shader::SolidColor(darker(china, 0.14)),
    );
    canvas.wire(ellipse((680.0, 400.0), 70.0, 82.0).as_ref(), 26.0, china);
    bowl(canvas, look, china);
    drink(canvas, look, china);
    steam(canvas);
}

fn bowl(canvas: &mut Canvas, look: &Look, china: Color) {
    let mut builder = PathBuilder::new();
    builder.move_to(250.0, 290.0);
    builder.cubic_to(255.0, 470.0, 330.0, 572.0, 400.0, 574.0);
    builder.line_to(540.0, 574.0);
    builder.cubic_to(610.0, 572.0, 685.0, 470.0, 690.0, 290.0);
    builder.close();
    canvas.fill(
        builder.finish(),
        metal::cylinder(240.0, 700.0, mix(china, look.accent, 0.2)),
    );
    let mut band = PathBuilder::new();
    band.move_to(262.0, 370.0);
    band.cubic_to(330.0, 425.0, 610.0, 425.0, 678.0, 370.0);
    canvas.line(
        band.finish().as_ref(),
        12.0,
        Shader::SolidColor(look.accent),
    );
}

fn drink(canvas: &mut Canvas, look: &Look, china: Color) {
    let brewed = mix(rgb(0x7a3b12), look.accent, 0.25);
    canvas.fill(
        ellipse((470.0, 290.0), 220.0, 62.0),
        Shader::SolidColor(lighter(china, 0.5)),
    );
    canvas.fill(
        ellipse((470.0, 298.0), 202.0, 50.0),
        radial(
            (430.0, 285.0),
            240.0,
            0.28,
            &[lighter(brewed, 0.4), brewed, darker(brewed, 0.45)],
        ),
    );
}

fn steam(canvas: &mut Canvas) {
    for x in [400.0, 470.0, 540.0] {
        let mut builder = PathBuilder::new();
        builder.move_to(x, 250.0);
        builder.cubic_to(x - 50.0, 200.0, x + 50.0, 150.0, x, 80.0);
        let wisp = builder.finish();
        for (width, opacity) in [(30.0, 0.12), (18.0, 0.16), (8.0, 0.2)] {
            canvas.line(
                wisp.as_ref(),
                width,
                Shader::SolidColor(veil(Color::WHITE, opacity)),
            );
        }
    }
}

/// A bowl of soup, ash or dessert, garnished.
pub(super) fn soup(canvas: &mut Canvas, look: &Look) {
    let served = [0xd98a2b, 0x8a8f3a, 0xe8c46a, 0xa84a22][usize::from(look.vary(11, 4))];
    dish(canvas, look, rgb(served));
    for leaf in 0..10_u8 {
        let salt = u32::from(leaf) + 60;
        let at = (
            380.0 + f32::from(look.vary(salt, 200)),
            284.0 + f32::from(look.vary(salt + 40, 40)),
        );
        let green = mix(
            rgb(0x3d8b37),
            rgb(0xf4e8c8),
            f32::from(look.vary(salt + 80, 9)) / 10.0,
        );
        canvas.line(
            polyline(&[at, around(at, 16.0, f32::from(look.vary(salt + 99, 360)))]).as_ref(),
            8.0,
            Shader::SolidColor(green),
        );
    }
    steam(canvas);
}

/// A bowl heaped with leaves, tomato and cucumber.
pub(super) fn salad(canvas: &mut Canvas, look: &Look) {
    dish(canvas, look, rgb(0x4f8f35));
    for piece in 0..90_u8 {
        let salt = u32::from(piece) + 400;
        let reach = f32::from(look.vary(salt, 100)).sqrt() / 10.0;
        let (x, y) = around((0.0, 0.0), reach, f32::from(look.vary(salt + 100, 360)));
        let at = (480.0 + x * 236.0, 268.0 + y * 70.0);
        let colour = rgb([0x5fa83a, 0x7fc24a, 0x3f8a30, 0xa8d46a, 0xd83a28, 0xd9ecc0]
            [usize::from(look.vary(salt + 200, 6))]);
        let leaf = radial(
            (at.0 - 6.0, at.1 - 6.0),
            42.0,
            0.8,
            &[lighter(colour, 0.35), colour, darker(colour, 0.35)],
        );
        canvas.fill(
            ellipse(at, 30.0, 17.0 + f32::from(look.vary(salt + 300, 10))),
            leaf,
        );
    }
}

/// A deep bowl filled with one colour.
fn dish(canvas: &mut Canvas, look: &Look, served: Color) {
    let china = rgb(CHINA);
    canvas.shadow((500.0, 600.0), 300.0, 60.0);
    let mut builder = PathBuilder::new();
    builder.move_to(200.0, 300.0);
    builder.cubic_to(210.0, 480.0, 330.0, 600.0, 400.0, 604.0);
    builder.line_to(560.0, 604.0);
    builder.cubic_to(630.0, 600.0, 750.0, 480.0, 760.0, 300.0);
    builder.close();
    canvas.fill(
        builder.finish(),
        metal::cylinder(190.0, 770.0, mix(china, look.accent, 0.3)),
    );
    canvas.fill(
        ellipse((480.0, 300.0), 280.0, 92.0),
        Shader::SolidColor(lighter(china, 0.5)),
    );
    canvas.fill(
        ellipse((480.0, 308.0), 256.0, 76.0),
        radial(
            (430.0, 290.0),
            300.0,
            0.3,
            &[lighter(served, 0.35), served, darker(served, 0.3)],
        ),
    );
}

/// A tall glass with ice and a straw.
pub(super) fn glass(canvas: &mut Canvas, look: &Look) {
    let drink =
        rgb([0xe03a3a, 0xf2a02a, 0xf6f2e6, 0x8a2a4a, 0xc8e06a][usize::from(look.vary(5, 5))]);
    canvas.shadow((500.0, 640.0), 180.0, 38.0);
    canvas.line(
        polyline(&[(520.0, 600.0), (590.0, 90.0)]).as_ref(),
        16.0,
        Shader::SolidColor(look.accent),
    );
    let filled = polygon(&[
        (366.0, 250.0),
        (594.0, 250.0),
        (566.0, 636.0),
        (394.0, 636.0),
    ]);
    canvas.fill(
        filled,
        linear(
            (366.0, 0.0),
            (594.0, 0.0),
            &[
                darker(drink, 0.3),
                drink,
                lighter(drink, 0.4),
                drink,
                darker(drink, 0.2),
            ],
        ),
    );
    canvas.fill(
        ellipse((480.0, 250.0), 114.0, 22.0),
        Shader::SolidColor(lighter(drink, 0.35)),
    );
    for (x, y) in [(430.0, 275.0), (500.0, 262.0), (460.0, 330.0)] {
        let ice = polygon(&[
            (x, y - 22.0),
            (x + 38.0, y - 10.0),
            (x + 32.0, y + 30.0),
            (x - 8.0, y + 20.0),
        ]);
        canvas.fill(ice, Shader::SolidColor(veil(Color::WHITE, 0.45)));
    }
    rim(canvas);
}

/// The walls of the glass.
fn rim(canvas: &mut Canvas) {
    let clear = Shader::SolidColor(veil(rgb(0x8fa0ac), 0.7));
    canvas.line(
        ellipse((480.0, 170.0), 124.0, 24.0).as_ref(),
        5.0,
        clear.clone(),
    );
    canvas.line(
        polyline(&[
            (356.0, 170.0),
            (390.0, 644.0),
            (570.0, 644.0),
            (604.0, 170.0),
        ])
        .as_ref(),
        7.0,
        clear,
    );
    canvas.line(
        polyline(&[(396.0, 230.0), (414.0, 590.0)]).as_ref(),
        12.0,
        Shader::SolidColor(veil(Color::WHITE, 0.4)),
    );
}
