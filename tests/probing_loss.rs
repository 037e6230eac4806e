//! Probing under cross-entropy (T24).

use nalgebra::{DMatrix, dmatrix};
use taskhead::energy::Energy;
use taskhead::loss::Loss;
use taskhead::probing::{Measure, ProbingError, ProbingPath};
use taskhead::problem::Problem;
use taskhead::tasks::{normal, stream};
use taskhead_suite::plain::{extrapolated, softmax_residual};

fn problem(seed: u64, [n, h, k]: [usize; 3]) -> (Problem, DMatrix<f64>) {
    let features = normal(&mut stream(seed, 1), n, h, 1.0);
    let class = |row: usize| (3 * row + row / k.max(2)) % k.max(2);
    let targets = DMatrix::from_fn(n, k, |r, c| if class(r) == c { 1.0 } else { 0.0 });
    let head = normal(&mut stream(seed, 5), h, k, 0.5);
    (Problem::new(features, DMatrix::identity(n, n), targets).unwrap(), head)
}

fn path(problem: &Problem, head: &DMatrix<f64>, smoothing: f64) -> ProbingPath {
    ProbingPath::with_loss(problem, head, smoothing, Loss::CrossEntropy).unwrap()
}

/// The head at probing time τ by plain integration.
fn integrate(problem: &Problem, head: &DMatrix<f64>, targets: &DMatrix<f64>, tau: f64) -> DMatrix<f64> {
    let z = problem.features();
    let velocity = |[v]: &[DMatrix<f64>; 1]| [z.tr_mul(&softmax_residual(targets, z * v))];
    let [v] = extrapolated([head.clone()], tau, 4000, velocity);
    v
}

const SHAPES: [[usize; 3]; 6] = [[4, 9, 1], [5, 8, 3], [6, 20, 10], [12, 3, 2], [20, 4, 3], [7, 7, 2]];

#[test]
fn heads_are_those_of_a_plain_integration_whatever_is_asked_first() {
    for (seed, shape) in (0..).zip(SHAPES) {
        for smoothing in [0.0, 0.2] {
            let (problem, head) = problem(seed, shape);
            let (one, other) = (path(&problem, &head, smoothing), path(&problem, &head, smoothing));
            let late = other.head(7.5).unwrap();
            for tau in [1e-3, 0.31, 2.0, 7.5] {
                let found = one.head(tau).unwrap();
                let exact = integrate(&problem, &head, one.targets(), tau);
                let error = (&found - &exact).norm() / exact.norm();
                assert!(error < 1e-10, "{shape:?} {smoothing} {tau}: {error:e}");
                let r = one.residual(tau).unwrap();
                let direct = softmax_residual(problem.targets(), problem.features() * &found);
                assert!((r - direct).norm() < 1e-13);
                // To the last bit.
                assert_eq!(other.head(tau).unwrap(), found);
            }
            assert_eq!(one.head(7.5).unwrap(), late);
        }
    }
}

#[test]
fn every_energy_above_zero_is_reached_on_separable_features() {
    for (seed, shape) in [(0, SHAPES[0]), (1, SHAPES[1]), (2, SHAPES[2])] {
        let (problem, head) = problem(seed, shape);
        let path = path(&problem, &head, 0.0);
        let start = path.energy(0.0).unwrap().aie;
        let mut last = 0.0;
        for wanted in [start * 0.9, start * 0.3, 1e-2, 1e-4, 1e-8, 1e-12] {
            let tau = path.time_for(Measure::Aie, wanted).unwrap();
            assert!(tau > last);
            let energy = path.energy(tau).unwrap().aie;
            assert!((energy / wanted - 1.0).abs() < 1e-9, "{wanted}: {energy}");
            last = tau;
        }
        // 1/τ, and the norm grows by as much for every factor of ten.
        let [a, b, c] = [1e6, 1e7, 1e8].map(|tau| path.energy(tau).unwrap().aie * tau);
        assert!((b / a - 1.0).abs() < 0.05 && (c / b - 1.0).abs() < 0.05, "{a} {b} {c}");
        let norms = [1e6, 1e7, 1e8].map(|tau| path.head(tau).unwrap().norm());
        assert!(((norms[2] - norms[1]) / (norms[1] - norms[0]) - 1.0).abs() < 0.05, "{norms:?}");
        for error in
            [path.head(f64::INFINITY).unwrap_err(), path.time_for(Measure::Aie, 0.0).unwrap_err()]
        {
            assert!(matches!(error, ProbingError::NoLimit { .. }), "{error}");
        }
        assert!(matches!(
            path.time_for(Measure::Aie, 10.0),
            Err(ProbingError::Unreachable { highest, .. }) if highest >= start
        ));
    }
}

