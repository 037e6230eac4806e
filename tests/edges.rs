//! Numbers at the edges: modes that are zero to rounding, saddles, features that shrink, slow directions, sizes
//! far from 1. A right number, or a stop that says what it depends on; never a wrong one.
// Numbers as the file of the case holds them.
#![allow(clippy::excessive_precision)]

use nalgebra::{DMatrix, dmatrix};
use taskhead::Loss;
use taskhead::energy::Measure;
use taskhead::flow::{FlowError, SolvedBy, Stop};
use taskhead::probing::ProbingPath;
use taskhead::problem::Problem;
use taskhead::simulation::{Method, Probe, Run, Settings, Simulation, SimulationError, Until};

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

/// Slow directions are followed to their end: samples that differ by 1e-7, and a head rate of 1e-14. Expected distances
/// are of an independent implicit integration in 50 digits. With nearly equal samples features and kernel have lost 7
/// of their 16 digits.
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

/// A feature of 1e-12 decides in which way a head of zero grows, and every way leads to the same end: what the error
/// grows to on the way says nothing of it. The distance is that of DOP853 at 1e-12, and the same from heads of 1e-14.
/// Features follow a slow head at once, up to 10⁴ where it cannot fit for a moment: one step that leapt over that was
/// accepted (distances of 145 for 5422, 0.5 for 7510). `tests/reference/follows_a_slow_head.py` has the numbers.
#[test]
fn a_slow_head_is_followed_where_it_cannot_fit() {
    let features = dmatrix![1.0, 0.0, 0.0; 0.0, 0.0, 1.0];
    let kernel = dmatrix![0.0, 0.0; 0.0, 1.197635300771204];
    let problem = Problem::new(features, kernel, dmatrix![0.0, 1.0; 0.0, 1.0]).unwrap();
    let head = dmatrix![-1.0, -1.0; -0.2911771453433196, 0.0; 0.0, 0.0];
    let distances =
        [(6.931e13, 2_119.856_983_479_5), (7e13, 5_422.148_035_137), (1e14, 7_510.018_353_908)];
    for (time, distance) in distances {
        // Each on its own, so that no wanted time shortens a step.
        let end = simulate(&problem, &head, 1e-14, Method::Flow, &[time]).expect("a result").remove(0);
        assert_eq!(end.stop, Stop::Time);
        let found = end.adaptation.euclidean;
        assert!((found / distance - 1.0).abs() < 1e-8, "{time:e}: {found} is not {distance}");
    }
}

/// Two features that never move and are parallel but for 10⁻⁴: the head fits their difference at a rate of 10⁻⁸, which
/// a Gram matrix of them hides; the limit was given as 0.119, with the residual of before. The distance is that of
/// SciPy's Radau at 1e-11 until t = 10¹¹.
#[test]
fn what_is_nearly_parallel_and_never_moves_is_fitted() {
    let features = dmatrix![-1.0, -0.001, 0.0; -1.0, 1.0, -0.8943902912278697; 1000.0, 1.0, -0.001];
    let kernel = dmatrix![0.0, 0.0, 0.0; 0.0, 1.0, -0.1; 0.0, -0.1, 0.01];
    let targets = dmatrix![0.0, 0.0, 0.0; 0.0, 1.0, 0.37010485014233174; 0.0, 0.0, -0.06400020068104173];
    let head = dmatrix![0.0, 0.0, 0.0; 0.0, 0.0, 0.001; -1.0, -0.25883912052854774, -1.0];
    let end = limit(&Problem::new(features, kernel, targets).unwrap(), &head, Method::Auto);
    assert_eq!(end.stop, Stop::Converged);
    assert!((end.adaptation.euclidean - 0.203_451_723_088_26).abs() < 1e-10, "{:?}", end.adaptation);
    assert!(end.residual < 1e-12, "{}", end.residual);
}

#[test]
fn an_end_that_all_neighbours_come_to_is_given() {
    let problem = Problem::new(dmatrix![1e-12, 0.0, 0.0, 0.0, 0.0; 0.5095440511856925, 1.6077592453160574, -0.41543654920747264, -1.4161794802860033, -0.5713368342770767], dmatrix![0.21646529625047786, 0.5629789598876982; 0.5629789598876982, 2.3029015549106298], dmatrix![-1.0; 0.0]).unwrap();
    let end = limit(&problem, &DMatrix::zeros(5, 1), Method::Auto);
    assert_eq!(end.stop, Stop::Converged);
    assert!((end.adaptation.euclidean - 1.022730585854).abs() < 1e-9, "{:?}", end.adaptation);
    assert!(end.residual < 1e-9);
}

