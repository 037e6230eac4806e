//! Head probing under a loss that is not the squared one: the convex flow V̇ = ZᵀR at fixed features (T24).
//!
//! With Z = U diag(s) Wᵀ the head stays V(τ) = V_init + WY/s₁, and the width of the problem is the rank r of Z
//! ([`super::steps`]). The flow is followed in steps that do not depend on what is asked for, no further than needed,
//! and each is kept with its stages: a head in between is one more solution of its equations, at full order, to which
//! its polynomial is the first guess.

use std::sync::{Arc, Mutex, MutexGuard};

use nalgebra::{DMatrix, DVector};

use super::error::ProbingError;
use super::minimum::Minimum;
use super::modes::Convex;
use super::root::{Side, root};
use super::steps::{Control, HeadFlow, RTOL, Response, Step};
use crate::energy::{Energy, Measure};
use crate::flow::LOST;
use crate::flow::solver::{Progress, Watch, Work};
use crate::linalg::Factors;
use crate::loss::Loss;
use crate::product::{Multiplier, product};

/// Probing times up to which the flow is followed, in units of the fastest decay.
const LONGEST: f64 = 1e200;

/// Relative error of heads along the path, at most: what steps of the tolerance [`RTOL`] leave.
const HEAD_ERROR: f64 = 0.5 * RTOL;

/// Largest r·k for which the curvature is whole from the start: it costs nothing there.
const SMALL: usize = 160;

/// Steps after which a path of which no limit is known is not followed to further meetings with a level; usual ones
/// take some hundred.
const LONG: usize = 2000;

/// Parts that a step inside another one is halved into, and again, before it is given up.
const HALVINGS: usize = 12;

/// How many of them are left when rounding is taken to be what keeps the equations from being solved.
const FLAT: usize = HALVINGS - 2;

/// The probing path of one initial head under a loss.
#[derive(Debug, Clone)]
pub(super) struct ConvexPath {
    loss: Loss,
    start: DMatrix<f64>,
    /// Y, N×k.
    targets: DMatrix<f64>,
    /// The targets that the head is probed towards.
    smoothed: DMatrix<f64>,
    /// F₀ = Z V_init.
    predictions: DMatrix<f64>,
    u: Arc<DMatrix<f64>>,
    w: Arc<DMatrix<f64>>,
    /// s₁, and s/s₁.
    largest: f64,
    scale: DVector<f64>,
    track: Arc<Mutex<Track>>,
    watch: Watch,
}

/// How far the path has been followed.
#[derive(Debug, Clone)]
struct Track {
    /// The start, and the end of every step.
    points: Vec<Arc<Point>>,
    /// The step after each point but the last.
    steps: Vec<Arc<Step>>,
    control: Control,
    /// What is known of τ → ∞.
    limit: Option<Minimum>,
}

/// A point of the path: θ = s₁²τ, Y (r×k), G, and energies with their slopes in θ.
#[derive(Debug)]
struct Point {
    theta: f64,
    y: DMatrix<f64>,
    pull: DMatrix<f64>,
    energies: [f64; 2],
    slopes: [f64; 2],
    /// Whether G is rounding.
    rests: bool,
}

impl Point {
    /// An energy and its slope.
    fn energy(&self, measure: Measure) -> (f64, f64) {
        let i = place(measure);
        (self.energies[i], self.slopes[i])
    }
}

fn place(measure: Measure) -> usize {
    match measure {
        Measure::Aie => 0,
        Measure::Frobenius => 1,
    }
}

impl ConvexPath {
    /// The path from a head (h×k) on features Z = U diag(s) Wᵀ towards smoothed targets; `targets` are those of the
    /// loss.
    pub fn new(
        loss: Loss,
        Factors { u, s, w }: Factors,
        head: &DMatrix<f64>,
        targets: DMatrix<f64>,
        smoothing: f64,
    ) -> Self {
        let smoothed = loss.smooth(&targets, smoothing);
        let (r, k) = (s.len(), targets.ncols());
        let on_head = w.tr_mul(head);
        let scaled = DMatrix::from_fn(r, k, |i, j| s[i] * on_head[(i, j)]);
        let predictions = product(&*u, &scaled);
        let largest = s.iter().copied().next().unwrap_or(1.0);
        // A step in which little changes.
        let control = Control::new(0.01 / loss.steepest(k), r * k <= SMALL);
        let track = Track { points: Vec::new(), steps: Vec::new(), control, limit: None };
        let path = Self {
            loss,
            start: head.clone(),
            targets,
            smoothed,
            predictions,
            u,
            w,
            largest,
            scale: s / largest,
            track: Arc::new(Mutex::new(track)),
            watch: Watch::default(),
        };
        let start = path.point(0.0, on_head * 0.0);
        path.track().points.push(Arc::new(start));
        path
    }

