//! Drawing with sub-pixel coordinates on the SVG backend of plotters.
//!
//! The backend counts in whole pixels, too coarse for smooth curves. The canvas therefore draws on a grid of [`GRID`]
//! steps per pixel and states the size of the page in pixels in the opening tag. Dashes, clipping and markers are
//! geometry here, as the backend has none.

use plotters::prelude::{DrawingBackend, RGBAColor, SVGBackend, ShapeStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, FontTransform, TextStyle};

use super::geometry::{Rect, Xy, clip_curve, dashes, finite, marker_outline, simplify};
use super::text;
use super::theme::{Colour, Marker, Pen, Theme};

/// Steps of the drawing grid per pixel.
const GRID: f64 = 16.0;
/// A curve may be simplified by this many pixels.
const SIMPLIFY: f64 = 0.06;
/// The fonts that an SVG asks for; the first one is bundled for PNG.
const FONTS: &str = "DejaVu Sans, Verdana, sans-serif";

/// Which end of a text lies at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Start,
    Middle,
    End,
}

/// The page that a figure draws on.
pub(crate) struct Canvas<'a> {
    backend: SVGBackend<'a>,
    pub(crate) theme: Theme,
    pub(crate) page: Rect,
}

/// Draws a page of a width and height in pixels; `title` is what a screen reader reads.
pub(crate) fn page(
    (width, height): (u32, u32),
    theme: Theme,
    title: &str,
    draw: impl FnOnce(&mut Canvas),
) -> String {
    let scale = GRID as u32;
    let mut body = String::new();
    let backend = SVGBackend::with_string(&mut body, (width * scale, height * scale));
    let whole = Rect::new(0.0, 0.0, width.into(), height.into());
    let mut canvas = Canvas { backend, theme, page: whole };
    canvas.rect(whole, theme.background(), 1.0);
    draw(&mut canvas);
    written(canvas.backend.present());
    drop(canvas);
    let rest = body.split_once('\n').map_or("", |(_, rest)| rest);
    format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" role=\"img\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n<title>{}</title>\n{rest}",
        width * scale,
        height * scale,
        escape(&legal(title)),
    )
}

/// Text as XML or HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Characters that XML 1.0 does not allow in a document are left out.
fn legal(text: &str) -> String {
    text.chars().filter(|&c| c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}')).collect()
}

fn written<T, E: std::fmt::Debug>(result: Result<T, E>) {
    result.map(drop).expect("an SVG in memory can be written");
}

fn grid((x, y): Xy) -> (i32, i32) {
    // `as` saturates, and NaN never comes here: paths are cut where they are not finite.
    ((x * GRID).round() as i32, (y * GRID).round() as i32)
}

fn style(colour: Colour, alpha: f64, width: f64) -> ShapeStyle {
    let color = RGBAColor(colour.0, colour.1, colour.2, alpha);
    ShapeStyle { color, filled: false, stroke_width: (width * GRID).round().max(1.0) as u32 }
}

