//! Closed forms against 50-digit reference values: `tests/reference/*.json`, made by `make.py` beside them.

use nalgebra::{DMatrix, DVector};
use serde_json::Value;
use taskhead::energy::Energy;
use taskhead::flow::balanced::Balanced;
use taskhead::flow::frozen::FrozenHead;
use taskhead::flow::rank_one::{Limit, RankOne};
use taskhead::flow::{ClosedForm, Flow, Stop};
use taskhead::loss::Loss;
use taskhead::probing::ProbingPath;
use taskhead::problem::Problem;
use taskhead::reduction::Reduction;
use taskhead::simulation::{Method, Probe, Run, Settings, Until};

/// Relative accuracy that closed forms promise.
const PROMISED: f64 = 1e-12;

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/reference/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the reference file is there");
    let value: Value = serde_json::from_str(&text).expect("the reference file is JSON");
    value["cases"].as_array().expect("it holds cases").clone()
}

/// A number, given as one or as text with more digits than f64 holds.
fn number(v: &Value) -> f64 {
    v.as_f64().unwrap_or_else(|| v.as_str().expect("a number").parse().expect("a number"))
}

fn vector(v: &Value) -> DVector<f64> {
    let values: Vec<f64> = v.as_array().expect("a vector").iter().map(number).collect();
    DVector::from_vec(values)
}

fn matrix(v: &Value) -> DMatrix<f64> {
    let rows: Vec<_> = v.as_array().expect("a matrix").iter().map(|r| vector(r).transpose()).collect();
    DMatrix::from_rows(&rows)
}

/// The largest magnitude; NaN if any entry is, which `amax` would pass over.
fn worst<R: nalgebra::Dim, C: nalgebra::Dim, S: nalgebra::RawStorage<f64, R, C>>(
    m: &nalgebra::Matrix<f64, R, C, S>,
) -> f64 {
    m.iter().fold(0.0, |worst, v| if v.is_nan() || v.abs() > worst { v.abs() } else { worst })
}

/// Collects what is wrong, so that a failing run names every case.
#[derive(Default)]
struct Report(Vec<String>);

impl Report {
    fn check(&mut self, case: &Value, what: &str, error: f64, allowed: f64) {
        // A NaN is wrong too.
        if error.is_nan() || error > allowed {
            self.0.push(format!("{} {what}: error {error:e}, allowed {allowed:e}", case["id"]));
        }
    }

    fn finish(self, cases: usize, at_least: usize) {
        assert!(cases >= at_least, "only {cases} cases");
        assert!(self.0.is_empty(), "{} of {cases} cases:\n{}", self.0.len(), self.0.join("\n"));
    }
}

#[test]
fn rank_one() {
    let cases = cases("rank_one");
    let mut report = Report::default();
    for case in &cases {
        let (z0, v0) = (vector(&case["z0"]), vector(&case["v0"]));
        let (y, kappa, gamma) = (number(&case["y"]), number(&case["kappa"]), number(&case["gamma"]));
        let form = match RankOne::new(kappa, gamma, y, z0.clone(), v0.clone()) {
            Ok(form) => form,
            Err(error) => {
                report.0.push(format!("{}: {error}", case["id"]));
                continue;
            }
        };
        let point = form.at(number(&case["t"])).expect("a valid time");
        let (z, v) = (vector(&case["z"]), vector(&case["v"]));
        // Relative to the vector or to its start: a feature that shrinks to 0 keeps the start's rounding.
        report.check(case, "z", worst(&(&point.feature - &z)), PROMISED * z.amax().max(z0.amax()));
        report.check(case, "v", worst(&(&point.head - &v)), PROMISED * v.amax().max(v0.amax()));
        let scale = y.abs().max(number(&case["residual"]).abs());
        report.check(case, "r", (point.residual - number(&case["residual"])).abs(), PROMISED * scale);
        let loss = number(&case["budget_backbone"]) + number(&case["budget_head"]);
        let backbone = (point.budget.backbone - number(&case["budget_backbone"])).abs();
        report.check(case, "backbone budget", backbone, 1e-11 * loss);
        let head = (point.budget.head - number(&case["budget_head"])).abs();
        report.check(case, "head budget", head, 1e-11 * loss);
    }
    report.finish(cases.len(), 40);
}

