//! The numerical flow, for every problem that has no closed form.
//!
//! Implicit collocation (Radau IIA, [`collocation`]) with adaptive steps. Residuals decay with the
//! eigenvalues of the tangent kernel, which span many orders of magnitude, so the solver must be
//! implicit; its linear algebra is cheap because the stiff part of the Jacobian splits into k
//! symmetric n×n matrices ([`tangent`]). They are kept while the iteration converges with them, and what the
//! frozen part of the Jacobian misses is made up by `acceleration`. T2 is restored in every state that is
//! given back (`conservation`). T → ∞ ends when what is left of the motion is small enough
//! that the frozen tangent kernel gives it within the tolerance, and takes that last step.

mod acceleration;
pub mod collocation;
mod conservation;
mod field;
pub mod tangent;

use std::sync::OnceLock;

use nalgebra::{Complex, DMatrix, DVector};

use super::{Budget, Flow, FlowError, check_time};
use crate::reduction::State;
use acceleration::Acceleration;
use collocation::{Collocation, MAX_PAIRS};
use field::Field;
use tangent::{Buffers, Tangent};

/// Default relative tolerance: what is left is far below the 1e-7 that reports print.
pub const DEFAULT_RTOL: f64 = 1e-9;

/// Stages of the method: order 9. Measured against 3 and 7 in DESIGN.md.
const STAGES: usize = 5;

/// Newton iterations before a step is tried again with half its size.
const NEWTON_LIMIT: usize = 20;

/// What the solver is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Relative error of the result: of the motion D in units of its own size, of the head in units of its
    /// own. On the suite of `tests/suite` the error is at most 10 times this. Between 1e-13 and 1e-2.
    pub rtol: f64,
    /// Steps after which it gives up with [`Status::StepLimit`].
    pub max_steps: usize,
    /// No steady state is declared before this time.
    pub minimal_time: f64,
    /// Stop when ‖R‖_F (the constant part of the targets left out) falls to this.
    pub residual: Option<f64>,
    /// Times at which the state is wanted, ascending; those after the end are left out.
    pub times: Vec<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rtol: DEFAULT_RTOL,
            max_steps: 20_000,
            minimal_time: 0.0,
            residual: None,
            times: Vec::new(),
        }
    }
}

/// Why the solver stopped.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Status {
    /// The wanted time is reached.
    Time,
    /// The flow has converged; the state is its limit.
    Converged,
    /// The wanted residual is reached.
    Residual,
    /// The step limit; the state is what was reached.
    StepLimit {
        /// Steps taken.
        steps: usize,
        /// Time reached.
        time: f64,
    },
    /// No step is small enough; the state is what was reached.
    StepTooSmall {
        /// The step that was refused.
        step: f64,
        /// Time reached.
        time: f64,
    },
}

impl Status {
    /// Whether what was asked for was reached.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Time | Self::Converged | Self::Residual)
    }
}

/// A moment of a solution.
#[derive(Debug, Clone)]
pub struct Point {
    /// Time; ∞ for the limit.
    pub time: f64,
    /// The state.
    pub state: State,
    /// Loss spent so far.
    pub budget: Budget,
}

/// Work done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Work {
    /// Accepted steps.
    pub steps: usize,
    /// Refused steps.
    pub rejected: usize,
    /// Evaluations of the right-hand side.
    pub evaluations: usize,
    /// Matrix products of the size n×p×k: three in a right-hand side, six where a tangent kernel solves for
    /// one stage.
    pub products: usize,
    /// Tangent kernels decomposed.
    pub decompositions: usize,
}

/// What the solver returns: the wanted points, the last point and why it is the last.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The states at the wanted times that were reached.
    pub points: Vec<Point>,
    /// The last state.
    pub end: Point,
    /// Why it stopped.
    pub status: Status,
    /// Work done.
    pub work: Work,
}

/// Solves a flow from 0 to `until` (∞: to its limit).
pub fn solve(flow: &Flow, until: f64, options: &Options) -> Result<Solution, FlowError> {
    check_time(until)?;
    check_options(options)?;
    static METHOD: OnceLock<Collocation> = OnceLock::new();
    Solver::new(flow, METHOD.get_or_init(|| Collocation::radau(STAGES)), options).run(until)
}

