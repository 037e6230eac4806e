//! A validated sweep, which can be run, and its identity.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nalgebra::DMatrix;

use super::config::{Config, ConfigError, Points};
pub use super::digest::{Digest, NoDigest};
use super::finished::{SCHEMA, Sweep};
use super::grid::{Curve, Grid};
use super::journal::{Journal, known_or};
use super::record::{Cell, Change, Measured, Metrics, Outcome, Record};
use super::shard::{Shard, TooManyParts};
use crate::flow::FlowError;
use crate::flow::solver::{Progress, Watch};
use crate::parallel::each;
use crate::probing::ProbingError;
use crate::simulation::{Probe, Run, Settings, Simulation, SimulationError};
use crate::tasks::{Scores, Task, TaskError, TaskSpec};

/// Makes the task of a seed.
pub type Tasks<'a> = dyn Fn(u64) -> Result<Arc<Task>, TaskError> + Sync + 'a;

/// A sweep whose configuration is valid, so that it can be run.
///
/// ```
/// use taskhead::sweep::{config::Config, plan::Plan};
/// use taskhead::tasks::{RankOneTask, TaskSpec};
///
/// let mut config = Config::new(TaskSpec::RankOne(RankOneTask::default()));
/// config.probe.points = Some(3);
/// let records = Plan::new(config)?.records();
/// assert_eq!(records.len(), 3);
/// assert!(records[2].reached().unwrap().energies.aie > 0.99);
/// # Ok::<(), taskhead::sweep::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    config: Config,
    grid: Grid,
    file: Option<Digest>,
    /// The numbers of the curves that are run.
    curves: Range<usize>,
}

