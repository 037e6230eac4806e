//! Numbers at the edges: modes that are zero to rounding, saddles, features that shrink, slow directions, sizes
//! far from 1. A right number, or a stop that says what it depends on; never a wrong one.
// Numbers as the file of the case holds them.
#![allow(clippy::excessive_precision)]

use nalgebra::{DMatrix, dmatrix};
use taskhead::flow::{FlowError, Stop};
use taskhead::problem::Problem;
use taskhead::simulation::{Method, Probe, Run, Settings, Simulation, SimulationError};

fn simulate(
    problem: &Problem,
    head: &DMatrix<f64>,
    head_rate: f64,
    method: Method,
    times: &[f64],
) -> Result<Vec<Simulation>, SimulationError> {
    let settings = Settings { head_rate, method, ..Settings::default() };
    Run::new(problem, head, 0.0)?.finetune(Probe::Time(0.0), times, &settings)
}

fn limit(problem: &Problem, head: &DMatrix<f64>, method: Method) -> Simulation {
    simulate(problem, head, 1.0, method, &[f64::INFINITY]).expect("a result").remove(0)
}

fn identity(features: DMatrix<f64>, targets: DMatrix<f64>) -> Problem {
    let n = targets.nrows();
    Problem::new(features, DMatrix::identity(n, n), targets).expect("a problem")
}

/// A mode with z = v = 0 and a target is rounding in the modes of the closed form; the flow does not let it grow.
#[test]
fn a_mode_that_is_zero_to_rounding_stays_zero() {
    let line = identity(dmatrix![1.0; 2.0], DMatrix::identity(2, 2));
    let frame = dmatrix![1.0, 0.0; -0.5, 0.75f64.sqrt(); -0.5, -0.75f64.sqrt()];
    let simplex = identity(frame.clone(), DMatrix::identity(3, 3));
    for (problem, head, residual, distance) in [
        (&line, dmatrix![1.0, 2.0], 1.0, 0.829_179_606_750_063_1),
        (&simplex, frame.transpose() / 2.0, 1.0, 0.067_660_209_498_186_6),
    ] {
        for method in [Method::Auto, Method::ClosedForm, Method::Flow] {
            let end = limit(problem, &head, method);
            assert!((end.residual - residual).abs() < 1e-9, "{method:?}: {}", end.residual);
            assert!(
                (end.adaptation.euclidean - distance).abs() < 1e-8,
                "{method:?}: {:?}",
                end.adaptation
            );
            assert!(end.adaptation.cosine.abs() < 1e-12);
        }
    }
}

/// Singular values 3 and 0.3 of the targets and a start of size 1e-13: when the first is fitted, the second is
/// still below the rounding of the first, and where it ends is not in the numbers.
#[test]
fn what_rounding_decides_is_a_saddle() {
    let features = dmatrix![
        -0.9304680447082047, -0.02925182246327349, 0.6953031944582879, -1.344214547285082;
        -0.4576157610402182, -1.901222739800844, -1.289537739784976, -1.8417350377917323;
        -0.23509113107468128, -1.2674464814437032, 0.27126435882170155, 0.15675108662422516];
    let head = dmatrix![
        -0.1869309446299544, -2.516759710820513; -0.5386928958466366, -0.04850094540107199;
        1.1330898600330757, -1.5301357655053937; -0.4777532760339306, -0.9785190780566396];
    let targets = dmatrix![
        -0.029677645769590606, -0.059889006070520036; -2.604472041222111, 1.4752089247807887;
        0.029721344482950388, -0.3537417146945257];
    for size in [1e-13, 1e-15] {
        let problem = identity(&features * size, targets.clone());
        for method in [Method::Auto, Method::Flow] {
            let end = limit(&problem, &(&head * size), method);
            let Stop::Saddle(saddle) = end.stop else { panic!("{size:e} {method:?}: {:?}", end.stop) };
            assert!((saddle.growth - 0.3).abs() < 1e-3 && saddle.size < 1e-8, "{saddle:?}");
            assert!((end.residual - 0.3).abs() < 1e-3 && end.time.is_finite());
        }
    }
    // A start of size 1e-3 has all its digits.
    let end = limit(&identity(&features * 1e-3, targets), &(&head * 1e-3), Method::Auto);
    assert_eq!(end.stop, Stop::Converged);
    assert!(end.residual < 1e-8 && end.error_estimate.is_some_and(|error| error < 1e-5));
}

