//! `--slurm`: the script of an array job that runs each part of a sweep or a replay as a task of its own.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::outcome::Split;
use super::say;
use super::shell::quoted;
use taskhead::sweep::plan::Digest;
use taskhead_files::{Fault, check_replaceable, with_suffix, write_atomically};

/// The second line of a script, by which it is known.
const MARK: &str = "# Written by taskhead: one task for each part.";

/// Refuses parts of another run, which the job that merges would take for those of this one; with `force` they are
/// removed.
pub fn check_parts(out: &Path, tasks: NonZeroUsize, identity: Digest, force: bool) -> Result<()> {
    for number in 1..=tasks.get() {
        let part = with_suffix(out, &format!("{number}-of-{tasks}.parquet"));
        match check_replaceable(&part, identity) {
            Err(_) if force => std::fs::remove_file(&part)
                .with_context(|| format!("{}: it cannot be removed", part.display()))?,
            checked => checked?,
        }
    }
    Ok(())
}

/// Writes OUT.slurm for this command line; submits it with a job that merges, or says how to.
pub fn run(
    split: &Split,
    tasks: NonZeroUsize,
    out: &Path,
    threads_given: bool,
    force: bool,
) -> Result<()> {
    let path = with_suffix(out, "slurm");
    if !force && path.symlink_metadata().is_ok() && !is_ours(&path) {
        bail!(
            "{}: this is there already, and it is no script of this program; choose another --out, or --force to \
             replace it",
            path.display()
        );
    }
    let own = std::env::current_exe().context("the path of this program is not known")?;
    let here = std::env::current_dir().context("the working folder is not known")?;
    let words = own_words(std::env::args_os().skip(1));
    let text = script(&own, &here, &words, out, tasks, threads_given);
    write_atomically(&path, |writer| {
        writer.write_all(text.as_bytes()).map_err(|source| Fault::Io { action: "write", source })
    })?;
    let merge = [
        "--parsable".into(),
        "--job-name=taskhead-merge".into(),
        format!("--output={}", with_suffix(out, "merge.log").display()),
        format!(
            "--wrap=cd {} && exec {} merge {}.*-of-{tasks}.parquet --out {}{}",
            quoted(&here),
            quoted(&own),
            quoted(out),
            quoted(out),
            if force { " --force" } else { "" }
        ),
    ];
    if !split.submit {
        say::line(format_args!(
            "{}: {tasks} tasks; submit them, and merge their parts when all have ended:",
            path.display()
        ))?;
        say::line(format_args!("  job=$(sbatch --parsable {})", quoted(&path)))?;
        let words: Vec<String> = merge.iter().map(quoted).collect();
        return Ok(say::line(format_args!("  sbatch --dependency=afterany:$job {}", words.join(" ")))?);
    }
    let job = sbatch(["--parsable".as_ref(), path.as_os_str()])?;
    // A cluster's name follows the number of a job.
    let number = job.split(';').next().unwrap_or(&job);
    let dependency = format!("--dependency=afterany:{number}");
    let merging = sbatch([&dependency].into_iter().chain(&merge).map(OsStr::new))?;
    Ok(say::line(format_args!(
        "job {job}: {tasks} tasks of {}; job {merging} merges their parts",
        path.display()
    ))?)
}

/// Whether a file is a script of this program.
fn is_ours(path: &Path) -> bool {
    std::fs::read_to_string(path)
        .is_ok_and(|text| text.lines().nth(1).is_some_and(|line| line.starts_with(MARK)))
}

/// The words of a command line, but for those that ask for the script.
fn own_words(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut own = Vec::new();
    let mut skip = false;
    for word in words {
        let value = std::mem::take(&mut skip);
        match word.to_str() {
            _ if value => {}
            Some("--slurm") => skip = true,
            Some("--submit") => {}
            Some(text) if text.starts_with("--slurm=") => {}
            _ => own.push(word),
        }
    }
    own
}

fn script(
    own: &Path,
    here: &Path,
    words: &[OsString],
    out: &Path,
    tasks: NonZeroUsize,
    threads_given: bool,
) -> String {
    let words: Vec<String> = words.iter().map(quoted).collect();
    let log = with_suffix(out, &format!("%a-of-{tasks}.log"));
    let threads = if threads_given { "" } else { " --threads \"${SLURM_CPUS_PER_TASK:-1}\"" };
    format!(
        "#!/bin/bash\n{MARK} A task that is killed and queued again goes on where it was.\n\
         #SBATCH --job-name=taskhead\n#SBATCH --array=1-{tasks}\n#SBATCH --requeue\n#SBATCH --open-mode=append\n\
         #SBATCH --output={}\n\
         cd {} || exit\n\
         exec {} {} --quiet --shard \"$SLURM_ARRAY_TASK_ID/{tasks}\"{threads}\n",
        quoted(&log),
        quoted(here),
        quoted(own),
        words.join(" ")
    )
}

/// What sbatch says, in one line.
fn sbatch<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Result<String> {
    let ran = Command::new("sbatch").args(words).output();
    let ran = ran.context("sbatch cannot be run; without --submit the script is written only")?;
    if !ran.status.success() {
        bail!("sbatch failed: {}", String::from_utf8_lossy(&ran.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned())
}