#[test]
fn rank_one_limits() {
    let cases = cases("limits");
    let mut report = Report::default();
    for case in &cases {
        let [y, w, a] = ["y", "w", "a"].map(|name| number(&case[name]));
        let limit = Limit::new(y, w, a);
        let metrics = limit.adaptation();
        for (what, value) in [
            ("sigma", limit.rapidity()),
            ("euclidean", metrics.euclidean),
            ("cosine_distance", metrics.cosine),
            ("dot", metrics.dot),
            ("norm", metrics.norm),
        ] {
            let expected = number(&case[what]);
            // The dot product cosh σ + a sinh σ may be a small difference: it is as accurate as its terms.
            let sigma = number(&case["sigma"]);
            let terms = if what == "dot" { sigma.cosh() + (a * sigma.sinh()).abs() } else { 0.0 };
            let terms = if terms > 100.0 * expected.abs() && sigma.abs() < 1.0 { terms } else { 0.0 };
            report.check(case, what, (value - expected).abs(), PROMISED * expected.abs().max(terms));
        }
    }
    report.finish(cases.len(), 12);
}

#[test]
fn probing() {
    let cases = cases("probing");
    let mut report = Report::default();
    for case in &cases {
        let [features, targets, head] = ["features", "targets", "head"].map(|name| matrix(&case[name]));
        let n = targets.nrows();
        let problem = Problem::new(features, DMatrix::identity(n, n), targets).expect("a valid problem");
        let path = ProbingPath::new(&problem, &head).expect("a valid head");
        let tau = number(&case["tau"]);
        let (expected, residual) = (matrix(&case["head_out"]), matrix(&case["residual_out"]));
        // An ill-conditioned feature matrix loses digits of the head in every algorithm.
        let s = problem.features().clone().svd(false, false).singular_values;
        let small = s.iter().copied().filter(|v| *v > 1e-13 * s.max()).fold(f64::INFINITY, f64::min);
        let condition = if small.is_finite() { (s.max() / small).max(1.0) } else { 1.0 };
        let found = path.head(tau).expect("a valid time");
        report.check(
            case,
            "head",
            worst(&(found - &expected)),
            PROMISED * condition * expected.amax().max(1.0),
        );
        let found = path.residual(tau).expect("a valid time");
        let scale = problem.targets().amax().max(problem.residual(&head).amax());
        report.check(case, "residual", worst(&(&found - &residual)), PROMISED * scale);
        let aie = (Energy::of(&found).aie - number(&case["aie"])).abs();
        report.check(case, "AIE", aie, PROMISED * scale);
    }
    report.finish(cases.len(), 10);
}

#[test]
fn frozen_head() {
    let cases = cases("frozen");
    let mut report = Report::default();
    for case in &cases {
        let [features, kernel, targets, head] =
            ["features", "kernel", "targets", "head"].map(|name| matrix(&case[name]));
        let problem = Problem::new(features, kernel, targets).expect("a valid problem");
        let reduction = Reduction::new(&problem, &head).expect("a valid head");
        let flow = Flow::new(&reduction, &head, 0.0).expect("a valid rate");
        let form = FrozenHead::of_flow(&flow).expect("a frozen head");
        let state = form.state(number(&case["t"])).expect("a valid time");
        let found = problem.features() + reduction.full_displacement(&state);
        let expected = matrix(&case["features_out"]);
        // Small kernel eigenvalues are known to rounding of the largest only.
        let lambda = problem.kernel().eigenvalues();
        let condition = if lambda.is_empty() { 1.0 } else { lambda[0] / lambda[lambda.len() - 1] };
        let allowed = PROMISED.max(4.0 * f64::EPSILON * condition) * expected.amax().max(1.0);
        report.check(case, "features", worst(&(found - &expected)), allowed);
    }
    report.finish(cases.len(), 10);
}

#[test]
fn balanced() {
    let cases = cases("balanced");
    let mut report = Report::default();
    for case in &cases {
        let [features, targets, head] = ["features", "targets", "head"].map(|name| matrix(&case[name]));
        let form = Balanced::new(&features, &targets, &head).expect("a balanced start");
        let grams = form.at(number(&case["t"])).expect("a valid time");
        let names = ["feature_gram", "prediction", "head_gram"];
        let expected = names.map(|name| matrix(&case[name]));
        // All three are blocks of one Gram matrix and accurate relative to it; a flow that shrinks keeps
        // the rounding of its start.
        let start = features.norm_squared().max(head.norm_squared());
        let size = expected.iter().map(|m| m.amax()).fold(1e-3 * start, f64::max);
        let found = [grams.features, grams.prediction, grams.head];
        for ((name, found), expected) in names.iter().zip(found).zip(&expected) {
            report.check(case, name, worst(&(found - expected)), PROMISED * size);
        }
    }
    report.finish(cases.len(), 14);
}