/// A head exactly opposite to its feature, beside a mode that couples to it by 1e-13 or not at all.
#[test]
fn an_opposite_head_is_a_saddle_with_and_without_a_small_coupling() {
    let features = dmatrix![1.0, 0.0, 0.0, 0.0; 0.0, 1.0, 0.0, 0.0];
    let head = dmatrix![-1.0, 0.0; 0.0, 0.3; 0.0, 0.0; 0.0, 0.4];
    for coupling in [0.0, 1e-13] {
        let problem = identity(features.clone(), dmatrix![1.0, coupling; coupling, 1.0]);
        for method in [Method::Auto, Method::Flow] {
            let end = limit(&problem, &head, method);
            assert!(matches!(end.stop, Stop::Saddle(_)), "{coupling:e} {method:?}: {:?}", end.stop);
        }
    }
}

/// z = κ = 1 and a head of 2 with targets near 0: the feature shrinks to y/√3 (z_T⁴ + 3z_T² = y² in exact
/// arithmetic: from the conserved v² − z² = 3).
#[test]
fn features_that_shrink_keep_their_norm_and_angle() {
    for (target, cosine) in [(-1e-7, 2.0), (1e-8, 0.0)] {
        let problem = identity(dmatrix![1.0], dmatrix![target]);
        for method in [Method::Auto, Method::Flow] {
            let end = limit(&problem, &dmatrix![2.0], method).adaptation;
            let norm = f64::abs(target) / 3f64.sqrt();
            assert!((end.norm / norm - 1.0).abs() < 1e-6, "{method:?}: {end:?}");
            assert!((end.cosine - cosine).abs() < 1e-12, "{method:?}: {end:?}");
        }
    }
}