/// Predictions of 1e16 take all digits from a loss of 0.234 that stays, and that is said. Heads of 1 take none.
#[test]
fn a_residual_below_the_rounding_of_predictions_is_said() {
    let features = dmatrix![-0.8028369359828766, 0.2428499070790021, -1.656345427042233; 0.656104877556666, 1.1434530226920894, -0.45261100300789897; 0.4304857455543092, 0.25093256908418204, -0.3943520554588936; -0.8624048655156082, -2.032552427456725, 1.4104234840116703];
    let head = dmatrix![-476322371923339.4, 2.5223274107494348e+16; 8262182491746161.0, 2777805269753827.5; -6574310585061062.0, 1.3924692044318112e+16];
    let targets = dmatrix![1.0, 0.0; 0.0, 1.0; 1.0, 0.0; 0.0, 1.0];
    let problem = Problem::on_features(features, targets).unwrap();
    let open = |size: f64| {
        let end = limit(&problem, &(&head * size), Method::Auto);
        (end.residual, end.residual_rounding)
    };
    let (residual, rounding) = open(1.0);
    let right = (2.0 * 0.23404624943881_f64).sqrt();
    assert!(rounding.is_some_and(|open| (residual - right).abs() < open), "{residual:e} {rounding:?}");
    let (_, rounding) = open(1e-8);
    assert!(rounding.is_some_and(|open| (1e-7..1e-5).contains(&open)), "{rounding:?}");
    assert_eq!(open(1e-16).1, None);
}

/// Five features of six digits with smoothed labels, after probing to convergence: the residual decays by a power of
/// time, and the estimate of the error explodes. The distance is what every tolerance from 1e-8 to 1e-12 gives.
#[test]
fn decay_by_a_power_of_time_has_its_limit() {
    let kernel = dmatrix![18.46875, 10.5390625, 13.2890625, 14.8203125, 12.8359375, 12.59375; 10.5390625, 14.0546875, 9.84765625, 8.68359375, 7.60546875, 6.80859375; 13.2890625, 9.84765625, 17.42578125, 12.37890625, 13.7890625, 8.40625; 14.8203125, 8.68359375, 12.37890625, 15.6328125, 11.7109375, 10.4375; 12.8359375, 7.60546875, 13.7890625, 11.7109375, 16.86328125, 8.3046875; 12.59375, 6.80859375, 8.40625, 10.4375, 8.3046875, 11.984375];
    let features = dmatrix![-0.04044080542074763, -1.5888920276707232, 0.5259022778686496, -2.043582997536744, 0.46957315282455653; 0.13610675358044919, -1.1726905296359056, 0.13878173807259972, -0.9599735142712887, -0.15357754285277692; -0.06837730096409242, -0.9320955450423356, 1.0318968643074182, -2.020854395455488, -0.39323857933586415; -0.1955432696338169, -1.612888717812115, 0.41259908131448475, -1.6042485971416451, 0.028210013574467896; -0.7026599282082888, -1.5216320024918628, 0.2909235343423867, -1.7015490132012232, -0.04141040577165742; 0.5254921758547779, -1.1646342306913746, 0.5093391358297864, -1.5971448165937001, 0.461145390842703];
    let targets = dmatrix![0.0, 0.0, 0.0, 1.0, 0.0; 1.0, 0.0, 0.0, 0.0, 0.0; 0.0, 1.0, 0.0, 0.0, 0.0; 0.0, 0.0, 0.0, 1.0, 0.0; 0.0, 1.0, 0.0, 0.0, 0.0; 0.0, 0.0, 0.0, 0.0, 1.0];
    let head = dmatrix![-0.11242052128307892, 0.6476298990657838, -0.23286085773044576, -0.3963372200888641, -0.19843320054680233; 0.12652984310997836, 0.35357390231080477, -0.3327387673643809, -0.015234829335465142, -0.23966353657747386; 0.12998100368184298, -0.7978261851799991, -0.1196670461456362, 0.39139321558072376, 0.0362561966323757; 0.20499501208731033, -0.46223107057922497, -0.12018768040430354, 0.05063273629481731, -0.19292461321253354; 0.224442076077405, 0.0029279014793032803, -0.15412504219912923, 0.3987025568200816, -0.520336502940514];
    let problem = Problem::new(features, kernel, targets).unwrap();
    let settings = Settings { method: Method::Flow, ..Settings::default() };
    let run = Run::new(&problem, &head, 0.1).unwrap();
    let end = run.finetune(Probe::Time(f64::INFINITY), &[f64::INFINITY], &settings).unwrap().remove(0);
    assert_eq!(end.stop, Stop::Converged);
    assert!((end.adaptation.euclidean - 0.268054129789).abs() < 1e-9, "{:?}", end.adaptation);
}

