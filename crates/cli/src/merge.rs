//! `taskhead merge`: the parts of a sweep or a replay, put together.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::outcome::{output, report, summary};
use super::say;
use taskhead::sweep::record::Counts;
use taskhead_files::{SweepFiles, merge};

/// Flags of the command.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The tables are those of the run that was never split, to the last byte.\n\nExample:\n  \
    taskhead sweep --seeds 100 --out s --shard 1/2      on one machine\n  \
    taskhead sweep --seeds 100 --out s --shard 2/2      on another\n  \
    taskhead merge s.*-of-2.parquet --out s"
)]
pub struct Args {
    /// All parts, in any order.
    #[arg(required = true)]
    parts: Vec<PathBuf>,
    /// Write OUT.parquet and OUT.csv.
    #[arg(long, short, value_name = "OUT", value_parser = output())]
    out: PathBuf,
    /// Replace whatever is there.
    #[arg(long)]
    force: bool,
    /// Print a summary as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, quiet: bool) -> Result<ExitCode> {
    let output = SweepFiles::new(&args.out, None)?;
    output.check_apart(&args.parts)?;
    let (sweep, notes) = merge(&args.parts)?;
    for (path, note) in notes {
        say::warning(format_args!("{}: {note}", path.display()));
    }
    Counts::of(&sweep.records).some_succeeded()?;
    output.check(sweep.identity.expect("parts have one"), args.force)?;
    output.write(&sweep)?;
    let counts = Counts::of(&sweep.records);
    let files: Vec<String> = output.tables().map(|path| path.display().to_string()).collect();
    if args.json {
        let (cells, failed, stopped) = (counts.cells, counts.failed, counts.stopped);
        say::line(json!({"cells": cells, "failed": failed, "stopped": stopped, "files": files}))?;
    } else if !quiet {
        say::line(format_args!("{}: {}", summary(&counts), files.join(" and ")))?;
    }
    Ok(report(&counts))
}
