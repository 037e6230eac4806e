//! Finetuning under cross-entropy: laws, stop rules, and the flow itself against an integration that shares nothing
//! with it.

use nalgebra::DMatrix;
use taskhead::flow::solver::{Options, Solution, solve};
use taskhead::flow::{Flow, FlowError, Stop};
use taskhead::loss::Loss;
use taskhead::problem::Problem;
use taskhead::reduction::Reduction;
use taskhead::tasks::{normal, stream};
use taskhead_suite::plain;

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

    /// Features and head at time t by plain integration of backbone and head.
    fn integrated(&self, t: f64, steps: usize) -> (DMatrix<f64>, DMatrix<f64>) {
        let residual = |f| plain::softmax_residual(&self.targets, f);
        let velocity = |here: &_| plain::velocity(here, &self.inputs, self.rate, residual);
        let start = [self.backbone.clone(), self.head.clone()];
        let [b, v] = plain::extrapolated(start, t, steps, velocity);
        (&self.inputs * b.transpose(), v)
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
            let (z, v) = raw.integrated(t, 6000);
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

/// T1: the velocity of the features is K R Vᵀ, and that of the head γZᵀR, with the residual of the loss.
#[test]
fn kernel_direction_and_energy_make_the_velocity() {
    for raw in problems() {
        raw.with_flow(|flow, reduction| {
            let (t, step) = (0.7, 1e-4);
            let times = vec![t - step, t, t + step];
            let options = Options { rtol: 1e-12, times, ..Options::default() };
            let points = solve(flow, 1.0, &options).unwrap().points;
            let features =
                |i: usize| raw.problem().features() + reduction.full_displacement(&points[i].state);
            let head = |i: usize| reduction.full_head(&points[i].state);
            let (z, v) = (features(1), head(1));
            let mut p = &z * &v;
            for mut row in p.row_iter_mut() {
                let most = if row.len() == 1 { 0.0 } else { row.max() };
                row.apply(|x| *x = (*x - most).exp());
                let sum = row.sum() + if row.len() == 1 { 1.0 } else { 0.0 };
                row /= sum;
            }
            let r = &raw.targets - p;
            let kernel = &raw.inputs * raw.inputs.transpose();
            let moved = (features(2) - features(0)) / (2.0 * step) - kernel * &r * v.transpose();
            let turned = (head(2) - head(0)) / (2.0 * step) - z.tr_mul(&r) * raw.rate;
            assert!(moved.norm() + turned.norm() < 1e-6, "{:e} {:e}", moved.norm(), turned.norm());
        });
    }
}

/// T5: features and head are moved by one linear map Φ with Φ̇ = [[0, R̂], [R̂ᵀ, 0]]Φ, which keeps the Minkowski form.
#[test]
fn finetuning_is_a_boost() {
    let raw = Raw::random(1, [4, 6, 5, 3], 1.0);
    raw.with_flow(|flow, reduction| {
        let (steps, until) = (100, 2.0);
        let h = until / steps as f64;
        let times = (0..=2 * steps).map(|i| 0.5 * h * i as f64).collect();
        let options = Options { rtol: 1e-12, times, ..Options::default() };
        let points = solve(flow, until, &options).unwrap().points;
        assert_eq!(points.len(), 2 * steps + 1);
        let (n, k) = (reduction.rows(), 3);
        let root = reduction.lambda().map(f64::sqrt);
        let generator = |i: usize| {
            let r = DMatrix::from_diagonal(&root) * &points[i].residual;
            let mut g = DMatrix::zeros(n + k, n + k);
            g.view_mut((0, n), (n, k)).copy_from(&r);
            g.view_mut((n, 0), (k, n)).copy_from(&r.transpose());
            g
        };
        let mut phi = DMatrix::<f64>::identity(n + k, n + k);
        for i in 0..steps {
            let [a, b, c] = [0, 1, 2].map(|j| generator(2 * i + j));
            let k1 = &a * &phi;
            let k2 = &b * (&phi + &k1 * (h / 2.0));
            let k3 = &b * (&phi + &k2 * (h / 2.0));
            let k4 = &c * (&phi + &k3 * h);
            phi += (k1 + k2 * 2.0 + k3 * 2.0 + k4) * (h / 6.0);
        }
        let both = |i: usize| {
            let state = &points[i].state;
            let z = DMatrix::from_diagonal(&root.map(f64::recip)) * reduction.features_at(state);
            let mut all = DMatrix::zeros(n + k, reduction.width());
            all.rows_mut(0, n).copy_from(&z);
            all.rows_mut(n, k).copy_from(&state.head.transpose());
            all
        };
        let gap = (&phi * both(0) - both(2 * steps)).norm() / both(2 * steps).norm();
        assert!(gap < 1e-7, "{gap:e}");
        let mut form = DMatrix::<f64>::identity(n + k, n + k);
        (n..n + k).for_each(|i| form[(i, i)] = -1.0);
        assert!((phi.tr_mul(&(&form * &phi)) - form).norm() < 1e-7);
    });
}

/// T22: the loss never rises, in finetuning and in probing, where ‖ZᵀR‖ never rises either.
#[test]
fn the_loss_never_rises() {
    use taskhead::probing::ProbingPath;
    for raw in problems() {
        let problem = raw.problem();
        let path = ProbingPath::with_loss(&problem, &raw.head, 0.0, Loss::CrossEntropy).unwrap();
        let (mut last, mut pull) = (f64::INFINITY, f64::INFINITY);
        for i in 0..40 {
            let tau = 0.01 * 1.5f64.powi(i);
            let head = path.head(tau).unwrap();
            let loss = Loss::CrossEntropy.value(problem.targets(), &(problem.features() * head));
            let now = problem.features().tr_mul(&path.residual(tau).unwrap()).norm();
            // At rest both stay, to rounding.
            assert!(loss <= last * (1.0 + 1e-13) && now <= pull * (1.0 + 1e-9) + 1e-12, "{tau}");
            (last, pull) = (loss, now);
        }
        raw.with_flow(|flow, reduction| {
            let times = (0..40).map(|i| 0.01 * 1.5f64.powi(i)).collect();
            let points = solve(flow, 1e6, &Options { times, ..Options::default() }).unwrap().points;
            let losses: Vec<f64> = points.iter().map(|p| reduction.loss(&p.state)).collect();
            assert!(losses.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-13)), "{losses:?}");
        });
    }
}