/// A closed form does not depend on the solver's tolerance, which once turned off that its answers are withheld.
#[test]
fn no_tolerance_makes_rounding_an_answer() {
    let problem =
        Problem::on_features(dmatrix![1.0, 0.0; 1.0, 1e-12], dmatrix![1.0; 2.0]).expect("a problem");
    let run = Run::new(&problem, &dmatrix![0.5; 1e-9], 0.0).expect("a head");
    let at = |rtol| {
        let settings = Settings { head_rate: 0.0, rtol, ..Settings::default() };
        run.finetune(Probe::Time(1.0), &[f64::INFINITY], &settings).map(|mut all| all.remove(0))
    };
    for rtol in [1e-9, 1e-2] {
        let end = at(rtol).expect("a result");
        assert_eq!((end.method, end.stop.name()), (SolvedBy::FrozenHead, "rounding"), "{rtol:e}");
    }
    for rtol in [f64::NAN, -1.0, 0.0, 1e300, f64::INFINITY] {
        assert!(at(rtol).expect_err("refused").to_string().contains("rtol"), "{rtol:e}");
    }
}

#[test]
fn times_are_in_order_for_every_method() {
    let problem = identity(dmatrix![1.0, 0.0], dmatrix![1.0]);
    for method in [Method::Auto, Method::ClosedForm, Method::Flow, Method::Descent] {
        let result = simulate(&problem, &dmatrix![0.5; 0.5], 1.0, method, &[2.0, 1.0]);
        assert!(result.expect_err("refused").to_string().contains("ascending"), "{method:?}");
    }
}

/// Where the clock of the rank-one path would take too many pieces the solver answers.
#[test]
fn a_clock_that_stops_leaves_it_to_the_solver() {
    let problem = identity(dmatrix![1.0, 0.0], dmatrix![1.0]);
    let run = Run::with_loss(&problem, &dmatrix![-1e5; 0.0], 0.0, Loss::CrossEntropy).expect("a head");
    let features = |method| {
        let settings = Settings { method, ..Settings::default() };
        let end = run.finetune(Probe::Time(0.0), &[5.0], &settings).expect("a result").remove(0);
        run.features(&end)
    };
    let (auto, flow) = (features(Method::Auto), features(Method::Flow));
    assert!((&auto - &flow).norm() <= 1e-7 * flow.norm(), "{auto} {flow}");
    // The same where it is to tell when a loss is reached.
    let stopped = |method| {
        let settings = Settings { method, until: Until::Loss(1e3), ..Settings::default() };
        run.finetune(Probe::Time(0.0), &[5.0], &settings).map(|mut ends| run.features(&ends.remove(0)))
    };
    let error = stopped(Method::ClosedForm).expect_err("too many pieces").to_string();
    assert!(error.contains("in too many pieces"), "{error}");
    let (auto, flow) =
        (stopped(Method::Auto).expect("a result"), stopped(Method::Flow).expect("a result"));
    assert!((&auto - &flow).norm() <= 1e-7 * flow.norm(), "{auto} {flow}");
}

/// Squares of such motions underflow: steps of 1e-300 were taken for ever, and those of 1e-310 were off by NaN.
#[test]
fn times_that_no_motion_is_left_of_are_refused() {
    let problem = identity(dmatrix![1.0, 0.5; 0.2, 1.0], dmatrix![1.0; 2.0]);
    let head = dmatrix![0.5; 0.3];
    for time in [1e-300, 1e-310] {
        let error =
            simulate(&problem, &head, 1.0, Method::Flow, &[time]).expect_err("refused").to_string();
        assert!(error.contains("so short a finetuning time is not representable"), "{error}");
    }
    let [zero, short] =
        &simulate(&problem, &head, 1.0, Method::Flow, &[0.0, 1e-250]).expect("a result")[..]
    else {
        panic!("two moments")
    };
    assert_eq!((zero.time, short.time), (0.0, 1e-250));
    assert!(short.adaptation.frobenius_distance > 1e-251, "{:?}", short.adaptation);
}

