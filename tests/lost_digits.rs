//! Answers that have lost digits say so: in the error estimate, or by a stop that withholds them. The cases are what a
//! sceptical user found, with numbers from Taylor series of 33 digits and closed forms of 80.
// Numbers as the files of the cases hold them.
#![allow(clippy::excessive_precision)]

use nalgebra::{DMatrix, dmatrix};
use taskhead::flow::{LOST, SolvedBy, Stop};
use taskhead::loss::Loss;
use taskhead::problem::Problem;
use taskhead::simulation::{Method, Probe, Run, Settings, Simulation};

const LIMIT: f64 = f64::INFINITY;

fn auto(problem: &Problem, head: &DMatrix<f64>, probe: f64, time: f64) -> Simulation {
    by(Method::Auto, problem, head, probe, time)
}

fn by(method: Method, problem: &Problem, head: &DMatrix<f64>, probe: f64, time: f64) -> Simulation {
    let settings = Settings { method, ..Settings::default() };
    let run = Run::new(problem, head, 0.0).expect("a run");
    run.finetune(Probe::Time(probe), &[time], &settings).expect("a result").remove(0)
}

/// What is found is right to its own estimate, or withheld.
fn is_honest(found: &Simulation, value: f64, right: f64, name: &str) {
    let estimate = found.error_estimate.expect("an estimate");
    assert_eq!(found.stop.is_success(), estimate <= LOST, "{name}: {:?} {estimate:e}", found.stop);
    let error = (value / right - 1.0).abs();
    let fine = !found.stop.is_success() || error <= estimate.max(1e-9);
    assert!(fine, "{name}: {value} is not {right}, estimate {estimate:e}");
}

fn identity(features: DMatrix<f64>, targets: DMatrix<f64>) -> Problem {
    let n = targets.nrows();
    Problem::new(features, DMatrix::identity(n, n), targets).expect("a problem")
}

/// A head against its features makes these shrink: the solver's estimate went up to 53 beside "converged".
#[test]
fn features_that_nearly_vanish() {
    let a = dmatrix![1.0, 0.3; 0.1, 0.8];
    let targets = dmatrix![1.0, 0.2; 0.3, 0.7] * 1e-12;
    let problem = Problem::new(&a / 3.0, dmatrix![1.0, 0.2; 0.2, 1.0], targets).unwrap();
    let head = a.transpose() * -1.5;
    let found = auto(&problem, &head, 0.0, 20.0);
    is_honest(&found, found.adaptation.norm, 2.1974314614e-8, "norm at 20");
    is_honest(&found, found.adaptation.dot, 3.3963960266e-9, "dot product at 20");
    let found = auto(&problem, &head, 0.0, LIMIT);
    assert!(matches!(found.stop, Stop::Rounding { .. } | Stop::Saddle(_)), "{:?}", found.stop);
    // Several times of one run.
    let run = Run::new(&problem, &head, 0.0).unwrap();
    for found in run.finetune(Probe::Time(0.0), &[20.0, LIMIT], &Settings::default()).unwrap() {
        let estimate = found.error_estimate.unwrap();
        assert!(!found.stop.is_success() || estimate <= LOST, "{:?} {estimate:e}", found.stop);
    }
}

/// One sample in closed form: z = √u with u = (c + √(c² + 4y²))/2, c = z₀² − v₀² below 0, far below the rounding of z₀.
#[test]
fn a_feature_that_nearly_vanishes_in_closed_form() {
    for y in [1e-6, 1e-9, 1e-11, 1e-13] {
        let found = auto(&identity(dmatrix![1.0], dmatrix![y]), &dmatrix![-1.2], 0.0, LIMIT);
        let c: f64 = 1.0 - 1.44;
        // Without cancellation: u = 2y²/(√(c² + 4y²) − c).
        let exact = (2.0 * y * y / ((c * c + 4.0 * y * y).sqrt() - c)).sqrt();
        assert_eq!(found.method, SolvedBy::RankOne);
        is_honest(&found, found.adaptation.norm, exact, &format!("{y:e}"));
        assert_eq!(found.stop.is_success(), y > 1e-12, "{y:e}: {:?}", found.stop);
    }
    // Nothing but rounding is left: the norm is 0 to that, and there is no direction.
    let found = auto(&identity(dmatrix![1.0], dmatrix![1e-15]), &dmatrix![-1.2], 0.0, LIMIT);
    assert!(found.adaptation.norm < 2e-15 && found.adaptation.cosine.is_nan());
}

