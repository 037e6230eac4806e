//! Gradient descent with step η: what a practitioner runs (T20).
//!
//! Backbone and head step together, B ← B + ηVRᵀX and V ← V + γηZᵀR. After t/η steps the state is
//! within O(η) of the flow at time t, and VVᵀ − γBBᵀ has drifted by O(η).

use nalgebra::DMatrix;

use super::solver::{Progress, Watch};
use super::tangent::Tangent;
use super::{Flow, FlowError, Moment, Stop, check_time};
use crate::linalg::DecompositionError;
use crate::reduction::State;
use crate::setting::Setting;

/// Where gradient descent went.
#[derive(Debug, Clone)]
pub struct Descent {
    /// One moment for each wanted time. Those that were not reached are all the last state that was, with
    /// the time of that state and why it went no further.
    pub moments: Vec<Moment>,
    /// Size of a step.
    pub step: f64,
    /// Steps taken.
    pub steps: usize,
    /// Evaluations of the right-hand side, runs that were not stable included.
    pub evaluations: usize,
}

/// Size of a step relative to the whole motion below which descent at t = ∞ counts as converged:
/// with the slowest visible rate this leaves errors far below the O(η) of the method.
const STILL: f64 = 1e-14;

/// Steps between two looks at the loss and the curvature.
const LOOK: usize = 16;

/// Share of the largest stable step that [`descend_steadily`] takes.
const SHARE: f64 = 0.1;

/// Descends by steps of η and gives the state at the times that are wanted, in ascending order: one run
/// serves all of them. A last, shorter step of its own lands on a finite time. At t = ∞ it goes on until
/// nothing moves or `max_steps` is reached. A loss that grows to twice its start is an error with a step
/// that was tried and did not diverge.
pub fn descend(flow: &Flow, step: f64, times: &[f64], max_steps: usize) -> Result<Descent, FlowError> {
    check_times(times)?;
    let accepted = "a finite number above 0";
    Setting::check("step", step, |step| step > 0.0 && step.is_finite(), accepted)?;
    match attempt(flow, step, times, max_steps, f64::INFINITY, &Watch::default())? {
        Ok(descent) => Ok(descent),
        Err(Unstable { steps, loss, .. }) => {
            let before = flow.loss(flow.start(), flow.residual());
            let stable = steady(flow, step / 2.0, times, max_steps, &Watch::default())?.step;
            Err(FlowError::Diverged { steps, step, before, after: loss, stable })
        }
    }
}

/// Descends by a tenth of the largest step that is stable all along the way: that of the start, and
/// shorter, from the start again, where the loss turns out to bend more later on.
/// `watch` is asked now and then.
pub fn descend_steadily(
    flow: &Flow,
    times: &[f64],
    max_steps: usize,
    watch: &Watch,
) -> Result<Descent, FlowError> {
    check_times(times)?;
    let largest = Tangent::new(flow, flow.start())?.largest() * steepest(flow);
    steady(flow, if largest > 0.0 { SHARE * (2.0 / largest) } else { 1.0 }, times, max_steps, watch)
}

/// The largest curvature that the loss has anywhere.
fn steepest(flow: &Flow) -> f64 {
    let reduction = flow.reduction();
    reduction.loss_function().steepest(reduction.outputs())
}

fn check_times(times: &[f64]) -> Result<(), FlowError> {
    times.iter().try_for_each(|&t| check_time(t))?;
    Ok(Setting::check_order(times)?)
}

/// Descends from the start with shorter and shorter steps until one is stable all along the way.
fn steady(
    flow: &Flow,
    mut step: f64,
    times: &[f64],
    max_steps: usize,
    watch: &Watch,
) -> Result<Descent, FlowError> {
    let mut in_vain = 0;
    loop {
        match attempt(flow, step, times, max_steps, 1.0, watch)? {
            Ok(mut descent) => {
                descent.evaluations += in_vain;
                return Ok(descent);
            }
            Err(Unstable { largest, loss, steps }) => {
                in_vain += steps;
                let shorter = if largest.is_finite() { SHARE * (2.0 / largest) } else { 0.0 };
                step = if shorter > 0.0 { shorter.min(step / 2.0) } else { step / 2.0 };
                if step <= f64::MIN_POSITIVE {
                    return Err(FlowError::Overflow {
                        quantity: "a stable step of descent",
                        value: loss,
                    });
                }
            }
        }
    }
}

/// A step that is too long where the descent went.
struct Unstable {
    steps: usize,
    loss: f64,
    /// Largest eigenvalue of the tangent kernel seen, times the largest curvature of the loss, as far as the loss had
    /// not grown.
    largest: f64,
}

