//! Flows that end in a slow motion, or come to rest with a residual: they reach their limit, in a few hundred steps.
//! `tests/reference/slow_flows.py` says where the numbers are from.

use nalgebra::DMatrix;
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
