//! What records say: curves against energy, peaks, quantiles, and whether each law was seen.

pub mod summary;

use crate::sweep::record::Record;

/// Title and symbol of the four metrics.
pub const METRICS: [(&str, &str); 4] = [
    ("Euclidean distance", "‖z_{T} − z₀‖"),
    ("Cosine distance", "1 − cos(z_{T}, z₀)"),
    ("Dot product", "z_{T}·z₀"),
    ("Norm", "‖z_{T}‖"),
];

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

/// The records of one curve against energy: everything equal but the probing point.
#[derive(Debug, Clone)]
pub struct Curve<'a> {
    /// Its records by ascending energy, failed cells left out.
    pub records: Vec<&'a Record>,
}

impl Curve<'_> {
    /// The Frobenius energies over the largest.
    pub fn shares(&self) -> Vec<f64> {
        let most = self.records.iter().map(|r| r.frobenius).fold(0.0, f64::max);
        self.records.iter().map(|r| r.frobenius / most).collect()
    }

    /// One number of each record.
    pub fn values(&self, of: impl Fn(&Record) -> f64) -> Vec<f64> {
        self.records.iter().map(|r| of(r)).collect()
    }
}

/// The curves of records at their last finetuning time.
pub fn curves(records: &[Record]) -> Vec<Curve<'_>> {
    let last = records.iter().map(|r| r.time).fold(0.0, f64::max);
    let mut all: Vec<Curve> = Vec::new();
    for record in records.iter().filter(|r| r.succeeded() && r.time == last) {
        match all.iter_mut().rev().find(|c| same_curve(c.records[0], record)) {
            Some(curve) => curve.records.push(record),
            None => all.push(Curve { records: vec![record] }),
        }
    }
    for curve in &mut all {
        curve.records.sort_by(|a, b| a.frobenius.total_cmp(&b.frobenius));
    }
    all
}

fn same_curve(a: &Record, b: &Record) -> bool {
    a.problem == b.problem && a.seed == b.seed && same_group(a, b)
}

/// Whether two records differ in seed, point and time only.
pub fn same_group(a: &Record, b: &Record) -> bool {
    let key = |r: &Record| [r.head_scale, r.smoothing, r.head_rate];
    key(a) == key(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_skip_what_is_not_finite() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0, f64::NAN], 0.5), 2.0);
        assert_eq!(quantile(&[0.0, 1.0], 0.25), 0.25);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn a_peak_at_an_end_is_none() {
        assert_eq!(peak(&[0.0, 1.0, 2.0], &[0.0, 2.0, 1.0]), Some((1.0, 2.0)));
        assert_eq!(peak(&[0.0, 1.0], &[0.0, 2.0]), None);
        assert_eq!(peak(&[], &[]), None);
    }

    #[test]
    fn curves_are_sorted_by_energy_and_skip_failures() {
        let record = |seed, frobenius: f64, error: &str| Record {
            seed,
            frobenius,
            time: 1.0,
            head_scale: 1.0,
            smoothing: 0.0,
            head_rate: 1.0,
            error: error.into(),
            ..Record::default()
        };
        let records = [record(0, 2.0, ""), record(0, 1.0, ""), record(0, 3.0, "no"), record(1, 4.0, "")];
        let all = curves(&records);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].values(|r| r.frobenius), [1.0, 2.0]);
        assert_eq!(all[0].shares(), [0.5, 1.0]);
    }
}
