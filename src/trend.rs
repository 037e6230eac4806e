//! The trend as predicates on a curve: rising, falling, rising then falling, and where the peak is.

use crate::metric::Metric;

/// What a curve does over its range, up to a tolerance.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "shape", rename_all = "kebab-case")]
pub enum Shape {
    /// No step against the direction is larger than the tolerance.
    Rising,
    /// The same, downwards.
    Falling,
    /// Up to one peak inside the range, then down.
    RisingThenFalling {
        /// Where the highest point lies.
        peak: f64,
    },
    /// Down to one trough inside the range, then up.
    FallingThenRising {
        /// Where the lowest point lies.
        trough: f64,
    },
    /// All values are equal up to the tolerance.
    Flat,
    /// None of these.
    Irregular,
}

impl Shape {
    /// The shape of a curve through points (x ascending, finite y).
    ///
    /// `tolerance` is relative to the range of y: a run against the direction counts only when it is
    /// larger than that, and a curve whose whole range is below `tolerance` times its size is flat.
    /// Fewer than two points, or a value that is not finite, are irregular.
    pub fn of(x: &[f64], y: &[f64], tolerance: f64) -> Self {
        assert_eq!(x.len(), y.len(), "a curve has as many x as y");
        if y.len() < 2 || y.iter().chain(x).any(|v| !v.is_finite()) {
            return Self::Irregular;
        }
        let (low, high) = (extreme(y, |a, b| a < b), extreme(y, |a, b| a > b));
        let range = y[high] - y[low];
        if range <= tolerance * y[high].abs().max(y[low].abs()) {
            return Self::Flat;
        }
        let slack = tolerance * range;
        let up = |part: &[f64]| rises(part.iter().copied(), slack);
        let down = |part: &[f64]| rises(part.iter().map(|v| -v), slack);
        if up(y) {
            Self::Rising
        } else if down(y) {
            Self::Falling
        } else if up(&y[..=high]) && down(&y[high..]) {
            Self::RisingThenFalling { peak: x[high] }
        } else if down(&y[..=low]) && up(&y[low..]) {
            Self::FallingThenRising { trough: x[low] }
        } else {
            Self::Irregular
        }
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Self::Rising => "rises".into(),
            Self::Falling => "falls".into(),
            Self::RisingThenFalling { peak } => format!("rises, then falls (peak at {peak:.3})"),
            Self::FallingThenRising { trough } => format!("falls, then rises (trough at {trough:.3})"),
            Self::Flat => "is flat".into(),
            Self::Irregular => "has no simple shape".into(),
        }
    }
}

/// What the paper says of one metric as the energy grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Euclidean, cosine and Frobenius distance.
    Rises,
    /// Dot product and norm: they first grow, then may shrink. Rising over the whole range is the
    /// part before the peak and agrees with the claim; falling from the start does not.
    RisesThenMayFall,
}

impl Claim {
    /// The claim about a metric.
    pub fn of_metric(metric: Metric) -> Self {
        if metric.is_distance() { Self::Rises } else { Self::RisesThenMayFall }
    }

    /// Whether a shape agrees with the claim.
    pub fn agrees(self, shape: &Shape) -> bool {
        match self {
            Self::Rises => matches!(shape, Shape::Rising),
            Self::RisesThenMayFall => {
                matches!(shape, Shape::Rising | Shape::RisingThenFalling { .. })
            }
        }
    }
}

/// Whether no value lies more than `slack` below an earlier one.
fn rises(values: impl Iterator<Item = f64>, slack: f64) -> bool {
    let mut highest = f64::NEG_INFINITY;
    for v in values {
        if v < highest - slack {
            return false;
        }
        highest = highest.max(v);
    }
    true
}

/// Index of the extreme value, the first of equals.
fn extreme(y: &[f64], better: impl Fn(f64, f64) -> bool) -> usize {
    (0..y.len()).fold(0, |best, i| if better(y[i], y[best]) { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(y: &[f64]) -> Shape {
        let x: Vec<f64> = (0..y.len()).map(|i| i as f64).collect();
        Shape::of(&x, y, 1e-9)
    }

    #[test]
    fn shapes_of_simple_curves() {
        assert_eq!(shape(&[0.0, 1.0, 2.0]), Shape::Rising);
        assert_eq!(shape(&[2.0, 1.0, 0.5]), Shape::Falling);
        assert_eq!(shape(&[0.0, 2.0, 1.0]), Shape::RisingThenFalling { peak: 1.0 });
        assert_eq!(shape(&[1.0, 0.0, 1.0]), Shape::FallingThenRising { trough: 1.0 });
        assert_eq!(shape(&[0.0, 2.0, 1.0, 3.0]), Shape::Irregular);
        assert_eq!(shape(&[1.0, 1.0]), Shape::Flat);
        assert_eq!(shape(&[1.0]), Shape::Irregular);
        assert_eq!(shape(&[1.0, f64::NAN]), Shape::Irregular);
    }

    /// A slow drift against the direction adds up: tolerance is for the whole run, not for each step.
    #[test]
    fn many_small_steps_down_are_seen() {
        let y: Vec<f64> = (0..=100).map(|i| if i == 0 { 0.0 } else { 1.0 - 1e-3 * i as f64 }).collect();
        let x: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(Shape::of(&x, &y, 1e-2), Shape::RisingThenFalling { peak: 1.0 });
        assert_eq!(Shape::of(&x, &y, 0.2), Shape::Rising);
    }

    #[test]
    fn claims() {
        assert!(Claim::of_metric(Metric::Euclidean).agrees(&Shape::Rising));
        assert!(!Claim::of_metric(Metric::Frobenius).agrees(&Shape::RisingThenFalling { peak: 1.0 }));
        assert!(!Claim::of_metric(Metric::Cosine).agrees(&Shape::RisingThenFalling { peak: 1.0 }));
        assert!(Claim::of_metric(Metric::Dot).agrees(&Shape::RisingThenFalling { peak: 1.0 }));
        assert!(!Claim::of_metric(Metric::Norm).agrees(&Shape::Falling));
        assert!(!Claim::of_metric(Metric::Euclidean).agrees(&Shape::Flat));
    }
}
