//! One finetuning run: probe the head, finetune everything, measure.

use nalgebra::DMatrix;

use crate::adaptation::Adaptation;
use crate::check::Check;
use crate::energy::{Energy, Level, Measure};
use crate::flow::clock::Clock;
use crate::flow::decoupled::Decoupled;
use crate::flow::descent::descend_steadily;
use crate::flow::frozen::FrozenHead;
use crate::flow::rank_one::RankOne;
use crate::flow::solver::{self, DEFAULT_RTOL, Options, Solution, Watch, Work};
use crate::flow::{Budget, ClosedForm, Flow, FlowError, LOST, Moment, SolvedBy, Stop, Violation};
use crate::linalg::DecompositionError;
use crate::loss::Loss;
use crate::probing::{ProbingError, ProbingPath};
use crate::problem::Problem;
use crate::reduction::{Outputs, Reduction, State};
use crate::setting::{Number, Setting};

/// Why a simulation has no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// Head probing has no answer.
    #[error(transparent)]
    Probing(#[from] ProbingError),
    /// The flow has no answer.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// A stop rule that a method does not have.
    #[error(
        "the method {method} stops at a time only; a training loss, accuracy or residual needs the method auto or flow"
    )]
    Stop {
        /// The method.
        method: &'static str,
    },
    /// A level that finetuning never reaches, since it converges first.
    #[error("finetuning never comes to {what} {}: it converges at {}", Number(*level), Number(*limit))]
    NeverMet {
        /// What is measured.
        what: &'static str,
        /// The level.
        level: f64,
        /// What it is at the limit.
        limit: f64,
    },
    /// Numbers whose products f64 cannot hold.
    #[error(
        "{quantity} beyond double precision (1.8e308): the largest of the features is {features:.3e}, of the head \
         {head:.3e}, of the targets {targets:.3e}; accepted: numbers whose squares multiplied with each other stay \
         below that; scale them down"
    )]
    TooLarge {
        /// What is too large, with its verb.
        quantity: &'static str,
        /// The largest feature, without its sign.
        features: f64,
        /// The largest entry of the head.
        head: f64,
        /// The largest target.
        targets: f64,
    },
    /// A closed form was asked for and none fits.
    #[error("no closed form fits this problem:{}", list(.0))]
    NoClosedForm(
        /// What each form misses.
        Vec<Violation>,
    ),
}

fn list(violations: &[Violation]) -> String {
    violations.iter().map(|v| format!("\n  {v}")).collect()
}

/// How long the head is probed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Probe {
    /// For this time, in [0, ∞].
    Time(f64),
    /// Until this average initial energy is left.
    Aie(f64),
    /// Until this Frobenius energy is left.
    Frobenius(f64),
}

impl From<Level> for Probe {
    fn from(level: Level) -> Self {
        match level.measure {
            Measure::Aie => Self::Aie(level.value),
            Measure::Frobenius => Self::Frobenius(level.value),
        }
    }
}

/// How the flow is solved.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A closed form if its hypotheses hold to rounding, else the solver.
    #[default]
    Auto,
    /// A closed form, or an error with what its hypotheses miss.
    ClosedForm,
    /// The numerical solver.
    Flow,
    /// Gradient descent with a tenth of the largest step that is stable all along the way.
    Descent,
}

/// Settings of the finetuning part.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// γ, the head's learning rate over the backbone's.
    pub head_rate: f64,
    /// How the flow is solved.
    pub method: Method,
    /// Relative tolerance of the solver.
    pub rtol: f64,
    /// Limit of solver steps; gradient descent may take a thousand times as many.
    pub max_steps: usize,
    /// Asked after every step, of the solver or of the descent, whether to go on.
    pub watch: Watch,
    /// Where to stop before the time that is asked for.
    pub until: Until,
}

