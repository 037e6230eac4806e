//! Downstream risk against probing time, with the optimum marked.

use super::axis::Axis;
use super::canvas::page;
use super::layout::PAGE_WIDTH;
use super::panel::series_panels;
use super::{Figure, Series, SeriesPanel, Theme};

/// One curve a teacher, in order; its `peak` is the optimum (a probing time and its risk).
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
        page((PAGE_WIDTH - 120, 380), theme, "Downstream risk against probing time", |canvas| {
            let x = Axis::log_with_ends(&self.x_label);
            let y_label = self.y_label.clone();
            let panel = SeriesPanel { title: String::new(), y_label, series: self.curves.clone() };
            let pen = |i, count| theme.ordered_pen(i, count);
            series_panels(canvas, canvas.page, 1, &x, &[panel], pen);
        })
    }
}
