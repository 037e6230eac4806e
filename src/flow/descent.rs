//! Gradient descent with step η: what a practitioner runs (T20).
//!
//! Backbone and head step together, B ← B + ηVRᵀX and V ← V + γηZᵀR. After t/η steps the state is
//! within O(η) of the flow at time t, and VVᵀ − γBBᵀ has drifted by O(η).

use super::{Flow, FlowError, check_time, solver::tangent::Tangent};
use crate::reduction::State;

/// Where gradient descent ended.
#[derive(Debug, Clone)]
pub struct Descent {
    /// The last state.
    pub state: State,
    /// Steps taken.
    pub steps: usize,
    /// Whether the motion had died out (only asked for at t = ∞).
    pub converged: bool,
}

/// Size of a step relative to the whole motion below which descent at t = ∞ counts as converged:
/// with the slowest visible rate this leaves errors far below the O(η) of the method.
const STILL: f64 = 1e-14;

/// Descends for time t = steps · η; at t = ∞ until nothing moves or `max_steps` is reached. A last,
/// shorter step lands on t. A loss that grows beyond its start is an error with a stable step.
pub fn descend(flow: &Flow, step: f64, t: f64, max_steps: usize) -> Result<Descent, FlowError> {
    check_time(t)?;
    if !(step > 0.0 && step.is_finite()) {
        return Err(FlowError::Setting {
            name: "step",
            value: step,
            accepted: "a finite number above 0",
        });
    }
    let whole = (t / step * (1.0 + 4.0 * f64::EPSILON)).floor();
    let limit = if t.is_finite() && whole <= max_steps as f64 { whole as usize } else { max_steps };
    let before = flow.reduction().loss(flow.start());
    let mut state = flow.start().clone();
    let (mut steps, mut converged) = (0, false);
    while steps < limit {
        let velocity = flow.velocity(&state);
        state.add(step, &velocity);
        steps += 1;
        let moved = velocity.motion.norm_squared() + velocity.head.norm_squared();
        if !moved.is_finite() || (steps % 16 == 0 && flow.reduction().loss(&state) > 2.0 * before) {
            let tangent = Tangent::new(flow, flow.start())?;
            let after = flow.reduction().loss(&state);
            return Err(FlowError::Diverged {
                steps,
                step,
                before,
                after,
                stable: 2.0 / tangent.largest(),
            });
        }
        let size = state.motion.norm_squared() + state.head.norm_squared();
        if t.is_infinite() && step * step * moved <= STILL * STILL * size {
            converged = true;
            break;
        }
    }
    let left = t - steps as f64 * step;
    if t.is_finite() && steps == limit && whole <= max_steps as f64 && left > 0.0 {
        let velocity = flow.velocity(&state);
        state.add(left, &velocity);
    }
    Ok(Descent { state, steps, converged })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{ClosedForm, rank_one::RankOne};
    use crate::problem::Problem;
    use crate::reduction::Reduction;
    use nalgebra::dmatrix;

    #[test]
    fn error_and_drift_are_of_first_order_in_the_step() {
        let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![1.5]).unwrap();
        let head = dmatrix![0.2; 0.7];
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 1.0).unwrap();
        let exact = RankOne::of_flow(&flow).unwrap().state(1.0).unwrap();
        let run = |step: f64| {
            let end = descend(&flow, step, 1.0, 1_000_000).unwrap().state;
            let drift = reduction.conservation_drift(flow.start(), &end, 1.0);
            ((&end.motion - &exact.motion).norm(), drift)
        };
        let (coarse, fine) = (run(1e-3), run(5e-4));
        assert!(((coarse.0 / fine.0).log2() - 1.0).abs() < 0.01);
        assert!(((coarse.1 / fine.1).log2() - 1.0).abs() < 0.01);
    }

    #[test]
    fn divergence_names_a_stable_step() {
        let problem = Problem::new(dmatrix![1.0], dmatrix![1.0], dmatrix![1.0]).unwrap();
        let reduction = Reduction::new(&problem, &dmatrix![2.0]).unwrap();
        let flow = Flow::new(&reduction, &dmatrix![2.0], 1.0).unwrap();
        let error = descend(&flow, 3.0, 1e3, 10_000).unwrap_err();
        assert!(
            matches!(error, FlowError::Diverged { stable, .. } if (stable - 0.4).abs() < 1e-12),
            "{error}"
        );
    }

    #[test]
    fn infinite_time_converges() {
        let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![1.5]).unwrap();
        let head = dmatrix![0.2; 0.7];
        let reduction = Reduction::new(&problem, &head).unwrap();
        let flow = Flow::new(&reduction, &head, 1.0).unwrap();
        let end = descend(&flow, 0.1, f64::INFINITY, 100_000).unwrap();
        assert!(end.converged && reduction.loss(&end.state) < 1e-20);
    }
}
