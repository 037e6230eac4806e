//! Problems from files in `simulate` and `sweep` alike: one reader, its notes, and no number without its data.

mod common;

use std::path::Path;

use common::{refuse, taskhead};
use nalgebra::{DMatrix, dmatrix};
use serde_json::Value;
use taskhead::metric::Metric;
use taskhead_files::{read_sweep, write_result};

fn numbers(seed: u64, rows: usize, columns: usize) -> DMatrix<f64> {
    taskhead::tasks::normal(&mut taskhead::tasks::stream(seed, 1), rows, columns, 1.0)
}

/// Six samples of three classes with four held-out inputs.
fn write(path: &Path, further: &[(&str, &DMatrix<f64>)]) {
    let (features, probe) = (numbers(1, 6, 9), numbers(2, 4, 9));
    let labels = dmatrix![0.0; 1.0; 2.0; 0.0; 1.0; 2.0];
    let mut arrays = vec![("features", &features), ("labels", &labels), ("probe_features", &probe)];
    arrays.extend(further);
    write_result(path, &arrays).unwrap();
}

fn json(folder: &Path, args: &[&str]) -> (Value, String) {
    let output = taskhead(folder, args);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    (serde_json::from_slice(&output.stdout).unwrap(), errors)
}

#[test]
fn simulate_and_sweep_give_the_same_numbers_with_those_held_out() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(&here.join("p.npz"), &[("probe_labels", &dmatrix![0.0; 1.0; 2.0; 2.0])]);
    let times = ["--probe-times", "0.5"];
    let (summary, _) = json(
        here,
        &[&["sweep", "--problem", "p.npz", "--seeds", "2", "--out", "s", "--json"], &times[..]].concat(),
    );
    assert_eq!(summary["failed"], 0);
    let sweep = read_sweep(here.join("s.parquet")).unwrap();
    for (seed, record) in ["0", "1"].iter().zip(&sweep.records) {
        let (one, _) = json(here, &["simulate", "p.npz", "--seed", seed, "--probe", "0.5", "--json"]);
        let same = |json: &Value, value: f64| assert_eq!(json.as_f64().unwrap(), value, "{json}");
        let measured = record.reached().unwrap();
        let held_out = measured.held_out.as_ref().unwrap();
        same(&one["adaptation"]["euclidean"], measured.training.get(Metric::Euclidean).unwrap());
        same(&one["probe_adaptation"]["cosine"], held_out.get(Metric::Cosine).unwrap());
        same(&one["risk"]["start"], measured.risk.unwrap().start);
        same(&one["risk"]["end"], measured.risk.unwrap().end);
        same(&one["accuracy"]["end"], measured.accuracy.unwrap().end);
        same(&one["probe_accuracy"]["start"], measured.held_out_accuracy.unwrap().start);
        same(&one["probe_accuracy"]["end"], measured.held_out_accuracy.unwrap().end);
    }
    let risks = [0, 1].map(|i| sweep.records[i].reached().unwrap().risk.unwrap().end);
    assert_ne!(risks[0], risks[1]);
    let text = String::from_utf8(taskhead(here, &["simulate", "p.npz"]).stdout).unwrap();
    assert!(text.contains("held-out accuracy") && text.contains("held-out risk"), "{text}");
}

#[test]
fn held_out_targets_give_a_risk_and_no_accuracy() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (features, probe) = (numbers(1, 6, 9), numbers(2, 4, 9));
    let (targets, held_out) = (numbers(3, 6, 2), numbers(4, 4, 2));
    let arrays = [
        ("features", &features),
        ("targets", &targets),
        ("probe_features", &probe),
        ("probe_targets", &held_out),
    ];
    write_result(here.join("p.npz"), &arrays).unwrap();
    let (one, _) = json(here, &["simulate", "p.npz", "--json"]);
    assert!(one["risk"]["end"].as_f64().unwrap() > 0.0 && one["probe_adaptation"].is_object());
    assert!(one["accuracy"].is_null() && one["probe_accuracy"].is_null());
    json(here, &["sweep", "--problem", "p.npz", "--points", "2", "--out", "s", "--json"]);
    let sweep = read_sweep(here.join("s.csv")).unwrap();
    assert_eq!(sweep.records.len(), 2);
    for record in &sweep.records {
        let measured = record.reached().unwrap();
        assert!(measured.risk.unwrap().end.is_finite());
        assert!(measured.held_out.as_ref().unwrap().get(Metric::Euclidean).unwrap().is_finite());
    }
}

#[test]
fn notes_go_to_standard_error_and_into_json() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(&here.join("p.npz"), &[("ids", &dmatrix![7.0])]);
    let commands = [
        &["simulate", "p.npz", "--json"][..],
        &["sweep", "--problem", "p.npz", "--points", "2", "--out", "s", "--json"],
    ];
    for command in commands {
        let (result, errors) = json(here, command);
        let notes: Vec<&str> =
            result["notes"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        assert!(notes.contains(&"left alone, as they have no meaning here: `ids`"), "{notes:?}");
        for note in &notes {
            assert!(errors.contains(&format!("note: {note}\n")), "{errors}");
        }
        let (quiet, errors) = json(here, &[command, &["-q"]].concat());
        assert_eq!((&quiet["notes"], errors.as_str()), (&result["notes"], ""));
    }
}

