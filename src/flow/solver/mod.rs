//! The numerical flow, for every problem that has no closed form.
//!
//! Implicit collocation (Radau IIA, `collocation`) with adaptive steps. Residuals decay with the eigenvalues of the
//! tangent kernel, which span many orders of magnitude, so the solver must be implicit; its linear algebra is cheap
//! because the stiff part of the Jacobian splits into k symmetric n×n matrices (`flow::tangent`). They are kept while
//! the iteration converges with them, and what the frozen part of the Jacobian misses is made up by `acceleration`.
//! Where a small flow needs more it gets the Jacobian of every stage (`newton`). T2 is restored in every state that is
//! given back (`conservation`). t = ∞ is reached by one last step, once what is left of the motion is so small that the
//! frozen tangent kernel gives it within the tolerance; where a residual stays, the whole Jacobian gives it (`rest`).
//! An answer that the estimate of its error would withhold is looked at again (`jitter`).

pub(crate) mod acceleration;
pub(crate) mod collocation;
mod conservation;
mod goals;
mod iteration;
mod jitter;
mod limit;
mod newton;
mod options;
mod rest;
mod run;
mod stability;
pub(crate) mod stages;
mod units;
mod watch;

use std::sync::OnceLock;

use super::{Flow, FlowError, Stop, check_time};
use crate::setting::Setting;
use collocation::Collocation;
use run::Solver;

pub(crate) use goals::residual_norm;
pub(crate) use options::LOCAL_ERROR;

pub use options::{DEFAULT_RTOL, Options, Solution, Work};
pub use watch::{Progress, Watch};

/// Smallest relative tolerance.
pub(crate) const STRICTEST: f64 = 1e-13;

/// The most steps of a flow that is looked at again: this many times those that it had taken where it lost its digits,
/// and `SEEN` more.
const FURTHER: usize = 10;
const SEEN: usize = 300;

/// Stages of the method: order 9. Measured against 3 and 7 in benches/RESULTS.md.
pub(crate) const STAGES: usize = 5;

/// Solves a flow from 0 to `until` (∞: to its limit).
pub fn solve(flow: &Flow, until: f64, options: &Options) -> Result<Solution, FlowError> {
    check_time(until)?;
    check_options(options)?;
    if let Some(value) = options.accuracy.filter(|_| flow.reduction().labels().is_none()) {
        let accepted =
            "left out where the targets are no labels (one largest entry in each row, or two values)";
        return Err(Setting { name: "training accuracy", value, accepted }.into());
    }
    static METHOD: OnceLock<Collocation> = OnceLock::new();
    let method = METHOD.get_or_init(|| Collocation::radau(STAGES));
    let Some(units) = units::Units::of(flow)? else {
        return solve_by(method, flow, until, options);
    };
    let reduction = units.reduction(flow.reduction());
    let flow = units.flow(flow, &reduction);
    let solution = solve_by(method, &flow, units.time(until), &units.options(options))?;
    Ok(Solution {
        steps: solution
            .steps
            .into_iter()
            .map(|(t, state)| (units.time_back(t), units.state_back(state)))
            .collect(),
        next_step: units.time_back(solution.next_step),
        points: solution.points.into_iter().map(|point| units.back(point)).collect(),
        end: units.back(solution.end),
        ..solution
    })
}

fn solve_by(
    method: &Collocation,
    flow: &Flow,
    until: f64,
    options: &Options,
) -> Result<Solution, FlowError> {
    let lost = |found: &Solution| matches!(found.end.stop, Stop::Saddle(_) | Stop::Rounding { .. });
    let mut found = Solver::new(flow, method, options)?.run(until)?;
    if lost(&found) && options.rtol > STRICTEST {
        // Perhaps it was the tolerance that decided, not rounding.
        let strict = Options { rtol: STRICTEST, ..options.clone() };
        let work = found.work;
        found = Solver::new(flow, method, &strict)?.run(until)?;
        found.work += work;
    }
    if lost(&found) && flow.head_rate() > 0.0 {
        // Errors are estimated from above; what they come to can be seen. A flow that stays at its saddle is not
        // followed for ever.
        let max_steps = options.max_steps.min(FURTHER * found.work.steps + SEEN);
        let options = Options { max_steps, ..options.clone() };
        let run = |jitter| Solver::new(flow, method, &options)?.with_jitter(jitter).run(until);
        let seen = jitter::seen(flow, options.rtol, run)?;
        if let Some(mut seen) = seen {
            seen.work += found.work;
            return Ok(seen);
        }
    }
    Ok(found)
}

/// Refuses tolerances that the solver does not know.
pub(crate) fn check_rtol(rtol: f64) -> Result<(), Setting> {
    let known = |rtol| (STRICTEST..=1e-2).contains(&rtol);
    Setting::check("rtol", rtol, known, "between 1e-13 and 1e-2")
}

