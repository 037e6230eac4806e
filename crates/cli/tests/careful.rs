//! What a sceptical user tried: texts that are not numbers, outputs that are inputs, tables that are not whole.

mod common;

use std::path::Path;

use common::{folder, refuse, succeed, taskhead, write_problem};
use nalgebra::dmatrix;
use taskhead_files::{read_sweep, write_parquet, write_result};

/// "invalid digit found in string", "unexpected argument '-1'"
#[test]
fn flags_of_whole_numbers_say_what_they_take() {
    let folder = folder();
    let here = folder.path();
    write_problem(&here.join("p.npz"));
    let all = "18446744073709551615";
    for (args, flag, from) in [
        (&["simulate", "p.npz"][..], "--seed", 0),
        (&["simulate", "p.npz"], "--max-steps", 1),
        (&["sweep"], "--seeds", 1),
        (&["sweep"], "--first-seed", 0),
        (&["sweep"], "--points", 2),
        (&["sweep"], "--outputs", 1),
        (&["sweep"], "--export-cell", 0),
        (&["sweep"], "--slurm", 1),
        (&["advise", "p.npz"], "--folds", 2),
        (&["advise", "p.npz"], "--seed", 0),
        (&["verify", "T7"], "--seed", 0),
        (&["verify", "T7", "--certify"], "--boxes", 1),
    ] {
        for (value, to) in [("-1", ""), ("1e3", ""), ("2.5", ""), ("99999999999999999999", all)] {
            let text = refuse(here, &[args, &[flag, value]].concat());
            let to = if to.is_empty() { String::new() } else { format!(" to {to}") };
            assert!(text.contains(&format!("invalid value '{value}' for '{flag}")), "{text}");
            assert!(text.contains(&format!(": it must be a whole number from {from}{to}\n")), "{text}");
        }
    }
    for (args, flag, range) in [
        (&["verify", "T7"][..], "--instances", "1 to 10000000"),
        (&["reproduce"], "--seeds", "1 to 10000"),
        (&["sweep"], "--threads", "1 to 4095"),
        (&["advise", "p.npz"], "--threads", "1 to 4095"),
    ] {
        let value = "20000000";
        let text = refuse(here, &[args, &[flag, value]].concat());
        assert!(text.contains(&format!("it must be a whole number from {range}\n")), "{text}");
        assert!(refuse(here, &[args, &[flag, "-1"]].concat()).contains("a whole number from"));
    }
    let text = refuse(here, &["sweep", "--rtol", "small"]);
    assert!(text.contains("invalid value 'small' for '--rtol <RTOL>': it must be a number"), "{text}");
}

#[cfg(feature = "replay")]
#[test]
fn flags_of_replays_say_what_they_take() {
    let folder = folder();
    for flag in ["--samples", "--widths", "--head-hidden", "--batch", "--backbone-seed", "--side"] {
        for value in ["-1", "1e3"] {
            let text = refuse(folder.path(), &["replay", "digits", flag, value]);
            assert!(text.contains(&format!("invalid value '{value}' for '{flag}")), "{text}");
            assert!(text.contains("it must be a whole number from "), "{text}");
        }
    }
    let text = refuse(folder.path(), &["replay", "digits", "--theory", "mean,full,mean"]);
    assert!(text.contains("--theory names the kernel mean") && text.contains("each once"), "{text}");
}