/// Logits of 1e4 and more, where the loss has no curvature but where samples change sides: the flow ends where it is
/// asked to, and every result passes the check of its budget. Up to 1e4 steps that begin elsewhere end at the same
/// state; beyond that the error of a state, a share of its size, is seen by the samples that change sides.
#[test]
fn huge_logits_are_followed() {
    use taskhead::simulation::{Method, Probe, Run, Settings, Until};
    for size in [1e4, 1e6] {
        for mut raw in problems() {
            raw.head *= size;
            let problem = raw.problem();
            let run = Run::with_loss(&problem, &raw.head, 0.0, Loss::CrossEntropy).unwrap();
            for (until, t) in [(Until::Time, 1.0 / size), (Until::Loss(0.1), f64::INFINITY)] {
                let settings =
                    Settings { head_rate: raw.rate, method: Method::Flow, until, ..Settings::default() };
                let found = run.finetune(Probe::Time(0.0), &[t], &settings).unwrap().remove(0);
                match until {
                    Until::Loss(level) => {
                        assert!((found.loss / level - 1.0).abs() < 1e-8, "{}", found.loss)
                    }
                    _ => assert_eq!((found.stop, found.time), (Stop::Time, t)),
                }
            }
            if size > 1e4 {
                continue;
            }
            raw.with_flow(|flow, _| {
                let end = |first_step| {
                    let options = Options { first_step, ..Options::default() };
                    solve(flow, 1.0 / size, &options).unwrap().end
                };
                let (one, other) = (end(None), end(Some(1e-6 / size / size)));
                let gap = (&one.state.motion - &other.state.motion).norm() / one.state.motion.norm();
                assert!(gap < 1e-7, "{size:e}: {gap:e}");
            });
        }
    }
}
