//! How long to probe: the choice of probing time by what the theory predicts for samples that are held out.
//!
//! For each share of the energy between full probing (0) and none (1), and for each fold and seed of the head, the head
//! is probed, everything is finetuned ([`simulation`]), and the held-out samples are scored. Heads
//! are compared on the same samples, so that the error of a difference is that of its pairs. The recommendation comes
//! with the heads themselves, probed on all samples, as weight and bias of the features that were given. Accuracies are
//! smoothed along the path where held-out samples cannot tell them apart (`docs/advise.md` has how well that does).
//!
//! What the theory assumes, and whether these features meet it, is in [`Advice::assumptions`]. Predictions for held-out
//! samples need the kernel of the backbone; without one the backbone is taken as one more linear layer on the features.
//!
//! ```
//! use taskhead::advise::{Settings, advise};
//! use taskhead::nalgebra::DMatrix;
//! use taskhead::{Problem, tasks::Task};
//!
//! // Two classes that the second feature tells apart.
//! let features = DMatrix::from_fn(20, 3, |r, c| ((r * (c + 3)) as f64).sin() + f64::from(u8::from(c == 1 && r % 2 == 0)));
//! let labels = DMatrix::from_fn(20, 2, |r, c| f64::from(u8::from(r % 2 == c)));
//! let task = Task::of_problem(Problem::on_features(features, labels)?, None, None);
//!
//! let advice = advise(&task, &Settings { points: 3, ..Settings::default() })?;
//! println!("{}", advice.reason);
//! let best = &advice.rows[advice.best];
//! assert_eq!((best.weight.shape(), best.bias.len()), ((2, 3), 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod data;
mod row;
mod verdict;

use nalgebra::DMatrix;

use self::data::{Data, Split};
pub use self::row::{Difference, Row};
pub use self::verdict::Verdict;
use crate::adaptation::Adaptation;
use crate::analysis::{deviation, mean, steps};
use crate::energy::{Energy, Measure};
use crate::flow::Stop;
use crate::flow::solver::Watch;
use crate::loss::Loss;
use crate::parallel::each;
use crate::probing::practice::{Optimiser, strength_of_loss};
use crate::probing::{ProbingError, ProbingPath};
use crate::problem::{Problem, ProblemError};
use crate::setting::{Number, Setting};
use crate::simulation::{self, Method, Probe, Run, SimulationError, Until};
use crate::tasks::{Task, drawn_head};

/// Where there may be no limit (cross-entropy, T24), full probing and finetuning without end are taken to last this
/// many of the shortest time scales, each about a step of gradient descent at its largest stable rate.
pub const HORIZON: f64 = 1e4;

/// Differences of accuracies below this are rounding.
const ROUNDING: f64 = 1e-12;

/// Settings of the advice.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The loss of probing and finetuning.
    pub loss: Loss,
    /// Heads along the probing path, with its two ends.
    pub points: usize,
    /// Initial heads for each fold.
    pub seeds: usize,
    /// The first seed.
    pub seed: u64,
    /// Folds, where the task has no held-out targets.
    pub folds: usize,
    /// Deviation of the entries of the initial head, in units of 1/√h. A linear layer of PyTorch has 1/√3.
    pub head_scale: f64,
    /// γ, the learning rate of the head over that of the backbone.
    pub head_rate: f64,
    /// Finetuning time, ∞ for the limit; under cross-entropy ∞ stands for [`HORIZON`].
    pub time: f64,
    /// Where finetuning stops before that. Where a level is never met it goes on to the time or the limit;
    /// [`Row::unmet`] counts how often, and [`Advice::assumptions`] says so.
    pub until: Until,
    /// Relative tolerance of the solver.
    pub rtol: f64,
    /// Whether the features get a constant column, whose weights are the bias of the head.
    pub intercept: bool,
    /// Whether features are brought to deviation 1 (and mean 0 with an intercept); undone in the heads.
    pub standardise: bool,
    /// How the head is trained, so that probing times become epochs.
    pub optimiser: Option<Optimiser>,
    /// Whether to find the strength C of a penalty with the same training loss, which takes a while.
    pub strengths: bool,
    /// Who follows probing and the flows, and may end them.
    pub watch: Watch,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            loss: Loss::Squared,
            points: 8,
            seeds: 3,
            seed: 0,
            folds: 5,
            head_scale: 1.0 / 3f64.sqrt(),
            head_rate: 1.0,
            time: f64::INFINITY,
            until: Until::Time,
            rtol: 1e-6,
            intercept: true,
            standardise: false,
            optimiser: None,
            strengths: false,
            watch: Watch::default(),
        }
    }
}

