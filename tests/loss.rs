//! Finetuning under cross-entropy: laws, stop rules, and the flow itself against an integration that shares nothing with it.

use nalgebra::DMatrix;
use taskhead::flow::solver::{Options, Solution, solve};
use taskhead::flow::{Flow, FlowError, Stop};
use taskhead::loss::Loss;
use taskhead::problem::Problem;
use taskhead::reduction::Reduction;
use taskhead::tasks::{normal, stream};

/// A linear model with labels.
struct Raw {
    inputs: DMatrix<f64>,
    backbone: DMatrix<f64>,
    targets: DMatrix<f64>,
    head: DMatrix<f64>,
    rate: f64,
}

impl Raw {
    fn random(seed: u64, [n, d, h, k]: [usize; 4], rate: f64) -> Self {
        let rng = |purpose| stream(seed, purpose);
        let class = |row: usize| (3 * row + row / k.max(2)) % k.max(2);
        Self {
            inputs: normal(&mut rng(1), n, d, 1.0 / (d as f64).sqrt()),
            backbone: normal(&mut rng(2), h, d, 1.5 / (h as f64).sqrt()),
            targets: DMatrix::from_fn(n, k, |r, c| if class(r) == c { 1.0 } else { 0.0 }),
            head: normal(&mut rng(5), h, k, 0.7 / (h as f64).sqrt()),
            rate,
        }
    }

    fn problem(&self) -> Problem {
        Problem::linear(&self.inputs, &self.backbone, self.targets.clone()).unwrap()
    }

    fn with_flow<T>(&self, run: impl FnOnce(&Flow, &Reduction) -> T) -> T {
        let reduction = Reduction::for_loss(&self.problem(), &self.head, Loss::CrossEntropy).unwrap();
        run(&Flow::new(&reduction, &self.head, self.rate).unwrap(), &reduction)
    }

    fn residual(&self, b: &DMatrix<f64>, v: &DMatrix<f64>) -> DMatrix<f64> {
        let mut p = &self.inputs * b.transpose() * v;
        for mut row in p.row_iter_mut() {
            if row.len() == 1 {
                row[0] = 1.0 / (1.0 + (-row[0]).exp());
            } else {
                let most = row.max();
                row.apply(|x| *x = (*x - most).exp());
                row /= row.sum();
            }
        }
        &self.targets - p
    }

    /// Classical Runge–Kutta of order 4 on backbone and head themselves: no kernel, no reduction.
    fn integrate(&self, t: f64, steps: usize) -> (DMatrix<f64>, DMatrix<f64>) {
        let velocity = |b: &DMatrix<f64>, v: &DMatrix<f64>| {
            let r = self.residual(b, v);
            let z = &self.inputs * b.transpose();
            (v * r.transpose() * &self.inputs, z.transpose() * r * self.rate)
        };
        let (mut b, mut v) = (self.backbone.clone(), self.head.clone());
        let step = t / steps as f64;
        for _ in 0..steps {
            let (b1, v1) = velocity(&b, &v);
            let (b2, v2) = velocity(&(&b + &b1 * (step / 2.0)), &(&v + &v1 * (step / 2.0)));
            let (b3, v3) = velocity(&(&b + &b2 * (step / 2.0)), &(&v + &v2 * (step / 2.0)));
            let (b4, v4) = velocity(&(&b + &b3 * step), &(&v + &v3 * step));
            b += (b1 + b2 * 2.0 + b3 * 2.0 + b4) * (step / 6.0);
            v += (v1 + v2 * 2.0 + v3 * 2.0 + v4) * (step / 6.0);
        }
        (&self.inputs * b.transpose(), v)
    }

    /// The same, with the leading error term of two step sizes taken away.
    fn extrapolated(&self, t: f64, steps: usize) -> (DMatrix<f64>, DMatrix<f64>) {
        let ((z1, v1), (z2, v2)) = (self.integrate(t, steps), self.integrate(t, 2 * steps));
        (&z2 + (&z2 - z1) / 15.0, &v2 + (&v2 - v1) / 15.0)
    }
}

/// N, d, h, k and γ: wide and narrow, one and many outputs, a singular kernel (d < N), a frozen head, fixed features.
fn problems() -> Vec<Raw> {
    let shapes = [
        ([4, 7, 9, 1], 1.0),
        ([5, 8, 3, 2], 1.0),
        ([6, 4, 20, 3], 0.1),
        ([3, 9, 40, 10], 1.0),
        ([1, 3, 2, 2], 10.0),
        ([8, 12, 6, 4], 0.0),
    ];
    (0..).zip(shapes).map(|(seed, (shape, rate))| Raw::random(seed, shape, rate)).collect()
}

