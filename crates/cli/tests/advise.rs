//! Advice from the command line.

mod common;

use common::{folder, refuse, succeed, taskhead};
use nalgebra::DMatrix;
use serde_json::Value;
use taskhead::tasks::{normal, stream};
use taskhead_files::write_result;

/// Features of three classes that lie apart, with labels.
fn write(folder: &std::path::Path) -> (DMatrix<f64>, DMatrix<f64>) {
    let mut z = normal(&mut stream(1, 1), 24, 5, 1.0);
    let labels = DMatrix::from_fn(24, 1, |r, _| (r % 3) as f64);
    (0..24).for_each(|r| z[(r, r % 3)] += 2.0);
    write_result(folder.join("f.npz"), &[("features", &z), ("labels", &labels)]).unwrap();
    (z, labels)
}

#[test]
fn it_recommends_and_hands_out_the_heads() {
    let folder = folder();
    let here = folder.path();
    let (z, labels) = write(here);
    let few = ["advise", "f.npz", "--points", "3", "--seeds", "1", "--folds", "3", "--loss", "squared"];
    let more = ["--json", "--heads", "heads", "--figure", "a.svg", "--rate", "0.1", "--batch", "8"];
    let json: Value = serde_json::from_str(&succeed(here, &[&few[..], &more].concat())).expect("JSON");
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(
        (rows.len(), json["score"].as_str(), json["held_out"].as_u64()),
        (3, Some("accuracy"), Some(24))
    );
    assert!(json["best"].as_u64().unwrap() < 3 && !json["reason"].as_str().unwrap().is_empty());
    let (time, epochs) = (rows[1]["probe_time"].as_f64().unwrap(), rows[1]["epochs"].as_f64().unwrap());
    assert!((epochs / (80.0 * time) - 1.0).abs() < 1e-12);
    assert!(std::fs::read_to_string(here.join("a.svg")).unwrap().starts_with("<svg "));

    // The heads are what a training framework reads, and have the accuracy that is printed.
    let names: Vec<_> = common::listing(&here.join("heads"));
    assert_eq!(names.len(), 4, "{names:?}");
    let bytes = std::fs::read(here.join("heads/00-share-0.000.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let read = |name: &str| -> (Vec<usize>, Vec<f64>) {
        let tensor = tensors.tensor(name).unwrap();
        let numbers =
            tensor.data().chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        (tensor.shape().to_vec(), numbers)
    };
    let ((shape, weight), (one, bias)) = (read("weight"), read("bias"));
    assert_eq!((shape, one), (vec![3, 5], vec![3]));
    let mut f = &z * DMatrix::from_row_slice(3, 5, &weight).transpose();
    f.row_iter_mut().for_each(|mut row| row += DMatrix::from_row_slice(1, 3, &bias));
    let right = (0..24).filter(|&r| f.row(r).transpose().imax() as f64 == labels[r]).count();
    assert_eq!(Some(right as f64 / 24.0), rows[0]["accuracy"].as_f64());
    // A linear least-squares fit with a bias has residuals without mean.
    let target = DMatrix::from_fn(24, 3, |r, c| f64::from(u8::from(labels[r] == c as f64)));
    assert!((target - f).row_mean().norm() < 1e-9);

    let text = succeed(here, &few);
    assert!(
        text.contains("behind") && text.contains("- No kernel is given") && text.contains("> "),
        "{text}"
    );
}

#[test]
fn bad_input_is_refused() {
    let folder = folder();
    let here = folder.path();
    write(here);
    std::fs::create_dir(here.join("full")).unwrap();
    std::fs::write(here.join("full/mine"), "").unwrap();
    std::fs::write(here.join("mine.svg"), "mine").unwrap();
    for (args, expected) in [
        (&["--points", "1"][..], "it must be a whole number from 2"),
        (&["--folds", "99"], "folds 99 is not valid"),
        (&["--rate", "0.1"], "--batch"),
        (&["--rate", "0", "--batch", "2"], "learning rate 0 is not valid"),
        (&["--heads", "full"], "the folder is not empty"),
        (&["--figure", "mine.svg"], "this program has not written it"),
        (&["--figure", "a.gif"], "accepted: `svg`, `png`"),
        (&["--head-scale", "0"], "head scale 0 is not valid"),
    ] {
        let text = refuse(here, &[&["advise", "f.npz"], args].concat());
        assert!(text.contains(expected), "{args:?}: {text}");
    }
    // What is stopped before its end is no bad input.
    for (args, expected) in [
        (&["--loss", "squared", "--time", "5"][..], "did not reach its end"),
        (&["--loss", "cross-entropy", "--time", "5"], "interrupted"),
    ] {
        let output = taskhead(here, &[&["advise", "f.npz", "--max-time", "0"], args].concat());
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert!(text.contains("--max-time 0 was not enough: ") && text.contains(expected), "{text}");
    }
}
