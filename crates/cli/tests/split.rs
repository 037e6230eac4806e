//! Sweeps and replays on several machines: parts, merging, array jobs of Slurm.

mod common;

use std::path::Path;
use std::process::Command;

use common::{arrays, folder, listing, refuse, succeed, taskhead, write_problem};
use taskhead_files::{read_sweep, write_parquet, write_result};

const SWEEP: [&str; 8] = ["sweep", "--samples", "3", "--seeds", "5", "--points", "3", "--quiet"];

/// Runs a sweep of five curves and three points, with more words.
fn sweep<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&SWEEP, words].concat()
}

fn same_tables(folder: &Path, one: &str, other: &str) {
    for suffix in ["parquet", "csv"] {
        let bytes = |name: &str| std::fs::read(folder.join(format!("{name}.{suffix}"))).unwrap();
        assert!(bytes(one) == bytes(other), "{one} and {other}, {suffix}");
    }
}

#[test]
fn merged_parts_have_the_bytes_of_the_whole() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &sweep(&["--out", "whole"]));
    for of in [1, 2, 5] {
        let mut merge = vec!["merge".to_owned(), "--out".into(), format!("s{of}")];
        for number in (1..=of).rev() {
            succeed(here, &sweep(&["--out", "s", "--shard", &format!("{number}/{of}")]));
            merge.push(format!("s.{number}-of-{of}.parquet"));
        }
        let merge: Vec<&str> = merge.iter().map(String::as_str).collect();
        let said = succeed(here, &merge);
        assert_eq!(said, format!("15 cells, 0 failed, 0 stopped early: s{of}.parquet and s{of}.csv\n"));
        same_tables(here, "whole", &format!("s{of}"));
    }
    // A part by itself says what it is.
    let plot = taskhead(here, &["plot", "s.1-of-2.parquet", "--out", "figures"]);
    let text = String::from_utf8_lossy(&plot.stderr).into_owned();
    assert!(text.contains("s.1-of-2.parquet: it is part 1/2 of 15 cells"), "{text}");
}

#[test]
fn what_is_missing_or_does_not_belong_is_named() {
    let folder = folder();
    let here = folder.path();
    for shard in ["1/3", "2/3", "3/3"] {
        succeed(here, &sweep(&["--out", "s", "--shard", shard]));
    }
    succeed(here, &sweep(&["--out", "t", "--shard", "2/3", "--rtol", "1e-8"]));
    succeed(here, &sweep(&["--out", "s"]));
    let [one, two, three] = ["s.1-of-3.parquet", "s.2-of-3.parquet", "s.3-of-3.parquet"];
    let cases: [(&[&str], &str); 6] = [
        (&[one], "part 2/3 and part 3/3 of 3 are missing"),
        (&[one, three], "part 2/3 of 3 is missing"),
        (
            &[one, "t.2-of-3.parquet", three],
            "t.2-of-3.parquet: it belongs to another run than s.1-of-3.parquet",
        ),
        (&[one, two, three, two], "part 2/3 is there already, as s.2-of-3.parquet"),
        (&["s.parquet"], "it is no part of a sweep or a replay"),
        (&[one, "nowhere.parquet"], "nowhere.parquet"),
    ];
    for (parts, said) in cases {
        let text = refuse(here, &[&["merge", "--out", "m"], parts].concat());
        assert!(text.contains(said), "{text}");
    }
    // Another sweep is not written over.
    succeed(here, &sweep(&["--out", "u", "--rtol", "1e-8"]));
    let text = refuse(here, &["merge", one, two, three, "--out", "u"]);
    assert!(text.contains("this is there already"), "{text}");
    succeed(here, &["merge", one, two, three, "--out", "u", "--force"]);
    same_tables(here, "s", "u");
}

#[test]
fn a_part_goes_on_where_it_stopped() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &sweep(&["--out", "s", "--shard", "2/2"]));
    let mut part = read_sweep(here.join("s.2-of-2.parquet")).unwrap();
    let whole = std::fs::read(here.join("s.2-of-2.parquet")).unwrap();
    assert_eq!(part.records.len(), 9);
    std::fs::remove_file(here.join("s.2-of-2.parquet")).unwrap();
    part.records.truncate(3);
    let energy = part.records[0].reached().unwrap().energies.aie;
    write_parquet(here.join("s.2-of-2.partial.parquet"), &part).unwrap();
    succeed(here, &sweep(&["--out", "s", "--shard", "2/2"]));
    assert!(std::fs::read(here.join("s.2-of-2.parquet")).unwrap() == whole);
    assert!(!here.join("s.2-of-2.partial.parquet").exists());
    // What is known is not computed again: a number that no computation gives stays.
    std::fs::remove_file(here.join("s.2-of-2.parquet")).unwrap();
    let taskhead::sweep::record::Outcome::Reached(_, measured) = &mut part.records[0].outcome else {
        panic!()
    };
    measured.energies.aie = 2.0 * energy;
    write_parquet(here.join("s.2-of-2.partial.parquet"), &part).unwrap();
    succeed(here, &sweep(&["--out", "s", "--shard", "2/2"]));
    let again = read_sweep(here.join("s.2-of-2.parquet")).unwrap();
    assert_eq!(again.records[0].reached().unwrap().energies.aie, 2.0 * energy);
    assert_eq!(again.records.len(), 9);
}