/// Descends while the step times the largest eigenvalue of the tangent kernel stays below `bound`.
fn attempt(
    flow: &Flow,
    step: f64,
    times: &[f64],
    max_steps: usize,
    bound: f64,
    watch: &Watch,
) -> Result<Result<Descent, Unstable>, DecompositionError> {
    let reduction = flow.reduction();
    let before = flow.loss(flow.start(), flow.residual());
    let steepest = steepest(flow);
    let fastest = reduction.lambda().iter().fold(0.0, |a, &b| f64::max(a, b));
    let (mut state, mut residual) = (flow.start().clone(), flow.residual().clone());
    let (mut steps, mut moments) = (0, Vec::with_capacity(times.len()));
    let mut landings = 0;
    // Where nothing moves any more for the first time: the limit, whatever other times are wanted.
    let mut rest: Option<(State, DMatrix<f64>)> = None;
    let mut goes_on = true;
    // Where it was at the last look, and steps that were not taken since they come back to the same numbers.
    let (mut looked, mut spared) = ((state.clone(), residual.clone()), 0);
    for &t in times {
        // Whole steps before t, and whether the limit lets it get there.
        let whole = (t / step * (1.0 + 4.0 * f64::EPSILON)).floor();
        let reachable = whole <= max_steps as f64;
        let limit = if reachable { whole as usize } else { max_steps };
        while !(t.is_infinite() && rest.is_some()) && goes_on && steps < limit {
            let velocity = flow.velocity_by(&state, &residual);
            flow.shift(&mut state, &mut residual, step, &velocity);
            steps += 1;
            let moved = velocity.motion.norm_squared() + velocity.head.norm_squared();
            if !moved.is_finite() || steps % LOOK == 0 {
                let loss = flow.loss(&state, &residual);
                let grown = !moved.is_finite() || loss > 2.0 * before;
                let mut largest = f64::INFINITY;
                if !grown && bound.is_finite() {
                    let z = reduction.features_at(&state).norm_squared();
                    largest = steepest * (fastest * state.head.norm_squared() + flow.head_rate() * z);
                    // The norms are an upper bound; the eigenvalue is worth its cost near the edge only.
                    if step * largest > bound {
                        largest = steepest * Tangent::new(flow, &state)?.largest();
                    }
                }
                if grown || (bound.is_finite() && step * largest > bound) {
                    return Ok(Err(Unstable { steps, loss, largest }));
                }
            }
            let here = || Progress { steps, time: steps as f64 * step, residual: residual.norm() };
            goes_on = steps % LOOK != 0 || watch.goes_on(here);
            let size = state.motion.norm_squared() + state.head.norm_squared();
            if rest.is_none() && step * step * moved <= STILL * STILL * size {
                rest = Some((state.clone(), residual.clone()));
            }
            if rest.is_some() && steps % LOOK == 0 {
                if (&looked.0, &looked.1) == (&state, &residual) {
                    let rounds = (limit - steps) / LOOK * LOOK;
                    steps += rounds;
                    spared += rounds;
                }
                looked = (state.clone(), residual.clone());
            }
        }
        let reached = steps as f64 * step;
        let moment = |time, state, residual, stop| Moment {
            time,
            state,
            residual,
            budget: None,
            error: None,
            stop,
        };
        moments.push(match &rest {
            Some((state, residual)) if t.is_infinite() => {
                moment(t, state.clone(), residual.clone(), Stop::Converged)
            }
            _ if t.is_finite() && reachable && goes_on => {
                let left = t - reached;
                let (mut there, mut left_over) = (state.clone(), residual.clone());
                if left > 0.0 {
                    let velocity = flow.velocity_by(&state, &residual);
                    flow.shift(&mut there, &mut left_over, left, &velocity);
                    landings += 1;
                }
                moment(t, there, left_over, Stop::Time)
            }
            _ => {
                let stop = if goes_on {
                    Stop::StepLimit { steps, time: reached }
                } else {
                    Stop::Interrupted { steps, time: reached }
                };
                moment(reached, state.clone(), residual.clone(), stop)
            }
        });
    }
    Ok(Ok(Descent { moments, step, steps, evaluations: steps - spared + landings }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{ClosedForm, rank_one::RankOne};
    use crate::problem::Problem;
    use crate::reduction::Reduction;
    use nalgebra::dmatrix;

    fn with_flow<T>(targets: f64, head: DMatrix<f64>, run: impl FnOnce(&Flow) -> T) -> T {
        let problem = Problem::new(dmatrix![1.0, 0.0], dmatrix![1.0], dmatrix![targets]).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        run(&Flow::new(&reduction, &head, 1.0).unwrap())
    }

    #[test]
    fn error_and_drift_are_of_first_order_in_the_step() {
        with_flow(1.5, dmatrix![0.2; 0.7], |flow| {
            let exact = RankOne::of_flow(flow).unwrap().state(1.0).unwrap();
            let run = |step: f64| {
                let end = descend(flow, step, &[1.0], 1_000_000).unwrap().moments.remove(0).state;
                let drift = flow.reduction().conservation_drift(flow.start(), &end, 1.0).unwrap();
                ((&end.motion - &exact.motion).norm(), drift)
            };
            let (coarse, fine) = (run(1e-3), run(5e-4));
            assert!(((coarse.0 / fine.0).log2() - 1.0).abs() < 0.01);
            assert!(((coarse.1 / fine.1).log2() - 1.0).abs() < 0.01);
        });
    }

    /// One run serves all times, none of which depends on the others, and a time that is not reached is not claimed.
    #[test]
    fn times_are_those_that_were_reached() {
        with_flow(1.5, dmatrix![0.2; 0.7], |flow| {
            let wanted = [0.5, 0.505, 2.0, 1e6, f64::INFINITY];
            let all = descend(flow, 0.01, &wanted, 1000).unwrap();
            let times: Vec<f64> = all.moments.iter().map(|m| m.time).collect();
            assert_eq!(times, [0.5, 0.505, 2.0, 10.0, f64::INFINITY]);
            assert_eq!(all.steps, 1000);
            let limit = Stop::StepLimit { steps: 1000, time: 10.0 };
            let stops: Vec<Stop> = all.moments.iter().map(|m| m.stop).collect();
            assert_eq!(stops, [Stop::Time, Stop::Time, Stop::Time, limit, Stop::Converged]);
            for (time, moment) in wanted.iter().zip(&all.moments) {
                let alone = descend(flow, 0.01, &[*time], 1000).unwrap().moments.remove(0);
                assert_eq!((alone.stop, alone.state), (moment.stop, moment.state.clone()));
            }
        });
    }

    #[test]
    fn divergence_names_a_step_that_does_not_diverge() {
        // A large target: the loss bends a thousand times more at its minimum than at the start.
        for (target, head, step) in [(1.0, dmatrix![2.0; 0.0], 3.0), (1e3, dmatrix![1.0; 0.0], 0.1)] {
            with_flow(target, head, |flow| {
                let error = descend(flow, step, &[1e2], 100_000_000).unwrap_err();
                let FlowError::Diverged { stable, .. } = error else { panic!("{error}") };
                assert!(stable < step);
                let end = descend(flow, stable, &[1e2], 100_000_000).unwrap().moments.remove(0);
                assert!(flow.reduction().loss(&end.state) < 1e-12, "{:?}", end.stop);
            });
        }
    }

    #[test]
    fn a_steady_step_is_stable_where_the_loss_bends_more_than_at_the_start() {
        with_flow(1e3, dmatrix![1.0; 0.0], |flow| {
            let steady = descend_steadily(flow, &[f64::INFINITY], 1_000_000, &Watch::default()).unwrap();
            assert_eq!(steady.moments[0].stop, Stop::Converged);
            let at_start = SHARE * (2.0 / Tangent::new(flow, flow.start()).unwrap().largest());
            assert!(steady.step < at_start / 10.0);
        });
    }

    /// At rest the numbers come back, and what lies far ahead is known without its steps.
    #[test]
    fn steps_at_rest_are_not_taken() {
        with_flow(1.5, dmatrix![0.2; 0.7], |flow| {
            let far = descend(flow, 0.1, &[1e3, 1e9, 1e9 + 0.35], usize::MAX).unwrap();
            assert_eq!(far.steps, 10_000_000_003);
            assert!(far.evaluations < 20_000, "{}", far.evaluations);
            assert!(far.moments.iter().all(|m| m.stop == Stop::Time));
            // As many steps as there are, whichever way they are counted.
            let near = descend(flow, 0.1, &[1e3, 1e3 + 1.7], usize::MAX).unwrap();
            assert_eq!(near.moments[0].state, far.moments[0].state);
            assert!((&near.moments[1].state.motion - &far.moments[1].state.motion).norm() < 1e-14);
        });
    }

    #[test]
    fn infinite_time_converges() {
        with_flow(1.5, dmatrix![0.2; 0.7], |flow| {
            let end = descend(flow, 0.1, &[f64::INFINITY], 100_000).unwrap().moments.remove(0);
            assert!(end.stop == Stop::Converged && flow.reduction().loss(&end.state) < 1e-20);
        });
    }
}