fn check_options(options: &Options) -> Result<(), FlowError> {
    if !(1e-13..=1e-2).contains(&options.rtol) {
        return Err(FlowError::Setting {
            name: "rtol",
            value: options.rtol,
            accepted: "between 1e-13 and 1e-2",
        });
    }
    if let Some(level) = options.residual.filter(|&level| !(level >= 0.0 && level.is_finite())) {
        return Err(FlowError::Setting {
            name: "residual",
            value: level,
            accepted: "a finite number of at least 0",
        });
    }
    options.times.iter().try_for_each(|&t| check_time(t))?;
    if let Some(pair) = options.times.windows(2).find(|pair| pair[0] > pair[1]) {
        return Err(FlowError::Setting { name: "time", value: pair[1], accepted: "in ascending order" });
    }
    Ok(())
}

/// The state at a finite time after equal steps with s Radau stages and no error control: what
/// convergence orders are measured on. The error is of order 2s − 1 in the step.
pub fn equal_steps(flow: &Flow, stages: usize, until: f64, steps: usize) -> Result<State, FlowError> {
    check_time(until)?;
    let method = Collocation::radau(stages);
    let options = Options { rtol: 1e-12, ..Options::default() };
    let mut solver = Solver::new(flow, &method, &options);
    solver.newton_limit = 100;
    let step = until / steps as f64;
    for i in 1..=steps {
        solver.decompose()?;
        if solver.solve_stages(step).is_none() {
            let accepted = "large enough that the stages of every step converge";
            return Err(FlowError::Setting { name: "number of steps", value: steps as f64, accepted });
        };
        solver.accept(step, i as f64 * step);
    }
    Ok(solver.unpacked())
}

/// The run of one solution. States are packed ([`field`]); a block holds one column for each stage.
struct Solver<'a> {
    flow: &'a Flow<'a>,
    method: &'a Collocation,
    options: &'a Options,
    field: Field<'a>,
    time: f64,
    state: DVector<f64>,
    velocity: DVector<f64>,
    budget: Budget,
    step: f64,
    /// The frozen tangent kernel, and the steps accepted since it was frozen.
    tangent: Option<Tangent>,
    age: usize,
    /// Norm of the rounding error of a residual near where the tangent kernel was frozen.
    rounding: f64,
    /// Stage increments that are iterated on.
    increments: DMatrix<f64>,
    /// Step and stage increments of the last accepted step, for the predictor.
    last_step: Option<f64>,
    last_increments: DMatrix<f64>,
    last_error: f64,
    newton_limit: usize,
    acceleration: Acceleration,
    velocities: DMatrix<f64>,
    corrections: DMatrix<f64>,
    decoupled: DMatrix<f64>,
    defect: DMatrix<f64>,
    stage: DVector<f64>,
    buffers: (Buffers, Buffers),
    solved_columns: usize,
    work: Work,
}

/// A step that was tried.
enum Attempt {
    Accepted { error: f64, iterations: usize },
    TooInaccurate { error: f64 },
    NoConvergence,
}

impl<'a> Solver<'a> {
    fn new(flow: &'a Flow<'a>, method: &'a Collocation, options: &'a Options) -> Self {
        let mut field = Field::new(flow);
        let state = field.pack(flow.start());
        let mut velocity = state.clone();
        field.velocity(state.as_slice(), velocity.as_mut_slice());
        let block = DMatrix::zeros(field.entries(), method.stages());
        Self {
            flow,
            method,
            options,
            time: 0.0,
            budget: Budget::default(),
            step: f64::NAN,
            tangent: None,
            age: 0,
            rounding: 0.0,
            increments: block.clone(),
            last_step: None,
            last_increments: block.clone(),
            last_error: 1.0,
            newton_limit: NEWTON_LIMIT,
            acceleration: Acceleration::default(),
            velocities: block.clone(),
            corrections: block.clone(),
            decoupled: block,
            defect: DMatrix::zeros(field.entries(), 1),
            stage: state.clone(),
            buffers: (Buffers::new(flow, method.stages()), Buffers::new(flow, 1)),
            solved_columns: 0,
            work: Work { evaluations: 1, ..Work::default() },
            field,
            state,
            velocity,
        }
    }

