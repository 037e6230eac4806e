//! Faults that newcomers met around the numbers: outputs, memory, locks, flags without effect, messages.

mod common;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{arrays, folder, listing, refuse, succeed, taskhead, write_problem};
use nalgebra::{DMatrix, dmatrix};
use serde_json::Value;
use taskhead_files::{read_sweep, write_result};

const BINARY: &str = env!("CARGO_BIN_EXE_taskhead");

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Two samples with two classes, which any head of two rows fits.
fn write_classes(path: &Path) {
    let (features, labels) = (dmatrix![1.0, 0.2; 0.1, 0.8; 0.9, 0.1], dmatrix![0.0; 1.0; 0.0]);
    write_result(path, &[("features", &features), ("labels", &labels)]).unwrap();
}

/// Every command that prints, with what it needs.
const PRINTING: [&[&str]; 9] = [
    &["--help"],
    &["--version"],
    &["completions", "bash"],
    &["simulate", "p.npz"],
    &["simulate", "p.npz", "--json"],
    &["sweep", "--points", "2", "--samples", "3", "--force"],
    &["sweep", "--points", "2", "--export-cell", "1", "--force"],
    &["verify", "T7", "--instances", "2"],
    &["verify", "--list"],
];

/// They panicked, with exit code 101.
#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_one_error_and_a_closed_pipe_none() {
    let folder = folder();
    write_problem(&folder.path().join("p.npz"));
    let run = |args: &[&str], out: Stdio, err: Stdio| {
        Command::new(BINARY)
            .args(args)
            .current_dir(&folder)
            .stdout(out)
            .stderr(err)
            .spawn()
            .expect("it starts")
            .wait_with_output()
            .expect("it ends")
    };
    let full = || Stdio::from(std::fs::File::options().write(true).open("/dev/full").expect("Linux"));
    for args in PRINTING {
        let output = run(args, full(), Stdio::piped());
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert!(
            text.starts_with("error: standard output cannot be written: No space"),
            "{args:?}: {text}"
        );
        assert_eq!(text.lines().count(), 1, "{text}");

        // Nobody reads: the other end is closed before anything is printed.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = run(args, writer.into(), Stdio::piped());
        assert_eq!((output.status.code(), stderr(&output)), (Some(141), String::new()), "{args:?}");
    }
    // A full standard error cannot be told of.
    for args in [&["simulate", "none.npz"][..], &["sweep", "--rtol", "7"]] {
        assert_eq!(run(args, Stdio::piped(), full()).status.code(), Some(2), "{args:?}");
    }
}

/// Killed for memory, after minutes.
#[test]
fn random_tasks_that_no_memory_holds_are_refused() {
    let folder = folder();
    let here = folder.path();
    for flag in ["--samples", "--inputs", "--width", "--outputs"] {
        for more in [&[][..], &["--export-cell", "0"]] {
            let text = refuse(here, &[&["sweep", flag, "100000000", "--points", "2"], more].concat());
            assert!(text.contains("a sweep on ") && text.contains(" of memory, and "), "{text}");
        }
    }
    refuse(here, &["sweep", "--samples", "18446744073709551615"]);
    refuse(here, &["sweep", "--problem", "digits", "--width", "1000000000"]);
    let many = ["sweep", "--problem", "rank-one", "--points", "10000000"];
    let code = taskhead(here, &[&many[..], &["--scales", "1,2"]].concat()).status.code();
    assert_eq!(code, Some(2));
    std::fs::write(here.join("c.toml"), "[problem]\nkind = \"gaussian\"\nheld-out = 4000000000\n")
        .unwrap();
    assert!(refuse(here, &["sweep", "c.toml"]).contains("of memory"));
}

