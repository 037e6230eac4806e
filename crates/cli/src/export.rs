//! `taskhead sweep --export-cell`: one cell as the problem file that `simulate` takes.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use nalgebra::DMatrix;

use super::shell::quoted;
use crate::choices::Choice;
use taskhead::flow::solver::Options;
use taskhead::loss::Loss;
use taskhead::simulation::{Method, Until};
use taskhead::sweep::plan::{Plan, Tasks};
use taskhead_files::{check_apart, check_replaceable, digest, with_suffix, write_result_of};

/// Writes OUT.cell-N.npz, and gives the command line that runs it. What is there already is replaced if it is the same
/// cell of the same sweep, or by `force`.
pub fn export(
    plan: &Plan,
    tasks: &Tasks,
    cell: u64,
    (out, inputs): (&Path, &[PathBuf]),
    force: bool,
) -> Result<String> {
    let cells = plan.grid().cells();
    let outside =
        || anyhow!("--export-cell {cell} is not valid; accepted: 0 to {}", cells.saturating_sub(1));
    let start = plan.start(cell, tasks)?.ok_or_else(outside)?;
    let problem = &start.task.problem;
    let mut arrays: Vec<(&str, &DMatrix<f64>)> =
        vec![("targets", problem.targets()), ("head", &start.head)];
    let (kernel, held_out_kernel);
    match &start.task.linear {
        Some(linear) => {
            arrays.extend([("inputs", &linear.inputs), ("backbone", &linear.backbone)]);
            arrays.extend(linear.held_out.as_ref().map(|held_out| ("probe_inputs", held_out)));
        }
        None => {
            (kernel, held_out_kernel) = (problem.kernel().to_matrix(), problem.held_out_kernel());
            arrays.extend([("features", problem.features()), ("kernel", &kernel)]);
            if let (Some(held_out), Some(kernel)) = (problem.held_out(), &held_out_kernel) {
                arrays.extend([("probe_features", held_out.features()), ("probe_kernel", kernel)]);
            }
        }
    }
    arrays.extend(start.task.held_out_targets.as_ref().map(|targets| ("probe_targets", targets)));
    let path = with_suffix(out, &format!("cell-{cell}.npz"));
    check_apart([&path], inputs)?;
    let identity = digest(format!("cell {cell} of {}", plan.identity()));
    if !force {
        check_replaceable(&path, identity)?;
    }
    write_result_of(&path, &arrays, identity)?;

    let mut command = format!("taskhead simulate {} --probe {:?}", quoted(&path), start.probe_time);
    let mut flag = |name: &str, value: f64, usual: f64| {
        if value != usual {
            command += &format!(" --{name} {value:?}");
        }
    };
    let config = plan.config();
    flag("smoothing", start.curve.smoothing, 0.0);
    flag("time", start.time, f64::INFINITY);
    flag("head-rate", start.curve.head_rate, 1.0);
    flag("rtol", config.rtol, taskhead::flow::solver::DEFAULT_RTOL);
    if config.max_steps != Options::default().max_steps {
        command += &format!(" --max-steps {}", config.max_steps);
    }
    if let Some(seconds) = config.max_time {
        command += &format!(" --max-time {seconds:?}");
    }
    if config.loss != Loss::default() {
        command += &format!(" --loss {}", config.loss.name());
    }
    match config.until() {
        Until::Loss(level) => command += &format!(" --until-loss {level:?}"),
        Until::Accuracy(share) => command += &format!(" --until-accuracy {share:?}"),
        _ => {}
    }
    if config.method != Method::default() {
        let method = Method::ALL.iter().find(|(method, ..)| *method == config.method);
        command += &format!(" --method {}", method.expect("all methods have names").1);
    }
    Ok(command)
}
