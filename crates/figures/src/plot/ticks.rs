//! Where the few ticks of an axis lie and what they say.

use super::text::{power_of_ten, scientific, short};

/// No axis has more round numbers than this, whatever its range.
const MOST_TICKS: f64 = 9.0;
/// Rounding that a tick at the very end of an axis may have.
const SLACK: f64 = 1e-9;

/// A tick: where, and what it says (nothing for a minor one).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) text: String,
}

impl Tick {
    pub(crate) fn new(value: f64, text: impl Into<String>) -> Self {
        Self { value, text: text.into() }
    }
}

/// About `wanted` multiples of a round step in [low, high], or the two ends if there is no such step.
pub(crate) fn linear_ticks(low: f64, high: f64, wanted: usize) -> Vec<Tick> {
    let raw = (high - low) / wanted as f64;
    let decade = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .map(|m| m * decade)
        .find(|step| *step >= raw * 0.999)
        .unwrap_or(10.0 * decade);
    let (first, last) = ((low / step - SLACK).ceil(), (high / step + SLACK).floor());
    let bounded = step > 0.0 && first.is_finite() && last - first < MOST_TICKS && last >= first;
    if !bounded {
        return [low, high].into_iter().map(|value| Tick::new(value, short(value, 3))).collect();
    }
    let largest = low.abs().max(high.abs());
    let write = if (1e-3..1e5).contains(&largest) { short } else { scientific };
    (0..=(last - first) as i32)
        .map(|i| {
            let multiple = first + f64::from(i);
            let value = multiple * step;
            // As many digits as a multiple of 2.5 needs.
            let digits = multiple.abs().max(1.0).log10().floor() as usize + 3;
            Tick::new(value, write(value, digits))
        })
        .collect()
}

/// Powers of ten in [low, high] (0 < low), with minor ticks between them if there is room; over less
/// than two decades other round numbers as well.
pub(crate) fn log_ticks(low: f64, high: f64, wanted: usize) -> Vec<Tick> {
    let decades = (high / low).log10();
    let first = (low.log10() - SLACK).ceil() as i32;
    let last = (high.log10() + SLACK).floor() as i32;
    let inside = |v: &f64| (low * (1.0 - SLACK)..=high * (1.0 + SLACK)).contains(v);
    if last - first < 2 {
        let mantissas: &[f64] = if decades > 1.2 { &[1.0, 3.0] } else { &[1.0, 2.0, 5.0] };
        let round: Vec<Tick> = (first - 1..=last)
            .flat_map(|e| mantissas.iter().map(move |m| m * 10f64.powi(e)))
            .filter(inside)
            .map(|value| Tick::new(value, short(value, 1)))
            .collect();
        return if round.len() >= 2 { round } else { linear_ticks(low, high, wanted.min(3)) };
    }
    let plain = low >= 0.9e-3 && high <= 1.1e4;
    let stride = (f64::from(last - first) / wanted as f64).ceil().max(1.0) as i32;
    let minors = if stride == 1 && decades < 5.5 { 2..10 } else { 2..2 };
    (first - 1..=last)
        .flat_map(|exponent| {
            let power = 10f64.powi(exponent);
            let text = match exponent.rem_euclid(stride) {
                0 if plain => short(power, 1),
                0 => power_of_ten(exponent),
                _ => String::new(),
            };
            let between = minors.clone().map(move |m| Tick::new(f64::from(m) * power, ""));
            std::iter::once(Tick::new(power, text)).chain(between)
        })
        .filter(|tick| inside(&tick.value) && (decades < 30.0 || !tick.text.is_empty()))
        .collect()
}
