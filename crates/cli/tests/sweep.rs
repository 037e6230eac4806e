//! Sweeps: the same bytes whatever the threads, going on after a stop and never with other data, honest counts and
//! exit codes, and cells that `simulate` runs again.

mod common;

use std::path::Path;
use std::process::Output;

use common::{arrays, folder, refuse, succeed, taskhead, write_problem};
use nalgebra::DMatrix;
use serde_json::Value;
use taskhead::sweep::Sweep;
use taskhead::sweep::record::{Outcome, Record};
use taskhead_files::{read_sweep, write_csv, write_parquet, write_result};

const SWEEP: [&str; 10] =
    ["sweep", "--seeds", "3", "--points", "4", "--samples", "3", "--times", "1,inf", "-q"];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn reached(records: &[Record]) -> bool {
    records.iter().all(|r| r.reached().is_some())
}

#[test]
fn a_sweep_has_the_same_bytes_for_any_number_of_threads() {
    let folder = folder();
    for threads in ["1", "3"] {
        succeed(folder.path(), &with(&SWEEP, &["--threads", threads, "--out", threads]));
    }
    for kind in ["parquet", "csv"] {
        let read = |name: &str| std::fs::read(folder.path().join(format!("{name}.{kind}"))).unwrap();
        assert_eq!(read("1"), read("3"), "{kind}");
        assert!(!read("1").is_empty());
    }
}

/// Writes what an interrupted run of a sweep leaves: some finished curves, of which the first cell has a mark that
/// only survives if the curve is not run again.
fn interrupt(whole: &Sweep, partial: &Path, keep: impl Fn(&Record) -> bool) {
    let mut part = whole.clone();
    part.records.retain(keep);
    if let Outcome::Reached(_, measured) = &mut part.records[0].outcome {
        measured.method = "kept".into();
    }
    write_parquet(partial, &part).unwrap();
}

fn method(record: &Record) -> &str {
    &record.reached().expect("it reached its end").method
}

#[test]
fn an_interrupted_sweep_goes_on_where_it_stopped() {
    let folder = folder();
    succeed(folder.path(), &with(&SWEEP, &["--out", "whole"]));
    let whole = read_sweep(folder.path().join("whole.parquet")).unwrap();
    let partial = |name: &str| folder.path().join(format!("{name}.partial.parquet"));
    interrupt(&whole, &partial("again"), |r| r.cell.seed != 1);
    succeed(folder.path(), &with(&SWEEP, &["--out", "again"]));
    let again = read_sweep(folder.path().join("again.parquet")).unwrap();
    assert_eq!(method(&again.records[0]), "kept");
    assert_eq!(again.records[1..], whole.records[1..]);
    assert!(!partial("again").exists());
    // Another configuration must not pick it up, unless it is told to begin anew.
    interrupt(&whole, &partial("other"), |r| r.cell.seed != 1);
    let text = refuse(folder.path(), &["sweep", "--seeds", "2", "--out", "other"]);
    assert!(text.contains("left from an interrupted run of another configuration"), "{text}");
    succeed(
        folder.path(),
        &["sweep", "--seeds", "2", "--points", "2", "--out", "other", "--force", "-q"],
    );
    let other = read_sweep(folder.path().join("other.parquet")).unwrap();
    assert!(other.records.len() == 4 && method(&other.records[0]) != "kept");
}