/// A level at which finetuning stops, if it comes before the time that is asked for (T25).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Until {
    /// None.
    #[default]
    Time,
    /// The training loss, on average over the samples, has fallen to this.
    Loss(f64),
    /// This share of the training samples is predicted right.
    Accuracy(f64),
    /// ‖R‖_F has fallen to this (the constant part of the squared loss left out).
    Residual(f64),
}

impl Default for Settings {
    fn default() -> Self {
        let max_steps = Options::default().max_steps;
        let (method, watch, until) = (Method::Auto, Watch::default(), Until::Time);
        Self { head_rate: 1.0, method, rtol: DEFAULT_RTOL, max_steps, watch, until }
    }
}

/// What one finetuning run gives at one time.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// What solved it.
    pub method: SolvedBy,
    /// Probing time, possibly ∞.
    pub probe_time: f64,
    /// Energy at the start of finetuning.
    pub energy: Energy,
    /// Frobenius energy up to which it is rounding of the data ([`ProbingPath::rounding_at`]).
    pub energy_rounding: f64,
    /// Finetuning time that was reached, possibly ∞.
    pub time: f64,
    /// Why it was followed to there.
    pub stop: Stop,
    /// Work of the whole run; a closed form has none.
    pub work: Work,
    /// ‖R‖_F at the end, of all samples.
    pub residual: f64,
    /// What rounding leaves open of it, and with it of the loss, where that takes digits which count: the rounding of
    /// the residual at the start and of the predictions that this was formed from, under the squared loss.
    pub residual_rounding: Option<f64>,
    /// The training loss at the end, on average over the samples.
    pub loss: f64,
    /// The share of training samples that are predicted right; none if the targets are not labels.
    pub accuracy: Option<f64>,
    /// Relative drift of VVᵀ − γBBᵀ (T2); `None` where features outside the range of the kernel make it void.
    pub conservation_drift: Option<f64>,
    /// Adaptation of the training features.
    pub adaptation: Adaptation,
    /// Adaptation of the held-out features.
    pub held_out: Option<Adaptation>,
    /// Loss spent; gradient descent has none.
    pub budget: Option<Budget>,
    /// An estimate of the relative error of the state ([`Moment::error`]); gradient descent has none.
    pub error_estimate: Option<f64>,
    /// ‖V‖_F at the start of finetuning and at the end.
    pub head_norm: (f64, f64),
    /// The state at the start and at the end, in the coordinates of the reduction.
    pub states: (State, State),
}

/// What a closed form may leave out of a feature, relative; beyond that the solver is asked.
const HIDDEN: f64 = 1e-8;

/// Share of a residual from which on its rounding takes digits that are printed.
const SHOWN: f64 = 1e-6;

/// Share of the targets below which the digits of a residual do not matter: what a fit leaves is always rounding.
const COUNTS: f64 = 1e-9;

/// One initial head on one problem, decomposed once for all probing times and finetuning settings.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    problem: &'a Problem,
    path: ProbingPath,
    reduction: Reduction,
    largest_of_head: f64,
}

impl<'a> Run<'a> {
    /// Prepares probing from `head` (h×k) with label smoothing in [0, 1], under the squared loss.
    pub fn new(
        problem: &'a Problem,
        head: &DMatrix<f64>,
        smoothing: f64,
    ) -> Result<Self, SimulationError> {
        Self::with_loss(problem, head, smoothing, Loss::Squared)
    }

    /// The same under any loss, which serves both probing and finetuning.
    pub fn with_loss(
        problem: &'a Problem,
        head: &DMatrix<f64>,
        smoothing: f64,
        loss: Loss,
    ) -> Result<Self, SimulationError> {
        let path = ProbingPath::with_loss(problem, head, smoothing, loss)?;
        let reduction = match loss {
            Loss::Squared if smoothing == 0.0 => {
                Reduction::with_outputs(problem, head, Outputs::Targets)
            }
            Loss::Squared => Reduction::with_outputs(problem, head, Outputs::Smoothed),
            _ => Reduction::for_loss(problem, head, loss),
        };
        let reduction = reduction.map_err(FlowError::from)?;
        Ok(Self { problem, path, reduction, largest_of_head: head.amax() })
    }

