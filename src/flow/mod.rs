//! Finetuning: the gradient flow Ż = K R Vᵀ, V̇ = γ ZᵀR from a probed head.
//!
//! One file for each closed form, with its hypotheses, its value at any time and its limit; the
//! [`solver`] for everything else; [`descent`] for the practitioner's discrete steps.
//!
//! The unit of time is that of the backbone's learning rate: gradient descent with step η takes t/η steps.

pub mod balanced;
mod broken;
mod budget;
pub mod clock;
pub mod decoupled;
pub mod descent;
pub mod frozen;
pub mod lazy;
mod outcome;
pub mod rank_one;
pub mod solver;
mod stop_values;
mod tangent;

use nalgebra::DMatrix;

pub use broken::Broken;
pub use budget::Budget;
pub use outcome::{Moment, Saddle, SolvedBy, Stop};

use crate::linalg::DecompositionError;
use crate::problem::ProblemError;
use crate::reduction::{Reduction, State};
use crate::setting::{Number, Setting};

/// A hypothesis of a closed form that does not hold, and by how much.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{form} needs {hypothesis}; here {measure} is {} (accepted: {})", Number(*size), Number(*tolerance))]
pub struct Violation {
    /// The closed form.
    pub form: &'static str,
    /// What it needs.
    pub hypothesis: &'static str,
    /// What was measured.
    pub measure: &'static str,
    /// Its size.
    pub size: f64,
    /// The largest size that counts as rounding.
    pub tolerance: f64,
}

impl Violation {
    /// An error unless `size` is within `tolerance` (NaN is not).
    pub(crate) fn unless(
        form: &'static str,
        hypothesis: &'static str,
        measure: &'static str,
        size: f64,
        tolerance: f64,
    ) -> Result<(), Self> {
        if size <= tolerance { Ok(()) } else { Err(Self { form, hypothesis, measure, size, tolerance }) }
    }
}

/// Relative size up to which a violated hypothesis counts as rounding of the data.
pub const HYPOTHESIS_TOLERANCE: f64 = 1e-13;

/// Relative error, estimated from rounding and from how far the flow draws neighbouring starts apart, from which on
/// an answer is not given as one: it is a [`Stop::Saddle`] or [`Stop::Rounding`].
pub const LOST: f64 = 1e-4;

/// Why a flow has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// The arrays do not make a problem.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// A closed form was asked for outside its hypotheses.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// A decomposition failed.
    #[error(transparent)]
    Decomposition(#[from] DecompositionError),
    /// A time, head rate, tolerance, step or level out of its range.
    #[error(transparent)]
    Setting(#[from] Setting),
    /// A result that breaks a law of the flow.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// A quantity that f64 cannot hold.
    #[error("{quantity} is not representable in double precision ({}); rescale the problem", Number(*value))]
    Overflow {
        /// The quantity.
        quantity: &'static str,
        /// What came out.
        value: f64,
    },
    /// A loss at the start that f64 cannot hold.
    #[error("the initial loss is not representable in double precision ({}); rescale the problem", Number(*value))]
    InitialLoss {
        /// What came out.
        value: f64,
    },
    /// A clock of the rank-one path that was followed for too long.
    #[error(
        "the rank-one path was followed to the time {} only, in too many pieces; accepted: earlier times, or the method \
         `flow`",
        Number(*time)
    )]
    Clock {
        /// The time that was reached.
        time: f64,
    },
    /// A limit that does not exist.
    #[error(
        "there is no limit t = inf: at time {} every sample is fitted (summed training loss {}, below ln 2), and from \
         there on features and head grow without end under cross-entropy with hard labels; ask for a finite time, a \
         training loss above 0 or a training accuracy",
        Number(*time),
        Number(*loss)
    )]
    NoLimit {
        /// A time at which that was certain.
        time: f64,
        /// The training loss there, summed over the samples.
        loss: f64,
    },
    /// Gradient descent with too large a step.
    #[error(
        "gradient descent diverged after {steps} steps of size {}: the loss grew from {} to {}; take a step below {}",
        Number(*step),
        Number(*before),
        Number(*after),
        Number(*stable)
    )]
    Diverged {
        /// Steps taken.
        steps: usize,
        /// Step size.
        step: f64,
        /// Loss at the start.
        before: f64,
        /// Loss when it was stopped.
        after: f64,
        /// 2 over the largest tangent-kernel eigenvalue at the start.
        stable: f64,
    },
}

/// A velocity in units of what the rounding of the residual causes, below which it is that.
const AT_REST: f64 = 10.0;

/// A finetuning run before it is solved: where it starts and its head rate γ.
#[derive(Debug, Clone)]
pub struct Flow<'a> {
    reduction: &'a Reduction,
    start: State,
    head_rate: f64,
    /// R at the start, n×k, and the loss of the part of it that lies in no row.
    residual: DMatrix<f64>,
    constant_loss: f64,
    /// The relative size of what the head has lost on the way to here; 0 for one as it was given.
    head_rounding: f64,
    /// The size of what the residual has lost, and whether all that moves at the start is due to that.
    residual_rounding: f64,
    at_rest: bool,
    /// Whether it starts at the end of probing where nothing else moves either.
    stays: bool,
}