/// What is rounding of all modes together may be a tiny feature's direction.
#[test]
fn a_feature_far_smaller_than_the_others() {
    let features = dmatrix![1e-14, -2e-14; -1e-14, 1.3];
    let problem = identity(features, dmatrix![1.6, 0.0; 0.0, 0.7]);
    let found = auto(&problem, &dmatrix![0.0, 0.0; 0.0, 0.6], 0.0, 7.0);
    assert!((found.adaptation.cosine / 0.272868833 - 1.0).abs() < 1e-6, "{}", found.adaptation.cosine);
    let problem = identity(dmatrix![1e-14, 0.0; 0.0, 1.3], dmatrix![0.0, 1e-14; 0.0, 0.7]);
    let found = auto(&problem, &dmatrix![0.0, 0.0; 0.0, 0.6], 0.0, 0.5);
    assert!((found.adaptation.cosine / 0.0169849660 - 1.0).abs() < 1e-6, "{}", found.adaptation.cosine);
}

/// A coupling within the tolerance of the hypotheses breaks the conserved matrix: then the solver is asked.
#[test]
fn a_closed_form_that_fails_its_own_check_gives_way() {
    let kernel = dmatrix![1.0, 3e-12; 3e-12, 6e-12];
    let problem =
        Problem::new(dmatrix![1.0, 0.0; 0.0, 1.3], kernel, dmatrix![1.0, 0.0; 0.0, 0.9]).unwrap();
    let head = dmatrix![0.3, 0.0; 0.0, 0.0];
    let (auto, flow) = (auto(&problem, &head, 0.0, 0.5), by(Method::Flow, &problem, &head, 0.0, 0.5));
    assert_eq!((auto.method, auto.adaptation), (SolvedBy::Flow, flow.adaptation));
}

/// Near the best head of cross-entropy the pull on features is small, and the tolerance of the head is not.
#[test]
fn motion_after_probing_nearly_to_the_best_head() {
    let features = dmatrix![-0.4; -1.3; 0.35; -2.4];
    let targets = dmatrix![0.0, 1.0; 1.0, 0.0; 1.0, 0.0; 0.0, 1.0];
    let problem = Problem::on_features(features, targets).unwrap();
    let run = Run::with_loss(&problem, &dmatrix![-0.05, 0.05], 0.0, Loss::CrossEntropy).unwrap();
    let after =
        |probe: f64| run.finetune(Probe::Time(probe), &[1.0], &Settings::default()).unwrap().remove(0);
    for (probe, right) in [(6.0, 4.0652342e-9), (8.0, 1.315379e-11)] {
        let found = after(probe);
        is_honest(&found, found.adaptation.euclidean, right, &format!("{probe}"));
    }
    // Near that head nothing moves but by rounding: the motion has no digits, and the rest is certain.
    for (probe, right) in [(10.0, 4.256e-14), (LIMIT, 0.0)] {
        let found = after(probe);
        assert!(found.stop.is_success() && found.adaptation.euclidean < 1e-13, "{:?}", found.stop);
        let error = (found.adaptation.euclidean - right).abs();
        let allowed = found.error_estimate.unwrap() * found.adaptation.euclidean;
        assert!(error <= allowed, "{probe}: {error:e}");
    }
}

/// One sample with a smoothed label, near its best head: the closed form has no more digits than the residual that
/// probing leaves. The numbers are SciPy's for the logarithm of the residual, which keeps its digits.
#[test]
fn a_closed_form_after_probing_nearly_to_the_best_head() {
    let problem = identity(dmatrix![1.3, 0.0], dmatrix![0.95]);
    let run = Run::with_loss(&problem, &dmatrix![-0.1; 0.4], 0.0, Loss::CrossEntropy).unwrap();
    let mut digits = Vec::new();
    for (probe, right) in [
        (40.0, 4.2713608812e-03),
        (120.0, 6.7777080471e-06),
        (200.0, 1.1016077057e-08),
        (260.0, 8.9175913328e-11),
        (300.0, 3.5952408066e-12),
        (340.0, 1.4494672363e-13),
        (400.0, 1.1733539263e-15),
    ] {
        let found = run.finetune(Probe::Time(probe), &[1.0], &Settings::default()).unwrap().remove(0);
        assert_ne!(found.method, SolvedBy::Flow);
        let estimate = found.error_estimate.unwrap();
        digits.push(estimate);
        if probe < 280.0 {
            is_honest(&found, found.adaptation.euclidean, right, &format!("{probe}"));
        } else {
            // All that moves is rounding: the motion has no digits, and the rest is certain.
            assert!(found.stop.is_success() && estimate > LOST, "{probe}: {:?}", found.stop);
            let error = (found.adaptation.euclidean - right).abs() / found.adaptation.euclidean;
            assert!(error <= estimate, "{probe}: {error:e} {estimate:e}");
        }
    }
    assert!(digits.is_sorted() && digits[0] < 1e-8, "{digits:?}");
}

