//! `taskhead verify`: the catalogue of theorems, each with its checks.

mod certificate;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::json::number;
use super::outcome::{make_folder, progress_bar};
use super::say;
use taskhead::counted;
use taskhead::sweep::plan::Digest;
use taskhead_files::{check_replaceable, digest, write_result_of};
use taskhead_theorems::catalogue::finding::Finding;
use taskhead_theorems::catalogue::instance::Instance;
use taskhead_theorems::catalogue::verify::{
    CheckReport, Report, Settings, Verdict, counter_name, verify, work, worst_name,
};
use taskhead_theorems::catalogue::{Entry, chosen};
use taskhead_theorems::certify::{self, BOXES, CELLS, RANGE, REACH};

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
#[command(
    after_help = "Exit code 1 if a statement is refuted, or if a check does not notice a violated hypothesis.\n\n\
    Examples:\n  \
    taskhead verify\n  \
    taskhead verify T7 T9 --instances 10000 --seed 1\n  \
    taskhead verify O1 --save problems      keep the counter-examples\n  \
    taskhead verify T12 --list              what it says, and where it is proved\n  \
    taskhead verify --certify               T8 to T13 for every real point of a box"
)]
pub struct Args {
    /// T1 … T33, C1, C2, S1, S2, O1 … O5; all if none is named.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Random cases of a cheap check; costly checks take a share. O1 looks at as many problems.
    #[arg(long, default_value_t = Settings::default().instances as u64,
          value_parser = super::whole::<u64>(1..=10_000_000))]
    instances: u64,
    /// Seed of all random cases.
    #[arg(long, default_value_t = 0, value_parser = super::whole::<u64>(0..))]
    seed: u64,
    /// Write the worst case of every check, and counter-examples, as PROBLEM.npz to this folder.
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    /// Replace files of these statements in FOLDER, whatever they are. Without this only those of the same run are
    /// replaced.
    #[arg(long, requires = "save")]
    force: bool,
    /// Print the statements instead of verifying them.
    #[arg(long, conflicts_with_all = ["certify", "instances", "seed", "save"])]
    list: bool,
    /// Prove T8 to T13 for every real point of a box in (y, w, E), by interval arithmetic.
    #[arg(long, conflicts_with_all = ["instances", "seed", "save"])]
    certify: bool,
    /// Target y and orthogonal head norm w of the box.
    #[arg(long, num_args = 2, value_names = ["LOW", "HIGH"], default_values_t = RANGE, requires = "certify",
          value_parser = super::real)]
    range: Vec<f64>,
    /// Largest energy of the box, in units of y.
    #[arg(long, default_value_t = REACH, requires = "certify", value_parser = super::real)]
    reach: f64,
    /// Boxes looked at for a law before the rest is left undecided.
    #[arg(long, default_value_t = BOXES, requires = "certify", value_parser = super::whole::<u64>(1..))]
    boxes: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    let entries = chosen(&args.ids)?;
    if args.certify {
        let settings =
            certify::Settings::new([args.range[0], args.range[1]], args.reach, args.boxes, CELLS)?;
        let laws = certificate::laws(&entries, !args.ids.is_empty())?;
        return certificate::run(&settings, &laws, args.json, quiet);
    }
    if args.list {
        if args.json {
            say::line(Value::from(entries.iter().map(|e| statement(e)).collect::<Vec<_>>()))?;
        } else {
            entries.iter().try_for_each(|entry| say::line(describe(entry)))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(folder) = &args.save {
        make_folder(folder)?;
        if !args.force {
            check_folder(folder, &entries, identity(args))?;
        }
    }
    let settings = Settings { seed: args.seed, instances: args.instances as usize };
    let total: usize = entries.iter().map(|entry| work(entry, &settings)).sum();
    let bar = progress_bar(total as u64, quiet || args.json);
    let mut reports = Vec::new();
    let mut files = 0;
    for entry in entries {
        let report = verify(entry, &settings, &|| bar.inc(1));
        if let Some(folder) = &args.save {
            files += save(&report, folder, identity(args))?;
        }
        if !args.json {
            bar.suspend(|| say::print(text(&report, args.save.as_deref())))?;
        }
        reports.push(report);
    }
    bar.finish_and_clear();
    if let Some(folder) = args.save.as_ref().filter(|_| files == 0) {
        // Not if something else is in it.
        let _ = std::fs::remove_dir(folder);
        say::warning("--save: these statements leave no problems to replay; nothing was written");
    }
    if args.json {
        let all: Vec<Value> = reports.iter().map(to_json).collect();
        say::line(json!({"seed": args.seed, "instances": args.instances, "entries": all}))?;
    } else {
        say::line(summary(&reports))?;
    }
    let bad = |r: &Report| matches!(r.verdict(), Verdict::Refuted | Verdict::Blind);
    Ok(if reports.iter().any(bad) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The file of a problem by its name.
fn file_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.npz"))
}

/// What the files of a run depend on.
fn identity(args: &Args) -> Digest {
    let (version, seed, instances) = (env!("CARGO_PKG_VERSION"), args.seed, args.instances);
    digest(format!("verify, taskhead {version}\n{seed} {instances}"))
}

/// Refuses files of the names of these statements that another run or another program has written.
fn check_folder(folder: &Path, entries: &[&Entry], identity: Digest) -> Result<()> {
    let files =
        std::fs::read_dir(folder).with_context(|| format!("{}: cannot be read", folder.display()))?;
    for file in files {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let written = |id: &str| name.strip_prefix(id).is_some_and(|rest| rest.starts_with('-'));
        if name.ends_with(".npz") && entries.iter().any(|entry| written(entry.id)) {
            check_replaceable(&path, identity)?;
        }
    }
    Ok(())
}

/// Writes the files of a report, and returns how many.
fn save(report: &Report, folder: &Path, identity: Digest) -> Result<usize> {
    let problems = report.problems();
    let count = problems.len();
    for (name, instance) in problems {
        write_result_of(file_of(folder, &name), &instance.arrays(), identity)?;
    }
    Ok(count)
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Unviolated => "no violation",
        Verdict::Refuted => "REFUTED",
        Verdict::Blind => "BLIND",
        Verdict::Observed => "observed",
    }
}

fn text(report: &Report, folder: Option<&Path>) -> String {
    let Entry { id, name, .. } = report.entry;
    let mut out = format!("{id:<4}{:<9} {name}\n", verdict(report.verdict()));
    for (i, check) in (1..).zip(&report.checks) {
        out += &format!("             {}\n", check.check.claim);
        out += &format!("               {}\n", result(check));
        if let Some(error) = &check.error {
            out += &format!("               no result: {error}\n");
        }
        for unseen in &check.unseen {
            out += &format!("               does not notice: {unseen}\n");
        }
        let shown = folder.is_some() || check.failed > 0;
        if let Some(worst) = check.worst.as_ref().filter(|_| shown) {
            let file = file_of(folder.unwrap_or(Path::new("FOLDER")), &worst_name(id, i));
            let hint = if folder.is_some() { "" } else { "   (after --save FOLDER)" };
            let flags = worst.trial.instance.flags();
            out +=
                &format!("               replay: taskhead simulate {}{flags}{hint}\n", file.display());
        }
    }
    if let Some(finding) = &report.finding {
        out += &observed(finding, id, folder);
    }
    out
}

fn result(check: &CheckReport) -> String {
    let seen = check.check.violations.len() - check.unseen.len();
    let mut parts = vec![match check.failed {
        0 => counted(check.cases, "case"),
        failed => format!("{failed} of {} FAIL", counted(check.cases, "case")),
    }];
    if let Some((mean, error)) = check.slope {
        parts.push(format!("slope {mean:.4} ± {error:.4}"));
    }
    if let Some(worst) = &check.worst {
        let (name, score) = (check.check.judge.worst_name(), worst.trial.score);
        parts.push(format!("{name} {score:.2e} ({})", worst.name));
    }
    if !check.check.violations.is_empty() {
        parts.push(format!("violations seen {seen}/{}", check.check.violations.len()));
    }
    parts.join("; ")
}

fn observed(finding: &Finding, id: &str, folder: Option<&Path>) -> String {
    let mut out = format!("             {}\n", counted(finding.problems, "problem"));
    if let Some((count, reason)) = &finding.failed {
        out += &format!("             {count} without a result, the first: {reason}\n");
    }
    let width = finding.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
    for row in &finding.rows {
        let [low, high] = row.interval.map(|p| 100.0 * p);
        let note = if row.note.is_empty() { String::new() } else { format!("; {}", row.note) };
        out += &format!(
            "             {:<width$}  in {} of {} (95 %: {low:.1} to {high:.1} %){note}\n",
            row.what, row.seen, row.of
        );
    }
    let mut last = "";
    for (i, c) in (1..).zip(&finding.counter_examples) {
        // Without files to point at, one per row is enough.
        if folder.is_none() && c.what == last {
            continue;
        }
        last = &c.what;
        let file = match folder {
            Some(folder) => {
                let file = file_of(folder, &counter_name(id, i));
                format!(": taskhead simulate {}{}", file.display(), c.instance.flags())
            }
            None => String::new(),
        };
        out += &format!(
            "             not seen on problem {}: {}; it {}{file}\n",
            c.problem, c.what, c.instead
        );
    }
    out
}

fn summary(reports: &[Report]) -> String {
    let count = |v: Verdict| reports.iter().filter(|r| r.verdict() == v).count();
    let mut parts = Vec::new();
    for (wanted, name) in [
        (Verdict::Holds, if count(Verdict::Holds) == 1 { "holds" } else { "hold" }),
        (
            Verdict::Unviolated,
            if count(Verdict::Unviolated) == 1 {
                "conjecture without a violation"
            } else {
                "conjectures without a violation"
            },
        ),
        (Verdict::Refuted, "refuted"),
        (Verdict::Blind, "with a blind check"),
        (Verdict::Observed, "observed"),
    ] {
        if count(wanted) > 0 {
            parts.push(format!("{} {name}", count(wanted)));
        }
    }
    format!("{}: {}", counted(reports.len(), "statement"), parts.join(", "))
}

fn describe(entry: &Entry) -> String {
    let proofs = match entry.proofs {
        [] => "not proved by machine".to_owned(),
        names => format!("Coq: {}", names.join(", ")),
    };
    let figure = entry.figure.map_or(String::new(), |f| format!("\n     figure: plots/{f}.svg"));
    format!(
        "{:<4} {}\n     {}\n     {}\n     needs: {}\n     source: {}\n     {proofs}{figure}\n",
        entry.id,
        entry.name,
        entry.statement,
        entry.formula,
        entry.hypotheses.join("; "),
        entry.source
    )
}

fn statement(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "name": entry.name,
        "kind": entry.kind,
        "statement": entry.statement,
        "formula": entry.formula,
        "hypotheses": entry.hypotheses,
        "source": entry.source,
        "proofs": entry.proofs,
        "figure": entry.figure,
    })
}