impl Canvas<'_> {
    /// A filled rectangle.
    pub(crate) fn rect(&mut self, r: Rect, colour: Colour, alpha: f64) {
        self.polygon(
            &[(r.left, r.top), (r.right, r.top), (r.right, r.bottom), (r.left, r.bottom)],
            colour,
            alpha,
        );
    }

    /// A filled polygon.
    pub(crate) fn polygon(&mut self, points: &[Xy], colour: Colour, alpha: f64) {
        if points.len() < 3 || !points.iter().all(finite) {
            return;
        }
        let style = style(colour, alpha, 0.0);
        written(self.backend.fill_polygon(points.iter().copied().map(grid), &style));
    }

    /// A curve through points; it breaks where a point is not finite.
    pub(crate) fn curve(&mut self, points: &[Xy], pen: Pen) {
        for part in points.split(|p| !finite(p)).filter(|part| part.len() > 1) {
            let style = style(pen.colour, pen.alpha, pen.width);
            for dash in dashes(&simplify(part, SIMPLIFY), pen.dash) {
                let mut dash: Vec<_> = dash.into_iter().map(grid).collect();
                dash.dedup();
                if dash.len() > 1 {
                    written(self.backend.draw_path(dash, &style));
                }
            }
        }
    }

    /// A curve of which only the part inside `window` is seen.
    pub(crate) fn curve_in(&mut self, window: &Rect, points: &[Xy], pen: Pen) {
        self.curve(&clip_curve(window, points), pen);
    }

    /// A straight line.
    pub(crate) fn line(&mut self, a: Xy, b: Xy, pen: Pen) {
        self.curve(&[a, b], pen);
    }

    /// A marker of a given radius; open markers are filled with the page.
    pub(crate) fn marker(&mut self, at: Xy, pen: Pen, radius: f64, open: bool) {
        if !finite(&at) {
            return;
        }
        let outline = marker_outline(pen.marker, at, radius);
        if pen.marker == Marker::Cross {
            let pen = pen.solid().with_width(radius * 0.6);
            self.line(outline[0], outline[2], pen);
            self.line(outline[1], outline[3], pen);
            return;
        }
        let (fill, alpha) = if open { (self.theme.background(), 1.0) } else { (pen.colour, pen.alpha) };
        if pen.marker == Marker::Circle {
            let radius = (radius * GRID).round().max(1.0) as u32;
            written(self.backend.draw_circle(grid(at), radius, &style(fill, alpha, 0.0), true));
        } else {
            self.polygon(&outline, fill, alpha);
        }
        if open {
            let closed: Vec<Xy> = outline.iter().chain(&outline[..1]).copied().collect();
            self.curve(&closed, pen.solid().with_width(1.6));
        }
    }

    /// An arrow head that ends at `tip` and comes from `from`.
    pub(crate) fn arrow_head(&mut self, from: Xy, tip: Xy, size: f64, colour: Colour) {
        let (dx, dy) = (tip.0 - from.0, tip.1 - from.1);
        let length = dx.hypot(dy);
        if !(length > 0.0 && length.is_finite()) {
            return;
        }
        let (ux, uy) = (dx / length, dy / length);
        let base = (tip.0 - size * ux, tip.1 - size * uy);
        let half = 0.38 * size;
        let wing = |s: f64| (base.0 - s * half * uy, base.1 + s * half * ux);
        self.polygon(&[tip, wing(1.0), wing(-1.0)], colour, 1.0);
    }

    /// A line of text with its baseline at `at`.
    pub(crate) fn text(&mut self, text: &str, at: Xy, size: f64, align: Align, colour: Colour) {
        self.write(text, at, size, align, colour, false);
    }

    /// The same, read from bottom to top.
    pub(crate) fn text_upwards(&mut self, text: &str, at: Xy, size: f64, align: Align, colour: Colour) {
        self.write(text, at, size, align, colour, true);
    }

    fn write(&mut self, text: &str, at: Xy, size: f64, align: Align, colour: Colour, upwards: bool) {
        if !finite(&at) {
            return;
        }
        let (runs, width) = text::layout(&legal(text), size);
        let (anchor, start) = match (align, runs.len()) {
            (Align::Start, _) => (HPos::Left, 0.0),
            // A single run is aligned by the viewer, who knows its font.
            (Align::Middle, 1) => (HPos::Center, 0.0),
            (Align::End, 1) => (HPos::Right, 0.0),
            (Align::Middle, _) => (HPos::Left, -width / 2.0),
            (Align::End, _) => (HPos::Left, -width),
        };
        let turn = if upwards { FontTransform::Rotate270 } else { FontTransform::None };
        let colour = RGBAColor(colour.0, colour.1, colour.2, 1.0);
        for run in runs {
            // The backend puts the top of a text 0.76 em above its baseline, and 1.24 is its own idea
            // of the ratio between two kinds of font size.
            let (along, below) = (start + run.dx, run.dy - 0.76 * run.size);
            let at = if upwards { (at.0 + below, at.1 - along) } else { (at.0 + along, at.1 + below) };
            let size = run.size * GRID * 1.24;
            let font = FontDesc::new(FontFamily::Name(FONTS), size, FontStyle::Normal);
            let style = TextStyle::from(font.transform(turn.clone()))
                .color(&colour)
                .pos(Pos::new(anchor, VPos::Top));
            written(self.backend.draw_text(&run.text, &style, grid(at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let svg = page((10, 10), Theme::Light, "a < b & c", |canvas| {
            canvas.text("<&>\u{7}", (1.0, 1.0), 5.0, Align::Start, canvas.theme.ink());
        });
        assert!(svg.contains("&lt;&amp;&gt;") && svg.contains("a &lt; b &amp; c"));
        assert!(!svg.contains('\u{7}'));
    }
}
