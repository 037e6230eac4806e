//! Frozen heads whose entries span many orders of magnitude: every singular value of the head counts, down to those
//! that rounding hides, and then the answer says so. Expected motions are the solution of the linear flow in 80 digits.
#![allow(clippy::excessive_precision)]

use nalgebra::{DMatrix, dmatrix};
use taskhead::flow::Stop;
use taskhead::problem::Problem;
use taskhead::simulation::{Method, Probe, Run, Settings};

/// The motion of the features at time 1 and at the limit, N×h, each with its stop.
fn motions(
    problem: &Problem,
    head: &DMatrix<f64>,
    probe: f64,
    method: Method,
) -> Vec<(DMatrix<f64>, Stop)> {
    let run = Run::new(problem, head, 0.0).expect("a head");
    let settings = Settings { head_rate: 0.0, method, ..Settings::default() };
    let found = run.finetune(Probe::Time(probe), &[1.0, f64::INFINITY], &settings).expect("a result");
    found.iter().map(|s| (run.features(s) - problem.features(), s.stop)).collect()
}

fn problem(features: DMatrix<f64>, kernel: DMatrix<f64>, targets: DMatrix<f64>) -> Problem {
    Problem::new(features, kernel, targets).expect("a problem")
}

/// Singular values of 1e10, 1.4 and 1.3e-10, of 1e14, 1 and 0.38, and of 1e14 and 0.35: what is small beside the
/// largest is slow, not out of reach.
#[test]
fn small_singular_values_move_the_features() {
    let far = problem(
        dmatrix![-1.0, -1.0, -0.24261702043088174],
        dmatrix![0.5],
        dmatrix![-0.278, 1000.0, 0.0],
    );
    let far_head = dmatrix![1.0, 1.0, 1.0; 0.0, 0.0, -1.0; 1.0, -0.9, -1e10];
    let two = problem(
        dmatrix![0.0, 0.0, -0.6634; 0.0, 0.0, 0.0],
        DMatrix::identity(2, 2),
        dmatrix![0.0, -1.0, -0.14; 0.0, 0.0, -1.0],
    );
    let two_head = dmatrix![1e14, 0.0, -1.0; 1.0, -0.381, 0.0; 0.0, 0.0, -1.0];
    let stiff = problem(dmatrix![0.0, -1.0], dmatrix![1e18], dmatrix![0.902, -1.0]);
    let stiff_head = dmatrix![-1.0, -1e14; -0.349, 0.1];
    let cases = [
        (
            far,
            far_head,
            [
                dmatrix![316.60453518564677, 4.5954444030714043e-8, 0.24261705209133524],
                dmatrix![527.18410526315789, 5264621053158.763, -526.21948824272701],
            ],
        ),
        (
            two,
            two_head,
            [
                dmatrix![
                    -3.5463770149062164e-15, 0.3546377014906246, 0.50784565696286457;
                    0.0, -5.8140023391612681e-15, 0.63212055882855768],
                dmatrix![-2.6246719160104987e-14, 2.6246719160104987, 0.80340000000002625; 0.0, 0.0, 1.0],
            ],
        ),
        (
            stiff,
            stiff_head,
            [
                dmatrix![7.4154727793696059e-15, -1.584527220630394],
                dmatrix![7.4154727793696059e-15, -1.584527220630394],
            ],
        ),
    ];
    for (problem, head, expected) in &cases {
        for ((found, stop), wanted) in motions(problem, head, 0.0, Method::Auto).iter().zip(expected) {
            assert_eq!(*stop, Stop::Exact);
            assert!((found - wanted).norm() < 1e-13 * wanted.norm(), "{found} is not {wanted}");
        }
        // The solver forms VᵀV and cannot know: it agrees, or does not claim an answer.
        for ((found, stop), wanted) in motions(problem, head, 0.0, Method::Flow).iter().zip(expected) {
            let right = (found - wanted).norm() < 1e-7 * wanted.norm();
            assert!(right || !stop.is_success(), "{stop:?} with {found} for {wanted}");
        }
    }
}

