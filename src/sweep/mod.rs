//! Sweeps: many heads, energies and seeds on one kind of problem.
//!
//! A [`config::Config`] says what; [`run`] runs its curves, in parallel with the feature `parallel`;
//! the result is one [`record::Record`] a cell in the order of the configuration, whatever the
//! number of threads. A cell that fails keeps its reason and the rest goes on.

pub mod config;
pub mod record;

use nalgebra::DMatrix;

use crate::parallel::each;
use crate::simulation::{Probe, Run, Settings, Simulation, SimulationError};
use crate::tasks::{Task, TaskError, TaskSpec, accuracy};
use config::{Config, Metric, Points};
use record::Record;

/// A finished sweep: its rows in the order of the configuration, and what made them.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The configuration as TOML text.
    pub config: String,
    /// The version of this program that ran it.
    pub version: String,
    /// One record a cell.
    pub records: Vec<Record>,
}

/// One curve against energy: one seed, scale, smoothing and head rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Curve {
    /// Number of its first cell.
    first_cell: u64,
    seed: u64,
    scale: f64,
    smoothing: f64,
    head_rate: f64,
}

fn curves(config: &Config) -> Vec<Curve> {
    let heads = &config.heads;
    let cells = (config.points().count() * config.times.len()) as u64;
    let mut all = Vec::new();
    for seed in heads.first_seed..heads.first_seed.saturating_add(heads.seeds) {
        for &scale in &heads.scales {
            for &smoothing in &heads.smoothings {
                for &head_rate in &heads.head_rates {
                    let first_cell = all.len() as u64 * cells;
                    all.push(Curve { first_cell, seed, scale, smoothing, head_rate });
                }
            }
        }
    }
    all
}

/// Runs a validated sweep.
///
/// `load` makes the task of a seed ([`Task::new`] unless the task is a file); `known` gives the
/// records of a curve that an earlier, interrupted run finished, by the number of its first cell;
/// `done` is called with the records of each curve that was run now.
pub fn run(
    config: &Config,
    load: &(dyn Fn(&TaskSpec, u64) -> Result<Task, TaskError> + Sync),
    known: &(dyn Fn(u64) -> Option<Vec<Record>> + Sync),
    done: &(dyn Fn(&[Record]) + Sync),
) -> Vec<Record> {
    let curves = curves(config);
    let one = |i: usize| {
        let curve = &curves[i];
        known(curve.first_cell).unwrap_or_else(|| {
            let records = run_curve(config, curve, load);
            done(&records);
            records
        })
    };
    each(curves.len(), one).into_iter().flatten().collect()
}

/// Number of cells of each curve: what `done` is called with.
pub fn cells_of_a_curve(config: &Config) -> usize {
    config.points().count() * config.times.len()
}

fn run_curve(
    config: &Config,
    curve: &Curve,
    load: &(dyn Fn(&TaskSpec, u64) -> Result<Task, TaskError> + Sync),
) -> Vec<Record> {
    let blank = |point: usize, time: usize| Record {
        cell: curve.first_cell + (point * config.times.len() + time) as u64,
        problem: name(&config.problem),
        seed: curve.seed,
        head_scale: curve.scale,
        smoothing: curve.smoothing,
        head_rate: curve.head_rate,
        point: point as u64,
        time: config.times[time],
        ..Record::default()
    };
    let points = config.points().count();
    let fail = |point: usize, error: String| -> Vec<Record> {
        (0..config.times.len())
            .map(|time| Record { error: error.clone(), ..blank(point, time) })
            .collect()
    };
    let prepared = load(&config.problem, curve.seed).map_err(|e| e.to_string());
    let task = match &prepared {
        Ok(task) => task,
        Err(error) => return (0..points).flat_map(|point| fail(point, error.clone())).collect(),
    };
    let head = task.initial_head(curve.seed, curve.scale);
    let run = match Run::new(&task.problem, &head, curve.smoothing) {
        Ok(run) => run,
        Err(error) => return (0..points).flat_map(|point| fail(point, error.to_string())).collect(),
    };
    let settings = Settings {
        head_rate: curve.head_rate,
        method: config.method,
        rtol: config.rtol,
        ..Settings::default()
    };
    (0..points)
        .flat_map(|point| {
            let result = probe_of(&config.points(), point, &run)
                .and_then(|probe| run.finetune(probe, &config.times, &settings));
            match result {
                Err(error) => fail(point, error.to_string()),
                Ok(simulations) => simulations
                    .iter()
                    .enumerate()
                    .map(|(time, simulation)| {
                        let mut record = fill(blank(point, time), task, &run, simulation);
                        keep(&mut record, &config.metrics);
                        record
                    })
                    .collect(),
            }
        })
        .collect()
}