    /// The same path, which asks at every step whether to go on.
    pub fn watched(mut self, watch: Watch) -> Self {
        self.watch = watch;
        self
    }

    /// The targets that the head is probed towards, N×k.
    pub fn smoothed(&self) -> &DMatrix<f64> {
        &self.smoothed
    }

    /// Work done so far to follow the path, in products of N×r×k.
    pub fn work(&self) -> Work {
        self.track().control.work(self.u.len() * self.targets.ncols())
    }

    /// V(τ), h×k.
    pub fn head(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        let y = self.at(self.theta(tau))?;
        Ok(&self.start + product(&*self.w, &(y / self.largest)))
    }

    /// R(τ) against the true targets, N×k.
    pub fn residual(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        let y = self.at(self.theta(tau))?;
        // Where predictions move by δ, the residual changes by a share of δ.
        let moved = (self.flow().predictions(&y) - &self.predictions).norm();
        if tau.is_finite() && HEAD_ERROR * moved > LOST {
            return Err(ProbingError::Lost { tau, moved, share: HEAD_ERROR });
        }
        Ok(self.residual_of(&y))
    }

    /// How much of its residual the tolerance of a head on the path leaves open: predictions move by a share of their
    /// size.
    pub fn residual_rounding(&self, head: &DMatrix<f64>) -> f64 {
        let y = self.w.tr_mul(&(head - &self.start)) * self.largest;
        let moved = self.flow().predictions(&y) - &self.predictions;
        self.loss.steepest(self.targets.ncols()) * HEAD_ERROR * moved.norm().max(self.predictions.norm())
    }

    fn theta(&self, tau: f64) -> f64 {
        self.largest * (self.largest * tau)
    }

    fn tau(&self, theta: f64) -> f64 {
        theta / self.largest / self.largest
    }

