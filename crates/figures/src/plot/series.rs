//! Plain data that the figures share.

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A curve through the points.
    #[default]
    Line,
    /// A thin curve, one of many under the same label.
    Thin,
    /// An area between `lower` and `upper`, with a curve through `y`.
    Band,
    /// A marker at each point.
    Points,
}

/// Points (x, y) under a label.
///
/// Series of one figure with the same label share their colour, dash and marker, and are labelled
/// once. Points with a NaN or without a place on the axis are left out and break the curve; vectors of
/// unequal lengths are read as far as the shortest goes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// What it is; empty for no label.
    pub label: String,
    /// How it is drawn.
    pub kind: Kind,
    /// Horizontal positions.
    pub x: Vec<f64>,
    /// Vertical positions.
    pub y: Vec<f64>,
    /// Lower edge of a band.
    pub lower: Vec<f64>,
    /// Upper edge of a band.
    pub upper: Vec<f64>,
    /// A point to be marked and named by its horizontal position, such as a peak or an optimum.
    pub peak: Option<(f64, f64)>,
}

impl Series {
    /// A curve.
    pub fn line(label: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self { label: label.into(), x, y, ..Self::default() }
    }

    /// One of many thin curves.
    pub fn thin(label: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self { kind: Kind::Thin, ..Self::line(label, x, y) }
    }

    /// Markers.
    pub fn points(label: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self { kind: Kind::Points, ..Self::line(label, x, y) }
    }

    /// A band around a curve.
    pub fn band(
        label: impl Into<String>,
        x: Vec<f64>,
        y: Vec<f64>,
        lower: Vec<f64>,
        upper: Vec<f64>,
    ) -> Self {
        Self { kind: Kind::Band, lower, upper, ..Self::line(label, x, y) }
    }

    /// The same series with a marked point.
    pub fn with_peak(self, peak: Option<(f64, f64)>) -> Self {
        Self { peak, ..self }
    }
}

/// One panel with series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesPanel {
    /// Title above the panel.
    pub title: String,
    /// Name of the vertical axis with unit.
    pub y_label: String,
    /// What is drawn, the last on top.
    pub series: Vec<Series>,
}

/// Values on a grid of two axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid<T> {
    /// Horizontal positions of the columns, ascending.
    pub x: Vec<f64>,
    /// Vertical positions of the rows, ascending.
    pub y: Vec<f64>,
    /// One value for each position, row by row: `values[row * x.len() + column]`.
    pub values: Vec<T>,
}

impl<T: Copy> Grid<T> {
    /// A grid of the values of a function.
    pub fn from_fn(x: Vec<f64>, y: Vec<f64>, mut value: impl FnMut(f64, f64) -> T) -> Self {
        let mut values = Vec::with_capacity(x.len() * y.len());
        for &b in &y {
            values.extend(x.iter().map(|&a| value(a, b)));
        }
        Self { x, y, values }
    }

    /// The value at a column and row, if there is one.
    pub fn get(&self, column: usize, row: usize) -> Option<T> {
        let inside = column < self.x.len() && row < self.y.len();
        if inside { self.values.get(row * self.x.len() + column).copied() } else { None }
    }
}

/// The labels of some series in the order in which they first appear; their numbers choose the pens.
pub(crate) fn labels_of<'a>(series: impl IntoIterator<Item = &'a Series>) -> Vec<&'a str> {
    let mut labels: Vec<&str> = Vec::new();
    for s in series {
        if !labels.contains(&s.label.as_str()) {
            labels.push(&s.label);
        }
    }
    labels
}

/// The number of a label among the labels of its figure.
pub(crate) fn number_of(labels: &[&str], label: &str) -> usize {
    labels.iter().position(|l| *l == label).unwrap_or(0)
}