impl Plan {
    /// Validates the configuration of a sweep whose problem is not a file.
    ///
    /// # Errors
    ///
    /// The first value that is not accepted; a problem that has to be read from a file.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        match &config.problem {
            TaskSpec::File { path } => Err(TaskError::NeedsFile(path.clone()).into()),
            _ => Self::validated(config, None),
        }
    }

    /// Validates the configuration of a sweep whose problem comes from a file, with the digest of the file's bytes.
    ///
    /// # Errors
    ///
    /// The first value that is not accepted.
    pub fn of_file(config: Config, file: Digest) -> Result<Self, ConfigError> {
        Self::validated(config, Some(file))
    }

    fn validated(config: Config, file: Option<Digest>) -> Result<Self, ConfigError> {
        config.validate()?;
        let grid = Grid::new(&config.heads, 1, config.points(), &config.times);
        let curves = 0..grid.curves().len();
        Ok(Self { config, grid, file, curves })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Only a part of its curves, with the same identity.
    ///
    /// # Errors
    ///
    /// More parts than curves.
    pub fn shard(self, shard: Shard) -> Result<Self, TooManyParts> {
        let curves = shard.of_things(self.grid.curves().len(), "curves")?;
        Ok(Self { curves, ..self })
    }

    /// How many cells its run computes.
    pub fn cells(&self) -> usize {
        self.curves.len() * self.grid.cells_of_a_curve()
    }

    /// Its cells, those of all parts.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Everything that its records depend on, but for the machine: the digest of this text is its identity.
    ///
    /// A file counts by its content, and its path does not.
    pub fn identity(&self) -> String {
        let Config { times, loss, method, rtol, max_steps, max_time, metrics, problem, heads, .. } =
            &self.config;
        let until = self.config.until();
        let problem = match (problem, self.file) {
            (TaskSpec::File { .. }, Some(digest)) => format!("{digest:?}"),
            (other, _) => format!("{other:?}"),
        };
        let (version, points) = (env!("CARGO_PKG_VERSION"), self.config.points());
        format!(
            "sweep, schema {SCHEMA}, taskhead {version}\n{problem}\n{heads:?}\n{points:?}\n{times:?}\n{method:?}\n\
             {rtol:?}\n{max_steps:?}\n{max_time:?}\n{metrics:?}\n{loss:?}\n{until:?}"
        )
    }

    /// Runs it on the tasks of its own seeds.
    pub fn records(&self) -> Vec<Record> {
        self.run(&|seed| Task::new(&self.config.problem, seed).map(Arc::new), &())
    }

    /// Runs its curves, or those of its part, in parallel with the feature `parallel`: one record per cell in the order
    /// of the grid, whatever the number of threads. A cell that fails keeps its reason, and the others continue.
    ///
    /// `tasks` makes the task of a seed; `journal` is asked for each curve first, and told when one is finished.
    pub fn run(&self, tasks: &Tasks, journal: &dyn Journal) -> Vec<Record> {
        self.run_while(tasks, journal, &Watch::default()).unwrap_or_default()
    }

    /// The same, which a watch may end: it is asked before and after each curve and in each step of a flow, and once it
    /// says no it has to go on saying so. Curves that are finished by then are in the journal; there are no records.
    pub fn run_while(&self, tasks: &Tasks, journal: &dyn Journal, watch: &Watch) -> Option<Vec<Record>> {
        self.run_telling(tasks, journal, watch, &|_| ())
    }

    /// The same, and `told` is called with how many probing points of a curve are done whenever one more is.
    pub fn run_telling(
        &self,
        tasks: &Tasks,
        journal: &dyn Journal,
        watch: &Watch,
        told: &(dyn Fn(usize) + Sync),
    ) -> Option<Vec<Record>> {
        let (curves, points) = (self.grid.curves(), self.grid.points().count());
        let problem = self.config.problem.name();
        let one = |i: usize| {
            let cells: Vec<Vec<Cell>> = (0..points)
                .map(|point| self.grid.cells_of_a_point(&curves[i], point, problem))
                .collect();
            let all = cells.concat();
            known_or(journal, all, |_| {
                let still = || watch.goes_on(|| Progress { steps: 0, time: 0.0, residual: f64::NAN });
                if !still() {
                    return None;
                }
                // A flow ended by its own time limit is a result; one ended by the watch is not.
                let ended = Arc::new(AtomicBool::new(false));
                let (asked, noted) = (watch.clone(), ended.clone());
                let watch = Watch::new(move |here| {
                    let goes_on = asked.goes_on(|| *here);
                    noted.fetch_or(!goes_on, Ordering::Relaxed);
                    goes_on
                });
                let records = self.curve(&curves[i], cells, tasks, &watch, told);
                (!ended.load(Ordering::Relaxed) && still()).then_some(records)
            })
        };
        let Range { start, end } = self.curves;
        let records: Option<Vec<_>> = each(end - start, |i| one(start + i)).into_iter().collect();
        Some(records?.into_iter().flatten().collect())
    }

    /// The task, the initial head and where on its probing path finetuning starts, of one cell.
    ///
    /// # Errors
    ///
    /// Why the cell fails.
    pub fn start(&self, cell: u64, tasks: &Tasks) -> Result<Option<Start>, StartError> {
        let Some((curve, point, time)) = self.grid.place(cell) else { return Ok(None) };
        let task = tasks(curve.seed)?;
        let head = task.initial_head(curve.seed, curve.scale);
        let run = Run::with_loss(&task.problem, &head, curve.smoothing, self.config.loss)?;
        let probe_time = run.probe_time(probe_of(self.grid.points(), point, &run)?)?;
        drop(run);
        Ok(Some(Start { task, head, curve: *curve, probe_time, time: self.grid.times()[time] }))
    }

    fn curve(
        &self,
        curve: &Curve,
        cells: Vec<Vec<Cell>>,
        tasks: &Tasks,
        watch: &Watch,
        told: &(dyn Fn(usize) + Sync),
    ) -> Vec<Record> {
        let all_fail = |cells: Vec<Vec<Cell>>, reason: &dyn fmt::Display| -> Vec<Record> {
            cells.into_iter().flatten().map(|cell| Record::failed(cell, reason)).collect()
        };
        let task = match tasks(curve.seed) {
            Ok(task) => task,
            Err(error) => return all_fail(cells, &error),
        };
        let head = task.initial_head(curve.seed, curve.scale);
        let run = match Run::with_loss(&task.problem, &head, curve.smoothing, self.config.loss) {
            Ok(run) => run,
            Err(error) => return all_fail(cells, &error),
        };
        let settings = Settings {
            head_rate: curve.head_rate,
            method: self.config.method,
            rtol: self.config.rtol,
            max_steps: self.config.max_steps,
            until: self.config.until(),
            ..Settings::default()
        };
        let of_point = |(point, cells): (usize, Vec<Cell>)| {
            let watch = watch.clone().and(Watch::for_seconds(self.config.max_time));
            let settings = Settings { watch, ..settings.clone() };
            let followed = |times: &[f64]| {
                let probe = probe_of(self.grid.points(), point, &run)?;
                run.finetune(probe, times, &settings)
            };
            let (simulations, endless) = match (followed(self.grid.times()), self.grid.times()) {
                // Where there is no limit, times before it have their states.
                (Err(error @ SimulationError::Flow(FlowError::NoLimit { .. })), [finite @ .., last])
                    if !finite.is_empty() && last.is_infinite() =>
                {
                    (followed(finite), Some(error))
                }
                (simulations, _) => (simulations, None),
            };
            let records = match simulations {
                Err(error) => all_fail(vec![cells], &error),
                Ok(simulations) => {
                    let record = |(i, cell): (usize, Cell)| match simulations.get(i) {
                        Some(s) => {
                            let outcome = Outcome::of(s.stop, measure(s, &task, &run, &self.config));
                            Record { cell, outcome }
                        }
                        None => Record::failed(cell, endless.as_ref().expect("times without a state")),
                    };
                    cells.into_iter().enumerate().map(record).collect()
                }
            };
            told(point + 1);
            records
        };
        cells.into_iter().enumerate().flat_map(of_point).collect()
    }

    /// The finished sweep, with its configuration as text and its identity.
    pub fn finished(&self, config: String, identity: Digest, records: Vec<Record>) -> Sweep {
        debug_assert!(records.is_empty() || records.len() == self.cells());
        Sweep { config, version: env!("CARGO_PKG_VERSION").into(), identity: Some(identity), records }
    }
}

