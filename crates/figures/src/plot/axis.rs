//! Axes: what a caller says of one, its range, and the map to the page.

use super::ticks::{Tick, linear_ticks, log_ticks};

/// How values are spread over an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithm; values of zero and below have no place and are left out.
    Log,
    /// By their logarithm, with 0 and ∞ in places of their own behind breaks at the two ends.
    LogWithEnds,
}

/// What a figure's caller says of an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// Name with unit. `_{…}` and `^{…}` lower and raise.
    pub label: String,
    /// The scale.
    pub scale: Scale,
    /// The values at the two ends; without it the axis fits the data.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// A linear axis that fits its data.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A logarithmic axis that fits its data.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Log, range: None }
    }

    /// A logarithmic axis with places for 0 and ∞.
    pub fn log_with_ends(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::LogWithEnds, range: None }
    }

    /// The same axis with fixed ends. A range that no axis can have (not ascending, not finite, not
    /// above 0 on a logarithmic axis) is as good as none.
    pub fn with_range(self, low: f64, high: f64) -> Self {
        Self { range: Some((low, high)), ..self }
    }
}

/// Larger values cannot be subtracted and scaled without overflow, and are left out like NaN.
const HUGE: f64 = 1e150;
/// Smaller values are zero on a logarithmic axis.
const TINY: f64 = 1e-150;
/// A range smaller than this, relative to its values, is noise: its ticks could not be told apart.
const FLAT: f64 = 1e-9;
/// Pixels that a place for 0 or ∞ takes at an end.
const END_PLACE: f64 = 26.0;

/// An axis laid on the page, from `start` to `end` in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ruler {
    scale: Scale,
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    /// Whether there are places for 0 and for ∞.
    places: (bool, bool),
}

impl Ruler {
    /// The axis over pixels that shows all of `values`, with a margin around the data in shares of the
    /// axis length at either end if the range is not fixed.
    pub(crate) fn new(
        axis: &Axis,
        values: impl IntoIterator<Item = f64>,
        margin: (f64, f64),
        (start, end): (f64, f64),
    ) -> Self {
        let log = axis.scale != Scale::Linear;
        let mut places = (false, false);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for v in values {
            places = (places.0 || v == 0.0, places.1 || v == f64::INFINITY);
            if v.abs() < HUGE && (!log || v > TINY) {
                (low, high) = (low.min(v), high.max(v));
            }
        }
        if axis.scale != Scale::LogWithEnds {
            places = (false, false);
        }
        let usable = |&(a, b): &(f64, f64)| {
            let distinct = b - a > FLAT * a.abs().max(b.abs()) && b - a > TINY;
            a.abs() < HUGE && b.abs() < HUGE && (!log || a > TINY) && distinct
        };
        if let Some(range) = axis.range.filter(usable) {
            (low, high) = range;
        } else if low > high {
            (low, high) = if log { (0.1, 10.0) } else { (0.0, 1.0) };
        } else if !usable(&(low, high)) {
            (low, high) = match (log, low.abs() > TINY) {
                (true, _) => (low / 3.0, low * 3.0),
                (false, true) => (low - 0.5 * low.abs(), low + 0.5 * low.abs()),
                (false, false) => (-1.0, 1.0),
            };
        } else if log {
            let span = (high / low).ln();
            (low, high) = (low * (-margin.0 * span).exp(), high * (margin.1 * span).exp());
        } else {
            let span = high - low;
            (low, high) = (low - margin.0 * span, high + margin.1 * span);
        }
        Self { scale: axis.scale, low, high, start, end, places }
    }

    fn spread(&self, value: f64) -> f64 {
        if self.scale == Scale::Linear { value } else { value.ln() }
    }

    /// The pixels between which finite values lie.
    fn inner(&self) -> (f64, f64) {
        let place = END_PLACE * (self.end - self.start).signum();
        let shift = |there: bool| if there { place } else { 0.0 };
        (self.start + shift(self.places.0), self.end - shift(self.places.1))
    }

