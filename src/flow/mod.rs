//! Finetuning: the gradient flow Ż = K R Vᵀ, V̇ = γ ZᵀR from a probed head.
//!
//! One file for each closed form, with its hypotheses, its value at any time and its limit; the
//! [`solver`] for everything else; [`descent`] for the practitioner's discrete steps.
//!
//! The unit of time is that of the backbone's learning rate: gradient descent with step η takes t/η steps.

pub mod balanced;
pub mod decoupled;
pub mod descent;
pub mod frozen;
pub mod lazy;
mod outcome;
pub mod rank_one;
pub mod solver;
mod stop_values;

use nalgebra::DMatrix;

pub use outcome::{Moment, Saddle, Stop};

use crate::linalg::DecompositionError;
use crate::problem::ProblemError;
use crate::reduction::{Reduction, State};

/// A hypothesis of a closed form that does not hold, and by how much.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{form} needs {hypothesis}; here {measure} is {size:e} (accepted: {tolerance:e})")]
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

/// Why a flow has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
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
    /// A finetuning time that is no time.
    #[error("the finetuning time {value} is not valid; it must be a number of at least 0, or inf")]
    Time {
        /// The value given.
        value: f64,
    },
    /// A head rate that is not valid.
    #[error("the head rate {value} is not valid; it must be a finite number of at least 0")]
    HeadRate {
        /// The value given.
        value: f64,
    },
    /// A tolerance, step or level out of its range.
    #[error("{name} {value} is not valid; it must be {accepted}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// The value given.
        value: f64,
        /// What is accepted.
        accepted: &'static str,
    },
    /// A quantity that f64 cannot hold.
    #[error("{quantity} is not representable in double precision ({value}); rescale the problem")]
    Overflow {
        /// The quantity.
        quantity: &'static str,
        /// What came out.
        value: f64,
    },
    /// Gradient descent with too large a step.
    #[error(
        "gradient descent diverged after {steps} steps of size {step}: the loss grew from {before:e} to {after:e}; \
         take a step below {stable:e}"
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

/// The loss spent so far (T6): by moving the backbone, ∫ tr(RᵀK R VᵀV) dt, and by moving the head,
/// γ∫‖ZᵀR‖² dt. The two sum to the loss that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Budget {
    /// Spent by the backbone.
    pub backbone: f64,
    /// Spent by the head.
    pub head: f64,
}

/// A finetuning run before it is solved: where it starts and its head rate γ.
#[derive(Debug, Clone)]
pub struct Flow<'a> {
    reduction: &'a Reduction,
    start: State,
    head_rate: f64,
}

impl<'a> Flow<'a> {
    /// Finetuning of a reduced problem from a head (h×k, in the span of the reduction) with the head
    /// learning rate γ ≥ 0 in units of the backbone's.
    pub fn new(
        reduction: &'a Reduction,
        head: &DMatrix<f64>,
        head_rate: f64,
    ) -> Result<Self, FlowError> {
        if !(head_rate >= 0.0 && head_rate.is_finite()) {
            return Err(FlowError::HeadRate { value: head_rate });
        }
        let start = reduction.start(head);
        let loss = reduction.loss(&start);
        if !loss.is_finite() {
            return Err(FlowError::Overflow { quantity: "the initial loss", value: loss });
        }
        Ok(Self { reduction, start, head_rate })
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

    /// The velocity (Ḋ, V̇) of the flow at a state.
    pub fn velocity(&self, state: &State) -> State {
        let z = self.reduction.features_at(state);
        let r = self.reduction.targets() - &z * &state.head;
        let mut motion = &r * state.head.transpose();
        for (i, mut row) in motion.row_iter_mut().enumerate() {
            row *= self.reduction.lambda()[i].sqrt();
        }
        let head = z.tr_mul(&r) * self.head_rate;
        State { motion, head }
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
    /// Its name, as reports print it.
    fn name(&self) -> &'static str;

    /// The flow at time t in [0, ∞].
    fn moment(&self, t: f64) -> Result<Moment, FlowError>;

    /// The state alone.
    fn state(&self, t: f64) -> Result<State, FlowError> {
        Ok(self.moment(t)?.state)
    }
}

/// Checks a finetuning time.
pub(crate) fn check_time(t: f64) -> Result<(), FlowError> {
    if t >= 0.0 { Ok(()) } else { Err(FlowError::Time { value: t }) }
}

/// (1 − e^{−λt})/λ for λ ≥ 0 and t in [0, ∞]: t at λ = 0, and 1/λ at t = ∞.
pub(crate) fn phi(lambda: f64, t: f64) -> f64 {
    if lambda == 0.0 { t } else { -(-lambda * t).exp_m1() / lambda }
}
