//! The path of a feature in the plane of z₀ and the orthogonal head direction.

use super::axis::Axis;
use super::canvas::{Canvas, page};
use super::geometry::{Rect, Xy};
use super::layout::Layout;
use super::panel::{Axes, Panel, Text};
use super::theme::Pen;
use super::{Figure, Theme};

/// One finetuning run in the plane; coordinates along z₀ and along the direction orthogonal to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeaturePath {
    /// Name, such as the energy at the start.
    pub label: String,
    /// The head at the start of finetuning.
    pub head: (f64, f64),
    /// The feature over time; the first is the start, the last the end.
    pub points: Vec<(f64, f64)>,
}

/// Paths of one feature for several heads, both axes to the same scale.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hyperbolas {
    /// Name of the axis along z₀.
    pub x_label: String,
    /// Name of the axis orthogonal to z₀.
    pub y_label: String,
    /// The feature before finetuning, and its name.
    pub start: ((f64, f64), String),
    /// The paths, in the order of energy.
    pub paths: Vec<FeaturePath>,
    /// Where the feature ends for every energy in between, and the name of that curve.
    pub ends: (Vec<(f64, f64)>, String),
}

const WIDTH: f64 = 640.0;
/// Heights between which the page fits the data.
const HEIGHTS: (f64, f64) = (300.0, 640.0);

impl Figure for Hyperbolas {
    fn name(&self) -> &'static str {
        "hyperbolas"
    }

    fn svg(&self, theme: Theme) -> String {
        let layout = Layout::single();
        let seen = self.seen();
        let (mut x, mut y) = (fit(seen.iter().map(|p| p.0)), fit(seen.iter().map(|p| p.1)));
        let width = WIDTH - layout.left - layout.right - layout.margin;
        let room = layout.top + layout.bottom;
        let height = ((y.1 - y.0) / (x.1 - x.0) * width + room).clamp(HEIGHTS.0, HEIGHTS.1).round();
        // A unit is as long on one axis as on the other: the one with room to spare shows more.
        let unit = ((x.1 - x.0) / width).max((y.1 - y.0) / (height - room));
        x = widened(x, unit * width);
        y = widened(y, unit * (height - room));
        page((WIDTH as u32, height as u32), theme, "Paths of the feature", |canvas| {
            let axes = (
                Axis::linear(&self.x_label).with_range(x.0, x.1),
                Axis::linear(&self.y_label).with_range(y.0, y.1),
            );
            self.draw(canvas, layout.frames(canvas.page)[0], &axes);
        })
    }
}

impl Hyperbolas {
    fn seen(&self) -> Vec<(f64, f64)> {
        let paths = self.paths.iter().flat_map(|p| p.points.iter().chain([&p.head]));
        let all = paths.chain(&self.ends.0).chain([&self.start.0, &(0.0, 0.0)]);
        all.copied().filter(|p| p.0.abs() < 1e100 && p.1.abs() < 1e100).collect()
    }

    fn draw(&self, canvas: &mut Canvas, frame: Rect, (x, y): &(Axis, Axis)) {
        let theme = canvas.theme;
        let axes = Axes { x: (x, vec![]), y: (y, vec![]), margins: [0.0; 4] };
        let mut panel = Panel::open(canvas, frame, axes, Text::default());
        let origin = panel.at(0.0, 0.0);
        let places =
            |points: &[(f64, f64)]| -> Vec<Xy> { points.iter().map(|p| panel.at(p.0, p.1)).collect() };
        let paths: Vec<Vec<Xy>> = self.paths.iter().map(|p| places(&p.points)).collect();
        let ends = places(&self.ends.0);
        let heads: Vec<Xy> = self.paths.iter().map(|p| panel.at(p.head.0, p.head.1)).collect();
        let start = panel.at(self.start.0.0, self.start.0.1);
        let count = self.paths.len();

        for (i, &head) in heads.iter().enumerate() {
            let pen = theme.ordered_pen(i, count).solid().with_width(1.2);
            let light = pen.colour.mix(theme.background(), 0.45);
            canvas.curve_in(&frame, &[origin, head], Pen { colour: light, ..pen });
            canvas.arrow_head(origin, head, 8.0, light);
            panel.avoid_curve(vec![origin, head]);
        }
        let ink = Pen::hair(theme.ink()).with_width(1.6);
        canvas.curve_in(&frame, &[origin, start], ink);
        canvas.arrow_head(origin, start, 10.0, theme.ink());
        panel.avoid_curve(vec![origin, start]);
        canvas.curve_in(&frame, &ends, Pen::hair(theme.muted()).with_width(1.3).dotted());
        panel.avoid_curve(ends.clone());
        for (i, path) in paths.iter().enumerate() {
            let pen = theme.ordered_pen(i, count).with_width(2.2);
            canvas.curve_in(&frame, path, pen);
            if let Some((from, tip)) = middle_of(path) {
                canvas.arrow_head(from, tip, 11.0, pen.colour);
            }
            panel.avoid_curve(path.clone());
        }
        for (i, path) in paths.iter().enumerate() {
            let pen = theme.ordered_pen(i, count);
            if let Some(&end) = path.last() {
                canvas.marker(end, pen, 4.2, false);
                panel.avoid(Rect::new(end.0, end.1, end.0, end.1).grown(5.0));
                panel.note(&self.paths[i].label, end, pen.colour);
            }
        }
        panel.note(&self.start.1, start, theme.ink());
        if let (Some(first), Some(last)) = (heads.first(), heads.last()) {
            let middle = ((first.0 + last.0) / 2.0, (first.1 + last.1) / 2.0);
            panel.note("heads v₀", middle, theme.muted());
        }
        if let Some(free) = freest(&ends, paths.iter().filter_map(|p| p.last())) {
            panel.note(&self.ends.1, free, theme.muted());
        }
        panel.close(canvas);
    }
}

/// A point somewhat after the middle of a path, and one shortly before it; none on a short path.
fn middle_of(path: &[Xy]) -> Option<(Xy, Xy)> {
    let step = |w: &[Xy]| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1);
    let length: f64 = path.windows(2).map(step).sum();
    if length < 60.0 {
        return None;
    }
    let mut done = 0.0;
    let mut from = path[0];
    for pair in path.windows(2) {
        done += step(pair);
        if done <= 0.5 * length {
            from = pair[1];
        } else if done > 0.5 * length + 10.0 {
            return Some((from, pair[1]));
        }
    }
    None
}

/// The point of a curve that is farthest from some others.
fn freest<'a>(curve: &[Xy], others: impl Iterator<Item = &'a Xy> + Clone) -> Option<Xy> {
    let room = |p: &Xy| {
        let gaps = others.clone().map(|o| (o.0 - p.0).hypot(o.1 - p.1));
        gaps.fold(f64::INFINITY, f64::min)
    };
    curve.iter().copied().max_by(|a, b| room(a).total_cmp(&room(b)))
}

/// The range of some values with a margin.
fn fit(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |r, v| (r.0.min(v), r.1.max(v)));
    let span = high - low;
    if span > 1e-9 * low.abs().max(high.abs()) && span > 1e-100 {
        (low - 0.1 * span, high + 0.1 * span)
    } else if low <= high {
        (low - 1.0_f64.max(low.abs()), high + 1.0_f64.max(high.abs()))
    } else {
        (-1.0, 1.0)
    }
}

/// A range of a given length around the middle of another.
fn widened((low, high): (f64, f64), length: f64) -> (f64, f64) {
    let middle = low + (high - low) / 2.0;
    (middle - length / 2.0, middle + length / 2.0)
}