    /// The pixel of a value; NaN where it has no place.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let (start, end) = self.inner();
        let inset = 5.0 * (self.end - self.start).signum();
        if value == 0.0 && self.places.0 {
            return self.start + inset;
        }
        if value == f64::INFINITY && self.places.1 {
            return self.end - inset;
        }
        let shown = value.abs() < HUGE && (self.scale == Scale::Linear || value > TINY);
        if !shown {
            return f64::NAN;
        }
        let (low, high) = (self.spread(self.low), self.spread(self.high));
        start + (self.spread(value) - low) / (high - low) * (end - start)
    }

    /// The lowest and the highest value.
    pub(crate) fn range(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Where the axis is broken, in pixels.
    pub(crate) fn breaks(&self) -> Vec<f64> {
        let (start, end) = self.inner();
        let back = 0.5 * END_PLACE * (self.end - self.start).signum();
        let places = [(self.places.0, start - back), (self.places.1, end + back)];
        places.iter().filter(|(there, _)| *there).map(|&(_, at)| at).collect()
    }

    /// The ticks, in ascending order: about `wanted` with a text, and minor ones without.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        let wanted = wanted.max(2);
        let mut ticks = match self.scale {
            Scale::Linear => linear_ticks(self.low, self.high, wanted),
            Scale::Log | Scale::LogWithEnds => log_ticks(self.low, self.high, wanted),
        };
        if self.places.0 {
            ticks.insert(0, Tick::new(0.0, "0"));
        }
        if self.places.1 {
            ticks.push(Tick::new(f64::INFINITY, "∞"));
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis, values: &[f64]) -> Vec<String> {
        let ruler = Ruler::new(axis, values.iter().copied(), (0.0, 0.0), (0.0, 300.0));
        ruler.ticks(4).into_iter().map(|t| t.text).filter(|t| !t.is_empty()).collect()
    }

    #[test]
    fn ticks_are_few_and_round() {
        let linear = Axis::linear("");
        assert_eq!(texts(&linear, &[0.0, 1.0]), ["0", "0.25", "0.5", "0.75", "1"]);
        assert_eq!(texts(&linear, &[-3.0, 17.0]), ["0", "5", "10", "15"]);
        assert_eq!(texts(&linear, &[-1.0, 1.0]), ["−1", "−0.5", "0", "0.5", "1"]);
        assert_eq!(texts(&linear, &[0.0, 4e-5]), ["0", "1e−5", "2e−5", "3e−5", "4e−5"]);
        assert_eq!(texts(&linear, &[100.0, 100.4]), ["100", "100.1", "100.2", "100.3", "100.4"]);
        let log = Axis::log("");
        assert_eq!(texts(&log, &[0.01, 100.0]), ["0.01", "0.1", "1", "10", "100"]);
        assert_eq!(texts(&log, &[1e-12, 1.0]), ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "10⁰"]);
        assert_eq!(texts(&log, &[1.0, 8.0]), ["1", "2", "5"]);
    }

    #[test]
    fn zero_and_infinity_have_places() {
        let axis = Axis::log_with_ends("τ");
        let values = [0.0, 0.1, 10.0, f64::INFINITY];
        assert_eq!(texts(&axis, &values), ["0", "0.1", "1", "10", "∞"]);
        let ruler = Ruler::new(&axis, values, (0.0, 0.0), (0.0, 300.0));
        let at: Vec<f64> = values.iter().map(|&v| ruler.at(v)).collect();
        assert!(at.windows(2).all(|w| w[1] > w[0]) && at[0] >= 0.0 && at[3] <= 300.0);
        assert_eq!(ruler.breaks().len(), 2);
        // A plain logarithmic axis has none.
        assert!(Ruler::new(&Axis::log(""), values, (0.0, 0.0), (0.0, 300.0)).at(0.0).is_nan());
    }

    /// Whatever comes in: a finite range, a bounded number of ticks, no panic.
    #[test]
    fn hostile_ranges() {
        let sets: [&[f64]; 15] = [
            &[],
            &[f64::NAN],
            &[0.0],
            &[5.0, 5.0],
            &[-1e-320, 1e-320],
            &[-1e-148, 1e-148],
            &[1e300, -1e300],
            &[f64::MAX, f64::MIN],
            &[f64::INFINITY, 1.0],
            &[1.0, 1.0 + 1e-15],
            &[1e149, -1e149],
            &[1e-149, 1e149],
            &[1e6, 1e6 + 1e-2],
            &[-2.0, -1.0],
            &[f64::MIN_POSITIVE, 1.0],
        ];
        for values in sets {
            for scale in [Scale::Linear, Scale::Log, Scale::LogWithEnds] {
                for range in [None, Some((1.0, 1.0)), Some((f64::NAN, 2.0)), Some((2.0, 1.0))] {
                    let axis = Axis { label: String::new(), scale, range };
                    let ruler = Ruler::new(&axis, values.iter().copied(), (0.05, 0.05), (0.0, 300.0));
                    let (low, high) = ruler.range();
                    assert!(low.is_finite() && high.is_finite() && low < high, "{values:?} {scale:?}");
                    let ticks = ruler.ticks(4);
                    assert!(ticks.len() < 60, "{values:?} {scale:?}: {}", ticks.len());
                    let named = ticks.iter().filter(|t| !t.text.is_empty()).count();
                    assert!((1..=11).contains(&named), "{values:?} {scale:?}: {ticks:?}");
                }
            }
        }
    }
}