impl<'a> Flow<'a> {
    /// Finetuning of a reduced problem from a head (h×k, in the span of the reduction) with the head
    /// learning rate γ ≥ 0 in units of the backbone's.
    ///
    /// The residual is Y − ZV as f64 has it: where it is much smaller than Y it has lost digits. A probed head brings
    /// its residual along ([`Flow::with_residual`]).
    pub fn new(
        reduction: &'a Reduction,
        head: &DMatrix<f64>,
        head_rate: f64,
    ) -> Result<Self, FlowError> {
        let residual = reduction.residual(&reduction.start(head));
        Self::starting(reduction, head, head_rate, (residual, reduction.constant_loss()))
    }

    /// The same from the residual of that head (N×k), however small: energies, distances and budgets keep its relative
    /// accuracy, because no closed form and no step of the solver forms a residual as Y − ZV.
    pub fn with_residual(
        reduction: &'a Reduction,
        head: &DMatrix<f64>,
        residual: &DMatrix<f64>,
        head_rate: f64,
    ) -> Result<Self, FlowError> {
        Self::starting(reduction, head, head_rate, reduction.residual_on_rows(residual))
    }

    fn starting(
        reduction: &'a Reduction,
        head: &DMatrix<f64>,
        head_rate: f64,
        (residual, constant_loss): (DMatrix<f64>, f64),
    ) -> Result<Self, FlowError> {
        check_head_rate(head_rate)?;
        let start = reduction.start(head);
        let loss = match reduction.samples() {
            None => residual.norm_squared() / 2.0 + constant_loss,
            Some(_) => reduction.loss(&start),
        };
        if !loss.is_finite() {
            return Err(FlowError::InitialLoss { value: loss });
        }
        let head_rounding = if reduction.keeps_heads() { 0.0 } else { 4.0 * f64::EPSILON };
        let residual_rounding = 0.0;
        Ok(Self {
            reduction,
            start,
            head_rate,
            residual,
            constant_loss,
            head_rounding,
            residual_rounding,
            at_rest: false,
            stays: false,
        })
    }

    /// The same where the head has been computed, not given: its smallest singular values are known to its rounding
    /// only, and the residual up to this size. Where all that moves is due to that, nothing does: its motion has no
    /// digits, but is no reason to withhold an answer.
    pub fn computed(mut self, residual_rounding: f64) -> Self {
        self.head_rounding += 4.0 * f64::EPSILON;
        let velocity = self.velocity_by(&self.start, &self.residual);
        let (fastest, gamma) = (self.reduction.lambda().amax().sqrt(), self.head_rate);
        let pulls = [fastest * self.start.head.norm(), gamma * self.reduction.features().norm()];
        let moves = |velocity: f64, pull: f64| velocity > AT_REST * residual_rounding * pull;
        self.at_rest =
            !moves(velocity.motion.norm(), pulls[0]) && !moves(velocity.head.norm(), pulls[1]);
        self.residual_rounding = residual_rounding;
        self
    }

    /// The same after probing to its end, where the head is at a minimum. If the features do not move there either (those
    /// of a linear backbone do not) and nothing could grow, which takes a residual in the range of the kernel, the flow
    /// stays where it is, and its rounding is not to be followed for ever.
    pub fn at_minimum(mut self) -> Self {
        let lambda = self.reduction.lambda();
        let rows = self.residual.row_iter().zip(lambda.iter());
        let seen: f64 = rows.map(|(r, lambda)| r.norm_squared() * lambda).sum();
        let rounding = AT_REST * self.residual_rounding * lambda.amax().sqrt();
        self.stays = self.at_rest && seen.sqrt() <= rounding;
        self
    }

    /// Whether it stays where it starts.
    pub(crate) fn stays(&self) -> bool {
        self.stays
    }

