//! Small statistics of curves: grids, peaks, quantiles, means.

/// `count` ≥ 2 numbers evenly from `low` to `high`.
pub fn steps(low: f64, high: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| low + (high - low) * i as f64 / (count - 1) as f64).collect()
}

/// The same, evenly in the logarithm.
pub fn log_steps(low: f64, high: f64, count: usize) -> Vec<f64> {
    steps(low.ln(), high.ln(), count).into_iter().map(f64::exp).collect()
}

/// The highest point of a curve, if it lies inside.
pub fn peak(x: &[f64], y: &[f64]) -> Option<(f64, f64)> {
    let best = (0..y.len()).filter(|&i| y[i].is_finite()).max_by(|&a, &b| y[a].total_cmp(&y[b]))?;
    (best > 0 && best + 1 < y.len()).then(|| (x[best], y[best]))
}

/// The q-quantile (0 to 1) of finite values, interpolated; NaN of none.
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if sorted.is_empty() {
        return f64::NAN;
    }
    sorted.sort_by(f64::total_cmp);
    let place = q * (sorted.len() - 1) as f64;
    let (low, share) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + share * (sorted[high] - sorted[low])
}

/// The mean; NaN of none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation from the mean of the values themselves; NaN of a single one.
pub fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_skip_what_is_not_finite() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0, f64::NAN], 0.5), 2.0);
        assert_eq!(quantile(&[0.0, 1.0], 0.25), 0.25);
        assert!(quantile(&[], 0.5).is_nan() && mean(&[]).is_nan());
        assert_eq!(mean(&[1.0, 2.0]), 1.5);
        assert_eq!(deviation(&[1.0, 2.0, 3.0]), 1.0);
        assert!(deviation(&[1.0]).is_nan());
    }

    #[test]
    fn a_peak_at_an_end_is_none() {
        assert_eq!(peak(&[0.0, 1.0, 2.0], &[0.0, 2.0, 1.0]), Some((1.0, 2.0)));
        assert_eq!(peak(&[0.0, 1.0], &[0.0, 2.0]), None);
        assert_eq!(peak(&[], &[]), None);
    }
}
