//! Laws that every solution obeys, written once and run on the solver and on every closed form.

use nalgebra::DMatrix;
use taskhead::flow::{FlowError, SolvedBy};
use taskhead::problem::Problem;
use taskhead::simulation::{Method, Probe, Run, Settings, Simulation, SimulationError};
use taskhead::tasks::{Gaussian, Task, TaskSpec, normal, stream};
use taskhead_suite::plain;

/// Agreement that is promised at default settings.
const PROMISED: f64 = 1e-7;

struct Raw {
    inputs: DMatrix<f64>,
    backbone: DMatrix<f64>,
    targets: DMatrix<f64>,
    head: DMatrix<f64>,
    rate: f64,
    /// The closed form that must be found, or the solver.
    form: Option<SolvedBy>,
}

impl Raw {
    fn random(seed: u64, [n, d, h, k]: [usize; 4], rate: f64) -> Self {
        let rng = |purpose| stream(seed, purpose);
        Self {
            inputs: normal(&mut rng(1), n, d, 1.0 / (d as f64).sqrt()),
            backbone: normal(&mut rng(2), h, d, 1.0 / (h as f64).sqrt()),
            targets: normal(&mut rng(3), n, k, 1.0),
            head: normal(&mut rng(5), h, k, 0.7 / (h as f64).sqrt()),
            rate,
            form: None,
        }
    }

    fn with_form(self, form: SolvedBy) -> Self {
        Self { form: Some(form), ..self }
    }

    fn problem(&self) -> Problem {
        Problem::linear(&self.inputs, &self.backbone, self.targets.clone()).unwrap()
    }

    fn solve(&self, t: f64) -> (DMatrix<f64>, DMatrix<f64>, Simulation) {
        let problem = self.problem();
        let run = Run::new(&problem, &self.head, 0.0).unwrap();
        let method = if self.form.is_some() { Method::ClosedForm } else { Method::Flow };
        let settings = Settings { head_rate: self.rate, method, ..Settings::default() };
        let result = run.finetune(Probe::Time(0.0), &[t], &settings).unwrap().remove(0);
        assert_eq!(result.method, self.form.unwrap_or(SolvedBy::Flow));
        (run.features(&result), run.head(&result), result)
    }

    /// Features and head at time t by plain integration of backbone and head.
    fn integrate(&self, t: f64, steps: usize) -> (DMatrix<f64>, DMatrix<f64>) {
        let velocity = |here: &_| plain::velocity(here, &self.inputs, self.rate, |f| &self.targets - f);
        let start = [self.backbone.clone(), self.head.clone()];
        let [b, v] = plain::runge_kutta(start, t, steps, velocity);
        (&self.inputs * b.transpose(), v)
    }
}

/// N, d, h, k and γ for the solver: wide and narrow, one and many outputs (more than N + h), a singular kernel (d <
/// N), a frozen head. Then every closed form.
fn problems() -> Vec<Raw> {
    let shapes = [
        ([4, 7, 9, 1], 1.0),
        ([5, 8, 3, 2], 1.0),
        ([6, 4, 20, 3], 0.1),
        ([3, 9, 40, 10], 1.0),
        ([1, 3, 2, 2], 10.0),
        ([8, 12, 6, 4], 0.0),
        ([3, 4, 5, 40], 1.0),
    ];
    let mut all: Vec<Raw> =
        (0..).zip(shapes).map(|(seed, (shape, rate))| Raw::random(seed, shape, rate)).collect();
    all.push(Raw::random(10, [1, 4, 5, 1], 0.3).with_form(SolvedBy::RankOne));
    let mut colinear = Raw::random(11, [4, 3, 5, 1], 2.0);
    let direction = colinear.inputs.row(0).into_owned();
    for (i, factor) in [1.0, -0.5, 2.0, 0.3].into_iter().enumerate() {
        colinear.inputs.set_row(i, &(&direction * factor));
    }
    all.push(colinear.with_form(SolvedBy::RankOne));
    all.push(Raw::random(12, [5, 8, 7, 3], 0.0).with_form(SolvedBy::FrozenHead));
    all.push(decoupled().with_form(SolvedBy::Decoupled));
    all
}