/// Whatever was there was replaced without a word.
#[test]
fn foreign_files_are_not_replaced() {
    let folder = folder();
    let here = folder.path();
    write_problem(&here.join("p.npz"));
    let read = |name: &str| std::fs::read(here.join(name)).unwrap();
    for name in ["r.npz", "r.safetensors"] {
        let args = ["simulate", "p.npz", "--probe", "1", "--out", name];
        std::fs::write(here.join(name), "mine").unwrap();
        let text = refuse(here, &args);
        assert!(text.contains(&format!("{name}: this is there already")), "{text}");
        assert!(text.ends_with("; choose another output, or --force to replace it\n"), "{text}");
        assert_eq!(read(name), b"mine");
        // Features that somebody else has stored are nobody's result.
        let z: DMatrix<f64> = dmatrix![1.0, 2.0];
        write_result(here.join(name), &[("features", &z), ("head", &z)]).unwrap();
        refuse(here, &args);
        succeed(here, &[&args[..], &["--force"]].concat());
        let result = read(name);
        // The same run again, and not another one.
        succeed(here, &args);
        assert_eq!(read(name), result);
        refuse(here, &["simulate", "p.npz", "--probe", "2", "--out", name]);
        assert_eq!(read(name), result);
    }
    let export = ["sweep", "--points", "2", "--export-cell", "0"];
    std::fs::write(here.join("sweep.cell-0.npz"), "mine").unwrap();
    assert!(refuse(here, &export).contains("sweep.cell-0.npz: this is there already"));
    succeed(here, &[&export[..], &["--force"]].concat());
    succeed(here, &export);

    let save = ["verify", "T7", "--instances", "2", "--save", "."];
    std::fs::write(here.join("T7-1.npz"), "mine").unwrap();
    assert!(refuse(here, &save).contains("T7-1.npz: this is there already"));
    succeed(here, &[&save[..], &["--force"]].concat());
    succeed(here, &save);
    refuse(here, &["verify", "T7", "--instances", "3", "--save", "."]);
}

#[test]
fn figures_replace_figures_only() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &["sweep", "--points", "3", "--samples", "3"]);
    let plot = |more: &[&'static str]| {
        [&["plot", "sweep.csv", "--figure", "trend", "--out", "."], more].concat()
    };
    for format in ["svg", "png"] {
        let name = format!("trend.{format}");
        std::fs::write(here.join(&name), "<svg>mine").unwrap();
        let text = refuse(here, &plot(&["--format", format]));
        assert!(text.contains(&format!("{name}: this is there already")), "{text}");
        succeed(here, &plot(&["--format", format, "--force"]));
        succeed(here, &plot(&["--format", format, "--theme", "dark"]));
    }
    std::fs::create_dir(here.join("plots")).unwrap();
    std::fs::write(here.join("plots/README.md"), "# Plots of mine\n").unwrap();
    assert!(refuse(here, &["reproduce", "--seeds", "1"]).contains("README.md: this is there already"));
}

/// The last to end won.
#[test]
fn one_sweep_at_a_time_writes_an_output() {
    let folder = folder();
    let here = folder.path();
    let long = ["sweep", "--problem", "digits", "--samples", "200", "--seeds", "40", "--out", "s"];
    let mut first = Command::new(BINARY).args(long).current_dir(here).spawn().expect("it starts");
    while !here.join("s.lock").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let before = listing(here);
    for args in [&["sweep", "--points", "2", "--out", "s"][..], &["sweep", "--force", "--out", "s.csv"]]
    {
        let output = taskhead(here, args);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("s.lock: another run writes this output"), "{text}");
    }
    succeed(here, &["sweep", "--points", "2", "--out", "other"]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(before.contains(&here.join("s.lock")));
    // What a killed run leaves behind locks nobody out.
    succeed(here, &["sweep", "--points", "2", "--out", "s", "--force"]);
    assert!(!here.join("s.lock").exists());
}