/// "2400 cells, 0 failed", with seeds of the old file and of the new one.
#[test]
fn a_sweep_never_goes_on_with_another_file_of_the_same_name() {
    let folder = folder();
    let here = folder.path();
    let [_, _, y, ..] = arrays(1);
    let write = |name: &str, seed: u64| {
        let [z, ..] = arrays(seed);
        write_result(here.join(name), &[("features", &z), ("targets", &y)]).unwrap();
    };
    let args = |path: &'static str, out: &'static str| {
        ["sweep", "--problem", path, "--seeds", "4", "--points", "3", "-q", "--out", out]
    };
    write("res.npz", 1);
    succeed(here, &args("res.npz", "s"));
    let old = read_sweep(here.join("s.parquet")).unwrap();
    std::fs::remove_file(here.join("s.parquet")).unwrap();
    std::fs::remove_file(here.join("s.csv")).unwrap();
    let partial = here.join("s.partial.parquet");
    interrupt(&old, &partial, |r| r.cell.seed < 2);
    write("res.npz", 2);
    let text = refuse(here, &args("res.npz", "s"));
    assert!(text.contains("other input files"), "{text}");
    // The same content in another place is the same data, and is what records say.
    write("moved.npz", 1);
    succeed(here, &args("moved.npz", "s"));
    let new = read_sweep(here.join("s.parquet")).unwrap();
    assert_eq!(method(&new.records[0]), "kept");
    assert!(new.records.iter().all(|r| r.cell.problem == "moved.npz"));
    assert_eq!(new.records[3].outcome, old.records[3].outcome);
}

/// It was replaced without a word.
#[test]
fn a_finished_sweep_of_another_configuration_is_not_replaced_unless_told() {
    let folder = folder();
    let here = folder.path();
    let small = ["sweep", "--points", "2", "--samples", "3", "-q"];
    succeed(here, &small);
    let first = std::fs::read(here.join("sweep.parquet")).unwrap();
    // The same sweep again makes the same files.
    succeed(here, &small);
    assert_eq!(std::fs::read(here.join("sweep.parquet")).unwrap(), first);
    let other = with(&small, &["--seeds", "2"]);
    let text = refuse(here, &other);
    assert!(text.contains("sweep.parquet: this is there already") && text.contains("--force"), "{text}");
    assert_eq!(std::fs::read(here.join("sweep.parquet")).unwrap(), first);
    succeed(here, &with(&other, &["--force"]));
    assert_ne!(std::fs::read(here.join("sweep.parquet")).unwrap(), first);
    // Nor is a file that is no sweep at all.
    std::fs::write(here.join("mine.csv"), "notes\n").unwrap();
    assert!(refuse(here, &with(&small, &["--out", "mine"])).contains("mine.csv: this is there already"));
}

/// They were counted as one thing, and the exit code was 0.
#[test]
fn cells_that_fail_are_recorded_and_the_rest_goes_on() {
    let folder = folder();
    let args = ["sweep", "--problem", "rank-one", "--energies", "0.5,9", "--out", "s"];
    for more in [&["--json"][..], &["-q", "--force"]] {
        let output = taskhead(folder.path(), &with(&args, more));
        assert_eq!(output.status.code(), Some(1));
        let text = stderr(&output);
        assert!(
            text.contains("1 of 2 cells failed; the first one is cell 1: the AIE energy 9 is not"),
            "{text}"
        );
        if more[0] == "--json" {
            let json: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!((json["cells"].as_u64(), json["failed"].as_u64()), (Some(2), Some(1)));
            assert_eq!(json["stopped"], 0);
        }
    }
    let records = read_sweep(folder.path().join("s.csv")).unwrap().records;
    assert!(records[0].reached().is_some() && matches!(records[1].outcome, Outcome::Failed(_)));
    // Nothing at all is bad input: no table, exit code 2.
    let none = ["sweep", "--problem", "rank-one", "--energies", "8,9", "--out", "none"];
    let text = refuse(folder.path(), &with(&none, &["-q"]));
    assert!(
        text.contains("all 2 cells failed; the first one: the AIE energy 8 is not reached"),
        "{text}"
    );
}

