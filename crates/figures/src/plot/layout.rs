//! How the panels of a figure share the page.

use super::geometry::Rect;
use super::text::{width, wrap};
use super::theme::LABEL_SIZE;

/// Height of a line of labels.
pub(crate) const LINE_HEIGHT: f64 = 15.0;
/// Labels break into lines beyond this width.
pub(crate) const LABEL_WIDTH: f64 = 138.0;
/// Distance of the labels beside a panel from its frame.
pub(crate) const LABEL_GAP: f64 = 16.0;
/// Width of a figure of full width.
pub(crate) const PAGE_WIDTH: u32 = 760;

/// Panels in columns and rows, with the room around them in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    /// Left of each panel, for the axis.
    pub(crate) left: f64,
    /// Above each panel, for the title.
    pub(crate) top: f64,
    /// Below the lowest panels, for the axis.
    pub(crate) bottom: f64,
    /// Below the other panels.
    pub(crate) between: f64,
    /// Right of each panel.
    pub(crate) right: f64,
    /// Right of all panels, for labels.
    pub(crate) margin: f64,
}

impl Layout {
    pub(crate) fn new(columns: usize, rows: usize) -> Self {
        let (columns, rows) = (columns.max(1), rows.max(1));
        Self {
            columns,
            rows,
            left: 66.0,
            top: 34.0,
            bottom: 48.0,
            between: 48.0,
            right: 14.0,
            margin: 4.0,
        }
    }

    /// One panel without a title.
    pub(crate) fn single() -> Self {
        Self { top: 14.0, ..Self::new(1, 1) }
    }

    /// The panels of a column share the name of their horizontal axis.
    pub(crate) fn with_shared_x(self) -> Self {
        Self { between: 28.0, ..self }
    }

    /// Leaves room right of the panels for these labels.
    pub(crate) fn with_labels<'a>(self, labels: impl IntoIterator<Item = &'a str>) -> Self {
        let widest = labels.into_iter().map(label_width).fold(0.0, f64::max);
        Self { margin: if widest > 0.0 { widest + LABEL_GAP - 4.0 } else { 4.0 }, ..self }
    }

    /// The frames of one row of panels of equal width, each with room for labels of its own.
    pub(crate) fn row(&self, page: Rect, labels: Vec<f64>) -> Vec<Rect> {
        let besides: Vec<f64> = labels.iter().map(|l| self.left + LABEL_GAP + l + 4.0).collect();
        let width = (page.width() - besides.iter().sum::<f64>()) / labels.len().max(1) as f64;
        let (top, bottom) = (page.top + self.top, page.bottom - self.bottom);
        let mut x = page.left;
        let mut frame = |beside: f64| {
            let left = x + self.left;
            x += width + beside;
            Rect::new(left, top, left + width, bottom)
        };
        besides.into_iter().map(&mut frame).collect()
    }

    /// The frames of the panels, row by row.
    pub(crate) fn frames(&self, page: Rect) -> Vec<Rect> {
        let cell_width = (page.width() - self.margin) / self.columns as f64;
        let rows = self.rows as f64;
        let room = rows * self.top + (rows - 1.0) * self.between + self.bottom;
        let height = (page.height() - room) / rows;
        (0..self.rows * self.columns)
            .map(|i| {
                let x = page.left + (i % self.columns) as f64 * cell_width;
                let above = (i / self.columns) as f64 * (self.top + height + self.between);
                let top = page.top + above + self.top;
                Rect::new(x + self.left, top, x + cell_width - self.right, top + height)
            })
            .collect()
    }
}

/// A label in lines.
pub(crate) fn label_lines(label: &str) -> Vec<String> {
    wrap(label, LABEL_SIZE, LABEL_WIDTH)
}

/// The width that a label takes.
pub(crate) fn label_width(label: &str) -> f64 {
    label_lines(label).iter().map(|l| width(l, LABEL_SIZE)).fold(0.0, f64::max)
}
