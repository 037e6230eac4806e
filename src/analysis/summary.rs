//! Does the trend hold? Each law on each curve of a sweep, counted.

use super::{Curve, Point, curves, quantile};
use crate::metric::Metric;
use crate::sweep::record::Record;
use crate::trend::{Claim, Shape};

/// How far a curve may run against its direction, relative to its range, and still count as monotone: a hundred times
/// the error of the solver at its default tolerance.
pub const TREND_TOLERANCE: f64 = 1e-7;

/// What was seen of one law on one set of curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where the curves come from.
    pub source: String,
    /// The metric.
    pub metric: Metric,
    /// Curves that agree with the claim, and all curves that have more than one energy: one point has no shape.
    pub agree: (usize, usize),
    /// Curves that only rise.
    pub rising: usize,
    /// Peaks of those that rise, then fall, as shares of the largest energy: 10 %, 50 % and 90 % quantile.
    pub peaks: Option<[f64; 3]>,
}

impl Row {
    /// The claim in words.
    pub fn claim(&self) -> &'static str {
        match Claim::of_metric(self.metric) {
            Claim::Rises => "rises",
            Claim::RisesThenMayFall => "rises, then may fall",
        }
    }

    /// Whether every curve agrees.
    pub fn holds(&self) -> bool {
        self.agree.1 > 0 && self.agree.0 == self.agree.1
    }

    /// What was seen, in words.
    pub fn finding(&self) -> String {
        let (agree, all) = self.agree;
        if all == 0 {
            return "no curve has two energies".into();
        }
        let mut text = format!("{agree} of {all}");
        if let Some([low, middle, high]) = self.peaks {
            let falling = agree - self.rising;
            let verb = if falling == 1 { "peaks" } else { "peak" };
            text += &format!("; {falling} {verb} at {middle:.2} of the largest energy");
            if high - low > 0.005 {
                text += &format!(" ({low:.2} to {high:.2})");
            }
        } else if agree > 0 {
            text += "; rising all the way";
        }
        text
    }
}

/// The laws on the records of a sweep: of the four means, and of the Frobenius distance if any record has it, as older
/// tables and those of other programs do not; `held_out` measures the held-out inputs.
pub fn summarize(source: &str, records: &[Record], held_out: bool) -> Vec<Row> {
    summarize_curves(source, &curves(records), held_out, |x, y| Shape::of(x, y, TREND_TOLERANCE))
}

/// The same for curves whose shapes are judged in another way, as for numbers with noise.
pub fn summarize_curves(
    source: &str,
    curves: &[Curve],
    held_out: bool,
    judge: impl Fn(&[f64], &[f64]) -> Shape,
) -> Vec<Row> {
    let curves: Vec<&Curve> = curves.iter().filter(|curve| curve.has_range()).collect();
    let value = |p: &Point, metric| if held_out { p.held_out_metric(metric) } else { p.metric(metric) };
    let has = |metric| curves.iter().flat_map(|c| &c.points).any(|p| !value(p, metric).is_nan());
    Metric::ALL
        .into_iter()
        .filter(|&metric| metric != Metric::Frobenius || has(metric))
        .map(|metric| {
            let shapes: Vec<Shape> =
                curves.iter().map(|c| judge(&c.shares(), &c.values(|p| value(p, metric)))).collect();
            let peaks: Vec<f64> = shapes
                .iter()
                .filter_map(|s| match s {
                    Shape::RisingThenFalling { peak } if !metric.is_distance() => Some(*peak),
                    _ => None,
                })
                .collect();
            let claim = Claim::of_metric(metric);
            Row {
                source: source.into(),
                metric,
                agree: (shapes.iter().filter(|s| claim.agrees(s)).count(), shapes.len()),
                rising: shapes.iter().filter(|s| matches!(s, Shape::Rising)).count(),
                peaks: (!peaks.is_empty()).then(|| [0.1, 0.5, 0.9].map(|q| quantile(&peaks, q))),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;
    use crate::simulation::Probe;
    use crate::sweep::record::Outcome;
    use crate::sweep::record::tests::reached;
    use nalgebra::{DMatrix, dmatrix};

    fn records(dot: [f64; 3]) -> Vec<Record> {
        let metrics = |i: usize| [i as f64, -(i as f64), dot[i], 1.0 + i as f64];
        (0..3).map(|i| reached(0, i as u64, (i + 1) as f64, metrics(i))).collect()
    }

    #[test]
    fn laws_are_counted_and_violations_seen() {
        let rows = summarize("test", &records([1.0, 2.0, 1.5]), false);
        assert!(rows[0].holds() && !rows[1].holds() && rows[2].holds() && rows[3].holds());
        assert_eq!(rows[1].agree, (0, 1));
        assert_eq!(rows[2].peaks, Some([2.0 / 3.0; 3]));
        assert_eq!(rows[2].finding(), "1 of 1; 1 peaks at 0.67 of the largest energy");
        assert_eq!(rows[3].finding(), "1 of 1; rising all the way");
        // Without Frobenius distances nothing is said of them.
        assert_eq!(rows.len(), 4);
        // A single point, or several at one energy, say nothing for a law and nothing against it.
        let mut flat = records([1.0, 2.0, 1.5]);
        for rows in [summarize("test", &flat[..1], false), {
            flat.iter_mut().for_each(|record| match &mut record.outcome {
                Outcome::Reached(_, measured) => measured.energies.frobenius = 2.0,
                _ => unreachable!(),
            });
            summarize("test", &flat, false)
        }] {
            assert!(
                rows.iter().all(|r| r.agree == (0, 0) && r.finding() == "no curve has two energies")
            );
        }
        // Held-out metrics are missing: nothing holds.
        assert!(summarize("test", &records([1.0; 3]), true).iter().all(|r| !r.holds()));
    }

    /// Example 7 of `docs/beyond-one-sample.md`: from τ = 0.05 to 0.1 the Frobenius distance falls, as it should, and
    /// the mean distance rises.
    #[test]
    fn the_mean_distance_and_the_frobenius_distance_may_disagree() {
        let problem =
            Problem::new(dmatrix![1.0, 0.0; 3.0, -2.0], DMatrix::identity(2, 2), dmatrix![2.0; 4.0]);
        let problem = problem.unwrap();
        let head = problem.head(DMatrix::zeros(2, 1)).unwrap();
        let record = |(point, tau): (u64, f64)| {
            let probed = head.probe(Probe::Time(tau)).unwrap();
            let moved = probed.finetune().to_limit().unwrap().adaptation;
            let mut record = reached(0, point, probed.energy().frobenius, [0.0; 4]);
            let Outcome::Reached(_, measured) = &mut record.outcome else { unreachable!() };
            measured.training = moved.into();
            record
        };
        let rows = summarize("example 7", &[(0, 0.05), (1, 0.1)].map(record), false);
        let verdicts: Vec<_> = rows.iter().map(|row| (row.metric, row.holds())).collect();
        assert!(verdicts.contains(&(Metric::Euclidean, false)), "{verdicts:?}");
        assert!(verdicts.contains(&(Metric::Frobenius, true)), "{verdicts:?}");
    }
}