    /// The same run, whose probing asks at every step whether to go on ([`ProbingPath::watched`]).
    #[must_use]
    pub fn watched(self, watch: Watch) -> Self {
        Self { path: self.path.watched(watch), ..self }
    }

    /// The probing path.
    pub fn path(&self) -> &ProbingPath {
        &self.path
    }

    /// The reduced problem.
    pub fn reduction(&self) -> &Reduction {
        &self.reduction
    }

    /// The probing time of a probe.
    pub fn probe_time(&self, probe: Probe) -> Result<f64, SimulationError> {
        Ok(match probe {
            Probe::Time(tau) => tau,
            Probe::Aie(wanted) => self.path.time_for(Measure::Aie, wanted)?,
            Probe::Frobenius(wanted) => self.path.time_for(Measure::Frobenius, wanted)?,
        })
    }

    /// Finetunes the probed head and measures it at the wanted times (ascending, in [0, ∞]).
    ///
    /// A solver that stops early gives what it has reached for the remaining times, with its reason.
    pub fn finetune(
        &self,
        probe: Probe,
        times: &[f64],
        settings: &Settings,
    ) -> Result<Vec<Simulation>, SimulationError> {
        self.finetuned(probe, times, settings).map_err(|error| {
            let quantity = match &error {
                SimulationError::Flow(FlowError::Decomposition(DecompositionError::NotFinite {
                    ..
                })) => "products of these numbers are",
                SimulationError::Flow(FlowError::InitialLoss { .. }) => "the initial loss is",
                _ => return error,
            };
            SimulationError::TooLarge {
                quantity,
                features: self.problem.features().amax(),
                head: self.largest_of_head,
                targets: self.problem.targets().amax(),
            }
        })
    }

    fn finetuned(
        &self,
        probe: Probe,
        times: &[f64],
        settings: &Settings,
    ) -> Result<Vec<Simulation>, SimulationError> {
        solver::check_rtol(settings.rtol).map_err(FlowError::from)?;
        solver::check_max_steps(settings.max_steps).map_err(FlowError::from)?;
        Setting::check_order(times).map_err(FlowError::from)?;
        let probe_time = self.probe_time(probe)?;
        let head = self.path.head(probe_time)?;
        let residual = self.path.residual(probe_time)?;
        let energy = Energy::of(&residual);
        let flow = Flow::with_residual(&self.reduction, &head, &residual, settings.head_rate)?;
        let flow = if probe_time > 0.0 {
            flow.computed(self.path.residual_rounding(&head, &residual))
        } else {
            flow
        };
        let flow = if probe_time.is_infinite() { flow.at_minimum() } else { flow };
        let (method, moments, work) = follow(&flow, times, settings)?;
        // Nothing but the solver depends on its tolerance.
        let rtol = if method == SolvedBy::Flow { settings.rtol } else { DEFAULT_RTOL };
        let check = Check { flow: &flow, method, rtol };
        let measure = |moment: Moment| {
            check.moment(&moment)?;
            let Moment { time, state, residual, budget, error, mut stop } = moment;
            let (reduction, start) = (&self.reduction, flow.start());
            // What the eigenvalues of the kernel leave open, and what the sum of a feature and its motion loses.
            let more = reduction.kernel_error(&state).max(reduction.shown_error(&state, f64::EPSILON));
            // The solver knows what the residual at the start has lost; forms move features in proportion to it. Where
            // nothing else moves the motion has no digits, and the rest is certain.
            let lost = if method == SolvedBy::Flow { 0.0 } else { flow.lost_share() };
            let error = error.map(|error| error.max(more).max(lost));
            let more = if flow.is_at_rest() { more } else { more.max(lost) };
            if stop.is_success() && error.is_some() && more > LOST.max(1e4 * rtol) {
                stop = Stop::Rounding { error: more };
            }
            let (adaptation, held_out) =
                (reduction.adaptation(&state), reduction.held_out_adaptation(&state));
            for metrics in [Some(&adaptation), held_out.as_ref()].into_iter().flatten() {
                check.adaptation(time, metrics)?;
            }
            let after = solver::residual_norm(&flow, &state, &residual);
            Ok(Simulation {
                method,
                probe_time,
                energy,
                energy_rounding: self.path.rounding_at(probe_time),
                time,
                stop,
                work,
                residual_rounding: (reduction.loss_function() == Loss::Squared)
                    .then(|| match probe_time {
                        0.0 => energy.frobenius + reduction.features().norm() * start.head.norm(),
                        _ => energy.frobenius,
                    })
                    .map(|size| 4.0 * f64::EPSILON * size)
                    .filter(|&open| open > SHOWN * after && open > COUNTS * reduction.targets().norm()),
                residual: after,
                loss: flow.loss(&state, &residual) / self.problem.samples() as f64,
                accuracy: reduction.accuracy(&state),
                conservation_drift: reduction.conservation_drift(start, &state, settings.head_rate),
                adaptation,
                held_out,
                budget,
                error_estimate: error,
                head_norm: (start.head.norm(), state.head.norm()),
                states: (start.clone(), state),
            })
        };
        let all: Result<_, FlowError> = moments.into_iter().map(measure).collect();
        Ok(all?)
    }