#[test]
fn flags_that_would_change_nothing_are_refused() {
    let folder = folder();
    let here = folder.path();
    write_problem(&here.join("p.npz"));
    let one = dmatrix![1.0];
    let features = dmatrix![1.0, 0.0];
    write_result(here.join("f.npz"), &[("features", &features), ("targets", &one)]).unwrap();
    std::fs::write(
        here.join("t.toml"),
        "[problem]\nkind = \"gaussian\"\nwidth = 8\nteacher-angle = 0.1\nheld-out = 3\n",
    )
    .unwrap();
    for (args, expected) in [
        (
            &["sweep", "--problem", "f.npz", "--samples", "10"][..],
            "--samples and a problem from a file exclude each other: f.npz says",
        ),
        (&["sweep", "--problem", "rank-one", "--width", "3"], "accepted with it: --target, --across"),
        (&["simulate", "f.npz", "--smoothing", "0.1"], "--probe"),
        (&["simulate", "p.npz", "--seed", "1"], "--seed has no effect: p.npz has a head"),
        (&["simulate", "f.npz", "--kernel-tolerance", "0.1"], "there is no array `kernel`"),
        (
            &["simulate", "f.npz", "--method", "closed-form", "--max-steps", "3"],
            "--max-steps has no effect",
        ),
        (
            &["simulate", "f.npz", "--method", "closed-form", "--max-time", "3"],
            "--max-time has no effect",
        ),
        (&["simulate", "f.npz", "--method", "descent", "--rtol", "1e-8"], "--rtol has no effect"),
        (&["simulate", "f.npz", "--force"], "--out"),
        (&["sweep", "--kernel-tolerance", "0.1"], "--kernel-tolerance has no effect"),
        (&["sweep", "--problem", "p.npz", "--seeds", "2"], "`seeds` has no effect on p.npz"),
        (&["sweep", "--problem", "rank-one", "--seeds", "2"], "`seeds` has no effect"),
        (
            &["sweep", "--smoothings", "0,0.1", "--probe-times", "0"],
            "`smoothings` has no effect without",
        ),
        (&["sweep", "--method", "closed-form", "--max-time", "1"], "`max-time` has no effect"),
        (&["sweep", "t.toml"], "held-out 3 is not valid; it must be 0 when there is a teacher"),
        (
            &["sweep", "--inputs", "40", "--teacher-angle", "0.1", "--backbone-decay", "1"],
            "backbone-decay 1 is not valid",
        ),
        (&["verify", "T1", "T8", "--certify"], "there are certificates for T8"),
        (&["verify", "T1", "--list", "--seed", "3"], "--seed"),
        (&["verify", "T1", "--list", "--save", "x"], "--save"),
    ] {
        let text = refuse(here, args);
        assert!(text.contains(expected), "{args:?} says: {text}");
    }
    succeed(here, &["simulate", "f.npz", "--smoothing", "0.1", "--probe", "1", "--time", "1"]);
}

#[cfg(feature = "replay")]
#[test]
fn flags_of_replays_that_would_change_nothing_are_refused() {
    let folder = folder();
    for (args, expected) in [
        (
            &["--experiment", "smoothing", "--smoothings", "0.5"][..],
            "--smoothings and this --experiment",
        ),
        (&["--experiment", "rate", "--head-rates", "5"], "--head-rates and this --experiment"),
        (&["--experiment", "head", "--head-hidden", "5"], "--head-hidden and this --experiment"),
        (&["--weights", "w.safetensors", "--source", "shuffled"], "--source has no effect"),
        (&["--weights", "w.safetensors", "--cache", "c"], "--cache has no effect"),
        (&["--source", "none", "--cache", "c"], "--cache has no effect"),
        (&["linear", "--weights", "w.safetensors"], "--weights has no effect"),
        (&["linear", "--samples", "1000000000"], "memory"),
    ] {
        let text = refuse(folder.path(), &[&["replay"], args].concat());
        assert!(text.contains(expected), "{args:?} says: {text}");
    }
}

/// A flag of the same kind of problem took away what the file says of it.
#[test]
fn naming_the_problem_of_a_configuration_again_changes_nothing() {
    let folder = folder();
    let here = folder.path();
    std::fs::write(here.join("c.toml"), "[problem]\nkind = \"gaussian\"\nsamples = 3\n").unwrap();
    succeed(here, &["sweep", "c.toml", "--problem", "gaussian", "--points", "2"]);
    assert!(read_sweep(here.join("sweep.csv")).unwrap().config.contains("samples = 3"));
}

/// "`kernel` holds inf", of a file without a kernel.
#[test]
fn an_overflow_names_the_arrays_of_the_file() {
    let folder = folder();
    let here = folder.path();
    let y = dmatrix![1.0; 0.0];
    let huge = dmatrix![1e200, 0.0; 0.0, 1.0];
    let write =
        |name: &str, arrays: &[(&str, &DMatrix<f64>)]| write_result(here.join(name), arrays).unwrap();
    let unit = DMatrix::identity(2, 2);
    write("features.npz", &[("features", &huge), ("targets", &y)]);
    write("inputs.npz", &[("inputs", &huge), ("backbone", &unit), ("targets", &y)]);
    write("both.npz", &[("inputs", &huge), ("backbone", &(&unit * 1e200)), ("targets", &y)]);
    let held = [("inputs", &unit), ("backbone", &huge), ("targets", &y), ("probe_inputs", &huge)];
    write("held.npz", &held);
    for (name, expected) in [
        ("features.npz", "the values of `features` are too large at row 0: the kernel"),
        ("inputs.npz", "the values of `inputs` are too large at row 0: the kernel"),
        ("both.npz", "the values of `inputs`"),
        ("held.npz", "the values of `probe_inputs` and `backbone` are too large at row 0: the held-out"),
    ] {
        for command in [&["simulate", name][..], &["sweep", "--problem", name]] {
            let text = refuse(here, command);
            assert!(text.contains(expected), "{name}: {text}");
        }
    }
}

