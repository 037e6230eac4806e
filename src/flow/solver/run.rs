//! The run of one solution: steps, their control, wanted times, events and the end.

use nalgebra::DMatrix;

use super::collocation::Collocation;
use super::conservation;
use super::goals::{Goal, goals};
use super::iteration::Iteration;
use super::jitter::Jitter;
use super::limit::{Ending, Jump, head_size, limit};
use super::newton;
use super::options::{LOCAL_ERROR, Options, Solution, Work};
use super::rest;
use super::stability::{Fastest, Spread, growth_bound};
use super::stages::{Here, Stages, combine};
use super::watch::Progress;
use crate::adaptation::is_gone;
use crate::flow::frozen::FrozenHead;
use crate::flow::tangent::Tangent;
use crate::flow::{Budget, Flow, FlowError, LOST, Moment, Saddle, Stop};
use crate::product::scale_rows;
use crate::reduction::State;

/// Newton iterations before a step is tried again with half its size.
const NEWTON_LIMIT: usize = 20;

/// Share of these iterations that a step of the right length takes: after more of them the next step is shorter in
/// proportion.
const WANTED_SHARE: f64 = 0.5;

/// The same for a loss whose curvature differs between samples, which the frozen part of the Jacobian has only in the
/// mean: the iterations that make up for it do not depend on the size of a step, so that shorter steps save none.
const CURVED_LIMIT: usize = 60;

/// The most that a state is moved back onto its conserved matrix, in units of the tolerance.
const CORRECTION: f64 = 100.0;

/// Share of its residual that a step leaves, and share of the whole motion that it moves, for a look at the whole
/// Jacobian.
const STAYS: f64 = 0.9;
const SETTLED: f64 = 1e-3;

/// The part of its motion that a step may not account for, as a share of all motion and in units of the tolerance.
/// Without this limit all but 6 of 4,134 steps of the suite stay below it, at tolerances from 1e-13 to 1e-4.
const UNACCOUNTED: f64 = 1.0;

/// Steps between two looks at the whole Jacobian; later an eighth of all steps.
const LOOK: usize = 3;

/// Steps after which the limit is looked for with a tangent kernel of its own, whatever the old one says.
const LIMIT_AGE: usize = 20;

pub(super) struct Solver<'a> {
    flow: &'a Flow<'a>,
    method: &'a Collocation,
    options: &'a Options,
    stages: Stages<'a>,
    iteration: Iteration<'a>,
    time: f64,
    budget: Budget,
    step: f64,
    /// Levels at which to stop.
    goals: Vec<Goal>,
    /// The frozen tangent kernel, and the steps accepted since it was frozen.
    tangent: Option<Tangent>,
    age: usize,
    /// Iterations of the first step after it was frozen.
    fresh: usize,
    /// The residual here in the modes of the tangent kernel, if they are known.
    modes: DMatrix<f64>,
    modes_known: bool,
    rotated: DMatrix<f64>,
    /// The last accepted step: its size and the residuals at its stages, for the predictor.
    last_step: Option<f64>,
    last_residuals: Vec<f64>,
    last_error: f64,
    /// The stages of a step that is accepted, while others are solved inside it.
    kept: Vec<f64>,
    spread: Spread,
    /// The flow of a frozen head, which is linear: what rounding does to it is known from the start.
    frozen: Option<FrozenHead>,
    /// Whether some directions are so slow that the tangent kernel needs its closer look.
    slow: bool,
    /// Whether the curvature of the loss has to be taken whole.
    whole: bool,
    /// Whether the last step moved little and left a residual.
    settles: bool,
    /// Steps at which the whole Jacobian is looked at next.
    look: usize,
    work: Work,
    steps: Vec<(f64, State)>,
    jitter: Jitter,
    /// The motion so far that is due to what the residual at the start has lost.
    open: f64,
}

/// How many iterations more than with a freshly frozen tangent kernel make another one worthwhile.
const MORE: usize = 2;

/// Iterations of a step after which the curvature is taken whole, where that is possible.
const WHOLE_AFTER: usize = 12;

/// Times beyond which a flow that has not come to rest is given up.
const LONGEST: f64 = 1e150;

/// Parts of a step after which an accuracy is looked at, which may be met and lost again within it.
const PARTS: usize = 8;

/// The shortest time that is followed, in units of the first step: squares of smaller motions underflow in one step.
const SHORTEST: f64 = 1e-280;

/// How the solver went on.
enum Advance {
    /// By a step.
    Step,
    /// To a level at which to stop.
    Met(Stop),
    /// Not at all: a step of this size is too small.
    TooSmall(f64),
}

/// A step that was tried.
enum Attempt {
    Accepted { error: f64, iterations: usize },
    TooInaccurate { error: f64 },
    NoConvergence,
}