/// A stop before the end has numbers, and is neither a failure nor a success: in counts, exit codes and figures.
#[test]
fn early_stops_are_counted_and_left_out_of_figures() {
    let folder = folder();
    let here = folder.path();
    let row = |values: &[f64]| DMatrix::from_row_slice(1, values.len(), values);
    let (one, two) = (row(&[1.0]), DMatrix::from_column_slice(2, 1, &[1.0, 2.0]));
    let identity = DMatrix::identity(2, 2);
    // A flow that crawls along a saddle, and one that rests at it: what the solver makes of either is up to it, but
    // one of them has to end early for this test to say something.
    write_result(
        here.join("crawls.npz"),
        &[
            ("features", &one),
            ("kernel", &one),
            ("targets", &row(&[1e-6, 1e-6])),
            ("head", &row(&[1.0, 2.0])),
        ],
    )
    .unwrap();
    write_result(
        here.join("rests.npz"),
        &[
            ("features", &two),
            ("kernel", &identity),
            ("targets", &identity),
            ("head", &row(&[1.0, 2.0])),
        ],
    )
    .unwrap();
    let mut seen = 0;
    for name in ["crawls", "rests"] {
        let file = format!("{name}.npz");
        let args =
            ["sweep", "--problem", &file, "--probe-times", "0,inf", "--times", "0,inf", "--out", name];
        let output = taskhead(here, &with(&args, &["-q"]));
        let records = read_sweep(here.join(format!("{name}.csv"))).unwrap().records;
        let stopped = records.iter().filter(|r| matches!(r.outcome, Outcome::Stopped(..))).count();
        assert!(records.iter().all(|r| r.measured().is_some()), "stops have numbers");
        if stopped == 0 {
            assert_eq!(output.status.code(), Some(0));
            continue;
        }
        seen += 1;
        assert_eq!(output.status.code(), Some(1));
        let text = stderr(&output);
        assert!(
            text.contains(&format!("{stopped} of 4 cells stopped early; the first one is cell")),
            "{text}"
        );
        let plot = taskhead(here, &["plot", &format!("{name}.csv")]);
        let expected =
            format!("of 4 cells, 0 failed and {stopped} stopped early; figures leave them out");
        assert!(stderr(&plot).contains(&expected), "{}", stderr(&plot));
    }
    assert!(seen > 0, "nothing stopped early");
}

/// 39 of 58 bad files ended with exit code 0, and with -q without a word.
#[test]
fn a_bad_problem_file_is_refused_before_any_cell_runs() {
    let folder = folder();
    let here = folder.path();
    let [x, b, y, v, _] = arrays(1);
    let write =
        |name: &str, arrays: &[(&str, &DMatrix<f64>)]| write_result(here.join(name), arrays).unwrap();
    let mut nan = y.clone();
    nan[(1, 0)] = f64::NAN;
    write("nan.npz", &[("inputs", &x), ("backbone", &b), ("targets", &nan), ("head", &v)]);
    write("shape.npz", &[("features", &x), ("targets", &v)]);
    write("names.npz", &[("x", &x), ("y", &y)]);
    std::fs::write(here.join("text.npz"), "a,b\n1,2\n").unwrap();
    std::fs::write(here.join("empty.npz"), "").unwrap();
    std::fs::create_dir(here.join("folder.npz")).unwrap();
    for (name, expected) in [
        ("nan.npz", "`targets` holds NaN at row 1, column 0"),
        ("shape.npz", "4x6"),
        ("names.npz", "x"),
        ("text.npz", "text"),
        ("empty.npz", "the file is empty"),
        ("folder.npz", "folder"),
    ] {
        for quiet in [&[][..], &["-q"]] {
            let text = refuse(here, &with(&["sweep", "--problem", name, "--seeds", "2"], quiet));
            assert!(text.contains(name) && text.contains(expected), "{name}: {text}");
        }
    }
    for (args, expected) in [
        (&["--samples", "0"][..], "'0' for '--samples <N>'"),
        (&["--input-decay", "-1"], "input-decay -1"),
        (&["--teacher-angle", "9"], "teacher-angle 9"),
        (&["--problem", "digits", "--samples", "599"], "samples 599"),
        (&["--problem", "rank-one", "--target", "inf"], "target inf"),
    ] {
        let text = refuse(here, &with(&["sweep", "-q"], args));
        assert!(text.contains(expected), "{args:?}: {text}");
    }
}