/// Point i of a curve as a probe. Even points go from full probing (i = 0) to none in equal steps of
/// Frobenius energy; smoothed probing, whose energy need not fall, is placed by its share of the way
/// from the smoothed residual at the start to that at convergence.
fn probe_of(points: &Points, i: usize, run: &Run) -> Result<Probe, SimulationError> {
    Ok(match points {
        Points::Times(times) => Probe::Time(times[i]),
        Points::Energies(energies) => Probe::Aie(energies[i]),
        Points::Even(1) => Probe::Time(f64::INFINITY),
        Points::Even(n) if i + 1 == *n => Probe::Time(0.0),
        Points::Even(_) if i == 0 => Probe::Time(f64::INFINITY),
        Points::Even(n) => {
            let high = run.path().energy(0.0)?.frobenius;
            let low = run.path().energy(f64::INFINITY)?.frobenius;
            Probe::Frobenius(low + (high - low) * i as f64 / (n - 1) as f64)
        }
    })
}

fn fill(blank: Record, task: &Task, run: &Run, s: &Simulation) -> Record {
    let a = &s.adaptation;
    let held = s.held_out.map_or([f64::NAN; 4], |a| a.values());
    let budget = s.budget.map_or((f64::NAN, f64::NAN), |b| (b.backbone, b.head));
    let mut record = Record {
        probe_time: s.probe_time,
        aie: s.energy.aie,
        frobenius: s.energy.frobenius,
        time: s.time,
        method: s.method.into(),
        status: s.stop.name().into(),
        residual: s.residual,
        drift: s.conservation_drift.unwrap_or(f64::NAN),
        euclidean: a.euclidean,
        cosine: a.cosine,
        dot: a.dot,
        norm: a.norm,
        held_out_euclidean: held[0],
        held_out_cosine: held[1],
        held_out_dot: held[2],
        held_out_norm: held[3],
        budget_backbone: budget.0,
        budget_head: budget.1,
        head_norm_start: s.head_norm.0,
        head_norm: s.head_norm.1,
        error: s.stop.reason().unwrap_or_default(),
        ..blank
    };
    let states = [&s.states.0, &s.states.1];
    if let Some(targets) = &task.held_out_targets {
        let [before, after] =
            states.map(|s| run.reduction().held_out_predictions(s).expect("targets have inputs"));
        record.risk_start = risk(&before, targets, task.risk_scale);
        record.risk = risk(&after, targets, task.risk_scale);
        if task.classes {
            record.held_out_accuracy_start = accuracy(&before, targets);
            record.held_out_accuracy = accuracy(&after, targets);
        }
    }
    if task.classes {
        let targets = task.problem.targets();
        let [before, after] = states.map(|s| accuracy(&run.reduction().predictions(s), targets));
        (record.accuracy_start, record.accuracy) = (before, after);
    }
    record
}