impl<'a> Solver<'a> {
    pub fn new(
        flow: &'a Flow<'a>,
        method: &'a Collocation,
        options: &'a Options,
    ) -> Result<Self, FlowError> {
        let stages = Stages::new(flow, method);
        let residual = stages.residual.clone();
        let curved = flow.reduction().samples().is_some();
        let limit = if curved { CURVED_LIMIT } else { NEWTON_LIMIT };
        let iteration = Iteration::new(method, residual.len(), limit);
        let mut new = Self {
            spread: Spread::new(flow, &residual, 0.0, 0.0),
            frozen: (flow.head_rate() == 0.0 && !curved)
                .then(|| FrozenHead::of_flow(flow))
                .transpose()?,
            slow: false,
            whole: false,
            flow,
            method,
            options,
            goals: goals(flow, options),
            time: 0.0,
            budget: Budget::default(),
            step: f64::NAN,
            tangent: None,
            age: 0,
            fresh: 0,
            modes: residual.clone(),
            modes_known: false,
            rotated: residual,
            last_step: None,
            last_residuals: iteration.residuals.clone(),
            kept: iteration.residuals.clone(),
            last_error: 1.0,
            settles: false,
            look: 0,
            work: Work::default(),
            steps: Vec::new(),
            jitter: Jitter::None,
            open: 0.0,
            stages,
            iteration,
        };
        new.spread = Spread::new(flow, &new.stages.residual, new.size(), new.lost());
        Ok(new)
    }

    /// The same with pushes at every step.
    pub fn with_jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    pub fn run(mut self, until: f64) -> Result<Solution, FlowError> {
        let mut points = Vec::new();
        let mut wanted = self.options.times.iter().copied().filter(|&t| t <= until).peekable();
        let rests = self.velocity_is_zero() || self.flow.stays();
        let reached = |t: f64| if t.is_finite() { Stop::Time } else { Stop::Converged };
        let mut met = self.met();
        let stop = loop {
            while wanted.next_if(|&t| t <= self.time).is_some() {
                points.push(self.point(Stop::Time)?);
            }
            if self.time >= until {
                break Stop::Time;
            }
            if let Some(stop) = met {
                break stop;
            }
            if rests {
                self.time = until;
                for t in wanted {
                    points.push(Moment { time: t, ..self.point(reached(t))? });
                }
                break reached(until);
            }
            self.freeze(false)?;
            let to_the_end = until.is_infinite() && wanted.peek().is_none_or(|t| t.is_infinite());
            if to_the_end && self.flow.reduction().samples().is_some() {
                if self.has_come_to_rest() {
                    self.time = f64::INFINITY;
                    for _ in wanted {
                        points.push(self.point(Stop::Converged)?);
                    }
                    break Stop::Converged;
                }
                self.check_limit()?;
                if self.time > LONGEST {
                    break Stop::StepLimit { steps: self.work.steps, time: self.time };
                }
            } else if to_the_end
                && let Some(jump) = self.limit()?
                && !self.passes(&jump)
            {
                self.arrive(jump);
                self.time = f64::INFINITY;
                for _ in wanted {
                    points.push(self.point(Stop::Converged)?);
                }
                break Stop::Converged;
            }
            let next = wanted.peek().copied().unwrap_or(until);
            if let Some(jump) = self.rest(next - self.time)? {
                self.arrive(jump);
                self.time = until;
                for t in wanted {
                    points.push(Moment { time: t, ..self.point(reached(t))? });
                }
                break reached(until);
            }
            if self.work.steps >= self.options.max_steps {
                break Stop::StepLimit { steps: self.work.steps, time: self.time };
            }
            let (steps, time) = (self.work.steps, self.time);
            let here = || Progress { steps, time, residual: self.stages.residual.norm() };
            if !self.options.watch.goes_on(here) {
                break Stop::Interrupted { steps, time };
            }
            if self.jitter.stops()
                && let Some(stop) = self.without_digits()
            {
                break stop;
            }
            if self.step.is_nan() {
                let first = self.first_step();
                if next > 0.0 && next < SHORTEST * first {
                    let quantity = "the motion at so short a finetuning time";
                    return Err(FlowError::Overflow { quantity, value: next });
                }
                self.step = self.options.first_step.unwrap_or(first);
            }
            match self.advance(until, &mut wanted, &mut points)? {
                Advance::Step => met = self.met(),
                Advance::Met(stop) => met = Some(stop),
                Advance::TooSmall(step) => break Stop::StepTooSmall { step, time: self.time },
            }
        };
        // What the last step or the jump to the limit made uncertain is seen here only.
        let uncertain = (stop.is_success() && self.frozen.is_none() && self.jitter.stops())
            .then(|| self.without_digits())
            .flatten();
        let stop = uncertain.unwrap_or(stop);
        let (end, work) = (self.point(stop)?, self.work());
        Ok(Solution { points, end, work, steps: self.steps, next_step: self.step })
    }

    /// Takes equal steps without control of their error.
    #[cfg(test)]
    pub fn equal_steps(mut self, until: f64, steps: usize) -> State {
        self.iteration.limit = 100;
        let step = until / steps as f64;
        for i in 1..=steps {
            self.tangent = None;
            self.freeze(false).unwrap();
            self.solve_stages(step).expect("the stages of every step converge");
            self.accept(step, i as f64 * step);
        }
        self.stages.state()
    }

    /// Whether nothing moves at all, to the last digit: then the start is the limit, stable or not.
    fn velocity_is_zero(&self) -> bool {
        let velocity = self.flow.velocity_by(self.flow.start(), self.flow.residual());
        velocity.motion.iter().chain(velocity.head.iter()).all(|&x| x == 0.0)
    }