/// Nothing runs, and nothing is written.
#[test]
fn a_sweep_over_bad_input_is_refused_before_any_cell() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let x = dmatrix![1.0, 2.0];
    write_result(here.join("names.npz"), &[("X", &x), ("y", &x)]).unwrap();
    write_result(here.join("nan.npz"), &[("features", &dmatrix![1.0, f64::NAN]), ("targets", &x)])
        .unwrap();
    write_result(here.join("shape.npz"), &[("features", &x), ("targets", &dmatrix![1.0; 2.0])]).unwrap();
    let cases = [
        ("names.npz", "rename `X` to `features`, `y` to `labels`?"),
        ("nan.npz", "`features` holds NaN at row 0, column 1"),
        ("shape.npz", "`features` is 1x2, but one row for each row of `targets`"),
    ];
    for (file, expected) in cases {
        for command in [&["sweep", "--problem", file, "-q"][..], &["simulate", file, "-q"]] {
            let output = taskhead(here, command);
            let errors = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), errors.lines().count()), (Some(2), 1), "{errors}");
            assert!(errors.contains(expected) && output.stdout.is_empty(), "{errors}");
        }
    }
    assert_eq!(std::fs::read_dir(here).unwrap().count(), cases.len());
}

#[test]
fn a_sweep_reads_a_folder_of_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(&here.join("p.npz"), &[]);
    let archive = std::fs::read(here.join("p.npz")).unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    zip.extract(here.join("arrays")).unwrap();
    for (problem, out) in [("p.npz", "a"), ("arrays", "b")] {
        json(here, &["sweep", "--problem", problem, "--points", "2", "--out", out, "--json", "-q"]);
    }
    let [a, b] = ["a.csv", "b.csv"].map(|name| read_sweep(here.join(name)).unwrap().records);
    assert_eq!(a.len(), 2);
    for (a, b) in a.iter().zip(&b) {
        assert_eq!(a.reached().unwrap(), b.reached().unwrap());
    }
}

/// X Xᵀ of rank 4 by products in single precision: rounding leaves negative eigenvalues.
fn single_kernel() -> DMatrix<f64> {
    let x = numbers(7, 40, 4).map(|v| v as f32);
    (&x * x.transpose()).map(f64::from)
}

/// It was refused at the rounding of double precision.
#[test]
fn a_kernel_of_single_precision_is_known_by_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (features, targets) = (numbers(1, 40, 3), numbers(2, 40, 1));
    let write = |name: &str, kernel: &DMatrix<f64>| {
        let arrays = [("features", &features), ("targets", &targets), ("kernel", kernel)];
        write_result(here.join(name), &arrays).unwrap();
    };
    write("single.npz", &single_kernel());
    json(here, &["simulate", "single.npz", "--time", "0.1", "--json"]);
    json(here, &["sweep", "--problem", "single.npz", "--times", "0.1", "--points", "2", "--json"]);

    // Divided by N it has digits that single precision has not: only its owner knows how good it is.
    write("scaled.npz", &(single_kernel() / 40.0));
    for (command, time) in [
        (&["simulate", "scaled.npz"][..], "--time"),
        (&["sweep", "--problem", "scaled.npz", "--out", "scaled"], "--times"),
    ] {
        let text = refuse(here, command);
        let (_, flag) = text.trim().split_once("add --kernel-tolerance ").expect(&text);
        let tolerance: f64 = flag.parse().unwrap();
        assert!(1e-9 < tolerance && tolerance < 1e-6, "{text}");
        json(here, &[command, &[time, "0.1", "--kernel-tolerance", flag, "--json"]].concat());
    }
    let text = refuse(here, &["simulate", "scaled.npz", "--kernel-tolerance", "0.2"]);
    assert!(text.contains("it must be a number from 0 to 0.1"), "{text}");
    // No precision excuses this one, and no flag is offered.
    write("wrong.npz", &-single_kernel());
    assert!(!refuse(here, &["simulate", "wrong.npz"]).contains("--kernel-tolerance"));
}

/// Minutes went by without a word, and nothing could end them.
#[test]
fn limits_end_a_flow_with_what_was_reached() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write(&here.join("p.npz"), &[("probe_labels", &dmatrix![0.0; 1.0; 2.0; 2.0])]);
    for method in ["flow", "descent"] {
        let run = |limit: &[&str]| {
            let args = ["simulate", "p.npz", "--method", method, "--json"];
            let output = taskhead(here, &[&args[..], limit].concat());
            let errors = String::from_utf8(output.stderr).unwrap();
            assert!(
                errors.lines().all(|line| line.starts_with("note: ") || line.starts_with("warning: "))
            );
            let json: Value = serde_json::from_slice(&output.stdout).unwrap();
            (json, errors, output.status.code())
        };
        let steps: u64 = if method == "flow" { 2 } else { 2000 };
        for (limit, status, flag, taken) in [
            (["--max-steps", "2"], "step-limit", "--max-steps lets it go further", steps),
            (
                ["--max-time", "0"],
                "interrupted",
                "--max-time lets it go further",
                if method == "flow" { 0 } else { 16 },
            ),
        ] {
            let (json, errors, code) = run(&limit);
            assert_eq!((&json["status"], code), (&Value::from(status), Some(1)), "{method}: {json}");
            assert_eq!(json["work"]["steps"], taken);
            // So that whoever descends by hand takes the same steps.
            let step = json["step"].as_f64();
            assert_eq!(step.is_some(), method == "descent");
            assert!(step.is_none_or(|step| step > 0.0), "{json}");
            let time = json["time"].as_f64().unwrap();
            assert!(time.is_finite() && (time > 0.0 || taken == 0), "{json}");
            assert!(errors.contains(flag), "{errors}");
        }
        let (json, _, code) = run(&["--max-time", "1000", "--time", "0.1"]);
        assert_eq!((&json["status"], code), (&Value::from("time"), Some(0)));
    }
    let sweep = [
        "sweep",
        "--problem",
        "p.npz",
        "--method",
        "flow",
        "--points",
        "3",
        "--max-steps",
        "1",
        "--json",
    ];
    let output = taskhead(here, &sweep);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("stopped early; the first one is cell"));
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["stopped"], 2);
}