    /// The features after finetuning in full width, N×h.
    pub fn features(&self, simulation: &Simulation) -> DMatrix<f64> {
        self.problem.features() + self.reduction.full_displacement(&simulation.states.1)
    }

    /// The head after finetuning in full width, h×k.
    pub fn head(&self, simulation: &Simulation) -> DMatrix<f64> {
        self.reduction.full_head(&simulation.states.1)
    }

    /// The held-out features after finetuning in full width, P×h.
    pub fn held_out_features(&self, simulation: &Simulation) -> Option<DMatrix<f64>> {
        let moved = self.reduction.full_held_out_displacement(&simulation.states.1)?;
        self.problem.held_out().map(|held| held.features() + moved)
    }
}

/// The flow at the wanted times, with the name of what gave it and the work that it took.
fn follow(
    flow: &Flow,
    times: &[f64],
    settings: &Settings,
) -> Result<(SolvedBy, Vec<Moment>, Work), SimulationError> {
    let timed = settings.until == Until::Time;
    if let Until::Loss(level) = settings.until
        && matches!(settings.method, Method::Auto | Method::ClosedForm)
        && let Ok(clock) = Clock::of_flow(flow)
    {
        match down_to(level, flow, &clock, times) {
            Ok(None) => {}
            // It stopped before; the solver goes on.
            Err(FlowError::Clock { .. }) if settings.method == Method::Auto => {}
            Ok(Some(moments)) => return Ok((clock.solved_by(), moments, Work::default())),
            Err(error) => return Err(error.into()),
        }
    }
    let form = match settings.method {
        Method::Auto if !timed => None,
        Method::Auto => match closed_form(flow) {
            // Only a hypothesis that does not hold leaves it to the solver.
            Err(SimulationError::NoClosedForm(_)) => None,
            form => Some(form?),
        },
        Method::ClosedForm if !timed => return Err(SimulationError::Stop { method: "closed-form" }),
        Method::ClosedForm => Some(closed_form(flow)?),
        Method::Flow => None,
        Method::Descent if !timed => return Err(SimulationError::Stop { method: "descent" }),
        Method::Descent => {
            let max_steps = settings.max_steps.saturating_mul(1000);
            let descent = descend_steadily(flow, times, max_steps, &settings.watch)?;
            let work =
                Work { steps: descent.steps, evaluations: descent.evaluations, ..Work::default() };
            return Ok((SolvedBy::Descent { step: descent.step }, descent.moments, work));
        }
    };
    let Some(form) = form else {
        let (moments, work) = solved(flow, times, settings)?;
        return Ok((SolvedBy::Flow, moments, work));
    };
    let auto = settings.method == Method::Auto;
    let moments: Result<Vec<Moment>, _> = times.iter().map(|&t| form.moment(t)).collect();
    if auto && matches!(moments, Err(FlowError::Clock { .. })) {
        // The clock of the rank-one path stopped; its hypotheses hold for the solver, too.
        let (moments, work) = solved(flow, times, settings)?;
        return Ok((SolvedBy::Flow, moments, work));
    }
    let moments = moments?;
    let check = Check { flow, method: form.solved_by(), rtol: DEFAULT_RTOL };
    for moment in &moments {
        let held = check.closed_form(form.as_ref(), moment).and_then(|()| Ok(check.moment(moment)?));
        match held {
            // Hypotheses that hold to their tolerance only may not be enough.
            Err(FlowError::Broken(_)) if auto && form.left_out() > f64::EPSILON => {
                let (other, work) = solved(flow, times, settings)?;
                return Ok((SolvedBy::Flow, other, work));
            }
            held => held?,
        }
    }
    let lost = |moments: &[Moment]| moments.iter().any(|m| matches!(m.stop, Stop::Saddle(_)));
    if auto && form.left_out() > 0.0 && (drowned(flow, &moments) || hides(flow, form.as_ref(), &moments))
    {
        let (other, work) = solved(flow, times, settings)?;
        return Ok((SolvedBy::Flow, other, work));
    }
    if auto && lost(&moments) {
        // A form judges each mode alone; the solver, which leaves nothing out, may know more.
        let (other, work) = solved(flow, times, settings)?;
        if form.left_out() > f64::EPSILON || !lost(&other) {
            return Ok((SolvedBy::Flow, other, work));
        }
    }
    Ok((form.solved_by(), moments, Work::default()))
}

