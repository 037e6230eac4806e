//! The problems that the solver is measured on, each the two-layer linear model of inputs X, backbone
//! B₀, targets Y and head V₀: easy, stiff, degenerate and real ones. Tests and benches share them.
#![allow(dead_code)]

pub mod plain;

use nalgebra::{DMatrix, QR};
use taskhead::digits::{Digits, PIXELS};
use taskhead::flow::Flow;
use taskhead::flow::solver::{Options, solve};
use taskhead::problem::Problem;
use taskhead::reduction::{Reduction, State};
use taskhead::tasks::{normal, stream};

/// A problem of the suite.
#[derive(Clone)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// X, N×d.
    pub inputs: DMatrix<f64>,
    /// B₀, h×d.
    pub backbone: DMatrix<f64>,
    /// Y, N×k.
    pub targets: DMatrix<f64>,
    /// V₀, h×k.
    pub head: DMatrix<f64>,
    /// γ.
    pub head_rate: f64,
    /// A time in the middle of the motion that an explicit method reaches.
    pub middle: f64,
}

impl Case {
    /// Normal inputs of deviation 1/√d, backbone 1/√h, targets 1 and head 0.7/√h.
    fn random(name: &'static str, seed: u64, [n, d, h, k]: [usize; 4]) -> Self {
        let rng = |purpose| stream(seed, purpose);
        Self {
            name,
            inputs: normal(&mut rng(1), n, d, 1.0 / (d as f64).sqrt()),
            backbone: normal(&mut rng(2), h, d, 1.0 / (h as f64).sqrt()),
            targets: normal(&mut rng(3), n, k, 1.0),
            head: normal(&mut rng(5), h, k, 0.7 / (h as f64).sqrt()),
            head_rate: 1.0,
            middle: 1.0,
        }
    }

    /// The same with the eigenvalues of the kernel from 1 down to 1/condition in equal ratios.
    fn stiff(name: &'static str, seed: u64, [n, d, h, k]: [usize; 4], condition: f64) -> Self {
        let mut case = Self::random(name, seed, [n, d, h, k]);
        let basis = |purpose, size| QR::new(normal(&mut stream(seed, purpose), size, size, 1.0)).q();
        let mut inputs = basis(11, n);
        for (i, mut column) in inputs.column_iter_mut().enumerate() {
            column *= condition.powf(-0.5 * i as f64 / (n - 1) as f64);
        }
        case.inputs = inputs * basis(12, d).rows(0, n);
        case.backbone *= (d as f64 / n as f64).sqrt();
        case
    }

    /// The problem.
    pub fn problem(&self) -> Problem {
        Problem::linear(&self.inputs, &self.backbone, self.targets.clone()).expect("a valid problem")
    }

    /// Runs something on the reduced flow.
    pub fn with_flow<T>(&self, run: impl FnOnce(&Flow) -> T) -> T {
        let reduction = Reduction::new(&self.problem(), &self.head).expect("a valid head");
        run(&Flow::new(&reduction, &self.head, self.head_rate).expect("a valid flow"))
    }

    /// (Ḃ, V̇) = (V RᵀX, γ B Xᵀ R): the flow without any reduction.
    pub fn velocity(&self, b: &DMatrix<f64>, v: &DMatrix<f64>) -> (DMatrix<f64>, DMatrix<f64>) {
        let z = &self.inputs * b.transpose();
        let r = &self.targets - &z * v;
        (v * r.transpose() * &self.inputs, z.tr_mul(&r) * self.head_rate)
    }
}

/// The relative error of motion and head, the worse of both.
pub fn error(state: &State, exact: &State) -> f64 {
    let ratio = |a: &DMatrix<f64>, b: &DMatrix<f64>| (a - b).norm() / b.norm();
    ratio(&state.motion, &exact.motion).max(ratio(&state.head, &exact.head))
}