/// Why there is no advice.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AdviseError {
    /// A setting that is not accepted.
    #[error(transparent)]
    Setting(#[from] Setting),
    /// Arrays that are not accepted.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// Probing has no answer.
    #[error(transparent)]
    Probing(#[from] ProbingError),
    /// Finetuning has none.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// Finetuning of some head stopped early.
    #[error("finetuning from a share of {share} of the energy did not reach its end: {reason}")]
    Stopped {
        /// The share of the energy.
        share: f64,
        /// Why.
        reason: String,
    },
    /// Probing the initial head lowers no energy, neither the average nor the Frobenius one.
    #[error(
        "probing takes the energy of seed {seed} from {start} to {end}, which is not lower: there is nothing to choose"
    )]
    NoChoice {
        /// The seed.
        seed: u64,
        /// The energy (AIE) before probing.
        start: f64,
        /// And after it.
        end: f64,
    },
    /// A strength C under another loss than that of logistic regression.
    #[error("a strength C is that of logistic regression; accepted: with the cross-entropy loss")]
    Strengths,
}

/// A recommendation with all that it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// Rows from full probing to none.
    pub rows: Vec<Row>,
    /// The recommended row.
    pub best: usize,
    /// Whether the choice matters.
    pub verdict: Verdict,
    /// Why, in plain words.
    pub reason: String,
    /// Whether scores are accuracies; otherwise they are losses with a minus sign.
    pub counts: bool,
    /// How many samples were held out, each once for every seed.
    pub held_out: usize,
    /// What the theory assumes and whether these features meet it.
    pub assumptions: Vec<String>,
}

/// What one fold and seed says of one share.
struct Cell {
    adaptation: Adaptation,
    probed: Vec<f64>,
    scores: Vec<f64>,
    losses: Vec<f64>,
    /// Whether finetuning stopped where it was to stop.
    met: bool,
}

/// What one fold and seed says.
struct Job {
    end: End,
    cells: Vec<Cell>,
}

/// The mean training loss at which finetuning under cross-entropy stops by default.
pub const UNTIL_LOSS: f64 = 0.05;

impl Settings {
    /// The default settings for a task: cross-entropy down to a training loss of [`UNTIL_LOSS`] where
    /// targets are classes, the squared loss to the limit for others.
    pub fn of_task(task: &Task, loss: Option<Loss>) -> Self {
        let loss = loss.unwrap_or(if task.classes { Loss::CrossEntropy } else { Loss::Squared });
        let until = match loss {
            Loss::CrossEntropy => Until::Loss(UNTIL_LOSS),
            Loss::Squared => Until::Time,
        };
        Self { loss, until, ..Self::default() }
    }

    fn check(&self) -> Result<(), Setting> {
        let whole = |name, value: usize, least: usize, accepted| {
            Setting::check(name, value as f64, |v| v >= least as f64, accepted)
        };
        whole("points", self.points, 2, "at least 2")?;
        whole("seeds", self.seeds, 1, "at least 1")?;
        whole("folds", self.folds, 2, "at least 2")?;
        let positive = |v: f64| v > 0.0 && v.is_finite();
        Setting::check("head scale", self.head_scale, positive, "a finite number above 0")?;
        if let Some(optimiser) = &self.optimiser {
            optimiser.check()?;
        }
        Ok(())
    }

    fn finetuning(&self, until: Until) -> simulation::Settings {
        simulation::Settings {
            head_rate: self.head_rate,
            method: Method::Auto,
            rtol: self.rtol,
            watch: self.watch.clone(),
            until,
            ..simulation::Settings::default()
        }
    }

