//! Flows that end in a slow motion, or come to rest with a residual: they reach their limit, in a few hundred steps.
//! `tests/reference/slow_flows.py` says where the numbers are from.

use nalgebra::{DMatrix, dmatrix};
use serde_json::Value;
use taskhead::flow::Stop;
use taskhead::problem::Problem;
use taskhead::simulation::{Method, Probe, Run, Settings};

fn matrix(v: &Value) -> DMatrix<f64> {
    let row = |row: &Value| -> Vec<f64> {
        row.as_array().expect("a row").iter().map(|x| x.as_f64().expect("a number")).collect()
    };
    let rows: Vec<_> = v.as_array().expect("rows").iter().map(row).collect();
    DMatrix::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

#[test]
fn slow_flows_reach_their_limit() {
    let all: Value = serde_json::from_str(include_str!("reference/slow_flows.json")).expect("JSON");
    let cases = all["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let [features, kernel, targets, head] =
            ["features", "kernel", "targets", "head"].map(|name| matrix(&case[name]));
        let problem = Problem::new(features, kernel, targets).expect("a problem");
        let run = Run::new(&problem, &head, 0.0).expect("a head");
        let [gamma, residual, distance] =
            ["gamma", "residual", "distance"].map(|name| case[name].as_f64().expect("a number"));
        for method in [Method::Auto, Method::Flow] {
            let settings = Settings { head_rate: gamma, method, max_steps: 500, ..Settings::default() };
            let end =
                run.finetune(Probe::Time(0.0), &[f64::INFINITY], &settings).expect("a result").remove(0);
            let name = &case["name"];
            assert_eq!(end.stop, Stop::Converged, "{name}");
            let scale = problem.targets().norm();
            assert!((end.residual - residual).abs() < 1e-9 * scale, "{name}: {}", end.residual);
            let found = end.adaptation.euclidean;
            assert!((found / distance - 1.0).abs() < 1e-8, "{name}: {found} is not {distance}");
        }
    }
}

/// Flows whose limit was once taken too early: what still moved was measured in units of the largest of features, head
/// and kernel, though a slow head moves by a share of its rate of 10⁻¹⁴ only; and the way to rest bends, so that a
/// point
/// of rest beside the limit was met. Features are those of SciPy's Radau at 1e-11, unchanged from t = 10¹¹ to 10¹³ and
/// from 10⁷ on.
#[test]
fn a_slow_head_is_waited_for() {
    let early = Problem::new(
        dmatrix![0.16753747372697203; 0.16753747372697203; 10.0],
        dmatrix![10000.001458975152, 0.03819653323527461, 0.0; 0.03819653323527461, 1.0, 0.0; 0.0, 0.0, 1.0],
        dmatrix![0.0, 0.0, -1.0; -0.5917797060766519, 1.0, -100.0; 0.1, 100.0, 1.0],
    );
    let bent = Problem::new(
        dmatrix![1e5, 0.0],
        dmatrix![2.825935563686655],
        dmatrix![0.32259493440345044, -1.0, 0.0],
    );
    let cases = [
        (early, dmatrix![0.0, 0.001, 0.0], dmatrix![-308.1431133278; -30802.6225751; 1585.9874346781]),
        (bent, dmatrix![0.0, 1.0, 0.0; 0.0, 1.0, 0.0], dmatrix![50000.192911856946, -50000.30824022431]),
    ];
    for (i, (problem, head, limit)) in cases.into_iter().enumerate() {
        let problem = problem.expect("a problem");
        let run = Run::new(&problem, &head, 0.0).expect("a head");
        for rtol in [1e-8, 1e-9] {
            let settings =
                Settings { head_rate: 1e-14, method: Method::Flow, rtol, ..Settings::default() };
            let end =
                run.finetune(Probe::Time(0.0), &[f64::INFINITY], &settings).expect("a result").remove(0);
            assert_eq!(end.stop, Stop::Converged, "{i}");
            let error = (run.features(&end) - &limit).norm() / limit.norm();
            let estimate = end.error_estimate.expect("an estimate");
            assert!(error <= 1e-6 && error <= estimate, "{i} at {rtol:e}: {error:e}, {estimate:e}");
        }
    }
}