/// The problems that are solved in seconds.
pub fn small() -> Vec<Case> {
    let mut cases = vec![
        Case::random("easy", 1, [6, 24, 16, 2]),
        Case::random("one-output", 2, [12, 24, 30, 1]),
        Case::random("ten-outputs", 3, [8, 16, 24, 10]),
        Case::random("singular-kernel", 4, [12, 4, 20, 2]),
        Case::stiff("condition-1e2", 5, [20, 30, 40, 2], 1e2),
        Case::stiff("condition-1e4", 6, [20, 30, 40, 2], 1e4),
        Case::stiff("condition-1e6", 7, [20, 30, 40, 2], 1e6),
        Case::stiff("condition-1e8", 8, [20, 30, 40, 2], 1e8),
    ];
    // A head that nearly fits.
    let mut tiny = Case::random("tiny-energy", 9, [8, 16, 20, 2]);
    let z = &tiny.inputs * tiny.backbone.transpose();
    tiny.targets = &z * &tiny.head + &tiny.targets * 1e-4;
    cases.push(tiny);
    let mut large = Case::random("large-energy", 10, [8, 16, 20, 2]);
    large.targets *= 30.0;
    large.middle = 0.05;
    cases.push(large);
    // All features and the head near zero, where every direction leaves at its own time.
    let mut saddle = Case::random("saddle", 11, [6, 12, 10, 2]);
    saddle.backbone *= 1e-3;
    saddle.head *= 1e-3;
    saddle.middle = 4.0;
    cases.push(saddle);
    // A head that is opposite to its feature but for one part in 10⁴.
    let mut plateau = Case::random("plateau", 12, [1, 4, 3, 1]);
    plateau.targets.fill(1.0);
    let kappa = plateau.inputs.norm();
    plateau.head = &plateau.backbone * plateau.inputs.transpose() / -kappa;
    plateau.head[0] += 1e-4;
    plateau.middle = 10.0;
    cases.push(plateau);
    let slow_head = Case { head_rate: 0.01, ..Case::random("head-rate-0.01", 13, [8, 16, 20, 3]) };
    let fast_head =
        Case { head_rate: 100.0, middle: 0.3, ..Case::random("head-rate-100", 14, [8, 16, 20, 3]) };
    cases.extend([slow_head, fast_head]);
    // More outputs than features: a residual stays.
    cases.push(Case::random("narrow", 15, [6, 12, 2, 4]));
    cases
}

/// N = 40, h = 60, k = 3, condition 2.5·10⁴: the problem that general solvers were first measured on.
pub fn forty() -> Case {
    Case { middle: 10.0, ..Case::stiff("forty", 20, [40, 60, 60, 3], 2.5e4) }
}

/// N = 32, d = 512, h = 256, k = 4: width and input dimension far above the number of samples. Head 0, or another of
/// the same distribution.
pub fn wide(head: u64) -> Case {
    let mut case = Case::random("wide", 23, [32, 512, 256, 4]);
    if head > 0 {
        case.head = normal(&mut stream(23, 100 + head), 256, 4, 0.7 / 16.0);
    }
    case
}

/// N = 3, p = 5, k = 2.
pub fn tiny() -> Case {
    Case::random("tiny", 24, [3, 8, 10, 2])
}

/// 500 real digits from 0 to 4, 64 pixels, a backbone that starts as the identity.
pub fn digits() -> Case {
    let all = Digits::all().of(0..5);
    let digits = all.select(&(0..500).collect::<Vec<_>>());
    Case {
        name: "digits",
        targets: digits.targets(0, 5),
        inputs: digits.images / 8.0,
        backbone: DMatrix::identity(PIXELS, PIXELS),
        head: normal(&mut stream(21, 5), PIXELS, 5, 0.7 / 8.0),
        head_rate: 1.0,
        middle: 1.0,
    }
}

/// 1,000 real digits behind a random layer of `width` rectified units, and a linear layer on it that
/// starts as the identity.
pub fn random_features(name: &'static str, samples: usize, width: usize) -> Case {
    let digits = Digits::all().select(&(0..samples).collect::<Vec<_>>());
    let weights = normal(&mut stream(22, 1), PIXELS, width, 1.0 / 8.0);
    let inputs = (&digits.images * weights).map(|x| x.max(0.0)) / (width as f64).sqrt();
    Case {
        name,
        targets: digits.targets(0, 10),
        inputs,
        backbone: DMatrix::identity(width, width),
        head: normal(&mut stream(22, 5), width, 10, 0.7 / (width as f64).sqrt()),
        head_rate: 1.0,
        middle: 1.0,
    }
}

/// For each tolerance, the largest error at wanted times on the way from 0 to the limit, and at the limit.
pub fn worst_on_the_way(case: &Case, tolerances: &[f64]) -> Vec<f64> {
    case.with_flow(|flow| {
        let times: Vec<f64> = (-4..=4)
            .map(|i| case.middle * 10f64.powf(f64::from(i) / 2.0))
            .chain([f64::INFINITY])
            .collect();
        let states = |rtol| {
            let options = Options { rtol, times: times.clone(), ..Options::default() };
            let solution = solve(flow, f64::INFINITY, &options).expect("valid options");
            assert!(solution.end.stop.is_success(), "{}: {:?}", case.name, solution.end.stop);
            assert_eq!(solution.points.len(), times.len(), "{}", case.name);
            solution.points
        };
        let exact = states(1e-13);
        let largest = |rtol: &f64| {
            let errors = states(*rtol).into_iter().zip(&exact).map(|(a, b)| error(&a.state, &b.state));
            errors.fold(0.0, |a: f64, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) })
        };
        tolerances.iter().map(largest).collect()
    })
}