    fn unpacked(&self) -> State {
        self.field.unpack(self.state.as_slice())
    }

    /// Freezes the tangent kernel here.
    fn decompose(&mut self) -> Result<(), FlowError> {
        let state = self.unpacked();
        let reduction = self.flow.reduction();
        let size = reduction.targets().norm() + reduction.features_at(&state).norm() * state.head.norm();
        self.rounding = 4.0 * f64::EPSILON * size;
        self.tangent = Some(Tangent::new(self.flow, &state)?);
        self.age = 0;
        self.work.decompositions += 1;
        Ok(())
    }

    fn run(mut self, until: f64) -> Result<Solution, FlowError> {
        let mut points = Vec::new();
        let mut wanted = self.options.times.iter().copied().filter(|&t| t <= until).peekable();
        let status = loop {
            while wanted.next_if(|&t| t <= self.time).is_some() {
                points.push(self.point()?);
            }
            if self.time >= until {
                break Status::Time;
            }
            if self.options.residual.is_some() && self.reaches_level(&self.unpacked()) {
                break Status::Residual;
            }
            if self.tangent.is_none() {
                self.decompose()?;
            }
            if until.is_infinite()
                && self.time >= self.options.minimal_time
                && wanted.peek().is_none_or(|t| t.is_infinite())
                && let Some(limit) = self.fresh_limit()?
                && !self.reaches_level(&limit.state)
            {
                self.state = self.field.pack(&limit.state);
                self.budget = limit.budget;
                self.time = f64::INFINITY;
                for _ in wanted {
                    points.push(self.point()?);
                }
                break Status::Converged;
            }
            if self.work.steps >= self.options.max_steps {
                break Status::StepLimit { steps: self.work.steps, time: self.time };
            }
            if self.step.is_nan() {
                self.step = self.first_step();
            }
            let next = wanted.peek().copied().unwrap_or(until).min(until);
            if let Some(step) = self.advance(next)? {
                break Status::StepTooSmall { step, time: self.time };
            }
        };
        let work = Work { products: 3 * self.work.evaluations + 6 * self.solved_columns, ..self.work };
        Ok(Solution { points, end: self.point()?, status, work })
    }

    /// The state here, with the conserved matrix of the start.
    fn point(&self) -> Result<Point, FlowError> {
        let mut state = self.unpacked();
        conservation::restore(self.flow, &mut state)?;
        Ok(Point { time: self.time, state, budget: self.budget })
    }

    /// Whether a residual level was asked for and a state is on it or below.
    fn reaches_level(&self, state: &State) -> bool {
        let norm = || self.flow.reduction().residual(state).norm();
        self.options.residual.is_some_and(|level| norm() <= level * (1.0 + self.level_slack()))
    }

    /// A step in which neither the residual nor the head changes by more than a hundredth.
    fn first_step(&self) -> f64 {
        let start = self.field.motion_entries();
        let head = self.velocity.rows_range(start..).norm() / self.state.rows_range(start..).norm();
        let largest = self.tangent.as_ref().map_or(0.0, Tangent::largest);
        let rate = largest.max(if head.is_finite() { head } else { 0.0 });
        if rate > 0.0 { 0.01 / rate } else { 1.0 }
    }

