//! `taskhead sweep`: many heads, energies and seeds, stored as Parquet and CSV.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::curves::{Curves, set};
use super::input;
use crate::choices::choice;
use taskhead::simulation::Method;
use taskhead::sweep::config::{Config, Metric};
use taskhead::sweep::record::Record;
use taskhead::sweep::{self, Sweep};
use taskhead::tasks::{DigitsTransfer, Gaussian, RankOneTask, TaskSpec};
use taskhead_files::{check_output, read_sweep, write_csv, write_parquet};

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
#[command(
    after_help = "Flags change what the configuration file says.\n\nExample of a configuration:\n  \
    times = [1.0, inf]\n  [problem]\n  kind = \"gaussian\"      # or rank-one, digits, file\n  samples = 8\n  width = 32\n  \
    [heads]\n  seeds = 20\n  scales = [0.5, 1.0]\n  [probe]\n  points = 24            # or times = [...], or energies = [...]"
)]
pub struct Args {
    /// The configuration, TOML.
    config: Option<PathBuf>,
    /// gaussian, rank-one, digits, or the path of a problem as `simulate` takes it.
    #[arg(long)]
    problem: Option<String>,
    /// Samples N of random problems and of the digits.
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
    /// Input dimension d of random problems.
    #[arg(long, value_name = "D")]
    inputs: Option<usize>,
    /// Feature width h of random problems and of the digits backbone.
    #[arg(long, value_name = "H")]
    width: Option<usize>,
    /// Outputs k of random problems.
    #[arg(long, value_name = "K")]
    outputs: Option<usize>,
    /// Singular values of random inputs fall like i^-DECAY.
    #[arg(long, value_name = "DECAY")]
    input_decay: Option<f64>,
    /// Singular values of random backbones fall like i^-DECAY.
    #[arg(long, value_name = "DECAY")]
    backbone_decay: Option<f64>,
    /// Angle (rad) between a linear teacher and the features of random problems.
    #[arg(long, value_name = "RAD")]
    teacher_angle: Option<f64>,
    /// Target y of the rank-one problem.
    #[arg(long, value_name = "Y")]
    target: Option<f64>,
    /// Part w of the rank-one head orthogonal to the feature.
    #[arg(long, value_name = "W")]
    across: Option<f64>,
    #[command(flatten)]
    curves: Curves,
    /// Finetuning times.
    #[arg(long, value_delimiter = ',', value_parser = super::time)]
    times: Option<Vec<f64>>,
    /// How the flow is solved.
    #[arg(long, value_parser = choice::<Method>())]
    method: Option<Method>,
    /// Relative tolerance of the solver.
    #[arg(long)]
    rtol: Option<f64>,
    /// Adaptation metrics that are kept (default: all).
    #[arg(long, value_delimiter = ',', value_parser = choice::<Metric>())]
    metrics: Option<Vec<Metric>>,
    /// Write OUT.parquet and OUT.csv; OUT.partial.parquet is kept until then to go on after a stop.
    #[arg(long, value_name = "OUT", default_value = "sweep")]
    out: PathBuf,
    /// Threads (default: all cores). The result does not depend on it.
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Print a summary as JSON.
    #[arg(long)]
    json: bool,
}