/// A part was replaced by the whole, without --force.
#[test]
fn no_command_writes_over_what_it_reads() {
    let folder = folder();
    let here = folder.path();
    let parts = ["1/2", "2/2"];
    for part in parts {
        succeed(
            here,
            &["sweep", "--seeds", "2", "--points", "2", "--samples", "3", "--out", "s", "--shard", part],
        );
    }
    let unchanged = |name: &str, args: &[&str]| {
        let before = std::fs::read(here.join(name)).unwrap();
        for force in [&[][..], &["--force"]] {
            let text = refuse(here, &[args, force].concat());
            assert!(
                text.contains("this is read as an input; choose another output"),
                "{args:?}: {text}"
            );
            assert_eq!(std::fs::read(here.join(name)).unwrap(), before);
        }
    };
    let merge = ["merge", "s.1-of-2.parquet", "s.2-of-2.parquet", "--out"];
    for out in ["s.1-of-2", "./s.2-of-2.parquet"] {
        unchanged("s.1-of-2.parquet", &[&merge[..], &[out]].concat());
    }
    succeed(here, &[&merge[..], &["s"]].concat());

    write_problem(&here.join("p.npz"));
    unchanged("p.npz", &["simulate", "p.npz", "--out", "./p.npz"]);
    // One of the files that an index names.
    let index = "{\"weight_map\": {\"features\": \"a.safetensors\", \"targets\": \"b.safetensors\"}}";
    std::fs::write(here.join("m.safetensors.index.json"), index).unwrap();
    write_result(here.join("a.safetensors"), &[("features", &dmatrix![1.0, 0.0])]).unwrap();
    write_result(here.join("b.safetensors"), &[("targets", &dmatrix![1.0])]).unwrap();
    unchanged("b.safetensors", &["simulate", "m.safetensors.index.json", "--out", "b.safetensors"]);
    std::fs::rename(here.join("p.npz"), here.join("q.cell-0.npz")).unwrap();
    let export = ["sweep", "--problem", "q.cell-0.npz", "--export-cell", "0", "--out", "q"];
    unchanged("q.cell-0.npz", &export);
    std::fs::rename(here.join("q.cell-0.npz"), here.join("q.csv")).unwrap();
    unchanged("q.csv", &["sweep", "--problem", "q.csv", "--points", "2", "--out", "q"]);
    std::fs::write(here.join("c.csv"), "[probe]\npoints = 2\n[problem]\nkind = \"gaussian\"\n").unwrap();
    unchanged("c.csv", &["sweep", "c.csv", "--out", "c"]);
    std::fs::create_dir(here.join("plots")).unwrap();
    std::fs::copy(here.join("s.parquet"), here.join("plots/trend.svg")).unwrap();
    unchanged("plots/trend.svg", &["plot", "plots/trend.svg", "--figure", "trend"]);
}

/// Starts a sweep, and stops it where three of its six cells are there.
fn stopped(here: &Path) {
    let args = ["sweep", "--points", "3", "--seeds", "2", "--samples", "3", "--out", "s"];
    succeed(here, &args);
    let whole = read_sweep(here.join("s.parquet")).unwrap();
    let text = std::fs::read_to_string(here.join("s.csv")).unwrap();
    std::fs::write(here.join("whole.csv"), text).unwrap();
    let half = taskhead::sweep::Sweep { records: whole.records[..3].to_vec(), ..whole };
    let warn = |error: &taskhead_files::FileError| panic!("{error}");
    let every = std::time::Duration::ZERO;
    let path = here.join("s.partial.parquet");
    let journal = taskhead_files::TableJournal::open(&path, half.clone(), 6, 3, every, warn).unwrap();
    taskhead::sweep::journal::Journal::keep(&journal, &half.records);
    for name in ["s.parquet", "s.csv"] {
        std::fs::remove_file(here.join(name)).unwrap();
    }
}