/// A configuration file, its flags, and a problem from a file.
#[test]
fn sweeps_take_files() {
    let folder = folder();
    write_problem(&folder.path().join("p.npz"));
    let config = "times = [inf]\n[problem]\nkind = \"file\"\npath = \"p.npz\"\n[probe]\npoints = 3\n";
    std::fs::write(folder.path().join("c.toml"), config).unwrap();
    succeed(folder.path(), &["sweep", "c.toml", "--scales", "0.5,1", "--out", "s", "-q"]);
    let sweep = read_sweep(folder.path().join("s.csv")).unwrap();
    assert_eq!(sweep.records.len(), 6);
    assert!(sweep.records.iter().all(|r| r.reached().unwrap().held_out.is_some()));
    assert!(sweep.config.contains("p.npz"));
    assert_eq!(read_sweep(folder.path().join("s.parquet")).unwrap(), sweep);
}

/// Features with targets alone: K = ZZᵀ and heads by the seed.
#[test]
fn sweeps_take_features_without_a_kernel() {
    let folder = folder();
    let [z, _, y, ..] = arrays(3);
    write_result(folder.path().join("f.npz"), &[("features", &z), ("targets", &y)]).unwrap();
    succeed(
        folder.path(),
        &["sweep", "--problem", "f.npz", "--points", "3", "--seeds", "2", "--out", "s", "-q"],
    );
    let records = read_sweep(folder.path().join("s.parquet")).unwrap().records;
    assert!(records.len() == 6 && reached(&records));
    let energy = |i: usize| records[i].reached().unwrap().energies.aie;
    assert_ne!(energy(2), energy(5));
}

/// Runs the command line that `--export-cell` prints, and compares with the record of the cell.
fn replay(here: &Path, args: &[&str], cell: &str) {
    let record = &read_sweep(here.join("s.parquet")).unwrap().records[cell.parse::<usize>().unwrap()];
    let line = succeed(here, &with(args, &["--export-cell", cell]));
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("taskhead"));
    let words: Vec<&str> = words.chain(["--json"]).collect();
    assert_eq!(words[1], format!("s.cell-{cell}.npz"));
    let json: Value = serde_json::from_str(&succeed(here, &words)).unwrap();
    let measured = record.reached().unwrap();
    let metric = |name: &str| {
        let metric = taskhead::metric::Metric::ALL.into_iter().find(|m| m.name() == name);
        measured.training.get(metric.unwrap()).unwrap()
    };
    for (path, expected) in [
        ("/energy/aie", measured.energies.aie),
        ("/adaptation/euclidean", metric("euclidean")),
        ("/adaptation/cosine", metric("cosine")),
        ("/adaptation/norm", metric("norm")),
        ("/budget/backbone", measured.budget.unwrap().backbone),
    ] {
        let found = json.pointer(path).and_then(Value::as_f64).expect(path);
        // Reading JSON may miss the last digit; a flow to several times may differ by its tolerance.
        assert!(
            (found - expected).abs() <= 1e-8 * expected.abs(),
            "{args:?} {path}: {found} and {expected}"
        );
    }
    assert_eq!(json["method"], measured.method.as_str());
}

/// Cells of random sweeps could not be run again by themselves.
#[test]
fn any_cell_can_be_exported_and_simulated() {
    let folder = folder();
    let here = folder.path();
    write_problem(&here.join("p.npz"));
    let [z, _, y, ..] = arrays(3);
    write_result(here.join("f.npz"), &[("features", &z), ("targets", &y)]).unwrap();
    let many = ["--points", "3", "--times", "0.5,inf", "--smoothings", "0,0.1"];
    let sweeps: [&[&str]; 5] = [
        &["--seeds", "2", "--head-rates", "1,0.5", "--scales", "0.5", "--samples", "3"],
        &["--problem", "rank-one"],
        // One seed: a cell of the second is withheld as `rounding` (tests/open).
        &["--problem", "digits", "--samples", "6", "--width", "5"],
        &["--problem", "p.npz", "--method", "flow", "--rtol", "1e-10"],
        &["--seeds", "2", "--problem", "f.npz", "--energies", "0.5,0.7"],
    ];
    for args in sweeps {
        let many = if args.contains(&"--energies") { &[] } else { &many[..] };
        let args = [&["sweep", "-q", "--force", "--out", "s"], args, many].concat();
        succeed(here, &args);
        let cells = read_sweep(here.join("s.parquet")).unwrap().records.len();
        for cell in [1, cells / 2, cells - 1] {
            replay(here, &args, &cell.to_string());
        }
    }
    let text = refuse(here, &["sweep", "--points", "2", "--export-cell", "2"]);
    assert!(text.contains("--export-cell 2 is not valid; accepted: 0 to 1"), "{text}");
}

