//! What every method gives back: moments of a flow, each with what ended it.

use std::fmt;

use nalgebra::DMatrix;

use super::budget::Budget;
use crate::reduction::State;
use crate::setting::{Number, counted};

/// A flow at one time, by a closed form, the solver or gradient descent.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The time that was reached, possibly before the one that was asked for; ∞ for the limit.
    pub time: f64,
    /// The state there.
    pub state: State,
    /// R there on the rows of the reduction, n×k: followed along, not formed as Y − ZV.
    pub residual: DMatrix<f64>,
    /// The loss spent until then; gradient descent has none.
    pub budget: Option<Budget>,
    /// An estimate of the error of the state over its size, in the norm of (D, V/√γ) with the features in
    /// place of D in the size: what rounding and the tolerance leave, grown as the flow draws states apart.
    pub error: Option<f64>,
    /// Why the flow was followed to here and no further.
    pub stop: Stop,
}

/// What gave the numbers of a run: a closed form, the solver or gradient descent.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum SolvedBy {
    /// The closed form of one sample and one output: T7, and under cross-entropy T23.
    RankOne,
    /// The closed form of a head that does not move (T15).
    FrozenHead,
    /// The closed form of modes that do not meet (T14).
    Decoupled,
    /// The implicit solver of the gradient flow.
    Flow,
    /// Gradient descent.
    Descent {
        /// The size of a step η; the last one before a wanted time is shorter.
        step: f64,
    },
}

impl SolvedBy {
    /// Its name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::RankOne => "rank-one",
            Self::FrozenHead => "frozen-head",
            Self::Decoupled => "decoupled",
            Self::Flow => "flow",
            Self::Descent { .. } => "descent",
        }
    }

    /// The size of a step of gradient descent.
    pub fn step(self) -> Option<f64> {
        if let Self::Descent { step } = self { Some(step) } else { None }
    }
}

impl fmt::Display for SolvedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a flow was followed to a moment and no further.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stop {
    /// A closed form at the wanted time, a limit included: nothing was stepped.
    Exact,
    /// The wanted time is reached.
    Time,
    /// The flow has converged; the state is its limit.
    Converged,
    /// ‖R‖_F has fallen to the wanted level.
    Residual {
        /// The level.
        level: f64,
    },
    /// ‖R‖_F has fallen to the wanted share of its size at the start.
    EnergyShare {
        /// The share.
        share: f64,
    },
    /// The training loss, on average over the samples, has fallen to the wanted level.
    Loss {
        /// The level.
        level: f64,
    },
    /// The wanted share of the training samples is predicted right.
    Accuracy {
        /// The share.
        share: f64,
    },
    /// The flow rests at a saddle that rounding alone decides to leave: what comes after depends on
    /// digits that the numbers do not have.
    Saddle(Saddle),
    /// The answer is a matter of rounding: a mode so slow, or a motion so small beside the residual, that the numbers
    /// of the problem do not determine it. The state is what is left when it rests.
    Rounding {
        /// An estimate of the relative error.
        error: f64,
    },
    /// The limit of steps.
    StepLimit {
        /// Steps taken.
        steps: usize,
        /// Time reached.
        time: f64,
    },
    /// The caller has ended it.
    Interrupted {
        /// Steps taken.
        steps: usize,
        /// Time reached.
        time: f64,
    },
    /// No step is small enough.
    StepTooSmall {
        /// The step that was refused.
        step: f64,
        /// Time reached.
        time: f64,
    },
}

/// An unstable direction whose size is that of rounding.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Saddle {
    /// Time at which the saddle was reached; ∞ for a limit.
    pub time: f64,
    /// Rate at which a motion along the direction grows, in units of one over time.
    pub growth: f64,
    /// Size of the state along the direction as computed, over the size of the whole state. What is within
    /// a few thousand roundings of zero has no digits.
    pub size: f64,
    /// The training sample that the direction moves most, from 0.
    pub sample: usize,
    /// The output that it moves most, from 0.
    pub output: usize,
}

impl Stop {
    /// Whether what was asked for was reached.
    pub fn is_success(&self) -> bool {
        !matches!(
            self,
            Self::Saddle(_)
                | Self::Rounding { .. }
                | Self::StepLimit { .. }
                | Self::Interrupted { .. }
                | Self::StepTooSmall { .. }
        )
    }