    fn track(&self) -> MutexGuard<'_, Track> {
        self.track.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn flow(&self) -> HeadFlow<'_> {
        HeadFlow { convex: self.convex(), scale: &self.scale }
    }

    fn convex(&self) -> Convex<'_> {
        Convex { loss: self.loss, targets: &self.smoothed, start: &self.predictions, u: &self.u }
    }

    fn residual_of(&self, y: &DMatrix<f64>) -> DMatrix<f64> {
        self.loss.residual(&self.targets, &self.flow().predictions(y))
    }

    fn point(&self, theta: f64, y: DMatrix<f64>) -> Point {
        let flow = self.flow();
        let f = flow.predictions(&y);
        let r = self.loss.residual(&self.targets, &f);
        let towards = self.loss.residual(&self.smoothed, &f);
        let pull = flow.pull(&towards);
        let rests = pull.norm() <= f64::EPSILON * towards.norm() * (1.0 + f.amax());
        // Ḟ = U diag(σ) Ẏ, Ṙ = −S Ḟ.
        let mut moved = pull.clone();
        crate::product::scale_rows(moved.as_mut_slice(), &self.scale);
        let velocity = -self.loss.curvature(&f, &product(&*self.u, &moved));
        let energy = Energy::of(&r);
        let rows = r.row_iter().zip(velocity.row_iter());
        let each = rows.map(|(r, v)| if r.norm() > 0.0 { r.dot(&v) / r.norm() } else { 0.0 });
        let aie = each.sum::<f64>() / r.nrows() as f64;
        let frobenius = if energy.frobenius > 0.0 { r.dot(&velocity) / energy.frobenius } else { 0.0 };
        let measures = [Measure::Aie, Measure::Frobenius];
        let (energies, slopes) = (measures.map(|m| m.of(&energy)), [aie, frobenius]);
        Point { theta, y, pull, energies, slopes, rests }
    }

    /// Y(θ).
    fn at(&self, theta: f64) -> Result<DMatrix<f64>, ProbingError> {
        if theta.is_infinite() {
            return self.limit();
        }
        let mut track = self.track();
        while let Some(last) = track.points.last().filter(|last| last.theta < theta) {
            // A head that nothing pulls on stays.
            if last.pull.amax() == 0.0 {
                return Ok(last.y.clone());
            }
            self.extend(&mut track)?;
        }
        let i = track.points.partition_point(|point| point.theta <= theta) - 1;
        let point = track.points[i].clone();
        drop(track);
        if point.theta == theta { Ok(point.y.clone()) } else { self.between(i, theta) }
    }

    /// Y at a θ within the step after point i.
    fn between(&self, i: usize, theta: f64) -> Result<DMatrix<f64>, ProbingError> {
        let (point, step) = {
            let track = self.track();
            (track.points[i].clone(), track.steps[i].clone())
        };
        self.inside(&point.y, &step, &step.changes, (theta - point.theta) / step.size, HALVINGS)
    }

    /// Y after a part of a step from Y, with these changes at its stages.
    fn inside(
        &self,
        y: &DMatrix<f64>,
        step: &Step,
        changes: &[f64],
        part: f64,
        halvings: usize,
    ) -> Result<DMatrix<f64>, ProbingError> {
        let flow = self.flow();
        let f = flow.predictions(y);
        let mut found = flow.between(changes, 0.0, part);
        let (count, size) = (Multiplier::default(), part * step.size);
        let start = (&f, y.norm());
        if flow.solve(&count, start, size, &step.curvature, Response::Usual, &mut found).is_some() {
            return Ok(y + flow.last_of(&found));
        }
        if halvings == FLAT {
            found = flow.between(changes, 0.0, part);
            if flow.solve(&count, start, size, &step.curvature, Response::Flat, &mut found).is_some() {
                return Ok(y + flow.last_of(&found));
            }
        }
        let Some(left) = halvings.checked_sub(1) else {
            return Err(unsolved(format!("no convergence within a step of {:e}", self.tau(size))));
        };
        // Half of the way, and the rest of it.
        let half = self.inside(y, step, changes, part / 2.0, left)?;
        let rest = flow.between(changes, part / 2.0, part / 2.0 + 1.0);
        self.inside(&half, step, &rest, part / 2.0, left)
    }

    /// Follows the path for one more step.
    fn extend(&self, track: &mut Track) -> Result<(), ProbingError> {
        let here = track.points.last().expect("it has a start").clone();
        if here.theta > LONGEST {
            return Err(unsolved(format!("followed to {:e}", self.tau(here.theta))));
        }
        let time = self.tau(here.theta);
        let residual = here.energies[place(Measure::Frobenius)];
        if !self.watch.goes_on(|| Progress { steps: track.steps.len(), time, residual }) {
            return Err(ProbingError::Interrupted { time });
        }
        let flow = self.flow();
        let f = flow.predictions(&here.y);
        let step =
            flow.advance(&mut track.control, here.theta, (&here.y, &f, &here.pull)).map_err(unsolved)?;
        let y = &here.y + flow.last_of(&step.changes);
        let there = self.point(here.theta + step.size, y);
        track.points.push(Arc::new(there));
        track.steps.push(Arc::new(step));
        Ok(())
    }

    /// Y(∞), or why there is none.
    fn limit(&self) -> Result<DMatrix<f64>, ProbingError> {
        match self.minimum()? {
            Minimum::At(x) => Ok(self.unscaled(&x)),
            Minimum::Separable { loss } => Err(ProbingError::NoLimit { loss }),
            Minimum::Undecided { gradient, smallest } => {
                Err(ProbingError::Undecided { gradient, smallest })
            }
        }
    }

    /// Y of a head whose predictions are F₀ + U·`scaled`.
    fn unscaled(&self, scaled: &DMatrix<f64>) -> DMatrix<f64> {
        DMatrix::from_fn(scaled.nrows(), scaled.ncols(), |i, j| scaled[(i, j)] / self.scale[i])
    }

    fn minimum(&self) -> Result<Minimum, ProbingError> {
        let mut track = self.track();
        if let Some(known) = &track.limit {
            return Ok(known.clone());
        }
        let goes_on =
            |steps, residual| self.watch.goes_on(|| Progress { steps, time: f64::INFINITY, residual });
        let found = self.convex().minimum(goes_on);
        let found = found.ok_or(ProbingError::Interrupted { time: f64::INFINITY })?;
        track.limit = Some(found.clone());
        Ok(found)
    }

    /// The first `most` probing times at which an energy is `wanted`, ascending.
    ///
    /// Energy and slope at the end of each step tell whether it meets the level within: once, or, where the slope
    /// changes its sign, twice. The path is followed until the energy stays below the level for good (‖r_n‖ is at
    /// most √2 times the loss of the sample, and the loss never rises), or until it rests at its limit.
    pub fn times_for(
        &self,
        measure: Measure,
        wanted: f64,
        most: usize,
    ) -> Result<Vec<f64>, ProbingError> {
        if wanted <= 0.0 {
            // Without an end there is nothing to reach.
            match self.minimum()? {
                Minimum::At(_) => {}
                _ => return Err(self.limit().expect_err("there is no minimum")),
            }
        }
        let mut times = Vec::new();
        let mut a = self.step_end(0)?;
        let first = a.energy(measure).0;
        let (mut lowest, mut highest) = (first, first);
        if first == wanted {
            times.push(0.0);
        }
        for i in 1.. {
            if times.len() >= most || self.stays_below(&a, measure, wanted) {
                break;
            }
            if let Some(limit) = self.has_come_to_rest(&a, measure)? {
                (lowest, highest) = (lowest.min(limit), highest.max(limit));
                if times.is_empty() && (limit - wanted).abs() <= 1e3 * RTOL * limit {
                    times.push(f64::INFINITY);
                }
                return if times.is_empty() {
                    let measure = measure.name();
                    Err(ProbingError::Unreachable { measure, wanted, lowest, highest, whole: true })
                } else {
                    Ok(times)
                };
            }
            if (a.rests || i > LONG) && self.minimum()?.is_undecided() {
                if !times.is_empty() {
                    return Ok(times);
                }
                let why = if a.rests { "the pull on it is rounding" } else { "it takes too many steps" };
                return Err(unsolved(format!(
                    "at a probing time of {:e} and an energy of {:e} {why}, and whether there is a limit is not certain; \
                     reachable for certain: {lowest} to {highest}",
                    self.tau(a.theta),
                    a.energy(measure).0
                )));
            }
            let b = self.step_end(i)?;
            let ((level, falls), (_, rises)) = (a.energy(measure), b.energy(measure));
            // A turn within rounding does not count.
            let steep = falls.abs().max(rises.abs()) * (b.theta - a.theta) > f64::EPSILON * level;
            let turns = steep && falls * rises < 0.0;
            let turn = if turns { self.turn(measure, i - 1, [&a, &b])? } else { None };
            let parts = match &turn {
                Some(turn) => vec![[&*a, turn], [turn, &*b]],
                None => vec![[&*a, &*b]],
            };
            for [a, b] in parts {
                let [before, after] = [a, b].map(|point| point.energy(measure).0);
                (lowest, highest) = (lowest.min(after), highest.max(after));
                if (before - wanted) * (after - wanted) < 0.0 {
                    times.push(self.tau(self.crossing(measure, wanted, i - 1, [a, b])?));
                } else if after == wanted {
                    times.push(self.tau(b.theta));
                }
            }
            a = b;
        }
        if times.is_empty() {
            // The path has come below the level for good without meeting it: it was never as high. Without a limit it
            // goes on to 0.
            match self.minimum()? {
                Minimum::At(scaled) => {
                    let limit = self.energy_of(&self.unscaled(&scaled), measure);
                    (lowest, highest) = (lowest.min(limit), highest.max(limit));
                }
                minimum if minimum.is_undecided() => {}
                _ => lowest = 0.0,
            }
            let measure = measure.name();
            return Err(ProbingError::Unreachable { measure, wanted, lowest, highest, whole: false });
        }
        times.truncate(most);
        Ok(times)
    }

    /// Point i of the path.
    fn step_end(&self, i: usize) -> Result<Arc<Point>, ProbingError> {
        let mut track = self.track();
        while track.points.len() <= i {
            self.extend(&mut track)?;
        }
        Ok(track.points[i].clone())
    }

    /// Whether the energy is below a level at this point and for ever.
    fn stays_below(&self, here: &Point, measure: Measure, wanted: f64) -> bool {
        if here.energy(measure).0 >= wanted.max(f64::MIN_POSITIVE)
            || !self.loss.has_hard_labels(&self.smoothed)
        {
            return false;
        }
        let loss = self.loss.value(&self.targets, &self.flow().predictions(&here.y));
        // Both measures are at most √2 Σ_n ℓ_n; AIE is the mean.
        std::f64::consts::SQRT_2 * loss < wanted
    }

    /// The energy of the limit, if the path is as near to it as its tolerance tells.
    fn has_come_to_rest(&self, here: &Point, measure: Measure) -> Result<Option<f64>, ProbingError> {
        // What the present velocity moves in all the time so far is a first, cheap sign.
        if here.theta == 0.0 || here.pull.norm() * here.theta > 1e-3 * here.y.norm() {
            return Ok(None);
        }
        let Minimum::At(scaled) = self.minimum()? else { return Ok(None) };
        let limit = self.unscaled(&scaled);
        if (&limit - &here.y).norm() > 1e2 * RTOL * limit.norm() {
            return Ok(None);
        }
        Ok(Some(self.energy_of(&limit, measure)))
    }

    fn energy_of(&self, y: &DMatrix<f64>, measure: Measure) -> f64 {
        measure.of(&Energy::of(&self.residual_of(y)))
    }

    /// The point at which the energy turns between two of step i whose slopes have different signs.
    fn turn(
        &self,
        measure: Measure,
        i: usize,
        [a, b]: [&Arc<Point>; 2],
    ) -> Result<Option<Point>, ProbingError> {
        let mut best = None;
        let side = |point: &Point| Side { at: point.theta, value: point.energy(measure).1 };
        root(side(a), side(b), 1e-9, |theta| {
            let point = self.point(theta, self.between(i, theta)?);
            let slope = point.energy(measure).1;
            best = Some(point);
            Ok(slope)
        })?;
        Ok(best)
    }

    /// Where the energy meets a level between two points in step i on different sides of it: by the polynomial of the
    /// step, then by Newton's method on the path itself, and by halving if that leaves the two points.
    fn crossing(
        &self,
        measure: Measure,
        wanted: f64,
        i: usize,
        [a, b]: [&Point; 2],
    ) -> Result<f64, ProbingError> {
        let log = |energy: f64| (energy / wanted).ln();
        let [mut low, mut high] =
            [a, b].map(|point| Side { at: point.theta, value: log(point.energy(measure).0) });
        let (from, step) = {
            let track = self.track();
            (track.points[i].clone(), track.steps[i].clone())
        };
        let mut theta = root(low, high, 1e-9, |theta| {
            let part = (theta - from.theta) / step.size;
            let y = &from.y + self.flow().polynomial(&step.changes, part);
            Ok(log(self.energy_of(&y, measure)))
        })?;
        let close = RTOL / 10.0;
        for _ in 0..4 {
            if theta <= low.at || theta >= high.at {
                break;
            }
            let point = self.point(theta, self.between(i, theta)?);
            let (energy, slope) = point.energy(measure);
            let excess = log(energy);
            if excess.abs() <= close {
                return Ok(theta);
            }
            let here = Side { at: theta, value: excess };
            if excess * low.value > 0.0 {
                low = here
            } else {
                high = here
            }
            theta -= excess * energy / slope;
        }
        root(low, high, 2.0 * f64::EPSILON, |theta| {
            let excess = log(measure.of(&Energy::of(&self.residual_of(&self.between(i, theta)?))));
            Ok(if excess.abs() <= close { 0.0 } else { excess })
        })
    }
}

fn unsolved(reason: String) -> ProbingError {
    ProbingError::Unsolved { reason }
}