/// Outputs that the head reads twice leave a direction that never moves, and that is no matter of rounding.
#[test]
fn a_head_with_multiples_has_an_exact_answer() {
    let problem = problem(
        dmatrix![0.5, -1.0; 0.2, 0.3],
        dmatrix![1.0, 0.2; 0.2, 2.0],
        dmatrix![1.0, 2.0, -1.0; 0.0, 1.0, 3.0],
    );
    let head = dmatrix![0.1, 0.2, 0.4; -0.7, -1.4, -2.8];
    let [(_, early), (limit, late)] = &motions(&problem, &head, 0.0, Method::Auto)[..] else { panic!() };
    assert_eq!((early, late), (&Stop::Exact, &Stop::Exact));
    // At the limit the part that the head reads is fitted: (Y − ZV)Vᵀ = 0.
    let left = problem.targets() - (problem.features() + limit) * &head;
    assert!((left * head.transpose()).norm() < 1e-13);
}

/// The same head with a last digit that is not a multiple: the limit is 10¹⁶ away. And a head that was computed knows
/// its smallest singular value to the rounding of the largest only.
#[test]
fn what_rounding_decides_is_said() {
    let kernel = DMatrix::identity(2, 2);
    let near = problem(dmatrix![0.5, -1.0; 0.2, 0.3], kernel.clone(), dmatrix![1.0, 2.0; 0.0, 1.0]);
    let head = dmatrix![0.1, 0.3; 0.7, 2.1];
    let [(_, early), (limit, late)] = &motions(&near, &head, 0.0, Method::Auto)[..] else { panic!() };
    assert_eq!(*early, Stop::Exact);
    assert!(
        *late == Stop::Exact && limit.norm() > 1e15 || matches!(late, Stop::Rounding { .. }),
        "{late:?}"
    );
    // Probing with one independent feature: the head of rank one leaves a residual that it does not read.
    let probed = problem(dmatrix![1.0, 1.0; 3.0, 3.0], kernel, dmatrix![0.3, 0.1; 0.7, -0.4]);
    for method in [Method::Auto, Method::Flow] {
        let found = motions(&probed, &DMatrix::zeros(2, 2), 0.1, method);
        assert!(found[0].1.is_success(), "{method:?}: {:?}", found[0].1);
        assert!(matches!(found[1].1, Stop::Rounding { .. }), "{method:?}: {:?}", found[1].1);
    }
}

/// A residual that the head does not read at all moves nothing, exactly, at every time.
#[test]
fn what_the_head_does_not_read_moves_nothing() {
    let problem = problem(dmatrix![0.0; 0.0], DMatrix::identity(2, 2), dmatrix![1.0, 1.0; 1.0, 1.0]);
    for method in [Method::Auto, Method::Flow] {
        for (motion, stop) in motions(&problem, &dmatrix![-1.0, 1.0], 0.0, method) {
            assert!(motion.amax() == 0.0 && stop.is_success(), "{method:?}: {motion} {stop:?}");
        }
    }
}

/// A residual of 1e16 that the head does not read beside one of 1 that it does: rounding of the first moves the
/// features.
#[test]
fn a_motion_that_rounding_of_the_residual_drowns_is_said() {
    let problem = problem(
        dmatrix![-1.0; -1.0],
        dmatrix![1.8, -1.0; -1.0, 1.0],
        dmatrix![1.0, 0.0, 0.0; 1e16, 0.0, -0.47],
    );
    for method in [Method::Auto, Method::Flow] {
        for (motion, stop) in motions(&problem, &dmatrix![0.0, 1.0, 1.0], 0.0, method) {
            assert!(
                matches!(stop, Stop::Rounding { error } if error > 0.1),
                "{method:?}: {motion} {stop:?}"
            );
        }
    }
}