    /// The size of backbone and head in the norm of (D, V/√γ), as far as the backbone shows in the features.
    fn size(&self) -> f64 {
        let largest = self.flow.reduction().lambda().iter().fold(0.0, |a, &b| f64::max(a, b));
        let share = |size: f64, rate: f64| if rate > 0.0 { size / rate.sqrt() } else { 0.0 };
        share(self.stages.features.norm(), largest)
            .hypot(share(self.stages.head.norm(), self.flow.head_rate()))
    }

    /// The motion since the start in the same norm.
    fn motion(&self) -> f64 {
        self.norm(self.stages.motion.norm(), self.stages.turn.norm())
    }

    /// The motion of the step in the same norm.
    fn moved(&self) -> f64 {
        self.norm(self.stages.moved.norm(), self.stages.turned.norm())
    }

    /// The norm of (D, V/√γ) from those of D and V; a frozen head does not count.
    fn norm(&self, motion: f64, head: f64) -> f64 {
        let rate = self.flow.head_rate();
        motion.hypot(if rate > 0.0 { head / rate.sqrt() } else { 0.0 })
    }

    /// The error of the features that the tolerance of the motion leaves, relative: a stiff direction of the kernel
    /// shows more of the motion than others.
    fn steps_error(&self) -> f64 {
        let fastest = self.flow.reduction().lambda().amax().sqrt();
        let (moved, left) = (fastest * self.motion(), self.stages.features.norm());
        // Features that are gone have no digits to lose.
        let gone = is_gone([self.flow.reduction().features().norm(), moved, left]);
        let shown = if gone { 1.0 } else { moved / left };
        LOCAL_ERROR * self.options.rtol * if shown.is_finite() { shown.max(1.0) } else { 1.0 }
    }

    /// The relative error from which on an answer is withheld; a loose tolerance asks for less.
    fn lost(&self) -> f64 {
        LOST.max(1e4 * self.options.rtol)
    }

    /// Where the state has lost its digits, if it has: at a saddle, or to plain rounding where nothing grows.
    fn without_digits(&self) -> Option<Stop> {
        let size = self.size();
        let error = self.spread.relative(size, self.motion());
        if error <= self.lost() {
            return None;
        }
        let reduction = self.flow.reduction();
        let (z, v, r) = (&self.stages.features, &self.stages.head, &self.stages.residual);
        let fastest = Fastest::at(self.flow, z, v, r);
        if fastest.rate == 0.0 {
            return Some(Stop::Rounding { error });
        }
        let velocity = self.flow.velocity_by(&self.stages.state(), r);
        let turning = velocity.head / self.flow.head_rate().sqrt();
        // Near the saddle the velocity along the direction is the rate times the state along it.
        let along = fastest.motion.dot(&velocity.motion) + fastest.head.dot(&turning);
        let rows: Vec<f64> = fastest.motion.row_iter().map(|row| row.norm()).collect();
        let longest = rows.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
        let column = fastest.motion.row(longest).transpose();
        let direction = &fastest.motion * column;
        let outputs: Vec<f64> = fastest.head.column_iter().map(|column| column.norm()).collect();
        let output = outputs.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
        Some(Stop::Saddle(Saddle {
            time: self.time,
            growth: fastest.rate,
            size: (along / fastest.rate / size).abs(),
            sample: reduction.sample_moved_most(&direction),
            output,
        }))
    }

    /// Carries the error along a step that was accepted and moved (D, V/√γ) by `moved`. Returns the error of the step.
    fn carry_error(&mut self, step: f64, moved: f64) -> f64 {
        if self.flow.head_rate() == 0.0 {
            return 0.0;
        }
        let (flow, size) = (self.flow, self.size());
        // The rounding of predictions, which are formed again, is that of the state.
        let noise = self.rounding(step, self.stages.residual.norm());
        let open = self.open(self.time + step);
        let local = self.options.rtol * moved * LOCAL_ERROR + noise + open + self.iteration.left_open;
        let motion = self.motion();
        let stages = &self.stages;
        let bound = growth_bound(flow, &stages.residual);
        self.spread.advance(step, bound, [local, size, motion], || {
            let fastest = Fastest::at(flow, &stages.features, &stages.head, &stages.residual);
            (fastest.rate, fastest.noise)
        });
        local + f64::EPSILON * size
    }

    /// What that leaves open of how far the features move, relative: a stiff direction of the kernel shows more of it
    /// than others.
    fn open_error(&self, motion: &DMatrix<f64>) -> f64 {
        let lambda = self.flow.reduction().lambda();
        let mut shown = motion.clone();
        scale_rows(shown.as_mut_slice(), &lambda.map(f64::sqrt));
        if self.open > 0.0 { self.open * lambda.amax().sqrt() / shown.norm() } else { 0.0 }
    }

    /// The motion from here to a time that is due to what the residual at the start has lost; 0 where nothing else
    /// moves, as it is then no error of an answer.
    fn open(&mut self, until: f64) -> f64 {
        let lost = self.flow.residual_rounding();
        if lost == 0.0 {
            return 0.0;
        }
        let open = lost * (self.tangent().response(until) - self.tangent().response(self.time));
        self.open += open;
        if self.flow.is_at_rest() { 0.0 } else { open }
    }