    /// Its name in tables and JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Time => "time",
            Self::Converged => "converged",
            Self::Residual { .. } => "residual",
            Self::EnergyShare { .. } => "energy-share",
            Self::Loss { .. } => "loss",
            Self::Accuracy { .. } => "accuracy",
            Self::Saddle(_) => "saddle",
            Self::Rounding { .. } => "rounding",
            Self::StepLimit { .. } => "step-limit",
            Self::Interrupted { .. } => "interrupted",
            Self::StepTooSmall { .. } => "step-too-small",
        }
    }

    /// What a stop that is not the wanted one says about itself.
    pub fn reason(&self) -> Option<String> {
        (!self.is_success()).then(|| self.to_string())
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Residual { level } => write!(f, "the residual has fallen to {}", Number(*level)),
            Self::EnergyShare { share } => {
                write!(f, "the energy has fallen to {} of its start", Number(*share))
            }
            Self::Loss { level } => write!(f, "the training loss has fallen to {}", Number(*level)),
            Self::Accuracy { share } => {
                write!(f, "{} of the training samples are right", Number(*share))
            }
            Self::Saddle(saddle) => saddle.fmt(f),
            Self::Rounding { error } => write!(
                f,
                "rounding decides the answer (estimated relative error {error:.1e}): a mode is so slow, or the \
                 motion so small beside the residual, that these numbers do not determine it"
            ),
            Self::StepLimit { steps, time } => {
                write!(f, "{} taken, time {} reached", counted(*steps, "step"), Number(*time))
            }
            Self::Interrupted { steps, time } => {
                write!(
                    f,
                    "interrupted after {}, time {} reached",
                    counted(*steps, "step"),
                    Number(*time)
                )
            }
            Self::StepTooSmall { step, time } => {
                write!(f, "a step of {step:e} at time {time:e} is too small")
            }
            other => f.write_str(other.name()),
        }
    }
}

/// Relative size of a state along a direction from which on not all of it is rounding.
const VISIBLE: f64 = 1e-12;

impl fmt::Display for Saddle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, growth, size, sample, output } = self;
        let rounding = if *size < VISIBLE { "which is rounding" } else { "of which rounding is a part" };
        // Without a residual nothing grows: all the rest has shrunk to what rounding left along it.
        let speed = match *growth {
            0.0 => "and stays while all else goes to zero".into(),
            growth => format!("and grows at rate {growth:.4e}"),
        };
        write!(
            f,
            "a saddle from time {time:.4e} on: an unstable direction (mostly sample {sample} and output \
             {output}, counted from 0) has the relative size {size:.1e}, {rounding}, {speed}; where the flow goes \
             from here is not determined by these numbers"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stops_before_the_end_have_a_reason() {
        let saddle = Saddle { time: 1.0, growth: 2.0, size: 1e-16, sample: 0, output: 1 };
        for (stop, name) in [
            (Stop::Exact, "exact"),
            (Stop::Time, "time"),
            (Stop::Converged, "converged"),
            (Stop::Residual { level: 0.5 }, "residual"),
            (Stop::EnergyShare { share: 0.1 }, "energy-share"),
            (Stop::Loss { level: 0.1 }, "loss"),
            (Stop::Accuracy { share: 0.9 }, "accuracy"),
        ] {
            assert!(stop.is_success() && stop.reason().is_none() && stop.name() == name);
        }
        for (stop, name, words) in [
            (Stop::Saddle(saddle), "saddle", "1.0e-16, which is rounding, and grows at rate 2.0000e0"),
            (
                Stop::Saddle(Saddle { size: 1e-3, ..saddle }),
                "saddle",
                "1.0e-3, of which rounding is a part, and grows at rate 2",
            ),
            (
                Stop::Saddle(Saddle { growth: 0.0, ..saddle }),
                "saddle",
                "and stays while all else goes to",
            ),
            (Stop::Rounding { error: 0.03 }, "rounding", "relative error 3.0e-2"),
            (Stop::StepLimit { steps: 3, time: 0.5 }, "step-limit", "3 steps taken, time 0.5 reached"),
            (
                Stop::Interrupted { steps: 3, time: 0.5 },
                "interrupted",
                "interrupted after 3 steps, time 0.5 reached",
            ),
            (
                Stop::StepTooSmall { step: 1e-20, time: 4.0 },
                "step-too-small",
                "a step of 1e-20 at time 4e0 is too small",
            ),
        ] {
            assert!(!stop.is_success() && stop.name() == name);
            assert!(stop.reason().unwrap().contains(words));
        }
    }
}
