//! `taskhead sweep`: many heads, energies and seeds, stored as Parquet and CSV.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::curves::{Curves, set};
use super::export::export;
use super::goal::Goal;
use super::input;
use super::outcome::{Split, Watched, check_cells, output, progress_bar, report, summary, warn, write};
use super::say;
use super::slurm;
use super::threads::use_threads;
use crate::choices::choice;
use taskhead::counted;
use taskhead::loss::Loss;
use taskhead::metric::Metric;
use taskhead::simulation::Method;
use taskhead::sweep::config::Config;
use taskhead::sweep::plan::Plan;
use taskhead::sweep::record::Counts;
use taskhead::sweep::{Part, Shard};
use taskhead::tasks::{DigitsTransfer, Gaussian, RankOneTask, Task, TaskSpec};
use taskhead_files::{
    STORE_EVERY, SweepFiles, available_memory, check_memory, check_output, digest, memory_of_task,
    read_configuration, with_suffix,
};

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
    #[arg(long, value_name = "N", value_parser = super::whole::<usize>(1..))]
    samples: Option<usize>,
    /// Input dimension d of random problems.
    #[arg(long, value_name = "D", value_parser = super::whole::<usize>(1..))]
    inputs: Option<usize>,
    /// Feature width h of random problems and of the digits backbone.
    #[arg(long, value_name = "H", value_parser = super::whole::<usize>(1..))]
    width: Option<usize>,
    /// Outputs k of random problems.
    #[arg(long, value_name = "K", value_parser = super::whole::<usize>(1..))]
    outputs: Option<usize>,
    /// Singular values of random inputs fall like i^-DECAY.
    #[arg(long, value_name = "DECAY", value_parser = super::real)]
    input_decay: Option<f64>,
    /// Singular values of random backbones fall like i^-DECAY.
    #[arg(long, value_name = "DECAY", value_parser = super::real)]
    backbone_decay: Option<f64>,
    /// Angle (rad) between a linear teacher and the features of random problems.
    #[arg(long, value_name = "RAD", value_parser = super::real)]
    teacher_angle: Option<f64>,
    /// Target y of the rank-one problem.
    #[arg(long, value_name = "Y", value_parser = super::real)]
    target: Option<f64>,
    /// Part w of the rank-one head orthogonal to the feature.
    #[arg(long, value_name = "W", value_parser = super::real)]
    across: Option<f64>,
    #[command(flatten)]
    curves: Curves,
    #[command(flatten)]
    split: Split,
    /// Finetuning times.
    #[arg(long, value_delimiter = ',', value_parser = super::time)]
    times: Option<Vec<f64>>,
    /// The loss that probing and finetuning lower.
    #[arg(long, value_parser = choice::<Loss>())]
    loss: Option<Loss>,
    #[command(flatten)]
    goal: Goal,
    /// How the flow is solved.
    #[arg(long, value_parser = choice::<Method>())]
    method: Option<Method>,
    /// Relative tolerance of the solver.
    #[arg(long, value_parser = super::real)]
    rtol: Option<f64>,
    /// Solver steps after which a cell gives up with what it has reached (gradient descent: a thousand times as many).
    #[arg(long, value_name = "COUNT", value_parser = super::whole::<usize>(1..))]
    max_steps: Option<usize>,
    /// Seconds after which the finetuning from one probing point gives up with what it has reached.
    #[arg(long, value_name = "SECONDS", value_parser = super::amount)]
    max_time: Option<f64>,
    #[command(flatten)]
    reading: input::Reading,
    /// Adaptation metrics that are kept (default: all).
    #[arg(long, value_delimiter = ',', value_parser = choice::<Metric>())]
    metrics: Option<Vec<Metric>>,
    /// Write OUT.parquet and OUT.csv; OUT.partial.parquet is kept until then to go on after a stop.
    #[arg(long, value_name = "OUT", default_value = "sweep", value_parser = output())]
    out: PathBuf,
    /// Replace whatever is there: a sweep of another configuration or other input files, finished or interrupted, or
    /// any other file of the same name.
    #[arg(long)]
    force: bool,
    /// Run nothing; write the cell of this number (column `cell`) as OUT.cell-N.npz, and print the command line that
    /// simulates it.
    #[arg(long, value_name = "N", conflicts_with_all = ["json", "shard", "slurm"],
          value_parser = super::whole::<u64>(0..))]
    export_cell: Option<u64>,
    /// Threads (default: all cores). The result does not depend on it.
    #[arg(long, value_name = "COUNT", value_parser = super::threads)]
    threads: Option<usize>,
    /// Print a summary as JSON.
    #[arg(long)]
    json: bool,
}