/// The solver at its default tolerance of 1e-9: a factor of ten for what steps add up to.
#[test]
fn general_flow() {
    const ALLOWED: f64 = 1e-8;
    let cases = cases("flow");
    let mut report = Report::default();
    for case in &cases {
        let [features, kernel, targets, head] =
            ["features", "kernel", "targets", "head"].map(|name| matrix(&case[name]));
        let problem = Problem::new(features, kernel, targets).expect("a valid problem");
        let run = Run::new(&problem, &head, 0.0).expect("a valid head");
        for method in [Method::Flow, Method::Auto] {
            let settings = Settings { head_rate: number(&case["gamma"]), method, ..Settings::default() };
            let result = run
                .finetune(Probe::Time(0.0), &[number(&case["t"])], &settings)
                .expect("a valid time")
                .remove(0);
            let [z, v, r] = ["features_out", "head_out", "residual_out"].map(|name| matrix(&case[name]));
            let (found, head) = (run.features(&result), run.head(&result));
            report.check(case, "features", (&found - &z).norm(), ALLOWED * z.norm().max(1e-3));
            report.check(case, "head", (&head - &v).norm(), ALLOWED * v.norm().max(1e-3));
            let scale = problem.targets().norm().max(1e-3);
            report.check(
                case,
                "residual",
                (problem.targets() - found * head - r).norm(),
                ALLOWED * scale,
            );
            let budget = result.budget.expect("a flow has a budget");
            let [backbone, head] = ["budget_backbone", "budget_head"].map(|name| number(&case[name]));
            // The budget is integrated beside the flow, without an error control of its own.
            let spent = 10.0 * ALLOWED * (backbone + head);
            report.check(case, "backbone budget", (budget.backbone - backbone).abs(), spent);
            report.check(case, "head budget", (budget.head - head).abs(), spent);
        }
    }
    report.finish(cases.len(), 16);
}

/// Probing, flows at times and at training losses under cross-entropy, by every method that has an answer: relative to
/// the motion within ten times the tolerance, residuals and losses relative to themselves however small they are.
#[test]
fn cross_entropy() {
    const ALLOWED: f64 = 1e-8;
    let cases = cases("cross_entropy");
    let mut report = Report::default();
    for case in &cases {
        let [features, kernel, targets, head] =
            ["features", "kernel", "targets", "head"].map(|name| matrix(&case[name]));
        let [z, v, r] = ["features_out", "head_out", "residual_out"].map(|name| matrix(&case[name]));
        let n = targets.nrows() as f64;
        let loss = number(&case["loss"]);
        let probing = case["kind"] == "probe";
        let kernel = if probing { DMatrix::identity(z.nrows(), z.nrows()) } else { kernel };
        let problem = Problem::new(features, kernel, targets).expect("a valid problem");
        let run = Run::with_loss(&problem, &head, 0.0, Loss::CrossEntropy).expect("a valid head");
        let turned = (&v - &head).norm();
        if probing {
            let tau = number(&case["t"]);
            let found = run.path().head(tau).expect("a valid time");
            // A head of f64 has the rounding of its entries, however little they move.
            let rounding = 2.0 * f64::EPSILON * v.norm();
            report.check(case, "head", (&found - &v).norm(), 1e-10 * turned + rounding);
            let found = run.path().residual(tau).expect("a valid time");
            report.check(case, "residual", (found - &r).norm(), 1e-9 * r.norm());
            continue;
        }
        let timed = case["kind"] == "time";
        let until = if timed { Until::Time } else { Until::Loss(number(&case["level"])) };
        let t = if timed { number(&case["t"]) } else { f64::INFINITY };
        for method in [Method::Flow, Method::Auto] {
            let settings =
                Settings { head_rate: number(&case["gamma"]), method, until, ..Settings::default() };
            let result = match run.finetune(Probe::Time(0.0), &[t], &settings) {
                Ok(mut results) => results.remove(0),
                Err(error) => {
                    report.0.push(format!("{} {method:?}: {error}", case["id"]));
                    continue;
                }
            };
            if !timed {
                assert!(matches!(result.stop, Stop::Loss { .. }), "{} {:?}", case["id"], result.stop);
                let at = number(&case["t_out"]);
                report.check(case, "time", (result.time - at).abs(), ALLOWED * at);
            }
            let (found, head) = (run.features(&result), run.head(&result));
            let moved = (&z - problem.features()).norm();
            report.check(case, "features", (&found - &z).norm(), ALLOWED * moved);
            report.check(case, "head", (&head - &v).norm(), ALLOWED * v.norm());
            report.check(case, "residual", (result.residual - r.norm()).abs(), 1e-7 * r.norm());
            report.check(case, "loss", (result.loss * n - loss).abs(), 1e-7 * loss);
            let budget = result.budget.expect("a flow has a budget");
            let [backbone, head] = ["budget_backbone", "budget_head"].map(|name| number(&case[name]));
            let spent = 10.0 * ALLOWED * (backbone + head);
            report.check(case, "backbone budget", (budget.backbone - backbone).abs(), spent);
            report.check(case, "head budget", (budget.head - head).abs(), spent);
        }
    }
    report.finish(cases.len(), 40);
}