/// Three modes in random bases of samples, inputs, features and outputs.
fn decoupled() -> Raw {
    let (n, d, h, k) = (3, 5, 7, 3);
    let basis = |purpose, size| nalgebra::QR::new(normal(&mut stream(13, purpose), size, size, 1.0)).q();
    let (u, p, q, w) = (basis(1, n), basis(2, d), basis(3, h), basis(4, k));
    let diagonal = |rows, columns, values: [f64; 3]| {
        let mut m = DMatrix::zeros(rows, columns);
        values.into_iter().enumerate().for_each(|(i, v)| m[(i, i)] = v);
        m
    };
    // Heads along their feature, and across it in directions that no other mode uses.
    let mut head = diagonal(h, k, [0.3, -0.2, 0.1]);
    (head[(3, 0)], head[(4, 1)], head[(5, 2)]) = (0.5, 0.4, 0.8);
    Raw {
        inputs: &u * diagonal(n, d, [1.0, 0.7, 1.5]) * p.transpose(),
        backbone: &q * diagonal(h, d, [0.9, 1.2, 0.6]) * p.transpose(),
        targets: &u * diagonal(n, k, [1.5, -1.0, 0.6]) * w.transpose(),
        head: q * head * w.transpose(),
        rate: 0.5,
        form: None,
    }
}

fn close(a: &DMatrix<f64>, b: &DMatrix<f64>, what: &str) {
    let error = (a - b).norm() / b.norm().max(1e-3);
    assert!(error < PROMISED, "{what}: relative error {error:e}");
}

#[test]
fn solutions_agree_with_an_independent_integration_of_backbone_and_head() {
    for raw in problems() {
        let (z, v, _) = raw.solve(2.0);
        let (z_raw, v_raw) = raw.integrate(2.0, 4000);
        close(&z, &z_raw, "features");
        close(&v, &v_raw, "head");
    }
}

#[test]
fn conservation_and_budget_hold_and_the_loss_falls() {
    for raw in problems() {
        let before = raw.problem().residual(&raw.head).norm_squared() / 2.0;
        let mut last = before;
        for t in [0.1, 1.0, 10.0, f64::INFINITY] {
            let (_, _, result) = raw.solve(t);
            let drift = result.conservation_drift.expect("features in the range of the kernel");
            assert!(drift < PROMISED, "drift {drift:e}");
            let loss = result.residual.powi(2) / 2.0;
            // Below the square of the solver's tolerance (1e-9) the loss is rounding.
            assert!(
                loss <= last * (1.0 + 1e-12) + 1e-18 * before,
                "the loss grew from {last} to {loss}"
            );
            let budget = result.budget.unwrap();
            let spent = budget.backbone + budget.head;
            assert!(
                (spent - (before - loss)).abs() < PROMISED * before,
                "{spent} is not {}",
                before - loss
            );
            last = loss;
        }
    }
}

#[test]
fn symmetries_of_the_flow_are_symmetries_of_the_result() {
    for raw in problems() {
        let (z, v, _) = raw.solve(3.0);
        // (v, y) → (−v, −y)
        let mirror = Raw { targets: -&raw.targets, head: -&raw.head, ..raw.copy() };
        let (zm, vm, _) = mirror.solve(3.0);
        close(&zm, &z, "mirrored features");
        close(&-vm, &v, "mirrored head");
        // A rotation of feature space
        let h = raw.backbone.nrows();
        let q = nalgebra::QR::new(normal(&mut stream(99, 9), h, h, 1.0)).q();
        let turned = Raw { backbone: &q * &raw.backbone, head: &q * &raw.head, ..raw.copy() };
        let (zt, vt, _) = turned.solve(3.0);
        close(&(zt * &q), &z, "rotated features");
        close(&(q.transpose() * vt), &v, "rotated head");
        // The samples in reverse order
        let n = raw.inputs.nrows();
        let reverse = |a: &DMatrix<f64>| DMatrix::from_fn(n, a.ncols(), |r, c| a[(n - 1 - r, c)]);
        let permuted =
            Raw { inputs: reverse(&raw.inputs), targets: reverse(&raw.targets), ..raw.copy() };
        let (zp, vp, _) = permuted.solve(3.0);
        close(&reverse(&zp), &z, "permuted features");
        close(&vp, &v, "head of permuted samples");
        // B, V → sB, sV with Y → s²Y and t → t/s²
        let s = 3.0;
        let scaled = Raw {
            backbone: &raw.backbone * s,
            head: &raw.head * s,
            targets: &raw.targets * (s * s),
            ..raw.copy()
        };
        let (zs, vs, _) = scaled.solve(3.0 / (s * s));
        close(&(zs / s), &z, "scaled features");
        close(&(vs / s), &v, "scaled head");
    }
}