    /// Advances by one accepted step that does not pass `next`, or returns the step that is too small.
    fn advance(&mut self, next: f64) -> Result<Option<f64>, FlowError> {
        let mut refused = false;
        loop {
            let room = next - self.time;
            // A step that would leave a sliver takes the sliver with it, or half of the way.
            let (step, lands) = if self.step >= room {
                (room, true)
            } else if self.step > room / 2.0 && room.is_finite() {
                (room / 2.0, false)
            } else {
                (self.step, false)
            };
            if self.time + step <= self.time {
                return Ok(Some(step));
            }
            match self.attempt(step, refused) {
                Attempt::Accepted { error, iterations } => {
                    if let Some(crossing) = self.residual_crossing() {
                        self.step = step * crossing;
                        continue;
                    }
                    let grown = self.grow(step, error, iterations);
                    self.accept(step, if lands { next } else { self.time + step });
                    // A step that was cut to land says nothing against the step before it.
                    self.step = if step < self.step { grown.max(self.step) } else { grown };
                    if refused {
                        self.step = self.step.min(step);
                    }
                    self.last_error = error.max(1e-4);
                    if iterations > self.patience() {
                        self.tangent = None;
                    }
                    return Ok(None);
                }
                Attempt::TooInaccurate { error } => {
                    self.work.rejected += 1;
                    refused = true;
                    let order = self.method.stages() as f64 + 1.0;
                    self.step = step * (0.9 * error.powf(-1.0 / order)).clamp(0.1, 0.9);
                }
                Attempt::NoConvergence => {
                    self.work.rejected += 1;
                    if self.age > 0 {
                        self.decompose()?;
                    } else {
                        refused = true;
                        self.step = step / 2.0;
                    }
                }
            }
        }
    }

    /// Iterations of a step after which the tangent kernel is frozen anew: more for many rows, where
    /// decomposing costs more iterations than it saves.
    fn patience(&self) -> usize {
        (3 + self.flow.reduction().rows() / 30).min(NEWTON_LIMIT / 2)
    }

    /// The step size after an accepted step (Gustafsson's predictive controller).
    fn grow(&self, step: f64, error: f64, iterations: usize) -> f64 {
        let order = self.method.stages() as f64 + 1.0;
        let limit = NEWTON_LIMIT as f64;
        let safety = 0.9 * (2.0 * limit + 1.0) / (2.0 * limit + iterations as f64);
        let error = error.max(1e-10);
        let mut factor = safety * error.powf(-1.0 / order);
        if let Some(last_step) = self.last_step
            && last_step > 0.0
        {
            let predicted = factor * (step / last_step) * (self.last_error / error).powf(1.0 / order);
            factor = factor.min(predicted);
        }
        step * factor.clamp(0.2, 8.0)
    }

    /// Sizes of motion and head within the step that is tried: what tolerances are relative to.
    fn sizes(&self) -> [f64; 2] {
        let m = self.field.motion_entries();
        let (now, last) = (&self.state, self.increments.column(self.method.stages() - 1));
        [(0, m), (m, now.len() - m)]
            .map(|(from, rows)| now.rows(from, rows).norm() + last.rows(from, rows).norm())
    }

    /// Sizes that motion and head get by the rounding of a residual alone, within a step.
    fn noise(&self, step: f64) -> [f64; 2] {
        let tangent = self.tangent.as_ref().expect("frozen before every step");
        let noise = self.rounding * tangent.response(step);
        [noise, noise * self.flow.head_rate().sqrt()]
    }

    /// A change in units of what is allowed of motion and head, the worse of both.
    fn ratio(&self, change: &[f64], allowed: [f64; 2]) -> f64 {
        let (motion, head) = change.split_at(self.field.motion_entries());
        let ratio = |change: &[f64], allowed: f64| {
            let norm = change.iter().map(|x| x * x).sum::<f64>().sqrt();
            if norm == 0.0 { 0.0 } else { norm / allowed }
        };
        let (motion, head) = (ratio(motion, allowed[0]), ratio(head, allowed[1]));
        if motion.is_nan() || head.is_nan() { f64::NAN } else { motion.max(head) }
    }

    fn attempt(&mut self, step: f64, refused: bool) -> Attempt {
        let Some(iterations) = self.solve_stages(step) else {
            return Attempt::NoConvergence;
        };
        let mut error = self.local_error(step, None);
        if error >= 1.0 && (refused || self.last_step.is_none()) {
            // Hairer and Wanner's second look, which does not overestimate stiff components.
            self.stage.copy_from(&self.state);
            self.stage += self.defect.column(0);
            let mut velocity = self.stage.clone();
            self.field.velocity(self.stage.as_slice(), velocity.as_mut_slice());
            self.work.evaluations += 1;
            error = self.local_error(step, Some(&velocity));
        }
        if error.is_nan() {
            Attempt::NoConvergence
        } else if error < 1.0 {
            Attempt::Accepted { error, iterations }
        } else {
            Attempt::TooInaccurate { error }
        }
    }

