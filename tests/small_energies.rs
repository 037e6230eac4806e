//! Tiny energies: heads probed to 1e-12 … 1e-140 against `tests/reference/small_energies.json`, and what is rounding.

use nalgebra::{DMatrix, dmatrix};
use serde_json::Value;
use taskhead::SolvedBy;
use taskhead::probing::{Measure, ProbingError, ProbingPath};
use taskhead::problem::Problem;
use taskhead::simulation::{Method, Probe, Run, Settings, Simulation};

/// Relative accuracy at the default tolerance of the solver, whatever the energy.
const PROMISED: f64 = 1e-8;

fn cases() -> Vec<Value> {
    let text = include_str!("reference/small_energies.json");
    let value: Value = serde_json::from_str(text).expect("the reference file is JSON");
    value["cases"].as_array().expect("it holds cases").clone()
}

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap_or_else(|| v.as_str().expect("a number").parse().expect("a number"))
}

fn matrix(v: &Value) -> DMatrix<f64> {
    let rows: Vec<Vec<f64>> = v
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r.as_array().unwrap().iter().map(number).collect())
        .collect();
    DMatrix::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

fn close(found: f64, wanted: &Value, what: &str) {
    let wanted = number(wanted);
    assert!((found / wanted - 1.0).abs() < PROMISED, "{what}: {found:e} is not {wanted:e}");
}

fn run_all(case: &Value, method: Method, run: impl Fn(&[Simulation])) {
    let [features, kernel, targets, head] =
        ["features", "kernel", "targets", "head"].map(|name| matrix(&case[name]));
    let problem = Problem::new(features, kernel, targets).unwrap();
    let prepared = Run::new(&problem, &head, 0.0).unwrap();
    let settings = Settings { head_rate: number(&case["gamma"]), method, ..Settings::default() };
    let times = [number(&case["time"]), f64::INFINITY];
    run(&prepared.finetune(Probe::Frobenius(number(&case["energy"])), &times, &settings).unwrap());
}

#[test]
fn energies_distances_and_budgets_keep_their_digits() {
    let cases = cases();
    assert_eq!(cases.len(), 16);
    for case in &cases {
        let form = matches!(case["name"].as_str(), Some("one sample" | "frozen head" | "decoupled"));
        let methods = [Method::Auto, Method::Flow, Method::ClosedForm];
        for &method in &methods[..if form { 3 } else { 2 }] {
            run_all(case, method, |results| {
                let name = format!("{} at {} by {method:?}", case["name"], case["energy"]);
                let form = if method == Method::Flow { SolvedBy::Flow } else { results[0].method };
                assert_eq!(results[0].method, form);
                close(results[0].probe_time, &case["tau"], &format!("{name}, probing time"));
                close(results[0].energy.frobenius, &case["energy"], &format!("{name}, energy"));
                for (result, wanted) in results.iter().zip([&case["early"], &case["limit"]]) {
                    let name = format!("{name}, time {}", result.time);
                    close(
                        result.adaptation.euclidean,
                        &wanted["euclidean"],
                        &format!("{name}, distance"),
                    );
                    let budget = result.budget.unwrap();
                    close(budget.backbone, &wanted["backbone"], &format!("{name}, backbone"));
                    // The part of a frozen head is zero.
                    if number(&case["gamma"]) > 0.0 {
                        close(budget.head, &wanted["head"], &format!("{name}, head"));
                    }
                    let left = number(&wanted["residual"]);
                    let slack = PROMISED * results[0].energy.frobenius;
                    assert!((result.residual - left).abs() <= slack, "{name}: {}", result.residual);
                }
            });
        }
    }
}

/// Each closed form takes part where it is asked for; by itself the program may prefer the solver, where what a form
/// leaves out of the couplings could be as large as so small a motion.
#[test]
fn closed_forms_are_found_at_tiny_energies() {
    for case in &cases() {
        let form = match case["name"].as_str().unwrap() {
            "one sample" => SolvedBy::RankOne,
            "frozen head" => SolvedBy::FrozenHead,
            "decoupled" => SolvedBy::Decoupled,
            _ => SolvedBy::Flow,
        };
        let method = if form == SolvedBy::Flow { Method::Auto } else { Method::ClosedForm };
        run_all(case, method, |results| assert_eq!(results[0].method, form));
    }
}

/// With more samples than features the part of the targets that no head fits has the rounding of the data: an energy
/// below it is neither promised nor refused in silence.
#[test]
fn what_rounding_decides_is_said() {
    let features = dmatrix![1.0, 0.3; 0.2, 0.7; 0.9, 0.1];
    let targets = &features * dmatrix![0.7; -0.1];
    let problem = Problem::new(features.clone(), DMatrix::identity(3, 3), targets).unwrap();
    let path = ProbingPath::new(&problem, &dmatrix![0.0; 0.0]).unwrap();
    let rounding = path.rounding();
    assert!(rounding > 1e-17 && rounding < 2e-15, "{rounding:e}");
    assert!(path.energy(f64::INFINITY).unwrap().frobenius <= rounding);
    let error = path.time_for(Measure::Frobenius, 1e-25).unwrap_err();
    assert!(matches!(error, ProbingError::BelowRounding { wanted: 1e-25, .. }), "{error}");
    // Well above it all digits are there.
    let tau = path.time_for(Measure::Frobenius, 1e-9).unwrap();
    assert!((path.energy(tau).unwrap().frobenius / 1e-9 - 1.0).abs() < 1e-5);
    // A floor that is no rounding is refused as before.
    let other = Problem::new(features, DMatrix::identity(3, 3), dmatrix![1.0; 2.0; 3.0]).unwrap();
    let path = ProbingPath::new(&other, &dmatrix![0.0; 0.0]).unwrap();
    assert!(matches!(path.time_for(Measure::Frobenius, 1e-25), Err(ProbingError::Unreachable { .. })));
    // With full row rank nothing is left to rounding.
    let one = Problem::new(dmatrix![1.0, 2.0], dmatrix![1.0], dmatrix![3.0]).unwrap();
    assert_eq!(ProbingPath::new(&one, &dmatrix![0.0; 0.0]).unwrap().rounding(), 0.0);
}

/// Tiny and huge features: θ = s²τ is formed as s·(s·τ), so that no probing time gives NaN.
#[test]
fn scales_do_not_make_nan() {
    for size in [1e-200, 1e-120, 1e-30, 1e30, 1e120, 1e200] {
        let problem = Problem::new(
            dmatrix![size, 0.0; 0.0, size / 2.0],
            DMatrix::identity(2, 2),
            dmatrix![1.0; 2.0],
        )
        .unwrap();
        let path = ProbingPath::new(&problem, &dmatrix![0.0; 0.0]).unwrap();
        for tau in [0.0, 1e-300, 1.0, 1e300, f64::INFINITY] {
            let energy = path.energy(tau).unwrap().frobenius;
            assert!((0.0..2.3).contains(&energy), "size {size:e}, time {tau:e}: {energy}");
            assert!(
                path.head(tau).unwrap().iter().all(|v| v.is_finite()),
                "size {size:e}, time {tau:e}"
            );
        }
        assert_eq!(path.energy(f64::INFINITY).unwrap().frobenius, 0.0);
        match path.time_for(Measure::Aie, 0.5) {
            Ok(tau) => assert!((path.energy(tau).unwrap().aie - 0.5).abs() < 1e-12, "size {size:e}"),
            Err(error) => {
                assert!(
                    matches!(error, ProbingError::Range { .. }) && !(1e-150..1e150).contains(&size),
                    "{error}"
                )
            }
        }
    }
}
