//! Head probing under a loss that is not the squared one: the convex flow V̇ = ZᵀR at fixed features (T24).
//!
//! With Z = U diag(s) Wᵀ the head stays V(τ) = V_init + WX, and the width of the problem is the rank r of Z. The flow
//! is that of finetuning with a backbone that cannot move, by the same solver. It is followed in legs whose ends do
//! not depend on what is asked for, each no further than needed; the state after every step is kept, and a head in
//! between is one more solution from the step before it, at full order.

use std::sync::{Arc, Mutex};

use nalgebra::{DMatrix, DVector};

use super::error::ProbingError;
use super::minimum::{Convex, Minimum};
use crate::energy::{Energy, Measure};
use crate::flow::solver::{Options, Solution, solve};
use crate::flow::{Flow, FlowError};
use crate::linalg::Factors;
use crate::loss::Loss;
use crate::product::{Factor, product};
use crate::reduction::{Reduction, State};

/// Relative tolerance of heads along the path.
const RTOL: f64 = 1e-11;

/// A leg ends at this multiple of its start.
const LEG: f64 = 16.0;

/// Probing times up to which the flow is followed.
const LONGEST: f64 = 1e200;

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
    s: DVector<f64>,
    reduction: Reduction,
    track: Arc<Mutex<Track>>,
}

/// How far the path has been followed.
#[derive(Debug, Clone)]
struct Track {
    /// τ and X (r×k) after every step; the first is the start.
    steps: Vec<(f64, DMatrix<f64>)>,
    /// Where the last leg ends, and the step to go on with.
    end: f64,
    next_step: Option<f64>,
    /// What is known of τ → ∞.
    limit: Option<Minimum>,
}

