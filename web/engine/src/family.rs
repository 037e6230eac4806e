//! The curves of the opening figure: what finetuning does from every energy, with y and w held (T9–T13).

use serde::{Deserialize, Serialize};
use taskhead::analysis::steps;
use taskhead::flow::rank_one::Limit;
use taskhead::loss::Loss;
use taskhead::trend::Shape;

use crate::refusal::{said, within};
use crate::scene::{TARGETS, adaptation, adaptation_by_clock, energy_at, flow};

/// Heads, from a = y back to −y; a = 0 is one of them.
const POINTS: usize = 81;

/// What all heads of the family have in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// y
    pub target: f64,
    /// w
    pub across: f64,
    /// Finetuning time, up to ∞.
    pub time: f64,
    /// The loss.
    #[serde(default)]
    pub loss: Loss,
}

/// The heads (a, w) over their energies E = y − a; under cross-entropy over the probability that the label misses.
#[derive(Debug, Serialize)]
pub struct Family {
    energies: Vec<f64>,
    /// The energy at a = 0, where the head is orthogonal to the feature: y, or ½.
    middle: f64,
    /// Where the feature ends.
    ends: Vec<[f64; 2]>,
    /// The four metrics at `time` and in the limit.
    curves: [Vec<f64>; 4],
    limits: [Vec<f64>; 4],
    /// What each limit does on the energies up to y, in words.
    shapes: [String; 4],
}

/// The family of a target and a part across the feature.
pub fn family(setting: Setting) -> Result<Family, String> {
    let Setting { target, across, time, loss } = setting;
    within("target", target, TARGETS)?;
    within("across", across, 0.0..=10.0)?;
    within("time", time, 0.0..=f64::INFINITY)?;
    let back = steps(0.0, 2.0 * target, POINTS);
    let energies: Vec<f64> = match loss {
        Loss::Squared => back.clone(),
        _ => back.iter().map(|e| energy_at(loss, target, target - e)).collect(),
    };
    let mut ends = Vec::with_capacity(POINTS);
    let mut curves = [const { Vec::new() }; 4];
    let mut limits = [const { Vec::new() }; 4];
    for &e in &back {
        let flow = flow(target, target - e, across)?;
        let end = flow.at(f64::INFINITY).map_err(said)?.feature;
        ends.push([end[0], end[1]]);
        let limit = Limit::new(target, across, target - e).adaptation().means();
        let now = match loss {
            _ if time.is_infinite() => limit,
            Loss::Squared => adaptation(&flow.at(time).map_err(said)?),
            _ => adaptation_by_clock(target, [target - e, across], time),
        };
        for i in 0..4 {
            curves[i].push(now[i]);
            limits[i].push(limit[i]);
        }
    }
    let half = POINTS / 2 + 1;
    let shapes =
        [0, 1, 2, 3].map(|i| Shape::of(&energies[..half], &limits[i][..half], 1e-12).describe());
    let middle = energy_at(loss, target, 0.0);
    Ok(Family { energies, middle, ends, curves, limits, shapes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: f64) -> Family {
        under(Loss::Squared, time)
    }

    fn under(loss: Loss, time: f64) -> Family {
        family(Setting { target: 1.0, across: 0.5, time, loss }).unwrap()
    }

    /// T23: at a prediction the metrics are those of the squared loss, over another energy, in which the norm peaks at
    /// ½.
    #[test]
    fn cross_entropy_has_the_same_limits_over_its_own_energy() {
        let (squared, logistic) =
            (under(Loss::Squared, f64::INFINITY), under(Loss::CrossEntropy, f64::INFINITY));
        assert_eq!((&squared.limits, &squared.ends), (&logistic.limits, &logistic.ends));
        assert_eq!((squared.middle, logistic.middle), (1.0, 0.5));
        assert_eq!(logistic.energies[POINTS / 2], 0.5);
        assert!(logistic.energies.windows(2).all(|e| e[0] < e[1]));
        let late = under(Loss::CrossEntropy, 1e3);
        for (curve, limit) in late.curves.iter().zip(&late.limits) {
            assert!(curve.iter().zip(limit).all(|(c, l)| (c - l).abs() < 1e-10));
        }
        let early = under(Loss::CrossEntropy, 0.5);
        // A head that has little to gain is there by then.
        let mut distances = early.curves[0].iter().zip(&early.limits[0]);
        assert!(distances.clone().all(|(c, l)| *c <= l + 1e-12));
        assert!(distances.next_back().is_some_and(|(c, l)| *c < l - 0.1));
    }

    /// T9: the norm peaks at E = y, which is a point of the grid.
    #[test]
    fn the_norm_peaks_where_the_head_is_orthogonal() {
        let f = at(f64::INFINITY);
        let norm = &f.limits[3];
        let peak = (0..POINTS).max_by(|&i, &j| norm[i].total_cmp(&norm[j])).unwrap();
        assert_eq!(f.energies[peak], 1.0);
        assert_eq!(f.curves, f.limits);
        assert!(f.shapes.iter().zip(["rises", "rises"]).all(|(found, expected)| found == expected));
    }

    /// Two ways to the same numbers: the closed limit and the flow at a late time.
    #[test]
    fn curves_tend_to_their_limits() {
        let f = at(40.0);
        for (curve, limit) in f.curves.iter().zip(&f.limits) {
            assert!(curve.iter().zip(limit).all(|(c, l)| (c - l).abs() < 1e-10));
        }
        for (end, euclidean) in f.ends.iter().zip(&f.limits[0]) {
            assert!(((end[0] - 1.0).hypot(end[1]) - euclidean).abs() < 1e-13);
        }
        assert!(at(0.0).curves[0].iter().all(|&moved| moved == 0.0));
    }

    #[test]
    fn bad_numbers_are_named() {
        let bad = Setting { target: 1.0, across: -1.0, time: 0.0, loss: Loss::Squared };
        assert!(family(bad).unwrap_err().starts_with("across = -1"));
    }
}
