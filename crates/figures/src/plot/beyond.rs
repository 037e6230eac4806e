//! Where the trend fails beyond one sample: small panels, each with axes of its own.

use super::axis::Axis;
use super::canvas::page;
use super::layout::{Layout, PAGE_WIDTH};
use super::panel::{Axes, Panel, Text};
use super::series::{labels_of, number_of};
use super::{Figure, Series, SeriesPanel, Theme};

/// Panels two in a row, numbered from 1, each with a horizontal axis of its own. Curves are labelled inside their
/// panel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Beyond {
    /// The name of the figure.
    pub name: &'static str,
    /// What it shows, for those who do not see it.
    pub title: &'static str,
    /// The name of the horizontal axis of each panel, and the panel.
    pub panels: Vec<(String, SeriesPanel)>,
}

impl Figure for Beyond {
    fn name(&self) -> &'static str {
        self.name
    }

    fn svg(&self, theme: Theme) -> String {
        let rows = self.panels.len().div_ceil(2).max(1);
        let size = (PAGE_WIDTH, 245 * rows as u32 + 20);
        page(size, theme, self.title, |canvas| {
            let layout = Layout::new(2, rows);
            let frames = layout.frames(canvas.page);
            for (i, ((label, panel), frame)) in self.panels.iter().zip(frames).enumerate() {
                let (x, y) = (Axis::linear(label), Axis::linear(&panel.y_label));
                let axes = Axes::of_series(&x, &y, &panel.series);
                let title = format!("{}. {}", i + 1, panel.title);
                let mut area =
                    Panel::open(canvas, frame, axes, Text { title: &title, ..Text::default() });
                let labels = labels_of(&panel.series);
                for (number, series) in panel.series.iter().enumerate() {
                    let pen = canvas.theme.pen(number_of(&labels, &series.label));
                    area.series(canvas, &Series { label: String::new(), ..series.clone() }, pen);
                    let seen = panel.series[..number].iter().any(|other| other.label == series.label);
                    let at = series.x.len() * 3 / 4;
                    if let (false, Some(&x), Some(&y)) = (seen, series.x.get(at), series.y.get(at)) {
                        let at = area.at(x, y);
                        area.note(&series.label, at, pen.colour);
                    }
                }
                area.close(canvas);
            }
        })
    }
}