fn to_json(report: &Report) -> Value {
    let mut value = statement(report.entry);
    value["verdict"] = json!(report.verdict());
    value["checks"] = report.checks.iter().map(check_json).collect();
    if let Some(finding) = &report.finding {
        value["finding"] = json!(finding);
        let examples = finding.counter_examples.iter().map(|c| {
            let instance = instance(&c.instance);
            json!({"what": c.what, "problem": c.problem, "instead": c.instead, "instance": instance})
        });
        value["counter_examples"] = examples.collect();
    }
    value
}

fn check_json(report: &CheckReport) -> Value {
    let slope =
        report.slope.map(|(mean, error)| json!({"mean": number(mean), "standard_error": number(error)}));
    let worst = report.worst.as_ref().map(|worst| {
        json!({
            "case": worst.name,
            "score": number(worst.trial.score),
            "instance": instance(&worst.trial.instance),
        })
    });
    json!({
        "claim": report.check.claim,
        "judge": report.check.judge,
        "verdict": report.verdict(),
        "cases": report.cases,
        "failed": report.failed,
        "error": report.error,
        "violations": report.check.violations,
        "violations_unseen": report.unseen,
        "slope": slope,
        "worst": worst,
    })
}

/// The arrays of a problem by rows, and the flags that replay it.
fn instance(instance: &Instance) -> Value {
    let rows = |m: &nalgebra::DMatrix<f64>| -> Value {
        m.row_iter().map(|row| row.iter().map(|&x| number(x)).collect::<Value>()).collect()
    };
    json!({
        "features": rows(&instance.features),
        "kernel": rows(&instance.kernel),
        "targets": rows(&instance.targets),
        "head": rows(&instance.head),
        "flags": instance.flags().trim_start(),
    })
}
