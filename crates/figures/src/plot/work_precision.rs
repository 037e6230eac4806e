//! Work against precision: what an error costs, for several methods on several problems.

use super::axis::Axis;
use super::canvas::page;
use super::layout::{Layout, PAGE_WIDTH};
use super::panel::{Axes, Panel, Text};
use super::series::{Kind, Series, labels_of, number_of};
use super::{Figure, SeriesPanel, Theme};

/// One row per problem, one column per measure of work, on logarithmic axes: errors from left to right, work upwards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorkPrecision {
    /// Name of the error axis.
    pub x_label: String,
    /// Panels in a row.
    pub columns: usize,
    /// The panels, row by row; series with the same label are drawn alike.
    pub panels: Vec<SeriesPanel>,
}

impl Figure for WorkPrecision {
    fn name(&self) -> &'static str {
        "work-precision"
    }

    fn svg(&self, theme: Theme) -> String {
        let columns = self.columns.clamp(1, self.panels.len().max(1));
        let rows = self.panels.len().div_ceil(columns).max(1);
        let size = (PAGE_WIDTH, 235 * rows as u32 + 20);
        page(size, theme, "Work against achieved error", |canvas| {
            let x = Axis::log(&self.x_label);
            let labels = labels_of(self.panels.iter().flat_map(|p| &p.series));
            let layout = Layout::new(columns, rows).with_labels(labels.iter().copied()).with_shared_x();
            for (i, (panel, frame)) in self.panels.iter().zip(layout.frames(canvas.page)).enumerate() {
                let y = Axis::log(&panel.y_label);
                let mut axes = Axes::of_series(&x, &y, &panel.series);
                // Panels of a row share their errors.
                let row = i / columns * columns;
                for other in self.panels.iter().skip(row).take(columns).flat_map(|p| &p.series) {
                    axes.x.1.extend(&other.x);
                }
                let text = Text { title: &panel.title, letter: Some(i), ..Text::default() };
                let text = Text { hide_x: i + columns < self.panels.len(), ..text };
                let mut area = Panel::open(canvas, frame, axes, text);
                for series in &panel.series {
                    let pen = theme.pen(number_of(&labels, &series.label));
                    area.curve(canvas, &series.x, &series.y, pen);
                    // Named beside the last panel of the row.
                    let last = (i + 1) % columns == 0 || i + 1 == self.panels.len();
                    let label = if last { series.label.clone() } else { String::new() };
                    let points = Series { label, kind: Kind::Points, ..series.clone() };
                    area.series(canvas, &points, pen);
                }
                area.close(canvas);
            }
        })
    }
}
