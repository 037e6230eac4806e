//! Probing times of a wanted AIE against `tests/reference/crossings.json`: all of them, in order, and the reachable
//! range.

use nalgebra::DMatrix;
use serde_json::Value;
use taskhead::probing::{Measure, ProbingError, ProbingPath};
use taskhead::problem::Problem;

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

fn with_paths(run: impl Fn(&Value, &ProbingPath)) {
    let value: Value = serde_json::from_str(include_str!("reference/crossings.json")).unwrap();
    let cases = value["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let [features, targets, head] = ["features", "targets", "head"].map(|name| matrix(&case[name]));
        let n = targets.nrows();
        let problem = Problem::new(features, DMatrix::identity(n, n), targets).unwrap();
        run(case, &ProbingPath::new(&problem, &head).unwrap());
    }
}

#[test]
fn every_crossing_is_found_in_order() {
    let several = std::cell::Cell::new(0);
    with_paths(|case, path| {
        for level in case["levels"].as_array().unwrap() {
            let wanted: Vec<f64> = level["times"].as_array().unwrap().iter().map(number).collect();
            let found = path.times_for(Measure::Aie, number(&level["level"])).unwrap();
            assert_eq!(found.len(), wanted.len(), "{level}: {found:?}");
            for (a, b) in found.iter().zip(&wanted) {
                // Near a turning point the time is as uncertain as the root of the energy's rounding.
                assert!((a / b - 1.0).abs() < 1e-7, "{level}: {a} is not {b}");
            }
            assert_eq!(path.time_for(Measure::Aie, number(&level["level"])).unwrap(), found[0]);
            if wanted.len() > 1 {
                several.set(several.get() + 1);
            }
        }
    });
    assert!(several.get() >= 12, "{} levels with several times", several.get());
}

#[test]
fn the_reachable_range_ends_at_the_turning_points() {
    with_paths(|case, path| {
        let [low, high] = ["lowest", "highest"].map(|name| number(&case[name]));
        for wanted in [low - 1e-9, high + 1e-9] {
            let Err(ProbingError::Unreachable { lowest, highest, .. }) =
                path.time_for(Measure::Aie, wanted)
            else {
                panic!("{wanted} is outside {low} to {high}");
            };
            assert!(
                (lowest - low).abs() < 1e-13 && (highest - high).abs() < 1e-13,
                "{lowest} {low} {highest} {high}"
            );
            // And what is said to be reachable is.
            for end in [lowest, highest] {
                let tau = path.time_for(Measure::Aie, end).unwrap();
                assert!((path.energy(tau).unwrap().aie - end).abs() < 1e-14, "{end}");
            }
        }
    });
}
