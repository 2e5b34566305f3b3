//! Packed goods: cartons and bottles.

use tiny_skia::{Color, PathBuilder, Shader};

use super::canvas::{Canvas, ellipse, polygon, polyline, rounded};
use super::metal;
use super::paint::{Look, darker, lighter, linear, rgb, veil};

/// A folding carton with a coloured band, and a blister pack in front.
pub(super) fn carton(canvas: &mut Canvas, look: &Look) {
    canvas.shadow((510.0, 560.0), 370.0, 80.0);
    let white = rgb(0xf7f7f4);
    canvas.fill(
        polygon(&[
            (230.0, 210.0),
            (640.0, 210.0),
            (640.0, 560.0),
            (230.0, 560.0),
        ]),
        linear(
            (230.0, 210.0),
            (640.0, 560.0),
            &[white, darker(white, 0.08)],
        ),
    );
    canvas.fill(
        polygon(&[
            (640.0, 210.0),
            (740.0, 165.0),
            (740.0, 500.0),
            (640.0, 560.0),
        ]),
        linear(
            (640.0, 0.0),
            (740.0, 0.0),
            &[darker(white, 0.18), darker(white, 0.3)],
        ),
    );
    canvas.fill(
        polygon(&[
            (230.0, 210.0),
            (340.0, 165.0),
            (740.0, 165.0),
            (640.0, 210.0),
        ]),
        Shader::SolidColor(darker(white, 0.03)),
    );
    label(canvas, look.accent);
    blister(canvas, look);
}

/// The carton's band, mark and lines of print.
fn label(canvas: &mut Canvas, accent: Color) {
    canvas.fill(
        polygon(&[
            (230.0, 440.0),
            (640.0, 400.0),
            (640.0, 500.0),
            (230.0, 520.0),
        ]),
        linear((230.0, 0.0), (640.0, 0.0), &[accent, lighter(accent, 0.35)]),
    );
    canvas.fill(
        polygon(&[
            (640.0, 400.0),
            (740.0, 350.0),
            (740.0, 445.0),
            (640.0, 500.0),
        ]),
        Shader::SolidColor(darker(accent, 0.3)),
    );
    for (row, length, width, shade) in [
        (270.0, 240.0, 26.0, 0.1),
        (320.0, 170.0, 14.0, 0.0),
        (352.0, 200.0, 8.0, 0.0),
    ] {
        canvas.line(
            polyline(&[(270.0, row), (270.0 + length, row)]).as_ref(),
            width,
            Shader::SolidColor(veil(darker(accent, 0.2 + shade), 0.85)),
        );
    }
    let cross = [(582.0, 250.0, 20.0, 60.0), (562.0, 270.0, 60.0, 20.0)];
    for (x, y, width, height) in cross {
        canvas.fill(
            rounded(x, y, width, height, 4.0),
            Shader::SolidColor(accent),
        );
    }
}

fn blister(canvas: &mut Canvas, look: &Look) {
    let foil = rgb(0xc9ced4);
    canvas.shadow((470.0, 640.0), 260.0, 34.0);
    canvas.fill(
        rounded(250.0, 545.0, 400.0, 100.0, 14.0),
        linear(
            (250.0, 545.0),
            (650.0, 645.0),
            &[
                lighter(foil, 0.4),
                foil,
                lighter(foil, 0.6),
                darker(foil, 0.12),
            ],
        ),
    );
    for row in [572.0, 618.0] {
        for column in 0..7_u8 {
            let at = (280.0 + f32::from(column) * 56.0, row);
            canvas.fill(
                ellipse((at.0 + 2.0, at.1 + 3.0), 21.0, 15.0),
                Shader::SolidColor(darker(foil, 0.35)),
            );
            canvas.fill(
                ellipse(at, 20.0, 14.0),
                linear(
                    (at.0, row - 14.0),
                    (at.0, row + 14.0),
                    &[lighter(look.accent, 0.75), lighter(look.accent, 0.35)],
                ),
            );
        }
    }
}

/// A bottle with a cap and a label.
pub(super) fn bottle(canvas: &mut Canvas, look: &Look) {
    canvas.shadow((505.0, 640.0), 220.0, 44.0);
    let glass = if look.vary(1, 2) == 0 {
        look.accent
    } else {
        rgb(0x8a4b1c)
    };
    let body = body();
    canvas.fill(body.clone(), metal::cylinder(330.0, 630.0, glass));
    canvas.fill(
        rounded(418.0, 78.0, 124.0, 84.0, 12.0),
        metal::cylinder(418.0, 542.0, rgb(0xe8e8e4)),
    );
    for ridge in 0..9_u8 {
        let x = 428.0 + f32::from(ridge) * 13.0;
        canvas.line(
            polyline(&[(x, 90.0), (x, 150.0)]).as_ref(),
            2.0,
            Shader::SolidColor(veil(Color::BLACK, 0.12)),
        );
    }
    paper(canvas, look.accent);
    canvas.line(
        polyline(&[(362.0, 320.0), (362.0, 590.0)]).as_ref(),
        10.0,
        Shader::SolidColor(veil(Color::WHITE, 0.35)),
    );
}

fn body() -> Option<tiny_skia::Path> {
    let mut builder = PathBuilder::new();
    builder.move_to(432.0, 160.0);
    builder.line_to(528.0, 160.0);
    builder.line_to(528.0, 200.0);
    builder.cubic_to(528.0, 250.0, 630.0, 245.0, 630.0, 320.0);
    builder.line_to(630.0, 615.0);
    builder.quad_to(630.0, 650.0, 595.0, 650.0);
    builder.line_to(365.0, 650.0);
    builder.quad_to(330.0, 650.0, 330.0, 615.0);
    builder.line_to(330.0, 320.0);
    builder.cubic_to(330.0, 245.0, 432.0, 250.0, 432.0, 200.0);
    builder.close();
    builder.finish()
}

fn paper(canvas: &mut Canvas, accent: Color) {
    let white = rgb(0xfbfaf5);
    canvas.fill(
        rounded(330.0, 345.0, 300.0, 220.0, 2.0),
        linear(
            (330.0, 0.0),
            (630.0, 0.0),
            &[darker(white, 0.3), white, white, white, darker(white, 0.35)],
        ),
    );
    canvas.fill(
        rounded(330.0, 345.0, 300.0, 44.0, 2.0),
        linear(
            (330.0, 0.0),
            (630.0, 0.0),
            &[
                darker(accent, 0.4),
                accent,
                lighter(accent, 0.15),
                accent,
                darker(accent, 0.45),
            ],
        ),
    );
    for (row, length, width) in [
        (430.0, 170.0, 20.0),
        (468.0, 120.0, 10.0),
        (494.0, 150.0, 7.0),
        (518.0, 140.0, 7.0),
    ] {
        canvas.line(
            polyline(&[(480.0 - length * 0.5, row), (480.0 + length * 0.5, row)]).as_ref(),
            width,
            Shader::SolidColor(veil(darker(accent, 0.3), 0.8)),
        );
    }
}