/// A slow head takes all of a feature but 10⁻⁵: what the tolerance leaves open of the whole shows in its direction (the
/// cosine distance was off by 1.5e-5, with an estimate of 1.3e-8). The number is of a Taylor series of 33 digits.
#[test]
fn a_feature_that_shrinks_is_followed_more_strictly() {
    let features = dmatrix![1.0, 0.0, 1e-8, 1e-16; 1.0, 1e-16, 1e-16, 3.0];
    let problem = identity(features, dmatrix![0.0, 1e-16, 0.0; 0.0, 1.0, 1.0]);
    let head = dmatrix![3.0, 3.0, 1.0; 1e-16, 3.0, 0.0; 0.0, 1.0, -1.0; 1e-16, -1.0, 3.0];
    let run = Run::new(&problem, &head, 0.0).unwrap();
    for rtol in [1e-7, 1e-9, 1e-11] {
        let settings = Settings { head_rate: 1e-6, rtol, ..Settings::default() };
        let found = run.finetune(Probe::Time(0.0), &[LIMIT], &settings).unwrap().remove(0);
        assert_eq!(found.stop, Stop::Converged);
        is_honest(&found, found.adaptation.cosine, 0.7294427352417, &format!("{rtol:e}"));
    }
}

/// The squares of these numbers are zero, and so was all that the hypotheses of the decoupled form were judged by:
/// every one of them held. A problem is the same whatever its units are.
#[test]
fn numbers_whose_squares_are_zero() {
    let features = dmatrix![0.3, -0.7, 1.1; 0.9, 0.2, -0.4];
    let head = dmatrix![0.5, -0.2; 0.1, 0.8; -0.6, 0.3];
    let at = |size: f64| {
        let targets = dmatrix![1.0, 0.4; -0.3, 0.7] * (size * size);
        let problem = Problem::new(&features * size, dmatrix![1.0, 0.3; 0.3, 0.8], targets).unwrap();
        let found = auto(&problem, &(&head * size), 0.0, LIMIT);
        assert_eq!((found.method, found.stop), (SolvedBy::Flow, Stop::Converged), "{size:e}");
        (found.adaptation.cosine, found.adaptation.euclidean / size)
    };
    let right = at(1.0);
    for size in [1e-80, 1e-100, 1e-120] {
        let (cosine, distance) = at(size);
        assert!((cosine / right.0 - 1.0).abs() < 1e-7, "{size:e}: {cosine} is not {}", right.0);
        assert!((distance / right.1 - 1.0).abs() < 1e-7, "{size:e}: {distance} is not {}", right.1);
    }
}

/// Near-duplicates make one mode so slow that the rounding of the features changes how far it has decayed.
#[test]
fn the_energy_of_near_duplicates() {
    let head = dmatrix![0.2; -0.4];
    let duplicates = |e: f64| identity(dmatrix![0.3, 0.7; 0.3, 0.7 + e], dmatrix![1.0; -0.5]);
    let found = auto(&duplicates(1e-12), &head, 1.2889459156612683e25, 0.0);
    let error = (found.energy.aie - 0.2759095809).abs();
    assert!(error > 1e-6 && error <= found.energy_rounding, "{error:e} {:e}", found.energy_rounding);
    // Not in the middle of the decay nothing is open.
    assert!(auto(&duplicates(1e-10), &head, 1.0, 0.0).energy_rounding < 1e-15);
}

/// A fast mode at rest, a slow one that has made the head large: the rounding of the former shows beside the motion.
#[test]
fn a_small_motion_behind_a_large_head() {
    let features = dmatrix![
        0.18316799402524295, -0.6903507147075516;
        -0.15023108347499534, 0.5662175988608511;
        0.09821220387957694, -0.37019993527125195
    ];
    let targets = dmatrix![
        0.5616067718427157, 1.509469158458381;
        -0.5409746193600075, 1.0880688515308297;
        0.17634760224784352, 0.7068577508946227
    ];
    let problem = Problem::on_features(features, targets).unwrap();
    let head = dmatrix![2.0782093411687974, -0.751337124466014; 0.6905842407538815, -2.3755663508931435];
    let found = auto(&problem, &head, 92915915149.9427, 1e-9);
    is_honest(&found, found.adaptation.euclidean, 5.0465e-20, "1e-9");
    // Probed fully, nothing moves: no answer is withheld.
    let found = auto(&problem, &head, LIMIT, 1.0);
    assert!(found.stop.is_success() && found.adaptation.euclidean < 1e-12, "{:?}", found.stop);
}