/// Refuses a limit that lets nothing happen.
pub(crate) fn check_max_steps(steps: usize) -> Result<(), Setting> {
    Setting::check("the limit of steps", steps as f64, |steps| steps >= 1.0, "at least 1")
}

fn check_options(options: &Options) -> Result<(), FlowError> {
    check_rtol(options.rtol)?;
    if let Some(level) = options.residual {
        let accepted = "a finite number of at least 0";
        Setting::check("residual", level, |level| level >= 0.0 && level.is_finite(), accepted)?;
    }
    if let Some(level) = options.loss {
        let accepted = "a finite number of at least 0";
        Setting::check("training loss", level, |level| level >= 0.0 && level.is_finite(), accepted)?;
    }
    let part = |share| (0.0..=1.0).contains(&share);
    if let Some(share) = options.accuracy {
        Setting::check("training accuracy", share, part, "between 0 and 1")?;
    }
    if let Some(share) = options.energy_share {
        Setting::check("energy share", share, part, "between 0 and 1")?;
    }
    if let Some(step) = options.first_step {
        let accepted = "a finite number above 0";
        Setting::check("first step", step, |step| step > 0.0 && step.is_finite(), accepted)?;
    }
    check_max_steps(options.max_steps)?;
    options.times.iter().try_for_each(|&t| check_time(t))?;
    Ok(Setting::check_order(&options.times)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use crate::problem::Problem;
    use crate::reduction::{Reduction, State};
    use nalgebra::DMatrix;

    fn with_flow<T>(run: impl FnOnce(&Flow) -> T) -> T {
        let head = wobble(5, 2, 3.0);
        let problem =
            Problem::linear(&wobble(3, 6, 0.0), &wobble(5, 6, 1.0), wobble(3, 2, 2.0)).unwrap();
        let reduction = Reduction::new(&problem, &head).unwrap();
        run(&Flow::new(&reduction, &head, 0.7).unwrap())
    }

    /// The state at time 1 after equal steps with s Radau stages and no error control.
    fn equal_steps(flow: &Flow, stages: usize, steps: usize) -> State {
        let method = Collocation::radau(stages);
        let options = Options { rtol: 1e-12, ..Options::default() };
        Solver::new(flow, &method, &options).unwrap().equal_steps(1.0, steps)
    }

    fn distance(a: &State, b: &State) -> f64 {
        (&a.motion - &b.motion).norm() + (&a.head - &b.head).norm()
    }

    /// s stages converge with order 2s − 1.
    #[test]
    fn the_order_of_convergence_is_that_of_the_method() {
        with_flow(|flow| {
            let exact = equal_steps(flow, 7, 64);
            for (stages, steps) in [(1, 512), (3, 24), (5, 10)] {
                let error = |steps| distance(&equal_steps(flow, stages, steps), &exact);
                let order = (error(steps) / error(2 * steps)).log2();
                let expected = 2.0 * stages as f64 - 1.0;
                assert!((order - expected).abs() < 0.15 * expected, "{stages} stages: order {order}");
            }
        });
    }

    /// To the last bit, but not to the last evaluation.
    #[test]
    fn wanted_times_are_met_and_the_path_does_not_depend_on_them() {
        with_flow(|flow| {
            let options = Options { times: vec![0.0, 0.5, 0.51, 2.0, 9.0], ..Options::default() };
            let solution = solve(flow, 5.0, &options).unwrap();
            let times: Vec<f64> = solution.points.iter().map(|p| p.time).collect();
            assert_eq!(times, [0.0, 0.5, 0.51, 2.0]);
            assert_eq!(solution.end.stop, Stop::Time);
            let plain = solve(flow, 5.0, &Options::default()).unwrap();
            assert_eq!(plain.end.state, solution.end.state);
            assert_eq!(plain.work.steps, solution.work.steps);
            assert!(plain.work.evaluations < solution.work.evaluations);
            for point in &solution.points {
                let direct = solve(flow, point.time, &Options::default()).unwrap().end;
                assert!(distance(&direct.state, &point.state) < 1e-8);
                let (direct, point) = (direct.budget.unwrap(), point.budget.unwrap());
                assert!((direct.backbone - point.backbone).abs() < 1e-8);
                assert!((direct.head - point.head).abs() < 1e-8);
            }
        });
    }

    #[test]
    fn a_residual_level_and_a_share_of_the_energy_are_met() {
        with_flow(|flow| {
            let start = flow.reduction().residual(flow.start()).norm();
            let share = |share: f64| Options { energy_share: Some(share), ..Options::default() };
            let cases = [
                (
                    Options { residual: Some(start / 10.0), ..Options::default() },
                    Stop::Residual { level: start / 10.0 },
                    0.1,
                ),
                (
                    Options { residual: Some(start / 3.0), ..share(0.1) },
                    Stop::Residual { level: start / 3.0 },
                    1.0 / 3.0,
                ),
                (share(0.1), Stop::EnergyShare { share: 0.1 }, 0.1),
                (share(1e-5), Stop::EnergyShare { share: 1e-5 }, 1e-5),
                (share(1.0), Stop::EnergyShare { share: 1.0 }, 1.0),
            ];
            for (options, stop, wanted) in cases {
                let solution = solve(flow, f64::INFINITY, &options).unwrap();
                assert_eq!(solution.end.stop, stop);
                let end = flow.reduction().residual(&solution.end.state).norm() / start;
                assert!((end / wanted - 1.0).abs() < 1e-7, "{end} is not {wanted}");
                // The same state at the time that was found.
                let at = solve(flow, solution.end.time, &Options::default()).unwrap().end.state;
                assert!(distance(&at, &solution.end.state) < 1e-8);
            }
            // A level that the limit does not reach ends at the limit.
            for options in [Options { residual: Some(0.0), ..Options::default() }, share(0.0)] {
                let solution = solve(flow, f64::INFINITY, &options).unwrap();
                assert_eq!(solution.end.stop, Stop::Converged);
            }
        });
    }

    #[test]
    fn a_step_limit_gives_what_was_reached_and_bad_settings_are_refused() {
        with_flow(|flow| {
            let options = Options { max_steps: 3, ..Options::default() };
            let solution = solve(flow, 10.0, &options).unwrap();
            assert!(
                matches!(solution.end.stop, Stop::StepLimit { steps: 3, time } if time > 0.0 && time < 10.0)
            );
            for bad in [
                Options { rtol: 0.0, ..Options::default() },
                Options { rtol: f64::NAN, ..Options::default() },
                Options { residual: Some(-1.0), ..Options::default() },
                Options { energy_share: Some(1.5), ..Options::default() },
                Options { energy_share: Some(f64::NAN), ..Options::default() },
                Options { times: vec![2.0, 1.0], ..Options::default() },
                Options { times: vec![f64::NAN], ..Options::default() },
                // It never ended, whatever the limits said.
                Options { first_step: Some(f64::NAN), ..Options::default() },
                Options { first_step: Some(-1.0), ..Options::default() },
                Options { max_steps: 0, ..Options::default() },
            ] {
                assert!(solve(flow, 1.0, &bad).is_err(), "{bad:?}");
            }
            assert!(solve(flow, -1.0, &Options::default()).is_err());
        });
    }

    /// In the units of the problem, whatever those of the solver.
    #[test]
    fn a_watch_sees_every_step_and_ends_the_flow() {
        use std::sync::Mutex;
        for size in [1.0, 1e-60] {
            let head = wobble(5, 2, 3.0) * size;
            let problem = Problem::linear(
                &wobble(3, 6, 0.0),
                &(wobble(5, 6, 1.0) * size),
                wobble(3, 2, 2.0) * size * size,
            )
            .unwrap();
            let reduction = Reduction::new(&problem, &head).unwrap();
            let flow = Flow::new(&reduction, &head, 1.0).unwrap();
            let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
            let kept = seen.clone();
            let watch = Watch::new(move |progress| {
                kept.lock().unwrap().push(*progress);
                progress.steps < 3
            });
            let start = flow.residual().norm();
            let end = solve(&flow, f64::INFINITY, &Options { watch, ..Options::default() }).unwrap().end;
            let seen = seen.lock().unwrap();
            assert_eq!(seen.iter().map(|p| p.steps).collect::<Vec<_>>(), [0, 1, 2, 3]);
            assert_eq!(end.stop, Stop::Interrupted { steps: 3, time: seen[3].time });
            assert_eq!((end.time, seen[0].time), (seen[3].time, 0.0));
            assert!(seen.windows(2).all(|p| p[0].time < p[1].time && p[0].residual > p[1].residual));
            assert!((seen[0].residual / start - 1.0).abs() < 1e-12);
            assert!((seen[3].residual / end.residual.norm() - 1.0).abs() < 1e-12);
        }
    }

    /// A feature and head at the saddle stay; near it they leave, and the plateau is not taken for the end.
    #[test]
    fn a_long_plateau_near_the_saddle_is_not_the_limit() {
        for (size, ends) in [(0.0, 1.0), (1e-6, 0.0)] {
            let head = DMatrix::from_element(1, 1, size);
            let problem =
                Problem::new(head.clone(), DMatrix::identity(1, 1), DMatrix::from_element(1, 1, 1.0))
                    .unwrap();
            let reduction = Reduction::new(&problem, &head).unwrap();
            let flow = Flow::new(&reduction, &head, 1.0).unwrap();
            let solution = solve(&flow, f64::INFINITY, &Options::default()).unwrap();
            assert_eq!(solution.end.stop, Stop::Converged);
            assert!((reduction.residual(&solution.end.state).norm() - ends).abs() < 1e-8);
        }
    }
}