impl Raw {
    fn copy(&self) -> Self {
        Self {
            inputs: self.inputs.clone(),
            backbone: self.backbone.clone(),
            targets: self.targets.clone(),
            head: self.head.clone(),
            rate: self.rate,
            form: self.form,
        }
    }
}

/// The trend of the paper on random problems, as far as a test can say: distances rise with energy.
#[test]
fn distances_rise_with_energy_on_random_problems() {
    for seed in 0..4 {
        let task = Task::new(&TaskSpec::Gaussian(Gaussian::default()), seed).unwrap();
        let run = Run::new(&task.problem, &task.initial_head(seed, 1.0), 0.0).unwrap();
        let mut last = -1.0;
        for tau in [f64::INFINITY, 10.0, 3.0, 1.0, 0.3, 0.0] {
            let results =
                run.finetune(Probe::Time(tau), &[f64::INFINITY], &Settings::default()).unwrap();
            assert!(results[0].adaptation.euclidean > last);
            last = results[0].adaptation.euclidean;
        }
    }
}

/// Shapes down to one, with any of features, kernel, targets and head zero: every method gives numbers or says why
/// not, and the solver's are those of a closed form.
#[test]
fn small_shapes_with_zero_parts_are_solved_by_every_method() {
    let mut solved = 0;
    for (shape, zeros) in [[1, 1, 1, 1], [1, 3, 2, 2], [2, 1, 3, 1], [3, 2, 1, 2]]
        .into_iter()
        .flat_map(|shape| (0..16).map(move |zeros| (shape, zeros)))
    {
        let mut raw = Raw::random(30, shape, 0.7);
        let parts = [&mut raw.inputs, &mut raw.backbone, &mut raw.targets, &mut raw.head];
        for (i, part) in parts.into_iter().enumerate() {
            if zeros >> i & 1 == 1 {
                part.fill(0.0);
            }
        }
        let problem = Problem::linear(&raw.inputs, &raw.backbone, raw.targets.clone()).unwrap();
        for rate in [0.0, 0.7] {
            let run = Run::new(&problem, &raw.head, 0.0).unwrap();
            let finetune = |method| {
                // A thousand times as many steps of gradient descent.
                let max_steps = 100;
                let settings = Settings { head_rate: rate, method, max_steps, ..Settings::default() };
                run.finetune(Probe::Time(0.1), &[0.0, 1.0, f64::INFINITY], &settings)
            };
            let flow = finetune(Method::Flow).unwrap();
            for method in [Method::Auto, Method::ClosedForm, Method::Descent] {
                let other = match (method, finetune(method)) {
                    (_, Ok(other)) => other,
                    (Method::ClosedForm, Err(SimulationError::NoClosedForm(_)))
                    | (Method::Descent, Err(SimulationError::Flow(FlowError::Diverged { .. }))) => {
                        continue;
                    }
                    (_, Err(error)) => panic!("{shape:?} {zeros:04b} {method:?}: {error}"),
                };
                for (a, b) in flow.iter().zip(&other) {
                    let gap = (&a.states.1.motion - &b.states.1.motion).norm();
                    let allowed = if method == Method::Descent { f64::MAX } else { 1e-7 };
                    assert!(gap <= allowed, "{shape:?} {zeros:04b} {method:?} at {}: {gap:e}", a.time);
                    solved += 1;
                }
            }
        }
    }
    assert!(solved > 500, "{solved}");
}
