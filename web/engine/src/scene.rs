//! The opening figure: one sample with feature z₀ = (1, 0), κ = γ = 1, head (a, w) and target y (T7–T13).

use std::ops::RangeInclusive;

use nalgebra::{dmatrix, dvector};
use serde::{Deserialize, Serialize};
use taskhead::adaptation::Adaptation;
use taskhead::analysis::steps;
use taskhead::flow::rank_one::{RankOne, RankOnePoint};
use taskhead::flow::{Budget, ClosedForm, Stop};
use taskhead::probing::{Measure, ProbingPath};
use taskhead::problem::Problem;

use crate::{said, within};

/// Points of each path; it is a piece of a hyperbola.
const POINTS: usize = 65;

/// Targets y that the figure takes.
pub const TARGETS: RangeInclusive<f64> = 0.05..=10.0;

/// The situation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// y
    pub target: f64,
    /// w, the head's part orthogonal to the feature.
    pub across: f64,
    /// a before probing.
    pub start: f64,
    /// Probing time, up to ∞.
    pub probe: f64,
    /// Finetuning time, up to ∞.
    pub time: f64,
}

/// One head of the figure, probed and finetuned; what all heads of its y and w do is in [`crate::family`].
#[derive(Debug, Serialize)]
pub struct Scene {
    /// E at the start of finetuning, and before probing.
    energy: f64,
    energy_before: f64,
    /// The head (along z₀, across) after probing.
    head: [f64; 2],
    now: Moment,
    end: Moment,
    feature_path: Vec<[f64; 2]>,
    head_path: Vec<[f64; 2]>,
    /// A time at which nine tenths of the residual are gone.
    pace: f64,
    /// Whether the flow has come to a saddle by `time`, which rounding alone decides to leave.
    saddle: bool,
}

/// One moment of finetuning.
#[derive(Debug, Serialize)]
struct Moment {
    time: f64,
    feature: [f64; 2],
    head: [f64; 2],
    residual: f64,
    /// ½r², and what backbone and head have spent of the loss at the start.
    loss: f64,
    backbone: f64,
    head_share: f64,
    metrics: [f64; 4],
}

/// The scene of a situation.
pub fn scene(setting: Setting) -> Result<Scene, String> {
    let Setting { target, across, start, probe, time } = setting;
    within("across", across, 0.0..=10.0)?;
    within("time", time, 0.0..=f64::INFINITY)?;
    let path = probing(target, across, start)?;
    let head = path.head(probe).map_err(said)?;
    let energy = path.energy(probe).map_err(said)?.aie;
    let energy_before = path.energy(0.0).map_err(said)?.aie;
    let flow = flow(target, head[0], across)?;
    let (now, end) = (moment(&flow, time)?, moment(&flow, f64::INFINITY)?);

    let saddle = matches!(flow.moment(time).map_err(said)?.stop, Stop::Saddle(_));
    let pace = pace(&flow, energy)?;
    let (mut feature_path, mut head_path) = (Vec::new(), Vec::new());
    for share in steps(0.0, 1.0, POINTS) {
        // 1 − e^{−pace·t} evenly, so that the points follow the motion; the last one is at ∞.
        let at = (-(-share).ln_1p() * pace).min(time);
        let point = moment(&flow, at)?;
        feature_path.push(point.feature);
        head_path.push(point.head);
        if at == time {
            break;
        }
    }
    Ok(Scene {
        energy,
        energy_before,
        head: [head[0], head[1]],
        now,
        end,
        feature_path,
        head_path,
        pace,
        saddle,
    })
}

/// A head and the energy that is to be left of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// y
    pub target: f64,
    /// a before probing.
    pub start: f64,
    /// The energy, at most that before probing.
    pub energy: f64,
}

/// The probing time that leaves an energy; what lies across the feature has no part in it.
pub fn probe_time(wanted: Wanted) -> Result<f64, String> {
    let path = probing(wanted.target, 0.0, wanted.start)?;
    path.time_for(Measure::Aie, wanted.energy).map_err(said)
}

fn probing(target: f64, across: f64, start: f64) -> Result<ProbingPath, String> {
    within("target", target, TARGETS)?;
    within("start", start, -target..=target)?;
    let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![target]).map_err(said)?;
    ProbingPath::new(&problem, &dmatrix![start; across]).map_err(said)
}