/// x.parquet.parquet, "all 1 cells failed", forty zeros.
#[test]
fn names_words_and_numbers_are_as_one_writes_them() {
    let folder = folder();
    let here = folder.path();
    for out in ["x.parquet", "x.csv"] {
        succeed(here, &["sweep", "--points", "2", "--out", out]);
        assert_eq!(listing(here), [here.join("x.csv"), here.join("x.parquet")]);
    }
    for out in [".", "x/", ".."] {
        assert!(refuse(here, &["sweep", "--out", out]).contains("a path that ends with a name"));
    }
    refuse(here, &["sweep", "--out", ""]);
    let one = ["sweep", "--problem", "rank-one", "--out", "y"];
    let text = refuse(here, &[&one[..], &["--energies", "9"]].concat());
    assert!(text.contains("error: the only cell failed: the AIE energy 9"), "{text}");
    let text = succeed(here, &[&one[..], &["--energies", "0.5"]].concat());
    assert!(text.starts_with("1 cell, 0 failed"), "{text}");

    let (features, targets) = (dmatrix![1.0, 0.0], dmatrix![1.0]);
    write_result(here.join("p.npz"), &[("features", &features), ("targets", &targets)]).unwrap();
    let text = succeed(here, &["simulate", "p.npz", "--time", "1e40", "--probe", "1e-40"]);
    assert!(text.contains("finetuning time      1e40\n"), "{text}");
    assert!(text.contains("probing time         1e-40\n"), "{text}");
    let text = refuse(here, &["simulate", "p.npz", "--energy", "1e40"]);
    assert!(text.contains("the AIE energy 1e40 is not reached"), "{text}");
    let text = refuse(here, &["sweep", "--rtol", "1e40"]);
    assert!(text.contains("`rtol` holds 1e40;"), "{text}");
}

