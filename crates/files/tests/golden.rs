//! Seeded sweeps against stored ones, so that no upgrade changes a figure unseen.
//!
//! `taskhead sweep tests/golden/NAME.toml --out tests/golden/NAME` writes them anew.

use taskhead::sweep::config::Config;
use taskhead::sweep::record::Record;
use taskhead::sweep::run;
use taskhead::tasks::Task;
use taskhead_files::read_sweep;

/// Relative difference that the solver's tolerance and another machine's arithmetic may make.
const ALLOWED: f64 = 1e-7;

/// Everything that a record holds as JSON, where NaN is null.
fn fields(record: &Record) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(record).expect("a record is plain data") {
        serde_json::Value::Object(map) => map,
        other => panic!("a record is a map, not {other}"),
    }
}

fn compare(name: &str) {
    let path =
        |extension| format!("{}/../../tests/golden/{name}.{extension}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path("toml")).expect("the configuration is there");
    let config: Config = toml::from_str(&text).expect("a valid configuration");
    config.validate().expect("valid values");
    let stored = read_sweep(path("csv")).expect("the stored sweep is there").records;
    let records = run(&config, &|spec, seed| Task::new(spec, seed), &|_| None, &|_| {});
    assert_eq!(records.len(), stored.len());
    for (now, then) in records.iter().zip(&stored) {
        for ((column, a), (_, b)) in fields(now).iter().zip(fields(then).iter()) {
            // Rounding alone decides these: they must be small, not equal.
            let tiny = ["drift", "residual"].contains(&column.as_str());
            match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => {
                    let floor = if tiny { 1.0 } else { 1e-6 };
                    let gap = (a - b).abs() / b.abs().max(floor);
                    assert!(gap < ALLOWED, "{name}, cell {}, {column}: {a} is not {b}", now.cell);
                }
                _ => assert_eq!(a, b, "{name}, cell {}, {column}", now.cell),
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