/// Empties the columns of the metrics that are not kept.
fn keep(record: &mut Record, metrics: &[Metric]) {
    let r = record;
    for (metric, columns) in [
        (Metric::Euclidean, [&mut r.euclidean, &mut r.held_out_euclidean]),
        (Metric::Cosine, [&mut r.cosine, &mut r.held_out_cosine]),
        (Metric::Dot, [&mut r.dot, &mut r.held_out_dot]),
        (Metric::Norm, [&mut r.norm, &mut r.held_out_norm]),
    ] {
        if !metrics.contains(&metric) {
            columns.into_iter().for_each(|c| *c = f64::NAN);
        }
    }
}

fn risk(predictions: &DMatrix<f64>, targets: &DMatrix<f64>, scale: f64) -> f64 {
    (predictions - targets).norm_squared() * scale
}

fn name(spec: &TaskSpec) -> String {
    match spec {
        TaskSpec::Gaussian(_) => "gaussian".into(),
        TaskSpec::RankOne(_) => "rank-one".into(),
        TaskSpec::Digits(_) => "digits".into(),
        TaskSpec::File { path } => path.clone(),
    }
}

/// The finished sweep of a configuration.
pub fn sweep(config: &Config, toml: String, records: Vec<Record>) -> Sweep {
    debug_assert_eq!(config.cells(), records.len());
    Sweep { config: toml, version: env!("CARGO_PKG_VERSION").into(), records }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::{Gaussian, RankOneTask};

    fn run_all(config: &Config) -> Vec<Record> {
        config.validate().unwrap();
        run(config, &|spec, seed| Task::new(spec, seed), &|_| None, &|_| {})
    }

    #[test]
    fn cells_are_in_order_and_energies_even() {
        let mut config = Config::new(TaskSpec::RankOne(RankOneTask::default()));
        config.times = vec![1.0, f64::INFINITY];
        config.probe.points = Some(5);
        let records = run_all(&config);
        let cells: Vec<u64> = records.iter().map(|r| r.cell).collect();
        assert_eq!(cells, (0..10).collect::<Vec<_>>());
        let energies: Vec<f64> = records.iter().step_by(2).map(|r| r.frobenius).collect();
        for (e, expected) in energies.iter().zip([0.0, 0.25, 0.5, 0.75, 1.0]) {
            assert!((e - expected).abs() < 1e-12, "{energies:?}");
        }
        assert!(records.iter().all(|r| r.method == "rank-one" && r.succeeded()));
    }

    #[test]
    fn a_cell_that_fails_keeps_its_reason_and_the_rest_goes_on() {
        let mut config = Config::new(TaskSpec::RankOne(RankOneTask::default()));
        config.probe.energies = Some(vec![0.5, 7.0]);
        let records = run_all(&config);
        assert!(records[0].succeeded());
        assert!(records[1].error.contains("energy 7 is not reached"), "{}", records[1].error);
        assert!(records[1].euclidean.is_nan());
    }

    #[test]
    fn metrics_that_are_not_asked_for_stay_empty() {
        let mut config = Config::new(TaskSpec::RankOne(RankOneTask::default()));
        config.metrics = vec![Metric::Dot];
        let records = run_all(&config);
        assert!(records.iter().all(|r| r.dot.is_finite() && r.euclidean.is_nan() && r.norm.is_nan()));
    }

    #[test]
    fn known_curves_are_not_run_again() {
        let mut config = Config::new(TaskSpec::Gaussian(Gaussian::default()));
        config.heads.seeds = 2;
        config.probe.points = Some(2);
        let first = run_all(&config);
        let count = std::sync::atomic::AtomicUsize::new(0);
        let again = run(
            &config,
            &|spec, seed| Task::new(spec, seed),
            &|cell| (cell == 0).then(|| first[..2].to_vec()),
            &|records| {
                count.fetch_add(records.len(), std::sync::atomic::Ordering::Relaxed);
            },
        );
        assert_eq!(count.into_inner(), 2);
        assert_eq!(format!("{again:?}"), format!("{first:?}"));
    }
}