/// Kinds of problem that need no file.
const KINDS: [&str; 3] = ["gaussian", "rank-one", "digits"];

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    let config = configuration(args)?;
    let toml = toml::to_string(&config)?;
    use_threads(args.threads)?;
    // What a file holds is read once, and before any cell runs: a file that changes meanwhile changes nothing.
    let mut inputs: Vec<PathBuf> = args.config.iter().cloned().collect();
    let (plan, of_file, notes) = match &config.problem {
        TaskSpec::File { path } => {
            config.validate()?;
            let input = args.reading.task(Path::new(path))?;
            let notes = input::print(&input.notes, quiet);
            inputs.extend(input.files);
            (Plan::of_file(config, input.digest)?, Some(Arc::new(input.task)), notes)
        }
        _ => {
            args.reading.refuse("without a problem from a file")?;
            let plan = Plan::new(config)?;
            let (threads, task) = (rayon::current_num_threads(), &plan.config().problem);
            let purpose =
                format!("a sweep on {} of the problem {}", counted(threads, "thread"), task.name());
            check_memory(purpose, memory_of_task(task, threads), available_memory())?;
            (plan, None, Vec::new())
        }
    };
    if let Some(tasks) = args.split.slurm {
        let identity = digest(plan.identity());
        plan.shard(Shard::last(tasks))?;
        SweepFiles::new(&args.out, None)?.check(identity, args.force)?;
        slurm::check_parts(&args.out, tasks, identity, args.force)?;
        slurm::run(&args.split, tasks, &args.out, args.threads.is_some(), args.force)?;
        return Ok(ExitCode::SUCCESS);
    }
    let part = args.split.shard.map(|shard| Part { shard, cells: plan.grid().cells() });
    let plan = plan.shard(args.split.shard.unwrap_or_default())?;
    check_cells(plan.cells())?;
    if let Some(task) = &of_file
        && task.head.is_some()
        && plan.config().heads.seeds > 1
    {
        bail!(
            "`seeds` has no effect on {}, which has a head that is the same for every seed; leave out --seeds, or the \
             array `head`",
            plan.config().problem.name()
        );
    }
    let tasks = |seed| match &of_file {
        Some(task) => Ok(task.clone()),
        None => Task::new(&plan.config().problem, seed).map(Arc::new),
    };
    if let Some(cell) = args.export_cell {
        check_output(with_suffix(&args.out, "npz"), &["npz"])?;
        say::line(export(&plan, &tasks, cell, (&args.out, &inputs), args.force)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let output = SweepFiles::new(&args.out, part)?;
    output.check_apart(&inputs)?;
    let head = plan.finished(toml, digest(plan.identity()), Vec::new());
    let together = plan.grid().cells_of_a_curve();
    let journal = output.journal(head.clone(), plan.cells(), together, STORE_EVERY, args.force, warn)?;
    let bar = progress_bar(plan.cells() as u64, quiet);
    bar.inc(journal.count() as u64);
    let records = plan.run(&tasks, &Watched { journal: &journal, bar: &bar, unit: 1 });
    bar.finish_and_clear();
    let result = taskhead::sweep::Sweep { records, ..head };
    write(&output, &result, journal)?;
    let counts = Counts::of(&result.records);
    let files: Vec<String> = output.tables().map(|path| path.display().to_string()).collect();
    if args.json {
        let (cells, failed, stopped) = (counts.cells, counts.failed, counts.stopped);
        let json = json!({"cells": cells, "failed": failed, "stopped": stopped, "files": files, "notes": notes});
        say::line(json)?;
    } else if !quiet {
        say::line(format_args!("{}: {}", summary(&counts), files.join(" and ")))?;
    }
    Ok(report(&counts))
}

/// The configuration of file and flags.
fn configuration(args: &Args) -> Result<Config> {
    let mut config = match &args.config {
        None => Config::new(TaskSpec::Gaussian(Gaussian::default())),
        Some(path) => {
            let text = read_configuration(path)
                .with_context(|| format!("{}: the configuration cannot be read", path.display()))?;
            toml::from_str(&text)
                .with_context(|| format!("{}: this is not a valid configuration", path.display()))?
        }
    };
    match args.problem.as_deref() {
        None => {}
        // What the file says of the same kind of problem stays.
        Some(name)
            if name == config.problem.name() && !matches!(config.problem, TaskSpec::File { .. }) => {}
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
    set(&mut config.loss, args.loss);
    if args.goal.until().is_some() {
        // A flag takes the place of either rule of the file.
        (config.until_loss, config.until_accuracy) = (args.goal.until_loss, args.goal.until_accuracy);
    }
    set(&mut config.rtol, args.rtol);
    set(&mut config.max_steps, args.max_steps);
    config.max_time = args.max_time.or(config.max_time);
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
    match (left.first(), &*problem) {
        (None, _) => Ok(()),
        (Some((flag, _)), TaskSpec::File { path }) => bail!(
            "{flag} and a problem from a file exclude each other: {path} says by itself how large it is and what it \
             holds; leave out {flag}, or choose --problem {}",
            KINDS.join(" or ")
        ),
        (Some((flag, _)), other) => bail!(
            "{flag} does not belong to the problem {}; accepted with it: {}",
            other.name(),
            used.join(", ")
        ),
    }
}
