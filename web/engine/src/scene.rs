//! The opening figure: one sample with feature z₀ = (1, 0), κ = γ = 1, head (a, w) and target y (T7–T13).
//!
//! Under cross-entropy the sample has the label 1, and finetuning stops where the prediction is y: on the same path,
//! by another clock (T23).

use std::ops::RangeInclusive;

use nalgebra::{dmatrix, dvector};
use serde::{Deserialize, Serialize};
use taskhead::adaptation::Adaptation;
use taskhead::analysis::steps;
use taskhead::flow::rank_one::{RankOne, RankOnePoint};
use taskhead::flow::{Budget, ClosedForm, Stop};
use taskhead::loss::Loss;
use taskhead::probing::{Measure, ProbingPath};
use taskhead::problem::Problem;
use taskhead::simulation::{Probe, Run, Settings, Simulation, Until};

use crate::refusal::{said, within};

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
    /// The loss.
    #[serde(default)]
    pub loss: Loss,
}

/// One head of the figure, probed and finetuned; what all heads of its y and w do is in [`crate::family`].
#[derive(Debug, Serialize)]
pub struct Scene {
    /// The probing time. Under cross-entropy, where probing has no end, at most that at which the prediction is y.
    probe: f64,
    /// E at the start of finetuning, and before probing.
    energy: f64,
    energy_before: f64,
    /// The head (along z₀, across) after probing.
    head: [f64; 2],
    /// What the clocks of the squared loss and of cross-entropy show at this place of the path (T23).
    clocks: [f64; 2],
    #[serde(flatten)]
    motion: Motion,
}

/// Pieces of a path for the integral over it.
const PIECES: usize = 64;

/// Finetuning of the probed head.
#[derive(Debug, Serialize)]
struct Motion {
    now: Moment,
    end: Moment,
    feature_path: Vec<[f64; 2]>,
    head_path: Vec<[f64; 2]>,
    /// A time at which nine tenths of the residual are gone.
    pace: f64,
    /// The time at which finetuning stops.
    last: f64,
    /// Whether the flow has come to a saddle by `time`, which rounding alone decides to leave.
    saddle: bool,
}

/// One moment of finetuning.
#[derive(Debug, Clone, Serialize)]
struct Moment {
    time: f64,
    feature: [f64; 2],
    head: [f64; 2],
    residual: f64,
    /// The loss, and what backbone and head have spent of the loss at the start.
    loss: f64,
    backbone: f64,
    head_share: f64,
    metrics: [f64; 4],
}

impl Moment {
    /// z·v
    fn prediction(&self) -> f64 {
        self.feature[0] * self.head[0] + self.feature[1] * self.head[1]
    }
}

/// The scene of a situation.
pub fn scene(setting: Setting) -> Result<Scene, String> {
    let Setting { target, across, start, probe, time, loss } = setting;
    within("across", across, 0.0..=10.0)?;
    within("time", time, 0.0..=f64::INFINITY)?;
    let path = probing(target, across, start, loss)?;
    let probe = match loss {
        Loss::Squared => probe,
        _ => probe.min(path.time_for(Measure::Aie, energy_at(loss, target, target)).map_err(said)?),
    };
    let head = path.head(probe).map_err(said)?;
    let head = [head[0], across];
    let energy = path.energy(probe).map_err(said)?.aie;
    let energy_before = path.energy(0.0).map_err(said)?.aie;
    let tuned = Tuned { target, head };
    let motion =
        if loss == Loss::Squared { tuned.squared(time, energy)? } else { tuned.clocked(time)? };
    let reached = motion.now.prediction();
    let clocks = match loss {
        _ if time == 0.0 => [0.0; 2],
        Loss::Squared => [time, tuned.time_by_clock(time).unwrap_or(f64::NAN)],
        _ => [tuned.time_by_square(reached).unwrap_or(f64::NAN), motion.now.time],
    };
    Ok(Scene { probe, energy, energy_before, head, clocks, motion })
}

/// A probed head that is to be finetuned to the prediction `target`.
struct Tuned {
    target: f64,
    head: [f64; 2],
}