/// A limit of time for each probing point, as `simulate` has it.
#[test]
fn a_sweep_gives_up_after_its_time() {
    let folder = folder();
    let here = folder.path();
    let args = ["sweep", "--samples", "40", "--method", "flow", "--points", "3", "--out", "s", "-q"];
    let output = taskhead(here, &[&args[..], &["--max-time", "0"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(
        "2 of 3 cells stopped early; the first one is cell 1: interrupted after 0 steps, time 0 "
    ));
    let sweep = read_sweep(here.join("s.csv")).unwrap();
    assert!(sweep.config.contains("max-time = 0"));
    assert_eq!(sweep.records[1].stop().unwrap().name(), "interrupted");
    // Another limit is another sweep.
    refuse(here, &[&args[..], &["--max-time", "60"]].concat());
    succeed(here, &[&args[..], &["--max-time", "60", "--force"]].concat());
}

/// Every default sweep under cross-entropy had cells that failed.
#[test]
fn the_default_points_suit_cross_entropy() {
    let folder = folder();
    let here = folder.path();
    write_classes(&here.join("p.npz"));
    let args = ["sweep", "--problem", "p.npz", "--loss", "cross-entropy", "--until-loss", "0.1"];
    let text = succeed(here, &args);
    assert!(text.starts_with("24 cells, 0 failed, 0 stopped early"), "{text}");
    let records = read_sweep(here.join("sweep.csv")).unwrap().records;
    let energy = |i: usize| records[i].reached().unwrap().energies.frobenius;
    assert!((energy(0) * 24.0 / energy(23) - 1.0).abs() < 1e-9);
}

/// A user's features were called digits.
#[test]
fn a_figure_of_accuracies_is_named_after_its_problem() {
    let folder = folder();
    let here = folder.path();
    write_classes(&here.join("p.npz"));
    succeed(here, &["sweep", "--problem", "p.npz", "--points", "3"]);
    let text = succeed(here, &["plot", "sweep.csv"]);
    assert!(text.contains("plots/accuracy.svg") && !text.contains("digits"), "{text}");
    let svg = std::fs::read_to_string(here.join("plots/accuracy.svg")).unwrap();
    assert!(svg.contains("Accuracy and adaptation") && !svg.contains("Digits"), "{svg}");
}

/// Inputs that differ in their last digits: a panic stopped the whole sweep.
#[test]
fn a_sweep_over_near_duplicates_goes_on() {
    let folder = folder();
    let here = folder.path();
    for step in 0..10 {
        let gap = 3e-14 + 3e-14 * f64::from(step);
        let inputs = dmatrix![1.0, 2.0; 1.0 + gap, 2.0];
        let (backbone, targets) = (dmatrix![1.0, 0.5; 0.3, -0.2; 0.1, 0.9], dmatrix![1.0; 1.5]);
        let arrays = [("inputs", &inputs), ("backbone", &backbone), ("targets", &targets)];
        write_result(here.join("p.npz"), &arrays).unwrap();
        let args = [
            "sweep",
            "--problem",
            "p.npz",
            "--seeds",
            "2",
            "--points",
            "3",
            "--head-rates",
            "1,0,1e-14",
            "--times",
            "1,inf",
            "--max-steps",
            "300",
            "--force",
            "--json",
        ];
        let output = taskhead(here, &args);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{gap:e}: {}", stderr(&output));
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let records = read_sweep(here.join("sweep.parquet")).unwrap().records;
        assert_eq!((json["cells"].as_u64(), records.len()), (Some(36), 36));
        // Whatever is said to be reached obeys the plainest of laws.
        for measured in records.iter().filter_map(|r| r.reached()) {
            let budget = measured.budget.unwrap();
            let before = measured.energies.frobenius.powi(2);
            let gone = before - measured.residual.powi(2);
            assert!((2.0 * (budget.backbone + budget.head) - gone).abs() <= 1e-6 * before, "{gap:e}");
        }
    }
}

#[test]
fn awkward_names_and_places() {
    let folder = folder();
    let here = folder.path();
    let [x, b, y, v, _] = arrays(7);
    let all = [("inputs", &x), ("backbone", &b), ("targets", &y), ("head", &v)];
    write_result(here.join("prüfung №1.npz"), &all).unwrap();
    succeed(here, &["simulate", "prüfung №1.npz", "--out", "ergebnis ü.npz"]);
    succeed(here, &["sweep", "--problem", "prüfung №1.npz", "--points", "2", "--out", "日本"]);
    succeed(here, &["plot", "日本.csv", "--out", "bilder ß"]);
    std::fs::create_dir(here.join("d")).unwrap();
    std::fs::write(here.join("empty.toml"), "[problem]\nkind = \"file\"\npath = \"\"\n").unwrap();
    assert_eq!(
        succeed(here, &["verify", "T7", "t7", "--instances", "2"]).matches("rank one in closed").count(),
        1
    );
    for (args, expected) in [
        (&["sweep", "d"][..], "d: the configuration cannot be read"),
        (&["simulate", "d"], "d"),
        (&["simulate", "prüfung №1.npz", "--out", "d"], "cannot write"),
        (&["plot", "d"], "this is a folder"),
        (&["plot", "日本.csv", "--out", "日本.csv"], "日本.csv"),
        (&["verify", "T7", "--save", "日本.csv"], "日本.csv: the folder cannot be made"),
        (&["reproduce", "--out", "日本.csv"], "日本.csv"),
        (&["sweep", "--threads", "100000"], "a whole number from 1 to 4095"),
        (&["sweep", "empty.toml"], "`problem.path` holds \"\"; accepted: the path"),
        (&["sweep", "--samples", "0"], "'0' for '--samples <N>': it must be a whole number from 1\n"),
        (&["plot", "日本.csv", "--figure", "pie"], "there is no figure `pie`; accepted: trend,"),
        (&["simulate", "prüfung №1.npz", "--time", "1e-320"], "so short a finetuning time is not"),
        (&["sweep", "--first-seed", "18446744073709551615", "--seeds", "2"], "seeds up to"),
    ] {
        let text = refuse(here, args);
        assert!(text.contains(expected), "{args:?} says: {text}");
    }
}