    fn work(&self) -> Work {
        let reduction = self.flow.reduction();
        let unit = reduction.rows() * reduction.width() * reduction.outputs();
        let products = self.stages.multiplier.count().div_ceil(unit.max(1) as u64) as usize;
        Work { products, ..self.work }
    }

    /// The state here, with the conserved matrix of the start.
    fn point(&self, stop: Stop) -> Result<Moment, FlowError> {
        self.restored(self.time, self.stages.here(), self.budget, stop)
    }

    fn restored(&self, time: f64, here: Here, budget: Budget, stop: Stop) -> Result<Moment, FlowError> {
        let Here { mut state, turn, residual } = here;
        conservation::restore(self.flow, &mut state, &turn, CORRECTION * self.options.rtol)?;
        let open = self.open_error(&state.motion);
        let error = match &self.frozen {
            Some(frozen) => {
                frozen.relative_error(time, &state.motion, f64::EPSILON) + self.steps_error()
            }
            None => {
                let carried = self.spread.relative(self.size(), self.motion());
                let error = carried.max(self.steps_error());
                if self.flow.is_at_rest() { error } else { error.max(open) }
            }
        };
        let judged = self.frozen.is_some() || self.jitter.stops();
        let lost = stop.is_success() && judged && error > self.lost();
        let stop = if lost { Stop::Rounding { error } } else { stop };
        Ok(Moment { time, state, residual, budget: Some(budget), error: Some(error.max(open)), stop })
    }

    /// Freezes the tangent kernel here, again if there is one already.
    fn freeze(&mut self, anew: bool) -> Result<(), FlowError> {
        let (z, v) = (&self.stages.features, &self.stages.head);
        if anew || self.tangent.as_ref().is_none_or(|tangent| tangent.is_outgrown(z, v)) {
            let tangent = Tangent::at(self.flow, z, v, self.whole, &self.stages.multiplier)?;
            self.tangent = Some(if self.slow { tangent.refined(self.flow)? } else { tangent });
            self.age = 0;
            self.modes_known = false;
            self.work.decompositions += 1;
        }
        Ok(())
    }

    fn tangent(&self) -> &Tangent {
        self.tangent.as_ref().expect("frozen before every step")
    }

    /// Brings the residual here into the modes of the tangent kernel.
    fn know_modes(&mut self) {
        if !self.modes_known {
            let tangent = self.tangent.as_ref().expect("frozen before every step");
            let (rotated, modes) = (self.rotated.as_mut_slice(), self.modes.as_mut_slice());
            tangent.to_modes(&self.stages.multiplier, self.stages.residual.as_slice(), rotated, modes);
            self.modes_known = true;
        }
    }

    /// How far motion and head go in a time by the frozen tangent kernel, modes taken as orthogonal; and ‖∫R dt‖,
    /// null modes left out.
    fn reach(&mut self, time: f64) -> ([f64; 2], f64) {
        self.know_modes();
        let (mut motion, mut head, mut integral) = (0.0, 0.0, 0.0);
        let null = self.tangent().null();
        for ((d, share), c) in self.tangent().rates().zip(self.modes.iter()) {
            if d > null {
                let s = (c * crate::flow::phi(d, time)).powi(2);
                motion += share * s;
                head += (d - share) * s;
                integral += s;
            }
        }
        ([motion.sqrt(), (self.flow.head_rate() * head).sqrt()], integral.sqrt())
    }

    /// A step in which neither the residual nor the head, nor the features under a loss with curvature, changes by more
    /// than a hundredth.
    fn first_step(&self) -> f64 {
        let stages = &self.stages;
        let turning = stages.features.tr_mul(&stages.residual).norm() * self.flow.head_rate();
        let head = turning / stages.head.norm();
        let rate = self.tangent().largest().max(if head.is_finite() { head } else { 0.0 });
        // A saturated loss has no rate of its own, and holds its residual until predictions have moved.
        let moving = match self.flow.reduction().samples() {
            Some(_) => {
                let velocity = self.flow.velocity_by(&stages.state(), &stages.residual);
                let mut features = velocity.motion;
                scale_rows(features.as_mut_slice(), &self.flow.reduction().lambda().map(f64::sqrt));
                let moving = features.norm() / stages.features.norm();
                if moving.is_finite() { moving } else { 0.0 }
            }
            None => 0.0,
        };
        let rate = rate.max(moving);
        if rate > 0.0 { 0.01 / rate } else { 1.0 }
    }

