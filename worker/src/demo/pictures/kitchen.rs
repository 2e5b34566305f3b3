//! Plates of food.

use tiny_skia::{Color, Shader};

use super::canvas::{Canvas, around, ellipse, polyline};
use super::paint::{Look, darker, lighter, linear, mix, radial, rgb, veil};

const PLATE: (f32, f32) = (480.0, 365.0);

/// Rice with two strips of kebab, a tomato and herbs.
pub(super) fn kebab(canvas: &mut Canvas, look: &Look) {
    plate(canvas, look);
    rice(canvas, look);
    strips(canvas, look);
    herbs(canvas, look);
}

/// Rice with stew.
pub(super) fn stew(canvas: &mut Canvas, look: &Look) {
    plate(canvas, look);
    rice(canvas, look);
    sauce(canvas, look);
}

/// An empty plate, seen from above at a slant.
fn plate(canvas: &mut Canvas, look: &Look) {
    let china = rgb(0xfbfaf6);
    canvas.shadow((500.0, 420.0), 400.0, 290.0);
    canvas.fill(
        ellipse(PLATE, 350.0, 255.0),
        radial(
            (400.0, 280.0),
            520.0,
            0.75,
            &[Color::WHITE, china, darker(china, 0.15)],
        ),
    );
    canvas.line(
        ellipse(PLATE, 338.0, 244.0).as_ref(),
        8.0,
        Shader::SolidColor(veil(look.accent, 0.8)),
    );
    canvas.fill(
        ellipse(PLATE, 252.0, 178.0),
        radial(
            (500.0, 400.0),
            260.0,
            0.7,
            &[china, china, darker(china, 0.12)],
        ),
    );
}

/// A pool of stew with pieces in it.
fn sauce(canvas: &mut Canvas, look: &Look) {
    let colour = [0x5a3a16, 0x4a5a1e, 0x8a3a14][usize::from(look.vary(7, 3))];
    let colour = rgb(colour);
    canvas.fill(
        ellipse((580.0, 395.0), 132.0, 108.0),
        radial(
            (550.0, 360.0),
            170.0,
            0.8,
            &[lighter(colour, 0.3), colour, darker(colour, 0.35)],
        ),
    );
    for piece in 0..11_u8 {
        let salt = u32::from(piece) + 3000;
        let at = around(
            (580.0, 395.0),
            20.0 + f32::from(look.vary(salt, 70)),
            f32::from(look.vary(salt + 50, 360)),
        );
        let shade = mix(
            darker(colour, 0.3),
            rgb(0xc88a3c),
            f32::from(look.vary(salt + 90, 8)) / 10.0,
        );
        canvas.fill(
            ellipse(at, 17.0, 13.0),
            radial(
                (at.0 - 5.0, at.1 - 5.0),
                24.0,
                0.8,
                &[lighter(shade, 0.5), shade, darker(shade, 0.3)],
            ),
        );
    }
}

fn rice(canvas: &mut Canvas, look: &Look) {
    let grain = rgb(0xf6eed8);
    canvas.fill(
        ellipse((410.0, 350.0), 150.0, 112.0),
        radial(
            (380.0, 310.0),
            190.0,
            0.8,
            &[Color::WHITE, grain, darker(grain, 0.22)],
        ),
    );
    for number in 0..260_u16 {
        let salt = u32::from(number);
        let reach = f32::from(look.vary(salt, 100)).sqrt() / 10.0;
        let (x, y) = around((0.0, 0.0), reach, f32::from(look.vary(salt + 500, 360)));
        let at = (410.0 + x * 146.0, 346.0 + y * 106.0);
        let turned = around(at, 13.0, f32::from(look.vary(salt + 900, 360)));
        let saffron = if y < -0.1 && number % 3 != 0 {
            rgb(0xf2b52a)
        } else {
            lighter(grain, 0.5)
        };
        canvas.line(
            polyline(&[at, turned]).as_ref(),
            5.5,
            Shader::SolidColor(darker(saffron, 0.12)),
        );
        canvas.line(
            polyline(&[at, turned]).as_ref(),
            3.5,
            Shader::SolidColor(saffron),
        );
    }
}

/// Two skewers' worth of kebab.
fn strips(canvas: &mut Canvas, look: &Look) {
    let browned = mix(rgb(0x7a3e1d), look.accent, 0.25);
    for (row, tilt) in [(340.0, 12.0), (400.0, 4.0)] {
        let strip = polyline(&[
            (500.0, row + tilt),
            (560.0, row),
            (620.0, row + 4.0),
            (670.0, row - tilt),
        ]);
        canvas.line_moved(
            strip.as_ref(),
            46.0,
            Shader::SolidColor(veil(Color::BLACK, 0.2)),
            (6.0, 9.0),
        );
        canvas.line(
            strip.as_ref(),
            46.0,
            linear(
                (0.0, row - 24.0),
                (0.0, row + 24.0),
                &[lighter(browned, 0.3), browned, darker(browned, 0.45)],
            ),
        );
        for mark in 0..5_u8 {
            let x = 512.0 + f32::from(mark) * 36.0;
            canvas.line(
                polyline(&[(x, row - 14.0), (x + 12.0, row + 14.0)]).as_ref(),
                7.0,
                Shader::SolidColor(darker(browned, 0.5)),
            );
        }
    }
}

/// A grilled tomato and leaves.
fn herbs(canvas: &mut Canvas, look: &Look) {
    let red = rgb(0xd13622);
    canvas.fill(
        ellipse((560.0, 478.0), 52.0, 40.0),
        radial(
            (545.0, 462.0),
            70.0,
            0.8,
            &[lighter(red, 0.45), red, darker(red, 0.4)],
        ),
    );
    for leaf in 0..9_u8 {
        let salt = u32::from(leaf) + 2000;
        let at = (
            420.0 + f32::from(look.vary(salt, 90)),
            470.0 + f32::from(look.vary(salt + 50, 36)),
        );
        let green = mix(
            rgb(0x3d8b37),
            rgb(0x8abf3c),
            f32::from(look.vary(salt + 90, 10)) / 10.0,
        );
        canvas.line(
            polyline(&[at, around(at, 24.0, f32::from(look.vary(salt + 99, 360)))]).as_ref(),
            13.0,
            Shader::SolidColor(green),
        );
    }
}
