//! The drawing surface: a table top with soft light, and the few strokes that all pictures are made of.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Mask, Paint, Path, PathBuilder, Pixmap, Rect, Shader,
    Stroke, Transform,
};

use super::paint::{Look, darker, lighter, linear, radial, rgb, veil};
use super::{HEIGHT, WIDTH};

/// A picture being drawn. Coordinates are pixels from the upper left corner.
pub(super) struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    /// A fresh surface with the item's backdrop; none when memory is lacking.
    pub(super) fn new(look: &Look) -> Option<Self> {
        let mut canvas = Self {
            pixmap: Pixmap::new(WIDTH, HEIGHT)?,
        };
        let [top, bottom] = look.backdrop;
        canvas.fill(
            rectangle(0.0, 0.0, 960.0, 720.0),
            linear((0.0, 0.0), (0.0, 720.0), &[lighter(top, 0.4), top, bottom]),
        );
        let light = [veil(Color::WHITE, 0.75), veil(Color::WHITE, 0.0)];
        canvas.fill(
            rectangle(0.0, 0.0, 960.0, 720.0),
            radial((400.0, 250.0), 520.0, 0.8, &light),
        );
        Some(canvas)
    }

    /// RGBA rows from the top.
    pub(super) fn into_pixels(self) -> Vec<u8> {
        self.pixmap.take()
    }

    /// Fills a shape; overlapping outlines leave a hole.
    pub(super) fn fill(&mut self, path: Option<Path>, shader: Shader<'static>) {
        self.fill_inside(path, shader, None);
    }

    /// Fills a shape where the mask allows it.
    pub(super) fn fill_inside(
        &mut self,
        path: Option<Path>,
        shader: Shader<'static>,
        mask: Option<&Mask>,
    ) {
        let Some(path) = path else { return };
        self.pixmap.fill_path(
            &path,
            &paint(shader),
            FillRule::EvenOdd,
            Transform::identity(),
            mask,
        );
    }

    /// Draws along a path with round ends.
    pub(super) fn line(&mut self, path: Option<&Path>, width: f32, shader: Shader<'static>) {
        self.line_moved(path, width, shader, (0.0, 0.0));
    }

    /// Draws along a path that is moved by an offset.
    pub(super) fn line_moved(
        &mut self,
        path: Option<&Path>,
        width: f32,
        shader: Shader<'static>,
        by: (f32, f32),
    ) {
        let Some(path) = path else { return };
        let stroke = Stroke {
            width,
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        self.pixmap.stroke_path(
            path,
            &paint(shader),
            &stroke,
            Transform::from_translate(by.0, by.1),
            None,
        );
    }

    /// A soft shadow on the table, around a centre.
    pub(super) fn shadow(&mut self, centre: (f32, f32), width: f32, height: f32) {
        let dark = rgb(0x2a221a);
        let fading = [
            veil(dark, 0.5),
            veil(dark, 0.28),
            veil(dark, 0.08),
            veil(dark, 0.0),
        ];
        self.fill(
            ellipse(centre, width, height),
            radial(centre, width, height / width, &fading),
        );
    }

    /// A polished round wire along a path.
    pub(super) fn wire(&mut self, path: Option<&Path>, width: f32, colour: Color) {
        let shades = [
            (1.0, darker(colour, 0.55)),
            (0.86, darker(colour, 0.3)),
            (0.66, colour),
            (0.44, lighter(colour, 0.25)),
            (0.24, lighter(colour, 0.55)),
            (0.1, lighter(colour, 0.85)),
        ];
        for (share, shade) in shades {
            let raised = (1.0 - share) * width * -0.16;
            self.line_moved(
                path,
                width * share,
                Shader::SolidColor(shade),
                (raised, raised),
            );
        }
    }
}

fn paint(shader: Shader<'static>) -> Paint<'static> {
    Paint {
        shader,
        anti_alias: true,
        ..Paint::default()
    }
}

/// A rectangle from its upper left corner.
pub(super) fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Option<Path> {
    Rect::from_xywh(x, y, width, height).map(PathBuilder::from_rect)
}

/// An ellipse from its centre and half axes.
pub(super) fn ellipse(centre: (f32, f32), width: f32, height: f32) -> Option<Path> {
    Rect::from_xywh(
        centre.0 - width,
        centre.1 - height,
        width * 2.0,
        height * 2.0,
    )
    .and_then(PathBuilder::from_oval)
}

/// A closed outline through corners.
pub(super) fn polygon(corners: &[(f32, f32)]) -> Option<Path> {
    outline(corners, true)
}

/// An open line through points.
pub(super) fn polyline(points: &[(f32, f32)]) -> Option<Path> {
    outline(points, false)
}

fn outline(points: &[(f32, f32)], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (index, (x, y)) in points.iter().enumerate() {
        if index == 0 {
            builder.move_to(*x, *y)
        } else {
            builder.line_to(*x, *y)
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

/// A rectangle with rounded corners.
pub(super) fn rounded(x: f32, y: f32, width: f32, height: f32, radius: f32) -> Option<Path> {
    let (right, bottom) = (x + width, y + height);
    let mut builder = PathBuilder::new();
    builder.move_to(x + radius, y);
    builder.line_to(right - radius, y);
    builder.quad_to(right, y, right, y + radius);
    builder.line_to(right, bottom - radius);
    builder.quad_to(right, bottom, right - radius, bottom);
    builder.line_to(x + radius, bottom);
    builder.quad_to(x, bottom, x, bottom - radius);
    builder.line_to(x, y + radius);
    builder.quad_to(x, y, x + radius, y);
    builder.close();
    builder.finish()
}

/// The inside of a shape as a mask; none when memory is lacking.
pub(super) fn inside(path: Option<&Path>) -> Option<Mask> {
    let mut mask = Mask::new(WIDTH, HEIGHT)?;
    mask.fill_path(path?, FillRule::EvenOdd, true, Transform::identity());
    Some(mask)
}

/// The point of a circle at an angle in degrees, clockwise from the right.
pub(super) fn around(centre: (f32, f32), radius: f32, degrees: f32) -> (f32, f32) {
    let angle = degrees.to_radians();
    (
        centre.0 + radius * angle.cos(),
        centre.1 + radius * angle.sin(),
    )
}