#[test]
fn bad_splits_are_refused() {
    let folder = folder();
    let here = folder.path();
    for (words, said) in [
        (&["--shard", "3/2"][..], "accepted: I/N, part I (from 1) of N"),
        (&["--shard", "0/2"], "accepted: I/N"),
        (&["--shard", "1/6"], "a part of 6 is not valid: only 5 curves can be told apart"),
        (&["--slurm", "6"], "only 5 curves"),
        (&["--slurm", "0"], "--slurm"),
        (&["--submit"], "--slurm"),
        (&["--slurm", "2", "--shard", "1/2"], "--shard"),
        (&["--shard", "1/2", "--export-cell", "1"], "--export-cell"),
    ] {
        let text = refuse(here, &sweep(words));
        assert!(text.contains(said), "{words:?}: {text}");
    }
    // A task of its own for each part, whatever is in the way.
    std::fs::write(here.join("s.slurm"), "#!/bin/bash\nrm -rf .\n").unwrap();
    let text = refuse(here, &sweep(&["--out", "s", "--slurm", "2"]));
    assert!(
        text.contains("s.slurm: this is there already, and it is no script of this program"),
        "{text}"
    );
    succeed(here, &sweep(&["--out", "s", "--slurm", "2", "--force"]));
}

/// The job that merges would have taken them for parts of the new run.
#[test]
fn parts_of_another_run_are_not_left_for_an_array_job() {
    let folder = folder();
    let here = folder.path();
    let part = here.join("s.2-of-2.parquet");
    succeed(here, &sweep(&["--out", "s", "--shard", "2/2"]));
    succeed(here, &sweep(&["--out", "s", "--slurm", "2"]));
    let text = refuse(here, &sweep(&["--out", "s", "--slurm", "2", "--rtol", "1e-8"]));
    assert!(text.contains("s.2-of-2.parquet: this is there already"), "{text}");
    assert!(part.exists());
    succeed(here, &sweep(&["--out", "s", "--slurm", "2", "--rtol", "1e-8", "--force"]));
    assert!(!part.exists());
    let script = std::fs::read_to_string(here.join("s.slurm")).unwrap();
    assert!(script.contains("--rtol 1e-8 --force --quiet"), "{script}");
}

/// An sbatch that runs the tasks of an array one after the other, as bash on this machine.
const SBATCH: &str = r#"#!/bin/bash
set -eu
echo "$@" >>calls
case "$*" in
*--wrap=*)
    for word; do case $word in --wrap=*) sh -c "${word#--wrap=}" ;; esac; done >&2
    echo 8 ;;
*)
    script=${*: -1}
    array=$(sed -n 's/^#SBATCH --array=1-//p' "$script")
    for task in $(seq "$array"); do SLURM_ARRAY_TASK_ID=$task SLURM_CPUS_PER_TASK=1 bash "$script" >&2; done
    echo "7;cluster" ;;
esac
"#;

#[cfg(unix)]
#[test]
fn an_array_job_runs_all_parts_and_a_job_after_it_merges() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let here = &folder.path().join("it's a 'folder' with $signs");
    let tools = folder.path().join("tools");
    for made in [here, &tools] {
        std::fs::create_dir(made).unwrap();
    }
    let sbatch = tools.join("sbatch");
    std::fs::write(&sbatch, SBATCH).unwrap();
    std::fs::set_permissions(&sbatch, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    write_problem(&here.join("the problem.npz"));
    let words = ["sweep", "--problem", "the problem.npz", "--points", "2", "--scales", "0.5,1,2"];
    let run = |words: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_taskhead"))
            .args(words)
            .current_dir(here)
            .env("PATH", &path)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    run(&[&words[..], &["--out", "whole"]].concat());
    let said = run(&[&words[..], &["--out", "a part", "--slurm", "3", "--submit"]].concat());
    assert_eq!(said, "job 7;cluster: 3 tasks of a part.slurm; job 8 merges their parts\n");
    same_tables(here, "whole", "a part");
    let calls = std::fs::read_to_string(here.join("calls")).unwrap();
    assert!(calls.contains("--dependency=afterany:7 "), "{calls}");
    assert_eq!(
        listing(here).iter().filter(|p| p.to_string_lossy().contains("-of-3.parquet")).count(),
        3
    );

    // Without --submit nothing runs, and what is printed does the same.
    let printed = run(&[&words[..], &["--out", "own", "--slurm=2"]].concat());
    assert!(!here.join("own.1-of-2.parquet").exists());
    let commands: String = printed
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .fold(String::new(), |all, line| all + line + "\n");
    let shell = Command::new("bash")
        .args(["-euc", &commands])
        .current_dir(here)
        .env("PATH", &path)
        .output()
        .unwrap();
    assert!(shell.status.success(), "{}", String::from_utf8_lossy(&shell.stderr));
    same_tables(here, "whole", "own");
}

/// The parts of different data are parts of different runs, whatever their names.
#[test]
fn parts_of_changed_data_are_not_merged() {
    let folder = folder();
    let here = folder.path();
    write_problem(&here.join("p.npz"));
    let run = |shard: &str| {
        succeed(
            here,
            &[
                "sweep",
                "--problem",
                "p.npz",
                "--points",
                "2",
                "--scales",
                "1,2",
                "--out",
                "s",
                "--shard",
                shard,
            ],
        )
    };
    run("1/2");
    let [x, b, mut y, v, _] = arrays(7);
    y[0] += 1e-9;
    write_result(here.join("p.npz"), &[("inputs", &x), ("backbone", &b), ("targets", &y), ("head", &v)])
        .unwrap();
    run("2/2");
    let text = refuse(here, &["merge", "s.1-of-2.parquet", "s.2-of-2.parquet", "--out", "m"]);
    assert!(text.contains("it belongs to another run"), "{text}");
}
