//! A replay: adaptation and held-out performance against the energy at the start.

use super::axis::Axis;
use super::canvas::page;
use super::layout::PAGE_WIDTH;
use super::panel::series_panels;
use super::{Figure, SeriesPanel, Theme};

/// Panels over a common axis of energy, two in a row.
///
/// Series with the same label are drawn alike in all panels and named beside the right ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transfer {
    /// Name of the energy axis.
    pub x_label: String,
    /// The panels, row by row.
    pub panels: Vec<SeriesPanel>,
}

impl Figure for Transfer {
    fn name(&self) -> &'static str {
        "transfer"
    }

    fn svg(&self, theme: Theme) -> String {
        let rows = self.panels.len().div_ceil(2).max(1);
        let size = (PAGE_WIDTH, 245 * rows as u32 + 20);
        page(size, theme, "Adaptation and transfer, against the energy at the start", |canvas| {
            series_panels(canvas, 2, &Axis::linear(&self.x_label), &self.panels);
        })
    }
}