/// They were drawn without a word.
#[test]
fn figures_of_what_is_not_finished_come_with_a_note() {
    let folder = folder();
    let here = folder.path();
    stopped(here);
    std::fs::rename(here.join("s.partial.parquet"), here.join("half.parquet")).unwrap();
    let output = taskhead(here, &["plot", "half.parquet", "--figure", "trend"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success());
    assert_eq!(
        text,
        "warning: half.parquet: the run that writes it has not finished: it holds 3 of 6 cells\n"
    );
}

/// "an interrupted run of another configuration", of a file that was cut short.
#[test]
fn what_is_left_damaged_is_called_so() {
    let folder = folder();
    let here = folder.path();
    stopped(here);
    let again = ["sweep", "--points", "3", "--seeds", "2", "--samples", "3", "--out", "s"];
    let partial = here.join("s.partial.parquet");
    let bytes = std::fs::read(&partial).unwrap();
    let mut changed = bytes.clone();
    changed[200] ^= 1;
    for damaged in [&bytes[..bytes.len() / 2], &changed] {
        std::fs::write(&partial, damaged).unwrap();
        let text = refuse(here, &again);
        assert!(
            text.contains("s.partial.parquet: what an interrupted run has left here is damaged ("),
            "{text}"
        );
        assert!(text.ends_with("; choose another output, or --force to replace it\n"), "{text}");
        succeed(here, &[&again[..], &["--force"]].concat());
        assert!(!partial.exists());
        let [own, whole] = ["s.csv", "whole.csv"].map(|name| std::fs::read(here.join(name)).unwrap());
        assert_eq!(own, whole);
    }
    // Whole, but of another configuration.
    std::fs::write(&partial, &bytes).unwrap();
    for name in ["s.parquet", "s.csv"] {
        std::fs::remove_file(here.join(name)).unwrap();
    }
    let text = refuse(here, &[&again[..], &["--rtol", "1e-8"]].concat());
    assert!(text.contains("of another configuration"), "{text}");
}

/// Two values alike make two curves of the same place.
#[test]
fn curves_are_told_apart() {
    let folder = folder();
    for flag in ["--scales", "--smoothings", "--head-rates"] {
        let text = refuse(folder.path(), &["sweep", flag, "0.5,1,0.5"]);
        assert!(text.contains("holds 0.5 twice; accepted: each value once"), "{text}");
    }
    let here = folder.path();
    succeed(here, &["sweep", "--points", "2", "--samples", "3", "--out", "s"]);
    let mut both = read_sweep(here.join("s.parquet")).unwrap();
    for mut record in both.records.clone() {
        record.cell.number += 2;
        both.records.push(record);
    }
    write_parquet(here.join("both.parquet"), &both).unwrap();
    let text = refuse(here, &["plot", "both.parquet"]);
    assert!(text.contains("the cells 0 and 2 are both of problem gaussian, seed 0, point 0"), "{text}");
}

/// Near the best head of cross-entropy all that moves may be rounding: the text says so, and not only the JSON.
#[test]
fn a_motion_that_is_rounding_is_called_so() {
    let folder = folder();
    let here = folder.path();
    let arrays = [
        ("features", &dmatrix![1.3, 0.0]),
        ("kernel", &dmatrix![1.0]),
        ("targets", &dmatrix![0.95]),
        ("head", &dmatrix![-0.1; 0.4]),
    ];
    write_result(here.join("p.npz"), &arrays).unwrap();
    let text = |probe: &str| {
        let args = ["simulate", "p.npz", "--loss", "cross-entropy", "--probe", probe, "--time", "1"];
        succeed(here, &args)
    };
    assert!(!text("40").contains("error estimate"), "{}", text("40"));
    assert!(text("300").contains("of the motion, which is rounding"), "{}", text("300"));
}

/// "cosine distance NaN"
#[test]
fn a_feature_that_is_gone_has_no_cosine() {
    let folder = folder();
    let arrays = [
        ("features", &dmatrix![1.0]),
        ("kernel", &dmatrix![1.0]),
        ("targets", &dmatrix![1e-16]),
        ("head", &dmatrix![2.0]),
    ];
    write_result(folder.path().join("p.npz"), &arrays).unwrap();
    let text = succeed(folder.path(), &["simulate", "p.npz"]);
    assert!(text.contains("cosine distance none (a feature is zero, or gone to rounding)"), "{text}");
    assert!(!text.contains("NaN"), "{text}");
}