    /// Advances by one accepted step that does not pass `until` or a level at which to stop, with the wanted times in
    /// it.
    fn advance(
        &mut self,
        until: f64,
        wanted: &mut std::iter::Peekable<impl Iterator<Item = f64>>,
        points: &mut Vec<Moment>,
    ) -> Result<Advance, FlowError> {
        let mut refused = false;
        'steps: loop {
            let room = until - self.time;
            // A step that would leave a sliver takes the sliver with it, or half of the way.
            let (step, lands) = if self.step >= room {
                (room, true)
            } else if self.step > room / 2.0 && room.is_finite() {
                (room / 2.0, false)
            } else {
                (self.step, false)
            };
            if self.time + step <= self.time {
                return Ok(Advance::TooSmall(step));
            }
            match self.attempt(step) {
                Attempt::Accepted { error, iterations } => {
                    let end = if lands { until } else { self.time + step };
                    let mut crossed: Vec<(Goal, f64)> =
                        self.crossed().into_iter().map(|goal| (goal, 1.0)).collect();
                    let wavering: Vec<Goal> =
                        self.goals.iter().copied().filter(Goal::comes_and_goes).collect();
                    let looks = !crossed.is_empty() || !wavering.is_empty();
                    if looks || wanted.peek().is_some_and(|&t| t < end) {
                        self.kept.copy_from_slice(&self.iteration.residuals);
                        for goal in wavering {
                            let Some(met) = self.met_inside(step, &goal) else {
                                self.step = step / 2.0;
                                refused = true;
                                continue 'steps;
                            };
                            if let Some(x) = met {
                                crossed.retain(|(other, _)| *other != goal);
                                crossed.push((goal, x));
                            }
                        }
                        let mut crossing: Option<(f64, Goal)> = None;
                        for (goal, until) in crossed {
                            let Some(x) = self.locate(step, &goal, until) else {
                                self.step = step / 2.0;
                                refused = true;
                                continue 'steps;
                            };
                            if crossing.is_none_or(|(first, _)| x < first) {
                                crossing = Some((x, goal));
                            }
                        }
                        let last = crossing.map_or(end, |(x, _)| self.time + x * step);
                        while let Some(&t) = wanted.peek().filter(|&&t| t < last) {
                            let Some((there, spent)) = self.inside(step, (t - self.time) / step) else {
                                // A step to there, which may be halved as others are.
                                self.step = t - self.time;
                                refused = true;
                                continue 'steps;
                            };
                            points.push(self.restored(t, there, spent, Stop::Time)?);
                            wanted.next();
                        }
                        if let Some((x, goal)) = crossing {
                            if self.inside(step, x).is_none() {
                                self.step = step / 2.0;
                                refused = true;
                                continue 'steps;
                            }
                            self.accept(x * step, last);
                            return Ok(Advance::Met(goal.stop));
                        }
                        self.iteration.residuals.copy_from_slice(&self.kept);
                        self.stages.solve_heads(&self.kept, step);
                        self.stages.settle(&self.kept, step);
                    }
                    let grown = self.grow(step, error, iterations);
                    self.accept(step, end);
                    // A step that was cut to land says nothing against the step before it.
                    self.step = if step < self.step { grown.max(self.step) } else { grown };
                    if refused {
                        self.step = self.step.min(step);
                    }
                    self.last_error = error.max(1e-4);
                    if self.age == 1 {
                        self.fresh = iterations;
                    }
                    // A curvature that differs between samples takes iterations that no new decomposition saves.
                    let more =
                        iterations > self.fresh + MORE || self.flow.reduction().samples().is_none();
                    if iterations > self.patience() && more {
                        self.tangent = None;
                    }
                    if iterations > WHOLE_AFTER
                        && !self.whole
                        && self.flow.reduction().samples().is_some()
                        && Tangent::can_be_whole(self.flow)
                    {
                        self.whole = true;
                        self.tangent = None;
                    }
                    return Ok(Advance::Step);
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
                        self.freeze(true)?;
                    } else if !self.iteration.newton && newton::fits(self.flow) {
                        self.iteration.newton = true;
                    } else {
                        refused = true;
                        self.step = step / 2.0;
                    }
                }
            }
        }
    }

    /// Iterations of a step after which the tangent kernel is frozen again: more for many rows, where
    /// decomposing costs more iterations than it saves.
    fn patience(&self) -> usize {
        (5 + self.flow.reduction().rows() / 30).min(NEWTON_LIMIT / 2)
    }

    /// The step size after an accepted step (Gustafsson's predictive controller).
    fn grow(&self, step: f64, error: f64, iterations: usize) -> f64 {
        let order = self.method.stages() as f64 + 1.0;
        let limit = self.iteration.limit as f64;
        let safety = 0.9 * (2.0 * limit + 1.0) / (2.0 * limit + iterations as f64);
        let error = error.max(1e-10);
        let mut factor = safety * error.powf(-1.0 / order);
        if let Some(last_step) = self.last_step
            && last_step > 0.0
        {
            let predicted = factor * (step / last_step) * (self.last_error / error).powf(1.0 / order);
            factor = factor.min(predicted);
        }
        // Steps that need many iterations do not pay.
        let most = WANTED_SHARE * limit / iterations as f64;
        step * factor.min(most).clamp(0.2, 8.0)
    }

    fn attempt(&mut self, step: f64) -> Attempt {
        self.predict(step);
        let Some(iterations) = self.solve_stages(step) else {
            return Attempt::NoConvergence;
        };
        let error = self.local_error(step);
        if error.is_nan() {
            Attempt::NoConvergence
        } else if error < 1.0 && !self.leaps() {
            Attempt::Accepted { error, iterations }
        } else if error < 1.0 {
            // Half of the step.
            Attempt::TooInaccurate { error: 2f64.powi(self.method.stages() as i32 + 1) }
        } else {
            Attempt::TooInaccurate { error }
        }
    }

    /// The local error of the embedded formula, in units of the tolerance of a step.
    fn local_error(&mut self, step: f64) -> f64 {
        let tangent = self.tangent.as_ref().expect("frozen before every step");
        let whole = self.iteration.newton;
        let errors = self.stages.error(&self.iteration.residuals, step, tangent, whole);
        let (noise, tolerance) = (self.noise(step), self.step_tolerance());
        let sizes = self.step_sizes();
        let ratio = |i: usize| {
            if errors[i] == 0.0 { 0.0 } else { errors[i] / (tolerance * sizes[i] + noise[i]) }
        };
        let (motion, head) = (ratio(0), ratio(1));
        if motion.is_nan() || head.is_nan() { f64::NAN } else { motion.max(head) }
    }

    /// Whether the path between the stages of a step is not the one that they tell of: then the loss that is gone at
    /// its end is not what they spend. Features that follow a slow head at once may go far and come back within a step,
    /// where the head turns so that it cannot fit for a moment; the error formula, which is filtered of all that decays
    /// within the step, does not see that.
    fn leaps(&self) -> bool {
        let moved = self.moved();
        let share = moved / (self.motion() + moved);
        share * self.stages.unaccounted(&self.iteration.residuals) > UNACCOUNTED * self.options.rtol
    }

    /// The sizes in units of which errors of motion and head in a step are measured.
    fn step_sizes(&self) -> [f64; 2] {
        let moved = self.stages.motion.norm() + self.stages.moved.norm();
        [moved, self.head_size(moved, self.stages.turned.norm())]
    }

    /// The size of the head in units of which its errors are measured, when the backbone will have moved by `moved`
    /// and the head moves by `turned` from here.
    fn head_size(&self, moved: f64, turned: f64) -> f64 {
        head_size(self.flow, self.stages.head.norm() + turned, self.stages.turn.norm() + turned, moved)
    }

    /// Sizes that motion and head get by the rounding of the residual alone, within a step.
    fn noise(&self, step: f64) -> [f64; 2] {
        // Predictions that are formed again bring their rounding.
        let tangent = self.tangent();
        let rounded =
            self.stages.residual.norm() + tangent.mean_curvature() * self.stages.predictions.norm();
        let noise = self.rounding(step, rounded);
        [noise, noise * self.flow.head_rate().sqrt()]
    }

    /// The motion that the rounding of a residual of this size causes within a step.
    fn rounding(&self, step: f64, residual: f64) -> f64 {
        4.0 * f64::EPSILON * residual * self.tangent().response(step)
    }

    /// Solves the stage equations from the residuals that are there. Returns the iterations.
    fn solve_stages(&mut self, step: f64) -> Option<usize> {
        let (reach, _) = self.reach(step);
        let (goal, noise, rate) = (self.newton_goal(), self.noise(step), self.flow.head_rate());
        let moved = self.stages.motion.norm() + reach[0];
        let motion = goal * moved + noise[0];
        let head = goal * self.head_size(moved, reach[1]) + noise[1];
        let allowed = [motion, if rate > 0.0 { head / rate.sqrt() } else { 0.0 }];
        let tangent = self.tangent.as_ref().expect("frozen before every step");
        let iterations = self.iteration.solve(&mut self.stages, tangent, step, allowed);
        let done = iterations.unwrap_or(self.iteration.limit);
        self.work.evaluations += done * self.method.stages();
        if iterations.is_some() {
            self.stages.settle(&self.iteration.residuals, step);
        }
        iterations
    }

    /// The relative error with which stage equations are solved: well below what is asked for, and not
    /// below rounding.
    fn newton_goal(&self) -> f64 {
        (0.02 * self.options.rtol).max(20.0 * f64::EPSILON)
    }

    /// The local error that a step may have by its embedded formula, whose order is half of the method's. The error
    /// of the method is smaller, the more so the larger the tolerance. Calibrated on errors on the way, over the
    /// suite.
    fn step_tolerance(&self) -> f64 {
        (60.0 * self.options.rtol.powf(0.85)).min(0.01)
    }

    /// Extrapolates the residuals at the stages of the last step, or repeats the last of them. The residual at the
    /// start of a step is left out: what errors of the step before left in its fast modes would be multiplied.
    fn predict(&mut self, step: f64) {
        let m = self.method;
        let (n, s) = (self.stages.residual.nrows(), m.stages());
        let ratio = self.last_step.map_or(f64::INFINITY, |last| step / last);
        if ratio <= 10.0 {
            for (from, to) in self
                .last_residuals
                .chunks_exact((n * s).max(1))
                .zip(self.iteration.residuals.chunks_exact_mut((n * s).max(1)))
            {
                combine(to, from, n, |j, i| m.lagrange_of_stages(j, 1.0 + ratio * m.nodes[i]));
            }
        } else {
            for (i, to) in self.iteration.residuals.chunks_exact_mut(n.max(1)).enumerate() {
                let output = i / s;
                to.copy_from_slice(match self.last_step {
                    Some(_) => &self.last_residuals[(output * s + s - 1) * n..][..n],
                    None => &self.stages.residual.as_slice()[output * n..][..n],
                });
            }
        }
    }

    /// Takes the step whose stages are solved.
    fn accept(&mut self, step: f64, time: f64) {
        self.last_residuals.copy_from_slice(&self.iteration.residuals);
        let moved = self.moved();
        let before = self.stages.residual.norm();
        let spent = self.stages.advance();
        // A residual that decays ends with the tangent kernel.
        let stays =
            self.flow.reduction().samples().is_some() || self.stages.residual.norm() > STAYS * before;
        self.settles = stays && moved <= SETTLED * self.motion();
        let error = self.carry_error(step, moved);
        if let Some(push) = self.jitter.push(self.flow, self.work.steps, error) {
            let (mut state, mut residual) = (self.stages.state(), self.stages.residual.clone());
            self.flow.shift(&mut state, &mut residual, 1.0, &push);
            self.stages.jump(&push, residual);
        }
        self.budget.backbone += spent.backbone;
        self.budget.head += spent.head;
        self.time = time;
        if self.options.record {
            self.steps.push((time, self.stages.state()));
        }
        self.last_step = Some(step);
        self.work.steps += 1;
        self.age += 1;
        self.modes_known = false;
    }

    /// Solves the step to a part x of the one that is kept, from the collocation polynomial: the state there and the
    /// loss spent until then. Of the full order of the method, and the path does not change.
    fn inside(&mut self, step: f64, x: f64) -> Option<(Here, Budget)> {
        let nodes: Vec<f64> = self.method.nodes.iter().map(|c| x * c).collect();
        let start = self.stages.residual.as_slice();
        let rows = self.stages.residual.nrows();
        interpolate(self.method, rows, start, &self.kept, &nodes, &mut self.iteration.residuals);
        self.solve_stages(x * step)?;
        let (there, spent) = self.stages.end();
        let budget = Budget {
            backbone: self.budget.backbone + spent.backbone,
            head: self.budget.head + spent.head,
        };
        Some((there, budget))
    }

    /// The relative error with which a level is met.
    fn level_slack(&self) -> f64 {
        (0.1 * self.options.rtol).max(4.0 * f64::EPSILON)
    }

    /// What a level that is met here is called.
    fn met(&self) -> Option<Stop> {
        let state = (!self.goals.is_empty()).then(|| self.stages.state())?;
        let excess = |goal: &Goal| goal.excess(self.flow, &state, &self.stages.residual);
        let met = self.goals.iter().find(|goal| goal.is_met(excess(goal), self.level_slack()));
        met.map(|goal| goal.stop)
    }

    /// Whether a jump to the limit passes a level.
    fn passes(&self, jump: &Jump) -> bool {
        let mut state = self.stages.state();
        state.add(1.0, &jump.change);
        let excess = |goal: &Goal| goal.excess(self.flow, &state, &jump.residual);
        let here = self.stages.state();
        let passed = |goal: &Goal| {
            goal.is_met(excess(goal), 0.0)
                || goal.may_be_passed(self.flow, [&here, &state], &jump.residual)
        };
        self.goals.iter().any(|goal| goal.is_finite() && passed(goal))
    }

    /// The levels that are clearly passed at the end of the step that is settled.
    fn crossed(&self) -> Vec<Goal> {
        if self.goals.is_empty() {
            return Vec::new();
        }
        let (there, _) = self.stages.end();
        let slack = self.level_slack();
        let passed = |goal: &&Goal| {
            let excess = goal.excess_at(self.flow, &there);
            goal.is_met(excess, slack) && !goal.is_on(excess, slack)
        };
        self.goals.iter().filter(passed).copied().collect()
    }

    /// The first of some parts of the kept step after which a level is met, none if after none of them; none at all if
    /// the stages of a shorter step do not converge.
    fn met_inside(&mut self, step: f64, goal: &Goal) -> Option<Option<f64>> {
        let slack = self.level_slack();
        for i in 1..PARTS {
            let x = i as f64 / PARTS as f64;
            let (there, _) = self.inside(step, x)?;
            if goal.is_met(goal.excess_at(self.flow, &there), slack) {
                return Some(Some(x));
            }
        }
        Some(None)
    }

    /// The part of the kept step, up to one after which a level is passed, after which it is met, at the full order of
    /// the method; none if the stages of a shorter step do not converge.
    fn locate(&mut self, step: f64, goal: &Goal, until: f64) -> Option<f64> {
        let slack = self.level_slack();
        let before = goal.excess(self.flow, &self.stages.state(), &self.stages.residual);
        let (there, _) = self.inside(step, until)?;
        let (mut a, mut above) = (0.0, before);
        let (mut b, mut below) = (until, goal.excess_at(self.flow, &there));
        let mut side = 0;
        for _ in 0..60 {
            // False position with halved weights (Illinois); halving where an end is infinitely far from the level.
            let secant = a + (b - a) * (above / (above - below));
            let x = if secant > a && secant < b { secant } else { a + (b - a) / 2.0 };
            if x <= a || x >= b || b - a <= 1e-15 {
                break;
            }
            let (there, _) = self.inside(step, x)?;
            let excess = goal.excess_at(self.flow, &there);
            if goal.is_on(excess, slack) {
                return Some(x);
            }
            if excess > 0.0 {
                (a, above) = (x, excess);
                below /= if side == 1 { 2.0 } else { 1.0 };
                side = 1;
            } else {
                (b, below) = (x, excess);
                above /= if side == -1 { 2.0 } else { 1.0 };
                side = -1;
            }
        }
        Some(b)
    }

    /// Whether what moves at the present velocity in all the time so far is below the tolerance. Decay by any power
    /// of t leaves at least as much, and growth like ln t never comes below.
    fn has_come_to_rest(&self) -> bool {
        let state = self.stages.state();
        let velocity = self.flow.velocity_by(&state, &self.stages.residual);
        let allowed = 0.1 * self.options.rtol;
        let still = |moving: f64, size: f64| self.time * moving <= allowed * size;
        if self.time == 0.0
            || !still(velocity.motion.norm(), state.motion.norm())
            || !still(velocity.head.norm(), state.head.norm())
        {
            return false;
        }
        // A residual that stays may hold the state at a saddle.
        let bound = growth_bound(self.flow, &self.stages.residual);
        let noise = 1e-12 * self.tangent().largest();
        let (z, v, r) = (&self.stages.features, &self.stages.head, &self.stages.residual);
        bound <= noise || Fastest::at(self.flow, z, v, r).rate <= 1e-3 * bound + noise
    }

    /// Refuses t = ∞ where there is no limit. Where every sample with a hard label has a loss below ln 2 its prediction
    /// is right, and then tr(VᵀZᵀR) = Σ_n Σ_c p_c (f_y − f_c) > 0: no such state is stationary. The loss never rises,
    /// so there is no limit.
    fn check_limit(&self) -> Result<(), FlowError> {
        let reduction = self.flow.reduction();
        let Some(samples) = reduction.samples() else { return Ok(()) };
        let homogeneous = self.flow.head_rate() > 0.0 || !reduction.has_fixed_features();
        if !homogeneous
            || self.goals.iter().any(Goal::is_finite)
            || !reduction.loss_function().has_hard_labels(samples.targets())
        {
            return Ok(());
        }
        let loss = self.flow.loss(&self.stages.state(), &self.stages.residual);
        if loss < std::f64::consts::LN_2 {
            return Err(FlowError::NoLimit { time: self.time, loss });
        }
        Ok(())
    }

    /// Goes to a limit.
    fn arrive(&mut self, jump: Jump) {
        self.stages.jump(&jump.change, jump.residual);
        let open = self.open(f64::INFINITY);
        self.spread.add(jump.error + open);
        self.budget = jump.budget;
    }

    /// The limit by the whole Jacobian, if it is near and is reached within a time `left`.
    fn rest(&mut self, left: f64) -> Result<Option<Jump>, FlowError> {
        let rtol = self.options.rtol;
        if !self.settles || self.work.steps < self.look || !rest::is_near(self.flow, &self.stages, rtol)
        {
            return Ok(None);
        }
        self.look = self.work.steps + LOOK + self.work.steps / 8;
        let jump = rest::at_rest(self.flow, &self.stages, self.budget, rtol, left)?;
        Ok(jump.filter(|jump| !self.passes(jump)))
    }

    /// The limit by the tangent kernel frozen here. An older one tells first whether that is worthwhile.
    fn limit(&mut self) -> Result<Option<Jump>, FlowError> {
        let ([motion, head], integral) = self.reach(f64::INFINITY);
        let stages = &self.stages;
        let fastest = self.flow.reduction().lambda().iter().fold(0.0, |a, &b| f64::max(a, b)).sqrt();
        // A necessary condition of the limit, with room for what is estimated.
        let allowed = 0.1 * 1e3 * self.options.rtol;
        let far = fastest * integral * head > allowed * (stages.motion.norm() + motion)
            || self.flow.head_rate() * fastest * motion * integral
                > allowed * (stages.head.norm() + head);
        if far && self.age < LIMIT_AGE {
            return Ok(None);
        }
        if self.age > 0 {
            self.freeze(true)?;
        }
        let (n, p) = self.stages.features.shape();
        let k = self.stages.head.ncols();
        self.stages.multiplier.add(n * k * (6 * n + 9 * p));
        let tangent = self.tangent.as_ref().expect("frozen before");
        let found = limit(self.flow, &self.stages, tangent, self.time, self.budget, self.options.rtol)?;
        if matches!(found, Ending::Slow) && !self.slow {
            self.slow = true;
            self.tangent = None;
            self.freeze(true)?;
        }
        Ok(match found {
            Ending::Limit(jump) => Some(jump),
            Ending::Slow | Ending::Far => None,
        })
    }
}

/// The collocation polynomial of residuals of n rows at points given in units of the step, from those at its start
/// and at its stages: for each output one column for each point.
fn interpolate(
    method: &Collocation,
    n: usize,
    start: &[f64],
    residuals: &[f64],
    at: &[f64],
    out: &mut [f64],
) {
    let s = method.stages();
    for (column, out) in out.chunks_exact_mut(n.max(1)).enumerate() {
        let (output, x) = (column / at.len(), at[column % at.len()]);
        let start = &start[output * n..][..n];
        out.copy_from_slice(start);
        for j in 0..s {
            let weight = method.lagrange(j, x);
            let stage = &residuals[(output * s + j) * n..][..n];
            out.iter_mut().zip(stage.iter().zip(start)).for_each(|(o, (r, r0))| *o += weight * (r - r0));
        }
    }
}
