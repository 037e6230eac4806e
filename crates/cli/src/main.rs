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
#[cfg(feature = "explore")]
mod explore;
mod export;
mod failure;
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
mod threads;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use failure::{stopped_early, with_causes};
use numbers::{amount, number, real, time, whole};
use say::Unwritten;
use threads::threads;

/// Everything that the command line can say.
#[derive(Debug, Parser)]
#[command(name = "taskhead", version, about, max_term_width = 100)]
#[command(after_help = "Examples:\n  \
    taskhead reproduce                                every sweep, figure and the report\n  \
    taskhead simulate problem.npz --energy 0.5        one head, probed to an energy of 0.5\n  \
    taskhead sweep --problem gaussian --seeds 20      random problems over 24 energies\n  \
    taskhead advise features.npz                      how long to probe your own features\n  \
    taskhead verify T7 T9                             theorems against random cases\n  \
    taskhead plot sweep.parquet --figure trend        a figure of a stored sweep")]
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
    #[cfg(feature = "explore")]
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
        #[cfg(feature = "explore")]
        Command::Explore(command) => explore::run(command, args.quiet),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "taskhead", &mut script);
            say::print(String::from_utf8_lossy(&script))?;
            Ok(ExitCode::SUCCESS)
        }
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
        for known in ["sweep --seeds", "simulate --seed", "advise --folds", "verify --boxes"] {
            assert!(counts.iter().any(|flag| flag == known), "{known} is not in {counts:?}");
        }
    }
}
