//! Units in which a flow of any size is one of size 1.
//!
//! With Z → aZ, V → bV, Y → abY and t → st the flow is one with the kernel K/(b²s) and the head rate γ/(a²s). Factors
//! are powers of two, so that nothing is rounded, and flows of ordinary size are left as they are.

use super::{Flow, FlowError, Options, Progress};
use crate::flow::{Moment, Saddle, Stop};
use crate::reduction::{Reduction, State};

/// Sizes that need no other units, as a power of two and its inverse.
const ORDINARY: i32 = 80;

/// Squares of features and heads below this power of two, in units of targets and rates, are lost.
const SMALLEST: i32 = -480;

/// Factors as powers of two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Units {
    features: i32,
    head: i32,
    /// Even, so that its root is exact.
    time: i32,
}

/// The exponent of a number above 0.
fn exponent(x: f64) -> i32 {
    x.log2().round() as i32
}

/// x · 2ⁿ, in two factors so that neither overflows.
fn shift(x: f64, n: i32) -> f64 {
    let half = n / 2;
    x * f64::from(half).exp2() * f64::from(n - half).exp2()
}

impl Units {
    /// The units of a flow, if it needs any.
    pub fn of(flow: &Flow) -> Result<Option<Self>, FlowError> {
        let reduction = flow.reduction();
        let (z, v) = (reduction.features().amax(), flow.start().head.amax());
        // Only the squared loss has units of its predictions; every other has those in which its curvature is 1.
        let free = reduction.samples().is_none();
        let y = if free { reduction.targets().amax() } else { 0.0 };
        let lambda = reduction.lambda().iter().fold(0.0, |a, &b| f64::max(a, b));
        let gamma = flow.head_rate();
        let ordinary = |x: f64| x == 0.0 || exponent(x).abs() <= ORDINARY;
        if [z, v, y, lambda, gamma].into_iter().all(ordinary) {
            return Ok(None);
        }
        // Logarithms, so that products of sizes cannot overflow.
        let log = |x: f64| if x > 0.0 { x.log2() } else { f64::NEG_INFINITY };
        let whole = if free { log(y).max(log(z) + log(v)) } else { 0.0 };
        if whole == f64::NEG_INFINITY || (lambda == 0.0 && gamma == 0.0) {
            return Ok(None);
        }
        let even = |x: f64| 2 * (x / 2.0).round() as i32;
        let units = if lambda > 0.0 && gamma > 0.0 {
            let time = even((log(lambda) + log(gamma)) / 2.0 + whole);
            let head = ((log(lambda) - f64::from(time)) / 2.0).round() as i32;
            Self { features: -whole.round() as i32 - head, head, time }
        } else if gamma == 0.0 {
            let head = if v > 0.0 { -exponent(v) } else { 0 };
            Self {
                features: -whole.round() as i32 - head,
                head,
                time: even(log(lambda) - 2.0 * f64::from(head)),
            }
        } else {
            let features = if z > 0.0 { -exponent(z) } else { 0 };
            Self {
                features,
                head: -whole.round() as i32 - features,
                time: even(log(gamma) - 2.0 * f64::from(features)),
            }
        };
        for (size, by) in [(z, units.features), (v, units.head)] {
            if size > 0.0 && !(SMALLEST..=-SMALLEST / 2).contains(&(exponent(size) + by)) {
                let quantity = "the size of features or head beside targets, kernel and head rate";
                return Err(FlowError::Overflow { quantity, value: size });
            }
        }
        Ok(Some(units))
    }

    /// The problem in these units.
    pub fn reduction(&self, reduction: &Reduction) -> Reduction {
        let kernel = -2 * self.head - self.time;
        reduction.rescaled(
            |z| shift(z, self.features),
            |y| shift(y, self.features + self.head),
            |lambda| shift(lambda, kernel),
        )
    }

    /// The flow of [`Self::reduction`] in these units.
    pub fn flow<'a>(&self, flow: &Flow, reduction: &'a Reduction) -> Flow<'a> {
        let State { motion, head } = flow.start();
        let start = State { motion: motion.clone(), head: head.map(|v| shift(v, self.head)) };
        let head_rate = shift(flow.head_rate(), -2 * self.features - self.time);
        let outputs = self.features + self.head;
        let residual = flow.residual().map(|r| shift(r, outputs));
        let constant_loss = shift(flow.constant_loss(), 2 * outputs);
        let head_rounding = flow.head_rounding();
        let residual_rounding = shift(flow.residual_rounding(), outputs);
        Flow {
            reduction,
            start,
            head_rate,
            residual,
            constant_loss,
            head_rounding,
            residual_rounding,
            at_rest: flow.is_at_rest(),
            stays: flow.stays(),
        }
    }

    /// A time in these units.
    pub fn time(&self, t: f64) -> f64 {
        shift(t, self.time)
    }

    /// A time of these units in those of the problem.
    pub fn time_back(&self, t: f64) -> f64 {
        shift(t, -self.time)
    }

    /// A state of these units in those of the problem.
    pub fn state_back(&self, State { motion, head }: State) -> State {
        State {
            motion: motion.map(|d| shift(d, -(self.features + self.head) - self.time / 2)),
            head: head.map(|v| shift(v, -self.head)),
        }
    }

    /// Options in these units.
    pub fn options(&self, options: &Options) -> Options {
        let units = *self;
        Options {
            residual: options.residual.map(|level| shift(level, self.features + self.head)),
            first_step: options.first_step.map(|step| self.time(step)),
            loss: options.loss.map(|level| shift(level, 2 * (self.features + self.head))),
            times: options.times.iter().map(|&t| self.time(t)).collect(),
            watch: options.watch.through(move |p| Progress {
                time: shift(p.time, -units.time),
                residual: shift(p.residual, -(units.features + units.head)),
                ..p
            }),
            ..options.clone()
        }
    }

    /// A moment in units of the problem as it was given.
    pub fn back(&self, moment: Moment) -> Moment {
        let (outputs, time) = (-(self.features + self.head), |t: f64| shift(t, -self.time));
        let stop = match moment.stop {
            Stop::Residual { level } => Stop::Residual { level: shift(level, outputs) },
            Stop::Loss { level } => Stop::Loss { level: shift(level, 2 * outputs) },
            Stop::Saddle(saddle) => Stop::Saddle(Saddle {
                time: time(saddle.time),
                growth: shift(saddle.growth, self.time),
                ..saddle
            }),
            Stop::StepLimit { steps, time: t } => Stop::StepLimit { steps, time: time(t) },
            Stop::Interrupted { steps, time: t } => Stop::Interrupted { steps, time: time(t) },
            Stop::StepTooSmall { step, time: t } => {
                Stop::StepTooSmall { step: time(step), time: time(t) }
            }
            other => other,
        };
        Moment {
            time: time(moment.time),
            state: self.state_back(moment.state),
            budget: moment.budget.map(|spent| crate::flow::Budget {
                backbone: shift(spent.backbone, 2 * outputs),
                head: shift(spent.head, 2 * outputs),
            }),
            residual: moment.residual.map(|r| shift(r, outputs)),
            stop,
            ..moment
        }
    }
}