    /// The time at which finetuning ends at the latest.
    fn last(&self, problem: &Problem) -> Result<f64, AdviseError> {
        if self.loss == Loss::Squared || self.time < f64::INFINITY {
            return Ok(self.time);
        }
        let fastest = problem.kernel().eigenvalues().amax();
        let fastest = fastest.max(self.head_rate * problem.feature_scale()?.powi(2));
        Ok(HORIZON / (fastest * self.loss.steepest(problem.outputs())))
    }

    fn head(&self, problem: &Problem, seed: u64) -> DMatrix<f64> {
        drawn_head(problem, seed, self.head_scale)
    }
}

/// How many flows [`advise`] follows: one for each fold, seed and share.
pub fn flows(task: &Task, settings: &Settings) -> usize {
    let held_out = task.problem.held_out().is_some() && task.held_out_targets.is_some();
    let folds = if held_out { 1 } else { settings.folds };
    folds.saturating_mul(settings.seeds).saturating_mul(settings.points)
}

/// Recommends how long to probe the head of a task.
///
/// The head of the task, if it has one, is not used: heads are drawn with the scale of the settings.
///
/// # Errors
///
/// Settings and arrays that are not accepted, and a flow that has no answer or stops early.
pub fn advise(task: &Task, settings: &Settings) -> Result<Advice, AdviseError> {
    advise_with(task, settings, &|| ())
}

/// The same, with something to be called after each flow; [`flows`] says how many there are.
///
/// # Errors
///
/// Those of [`advise`].
pub fn advise_with(
    task: &Task,
    settings: &Settings,
    done: &(dyn Fn() + Sync),
) -> Result<Advice, AdviseError> {
    settings.check()?;
    if settings.strengths && settings.loss != Loss::CrossEntropy {
        return Err(AdviseError::Strengths);
    }
    let data = Data::new(task, settings.loss, settings.intercept, settings.standardise)?;
    let whole = data.whole()?;
    let shares = steps(0.0, 1.0, settings.points);
    let splits: Vec<Split> = match data.held_out(&whole)? {
        Some(split) => vec![split],
        None => {
            let (n, folds) = (whole.samples(), settings.folds);
            Setting::check("folds", folds as f64, |v| v <= n as f64, "at most one for each sample")?;
            let all = data.folds(folds, settings.seed);
            all.iter().map(|fold| data.split(fold)).collect::<Result<_, _>>()?
        }
    };
    let jobs: Vec<(usize, u64)> = (0..splits.len())
        .flat_map(|split| (0..settings.seeds as u64).map(move |seed| (split, settings.seed + seed)))
        .collect();
    let cells = each(jobs.len(), |job| {
        let (split, seed) = jobs[job];
        cells_of(&splits[split], seed, &shares, settings, &data, done)
    });
    let mut ended = Vec::new();
    let mut all = Vec::new();
    for job in cells {
        let job = job?;
        ended.push(job.end);
        all.push(job.cells);
    }
    let cells: Vec<Vec<Cell>> = all;

    let path =
        ProbingPath::with_loss(&whole, &settings.head(&whole, settings.seed), 0.0, settings.loss)?
            .watched(settings.watch.clone());
    let ends = Ends::of(&path, &whole, settings, settings.seed)?;
    let held: Vec<usize> = splits.iter().map(|split| split.rows.len()).collect();
    let scores: Vec<Vec<f64>> = (0..shares.len())
        .map(|share| per_sample(&cells, share, &held, settings.seeds, |c| &c.scores))
        .collect();
    let counts = data.scorer.counts();
    // Accuracies are exact; losses are known to the tolerance of the flow, relative to the loss of a head that knows
    // nothing.
    let resolution = if counts { ROUNDING } else { settings.rtol * data.ignorance(settings.loss) };
    let best = verdict::recommended(&scores, &shares, counts, resolution);
    let mut rows = Vec::new();
    for (i, &share) in shares.iter().enumerate() {
        let probe_time = ends.time(&path, share)?;
        let head = path.head(probe_time)?;
        let energy = Energy::of(&path.residual(probe_time)?);
        let predictions = whole.features() * &head;
        let (weight, bias) = data.scaling.undo(&head);
        let mean_of = |of: fn(&Cell) -> &[f64]| mean(&per_sample(&cells, i, &held, settings.seeds, of));
        let by_job: Vec<f64> = cells.iter().map(|job| mean(&job[i].scores)).collect();
        let metrics = cells.iter().map(|job| job[i].adaptation.values());
        let metrics = metrics.fold([0.0; 5], |sum, all| std::array::from_fn(|m| sum[m] + all[m]));
        let [euclidean, cosine, dot, norm, frobenius_distance] =
            metrics.map(|sum| sum / cells.len() as f64);
        let level = settings.loss.value(whole.targets(), &predictions);
        rows.push(Row {
            share,
            probe_time,
            epochs: settings.optimiser.map(|optimiser| {
                // A batch has no more samples than there are.
                let batch = optimiser.batch.min(whole.samples());
                Optimiser { batch, ..optimiser }.epochs(probe_time)
            }),
            strength: if settings.strengths {
                strength_of_loss(&whole, settings.loss, level)?.map(|c| c * columns_of_a_vector(&whole))
            } else {
                None
            },
            energy: energy.aie,
            accuracy: counts.then(|| mean(&data.scorer.scores(whole.targets(), &predictions))),
            head_norm: head.norm(),
            weight,
            bias,
            adaptation: Adaptation { euclidean, cosine, dot, norm, frobenius_distance },
            probed: mean_of(|c| &c.probed),
            score: mean_of(|c| &c.scores),
            over_seeds: spread(&by_job, settings.seeds, true),
            over_folds: spread(&by_job, settings.seeds, false),
            risk: mean_of(|c| &c.losses),
            unmet: cells.iter().filter(|job| !job[i].met).count(),
            behind: Difference::of(&scores[best], &scores[i]).beyond(resolution),
        });
    }
    let verdict = verdict::verdict(&scores, resolution);
    let probed: Vec<Vec<f64>> = (0..shares.len())
        .map(|share| per_sample(&cells, share, &held, settings.seeds, |c| &c.probed))
        .collect();
    let alone = verdict::best(&probed, resolution);
    let gain = Difference::of(&probed[alone], &scores[best]).beyond(resolution);
    let mut reason = verdict::reason(verdict, &rows, best, counts, !gain.is_clear());
    if gain.is_clear() {
        reason += &verdict::without_finetuning(rows[alone].share, gain, counts);
    }
    let mut assumptions = assumptions(&data, &whole, &ends, settings)?;
    let undecided = ended.iter().filter(|&&end| end == End::Undecided).count();
    assumptions.extend(without_end(undecided, ended.len()));
    let unmet = rows.iter().map(|row| row.unmet).sum();
    assumptions.extend(never_met(unmet, rows.len() * ended.len(), settings));
    Ok(Advice { rows, best, verdict, reason, counts, held_out: held.iter().sum(), assumptions })
}