/// The flow from z₀ = (1, 0) and a probed head.
pub fn flow(target: f64, along: f64, across: f64) -> Result<RankOne, String> {
    RankOne::new(1.0, 1.0, target, dvector![1.0, 0.0], dvector![along, across]).map_err(said)
}

/// The four metrics of a point of such a flow.
pub fn adaptation(point: &RankOnePoint) -> [f64; 4] {
    let moved = &point.displacement;
    Adaptation::of_one([(1.0, moved[0]), (0.0, moved[1])].into_iter(), 0.0).values()
}

fn moment(flow: &RankOne, time: f64) -> Result<Moment, String> {
    let point = flow.at(time).map_err(said)?;
    let Budget { backbone, head } = point.budget;
    Ok(Moment {
        time,
        feature: [point.feature[0], point.feature[1]],
        head: [point.head[0], point.head[1]],
        residual: point.residual,
        loss: point.residual * point.residual / 2.0,
        backbone,
        head_share: head,
        metrics: adaptation(&point),
    })
}

/// The time at which a tenth of the residual is left, found by halving; 1 if there is none to lose.
fn pace(flow: &RankOne, energy: f64) -> Result<f64, String> {
    let left = |t: f64| flow.at(t).map(|p| p.residual.abs() - energy / 10.0).map_err(said);
    let (mut low, mut high) = (0.0, 1e3);
    if energy == 0.0 || left(high)? > 0.0 {
        return Ok(1.0);
    }
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if left(middle)? > 0.0 { low = middle } else { high = middle }
    }
    Ok(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(time: f64) -> Setting {
        Setting { target: 1.0, across: 0.5, start: -0.6, probe: 0.3, time }
    }

    #[test]
    fn probing_takes_its_share_and_the_end_fits() {
        let s = scene(setting(f64::INFINITY)).unwrap();
        assert!((s.energy - 1.6 * (-0.3_f64).exp()).abs() < 1e-14);
        assert!((s.energy - (1.0 - s.head[0])).abs() < 1e-14);
        assert_eq!(s.now.residual, 0.0);
        let spent = s.now.backbone + s.now.head_share + s.now.loss;
        assert!((spent - s.energy * s.energy / 2.0).abs() < 1e-13);
        let last = s.feature_path.last().unwrap();
        assert_eq!(last, &s.end.feature);
    }

    #[test]
    fn the_path_stops_at_the_time() {
        let s = scene(setting(0.4)).unwrap();
        assert_eq!(s.feature_path.last().unwrap(), &s.now.feature);
        assert!(s.now.residual > 0.0 && s.now.metrics[0] < s.end.metrics[0]);
    }

    /// A head opposite to the feature and as long leads into z = v = 0; another one passes by.
    #[test]
    fn a_saddle_is_told() {
        let at = |start, time| {
            let opposite = Setting { target: 1.0, across: 0.0, start, probe: 0.0, time };
            scene(opposite).unwrap().saddle
        };
        assert!(at(-1.0, f64::INFINITY));
        assert!(!at(-1.0, 0.5) && !at(-0.9, f64::INFINITY));
    }

    #[test]
    fn an_energy_has_its_probing_time() {
        let wanted = |energy| Wanted { target: 1.0, start: -0.6, energy };
        assert!((probe_time(wanted(0.8)).unwrap() - 2f64.ln()).abs() < 1e-14);
        // No energy at all: as long as it takes, up to rounding.
        let whole = Setting { probe: probe_time(wanted(0.0)).unwrap(), ..setting(1.0) };
        assert!(scene(whole).unwrap().energy < 1e-15);
        assert!(probe_time(wanted(2.0)).unwrap_err().contains("not reached"));
    }

    #[test]
    fn bad_numbers_are_named() {
        let bad = Setting { target: f64::NAN, ..setting(1.0) };
        assert!(scene(bad).unwrap_err().starts_with("target = NaN"));
        let bad = Setting { start: 1.5, ..setting(1.0) };
        assert!(scene(bad).unwrap_err().contains("between -1 and 1"));
    }
}