    /// The local error of the embedded formula, in units of the tolerance of a step.
    fn local_error(&mut self, step: f64, velocity: Option<&DVector<f64>>) -> f64 {
        let m = self.method;
        let shift = m.eigenvalues[0] * step;
        let mut defect = self.defect.column_mut(0);
        defect.copy_from(velocity.unwrap_or(&self.velocity));
        defect *= shift.re;
        for (weight, z) in m.error.iter().zip(self.increments.column_iter()) {
            defect.axpy(*weight, &z, 1.0);
        }
        let tangent = self.tangent.as_ref().expect("frozen before every step");
        tangent.solve(&[shift], &mut self.defect, &mut self.buffers.1);
        self.solved_columns += 1;
        let (sizes, noise, tolerance) = (self.sizes(), self.noise(step), self.step_tolerance());
        self.ratio(self.defect.as_slice(), [0, 1].map(|i| tolerance * sizes[i] + noise[i]))
    }

    /// Simplified Newton iteration for the stage increments, accelerated. Returns the iterations.
    fn solve_stages(&mut self, step: f64) -> Option<usize> {
        let m = self.method;
        let entries = self.field.entries();
        self.predict(step);
        self.acceleration.restart();
        let mut first = f64::NAN;
        let mut last = f64::INFINITY;
        let mut weights = [0.0; 2];
        let (goal, noise) = (self.newton_goal(), self.noise(step));
        for iteration in 1..=self.newton_limit {
            for (z, f) in self
                .increments
                .as_slice()
                .chunks_exact(entries)
                .zip(self.velocities.as_mut_slice().chunks_exact_mut(entries))
            {
                self.stage.copy_from(&self.state);
                self.stage.as_mut_slice().iter_mut().zip(z).for_each(|(x, z)| *x += z);
                self.field.velocity(self.stage.as_slice(), f);
            }
            self.work.evaluations += m.stages();
            // −G_i = h Σ_j a_ij f_j − z_i, decoupled into one system for each eigenvalue of A.
            self.corrections.copy_from(&self.increments);
            self.corrections.gemm(step, &self.velocities, &m.a_transposed, -1.0);
            self.decoupled.gemm(1.0, &self.corrections, &m.decouple, 0.0);
            let shifts: [Complex<f64>; MAX_PAIRS + 1] =
                std::array::from_fn(|l| m.eigenvalues.get(l).map_or(Complex::ZERO, |v| v * step));
            let tangent = self.tangent.as_ref().expect("frozen before every step");
            tangent.solve(&shifts[..m.eigenvalues.len()], &mut self.decoupled, &mut self.buffers.0);
            self.solved_columns += m.stages();
            self.corrections.gemm(1.0, &self.decoupled, &m.couple, 0.0);

            let motion = self.field.motion_entries();
            if iteration == 1 {
                // The size of the increments is not known before the first correction.
                self.increments += &self.corrections;
                let sizes = self.sizes();
                self.increments -= &self.corrections;
                weights = sizes.map(|s| if s > 0.0 { s.powi(-2) } else { 0.0 });
            }
            let dot = |a: &[f64], b: &[f64]| {
                let part = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                let stages = a.chunks_exact(entries).zip(b.chunks_exact(entries));
                stages
                    .map(|(a, b)| {
                        weights[0] * part(&a[..motion], &b[..motion])
                            + weights[1] * part(&a[motion..], &b[motion..])
                    })
                    .sum::<f64>()
            };
            self.acceleration.advance(self.increments.as_mut_slice(), self.corrections.as_slice(), dot);
            let sizes = self.sizes();
            let allowed = [0, 1].map(|i| goal * sizes[i] + noise[i]);
            let change = self
                .corrections
                .as_slice()
                .chunks_exact(entries)
                .map(|c| self.ratio(c, allowed))
                .fold(0.0, |a, b| if a > b || f64::is_nan(a) { a } else { b });
            if !change.is_finite() {
                return None;
            }
            if iteration == 1 {
                first = change;
                // Nothing is known of the rate yet; only a negligible change is the end.
                if change <= 1e-3 {
                    return Some(iteration);
                }
            } else {
                let rate = change / last;
                // Below the goal a change that no longer shrinks is rounding.
                let converged =
                    if rate < 1.0 { change * rate / (1.0 - rate) <= 1.0 } else { change <= 1.0 };
                if converged {
                    return Some(iteration);
                }
                if change > 10.0 * first {
                    return None;
                }
            }
            last = change;
        }
        None
    }