/// v + eᵛ = v₀ + τ: after a way of 10⁹ the head is not known to the 7 that its logit is, and the energy was off by seven
/// orders of magnitude.
#[test]
fn probing_over_a_way_that_hides_the_residual_is_refused() {
    let problem = identity(dmatrix![1.0, 0.0], dmatrix![1.0]);
    let path = |v: f64| {
        ProbingPath::with_loss(&problem, &dmatrix![v; 0.0], 0.0, Loss::CrossEntropy).expect("a path")
    };
    for error in [
        path(-1e9).energy(1.000001e9).expect_err("refused"),
        path(-1e9).time_for(Measure::Aie, 1e-3).expect_err("refused"),
    ] {
        assert!(error.to_string().contains("accepted: a smaller initial head"), "{error}");
    }
    // Up to there it is right: v of v + eᵛ = 1000.
    let v = 6.900_765_2_f64;
    let v = (0..50).fold(v, |v, _| v - (v + v.exp() - 1000.0) / (1.0 + v.exp()));
    for start in [-1e3, -1e6, -1e7] {
        let aie = path(start).energy(1000.0 - start).expect("an energy").aie;
        assert!((aie * (1.0 + v.exp()) - 1.0).abs() < 1e-4, "{start:e}: {aie:e}");
    }
}

/// The part that no head fits counts: levels were compared with what is left of the rest alone.
#[test]
fn a_residual_to_stop_at_is_that_of_all_samples() {
    let features = dmatrix![1.0; 2.0; 0.0];
    let problem = Problem::on_features(features, dmatrix![1.0; 3.0; 5.0]).expect("a problem");
    let run = Run::new(&problem, &dmatrix![0.5], 0.0).expect("a head");
    let stopped = |level: f64| {
        let settings = Settings { until: Until::Residual(level), ..Settings::default() };
        run.finetune(Probe::Time(0.0), &[f64::INFINITY], &settings).map(|mut ends| ends.remove(0))
    };
    for level in [5.15, 5.1, 5.03] {
        let end = stopped(level).expect("a result");
        assert!((end.residual - level).abs() < 1e-9 * level, "{level}: {}", end.residual);
        assert!(matches!(end.stop, Stop::Residual { .. }) && end.time > 0.0);
    }
    for level in [1.0, 0.1] {
        let error = stopped(level).expect_err("5.02 is left").to_string();
        assert!(
            error.contains("never comes to a residual of") && error.contains("at 5.01996"),
            "{error}"
        );
    }
}

/// Predictions change sides more than once: the accuracy of 5/6 is there between t = 1.0365 and 1.055 only, within a
/// step of the solver.
#[test]
fn an_accuracy_that_is_lost_again_is_noticed() {
    let features =
        dmatrix![-0.28, -0.92; -0.31, -1.04; -1.55, -0.54; -0.72, -0.22; 0.14, 0.58; 0.22, 0.09];
    let targets = dmatrix![0.0, 1.0; 0.0, 1.0; 1.0, 0.0; 0.0, 1.0; 0.0, 1.0; 1.0, 0.0];
    let problem = Problem::on_features(features, targets).expect("a problem");
    let head = dmatrix![0.14, 0.01; -0.58, 0.59];
    let run = Run::with_loss(&problem, &head, 0.0, Loss::CrossEntropy).expect("a head");
    let settings = Settings { until: Until::Accuracy(0.8333), ..Settings::default() };
    let end = run.finetune(Probe::Time(0.0), &[f64::INFINITY], &settings).expect("a result").remove(0);
    assert!(matches!(end.stop, Stop::Accuracy { .. }), "{:?}", end.stop);
    assert!((end.time - 1.0365).abs() < 1e-3, "{}", end.time);
}

/// Nothing pulls on such a head: it stays where it is, and is no flow that cannot be followed.
#[test]
fn probing_from_rest_stays_there() {
    let problem = identity(DMatrix::identity(2, 2), dmatrix![0.5, 0.5; 0.5, 0.5]);
    let path = ProbingPath::with_loss(&problem, &DMatrix::zeros(2, 2), 0.0, Loss::CrossEntropy)
        .expect("a path");
    assert_eq!(path.head(1.0).expect("a head"), DMatrix::zeros(2, 2));
    assert_eq!(path.energy(3.0).expect("an energy").aie, 0.0);
}

/// An energy of 0 is left after probing for ever only; where it underflowed there were four times of it.
#[test]
fn no_energy_is_left_at_infinity_only() {
    let problem = identity(dmatrix![1.0, 0.5], dmatrix![1.0]);
    let path = ProbingPath::new(&problem, &dmatrix![0.2; 0.3]).expect("a path");
    for energy in [0.0, 5e-324, 1e-320] {
        assert_eq!(path.times_for(Measure::Aie, energy).expect("a time"), [f64::INFINITY]);
    }
    assert!(path.time_for(Measure::Aie, 1e-300).expect("a time").is_finite());
}
