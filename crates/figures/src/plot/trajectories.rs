//! Finetuning in time: residual, distance, norms, and who spends the loss.

use super::axis::Axis;
use super::canvas::{Canvas, page};
use super::geometry::Rect;
use super::layout::{Layout, PAGE_WIDTH};
use super::panel::{Axes, Panel, Text};
use super::theme::Pen;
use super::{Figure, Series, Theme};

/// One run over time; all vectors are as long as `time`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trajectory {
    /// Name, such as the energy at the start.
    pub label: String,
    /// Finetuning times.
    pub time: Vec<f64>,
    /// Residual.
    pub residual: Vec<f64>,
    /// Distance of the features from their start.
    pub distance: Vec<f64>,
    /// Norm of the features.
    pub feature_norm: Vec<f64>,
    /// Norm of the head.
    pub head_norm: Vec<f64>,
    /// Loss spent by the backbone so far.
    pub backbone: Vec<f64>,
    /// Loss spent by the head so far.
    pub head: Vec<f64>,
}

/// Four panels of curves and, below, a stacked budget for each run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trajectories {
    /// Time.
    pub time: Axis,
    /// Residual.
    pub residual: Axis,
    /// Distance of the features from their start.
    pub distance: Axis,
    /// Norm of the features.
    pub feature_norm: Axis,
    /// Norm of the head.
    pub head_norm: Axis,
    /// Loss spent.
    pub spent: Axis,
    /// The runs, in the order of energy.
    pub runs: Vec<Trajectory>,
}

const BUDGET_HEIGHT: f64 = 220.0;
/// Budgets in a row.
const BUDGETS: usize = 4;

impl Figure for Trajectories {
    fn name(&self) -> &'static str {
        "trajectories"
    }

    fn svg(&self, theme: Theme) -> String {
        // Gradient descent and recordings have no budget.
        let has = |run: &&Trajectory| run.backbone.iter().any(|share| share.is_finite());
        let budgets: Vec<&Trajectory> = self.runs.iter().filter(has).collect();
        let budget_rows = budgets.len().div_ceil(BUDGETS);
        let curves_height = 470.0;
        let height = curves_height + BUDGET_HEIGHT * budget_rows as f64;
        page((PAGE_WIDTH, height as u32), theme, "Finetuning in time", |canvas| {
            let (mut above, mut below) = (canvas.page, canvas.page);
            (above.bottom, below.top) = (curves_height, curves_height);
            self.draw_curves(canvas, above);
            self.draw_budgets(canvas, below, &budgets);
        })
    }
}

type Values = fn(&Trajectory) -> &Vec<f64>;

impl Trajectories {
    fn draw_curves(&self, canvas: &mut Canvas, page: Rect) {
        let panels: [(&str, &Axis, Values); 4] = [
            ("Residual", &self.residual, |r| &r.residual),
            ("Distance moved by the features", &self.distance, |r| &r.distance),
            ("Norm of the features", &self.feature_norm, |r| &r.feature_norm),
            ("Norm of the head", &self.head_norm, |r| &r.head_norm),
        ];
        let labels = self.runs.iter().map(|r| r.label.as_str());
        let layout = Layout::new(2, 2).with_labels(labels).with_shared_x();
        for (i, ((title, y, values), frame)) in panels.into_iter().zip(layout.frames(page)).enumerate() {
            let series: Vec<Series> = self
                .runs
                .iter()
                .map(|r| {
                    let label = if i % 2 == 1 { r.label.as_str() } else { "" };
                    Series::line(label, r.time.clone(), values(r).clone())
                })
                .collect();
            let axes = Axes::of_series(&self.time, y, &series);
            let text = Text { title, letter: Some(i), hide_x: i < 2, ..Text::default() };
            let mut panel = Panel::open(canvas, frame, axes, text);
            for (number, series) in series.iter().enumerate() {
                panel.series(canvas, series, canvas.theme.ordered_pen(number, self.runs.len()));
            }
            panel.close(canvas);
        }
    }

    fn draw_budgets(&self, canvas: &mut Canvas, page: Rect, runs: &[&Trajectory]) {
        if runs.is_empty() {
            return;
        }
        let rows = runs.len().div_ceil(BUDGETS);
        let columns = runs.len().min(BUDGETS);
        let layout = Layout { left: 46.0, top: 30.0, right: 10.0, ..Layout::new(columns, rows) }
            .with_labels(["backbone", "head"]);
        let page = Rect { left: page.left + 20.0, ..page };
        let spent: Vec<f64> = runs.iter().flat_map(|r| totals(r).into_iter().chain([0.0])).collect();
        for (i, (run, frame)) in runs.iter().zip(layout.frames(page)).enumerate() {
            let axes = Axes {
                x: (&self.time, run.time.clone()),
                y: (&self.spent, spent.clone()),
                margins: [0.02, 0.02, 0.0, 0.06],
            };
            let text = Text {
                title: &run.label,
                letter: Some(4 + i),
                hide_y: i % columns > 0,
                ..Text::default()
            };
            let mut panel = Panel::open(canvas, frame, axes, text);
            self.draw_budget(canvas, &mut panel, run);
            let last = i % columns == columns - 1 || i + 1 == runs.len();
            if let (true, Some((&b, &h))) = (last, run.backbone.last().zip(run.head.last())) {
                let right = panel.frame.right - 2.0;
                let at = |v: f64| (right, panel.y.at(v));
                let (lower, upper) = (at(b / 2.0), at(b + h / 2.0));
                let colour = |i| canvas.theme.pen(i).colour;
                panel.label("backbone", lower, colour(0));
                panel.label("head", upper, colour(1));
            }
            panel.close(canvas);
        }
    }

    fn draw_budget(&self, canvas: &mut Canvas, panel: &mut Panel, run: &Trajectory) {
        let (total, zero) = (totals(run), vec![0.0; run.time.len()]);
        let (below, above) = (canvas.theme.pen(0), canvas.theme.pen(1));
        panel.area(canvas, &run.time, (&zero, &run.backbone), below.colour, 0.6);
        panel.area(canvas, &run.time, (&run.backbone, &total), above.colour, 0.3);
        let pen = |pen: Pen| pen.solid().with_width(1.4);
        panel.curve(canvas, &run.time, &run.backbone, pen(below));
        panel.curve(canvas, &run.time, &total, pen(above));
    }
}

/// What backbone and head have spent together.
fn totals(run: &Trajectory) -> Vec<f64> {
    run.backbone.iter().zip(&run.head).map(|(b, h)| b + h).collect()
}