/// Where the finetuning of one cell starts.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its task.
    pub task: Arc<Task>,
    /// Its head before probing, h×k.
    pub head: DMatrix<f64>,
    /// Its curve.
    pub curve: Curve,
    /// Probing time τ.
    pub probe_time: f64,
    /// Finetuning time.
    pub time: f64,
}

/// Why a cell has no start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its task cannot be made.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// Its head cannot be probed.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
}

/// Point i of a curve as a probe. Even points go from full probing (i = 0) to none in equal steps of
/// Frobenius energy; smoothed probing, whose energy need not fall, is placed by its share of the way
/// from the smoothed residual at the start to that at convergence. Points above convergence leave it out.
fn probe_of(points: &Points, i: usize, run: &Run) -> Result<Probe, SimulationError> {
    Ok(match points {
        Points::Times(times) => Probe::Time(times[i]),
        Points::Energies(energies) => Probe::Aie(energies[i]),
        Points::Even(1) => Probe::Time(f64::INFINITY),
        Points::Even(n) if i + 1 == *n => Probe::Time(0.0),
        Points::Even(_) if i == 0 => Probe::Time(f64::INFINITY),
        Points::Above(n) if i + 1 == *n => Probe::Time(0.0),
        Points::Even(n) => between(run, i, n - 1)?,
        Points::Above(n) => between(run, i + 1, *n)?,
    })
}

/// The probe that leaves `part` of `parts` of the way in Frobenius energy from convergence to none.
fn between(run: &Run, part: usize, parts: usize) -> Result<Probe, SimulationError> {
    let high = run.path().energy(0.0)?.frobenius;
    // Where probing has no end its energy falls to 0.
    let low = match run.path().energy(f64::INFINITY) {
        Err(ProbingError::NoLimit { .. }) => 0.0,
        limit => limit?.frobenius,
    };
    Ok(Probe::Frobenius(low + (high - low) * part as f64 / parts as f64))
}

