//! The trend: adaptation metrics against the energy at the start of finetuning.

use super::axis::Axis;
use super::canvas::page;
use super::layout::PAGE_WIDTH;
use super::panel::series_panels;
use super::{Figure, SeriesPanel, Theme};

/// One panel per metric, two in a row, over a common axis of energy.
///
/// Series with the same label are drawn alike in all panels and named beside the right ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trend {
    /// Name of the energy axis, with its normalisation.
    pub x_label: String,
    /// The panels, row by row.
    pub panels: Vec<SeriesPanel>,
}

impl Figure for Trend {
    fn name(&self) -> &'static str {
        "trend"
    }

    fn svg(&self, theme: Theme) -> String {
        let columns = self.panels.len().clamp(1, 2);
        let rows = self.panels.len().div_ceil(columns).max(1);
        let size = (PAGE_WIDTH, 245 * rows as u32 + 20);
        page(size, theme, "How features adapt, against the energy at the start", |canvas| {
            let x = Axis::linear(&self.x_label);
            series_panels(canvas, columns, &x, &self.panels);
        })
    }
}