    /// The relative error with which stage equations are solved: well below what is asked for, and not
    /// below rounding.
    fn newton_goal(&self) -> f64 {
        (0.02 * self.options.rtol).max(20.0 * f64::EPSILON)
    }

    /// The local error that a step may have by its embedded formula, whose order is half of the method's: the
    /// error of the method is smaller by about its power 3/2. Calibrated on the suite.
    fn step_tolerance(&self) -> f64 {
        self.options.rtol.max(0.025 * self.options.rtol.powf(2.0 / 3.0))
    }

    /// Sets the stage increments to those extrapolated from the last step, or to zero.
    fn predict(&mut self, step: f64) {
        let m = self.method;
        let s = m.stages();
        self.increments.fill(0.0);
        let Some(last_step) = self.last_step else { return };
        let ratio = step / last_step;
        if ratio > 10.0 {
            return;
        }
        for (c, mut z) in m.nodes.iter().zip(self.increments.column_iter_mut()) {
            for j in 0..s {
                let weight = m.lagrange(j, 1.0 + ratio * c) - if j == s - 1 { 1.0 } else { 0.0 };
                z.axpy(weight, &self.last_increments.column(j), 1.0);
            }
        }
    }

    /// Takes the step whose stages are solved.
    fn accept(&mut self, step: f64, time: f64) {
        let m = self.method;
        // The velocities of the collocation polynomial at the nodes, h F = Z A^{-T}.
        self.velocities.gemm(1.0 / step, &self.increments, &m.inverse_transposed, 0.0);
        let motion = self.field.motion_entries();
        for (j, f) in self.velocities.column_iter().enumerate() {
            let weight = step * m.a[(m.stages() - 1, j)];
            let rate = self.flow.spending_rates(
                f.rows_range(..motion).norm_squared(),
                f.rows_range(motion..).norm_squared(),
            );
            self.budget.backbone += weight * rate.backbone;
            self.budget.head += weight * rate.head;
        }
        self.state += self.increments.column(m.stages() - 1);
        self.field.velocity(self.state.as_slice(), self.velocity.as_mut_slice());
        self.work.evaluations += 1;
        self.time = time;
        self.last_step = Some(step);
        std::mem::swap(&mut self.last_increments, &mut self.increments);
        self.work.steps += 1;
        self.age += 1;
    }

    /// The relative error with which a residual level is met.
    fn level_slack(&self) -> f64 {
        10.0 * self.options.rtol
    }

    /// If the residual falls clearly below its level within a tried step: the fraction of the step at
    /// which it does, by the collocation polynomial.
    fn residual_crossing(&self) -> Option<f64> {
        let level = self.options.residual?;
        let norm_at = |x: f64| {
            let mut state = self.state.clone();
            for (w, z) in self.method.interpolation(x).iter().zip(self.increments.column_iter()) {
                state.axpy(*w, &z, 1.0);
            }
            self.flow.reduction().residual(&self.field.unpack(state.as_slice())).norm()
        };
        if norm_at(1.0) >= level * (1.0 - self.level_slack()) {
            return None;
        }
        let (mut a, mut b) = (0.0, 1.0);
        while b - a > 1e-14 {
            let middle = (a + b) / 2.0;
            if norm_at(middle) > level { a = middle } else { b = middle }
        }
        Some(b)
    }