#[test]
fn plot_draws_what_a_sweep_has_and_names_what_it_has_not() {
    let folder = folder();
    succeed(folder.path(), &with(&SWEEP, &["--out", "s"]));
    succeed(
        folder.path(),
        &["plot", "s.csv", "--figure", "trend", "--format", "png", "--theme", "dark"],
    );
    let png = std::fs::read(folder.path().join("plots/trend.png")).unwrap();
    assert_eq!(&png[1..4], b"PNG");
    succeed(folder.path(), &["plot", "s.parquet"]);
    assert!(folder.path().join("plots/trend.svg").exists());
    let text = refuse(folder.path(), &["plot", "s.csv", "--figure", "risk"]);
    assert!(text.contains("needs a downstream risk"), "{text}");
    let text = refuse(folder.path(), &["plot", "s.csv", "--figure", "pie"]);
    assert!(text.contains("pie") && text.contains("heatmap"), "{text}");
}

/// A recording beside the theory, each at the end of its own finetuning.
#[test]
fn plot_draws_several_files_side_by_side() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &with(&SWEEP, &["--out", "theory"]));
    let shorter = ["sweep", "--seeds", "2", "--points", "4", "--samples", "3", "--times", "3", "-q"];
    succeed(here, &with(&shorter, &["--out", "network"]));
    succeed(here, &["plot", "network.parquet", "theory.csv", "--figure", "trend"]);
    let svg = std::fs::read_to_string(here.join("plots/trend.svg")).unwrap();
    assert!(svg.contains("\nnetwork\n") && svg.contains("\ntheory\n"));
    // Names that are the same say nothing.
    succeed(here, &["plot", "theory.parquet", "theory.csv", "--figure", "trend"]);
    let svg = std::fs::read_to_string(here.join("plots/trend.svg")).unwrap();
    assert!(svg.contains("\ntheory.parquet\n") && svg.contains("\ntheory.csv\n"));
    let text = refuse(here, &["plot", "theory.csv", "theory.csv"]);
    assert!(text.contains("theory.csv is given twice; accepted: tables that differ"), "{text}");
}

/// Two problems in one table were one band with the name of the first, and a table of another version was drawn
/// without a hint.
#[test]
fn plot_keeps_problems_apart_and_says_what_it_leaves_out() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &with(&SWEEP, &["--out", "s"]));
    let mut sweep = read_sweep(here.join("s.csv")).unwrap();
    let count = sweep.records.len() as u64;
    let others = sweep.records.clone().into_iter().map(|mut r| {
        (r.cell.problem, r.cell.number) = ("another head".into(), r.cell.number + count);
        r
    });
    sweep.records.extend(others);
    sweep.records[1].outcome = Outcome::Failed("no".into());
    sweep.version = "0.0.9".into();
    write_csv(here.join("two.csv"), &sweep).unwrap();
    let output = taskhead(here, &["plot", "two.csv", "--figure", "trend"]);
    assert!(output.status.success());
    let text = stderr(&output);
    assert!(text.contains("two.csv: it was written by taskhead 0.0.9"), "{text}");
    assert!(
        text.contains("of 48 cells, 1 failed and 0 stopped early; figures leave them out"),
        "{text}"
    );
    let svg = std::fs::read_to_string(here.join("plots/trend.svg")).unwrap();
    assert!(svg.contains("another head") && svg.contains("gaussian"), "both are named");
    // The first edition did not say its schema.
    let old = std::fs::read_to_string(here.join("s.csv")).unwrap().replace("# schema 4\n", "");
    std::fs::write(here.join("old.csv"), old).unwrap();
    assert!(refuse(here, &["plot", "old.csv"]).contains("this table is of schema 1"));
}
