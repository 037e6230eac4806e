//! Seeded sweeps against stored ones, so that no upgrade changes a figure unseen.
//!
//! `taskhead sweep tests/golden/NAME.toml --out tests/golden/NAME` writes them anew.

use taskhead::sweep::config::Config;
use taskhead::sweep::plan::Plan;
use taskhead_files::{Field, fields, read_sweep};

/// Relative difference that the solver's tolerance and another machine's arithmetic may make.
const ALLOWED: f64 = 1e-7;

fn compare(name: &str) {
    let path =
        |extension| format!("{}/../../tests/golden/{name}.{extension}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path("toml")).expect("the configuration is there");
    let config: Config = toml::from_str(&text).expect("a valid configuration");
    let stored = read_sweep(path("csv")).expect("the stored sweep is there").records;
    let records = Plan::new(config).expect("valid values").records();
    assert_eq!(records.len(), stored.len());
    for (now, then) in records.iter().zip(&stored) {
        for ((column, a), (_, b)) in fields(now).into_iter().zip(fields(then)) {
            // Rounding alone decides these: they must be small, not equal.
            let tiny = ["drift", "residual"].contains(&column);
            match (a, b) {
                (Some(Field::Number(a)), Some(Field::Number(b))) if a != b => {
                    let floor = if tiny { 1.0 } else { 1e-6 };
                    let gap = (a - b).abs() / b.abs().max(floor);
                    assert!(gap < ALLOWED, "{name}, cell {}, {column}: {a} is not {b}", now.cell.number);
                }
                (a, b) => assert_eq!(a, b, "{name}, cell {}, {column}", now.cell.number),
            }
        }
    }
}

#[test]
fn random_problems() {
    compare("random");
}

#[test]
fn digits_transfer() {
    compare("digits");
}
