//! Label smoothing: the energy that is left after probing, and its floor.

use super::axis::Axis;
use super::canvas::{Canvas, page};
use super::geometry::Rect;
use super::layout::{Layout, PAGE_WIDTH};
use super::panel::{Axes, Panel, Text};
use super::text::short;
use super::theme::Pen;
use super::{Figure, Theme};

/// The probing path of one smoothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SmoothingCurve {
    /// What it is of, beside the smoothing; empty if all curves are of the same.
    pub name: String,
    /// ε
    pub epsilon: f64,
    /// Probing times from 0 to ∞ inclusive.
    pub time: Vec<f64>,
    /// Energy that is left at each time.
    pub energy: Vec<f64>,
    /// Energy that no probing time goes below, or NaN.
    pub floor: f64,
}

/// Energy against probing time for several smoothings, and the floor against the smoothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Smoothing {
    /// Name of the axis of probing time, with its unit.
    pub time_label: String,
    /// Name of the axis of energy.
    pub energy_label: String,
    /// The curves, in the order of ε.
    pub curves: Vec<SmoothingCurve>,
    /// Name of the axis of ε.
    pub epsilon_label: String,
    /// Name of the axis of the floor.
    pub floor_label: String,
    /// The floor for many ε, a line for each thing that curves are of: pairs (ε, energy).
    pub floors: Vec<Vec<(f64, f64)>>,
}

impl Figure for Smoothing {
    fn name(&self) -> &'static str {
        "smoothing"
    }

    fn svg(&self, theme: Theme) -> String {
        page((PAGE_WIDTH, 320), theme, "Label smoothing leaves an energy floor", |canvas| {
            let split = canvas.page.width() * 0.62;
            let (mut left, mut right) = (canvas.page, canvas.page);
            (left.right, right.left) = (split, split);
            self.draw_paths(canvas, left);
            self.draw_floors(canvas, right);
        })
    }
}

impl Smoothing {
    fn draw_paths(&self, canvas: &mut Canvas, page: Rect) {
        let labels: Vec<String> = self.curves.iter().map(|c| label(c, self.floor_matters(c))).collect();
        let layout = Layout::new(1, 1).with_labels(labels.iter().map(String::as_str));
        let (x, y) = (Axis::log_with_ends(&self.time_label), Axis::linear(&self.energy_label));
        let energies = self.curves.iter().flat_map(|c| c.energy.iter().copied());
        let axes = Axes {
            x: (&x, self.curves.iter().flat_map(|c| c.time.clone()).collect()),
            y: (&y, energies.chain(self.curves.iter().map(|c| c.floor)).chain([0.0]).collect()),
            margins: [0.0, 0.0, 0.04, 0.06],
        };
        let text = Text { title: "Energy that probing leaves", letter: Some(0), ..Text::default() };
        let mut panel = Panel::open(canvas, layout.frames(page)[0], axes, text);
        for (i, (curve, label)) in self.curves.iter().zip(&labels).enumerate() {
            let pen = canvas.theme.ordered_pen(i, self.curves.len()).solid();
            if self.floor_matters(curve) {
                let ends = panel.frame;
                let at = panel.y.at(curve.floor);
                let dash = pen.with_dash(&[5.0, 4.0]).with_width(1.2).with_alpha(0.9);
                canvas.curve_in(&ends, &[(ends.left, at), (ends.right, at)], dash);
            }
            let path = panel.curve(canvas, &curve.time, &curve.energy, pen);
            if let Some(&end) = path.iter().rev().find(|p| panel.frame.grown(0.5).contains(**p)) {
                canvas.marker(end, canvas.theme.ordered_pen(i, self.curves.len()), 3.4, false);
                panel.label(label, end, pen.colour);
            }
        }
        panel.close(canvas);
    }

    /// Whether a floor is more than rounding.
    fn floor_matters(&self, curve: &SmoothingCurve) -> bool {
        let largest = curve.energy.iter().copied().filter(|e| e.is_finite()).fold(0.0, f64::max);
        curve.floor > 1e-6 * largest
    }

    fn draw_floors(&self, canvas: &mut Canvas, page: Rect) {
        let (x, y) = (Axis::linear(&self.epsilon_label), Axis::linear(&self.floor_label));
        let marks = self.curves.iter().map(|c| (c.epsilon, c.floor));
        let all: Vec<(f64, f64)> = self.floors.iter().flatten().copied().chain(marks).collect();
        let axes = Axes {
            x: (&x, all.iter().map(|p| p.0).chain([0.0]).collect()),
            y: (&y, all.iter().map(|p| p.1).chain([0.0]).collect()),
            margins: [0.02, 0.04, 0.04, 0.08],
        };
        let text = Text { title: "The floor", letter: Some(1), ..Text::default() };
        let mut panel = Panel::open(canvas, Layout::new(1, 1).frames(page)[0], axes, text);
        let pen = Pen::hair(canvas.theme.ink()).with_width(1.4);
        for line in &self.floors {
            let (epsilon, floor): (Vec<f64>, Vec<f64>) = line.iter().copied().unzip();
            panel.curve(canvas, &epsilon, &floor, pen);
        }
        for (i, curve) in self.curves.iter().enumerate() {
            let at = panel.at(curve.epsilon, curve.floor);
            canvas.marker(at, canvas.theme.ordered_pen(i, self.curves.len()), 4.2, false);
        }
        panel.close(canvas);
    }
}

fn label(curve: &SmoothingCurve, with_floor: bool) -> String {
    let name = if curve.name.is_empty() { String::new() } else { format!("{}, ", curve.name) };
    let epsilon = short(curve.epsilon, 2);
    if with_floor {
        format!("{name}ε = {epsilon}, floor {}", short(curve.floor, 2))
    } else {
        format!("{name}ε = {epsilon}")
    }
}
