//! The command `taskhead`: one file per command.
//!
//! Bad input ends with one message on standard error and exit code 2. What has numbers but not all that was asked for
//! ends with exit code 1: a flow that stopped early, advice that was stopped before its end, some cells that failed, a
//! theorem that does not hold.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod advise;
mod choices;
mod curves;
#[cfg(feature = "replay")]
mod earlier;
mod explore;
mod export;
mod goal;
mod input;
mod json;
mod merge;
mod numbers;
mod outcome;
mod plot;
mod progress;
#[cfg(feature = "replay")]
mod replay;
mod reproduce;
mod say;
mod shell;
mod simulate;
mod slurm;
mod sweep;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use numbers::{amount, number, real, time, whole};
use say::Unwritten;
use taskhead::advise::AdviseError;
use taskhead::probing::ProbingError;
use taskhead::simulation::SimulationError;
use taskhead_files::{FileError, Remedy};

/// Everything that the command line can say.
#[derive(Debug, Parser)]
#[command(name = "taskhead", version, about, max_term_width = 100)]
#[command(after_help = "Examples:\n  \
    taskhead reproduce                                every sweep, figure and the report\n  \
    taskhead simulate problem.npz --energy 0.5        one head, probed to an energy of 0.5\n  \
    taskhead sweep --problem gaussian --seeds 20      random problems over 24 energies\n  \
    taskhead advise features.npz                      how long to probe your own features\n  \
    taskhead verify T7 T9                             theorems against random cases\n  \
    taskhead plot sweep.parquet --figure trend        a figure of a stored sweep\n  \
    taskhead explore                                  the trend in your browser")]
struct Args {
    /// Print no progress and no hints.
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all sweeps, draw all figures and write report.html.
    Reproduce(reproduce::Args),
    /// Probe and finetune one head of a problem file.
    Simulate(simulate::Args),
    /// Run many heads, energies and seeds, and store them.
    Sweep(Box<sweep::Args>),
    /// Say how long to probe the head of exported features before finetuning.
    Advise(Box<advise::Args>),
    /// Put the parts of a sweep or a replay together.
    Merge(merge::Args),
    /// Check every theorem on random, edge and violating cases.
    Verify(verify::Args),
    /// Draw figures of a stored sweep.
    Plot(plot::Args),
    /// Run the sweep on a real network.
    #[cfg(feature = "replay")]
    Replay(Box<replay::Args>),
    /// Open the explorer, a page that teaches the trend.
    Explore(explore::Args),
    /// Print a shell completion script.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let done = match Args::try_parse() {
        Ok(args) => run(&args),
        Err(help) if !help.use_stderr() => {
            say::help(&help).map(|()| ExitCode::SUCCESS).map_err(Into::into)
        }
        Err(wrong) => wrong.exit(),
    };
    done.unwrap_or_else(|error| match error.downcast_ref::<Unwritten>() {
        Some(unwritten) => unwritten.end(),
        None => {
            say::error(with_causes(&error));
            ExitCode::from(if stopped_early(&error) { 1 } else { 2 })
        }
    })
}

/// Whether nothing that was given is wrong: a flow or a probing was stopped before it had anything to say.
fn stopped_early(error: &anyhow::Error) -> bool {
    let probing = |error: &ProbingError| matches!(error, ProbingError::Interrupted { .. });
    let simulation =
        |error: &SimulationError| matches!(error, SimulationError::Probing(e) if probing(e));
    error.downcast_ref().is_some_and(probing)
        || error.downcast_ref().is_some_and(simulation)
        || error.downcast_ref().is_some_and(|error| match error {
            AdviseError::Stopped { .. } => true,
            AdviseError::Probing(error) => probing(error),
            AdviseError::Simulation(error) => simulation(error),
            _ => false,
        })
}

/// An error with its causes, but for those that it names itself, and the flag that lets it pass.
fn with_causes(error: &anyhow::Error) -> String {
    let text = error.chain().map(ToString::to_string).fold(String::new(), |text, cause| {
        match text.is_empty() {
            true => cause,
            false if text.contains(&cause) => text,
            false => format!("{text}: {cause}"),
        }
    });
    let of_file = error.chain().find_map(|cause| cause.downcast_ref::<FileError>());
    match of_file.and_then(|error| error.fault.remedy()) {
        Some(Remedy::Replacement) => format!("{text}, or --force to replace it"),
        Some(Remedy::KernelTolerance(needed)) => {
            format!(
                "{text}; if the kernel is no more precise than that, add --kernel-tolerance {needed:e}"
            )
        }
        None => text,
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Reproduce(command) => reproduce::run(command, args.quiet),
        Command::Simulate(command) => simulate::run(command, args.quiet),
        Command::Sweep(command) => sweep::run(command, args.quiet),
        Command::Advise(command) => advise::run(command, args.quiet),
        Command::Merge(command) => merge::run(command, args.quiet),
        Command::Verify(command) => verify::run(command, args.quiet),
        Command::Plot(command) => plot::run(command, args.quiet),
        #[cfg(feature = "replay")]
        Command::Replay(command) => replay::run(command, args.quiet),
        Command::Explore(command) => explore::run(command, args.quiet),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "taskhead", &mut script);
            say::print(String::from_utf8_lossy(&script))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// As many threads as any machine has cores.
const MOST_THREADS: u64 = 4095;

/// Parses the number of threads.
fn threads(text: &str) -> Result<usize, String> {
    whole(1..=MOST_THREADS)(text)
}

/// Limits the threads, if a number is given.
fn use_threads(count: Option<usize>) -> anyhow::Result<()> {
    match count {
        Some(count) => Ok(rayon::ThreadPoolBuilder::new().num_threads(count).build_global()?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    /// "invalid digit found in string"
    #[test]
    fn every_flag_says_what_it_accepts() {
        let all = Args::command();
        let mut counts = Vec::new();
        for command in all.get_subcommands() {
            for flag in command.get_opts().filter_map(clap::Arg::get_long) {
                for bad in ["-1", "1e3", "x", "", "99999999999999999999"] {
                    let words = ["taskhead", command.get_name(), &format!("--{flag}={bad}")];
                    let Err(error) = Args::try_parse_from(words) else { continue };
                    let text = error.to_string();
                    for raw in [
                        "invalid digit",
                        "number too large",
                        "float literal",
                        "is not in",
                        "empty string",
                    ] {
                        assert!(!text.contains(raw), "{words:?}: {text}");
                    }
                    if text.contains("it must be a whole number from") && bad == "1e3" {
                        counts.push(format!("{} --{flag}", command.get_name()));
                    }
                }
            }
        }
        for known in
            ["sweep --seeds", "simulate --seed", "advise --folds", "verify --boxes", "explore --port"]
        {
            assert!(counts.iter().any(|flag| flag == known), "{known} is not in {counts:?}");
        }
    }

    #[test]
    fn causes_are_told_once() {
        let cause = std::io::Error::other("no space");
        let error = anyhow::Error::from(cause).context("s.toml: cannot be read");
        assert_eq!(with_causes(&error), "s.toml: cannot be read: no space");
        let told = anyhow::anyhow!("no space").context("pretraining failed: no space");
        assert_eq!(with_causes(&told), "pretraining failed: no space");
    }
}
