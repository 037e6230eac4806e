//! The whole program: what a user types, what comes back, and what bad input gives.

mod common;

use std::process::Command;

use common::{arrays, folder, refuse, succeed, taskhead, write_problem};
use nalgebra::DMatrix;
use serde_json::Value;
use taskhead_files::write_result;

/// Four classical Runge–Kutta stages a step on a list of matrices.
fn integrate(
    mut state: Vec<DMatrix<f64>>,
    time: f64,
    velocity: impl Fn(&[DMatrix<f64>]) -> Vec<DMatrix<f64>>,
) -> Vec<DMatrix<f64>> {
    const STEPS: usize = 2000;
    let step = time / STEPS as f64;
    let ahead = |state: &[DMatrix<f64>], by: f64, rate: &[DMatrix<f64>]| -> Vec<DMatrix<f64>> {
        state.iter().zip(rate).map(|(x, v)| x + v * by).collect()
    };
    for _ in 0..STEPS {
        let first = velocity(&state);
        let second = velocity(&ahead(&state, step / 2.0, &first));
        let third = velocity(&ahead(&state, step / 2.0, &second));
        let fourth = velocity(&ahead(&state, step, &third));
        for (rate, weight) in [(first, 1.0), (second, 2.0), (third, 2.0), (fourth, 1.0)] {
            state = ahead(&state, step * weight / 6.0, &rate);
        }
    }
    state
}

/// A metric of one input, from its norm before and after, their dot product and the distance.
type Of = fn(f64, f64, f64, f64) -> f64;

/// Probing, finetuning and all that is measured, from the definitions alone.
#[test]
fn simulate_prints_the_numbers_of_the_equations() {
    let folder = folder();
    let [x, b, y, v, held] = write_problem(&folder.path().join("p.npz"));
    let (tau, time, rate) = (0.4, 1.5, 0.5);
    let flags = ["--probe", "0.4", "--time", "1.5", "--head-rate", "0.5", "--json", "--out", "r.npz"];
    let text = succeed(folder.path(), &[&["simulate", "p.npz"][..], &flags].concat());
    let json: Value = serde_json::from_str(&text).expect("JSON");

    let z = &x * b.transpose();
    let probed = integrate(vec![v], tau, |v| vec![z.transpose() * (&y - &z * &v[0])]).remove(0);
    let residual = &y - &z * &probed;
    let spent = DMatrix::zeros(1, 2);
    let end = integrate(vec![b.clone(), probed, spent], time, |parts| {
        let (b, v) = (&parts[0], &parts[1]);
        let z = &x * b.transpose();
        let r = &y - &z * v;
        let (motion, pull) = (v * r.transpose() * &x, z.transpose() * &r);
        let spent = [motion.norm_squared(), rate * pull.norm_squared()];
        vec![motion, pull * rate, DMatrix::from_row_slice(1, 2, &spent)]
    });
    let moved = &end[0] - &b;
    let rows = residual.row_iter().map(|r| r.norm()).sum::<f64>();
    let mean = |inputs: &DMatrix<f64>, of: Of| {
        let (z, d) = (inputs * b.transpose(), inputs * moved.transpose());
        let one = |(z, d): (nalgebra::RowDVector<f64>, nalgebra::RowDVector<f64>)| {
            let end = &z + &d;
            of(z.norm(), end.norm(), z.dot(&end), d.norm())
        };
        let pairs = (0..z.nrows()).map(|n| (z.row(n).into_owned(), d.row(n).into_owned()));
        pairs.map(one).sum::<f64>() / z.nrows() as f64
    };
    let left = (&y - &x * end[0].transpose() * &end[1]).norm();
    let metrics: [(&str, Of); 4] = [
        ("euclidean", |_, _, _, moved| moved),
        ("cosine", |before, after, dot, _| 1.0 - dot / (before * after)),
        ("dot", |_, _, dot, _| dot),
        ("norm", |_, after, _, _| after),
    ];
    let mut expected = vec![
        ("/energy/aie".to_owned(), rows / y.nrows() as f64),
        ("/energy/frobenius".to_owned(), residual.norm()),
        ("/residual".to_owned(), left),
        ("/budget/backbone".to_owned(), end[2][0]),
        ("/budget/head".to_owned(), end[2][1]),
    ];
    for (name, of) in metrics {
        expected.push((format!("/adaptation/{name}"), mean(&x, of)));
        expected.push((format!("/probe_adaptation/{name}"), mean(&held, of)));
    }
    for (set, inputs) in [("adaptation", &x), ("probe_adaptation", &held)] {
        let distance = (inputs * moved.transpose()).norm();
        expected.push((format!("/{set}/frobenius_distance"), distance));
    }
    for (path, value) in expected {
        let found = json.pointer(&path).and_then(Value::as_f64).expect(&path);
        assert!((found - value).abs() <= 1e-7 * value.abs(), "{path}: {found} is not {value}");
    }
    assert_eq!(json["method"], "flow");
    assert!(folder.path().join("r.npz").exists());
    assert!(succeed(folder.path(), &["simulate", "p.npz"]).contains("held-out adaptation"));

    let text = succeed(folder.path(), &["simulate", "p.npz", "--energy", "0.7", "--json"]);
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert!((json["energy"]["aie"].as_f64().unwrap() - 0.7).abs() < 1e-9);
    assert_eq!((&json["time"], &json["status"]), (&"inf".into(), &"converged".into()));
}