/// How many columns of the head stand for one weight vector of scikit-learn's `LogisticRegression`: for two classes it
/// has one vector, the difference of both columns, whose penalty is twice that of ours. So its C is twice as large.
fn columns_of_a_vector(problem: &Problem) -> f64 {
    if problem.outputs() == 2 { 2.0 } else { 1.0 }
}

/// What is known of the end of probing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// There is a limit.
    Limit,
    /// There is none (T24).
    Endless,
    /// It could not be decided.
    Undecided,
}

/// The energies at the two ends of a path: averages, or where probing raises these, as it may where one sample is lost
/// for many, Frobenius energies.
struct Ends {
    measure: Measure,
    start: f64,
    end: f64,
    what: End,
    /// The time of full probing: ∞, or the horizon where the path has no limit that is known.
    last: f64,
}

impl Ends {
    fn of(
        path: &ProbingPath,
        problem: &Problem,
        settings: &Settings,
        seed: u64,
    ) -> Result<Self, AdviseError> {
        let start = path.energy(0.0)?;
        let (what, energy) = match path.energy(f64::INFINITY) {
            Ok(energy) => (End::Limit, Some(energy)),
            Err(ProbingError::NoLimit { .. }) => (End::Endless, None),
            Err(ProbingError::Undecided { .. }) => (End::Undecided, None),
            // Any other failure does not show that there is no limit.
            Err(error) => return Err(error.into()),
        };
        let (last, end) = match energy {
            Some(energy) => (f64::INFINITY, energy),
            None => {
                let steepest =
                    problem.feature_scale()?.powi(2) * settings.loss.steepest(problem.outputs());
                let last = HORIZON / steepest;
                (last, path.energy(last)?)
            }
        };
        let falls =
            |measure: &Measure| measure.of(&start) - measure.of(&end) > 1e-12 * measure.of(&start);
        let Some(measure) = [Measure::Aie, Measure::Frobenius].into_iter().find(falls) else {
            return Err(AdviseError::NoChoice { seed, start: start.aie, end: end.aie });
        };
        Ok(Self { measure, start: measure.of(&start), end: measure.of(&end), what, last })
    }

