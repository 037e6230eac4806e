//! A replay in time: the four metrics while everything is finetuned, one curve for each energy at the start.

use super::axis::Axis;
use super::canvas::page;
use super::layout::PAGE_WIDTH;
use super::panel::ordered_panels;
use super::{Figure, SeriesPanel, Theme};

/// Panels over a common axis of time, two in a row. Series are in the order of energy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// Finetuning time.
    pub time: Axis,
    /// The panels, row by row.
    pub panels: Vec<SeriesPanel>,
}

impl Figure for Course {
    fn name(&self) -> &'static str {
        "course"
    }

    fn svg(&self, theme: Theme) -> String {
        let rows = self.panels.len().div_ceil(2).max(1);
        let size = (PAGE_WIDTH, 245 * rows as u32 + 20);
        page(size, theme, "Adaptation in time, for each energy at the start", |canvas| {
            ordered_panels(canvas, 2, &self.time, &self.panels);
        })
    }
}
