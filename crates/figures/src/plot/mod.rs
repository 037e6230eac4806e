//! Figures: plain data in, SVG or PNG out.
//!
//! Each figure of this module takes curves, points, bands or grids and knows nothing of how the
//! numbers came about. It draws the same bytes for the same data, needs no font to do so, and comes in
//! two themes. Curves are labelled where they end; every curve differs from the others of its panel in
//! dash or marker too, not in colour only.
//!
//! In every text `_{…}` lowers and `^{…}` raises.
//!
//! ```
//! use taskhead_figures::plot::{Figure, Series, SeriesPanel, Theme, Trend};
//!
//! let series = Series::line("y = x²", vec![0.0, 0.5, 1.0], vec![0.0, 0.25, 1.0]);
//! let panel = SeriesPanel { title: "Square".into(), y_label: "y".into(), series: vec![series] };
//! let figure = Trend { x_label: "x".into(), panels: vec![panel] };
//! assert!(figure.svg(Theme::Light).starts_with("<svg "));
//! ```
//!
//! With the feature `png`, [`Figure`] has a method `png` too.

mod agreement;
mod axis;
mod beyond;
mod canvas;
mod contour;
mod course;
mod digits;
mod figure;
mod geometry;
mod heatmap;
mod hyperbolas;
mod labels;
mod layout;
mod panel;
mod phase;
#[cfg(feature = "png")]
mod png;
mod risk;
mod series;
mod smoothing;
mod text;
mod theme;
mod ticks;
mod trajectories;
mod transfer;
mod trend;
mod work_precision;

pub use agreement::{Agreement, Tolerance};
pub use axis::{Axis, Scale};
pub use beyond::Beyond;
pub use canvas::escape;
pub use course::Course;
pub use digits::Digits;
pub use figure::Figure;
pub use heatmap::{HeatMap, HeatPanel};
pub use hyperbolas::{FeaturePath, Hyperbolas};
pub use phase::{Phase, PhaseCell, PhasePanel};
#[cfg(feature = "png")]
pub use png::{PngError, to_png};
pub use risk::Risk;
pub use series::{Grid, Kind, Series, SeriesPanel};
pub use smoothing::{Smoothing, SmoothingCurve};
pub use theme::Theme;
pub use trajectories::{Trajectories, Trajectory};
pub use transfer::Transfer;
pub use trend::Trend;
pub use work_precision::WorkPrecision;

#[cfg(all(test, feature = "png"))]
mod tests;