impl Tuned {
    /// Finetuning by the squared loss.
    fn squared(&self, time: f64, energy: f64) -> Result<Motion, String> {
        let flow = flow(self.target, self.head[0], self.head[1])?;
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
        Ok(Motion { now, end, feature_path, head_path, pace, last: f64::INFINITY, saddle })
    }

    /// The same by cross-entropy, with the clock of T23.
    fn clocked(&self, time: f64) -> Result<Motion, String> {
        let [(now, saddle), (end, _)] = &logistic(self.target, self.head, &[time, f64::INFINITY])?[..]
        else {
            return Err("two times have two moments".into());
        };
        // Where the prediction is q the path is at the limit of the squared loss with target q.
        let (mut feature_path, mut head_path) = (Vec::new(), Vec::new());
        for q in steps(self.head[0], now.prediction(), POINTS) {
            let point = moment(&flow(q, self.head[0], self.head[1])?, f64::INFINITY)?;
            feature_path.push(point.feature);
            head_path.push(point.head);
        }
        let (now, end, saddle) = (now.clone(), end.clone(), *saddle);
        let last = end.time;
        Ok(Motion { now, end, feature_path, head_path, pace: last, last, saddle })
    }

    /// When cross-entropy is at the place where the squared loss is at a time. Its clock runs at σ̇ = 1/(1 + eᑫ) (T23), so
    /// that the time is an integral over the path, of a smooth function.
    fn time_by_clock(&self, time: f64) -> Result<f64, String> {
        let [a, w] = self.head;
        let end = flow(self.target, a, w)?.at(time).map_err(said)?.rapidity;
        let prediction = |s: f64| 0.5 * (1.0 + a * a + w * w) * (2.0 * s).sinh() + a * (2.0 * s).cosh();
        // Gauss's rule of four points, on pieces that are short beside the bends of the path.
        let (near, far) = (0.3399810435848563, 0.8611363115940526);
        let (more, less) = (0.6521451548625461, 0.3478548451374538);
        let half = end / (2 * PIECES) as f64;
        let piece = |i: usize| {
            let middle = (2 * i + 1) as f64 * half;
            let at = |x: f64| 1.0 + prediction(middle + x * half).exp();
            half * (more * (at(-near) + at(near)) + less * (at(-far) + at(far)))
        };
        Ok((0..PIECES).map(piece).sum())
    }

    /// When the squared loss is at a prediction; it reaches its own end at ∞.
    fn time_by_square(&self, prediction: f64) -> Result<f64, String> {
        let flow = flow(self.target, self.head[0], self.head[1])?;
        let left = |t: f64| flow.at(t).map(|p| p.residual - (self.target - prediction)).map_err(said);
        halved(left, 1e2).map(|time| time.unwrap_or(f64::INFINITY))
    }
}

/// The energy of a prediction: its distance from the target, or from the label 1 in probability.
pub fn energy_at(loss: Loss, target: f64, prediction: f64) -> f64 {
    let target = if loss == Loss::Squared { target } else { 1.0 };
    loss.residual(&dmatrix![target], &dmatrix![prediction])[0].abs()
}

/// Finetuning with the logistic loss and label 1 until the prediction is `target`, at several times; and whether it has
/// come to a saddle by then.
fn logistic(target: f64, head: [f64; 2], times: &[f64]) -> Result<Vec<(Moment, bool)>, String> {
    let problem = sample(1.0)?;
    let head = dmatrix![head[0]; head[1]];
    let run = Run::with_loss(&problem, &head, 0.0, Loss::CrossEntropy).map_err(said)?;
    let level = Loss::CrossEntropy.value(&dmatrix![1.0], &dmatrix![target]);
    let settings = Settings { until: Until::Loss(level), ..Settings::default() };
    let runs = run.finetune(Probe::Time(0.0), times, &settings).map_err(said)?;
    let of_run = |s: &Simulation| {
        let (feature, head) = (run.features(s), run.head(s));
        let spent = s.budget.unwrap_or_default();
        let moment = Moment {
            time: s.time,
            feature: [feature[0], feature[1]],
            head: [head[0], head[1]],
            residual: s.residual,
            loss: s.loss,
            backbone: spent.backbone,
            head_share: spent.head,
            metrics: s.adaptation.means(),
        };
        (moment, matches!(s.stop, Stop::Saddle(_)))
    };
    Ok(runs.iter().map(of_run).collect())
}