#[test]
fn features_that_separate_nothing_have_a_limit_and_an_energy_floor() {
    for (seed, shape) in [(3, SHAPES[3]), (4, SHAPES[4])] {
        let (problem, head) = problem(seed, shape);
        let path = path(&problem, &head, 0.0);
        let limit = path.head(f64::INFINITY).unwrap();
        let pull = problem.features().tr_mul(&path.residual(f64::INFINITY).unwrap());
        assert!(pull.norm() < 1e-13 * problem.features().norm_squared(), "{:e}", pull.norm());
        let late = path.head(1e4).unwrap();
        assert!((&late - &limit).norm() < 1e-9 * limit.norm());
        let floor = path.energy(f64::INFINITY).unwrap().frobenius;
        let start = path.energy(0.0).unwrap().frobenius;
        let between = floor + (start - floor) * 0.01;
        let tau = path.time_for(Measure::Frobenius, between).unwrap();
        assert!((path.energy(tau).unwrap().frobenius / between - 1.0).abs() < 1e-9);
        let Err(ProbingError::Unreachable { lowest, .. }) =
            path.time_for(Measure::Frobenius, floor * 0.9)
        else {
            panic!("an energy below the floor");
        };
        assert!(lowest > floor * 0.9 && lowest <= floor * (1.0 + 1e-9), "{lowest} {floor}");
        // Above it as well: probing ends at the floor and not at 0.
        let Err(ProbingError::Unreachable { lowest, .. }) =
            path.time_for(Measure::Frobenius, start * 10.0)
        else {
            panic!("an energy above the start");
        };
        assert!(lowest > floor * 0.9 && lowest <= floor * (1.0 + 1e-9), "{lowest} {floor}");
    }
}

#[test]
fn smoothed_probing_always_has_a_limit() {
    let (problem, head) = problem(1, SHAPES[1]);
    let path = path(&problem, &head, 0.1);
    let limit = path.head(f64::INFINITY).unwrap();
    let p = path.targets() - softmax_residual(path.targets(), problem.features() * limit);
    assert!((p.clone() - path.targets()).norm() < 1e-10);
    // Hence an energy floor that is proportional to the smoothing (T21).
    let floor = Energy::of(&(problem.targets() - path.targets())).aie;
    assert!((path.energy(f64::INFINITY).unwrap().aie - floor).abs() < 1e-10);
}

/// A head that begins wrong about one sample while the others are fitted: the AIE turns. A head with logits of ±30, all
/// wrong, on two samples of their own features: Δ̇ = 2(1 − ε/2 − σ(Δ)) for the difference of the two logits, which has
/// a closed form.
#[test]
fn smoothed_probing_turns_a_confidently_wrong_head_round() {
    let identity = DMatrix::identity(2, 2);
    let problem = Problem::new(identity.clone(), identity.clone(), identity).unwrap();
    let path = path(&problem, &dmatrix![0.0, 30.0; 30.0, 0.0], 0.1);
    let [aie, p] = [0.5, 1.0 - 0.5 / 2f64.sqrt()];
    let clock = |d: f64| {
        let left = (0.95 - 0.05 * d.exp()).ln();
        0.5 * ((d - left) / 0.95 - 20.0 * left)
    };
    let exact = clock((p / (1.0 - p)).ln()) - clock(-30.0);
    let found = path.time_for(Measure::Aie, aie).unwrap();
    assert!((found / exact - 1.0).abs() < 1e-10, "{found} {exact}");
    let end = path.energy(f64::INFINITY).unwrap().aie;
    assert!((end - 0.05 * 2f64.sqrt()).abs() < 1e-14, "{end}");
}

/// Where all starts saturated there is a limit under label smoothing all the same, and energies on the way to it.
#[test]
fn smoothed_probing_reaches_its_limit_from_any_head() {
    for (seed, scale) in (0..24).zip([1e1, 1e2, 1e3, 3e3].into_iter().cycle()) {
        let (problem, head) = problem(seed, SHAPES[1 + seed as usize % 5]);
        let path = path(&problem, &(head * scale), 0.1);
        let limit = path.head(f64::INFINITY).unwrap();
        let towards = softmax_residual(path.targets(), problem.features() * &limit);
        let pull = problem.features().tr_mul(&towards).norm();
        assert!(
            pull < 1e-13 * (1.0 + limit.norm()) * problem.features().norm(),
            "{seed} {scale}: {pull:e}"
        );
        let [start, end] = [0.0, f64::INFINITY].map(|tau| path.energy(tau).unwrap().aie);
        if end < 0.9 * start {
            let tau = path.time_for(Measure::Aie, 0.9 * start + 0.1 * end).unwrap();
            let level = path.energy(tau).unwrap().aie;
            assert!((level / (0.9 * start + 0.1 * end) - 1.0).abs() < 1e-10, "{seed} {scale}");
        }
    }
}

