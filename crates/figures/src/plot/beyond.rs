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
                    if !seen && let Some(at) = clearest(&area, &panel.series, number) {
                        area.note(&series.label, at, pen.colour);
                    }
                }
                area.close(canvas);
            }
        })
    }
}

/// Where a curve, but for its ends, is furthest from those with other labels: there its label can only be its own.
fn clearest(area: &Panel, all: &[Series], number: usize) -> Option<(f64, f64)> {
    let points = |s: &Series| -> Vec<(f64, f64)> {
        let finite = s.x.iter().zip(&s.y).filter(|(x, y)| x.is_finite() && y.is_finite());
        finite.map(|(&x, &y)| area.at(x, y)).collect()
    };
    let label = &all[number].label;
    let others: Vec<_> = all.iter().filter(|s| s.label != *label).flat_map(points).collect();
    let own = points(&all[number]);
    let ends = own.len() / 10;
    let from_others = |at: &(f64, f64)| {
        others.iter().map(|o| (o.0 - at.0).hypot(o.1 - at.1)).fold(f64::INFINITY, f64::min)
    };
    let inner = own.iter().take(own.len() - ends).skip(ends);
    inner.max_by(|a, b| from_others(a).total_cmp(&from_others(b))).copied()
}