#[test]
fn the_flow_is_that_of_a_plain_integration() {
    for (i, raw) in problems().iter().enumerate() {
        for t in [0.3, 4.0, 40.0] {
            let (z, v) = raw.extrapolated(t, 6000);
            raw.with_flow(|flow, reduction| {
                let Solution { end, work, .. } = solve(flow, t, &Options::default()).unwrap();
                let found = raw.problem().features() + reduction.full_displacement(&end.state);
                let head = reduction.full_head(&end.state);
                let moved = (&z - raw.problem().features()).norm();
                let (a, b) = ((found - &z).norm() / moved, (head - &v).norm() / v.norm());
                println!("{i} t={t}: features {a:.1e} head {b:.1e} {work:?}");
                assert!(a < 1e-8 && b < 1e-8, "problem {i}, t = {t}: {a:e}, {b:e}");
                // T6 with dL, T2, and the residual of the state.
                let budget = end.budget.unwrap();
                let gone = reduction.loss(flow.start()) - reduction.loss(&end.state);
                assert!((budget.backbone + budget.head - gone).abs() < 1e-8 * gone);
                if let Some(drift) = reduction.conservation_drift(flow.start(), &end.state, raw.rate) {
                    assert!(drift < 1e-14);
                }
                assert!((&end.residual - reduction.residual(&end.state)).norm() < 1e-12);
            });
        }
    }
}

#[test]
fn stop_rules_stop_where_they_say() {
    for raw in problems() {
        raw.with_flow(|flow, reduction| {
            let n = raw.targets.nrows() as f64;
            let mean = |s: &taskhead::reduction::State| reduction.loss(s) / n;
            let start = mean(flow.start());
            for level in [start * 2.0, start * 0.7, 1e-3] {
                if raw.rate == 0.0 && level < 0.1 {
                    continue;
                }
                let options = Options { loss: Some(level), ..Options::default() };
                let end = solve(flow, f64::INFINITY, &options).unwrap().end;
                assert_eq!(end.stop, Stop::Loss { level });
                if level > start {
                    assert_eq!(end.time, 0.0);
                    continue;
                }
                assert!((mean(&end.state) / level - 1.0).abs() < 1e-9, "{level}");
                let direct = solve(flow, end.time, &Options::default()).unwrap().end;
                assert!((direct.state.head - end.state.head).norm() < 1e-7);
            }
            let options = Options { accuracy: Some(1.0), ..Options::default() };
            let end = solve(flow, 1e6, &options).unwrap().end;
            if let Stop::Accuracy { .. } = end.stop {
                assert_eq!(reduction.accuracy(&end.state), Some(1.0));
                if end.time > 0.0 {
                    let before = solve(flow, end.time * (1.0 - 1e-6), &Options::default()).unwrap().end;
                    assert!(reduction.accuracy(&before.state).unwrap() < 1.0);
                }
            }
        });
    }
}

#[test]
fn a_limit_that_is_none_is_an_error() {
    for raw in problems().iter().filter(|raw| raw.rate > 0.0) {
        let error =
            raw.with_flow(|flow, _| solve(flow, f64::INFINITY, &Options::default())).unwrap_err();
        assert!(matches!(error, FlowError::NoLimit { .. }), "{error}");
    }
}

/// Two samples that are alike, with different labels: nothing fits them both.
fn contradictory(rate: f64) -> Raw {
    let mut raw = Raw::random(20, [6, 3, 4, 2], rate);
    raw.targets = DMatrix::from_fn(6, 2, |r, c| if r % 2 == c { 1.0 } else { 0.0 });
    for pair in 0..3 {
        let row = raw.inputs.row(2 * pair) * (pair as f64 - 3.5);
        raw.inputs.set_row(2 * pair + 1, &(if pair == 2 { -row } else { row / (pair as f64 - 3.5) }));
    }
    raw
}

#[test]
fn a_limit_that_exists_is_stationary_and_met_by_long_times() {
    for rate in [1.0, 0.0, 0.3] {
        let raw = contradictory(rate);
        raw.with_flow(|flow, reduction| {
            let Solution { end, work, .. } = solve(flow, f64::INFINITY, &Options::default()).unwrap();
            println!("{work:?} {:?} loss {}", end.stop, reduction.loss(&end.state));
            assert_eq!(end.stop, Stop::Converged);
            let velocity = flow.velocity(&end.state);
            assert!(velocity.motion.norm() + velocity.head.norm() < 1e-9);
            let late = solve(flow, 1e4, &Options::default()).unwrap().end;
            let gap = (late.state.motion - &end.state.motion).norm();
            assert!(gap < 1e-8 * end.state.motion.norm(), "{gap:e}");
        });
    }
}
