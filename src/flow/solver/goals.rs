//! Levels at which a flow is to stop: of the residual, of the training loss, of the training accuracy (T25).

use super::options::Options;
use super::stages::Here;
use crate::energy::Energy;
use crate::flow::{Flow, Stop};
use crate::reduction::State;

/// What is measured along the flow, with its level.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Gauge {
    /// ‖R‖_F.
    Residual(f64),
    /// The loss of a sample, on average.
    Loss(f64),
    /// This many samples are right.
    Right(usize),
}

/// Share of the largest prediction by which a sample must be on the right side: what is left of the error of a state,
/// so that it is right however its prediction is formed.
const EDGE: f64 = 1e-8;

/// Share of the largest product of a feature with the head: the rounding of a prediction, where it cancels.
const CANCELLED: f64 = 1e-14;

/// A level, and what stopping there is called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Goal {
    gauge: Gauge,
    pub stop: Stop,
}

/// All levels that options name. The accuracy needs the labels of the training samples.
pub(super) fn goals(flow: &Flow, options: &Options) -> Vec<Goal> {
    let samples = flow.reduction().labels().map_or(0, |labels| labels.len());
    let residual = |level| Gauge::Residual(level);
    let start = || residual_norm(flow, flow.start(), flow.residual());
    let all = [
        options.residual.map(|level| (residual(level), Stop::Residual { level })),
        options.energy_share.map(|share| (residual(share * start()), Stop::EnergyShare { share })),
        options.loss.map(|level| (Gauge::Loss(level), Stop::Loss { level })),
        options.accuracy.map(|share| {
            // 0.9 · 10 samples are 9, whatever rounding says.
            let count = (share * samples as f64 * (1.0 - 4.0 * f64::EPSILON)).ceil();
            (Gauge::Right(count as usize), Stop::Accuracy { share })
        }),
    ];
    all.into_iter().flatten().map(|(gauge, stop)| Goal { gauge, stop }).collect()
}

impl Goal {
    /// Whether the level is met for certain before t = ∞ where the loss falls to 0.
    pub fn is_finite(&self) -> bool {
        match self.gauge {
            Gauge::Residual(level) | Gauge::Loss(level) => level > 0.0,
            Gauge::Right(_) => true,
        }
    }

    /// What is left until the level, above 0 before it is met: of residual and loss the logarithm of their ratio to
    /// it, of the accuracy how far the last sample that counts is on the wrong side, as a share of the largest
    /// prediction.
    pub fn excess(&self, flow: &Flow, state: &State, residual: &nalgebra::DMatrix<f64>) -> f64 {
        let reduction = flow.reduction();
        match self.gauge {
            Gauge::Residual(level) => over(residual_norm(flow, state, residual), level),
            Gauge::Loss(level) => {
                over(flow.loss(state, residual) / reduction.sample_count() as f64, level)
            }
            Gauge::Right(0) => f64::NEG_INFINITY,
            Gauge::Right(count) => {
                let labels = reduction.labels().expect("checked with the options");
                let predictions = reduction.sample_predictions(state);
                let mut margins = labels.margins(&predictions);
                margins.sort_by(|a, b| b.total_cmp(a));
                let products = reduction.features_at(state).norm() * state.head.norm();
                let size = predictions.amax().max(products * CANCELLED / EDGE);
                if size > 0.0 { EDGE - margins[count - 1] / size } else { EDGE }
            }
        }
    }

    /// Whether it may be met for a while and lost again: predictions change sides more than once.
    pub fn comes_and_goes(&self) -> bool {
        matches!(self.gauge, Gauge::Right(1..))
    }

    /// Whether it may be met on a way on which it is met at neither end: predictions move further than it is away.
    pub fn may_be_passed(
        &self,
        flow: &Flow,
        ends: [&State; 2],
        residual: &nalgebra::DMatrix<f64>,
    ) -> bool {
        if !self.comes_and_goes() {
            return false;
        }
        let [before, after] = ends.map(|state| flow.reduction().sample_predictions(state));
        // The margin of a sample changes by two of its predictions; twice as much, as ways bend.
        let change = 4.0 * (&after - &before).amax() / before.amax().max(after.amax());
        ends.into_iter().any(|state| self.excess(flow, state, residual) <= change)
    }

    /// What is left until the level at the end of a step.
    pub fn excess_at(&self, flow: &Flow, there: &Here) -> f64 {
        self.excess(flow, &there.state, &there.residual)
    }

    /// Whether an excess is on the level or beyond, with so much slack: a sample on the edge is not right yet.
    pub fn is_met(&self, excess: f64, slack: f64) -> bool {
        match self.gauge {
            Gauge::Right(_) => excess < 0.0,
            _ => excess <= slack,
        }
    }

    /// Whether an excess is as near to the level as can be asked for.
    pub fn is_on(&self, excess: f64, slack: f64) -> bool {
        self.is_met(excess, slack) && excess >= -slack
    }
}

/// ln(value/level), 0 where both are 0.
fn over(value: f64, level: f64) -> f64 {
    if value == level { 0.0 } else { (value / level).ln() }
}

/// ‖R‖_F of the samples, with the part that no head and no backbone reaches.
pub(crate) fn residual_norm(flow: &Flow, state: &State, residual: &nalgebra::DMatrix<f64>) -> f64 {
    match flow.reduction().samples() {
        None => Energy::of(residual).frobenius.hypot((2.0 * flow.constant_loss()).sqrt()),
        Some(_) => Energy::of(&flow.reduction().sample_residual(state)).frobenius,
    }
}
