//! Closed form against the numerical flow: their relative difference over time.

use super::axis::Axis;
use super::canvas::page;
use super::layout::{Layout, PAGE_WIDTH};
use super::panel::{Axes, Panel, Text};
use super::series::{labels_of, number_of};
use super::{Figure, Series, Theme};

/// A level that errors are compared with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tolerance {
    /// Its name.
    pub label: String,
    /// Its value.
    pub value: f64,
    /// Label of the curve that it belongs to, whose colour it takes; empty for none.
    pub curve: String,
}

/// Errors over time on logarithmic axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Agreement {
    /// Name of the time axis, with its unit.
    pub x_label: String,
    /// Name of the error axis.
    pub y_label: String,
    /// Errors. One below `floor`, zero included, is drawn at `floor`.
    pub curves: Vec<Series>,
    /// Levels to compare with.
    pub tolerances: Vec<Tolerance>,
    /// The smallest error that means anything, such as the rounding of f64; 0 for none.
    pub floor: f64,
}

impl Figure for Agreement {
    fn name(&self) -> &'static str {
        "agreement"
    }

    fn svg(&self, theme: Theme) -> String {
        page((PAGE_WIDTH - 60, 370), theme, "Closed form against the numerical flow", |canvas| {
            let (x, y) = (Axis::log(&self.x_label), Axis::log(&self.y_label));
            let curves: Vec<Series> = self.curves.iter().map(|s| self.floored(s)).collect();
            let labels = labels_of(&curves);
            let layout = Layout::single().with_labels(labels.iter().copied());
            let mut axes = Axes::of_series(&x, &y, &curves);
            axes.y.1.extend(self.tolerances.iter().map(|t| t.value));
            let mut panel = Panel::open(canvas, layout.frames(canvas.page)[0], axes, Text::default());
            for tolerance in &self.tolerances {
                let number = labels.iter().position(|l| *l == tolerance.curve);
                let pen = number.map_or(theme.pen(5), |i| theme.pen(i)).dotted().with_width(1.2);
                panel.level(canvas, tolerance.value, &tolerance.label, pen);
            }
            for curve in &curves {
                panel.series(canvas, curve, theme.pen(number_of(&labels, &curve.label)));
            }
            panel.close(canvas);
        })
    }
}

impl Agreement {
    fn floored(&self, series: &Series) -> Series {
        let raise = |v: &f64| if *v < self.floor { self.floor } else { *v };
        Series { y: series.y.iter().map(raise).collect(), ..series.clone() }
    }
}