/// A point of the path: τ, X, energy and its slope in τ.
struct Sample {
    tau: f64,
    x: DMatrix<f64>,
    energy: f64,
    slope: f64,
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
        let on_head = w.tr_mul(head);
        let scaled = DMatrix::from_fn(s.len(), head.ncols(), |i, j| s[i] * on_head[(i, j)]);
        let predictions = product(&*u, &scaled);
        let reduction = Reduction::of_features(&u, &s, smoothed.clone(), loss);
        let fastest = s.iter().fold(0.0, |a: f64, &b| a.max(b)).powi(2) * loss.steepest(targets.ncols());
        let first = if fastest > 0.0 { 1.0 / fastest } else { 1.0 };
        let track =
            Track { steps: vec![(0.0, on_head * 0.0)], end: first / LEG, next_step: None, limit: None };
        Self {
            loss,
            start: head.clone(),
            targets,
            smoothed,
            predictions,
            u,
            w,
            s,
            reduction,
            track: Arc::new(Mutex::new(track)),
        }
    }

    /// The targets that the head is probed towards, N×k.
    pub fn targets(&self) -> &DMatrix<f64> {
        &self.smoothed
    }

    /// V(τ), h×k.
    pub fn head(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        Ok(&self.start + &*self.w * self.at(tau)?)
    }

    /// R(τ) against the true targets, N×k.
    pub fn residual(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        Ok(self.residual_of(&self.at(tau)?))
    }

    fn predictions_of(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        let scaled = DMatrix::from_fn(x.nrows(), x.ncols(), |i, j| self.s[i] * x[(i, j)]);
        self.convex().predictions(&scaled)
    }

    fn residual_of(&self, x: &DMatrix<f64>) -> DMatrix<f64> {
        self.loss.residual(&self.targets, &self.predictions_of(x))
    }

    fn convex(&self) -> Convex<'_> {
        Convex { loss: self.loss, targets: &self.smoothed, start: &self.predictions, u: &self.u }
    }

    /// X(τ).
    fn at(&self, tau: f64) -> Result<DMatrix<f64>, ProbingError> {
        if tau.is_infinite() {
            return self.limit();
        }
        let mut track = self.track.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        while track.reached() < tau {
            self.extend(&mut track)?;
        }
        let after = track.steps.partition_point(|(t, _)| *t <= tau);
        let (t, x) = track.steps[after - 1].clone();
        let next = track.steps.get(after).map_or(tau, |(next, _)| *next);
        drop(track);
        if t == tau { Ok(x) } else { self.between(&x, tau - t, next - t) }
    }

    /// X after a time from X, within a step of a length that is known to be good.
    fn between(&self, x: &DMatrix<f64>, time: f64, step: f64) -> Result<DMatrix<f64>, ProbingError> {
        let options = Options { rtol: RTOL, first_step: Some(time.min(step)), ..Options::default() };
        Ok(self.solution(x, time, &options)?.1)
    }

    /// The flow from X for a time: its solution, and X there.
    fn solution(
        &self,
        x: &DMatrix<f64>,
        time: f64,
        options: &Options,
    ) -> Result<(Solution, DMatrix<f64>), ProbingError> {
        let before = self.w.tr_mul(&self.start);
        let head = &before + x;
        let flow = Flow::new(&self.reduction, &head, 1.0).map_err(unsolved)?;
        let solution = solve(&flow, time, options).map_err(unsolved)?;
        if !solution.end.stop.is_success() {
            let reason = solution.end.stop.to_string();
            return Err(ProbingError::Unsolved { reason });
        }
        let end = x + (&solution.end.state.head - &head);
        Ok((solution, end))
    }

    /// Follows the path for one more leg.
    fn extend(&self, track: &mut Track) -> Result<(), ProbingError> {
        let (begin, x) = track.steps.last().expect("it has a start").clone();
        let end = track.end * LEG;
        if end > LONGEST {
            let reason = format!("followed to {begin:e}");
            return Err(ProbingError::Unsolved { reason });
        }
        let options = Options {
            rtol: RTOL,
            first_step: track.next_step.map(|step| step.min(end - begin)),
            record: true,
            ..Options::default()
        };
        let (solution, _) = self.solution(&x, end - begin, &options)?;
        let before = self.w.tr_mul(&self.start) + &x;
        let steps =
            solution.steps.iter().map(|(t, State { head, .. })| (begin + t, &x + (head - &before)));
        track.steps.extend(steps);
        // The last step lands on the end of the leg, whatever its sum says.
        if let Some(last) = track.steps.last_mut() {
            last.0 = end;
        }
        track.next_step = Some(solution.next_step);
        track.end = end;
        Ok(())
    }

    /// X(∞), or why there is none.
    fn limit(&self) -> Result<DMatrix<f64>, ProbingError> {
        match self.minimum() {
            Minimum::At(x) => Ok(self.unscaled(&x)),
            Minimum::Separable { loss } => Err(ProbingError::NoLimit { loss }),
            Minimum::Undecided { gradient, smallest } => {
                Err(ProbingError::Undecided { gradient, smallest })
            }
        }
    }

    /// X of a head whose predictions are F₀ + U·`scaled`.
    fn unscaled(&self, scaled: &DMatrix<f64>) -> DMatrix<f64> {
        DMatrix::from_fn(scaled.nrows(), scaled.ncols(), |i, j| scaled[(i, j)] / self.s[i])
    }

    fn minimum(&self) -> Minimum {
        let mut track = self.track.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        track.limit.get_or_insert_with(|| self.convex().minimum()).clone()
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
            // Without an end there is no need to go there.
            match self.minimum() {
                Minimum::At(_) => {}
                _ => return Err(self.limit().expect_err("there is no minimum")),
            }
        }
        let sample = |(tau, x): &(f64, DMatrix<f64>)| self.sample(measure, *tau, x.clone());
        let mut times = Vec::new();
        let first = self.step(0)?;
        let mut a = sample(&first);
        let (mut lowest, mut highest) = (a.energy, a.energy);
        if a.energy == wanted {
            times.push(0.0);
        }
        for i in 1.. {
            if times.len() >= most || self.stays_below(&a, wanted) {
                break;
            }
            if let Some(limit) = self.has_come_to_rest(&a, measure)? {
                (lowest, highest) = (lowest.min(limit), highest.max(limit));
                if times.is_empty() && (limit - wanted).abs() <= 1e3 * RTOL * limit {
                    times.push(f64::INFINITY);
                }
                return if times.is_empty() {
                    Err(ProbingError::Unreachable { measure: measure.name(), wanted, lowest, highest })
                } else {
                    Ok(times)
                };
            }
            let b = sample(&self.step(i)?);
            let turn = if a.slope * b.slope < 0.0 { self.turn(measure, &a, &b)? } else { None };
            for (a, b) in match &turn {
                Some(turn) => vec![(&a, turn), (turn, &b)],
                None => vec![(&a, &b)],
            } {
                (lowest, highest) = (lowest.min(b.energy), highest.max(b.energy));
                if (a.energy - wanted) * (b.energy - wanted) < 0.0 {
                    times.push(self.crossing(measure, a, b, wanted)?);
                } else if b.energy == wanted {
                    times.push(b.tau);
                }
            }
            a = b;
        }
        if times.is_empty() {
            // The path has come below the level for good without meeting it: it was never as high.
            return Err(ProbingError::Unreachable {
                measure: measure.name(),
                wanted,
                lowest: 0.0,
                highest,
            });
        }
        times.truncate(most);
        Ok(times)
    }

    /// Step i of the path.
    fn step(&self, i: usize) -> Result<(f64, DMatrix<f64>), ProbingError> {
        let mut track = self.track.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        while track.steps.len() <= i {
            self.extend(&mut track)?;
        }
        Ok(track.steps[i].clone())
    }

    fn sample(&self, measure: Measure, tau: f64, x: DMatrix<f64>) -> Sample {
        let f = self.predictions_of(&x);
        let r = self.loss.residual(&self.targets, &f);
        let pull = self.loss.residual(&self.smoothed, &f);
        // Ḟ = Z ZᵀR, Ṙ = −S Ḟ.
        let mut on_modes = product(Factor::from(&*self.u).t(), &pull);
        for (mut row, s) in on_modes.row_iter_mut().zip(self.s.iter()) {
            row *= s * s;
        }
        let velocity = -self.loss.curvature(&f, &product(&*self.u, &on_modes));
        let energy = measure.of(&Energy::of(&r));
        let slope = match measure {
            Measure::Frobenius => r.dot(&velocity) / energy,
            Measure::Aie => {
                let rows = r.row_iter().zip(velocity.row_iter());
                let each = rows.map(|(r, v)| if r.norm() > 0.0 { r.dot(&v) / r.norm() } else { 0.0 });
                each.sum::<f64>() / r.nrows() as f64
            }
        };
        Sample { tau, x, energy, slope }
    }

    /// Whether the energy is below a level at this point and for ever.
    fn stays_below(&self, here: &Sample, wanted: f64) -> bool {
        if here.energy >= wanted.max(f64::MIN_POSITIVE) || !self.loss.has_hard_labels(&self.smoothed) {
            return false;
        }
        let loss = self.loss.value(&self.targets, &self.predictions_of(&here.x));
        // Both measures are at most √2 Σ_n ℓ_n; AIE is the mean.
        std::f64::consts::SQRT_2 * loss < wanted
    }

    /// The energy of the limit, if the path is as near to it as its tolerance tells.
    fn has_come_to_rest(&self, here: &Sample, measure: Measure) -> Result<Option<f64>, ProbingError> {
        if here.tau == 0.0 {
            return Ok(None);
        }
        let f = self.predictions_of(&here.x);
        let mut pull = product(Factor::from(&*self.u).t(), &self.loss.residual(&self.smoothed, &f));
        for (mut row, s) in pull.row_iter_mut().zip(self.s.iter()) {
            row *= *s;
        }
        // What the present velocity moves in all the time so far is a first, cheap sign.
        if pull.norm() * here.tau > 1e-3 * here.x.norm() {
            return Ok(None);
        }
        let Minimum::At(scaled) = self.minimum() else { return Ok(None) };
        let limit = self.unscaled(&scaled);
        if (&limit - &here.x).norm() > 1e2 * RTOL * limit.norm() {
            return Ok(None);
        }
        Ok(Some(measure.of(&Energy::of(&self.residual_of(&limit)))))
    }

    /// The sample at which the energy turns between two whose slopes have different signs.
    fn turn(&self, measure: Measure, a: &Sample, b: &Sample) -> Result<Option<Sample>, ProbingError> {
        let (mut low, mut high) = (a.tau, b.tau);
        let mut best = None;
        for _ in 0..60 {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high || high - low <= 1e-9 * high {
                break;
            }
            let x = self.between(&a.x, middle - a.tau, b.tau - a.tau)?;
            let sample = self.sample(measure, middle, x);
            if sample.slope * a.slope > 0.0 {
                low = middle
            } else {
                high = middle
            }
            best = Some(sample);
        }
        Ok(best)
    }

    /// The time at which the energy meets a level between two samples on different sides of it.
    fn crossing(
        &self,
        measure: Measure,
        a: &Sample,
        b: &Sample,
        wanted: f64,
    ) -> Result<f64, ProbingError> {
        let log = |energy: f64| (energy / wanted).ln();
        let (mut low, mut high) = (a.tau, b.tau);
        let (mut at_low, mut at_high) = (log(a.energy), log(b.energy));
        let mut side = 0;
        for _ in 0..100 {
            let secant = low + (high - low) * (at_low / (at_low - at_high));
            let tau = if secant > low && secant < high { secant } else { low + (high - low) / 2.0 };
            if tau <= low || tau >= high || high - low <= 2.0 * f64::EPSILON * high {
                break;
            }
            let x = self.between(&a.x, tau - a.tau, b.tau - a.tau)?;
            let excess = log(measure.of(&Energy::of(&self.residual_of(&x))));
            if excess.abs() <= RTOL / 10.0 {
                return Ok(tau);
            }
            if excess * at_low > 0.0 {
                (low, at_low) = (tau, excess);
                at_high /= if side == 1 { 2.0 } else { 1.0 };
                side = 1;
            } else {
                (high, at_high) = (tau, excess);
                at_low /= if side == -1 { 2.0 } else { 1.0 };
                side = -1;
            }
        }
        Ok(high)
    }
}

impl Track {
    fn reached(&self) -> f64 {
        self.steps.last().map_or(0.0, |(tau, _)| *tau)
    }
}

fn unsolved(error: FlowError) -> ProbingError {
    ProbingError::Unsolved { reason: error.to_string() }
}