/// More reduced rows than the closed form has modes, and nearly equal inputs: results, not panics.
#[test]
fn rows_that_are_nearly_zero_do_not_panic() {
    let problem =
        Problem::new(dmatrix![1.0, 0.0; 0.0, 1e-13], dmatrix![1.0, 0.0; 0.0, 0.0], dmatrix![1.0; 0.0])
            .unwrap();
    // The row that moves is the scalar flow from z = 1, v = 0 with y = 1: z² − v² = 1 and z v = 1.
    let norm = ((1.0 + 5f64.sqrt()) / 2.0).sqrt() / 2.0;
    for method in [Method::Auto, Method::Flow] {
        let end = limit(&problem, &dmatrix![0.0; 0.0], method).adaptation;
        assert!((end.norm - norm).abs() < 1e-8, "{end:?}");
    }
    for gap in [3e-14, 1e-13, 3e-13] {
        let inputs = dmatrix![1.0, 2.0; 1.0 + gap, 2.0];
        let backbone = dmatrix![1.0, 0.5; 0.3, -0.2; 0.1, 0.9];
        let problem = Problem::linear(&inputs, &backbone, dmatrix![1.0; 1.5]).unwrap();
        match simulate(&problem, &dmatrix![0.1; 0.2; 0.3], 1.0, Method::Auto, &[f64::INFINITY]) {
            // The second sample is fitted by a head of size 1e12 after a time of 1e26, or it is not claimed to be.
            Ok(ends) => {
                assert!(!ends[0].stop.is_success() || ends[0].residual < 1e-3, "{:?}", ends[0].stop)
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Squares that underflow are refused by every method, not only by the closed form.
#[test]
fn only_a_violated_hypothesis_falls_through_to_the_solver() {
    let problem = identity(dmatrix![1e-170, 0.0], dmatrix![1.5]);
    let overflow = |method| simulate(&problem, &dmatrix![0.0; 1e-170], 1.0, method, &[f64::INFINITY]);
    for method in [Method::Auto, Method::ClosedForm, Method::Flow] {
        let error = overflow(method).unwrap_err();
        assert!(matches!(error, SimulationError::Flow(FlowError::Overflow { .. })), "{error}");
    }
}

/// Features outside the range of the kernel: T2 does not apply, and no number says that it is broken.
#[test]
fn the_drift_is_none_where_its_law_does_not_apply() {
    let problem =
        Problem::new(dmatrix![1.0, 0.0; 1.0, 1.0], dmatrix![1.0, 0.0; 0.0, 0.0], dmatrix![1.0; 2.0])
            .unwrap();
    let end = limit(&problem, &dmatrix![0.0; 0.0], Method::Auto);
    assert!(end.residual < 1e-9 && end.conservation_drift.is_none());
}

/// The same problem in other units, 1e100 and more away from 1, is the same flow.
#[test]
fn units_do_not_matter() {
    let features = dmatrix![0.6, -0.3, 0.2; 0.1, 0.8, -0.4];
    let (kernel, targets) = (dmatrix![1.0, 0.2; 0.2, 0.5], dmatrix![1.0, -0.3; 0.4, 0.7]);
    let head = dmatrix![0.2, 0.1; -0.3, 0.5; 0.4, 0.2];
    let plain = Problem::new(features.clone(), kernel.clone(), targets.clone()).unwrap();
    let times = [0.5, 3.0, f64::INFINITY];
    let expected = simulate(&plain, &head, 0.7, Method::Flow, &times).unwrap();
    // Z → aZ, V → bV, Y → abY, K → K/(b²s), γ → γ/(a²s), t → st.
    for (a, b, s) in [(2f64.powi(200), 1.0, 1.0), (2f64.powi(-150), 2f64.powi(300), 4f64.powi(-60))] {
        let problem = Problem::new(&features * a, &kernel / (b * b * s), &targets * (a * b)).unwrap();
        let scaled: Vec<f64> = times.iter().map(|t| t * s).collect();
        let found = simulate(&problem, &(&head * b), 0.7 / (a * a * s), Method::Flow, &scaled).unwrap();
        for (x, y) in found.iter().zip(&expected) {
            assert_eq!(x.stop, y.stop, "{a:e} {b:e} {s:e}");
            let (x, y) = (x.adaptation, y.adaptation);
            assert!((x.euclidean / a / y.euclidean - 1.0).abs() < 1e-7, "{x:?} {y:?}");
            assert!((x.cosine / y.cosine - 1.0).abs() < 1e-6, "{x:?} {y:?}");
        }
    }
}

/// Slow directions are followed to their end: samples that differ by 1e-7, and a head rate of 1e-14. Expected distances are of an
/// independent implicit integration in 50 digits. With nearly equal samples features and kernel have lost 7 of their 16 digits.
#[test]
fn slow_directions_reach_their_limit() {
    let inputs = dmatrix![1.0, 2.0; 1.0 + 1e-7, 2.0];
    let backbone = dmatrix![1.0, 0.5; 0.3, -0.2; 0.1, 0.9];
    let near = Problem::linear(&inputs, &backbone, dmatrix![1.0; 1.5]).unwrap();
    let fixed = Problem::new(
        dmatrix![1.0, 0.0, 0.3; 0.2, 1.0, 0.1],
        dmatrix![1.0, 0.0; 0.0, 0.0],
        dmatrix![1.0; 1.0],
    )
    .unwrap();
    for (problem, head, head_rate, distance, accuracy) in [
        (&near, dmatrix![0.1; 0.2; 0.3], 1.0, 1.331_478_312_18, 2e-8),
        (&fixed, dmatrix![0.2; 0.1; 0.4], 1e-14, 0.459_657_785_258_377_9, 1e-9),
        (&fixed, dmatrix![0.2; 0.1; 0.4], 1.0, 0.090_473_018_486_110_72, 1e-9),
    ] {
        let end = simulate(problem, &head, head_rate, Method::Auto, &[f64::INFINITY]).unwrap().remove(0);
        assert_eq!(end.stop, Stop::Converged);
        let found = end.adaptation.euclidean;
        assert!(
            (found / distance - 1.0).abs() < accuracy,
            "head rate {head_rate:e}: {found} is not {distance}"
        );
        assert!(end.residual < 1e-8, "{}", end.residual);
    }
}