/// The four metrics of one head at a time under cross-entropy; NaN where the flow does not get to its stop.
pub fn adaptation_by_clock(target: f64, head: [f64; 2], time: f64) -> [f64; 4] {
    logistic(target, head, &[time]).map_or([f64::NAN; 4], |moments| moments[0].0.metrics)
}

/// A head and the energy that is to be left of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// y
    pub target: f64,
    /// a before probing.
    pub start: f64,
    /// The energy, at most that before probing; or the head's part along the feature that has it.
    pub energy: Option<f64>,
    pub along: Option<f64>,
    /// The loss.
    #[serde(default)]
    pub loss: Loss,
}

/// The probing time that leaves an energy; what lies across the feature has no part in it.
pub fn probe_time(wanted: Wanted) -> Result<f64, String> {
    let Wanted { target, start, energy, along, loss } = wanted;
    let path = probing(target, 0.0, start, loss)?;
    let energy = energy
        .or(along.map(|a| energy_at(loss, target, a)))
        .ok_or("give an energy or a part along the feature")?;
    path.time_for(Measure::Aie, energy).map_err(said)
}

fn probing(target: f64, across: f64, start: f64, loss: Loss) -> Result<ProbingPath, String> {
    within("target", target, TARGETS)?;
    within("start", start, -target..=target)?;
    let problem = sample(if loss == Loss::Squared { target } else { 1.0 })?;
    ProbingPath::with_loss(&problem, &dmatrix![start; across], 0.0, loss).map_err(said)
}

/// The sample with its target.
fn sample(target: f64) -> Result<Problem, String> {
    Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![target]).map_err(said)
}

/// The flow from z₀ = (1, 0) and a probed head.
pub fn flow(target: f64, along: f64, across: f64) -> Result<RankOne, String> {
    RankOne::new(1.0, 1.0, target, dvector![1.0, 0.0], dvector![along, across]).map_err(said)
}