    /// The probing time at a share of the energy.
    fn time(&self, path: &ProbingPath, share: f64) -> Result<f64, ProbingError> {
        match share {
            share if share >= 1.0 => Ok(0.0),
            share if share <= 0.0 => Ok(self.last),
            share => path.time_for(self.measure, self.end + share * (self.start - self.end)),
        }
    }
}

/// Every share of one fold and seed.
fn cells_of(
    split: &Split,
    seed: u64,
    shares: &[f64],
    settings: &Settings,
    data: &Data,
    done: &(dyn Fn() + Sync),
) -> Result<Job, AdviseError> {
    let head = settings.head(&split.problem, seed);
    let run = Run::with_loss(&split.problem, &head, 0.0, settings.loss)?.watched(settings.watch.clone());
    let ends = Ends::of(run.path(), &split.problem, settings, seed)?;
    let last = settings.last(&split.problem)?;
    let cells: Result<Vec<Cell>, AdviseError> = shares
        .iter()
        .map(|&share| {
            let time = ends.time(run.path(), share)?;
            let finetune = |until| run.finetune(Probe::Time(time), &[last], &settings.finetuning(until));
            let found = match finetune(settings.until) {
                Err(SimulationError::NeverMet { .. }) => finetune(Until::Time),
                found => found,
            };
            let level =
                |stop| matches!(stop, Stop::Loss { .. } | Stop::Accuracy { .. } | Stop::Residual { .. });
            let found = found?.remove(0);
            done();
            if let Some(reason) = found.stop.reason() {
                return Err(AdviseError::Stopped { share, reason: reason.to_string() });
            }
            let predictions = |state| {
                run.reduction().held_out_predictions(state).expect("a split has held-out inputs")
            };
            let (probed, tuned) = (predictions(&found.states.0), predictions(&found.states.1));
            Ok(Cell {
                adaptation: found.adaptation,
                probed: data.scorer.scores(&split.held_out, &probed),
                scores: data.scorer.scores(&split.held_out, &tuned),
                losses: settings.loss.per_sample(&split.held_out, &tuned),
                met: settings.until == Until::Time || level(found.stop),
            })
        })
        .collect();
    Ok(Job { end: ends.what, cells: cells? })
}

/// The numbers of each held-out sample, as means over the seeds. Jobs are folds, and within them seeds.
fn per_sample(
    cells: &[Vec<Cell>],
    share: usize,
    held: &[usize],
    seeds: usize,
    of: impl Fn(&Cell) -> &[f64],
) -> Vec<f64> {
    let fold = |(fold, &count): (usize, &usize)| -> Vec<f64> {
        let sum =
            |row: usize| (0..seeds).map(|seed| of(&cells[fold * seeds + seed][share])[row]).sum::<f64>();
        (0..count).map(|row| sum(row) / seeds as f64).collect()
    };
    held.iter().enumerate().flat_map(fold).collect()
}

/// The standard deviation over the seeds (each the mean of its folds) or over the folds (each the mean of its seeds).
fn spread(by_job: &[f64], seeds: usize, over_seeds: bool) -> f64 {
    let folds = by_job.len() / seeds;
    let means: Vec<f64> = if over_seeds {
        (0..seeds)
            .map(|s| mean(&(0..folds).map(|f| by_job[f * seeds + s]).collect::<Vec<_>>()))
            .collect()
    } else {
        by_job.chunks(seeds).map(mean).collect()
    };
    if means.len() < 2 {
        return 0.0;
    }
    deviation(&means)
}

/// What to say where the end of probing could not be decided for some of the folds and seeds.
fn without_end(undecided: usize, jobs: usize) -> Option<String> {
    (undecided > 0).then(|| {
        format!(
            "Whether probing has a limit could not be decided in {undecided} of {jobs} folds and seeds: full probing \
             stands for a long time there."
        )
    })
}