/// Whether what a form leaves out of all may be some part of a feature that is far smaller than others.
fn hides(flow: &Flow, form: &dyn ClosedForm, moments: &[Moment]) -> bool {
    let reduction = flow.reduction();
    let all = reduction.features().norm();
    let smallest = |m: &Moment| reduction.smallest_feature(&m.state);
    moments.iter().any(|m| form.left_out() * (all + m.state.motion.norm()) > HIDDEN * smallest(m))
}

/// Whether what a form leaves out may be as large as the motion, where the motion is far smaller than the state.
fn drowned(flow: &Flow, moments: &[Moment]) -> bool {
    let lambda = flow.reduction().lambda().amax();
    let part = |size: f64, rate: f64| if rate > 0.0 { size / rate.sqrt() } else { 0.0 };
    moments.iter().any(|m| {
        let z = flow.reduction().features_at(&m.state).norm();
        let size = part(z, lambda).hypot(part(m.state.head.norm(), flow.head_rate()));
        m.error.unwrap_or(0.0) * size > 1e-3 * crate::flow::LOST * m.state.motion.norm()
    })
}

/// The flow at the wanted times by the solver.
fn solved(
    flow: &Flow,
    times: &[f64],
    settings: &Settings,
) -> Result<(Vec<Moment>, Work), SimulationError> {
    let (mut loss, mut accuracy, mut residual) = (None, None, None);
    match settings.until {
        Until::Time => {}
        Until::Loss(level) => loss = Some(level),
        Until::Accuracy(share) => accuracy = Some(share),
        Until::Residual(level) => residual = Some(level),
    }
    let options = Options {
        rtol: settings.rtol,
        max_steps: settings.max_steps,
        loss,
        accuracy,
        residual,
        watch: settings.watch.clone(),
        times: times.to_vec(),
        ..Options::default()
    };
    let until = times.last().copied().unwrap_or(0.0);
    let mut solution = solver::solve(flow, until, &options)?;
    // What the tolerance leaves open shows in features that have shrunk, which the whole does not tell.
    let shown = |solution: &Solution, rtol: f64| -> Vec<f64> {
        let share = solver::LOCAL_ERROR * rtol;
        let moments = solution.points.iter().chain([&solution.end]);
        moments.map(|moment| flow.reduction().shown_error(&moment.state, share)).collect()
    };
    let lost = LOST.max(1e4 * settings.rtol);
    let mut errors = shown(&solution, settings.rtol);
    let moments = solution.points.iter().chain([&solution.end]);
    let too_loose =
        moments.zip(&errors).any(|(moment, &shown)| moment.stop.is_success() && shown > lost);
    if too_loose && settings.rtol > solver::STRICTEST {
        let work = solution.work;
        let options = Options { rtol: solver::STRICTEST, ..options };
        solution = solver::solve(flow, until, &options)?;
        solution.work += work;
        errors = shown(&solution, solver::STRICTEST);
    }
    for (moment, shown) in solution.points.iter_mut().chain([&mut solution.end]).zip(errors) {
        moment.error = moment.error.map(|error| error.max(shown));
        if moment.stop.is_success() && shown > lost {
            moment.stop = Stop::Rounding { error: shown };
        }
    }
    let Solution { mut points, end, work, .. } = solution;
    if end.stop == Stop::Converged {
        let reduction = flow.reduction();
        let never = |what, level, limit| Err(SimulationError::NeverMet { what, level, limit });
        match settings.until {
            Until::Time => {}
            Until::Loss(level) => {
                let limit = flow.loss(&end.state, &end.residual) / reduction.sample_count() as f64;
                return never("a training loss of", level, limit);
            }
            Until::Accuracy(share) => {
                let limit = reduction.accuracy(&end.state).unwrap_or(f64::NAN);
                return never("a training accuracy of", share, limit);
            }
            Until::Residual(level) => {
                let limit = solver::residual_norm(flow, &end.state, &end.residual);
                return never("a residual of", level, limit);
            }
        }
    }
    // Times that were not reached have the last state that was.
    points.resize(times.len(), end);
    Ok((points, work))
}