/// How often finished curves are stored.
const STORE_EVERY: Duration = Duration::from_secs(2);

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    let config = configuration(args)?;
    config.validate()?;
    let [parquet, csv, partial] =
        ["parquet", "csv", "partial.parquet"].map(|ext| with_suffix(&args.out, ext));
    check_output(&parquet, &["parquet"])?;
    check_output(&csv, &["csv"])?;
    let toml = toml::to_string(&config)?;
    super::use_threads(args.threads)?;
    let input = input::task_of(&config.problem, quiet)?;

    let cells = config.cells();
    let bar = progress_bar(cells as u64, quiet);
    let per_curve = sweep::cells_of_a_curve(&config);
    let known = earlier_records(&partial, &toml, per_curve)?;
    bar.inc((known.len() * per_curve) as u64);
    let keeper = Keeper::new(&partial, &toml, known.values().flatten().cloned().collect(), STORE_EVERY);
    let records = sweep::run(
        &config,
        &|spec, seed| input.task(spec, seed),
        &|cell| known.get(&cell).cloned(),
        &|records| {
            bar.inc(records.len() as u64);
            keeper.add(records);
        },
    );
    bar.finish_and_clear();
    let failed = records.iter().filter(|r| !r.succeeded()).count();
    let result = sweep::sweep(&config, toml.clone(), records);
    write_parquet(&parquet, &result)?;
    write_csv(&csv, &result)?;
    keeper.finish();
    if args.json {
        let files = [parquet.display().to_string(), csv.display().to_string()];
        println!("{}", json!({"cells": cells, "failed": failed, "files": files, "notes": input.notes}));
    } else if !quiet {
        println!("{cells} cells, {failed} failed: {} and {}", parquet.display(), csv.display());
        let first = result.records.iter().find(|r| !r.succeeded());
        if let Some(record) = first {
            println!("first failure (cell {}): {}", record.cell, record.error);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The configuration of file and flags.
fn configuration(args: &Args) -> Result<Config> {
    let mut config = match &args.config {
        None => Config::new(TaskSpec::Gaussian(Gaussian::default())),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{}: the configuration cannot be read", path.display()))?;
            toml::from_str(&text)
                .with_context(|| format!("{}: this is not a valid configuration", path.display()))?
        }
    };
    match args.problem.as_deref() {
        None => {}
        Some("gaussian") => config.problem = TaskSpec::Gaussian(Gaussian::default()),
        Some("rank-one") => config.problem = TaskSpec::RankOne(RankOneTask::default()),
        Some("digits") => config.problem = TaskSpec::Digits(DigitsTransfer::default()),
        Some(path) if Path::new(path).exists() => config.problem = TaskSpec::File { path: path.into() },
        Some(other) => {
            bail!(
                "--problem {other} is not valid; accepted: gaussian, rank-one, digits, or the path of a file"
            )
        }
    }
    set_problem(args, &mut config.problem)?;
    args.curves.apply(&mut config.heads, &mut config.probe);
    set(&mut config.times, args.times.clone());
    set(&mut config.method, args.method);
    set(&mut config.rtol, args.rtol);
    set(&mut config.metrics, args.metrics.clone());
    Ok(config)
}

/// Applies the flags that belong to one kind of problem, and refuses those of another.
fn set_problem(args: &Args, problem: &mut TaskSpec) -> Result<()> {
    let mut left: Vec<(&str, bool)> = vec![
        ("--samples", args.samples.is_some()),
        ("--inputs", args.inputs.is_some()),
        ("--width", args.width.is_some()),
        ("--outputs", args.outputs.is_some()),
        ("--input-decay", args.input_decay.is_some()),
        ("--backbone-decay", args.backbone_decay.is_some()),
        ("--teacher-angle", args.teacher_angle.is_some()),
        ("--target", args.target.is_some()),
        ("--across", args.across.is_some()),
    ];
    let used: &[&str] = match problem {
        TaskSpec::Gaussian(g) => {
            set(&mut g.samples, args.samples);
            set(&mut g.inputs, args.inputs);
            set(&mut g.width, args.width);
            set(&mut g.outputs, args.outputs);
            set(&mut g.input_decay, args.input_decay);
            set(&mut g.backbone_decay, args.backbone_decay);
            g.teacher_angle = args.teacher_angle.or(g.teacher_angle);
            &[
                "--samples",
                "--inputs",
                "--width",
                "--outputs",
                "--input-decay",
                "--backbone-decay",
                "--teacher-angle",
            ]
        }
        TaskSpec::RankOne(r) => {
            set(&mut r.target, args.target);
            set(&mut r.across, args.across);
            &["--target", "--across"]
        }
        TaskSpec::Digits(d) => {
            set(&mut d.samples, args.samples);
            set(&mut d.width, args.width);
            &["--samples", "--width"]
        }
        TaskSpec::File { .. } => &[],
    };
    left.retain(|(flag, given)| *given && !used.contains(flag));
    match left.first() {
        Some((flag, _)) => bail!("{flag} does not belong to this kind of problem; accepted: {used:?}"),
        None => Ok(()),
    }
}

pub(super) fn with_suffix(out: &Path, suffix: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// A bar with rate and time left, hidden where nobody looks.
pub(super) fn progress_bar(cells: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = "{bar:30} {pos}/{len} cells, {per_sec}, {eta} left";
    ProgressBar::new(cells).with_style(ProgressStyle::with_template(style).expect("a valid template"))
}

/// What an interrupted run of the same configuration and version has stored: groups of `size` records
/// that were finished together, by the number of their first cell.
pub(super) fn earlier_records(
    partial: &Path,
    toml: &str,
    size: usize,
) -> Result<HashMap<u64, Vec<Record>>> {
    let mut known = HashMap::new();
    if !partial.exists() {
        return Ok(known);
    }
    let earlier = read_sweep(partial)?;
    if earlier.config != toml || earlier.version != env!("CARGO_PKG_VERSION") {
        bail!(
            "{}: this is left from an interrupted sweep of another configuration or version; delete it or take \
             another --out",
            partial.display()
        );
    }
    let size = size as u64;
    for record in earlier.records {
        known.entry(record.cell / size * size).or_insert_with(Vec::new).push(record);
    }
    Ok(known)
}

/// Stores finished curves from time to time, so that a stop loses seconds and not hours.
pub(super) struct Keeper<'a> {
    partial: &'a Path,
    toml: &'a str,
    every: Duration,
    kept: Mutex<(Vec<Record>, Instant)>,
}

impl<'a> Keeper<'a> {
    /// Begins with the records that are known, and stores at most so often.
    pub(super) fn new(partial: &'a Path, toml: &'a str, records: Vec<Record>, every: Duration) -> Self {
        Self { partial, toml, every, kept: Mutex::new((records, Instant::now())) }
    }

    pub(super) fn add(&self, records: &[Record]) {
        let mut kept = self.kept.lock().expect("no thread panics while it stores");
        kept.0.extend_from_slice(records);
        if kept.1.elapsed() >= self.every {
            let version = env!("CARGO_PKG_VERSION").into();
            let sweep = Sweep { config: self.toml.into(), version, records: kept.0.clone() };
            // Not fatal: without it an interrupted sweep starts anew.
            if let Err(error) = write_parquet(self.partial, &sweep) {
                eprintln!("warning: cannot store the finished part: {error}");
            }
            kept.1 = Instant::now();
        }
    }

    pub(super) fn finish(&self) {
        let _ = std::fs::remove_file(self.partial);
    }
}
