//! The solver on its suite of problems: what a tolerance means, conservation, and an independent method.

use std::sync::LazyLock;

use taskhead::flow::Flow;
use taskhead::flow::solver::{Options, Solution, solve};
use taskhead_suite::{self as suite, Case, error};

fn run(flow: &Flow, until: f64, rtol: f64) -> Solution {
    let solution = solve(flow, until, &Options { rtol, ..Options::default() }).expect("valid options");
    assert!(solution.end.stop.is_success(), "{:?}", solution.end.stop);
    solution
}

fn cases() -> Vec<Case> {
    suite::small().into_iter().chain([suite::forty(), suite::digits()]).collect()
}

#[test]
fn errors_are_within_ten_times_the_tolerance() {
    let mut wrong = Vec::new();
    for case in cases() {
        case.with_flow(|flow| {
            for until in [case.middle, f64::INFINITY] {
                let exact = run(flow, until, 1e-13).end.state;
                for rtol in [1e-6, 1e-9] {
                    let error = error(&run(flow, until, rtol).end.state, &exact);
                    if error.is_nan() || error > 10.0 * rtol {
                        wrong.push(format!("{} at {until}: {error:e} for {rtol:e}", case.name));
                    }
                }
            }
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const TOLERANCES: [f64; 4] = [1e-4, 1e-6, 1e-8, 1e-10];

/// Of each case for each tolerance, the largest error at wanted times on the way from 0 to the limit, and at the limit.
static WORST: LazyLock<Vec<(&str, Vec<f64>)>> = LazyLock::new(|| {
    cases().iter().map(|case| (case.name, suite::worst_on_the_way(case, &TOLERANCES))).collect()
});

/// Wanted times cut steps short, and small tolerances are where the local error decides on the step and not
/// the convergence of Newton's iteration.
#[test]
fn wanted_times_are_within_ten_times_the_tolerance_too() {
    let mut wrong = Vec::new();
    for (name, errors) in WORST.iter() {
        for (rtol, worst) in TOLERANCES.iter().zip(errors) {
            if worst.is_nan() || *worst > 10.0 * rtol {
                wrong.push(format!("{name}: {worst:e} for {rtol:e}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A tolerance a hundred times smaller makes the error at least thirty times smaller, in the geometric mean of the
/// suite, from 1e-6 on.
#[test]
fn the_error_falls_with_the_tolerance() {
    let falls = [1, 2].map(|i| {
        let log = |(_, errors): &(&str, Vec<f64>)| (errors[i] / errors[i + 1]).log10();
        WORST.iter().map(log).sum::<f64>() / WORST.len() as f64
    });
    assert!(falls.iter().all(|&fall| fall > 30f64.log10()), "{falls:?}");
}

#[test]
fn the_conserved_matrix_is_that_of_the_start() {
    for case in cases() {
        case.with_flow(|flow| {
            for until in [case.middle, f64::INFINITY] {
                let end = run(flow, until, Options::default().rtol).end.state;
                let drift = flow.reduction().conservation_drift(flow.start(), &end, flow.head_rate());
                let drift = drift.expect("features in the range of the kernel");
                assert!(drift <= 1e-12, "{} at {until}: {drift:e}", case.name);
            }
        });
    }
}

/// A head that fits nearly to rounding: motions are as small as the energy, and no step is too inaccurate.
#[test]
fn energies_down_to_rounding_are_solved() {
    let case = suite::small().into_iter().find(|case| case.name == "tiny-energy").unwrap();
    let fit = &case.inputs * case.backbone.transpose() * &case.head;
    let rest = (&case.targets - &fit) * 1e4;
    let motion = |energy: f64, until: f64| {
        let targets = &fit + &rest * energy;
        let case = Case { targets, ..case.clone() };
        case.with_flow(|flow| {
            let solution = run(flow, until, 1e-9);
            assert!(solution.work.steps < 100, "{:?}", solution.work);
            solution.end.state.motion.norm()
        })
    };
    for until in [1.0, 1e3, f64::INFINITY] {
        // The motion is proportional to the energy up to its square, and to the rounding of the targets.
        let unit = motion(1e-6, until) / 1e-6;
        for energy in [1e-4, 1e-8, 1e-10] {
            let found = motion(energy, until) / energy / unit;
            let allowed = energy + 1e-14 / energy;
            assert!((found - 1.0).abs() < allowed, "energy {energy:e} until {until}: {found}");
        }
        assert!(motion(0.0, until) < 1e-13);
    }
}