/// Some classes are fitted for ever, others not at all: whether there is a limit is not decided, but a time at which an
/// energy is met is found, by steps at which rounding is all that is left to solve for.
#[test]
fn energies_are_found_where_only_some_classes_separate() {
    let features = dmatrix![1.0, 0.0; 1.0, 0.0; 0.0, 1.0];
    let targets = dmatrix![1.0, 0.0, 0.0; 0.0, 1.0, 0.0; 0.0, 0.0, 1.0];
    let problem = Problem::new(features, DMatrix::identity(3, 3), targets).unwrap();
    let path = path(&problem, &dmatrix![300.0, -200.0, 0.0; 250.0, 100.0, -300.0], 0.0);
    let start = path.energy(0.0).unwrap().aie;
    let tau = path.time_for(Measure::Aie, 0.9 * start).unwrap();
    assert!((path.energy(tau).unwrap().aie / (0.9 * start) - 1.0).abs() < 1e-10);
    assert!(matches!(path.energy(f64::INFINITY), Err(ProbingError::Undecided { .. })));
}

#[test]
fn all_times_are_found_where_the_energy_turns() {
    let problem = Problem::new(
        dmatrix![1.0, 0.0; 0.0, 0.05],
        DMatrix::identity(2, 2),
        dmatrix![1.0, 0.0; 0.0, 1.0],
    )
    .unwrap();
    let path = path(&problem, &dmatrix![4.0, 0.0; 0.0, 90.0], 0.6);
    let energies: Vec<f64> = (0..400).map(|i| path.energy(0.05 * f64::from(i)).unwrap().aie).collect();
    let turns = energies.windows(3).filter(|e| (e[1] - e[0]) * (e[2] - e[1]) < 0.0).count();
    println!("{:?} {turns}", &energies.iter().step_by(20).collect::<Vec<_>>());
    let (low, high) = energies.iter().fold((f64::MAX, 0.0f64), |(l, h), &e| (l.min(e), h.max(e)));
    for share in [0.1, 0.5, 0.9] {
        let level = low + (high - low) * share;
        let crossings = energies.windows(2).filter(|e| (e[0] - level) * (e[1] - level) < 0.0).count();
        let times = path.times_for(Measure::Aie, level).unwrap();
        assert!(
            times.iter().filter(|t| **t < 0.05 * 399.0).count() == crossings,
            "{times:?} {crossings}"
        );
        for tau in times {
            assert!((path.energy(tau).unwrap().aie / level - 1.0).abs() < 1e-9);
        }
    }
}

/// Logits of 1e4: one sample is wrong for good, pulls the other over to the wrong side at τ = 3072, and from then on is
/// held back by it at a residual of 0.4. But for what is exponentially small the head is known.
#[test]
fn saturated_heads_are_followed_through_a_sample_that_changes_sides() {
    let problem =
        Problem::on_features(dmatrix![1.0, 0.0; 0.5, 1.0], dmatrix![1.0, 0.0; 0.0, 1.0]).unwrap();
    let path = path(&problem, &dmatrix![-8192.0, 8192.0; 1024.0, -4096.0], 0.0);
    for tau in [2000.0, 4096.0, 6000.0] {
        let held: f64 = if tau < 3072.0 { 0.0 } else { (tau - 3072.0 + 1.5f64.ln()) / 2.5 };
        let [a, b] = [-8192.0 + tau - 0.5 * held, 1024.0 - held];
        let found = path.head(tau).unwrap();
        let gap = (&found - dmatrix![a, -a; b, -4096.0 + held]).norm();
        assert!(gap < 1e-10 * tau, "{tau}: {gap:e}");
    }
}

/// Features of rank 2 behind six samples, as exact products: whatever is asked ends, with an answer or a reason.
#[test]
fn features_of_low_rank_are_no_special_case() {
    for seed in 0..6 {
        let (_, head) = problem(seed, [6, 5, 2]);
        let (left, right) =
            (normal(&mut stream(seed, 8), 6, 2, 1.0), normal(&mut stream(seed, 9), 2, 5, 1.0));
        let targets = DMatrix::from_fn(6, 2, |r, c| if r % 2 == c { 1.0 } else { 0.0 });
        let problem = Problem::on_features(left * right, targets).unwrap();
        let path = path(&problem, &head, 0.0);
        let start = path.energy(0.0).unwrap().aie;
        match path.energy(f64::INFINITY) {
            Ok(floor) => {
                let late = path.energy(1e6).unwrap().aie;
                assert!((late / floor.aie - 1.0).abs() < 1e-8, "{seed}: {late} {}", floor.aie);
                let below = path.time_for(Measure::Aie, 0.5 * floor.aie.min(start)).unwrap_err();
                assert!(matches!(below, ProbingError::Unreachable { .. }), "{below}");
            }
            Err(error) => {
                assert!(matches!(error, ProbingError::NoLimit { .. }), "{error}");
                let tau = path.time_for(Measure::Aie, 1e-3).unwrap();
                assert!((path.energy(tau).unwrap().aie / 1e-3 - 1.0).abs() < 1e-9);
            }
        }
        assert!(path.work().steps < 300, "{:?}", path.work());
    }
}