#[test]
fn a_closed_form_that_does_not_fit_names_every_hypothesis() {
    let folder = folder();
    write_problem(&folder.path().join("p.npz"));
    let output = taskhead(folder.path(), &["simulate", "p.npz", "--method", "closed-form"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("T7") && text.contains("T14") && text.contains("T15"), "{text}");
}

#[test]
fn bad_input_gives_one_clear_error() {
    let folder = folder();
    let here = folder.path();
    write_problem(&here.join("good.npz"));
    let whole = std::fs::read(here.join("good.npz")).unwrap();
    std::fs::write(here.join("short.npz"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(here.join("text.npz"), "targets, head\n1, 2\n").unwrap();
    std::fs::write(here.join("empty.npz"), "").unwrap();
    std::fs::write(here.join("bad.toml"), "times = [1.0]\n[problem]\nkind = \"cubic\"\n").unwrap();
    let [x, b, y, v, _] = arrays(1);
    let write =
        |name: &str, arrays: &[(&str, &DMatrix<f64>)]| write_result(here.join(name), arrays).unwrap();
    write("missing.npz", &[("inputs", &x), ("targets", &y), ("head", &v)]);
    write("shape.npz", &[("inputs", &x), ("backbone", &b), ("targets", &y), ("head", &y)]);
    let mut nan = y.clone();
    nan[(1, 0)] = f64::NAN;
    write("nan.npz", &[("inputs", &x), ("backbone", &b), ("targets", &nan), ("head", &v)]);
    let z = &x * b.transpose();
    let mut kernel = DMatrix::identity(4, 4);
    kernel[(0, 1)] = 0.5;
    write("asymmetric.npz", &[("features", &z), ("kernel", &kernel), ("targets", &y), ("head", &v)]);
    kernel[(1, 0)] = 0.5;
    kernel[(2, 2)] = -1.0;
    write("indefinite.npz", &[("features", &z), ("kernel", &kernel), ("targets", &y), ("head", &v)]);
    let identity = DMatrix::identity(4, 4);
    for (name, factor) in [("large.npz", 1e75), ("larger.npz", 1e77)] {
        let (z, v, y) = (&z * factor, v.columns(0, 1) * factor, y.columns(0, 1) * factor * factor);
        write(name, &[("features", &z), ("kernel", &identity), ("targets", &y), ("head", &v)]);
    }
    // Hypotheses are judged in units of the numbers: only what is no number at all is refused.
    succeed(here, &["simulate", "large.npz"]);
    let column = |values: &[f64]| DMatrix::from_column_slice(values.len(), 1, values);
    let (labels, held_out) = (column(&[0.0, 1.0, 0.0, 1.0]), column(&[0.0, 2.0, 1.0, 0.0]));
    write(
        "unseen.npz",
        &[
            ("features", &z),
            ("labels", &labels),
            ("head", &v),
            ("probe_features", &z),
            ("probe_labels", &held_out),
        ],
    );

    for (args, expected) in [
        (&["simulate", "none.npz"][..], "none.npz"),
        (&["simulate", "text.npz"], "text.npz"),
        (&["simulate", "empty.npz"], "empty"),
        (&["simulate", "short.npz"], "damaged or cut short"),
        (&["simulate", "missing.npz"], "backbone"),
        (&["simulate", "shape.npz"], "`head` is 4x2"),
        (&["simulate", "nan.npz"], "`targets` holds NaN at row 1, column 0"),
        (&["simulate", "asymmetric.npz"], "not symmetric"),
        (&["simulate", "indefinite.npz"], "smallest eigenvalue is -1"),
        // It said "relative reconstruction error NaN".
        (&["simulate", "larger.npz"], "the initial loss is beyond double precision"),
        (
            &["simulate", "unseen.npz"],
            "`probe_labels` holds the class `2`, which no sample of `labels` is of, and `head` has 2 columns for 3",
        ),
        (&["simulate", "good.npz", "--frob", "1"], "--frob"),
        (&["simulate", "good.npz", "--time", "-1"], "number of at least 0"),
        (&["simulate", "good.npz", "--time", "soon"], "number of at least 0"),
        (&["simulate", "good.npz", "--probe", "nan"], "number of at least 0"),
        (&["simulate", "good.npz", "--energy", "1000"], "is not reached by probing; reachable here"),
        (&["simulate", "good.npz", "--rtol", "1"], "rtol 1 is not valid"),
        (&["simulate", "good.npz", "--smoothing", "2", "--probe", "1"], "smoothing 2 is not valid"),
        (&["simulate", "good.npz", "--head-rate", "inf"], "finite number"),
        (&["simulate", "good.npz", "--out", "nowhere/r.npz"], "nowhere"),
        (&["simulate", "good.npz", "--out", "r.txt"], "npz"),
        (&["sweep", "bad.toml"], "cubic"),
        (&["sweep", "none.toml"], "none.toml"),
        (&["sweep", "--problem", "quadratic"], "--problem quadratic is not valid"),
        (&["sweep", "--seeds", "0"], "whole number from 1"),
        (&["sweep", "--times", "2,1"], "ascending"),
        (&["sweep", "--problem", "rank-one", "--samples", "3"], "--samples does not belong"),
        (&["sweep", "--out", "nowhere/s"], "nowhere"),
        (&["sweep", "--threads", "0"], "whole number from 1 to 4095"),
        (&["plot", "text.npz"], "text.npz"),
        (&["plot", "none.parquet"], "none.parquet"),
        (&["frobnicate"], "frobnicate"),
    ] {
        let text = refuse(here, args);
        assert!(text.contains(expected), "{args:?} says: {text}");
    }
}

#[test]
fn reproduce_writes_every_figure_the_index_and_the_report() {
    let folder = folder();
    let text = succeed(folder.path(), &["reproduce", "--seeds", "2", "--json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(json["failed"], 0);
    assert_eq!(rows.len(), 45);
    for row in rows.iter().filter(|r| r["source"] == "rank-one law") {
        assert_eq!(row["holds"], true, "{row}");
    }
    // T9: the norm of the rank-one law peaks at E = y, which is 1/1.6 of the largest energy.
    let norm = rows.iter().find(|r| r["source"] == "rank-one law" && r["metric"] == "norm").unwrap();
    assert!((norm["peak"]["median"].as_f64().unwrap() - 0.625).abs() < 0.003);
    let report = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    let names = [
        "trend",
        "trend-cross-entropy",
        "hyperbolas",
        "trajectories",
        "agreement",
        "heatmap",
        "phase",
        "beyond",
        "laws",
        "risk",
        "smoothing",
        "digits",
    ];
    assert_eq!(report.matches("<svg ").count(), 2 * names.len());
    assert!(
        !report.contains("http://")
            || report.matches("http://").count() == report.matches("http://www.w3.org").count()
    );
    let areas = std::fs::read_to_string(folder.path().join("plots/phase-certified.csv")).unwrap();
    assert!(areas.starts_with("law,target,y_low,") && areas.lines().count() > 1_000);
    for name in names {
        for file in [format!("{name}.svg"), format!("{name}-dark.svg"), format!("{name}.png")] {
            assert!(folder.path().join("plots").join(&file).exists(), "{file}");
        }
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn verify_gives_verdicts_whatever_the_number_of_threads() {
    let folder = folder();
    let run = |threads: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_taskhead"))
            .args(["verify", "T7", "t9", "O1", "--instances", "40", "--json"])
            .env("RAYON_NUM_THREADS", threads)
            .current_dir(&folder)
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let one = run("1");
    assert_eq!(one, run("3"));
    let value = json_of(&one);
    let verdicts: Vec<&str> =
        value["entries"].as_array().unwrap().iter().map(|e| e["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["holds", "holds", "observed"]);
    assert_eq!(value["entries"][2]["finding"]["problems"], 40);
}

#[test]
fn the_worst_case_of_a_check_replays_in_simulate() {
    let folder = folder();
    let text =
        succeed(folder.path(), &["verify", "T7", "--instances", "40", "--json", "--save", "cases"]);
    let worst = &json_of(&text)["entries"][0]["checks"][0]["worst"]["instance"];
    let mut args = vec!["simulate", "cases/T7-1.npz", "--json"];
    args.extend(worst["flags"].as_str().unwrap().split_whitespace());
    let replayed = json_of(&succeed(folder.path(), &args));
    assert_eq!(replayed["method"], "rank-one");
    let number = |v: &Value| v.as_f64().unwrap();
    let (z, v) = (&worst["features"][0], &worst["head"]);
    let dot: f64 = (0..v.as_array().unwrap().len()).map(|i| number(&z[i]) * number(&v[i][0])).sum();
    let energy = (number(&worst["targets"][0][0]) - dot).abs();
    assert!((number(&replayed["energy"]["aie"]) - energy).abs() < 1e-12 * (1.0 + energy));
}

#[test]
fn verify_lists_statements_and_refuses_unknown_ones() {
    let folder = folder();
    let text = succeed(folder.path(), &["verify", "T12", "--list"]);
    assert!(text.contains("T12_dot_law") && text.contains("dot product"), "{text}");
    assert!(
        refuse(folder.path(), &["verify", "T99"]).contains("there is no statement `T99`; there are T1")
    );
    refuse(folder.path(), &["verify", "--instances", "0"]);
    refuse(folder.path(), &["verify", "--seed", "-1"]);
    std::fs::write(folder.path().join("file"), "x").unwrap();
    refuse(folder.path(), &["verify", "T9", "--instances", "5", "--save", "file/cases"]);
}

#[test]
fn certificates_cover_their_box_and_refuse_what_has_none() {
    let folder = folder();
    let args = ["verify", "T9", "T10", "--certify", "--range", "0.01", "100", "--json"];
    let value = json_of(&succeed(folder.path(), &args));
    let laws = value["laws"].as_array().unwrap();
    assert_eq!(laws.len(), 2);
    for law in laws {
        assert_eq!(law["verdict"], "proved");
        assert_eq!(law["region"]["y"], serde_json::json!([0.01, 100.0]));
        assert_eq!(law["shares"][0], 1.0);
    }
    let text = refuse(folder.path(), &["verify", "T3", "--certify"]);
    assert!(text.contains("certificates for T8, T9"), "{text}");
    assert!(refuse(folder.path(), &["verify", "--certify", "--range", "1", "0.5"]).contains("0.5"));
    refuse(folder.path(), &["verify", "--certify", "--reach", "nan"]);
    refuse(folder.path(), &["verify", "--certify", "--boxes", "0"]);
    // The region is printed to every digit, and a limit of boxes leaves the rest undecided.
    let wide = ["verify", "T9", "--certify", "--range", "1e-6", "1e6", "--boxes", "10"];
    let text = succeed(folder.path(), &wide);
    assert!(text.contains("y in [0.000001, 1000000]") && text.contains("1 undecided"), "{text}");
    refuse(folder.path(), &["verify", "--certify", "--seed", "1"]);
    refuse(folder.path(), &["verify", "T9", "--reach", "3"]);
}
