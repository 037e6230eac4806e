//! What the solver is asked for, and what it gives.

use super::watch::Watch;
use crate::flow::Moment;
use crate::reduction::State;

/// Error of a step over its motion, in units of the tolerance: what the suite shows.
pub(crate) const LOCAL_ERROR: f64 = 0.1;

/// Default relative tolerance: what is left is far below the 1e-7 that reports print.
pub const DEFAULT_RTOL: f64 = 1e-9;

/// What the solver is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Relative error of the result: of the motion D in units of its own size, of the head in units of its
    /// own. On the suite of `tests/suite` the error is at most 10 times this, on 2,002 random problems of `taskhead
    /// verify S1` at most 19 times. Between 1e-13 and 1e-2.
    pub rtol: f64,
    /// Steps after which it gives up with [`Stop::StepLimit`](crate::flow::Stop::StepLimit).
    pub max_steps: usize,
    /// Stop when ‖R‖_F (the constant part of the targets left out) falls to this.
    pub residual: Option<f64>,
    /// Stop when ‖R‖_F falls to this share of its size at the start, between 0 and 1.
    pub energy_share: Option<f64>,
    /// Stop when the training loss, on average over the samples, falls to this.
    pub loss: Option<f64>,
    /// Stop when this share of the training samples is predicted right, between 0 and 1.
    pub accuracy: Option<f64>,
    /// The first step to try; by default one in which little changes.
    pub first_step: Option<f64>,
    /// Whether the solution keeps the state after every step.
    pub record: bool,
    /// Times at which the state is wanted, ascending; those after the end are left out.
    pub times: Vec<f64>,
    /// Asked after every step whether to go on.
    pub watch: Watch,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rtol: DEFAULT_RTOL,
            max_steps: 20_000,
            residual: None,
            energy_share: None,
            loss: None,
            accuracy: None,
            first_step: None,
            record: false,
            times: Vec::new(),
            watch: Watch::default(),
        }
    }
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
    /// All multiplications but those inside decompositions, in matrix products of the size n×p×k, of which a right-hand
    /// side takes three.
    pub products: usize,
    /// Tangent kernels decomposed.
    pub decompositions: usize,
}

impl std::ops::AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.rejected += other.rejected;
        self.evaluations += other.evaluations;
        self.products += other.products;
        self.decompositions += other.decompositions;
    }
}

/// What the solver returns: the wanted moments, and the last one with why it is the last.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The moments at the wanted times that were reached.
    pub points: Vec<Moment>,
    /// The last moment.
    pub end: Moment,
    /// Time and state after every step, if they were to be kept.
    pub steps: Vec<(f64, State)>,
    /// The step that would have come next, for the first step of a flow that goes on from here.
    pub next_step: f64,
    /// Work done.
    pub work: Work,
}
