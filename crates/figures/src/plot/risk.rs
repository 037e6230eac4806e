//! Downstream risk against probing time, with the optimum marked.

use super::axis::Axis;
use super::canvas::page;
use super::layout::{Layout, PAGE_WIDTH};
use super::panel::{Axes, Panel, Text};
use super::{Figure, Series, Theme};

/// One curve per teacher, in order; its `peak` is the optimum (a probing time and its risk).
///
/// Probing times run from 0 to ∞ inclusive: both have places of their own on the axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Risk {
    /// Name of the axis of probing time, with its unit.
    pub x_label: String,
    /// Name of the axis of risk.
    pub y_label: String,
    /// The curves.
    pub curves: Vec<Series>,
}

impl Figure for Risk {
    fn name(&self) -> &'static str {
        "risk"
    }

    fn svg(&self, theme: Theme) -> String {
        page((PAGE_WIDTH - 120, 370), theme, "Downstream risk against probing time", |canvas| {
            let labels = self.curves.iter().map(|c| c.label.as_str());
            let frame = Layout::single().with_labels(labels).frames(canvas.page)[0];
            let (x, y) = (Axis::log_with_ends(&self.x_label), Axis::linear(&self.y_label));
            let axes = Axes::of_series(&x, &y, &self.curves);
            let mut panel = Panel::open(canvas, frame, axes, Text::default());
            panel.peak_name = "best τ = ";
            for (i, curve) in self.curves.iter().enumerate() {
                panel.series(canvas, curve, theme.ordered_pen(i, self.curves.len()));
            }
            panel.close(canvas);
        })
    }
}