    /// The limit by the tangent kernel frozen here. One frozen earlier tells first whether it is worth it.
    fn fresh_limit(&mut self) -> Result<Option<Point>, FlowError> {
        if self.age > 0 {
            if self.limit(1e3).is_none() && self.age < 20 {
                return Ok(None);
            }
            self.decompose()?;
        }
        Ok(self.limit(1.0))
    }

    /// The limit of the flow, if it can be told from here within the tolerance.
    ///
    /// What is left by the frozen tangent kernel, S = Θ⁺R, moves motion and head by (δD, δV). On the way
    /// the kernel changes by the order of (δD, δV), the residual that it misses is δZ δV, and a part R₀ of
    /// the residual that cannot be fitted pushes with (Λ^{1/2}R₀δVᵀ, γδZᵀR₀) for as long as S takes to build up. If
    /// all these effects are below a tenth of the tolerance the limit is one jump away. If R₀ alone is too
    /// large, rates near the limit are not those of Θ: then the flow must have come to rest by itself.
    fn limit(&self, slack: f64) -> Option<Point> {
        let tangent = self.tangent.as_ref()?;
        let reduction = self.flow.reduction();
        let now = self.unpacked();
        let r = reduction.residual(&now);
        let s = tangent.remaining(&r);
        let unreachable = tangent.unreachable(&r);
        let stuck = tangent.push(&unreachable);
        let z = reduction.features_at(&now);
        let rounding = crate::linalg::null_threshold(r.nrows() + z.ncols()) * 10.0;
        let size = r.norm() * (tangent.largest().sqrt() + z.norm() + now.head.norm());
        if stuck.motion.norm() + stuck.head.norm() > rounding * size {
            return None;
        }
        let change = tangent.push(&s);
        let mut state = now;
        state.add(1.0, &change);
        let moved = reduction.features_at(&state) - &z;
        let missed = tangent.push(&tangent.remaining(&(&moved * &change.head)));
        let fastest = reduction.lambda().iter().fold(0.0, |a, &b| f64::max(a, b)).sqrt();
        let within = |motion: f64, head: f64| {
            let allowed = 0.1 * slack * self.options.rtol;
            motion <= allowed * state.motion.norm() && head <= allowed * state.head.norm()
        };
        let (turned, shifted) = (change.head.norm(), self.flow.head_rate() * moved.norm());
        let small = within(
            missed.motion.norm() + fastest * s.norm() * turned,
            missed.head.norm() + shifted * s.norm(),
        );
        let reachable = (&r - &unreachable).norm();
        let duration = if reachable > 0.0 { s.norm() / reachable } else { 0.0 };
        let pull = duration * unreachable.norm();
        let fitted = within(fastest * pull * turned, shifted * pull);
        // After the jump, which takes away what the error of the steps left in fast directions.
        let left = self.flow.velocity(&state);
        let (moving, turning) = (left.motion.norm(), left.head.norm());
        let at_rest =
            within(self.time * moving, self.time * turning) || moving + turning <= rounding * size;
        if !small || !(fitted || at_rest) {
            return None;
        }
        let gone = (r.norm_squared() - reduction.residual(&state).norm_squared()) / 2.0;
        let backbone = tangent.backbone_share(&r).clamp(0.0, gone.max(0.0));
        let budget = Budget {
            backbone: self.budget.backbone + backbone,
            head: self.budget.head + if self.flow.head_rate() > 0.0 { gone - backbone } else { 0.0 },
        };
        Some(Point { time: f64::INFINITY, state, budget })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::Reduction;

    fn with_flow<T>(run: impl FnOnce(&Flow) -> T) -> T {
        let head = wobble(5, 2, 3.0);
        let problem =
            Problem::linear(&wobble(3, 6, 0.0), &wobble(5, 6, 1.0), wobble(3, 2, 2.0)).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        run(&Flow::new(&reduction, &head, 0.7).unwrap())
    }

    fn distance(a: &State, b: &State) -> f64 {
        (&a.motion - &b.motion).norm() + (&a.head - &b.head).norm()
    }

    /// s stages converge with order 2s − 1.
    #[test]
    fn the_order_of_convergence_is_that_of_the_method() {
        with_flow(|flow| {
            let exact = equal_steps(flow, 7, 1.0, 64).unwrap();
            for (stages, steps) in [(1, 512), (3, 24), (5, 10)] {
                let error = |steps| distance(&equal_steps(flow, stages, 1.0, steps).unwrap(), &exact);
                let order = (error(steps) / error(2 * steps)).log2();
                let expected = 2.0 * stages as f64 - 1.0;
                assert!((order - expected).abs() < 0.15 * expected, "{stages} stages: order {order}");
            }
        });
    }

    #[test]
    fn wanted_times_are_met_and_the_path_does_not_depend_on_them() {
        with_flow(|flow| {
            let options = Options { times: vec![0.0, 0.5, 2.0, 9.0], ..Options::default() };
            let solution = solve(flow, 5.0, &options).unwrap();
            let times: Vec<f64> = solution.points.iter().map(|p| p.time).collect();
            assert_eq!(times, [0.0, 0.5, 2.0]);
            assert_eq!(solution.status, Status::Time);
            let direct = solve(flow, 2.0, &Options::default()).unwrap().end.state;
            assert!(distance(&direct, &solution.points[2].state) < 1e-8);
        });
    }

    #[test]
    fn a_residual_level_is_met() {
        with_flow(|flow| {
            let start = flow.reduction().residual(flow.start()).norm();
            let options = Options { residual: Some(start / 10.0), ..Options::default() };
            let solution = solve(flow, f64::INFINITY, &options).unwrap();
            assert_eq!(solution.status, Status::Residual);
            let end = flow.reduction().residual(&solution.end.state).norm();
            assert!((end / start - 0.1).abs() < 1e-8, "{}", end / start);
            // A level that the limit does not reach ends at the limit.
            let options = Options { residual: Some(0.0), ..Options::default() };
            assert!(solve(flow, f64::INFINITY, &options).unwrap().status.is_success());
        });
    }

    #[test]
    fn no_steady_state_is_declared_before_the_minimal_time() {
        with_flow(|flow| {
            let options = Options { minimal_time: 1e4, ..Options::default() };
            let patient = solve(flow, f64::INFINITY, &options).unwrap();
            assert_eq!(patient.status, Status::Converged);
            assert!(
                patient.work.steps > solve(flow, f64::INFINITY, &Options::default()).unwrap().work.steps
            );
        });
    }

    #[test]
    fn a_step_limit_gives_what_was_reached_and_bad_settings_are_refused() {
        with_flow(|flow| {
            let options = Options { max_steps: 3, ..Options::default() };
            let solution = solve(flow, 10.0, &options).unwrap();
            assert!(
                matches!(solution.status, Status::StepLimit { steps: 3, time } if time > 0.0 && time < 10.0)
            );
            for bad in [
                Options { rtol: 0.0, ..Options::default() },
                Options { rtol: f64::NAN, ..Options::default() },
                Options { residual: Some(-1.0), ..Options::default() },
                Options { times: vec![2.0, 1.0], ..Options::default() },
                Options { times: vec![f64::NAN], ..Options::default() },
            ] {
                assert!(solve(flow, 1.0, &bad).is_err(), "{bad:?}");
            }
            assert!(solve(flow, -1.0, &Options::default()).is_err());
        });
    }

    /// A feature and head at the saddle stay; near it they leave, and the plateau is not taken for the end.
    #[test]
    fn a_long_plateau_near_the_saddle_is_not_the_limit() {
        for (size, ends) in [(0.0, 1.0), (1e-6, 0.0)] {
            let head = DMatrix::from_element(1, 1, size);
            let problem =
                Problem::new(head.clone(), DMatrix::identity(1, 1), DMatrix::from_element(1, 1, 1.0))
                    .unwrap();
            let reduction = Reduction::new(&problem, &head).unwrap();
            let flow = Flow::new(&reduction, &head, 1.0).unwrap();
            let solution = solve(&flow, f64::INFINITY, &Options::default()).unwrap();
            assert_eq!(solution.status, Status::Converged);
            assert!((reduction.residual(&solution.end.state).norm() - ends).abs() < 1e-8);
        }
    }
}