/// The level at which finetuning is to stop, if there is one.
fn level(settings: &Settings) -> Option<String> {
    match settings.until {
        Until::Time => None,
        Until::Loss(level) => Some(format!("a training loss of {}", Number(level))),
        Until::Accuracy(share) => Some(format!("a training accuracy of {}", Number(share))),
        Until::Residual(level) => Some(format!("a residual of {}", Number(level))),
    }
}

/// Where it ends without a level.
fn end(settings: &Settings) -> String {
    match (settings.loss, settings.time) {
        (_, time) if time < f64::INFINITY => format!("for a time of {}", Number(time)),
        (Loss::CrossEntropy, _) => format!("for {HORIZON:e} times the shortest time scale"),
        (Loss::Squared, _) => "to its limit".into(),
    }
}

/// The loss, and how far it is lowered.
fn lowered(settings: &Settings) -> String {
    let loss = match settings.loss {
        Loss::CrossEntropy => "cross-entropy",
        Loss::Squared => "the squared loss",
    };
    let until = level(settings).map_or_else(|| end(settings), |level| format!("down to {level}"));
    format!("Probing and finetuning lower {loss}; finetuning goes on {until}.")
}

/// What to say where finetuning went on beyond the level at which it was to stop.
fn never_met(unmet: usize, flows: usize, settings: &Settings) -> Option<String> {
    let level = level(settings).filter(|_| unmet > 0)?;
    let end = end(settings);
    Some(format!(
        "Finetuning did not come to {level} in {unmet} of {flows} flows: there it went on {end}."
    ))
}

fn assumptions(
    data: &Data,
    whole: &Problem,
    ends: &Ends,
    settings: &Settings,
) -> Result<Vec<String>, ProbingError> {
    let (n, h) = (whole.samples(), whole.width());
    let with = if settings.intercept { " (one of them constant)" } else { "" };
    let stands = |why: &str| {
        format!(
            "{h} features{with} for {n} samples: {why}. Full probing stands for a time of {:.3e}, {HORIZON:e} times the \
             shortest time scale.",
            ends.last
        )
    };
    let mut all = vec![lowered(settings)];
    all.push(if ends.what == End::Endless {
        stands("they separate the classes, so that probing has no limit (T24)")
    } else if ends.what == End::Undecided {
        stands(
            "it could not be decided whether probing has a limit (they may separate some of the classes, T24)",
        )
    } else if ends.end > 1e-9 * ends.start {
        let left = 100.0 * ends.end / ends.start;
        format!("{h} features{with} for {n} samples: probing cannot remove {left:.0} % of the energy.")
    } else {
        format!("{h} features{with} for {n} samples: probing can remove all energy (T3).")
    });
    if !data.has_kernel() {
        all.push(
            "No kernel is given: the backbone is taken as one more linear layer on these features. The kernel of the \
             network itself says more about how its features will move."
                .into(),
        );
        let rests = settings.until == Until::Time && settings.time == f64::INFINITY;
        if rests && whole.kernel().rank() < n && ends.end > 1e-9 * ends.start {
            all.push(
                "Without a kernel and in the limit every head of these features ends at the same predictions: only \
                 finetuning for a time, or to a training loss, can make a difference."
                    .into(),
            );
        }
    }
    if settings.intercept {
        all.push(
            "The constant column counts as a feature: in the theory it moves like the others, in a network it stays."
                .into(),
        );
    }
    if !data.has_held_out() {
        all.push(format!(
            "Held-out samples are {} folds of the training samples; predicted numbers are for {} of them.",
            settings.folds,
            n - n / settings.folds
        ));
    }
    if let Some(optimiser) = &settings.optimiser {
        let most = optimiser.stable_rate(whole, settings.loss)?;
        if optimiser.rate >= most {
            all.push(format!(
                "The learning rate {} is too large for these features: even with all samples in one batch it is stable \
                 below {most:.2e} only. Epochs do not follow the flow.",
                optimiser.rate
            ));
        }
        if settings.standardise {
            all.push("Epochs are those of standardised features.".into());
        }
    }
    Ok(all)
}
