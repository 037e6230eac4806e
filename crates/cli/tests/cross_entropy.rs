//! Cross-entropy and its stop rules from the command line.

mod common;

use common::{folder, refuse, succeed};
use nalgebra::dmatrix;
use serde_json::Value;
use taskhead::tasks::{normal, stream};
use taskhead_files::{read_sweep, write_result};

/// Six random samples of three classes in eight dimensions, which separate them.
fn write(folder: &std::path::Path) {
    let features = normal(&mut stream(3, 1), 6, 8, 1.0);
    let labels = dmatrix![0.0; 1.0; 2.0; 0.0; 1.0; 2.0];
    write_result(folder.join("p.npz"), &[("features", &features), ("labels", &labels)]).unwrap();
}

#[test]
fn simulate_stops_at_a_training_loss_or_accuracy() {
    let folder = folder();
    let here = folder.path();
    write(here);
    let run = |more: &[&str]| -> Value {
        let args = [&["simulate", "p.npz", "--loss", "cross-entropy", "--json"], more].concat();
        serde_json::from_str(&succeed(here, &args)).expect("JSON")
    };
    let json = run(&["--energy", "0.3", "--until-loss", "0.01"]);
    assert_eq!(json["status"], "loss");
    assert!((json["loss"].as_f64().unwrap() / 0.01 - 1.0).abs() < 1e-9, "{json}");
    assert!((json["energy"]["aie"].as_f64().unwrap() / 0.3 - 1.0).abs() < 1e-9);
    let json = run(&["--until-accuracy", "1"]);
    assert_eq!(
        (&json["status"], json["accuracy"]["end"].as_f64()),
        (&Value::from("accuracy"), Some(1.0))
    );
    assert_eq!(run(&["--time", "2"])["status"], "time");
    // A rule that comes after the time is not met.
    assert_eq!(run(&["--time", "0.001", "--until-loss", "0.01"])["status"], "time");

    for (args, expected) in [
        (&["--loss", "cross-entropy"][..], "there is no limit t = inf"),
        (&["--loss", "cross-entropy", "--probe", "inf", "--time", "1"], "separate the classes"),
        (&["--loss", "cross-entropy", "--energy", "0", "--time", "1"], "separate the classes"),
        (&["--loss", "cross-entropy", "--until-loss", "1", "--until-accuracy", "1"], "cannot be used"),
        (&["--loss", "hinge"], "cross-entropy"),
        (&["--until-accuracy", "2"], "training accuracy 2 is not valid"),
        (&["--method", "descent", "--until-loss", "1"], "stops at a time only"),
    ] {
        let text = refuse(here, &[&["simulate", "p.npz"], args].concat());
        assert!(text.contains(expected), "{args:?} says: {text}");
    }
    let y = dmatrix![0.5, 0.2; 1.0, 0.0];
    write_result(here.join("y.npz"), &[("features", &dmatrix![1.0; 2.0]), ("targets", &y)]).unwrap();
    let text = refuse(here, &["simulate", "y.npz", "--loss", "cross-entropy", "--time", "1"]);
    assert!(text.contains("the targets of row 0 sum to 0.7"), "{text}");
}

#[test]
fn a_sweep_keeps_the_loss_and_says_which_cells_have_no_end() {
    let folder = folder();
    let here = folder.path();
    write(here);
    let start =
        ["sweep", "--problem", "p.npz", "--loss", "cross-entropy", "--seeds", "2", "-q", "--out", "s"];
    succeed(here, &[&start[..], &["--energies", "0.5,0.05", "--until-loss", "0.01"]].concat());
    let sweep = read_sweep(here.join("s.parquet")).unwrap();
    assert_eq!(sweep.records.len(), 4);
    for record in &sweep.records {
        let measured = record.reached().unwrap();
        assert_eq!(record.stop().unwrap().name(), "loss");
        assert!((measured.loss.unwrap() / 0.01 - 1.0).abs() < 1e-9);
        assert_eq!(measured.accuracy.unwrap().end, 1.0);
    }
    assert!(std::fs::read_to_string(here.join("s.csv")).unwrap().contains(",loss,"));
    // Another stop rule is another sweep.
    let text = refuse(here, &[&start[..], &["--energies", "0.5,0.05", "--until-loss", "0.02"]].concat());
    assert!(text.contains("--force"), "{text}");
    // Even points are shares of the energy of the start, and leave out probing to an end that is not there.
    let even = [&start[..], &["--points", "3", "--until-loss", "0.1", "--force"]].concat();
    succeed(here, &even);
    let sweep = read_sweep(here.join("s.parquet")).unwrap();
    let energy = |i: usize| sweep.records[i].reached().unwrap().energies.frobenius;
    assert!((energy(0) / energy(2) - 1.0 / 3.0).abs() < 1e-9);
    assert!((energy(1) / energy(2) - 2.0 / 3.0).abs() < 1e-9);
    // Asking for the end is an error that says why there is none.
    let endless = [&start[..], &["--probe-times", "0,inf", "--until-loss", "0.1", "--force"]].concat();
    let output = common::taskhead(here, &endless);
    assert_eq!(output.status.code(), Some(1));
    let sweep = read_sweep(here.join("s.parquet")).unwrap();
    let reasons: Vec<Option<String>> = sweep.records.iter().map(|r| r.reason()).collect();
    assert!(reasons[0].is_none(), "{reasons:?}");
    assert!(reasons[1].as_ref().unwrap().contains("separate the classes"), "{reasons:?}");
}

/// All samples tie at the moment when they become right: what is printed there is right already.
#[test]
fn an_accuracy_that_is_reached_is_printed_as_reached() {
    let folder = folder();
    let z =
        [1.684421, -0.84430979, -0.3626666, 1.6418954, 0.57685745, -0.38992965, -0.6434372, 0.05313598];
    let features = nalgebra::DMatrix::from_column_slice(9, 1, &[&z[..], &[0.26919335]].concat());
    let labels = dmatrix![0.0; 0.0; 1.0; 0.0; 1.0; 1.0; 0.0; 1.0; 0.0];
    let arrays =
        [("features", &features), ("labels", &labels), ("head", &dmatrix![-0.7900072, 5.989584])];
    write_result(folder.path().join("p.npz"), &arrays).unwrap();
    let args = ["simulate", "p.npz", "--loss", "cross-entropy", "--json", "--until-accuracy", "0.5"];
    let json: Value = serde_json::from_str(&succeed(folder.path(), &args)).unwrap();
    assert_eq!(json["status"], "accuracy");
    assert!(json["accuracy"]["end"].as_f64().unwrap() >= 0.5, "{json}");
}

#[test]
fn a_problem_is_not_written_over() {
    let folder = folder();
    write(folder.path());
    let before = std::fs::read(folder.path().join("p.npz")).unwrap();
    let text = refuse(folder.path(), &["simulate", "p.npz", "--time", "1", "--out", "./p.npz"]);
    assert!(text.contains("is read as an input"), "{text}");
    assert_eq!(std::fs::read(folder.path().join("p.npz")).unwrap(), before);
}