    /// Whether all that moves at the start is the rounding of the residual.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.at_rest
    }

    /// The size of what the residual at the start has lost by rounding.
    pub(crate) fn residual_rounding(&self) -> f64 {
        self.residual_rounding
    }

    /// The share of the residual at the start that rounding has lost.
    pub(crate) fn lost_share(&self) -> f64 {
        let size = self.residual.norm();
        if size > 0.0 { self.residual_rounding / size } else { 0.0 }
    }

    /// The relative size of what the head has lost by rounding.
    pub(crate) fn head_rounding(&self) -> f64 {
        self.head_rounding
    }

    /// The problem.
    pub fn reduction(&self) -> &'a Reduction {
        self.reduction
    }

    /// The state at time 0.
    pub fn start(&self) -> &State {
        &self.start
    }

    /// γ.
    pub fn head_rate(&self) -> f64 {
        self.head_rate
    }

    /// R at time 0, n×k.
    pub fn residual(&self) -> &DMatrix<f64> {
        &self.residual
    }

    /// The loss ½‖·‖² of the part of the residual that no head and no backbone reaches.
    pub fn constant_loss(&self) -> f64 {
        self.constant_loss
    }

    /// The loss L of the whole problem, summed over the samples, at a state with its residual of the rows (n×k): for
    /// the squared loss ½‖R‖²_F from that residual, with the constant part.
    pub fn loss(&self, state: &State, residual: &DMatrix<f64>) -> f64 {
        match self.reduction.samples() {
            None => residual.norm_squared() / 2.0 + self.constant_loss,
            Some(_) => self.reduction.loss(state),
        }
    }

    /// By how much the residual of the rows falls when their predictions f = ZV move by a small δf (n×k): S δf, which
    /// is δf for the squared loss.
    pub(crate) fn curvature(&self, predictions: &DMatrix<f64>, change: DMatrix<f64>) -> DMatrix<f64> {
        match self.reduction.samples() {
            None => change,
            Some(samples) => samples.curvature(predictions, &change),
        }
    }

    /// The velocity (Ḋ, V̇) of the flow at a state, whose residual is formed as Y − ZV.
    pub fn velocity(&self, state: &State) -> State {
        self.velocity_by(state, &self.reduction.residual(state))
    }

    /// The velocity (Ḋ, V̇) of the flow at a state whose residual (n×k) is known.
    pub fn velocity_by(&self, state: &State, r: &DMatrix<f64>) -> State {
        let z = self.reduction.features_at(state);
        let mut motion = r * state.head.transpose();
        for (i, mut row) in motion.row_iter_mut().enumerate() {
            row *= self.reduction.lambda()[i].sqrt();
        }
        let head = z.tr_mul(r) * self.head_rate;
        State { motion, head }
    }

    /// Moves a state by factor · change and its residual (n×k) with it, for the squared loss by R ← R − Z δV − δZ
    /// (V + δV).
    pub fn shift(&self, state: &mut State, residual: &mut DMatrix<f64>, factor: f64, change: &State) {
        if self.reduction.samples().is_some() {
            state.add(factor, change);
            *residual = self.reduction.residual(state);
            return;
        }
        *residual -= self.reduction.features_at(state) * &change.head * factor;
        state.add(factor, change);
        let mut moved = &change.motion * factor;
        for (i, mut row) in moved.row_iter_mut().enumerate() {
            row *= self.reduction.lambda()[i].sqrt();
        }
        *residual -= moved * &state.head;
    }

    /// How fast backbone and head spend loss at a velocity: ‖Ḋ‖² and ‖V̇‖²/γ.
    pub fn spending(&self, velocity: &State) -> Budget {
        self.spending_rates(velocity.motion.norm_squared(), velocity.head.norm_squared())
    }

    /// The same from ‖Ḋ‖² and ‖V̇‖².
    pub(crate) fn spending_rates(&self, motion: f64, head: f64) -> Budget {
        let head = if self.head_rate > 0.0 { head / self.head_rate } else { 0.0 };
        Budget { backbone: motion, head }
    }
}

/// A solution in closed form, valid for every time from 0 to ∞.
pub trait ClosedForm {
    /// Which form it is.
    fn solved_by(&self) -> SolvedBy;

    /// The size of what the form leaves out because its hypotheses hold to rounding only, relative.
    fn left_out(&self) -> f64 {
        0.0
    }

    /// The flow at time t in [0, ∞].
    fn moment(&self, t: f64) -> Result<Moment, FlowError>;

    /// The state alone.
    fn state(&self, t: f64) -> Result<State, FlowError> {
        Ok(self.moment(t)?.state)
    }
}

/// Checks that a closed form is asked for under the loss that it holds for.
pub(crate) fn needs_squared_loss(flow: &Flow, form: &'static str) -> Result<(), Violation> {
    let other = if flow.reduction().samples().is_some() { 1.0 } else { 0.0 };
    Violation::unless(form, "the squared loss", "the number of other losses", other, 0.0)
}

/// Checks a finetuning time.
pub(crate) fn check_time(t: f64) -> Result<(), FlowError> {
    Ok(Setting::check_time("the finetuning time", t)?)
}

/// Checks a head rate γ.
pub(crate) fn check_head_rate(gamma: f64) -> Result<(), FlowError> {
    let accepted = "a finite number of at least 0";
    Ok(Setting::check("the head rate", gamma, |rate| rate >= 0.0 && rate.is_finite(), accepted)?)
}

/// (1 − e^{−λt})/λ for λ ≥ 0 and t in [0, ∞]: t at λ = 0, and 1/λ at t = ∞.
pub(crate) fn phi(lambda: f64, t: f64) -> f64 {
    if lambda == 0.0 { t } else { -(-lambda * t).exp_m1() / lambda }
}