/// The moments of a rank-one flow that stops at a training loss, whose clock tells when that is; none if it does not.
fn down_to(
    level: f64,
    flow: &Flow,
    clock: &Clock,
    times: &[f64],
) -> Result<Option<Vec<Moment>>, FlowError> {
    let Some(end) = clock.time_of_loss(level)? else { return Ok(None) };
    let check = Check { flow, method: clock.solved_by(), rtol: DEFAULT_RTOL };
    let moment = |&t: &f64| {
        let mut moment = clock.moment(t.min(end))?;
        check.closed_form(clock, &moment)?;
        if t >= end && moment.stop == Stop::Exact {
            moment.stop = Stop::Loss { level };
        }
        Ok(moment)
    };
    times.iter().map(moment).collect::<Result<_, _>>().map(Some)
}

/// The closed form whose hypotheses a flow meets, or what each form misses.
pub fn closed_form<'a>(flow: &Flow<'a>) -> Result<Box<dyn ClosedForm + 'a>, SimulationError> {
    let mut violations = Vec::new();
    let mut keep = |error: FlowError| match error {
        FlowError::Violation(v) => {
            violations.push(v);
            Ok(())
        }
        other => Err(SimulationError::Flow(other)),
    };
    if flow.reduction().samples().is_some() {
        return match Clock::of_flow(flow) {
            Ok(form) => Ok(Box::new(form)),
            Err(error) => {
                keep(error)?;
                Err(SimulationError::NoClosedForm(violations))
            }
        };
    }
    match RankOne::of_flow(flow) {
        Ok(form) => return Ok(Box::new(form)),
        Err(error) => keep(error)?,
    }
    match FrozenHead::of_flow(flow) {
        Ok(form) => return Ok(Box::new(form)),
        Err(error) => keep(error)?,
    }
    match Decoupled::of_flow(flow) {
        Ok(form) => return Ok(Box::new(form)),
        Err(error) => keep(error)?,
    }
    Err(SimulationError::NoClosedForm(violations))
}
