//! The opening figure: one sample with feature z₀ = (1, 0), κ = γ = 1, head (a, w) and target y (T7–T13).

use nalgebra::{DMatrix, dmatrix, dvector};
use serde::{Deserialize, Serialize};
use taskhead::adaptation::Adaptation;
use taskhead::flow::Budget;
use taskhead::flow::rank_one::{Limit, RankOne};
use taskhead::gallery::steps;
use taskhead::probing::{Measure, ProbingPath};
use taskhead::problem::Problem;
use taskhead::trend::Shape;

use crate::{said, within};

/// Points of each curve against energy, and of each path.
const POINTS: usize = 161;

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
    /// Probing: a time, or the energy to be left.
    pub probe: Probe,
    /// Finetuning time, up to ∞.
    pub time: f64,
}

/// How long the head is probed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// A probing time in [0, ∞].
    Time(f64),
    /// The energy that is to be left.
    Energy(f64),
}

/// Everything that the figure shows.
#[derive(Debug, Serialize)]
pub struct Scene {
    probe_time: f64,
    /// E at the start of finetuning, and before probing.
    energy: f64,
    energy_before: f64,
    /// The head (along z₀, across) after probing.
    head: [f64; 2],
    now: Moment,
    end: Moment,
    feature_path: Vec<[f64; 2]>,
    head_path: Vec<[f64; 2]>,
    /// Where the feature ends for every energy of `energies`.
    ends: Vec<[f64; 2]>,
    energies: Vec<f64>,
    /// The four metrics at `time` and in the limit.
    curves: [Vec<f64>; 4],
    limits: [Vec<f64>; 4],
    /// What each limit does on the energies up to y, in words, and where it turns.
    shapes: [String; 4],
    peaks: [Option<f64>; 4],
    /// A time at which nine tenths of the residual are gone.
    pace: f64,
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
    /// σ; ∞ at the saddle, where a head exactly opposite to the feature ends.
    rapidity: f64,
    metrics: [f64; 4],
}

/// The scene of a situation.
pub fn scene(setting: Setting) -> Result<Scene, String> {
    let Setting { target, across, start, probe, time } = setting;
    within("target", target, 0.05..=10.0)?;
    within("across", across, 0.0..=10.0)?;
    within("start", start, -target..=target)?;
    within("time", time, 0.0..=f64::INFINITY)?;
    let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![target]).map_err(said)?;
    let path = ProbingPath::new(&problem, &dmatrix![start; across]).map_err(said)?;
    let probe_time = match probe {
        Probe::Time(tau) => tau,
        Probe::Energy(wanted) => path.time_for(Measure::Aie, wanted).map_err(said)?,
    };
    let head = path.head(probe_time).map_err(said)?;
    let energy = path.energy(probe_time).map_err(said)?.aie;
    let energy_before = path.energy(0.0).map_err(said)?.aie;
    let flow = flow(target, head[0], across)?;
    let (now, end) = (moment(&flow, time)?, moment(&flow, f64::INFINITY)?);

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

    let energies = steps(0.0, 2.0 * target, POINTS);
    let mut ends = Vec::new();
    let (mut curves, mut limits) = ([const { Vec::new() }; 4], [const { Vec::new() }; 4]);
    for &e in &energies {
        let a = target - e;
        let limit = Limit::new(target, across, a);
        let flow = self::flow(target, a, across)?;
        ends.push(moment(&flow, f64::INFINITY)?.feature);
        let now = if time.is_infinite() { limit.adaptation() } else { adaptation(&flow, time)? };
        for (i, (n, l)) in now.values().into_iter().zip(limit.adaptation().values()).enumerate() {
            curves[i].push(n);
            limits[i].push(l);
        }
    }
    let half = POINTS / 2 + 1;
    let shapes = [0, 1, 2, 3].map(|i| Shape::of(&energies[..half], &limits[i][..half], 1e-12));
    let peaks = [0, 1, 2, 3].map(|i| match Shape::of(&energies, &limits[i], 1e-12) {
        Shape::RisingThenFalling { peak } => Some(peak),
        _ => None,
    });
    Ok(Scene {
        probe_time,
        energy,
        energy_before,
        head: [head[0], head[1]],
        now,
        end,
        feature_path,
        head_path,
        ends,
        energies,
        curves,
        limits,
        shapes: shapes.map(|s| s.describe()),
        peaks,
        pace,
    })
}

fn flow(target: f64, along: f64, across: f64) -> Result<RankOne, String> {
    RankOne::new(1.0, 1.0, target, dvector![1.0, 0.0], dvector![along, across]).map_err(said)
}

fn adaptation(flow: &RankOne, time: f64) -> Result<Adaptation, String> {
    let point = flow.at(time).map_err(said)?;
    let moved = DMatrix::from_row_slice(1, 2, point.displacement.as_slice());
    Ok(Adaptation::of(&dmatrix![1.0, 0.0], &moved))
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
        rapidity: point.rapidity,
        backbone,
        head_share: head,
        metrics: adaptation(flow, time)?.values(),
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
        Setting { target: 1.0, across: 0.5, start: -0.6, probe: Probe::Time(0.3), time }
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
        // T9: the norm peaks at E = y, which is a point of the grid.
        assert_eq!(s.peaks[3], Some(1.0));
    }

    #[test]
    fn the_path_stops_at_the_time() {
        let s = scene(setting(0.4)).unwrap();
        assert_eq!(s.feature_path.last().unwrap(), &s.now.feature);
        assert!(s.now.residual > 0.0 && s.now.metrics[0] < s.end.metrics[0]);
    }

    #[test]
    fn an_energy_has_its_probing_time() {
        let by_energy = Setting { probe: Probe::Energy(0.8), ..setting(1.0) };
        let s = scene(by_energy).unwrap();
        assert!((s.probe_time - 2f64.ln()).abs() < 1e-14);
        let beyond = Setting { probe: Probe::Energy(2.0), ..setting(1.0) };
        assert!(scene(beyond).unwrap_err().contains("not reached"));
    }

    #[test]
    fn bad_numbers_are_named() {
        let bad = Setting { target: f64::NAN, ..setting(1.0) };
        assert!(scene(bad).unwrap_err().starts_with("target = NaN"));
        let bad = Setting { start: 1.5, ..setting(1.0) };
        assert!(scene(bad).unwrap_err().contains("between -1 and 1"));
    }
}