fn measure(s: &Simulation, task: &Task, run: &Run, config: &Config) -> Measured {
    let kept = |adaptation| Metrics::new(adaptation, &config.metrics);
    let reduction = run.reduction();
    let [start, end] = [&s.states.0, &s.states.1].map(|state| {
        let held_out = reduction.held_out_predictions(state);
        task.scores(config.loss, &reduction.predictions(state), held_out.as_ref())
    });
    let change = |of: fn(&Scores) -> Option<f64>| Some(Change { start: of(&start)?, end: of(&end)? });
    Measured {
        method: s.method.name().into(),
        probe_time: s.probe_time,
        energies: s.energy,
        time: s.time,
        residual: s.residual,
        loss: Some(s.loss),
        drift: s.conservation_drift,
        training: kept(&s.adaptation),
        held_out: s.held_out.as_ref().map(kept),
        budget: s.budget,
        head_norm: Change { start: s.head_norm.0, end: s.head_norm.1 },
        risk: change(|s| s.risk),
        accuracy: change(|s| s.accuracy),
        held_out_accuracy: change(|s| s.held_out_accuracy),
        validation_accuracy: None,
        score: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;
    use crate::tasks::{DigitsTransfer, Gaussian, RankOneTask};

    fn rank_one() -> Config {
        Config::new(TaskSpec::RankOne(RankOneTask::default()))
    }

    fn records(config: &Config) -> Vec<Record> {
        Plan::new(config.clone()).unwrap().records()
    }

    #[test]
    fn cells_are_in_order_and_energies_even() {
        let mut config = rank_one();
        config.times = vec![1.0, f64::INFINITY];
        config.probe.points = Some(5);
        let records = records(&config);
        let cells: Vec<u64> = records.iter().map(|r| r.cell.number).collect();
        assert_eq!(cells, (0..10).collect::<Vec<_>>());
        let energy = |r: &Record| r.reached().unwrap().energies.frobenius;
        let energies: Vec<f64> = records.iter().step_by(2).map(energy).collect();
        for (e, expected) in energies.iter().zip([0.0, 0.25, 0.5, 0.75, 1.0]) {
            assert!((e - expected).abs() < 1e-12, "{energies:?}");
        }
        assert!(records.iter().all(|r| r.reached().unwrap().method == "rank-one"));
    }

    /// Under cross-entropy t = ∞ mostly does not exist, which says nothing of the times before.
    #[test]
    fn finite_times_have_their_states_where_there_is_no_limit() {
        let digits = DigitsTransfer { samples: 6, width: 12, ..DigitsTransfer::default() };
        let mut config = Config::new(TaskSpec::Digits(digits));
        config.loss = crate::Loss::CrossEntropy;
        config.probe.times = Some(vec![0.5]);
        config.times = vec![1.0, f64::INFINITY];
        let both = records(&config);
        config.times = vec![1.0];
        assert_eq!(both[0].outcome, records(&config)[0].outcome);
        let Outcome::Failed(reason) = &both[1].outcome else { panic!("{:?}", both[1].outcome) };
        assert!(reason.contains("there is no limit t = inf"), "{reason}");
    }

    #[test]
    fn each_point_of_a_curve_is_told() {
        let mut config = rank_one();
        (config.times, config.probe.points) = (vec![1.0, f64::INFINITY], Some(3));
        let plan = Plan::new(config).unwrap();
        let heard = std::sync::Mutex::new(Vec::new());
        let task = |seed| Task::new(&plan.config().problem, seed).map(Arc::new);
        let told = |done| heard.lock().unwrap().push(done);
        let records = plan.run_telling(&task, &(), &Watch::default(), &told).unwrap();
        assert_eq!((records, heard.into_inner().unwrap()), (plan.records(), vec![1, 2, 3]));
    }

    #[test]
    fn a_cell_that_fails_keeps_its_reason_and_the_rest_goes_on() {
        let mut config = rank_one();
        config.probe.energies = Some(vec![0.5, 7.0]);
        let records = records(&config);
        assert!(records[0].reached().is_some());
        let Outcome::Failed(reason) = &records[1].outcome else { panic!("{:?}", records[1]) };
        assert!(reason.contains("energy 7 is not reached"), "{reason}");
    }

    #[test]
    fn metrics_that_are_not_asked_for_are_none() {
        let mut config = rank_one();
        config.metrics = vec![Metric::Dot];
        for record in records(&config) {
            let training = record.reached().unwrap().training;
            assert_eq!(
                Metric::ALL.map(|m| training.get(m).is_some()),
                [false, false, true, false, false]
            );
        }
    }

    #[test]
    fn a_task_that_cannot_be_made_is_refused_before_any_cell_runs() {
        let spec = Gaussian { samples: 0, ..Gaussian::default() };
        let error = Plan::new(Config::new(TaskSpec::Gaussian(spec))).unwrap_err();
        assert_eq!(error.to_string(), "samples 0 is not valid; it must be at least 1");
        let file = Config::new(TaskSpec::File { path: "p.npz".into() });
        assert!(Plan::new(file).unwrap_err().to_string().contains("`p.npz` has to be read"));
    }

    /// Whatever changes the records changes the identity; where a file lies does not.
    #[test]
    fn an_identity_is_that_of_the_content() {
        let file = |path: &str, byte| {
            let config = Config::new(TaskSpec::File { path: path.into() });
            Plan::of_file(config, Digest([byte; 32])).unwrap().identity()
        };
        assert_eq!(file("a.npz", 1), file("b.npz", 1));
        assert_ne!(file("a.npz", 1), file("a.npz", 2));
        let identity = |change: &dyn Fn(&mut Config)| {
            let mut config = Config::new(TaskSpec::Gaussian(Gaussian::default()));
            change(&mut config);
            Plan::new(config).unwrap().identity()
        };
        let changes: [&dyn Fn(&mut Config); 16] = [
            &|_| (),
            &|c| c.times = vec![1.0],
            &|c| c.rtol = 1e-8,
            &|c| c.max_steps = 100,
            &|c| c.max_time = Some(1.0),
            &|c| c.loss = crate::loss::Loss::CrossEntropy,
            &|c| c.until_loss = Some(0.1),
            &|c| c.until_accuracy = Some(0.5),
            &|c| c.method = crate::simulation::Method::Flow,
            &|c| c.metrics = vec![Metric::Dot],
            &|c| c.problem = TaskSpec::Gaussian(Gaussian { samples: 7, ..Gaussian::default() }),
            &|c| c.heads.seeds = 2,
            &|c| c.heads.first_seed = 1,
            &|c| c.probe.points = Some(7),
            &|c| c.probe.times = Some(vec![1.0]),
            &|c| c.probe.energies = Some(vec![1.0]),
        ];
        let all: std::collections::HashSet<String> = changes.iter().map(|c| identity(c)).collect();
        assert_eq!(all.len(), changes.len());
        // A number of points that is the default one is the same sweep.
        assert_eq!(identity(&|c| c.probe.points = Some(24)), identity(&|_| ()));
    }

    /// Knows the first of two curves, with a mark, and counts what is kept.
    struct Half(Vec<Record>, std::sync::atomic::AtomicUsize);

    impl Journal for Half {
        fn known(&self, first: u64) -> Option<Vec<Record>> {
            (first == 0).then(|| self.0.clone())
        }

        fn keep(&self, records: &[Record]) {
            self.1.fetch_add(records.len(), std::sync::atomic::Ordering::Relaxed);
        }
    }

    #[test]
    fn known_curves_are_not_run_again_and_broken_ones_are() {
        let mut config = Config::new(TaskSpec::Gaussian(Gaussian::default()));
        config.heads.seeds = 2;
        config.probe.points = Some(2);
        let plan = Plan::new(config).unwrap();
        let first = plan.records();
        let tasks = |seed| Task::new(&plan.config().problem, seed).map(Arc::new);
        let mut known = first[..2].to_vec();
        known[0].outcome = Outcome::Failed("mark".into());
        known[0].cell.problem = "where the file was before".into();
        let journal = Half(known.clone(), 0.into());
        let again = plan.run(&tasks, &journal);
        assert_eq!(journal.1.into_inner(), 2);
        assert_eq!((&again[0].outcome, &again[0].cell), (&known[0].outcome, &first[0].cell));
        assert_eq!(again[1..], first[1..]);
        // A watch that says no ends it, in the middle of a flow too; what is known or finished by then stays.
        let nothing = Half(Vec::new(), 0.into());
        assert_eq!(plan.run_while(&tasks, &nothing, &Watch::new(|_| false)), None);
        let ended = std::sync::atomic::AtomicBool::new(false);
        let in_a_flow = Watch::new(move |p| {
            !ended.fetch_or(p.steps > 0, std::sync::atomic::Ordering::Relaxed) && p.steps == 0
        });
        assert_eq!(plan.run_while(&tasks, &nothing, &in_a_flow), None);
        assert_eq!(nothing.1.into_inner(), 0);
        let journal = Half(first[..2].to_vec(), 0.into());
        assert_eq!(plan.run_while(&tasks, &journal, &Watch::new(|_| false)), None);
        assert_eq!(journal.1.into_inner(), 0);
        // A curve that is known in part is run again.
        let journal = Half(known[..1].to_vec(), 0.into());
        assert_eq!(plan.run(&tasks, &journal), first);
        assert_eq!(journal.1.into_inner(), 4);
    }
}