/// The four metrics of a point of such a flow.
pub fn adaptation(point: &RankOnePoint) -> [f64; 4] {
    let moved = &point.displacement;
    Adaptation::of_one([(1.0, moved[0]), (0.0, moved[1])].into_iter(), 0.0).means()
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

/// The time at which a tenth of the residual is left; 1 if there is none to lose.
fn pace(flow: &RankOne, energy: f64) -> Result<f64, String> {
    if energy == 0.0 {
        return Ok(1.0);
    }
    let left = |t: f64| flow.at(t).map(|p| p.residual.abs() - energy / 10.0).map_err(said);
    halved(left, 1e3).map(|time| time.unwrap_or(1.0))
}

/// Where a quantity that falls with time reaches 0, by halving; none if it does not by a given time.
fn halved(left: impl Fn(f64) -> Result<f64, String>, by: f64) -> Result<Option<f64>, String> {
    let (mut low, mut high) = (0.0, by);
    if left(high)? > 0.0 {
        return Ok(None);
    }
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if left(middle)? > 0.0 { low = middle } else { high = middle }
    }
    Ok(Some(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(time: f64) -> Setting {
        let loss = Loss::Squared;
        Setting { target: 1.0, across: 0.5, start: -0.6, probe: 0.3, time, loss }
    }

    #[test]
    fn probing_takes_its_share_and_the_end_fits() {
        let s = scene(setting(f64::INFINITY)).unwrap();
        assert!((s.energy - 1.6 * (-0.3_f64).exp()).abs() < 1e-14);
        assert!((s.energy - (1.0 - s.head[0])).abs() < 1e-14);
        assert_eq!(s.motion.now.residual, 0.0);
        let spent = s.motion.now.backbone + s.motion.now.head_share + s.motion.now.loss;
        assert!((spent - s.energy * s.energy / 2.0).abs() < 1e-13);
        let last = s.motion.feature_path.last().unwrap();
        assert_eq!(last, &s.motion.end.feature);
    }

    #[test]
    fn the_path_stops_at_the_time() {
        let s = scene(setting(0.4)).unwrap();
        assert_eq!(s.motion.feature_path.last().unwrap(), &s.motion.now.feature);
        assert!(s.motion.now.residual > 0.0 && s.motion.now.metrics[0] < s.motion.end.metrics[0]);
    }

    /// A head opposite to the feature and as long leads into z = v = 0; another one passes by.
    #[test]
    fn a_saddle_is_told() {
        let at = |start, time| {
            let opposite = Setting { across: 0.0, start, probe: 0.0, ..setting(time) };
            scene(opposite).unwrap().motion.saddle
        };
        assert!(at(-1.0, f64::INFINITY));
        assert!(!at(-1.0, 0.5) && !at(-0.9, f64::INFINITY));
    }

    /// T23: another clock on the same path. At the prediction y the feature is that of the squared loss with target y,
    /// and on the way it lies on the same hyperbola.
    #[test]
    fn the_loss_changes_the_clock_and_not_the_path() {
        let at = |loss, time| scene(Setting { probe: 0.0, loss, ..setting(time) }).unwrap();
        let (squared, logistic) =
            (at(Loss::Squared, f64::INFINITY), at(Loss::CrossEntropy, f64::INFINITY));
        for (a, b) in squared.motion.end.metrics.iter().zip(logistic.motion.end.metrics) {
            assert!((a - b).abs() < 1e-12, "{a} and {b}");
        }
        assert!(
            logistic.motion.last > 1.0
                && logistic.motion.last < 100.0
                && squared.motion.last.is_infinite()
        );
        let halfway = at(Loss::CrossEntropy, logistic.motion.last / 2.0);
        let clocks = halfway.clocks;
        let halfway = halfway.motion.now;
        let q = halfway.prediction();
        let other = flow(q, -0.6, 0.5).unwrap().at(f64::INFINITY).unwrap();
        assert!((other.feature[0] - halfway.feature[0]).abs() < 1e-12);
        assert!((halfway.residual - 1.0 / (1.0 + q.exp())).abs() < 1e-12);
        // The clocks of both losses, from either side.
        assert!((clocks[1] - logistic.motion.last / 2.0).abs() < 1e-12);
        let same = at(Loss::Squared, clocks[0]);
        assert!((same.motion.now.prediction() - q).abs() < 1e-9);
        assert!((same.clocks[1] - clocks[1]).abs() < 1e-8, "{:?} and {clocks:?}", same.clocks);
        let spent = halfway.backbone + halfway.head_share + halfway.loss;
        assert!((spent - (-(-0.6_f64)).exp().ln_1p()).abs() < 1e-9, "{spent}");
    }

    /// Exactly opposite and as long as the feature: no loss leads to a prediction above 0.
    #[test]
    fn an_opposite_head_has_an_answer_under_any_loss() {
        for (time, saddle) in [(0.5, false), (f64::INFINITY, true)] {
            let (target, loss) = (1.0, Loss::CrossEntropy);
            let opposite = Setting { target, start: -1.0, across: 0.0, probe: 0.0, time, loss };
            let motion = scene(opposite).unwrap().motion;
            assert_eq!(motion.saddle, saddle);
            assert_eq!(motion.now.metrics[1], 0.0);
            assert!((motion.now.feature[0] + motion.now.head[0]).abs() < 1e-9);
        }
    }

    /// T24: probing under cross-entropy has no end; here it stops where the prediction is y.
    #[test]
    fn probing_by_cross_entropy_stops_at_the_prediction() {
        let whole = Setting { probe: f64::INFINITY, loss: Loss::CrossEntropy, ..setting(f64::INFINITY) };
        let s = scene(whole).unwrap();
        // a + e^a grows evenly.
        let expected = 1.0 + 1f64.exp() - (-0.6 + (-0.6_f64).exp());
        assert!((s.probe - expected).abs() < 1e-8, "{} and {expected}", s.probe);
        assert!((s.head[0] - 1.0).abs() < 1e-8 && s.motion.end.metrics[0].abs() < 1e-8);
    }

    #[test]
    fn an_energy_has_its_probing_time() {
        let loss = Loss::Squared;
        let wanted =
            |energy| Wanted { target: 1.0, start: -0.6, energy: Some(energy), along: None, loss };
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
