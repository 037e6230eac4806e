//! One cell of a sweep: what was asked for and what came of it, shared by the linear theory, by replays of real
//! networks and by anyone who records their own training.

use crate::adaptation::Adaptation;
use crate::energy::Energy;
use crate::flow::{Budget, Stop};
use crate::metric::Metric;
use crate::setting::counted;

/// The method of a training that its owner has recorded, unless they call it otherwise.
pub const RECORDED: &str = "recorded";

/// One head, one probing point, one finetuning time.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What was asked for.
    pub cell: Cell,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a cell asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Its number in the order of the sweep, from 0.
    pub number: u64,
    /// What is finetuned: "gaussian", "rank-one", "digits", the path of a file, or the network of a replay.
    pub problem: String,
    /// Seed of the problem and of the initial head.
    pub seed: u64,
    /// Scale of the initial head.
    pub head_scale: f64,
    /// Label smoothing in head probing.
    pub smoothing: f64,
    /// γ
    pub head_rate: f64,
    /// Number of the probing point on its curve, from 0.
    pub point: u64,
    /// The probing point itself.
    pub probe: Asked,
    /// Finetuning time, in [0, ∞].
    pub time: f64,
}

/// Where on a probing path finetuning starts, as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asked {
    /// After this probing time, in [0, ∞].
    Time(f64),
    /// At this average initial energy.
    Energy(f64),
    /// At this share of the way in Frobenius energy from the end of probing (0) to its start (1).
    Share(f64),
}

/// What came of a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// There are no numbers.
    Failed(
        /// Why.
        String,
    ),
    /// Finetuning ended before what was asked for; the numbers are those of where it ended.
    Stopped(Stop, Measured),
    /// Finetuning got to what was asked for.
    Reached(Stop, Measured),
}

impl Outcome {
    /// The outcome of a run that ended for this reason with these numbers.
    pub fn of(stop: Stop, measured: Measured) -> Self {
        if stop.is_success() { Self::Reached(stop, measured) } else { Self::Stopped(stop, measured) }
    }
}

/// The numbers of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// How it was solved or trained.
    pub method: String,
    /// Probing time τ.
    pub probe_time: f64,
    /// Energies at the start of finetuning.
    pub energies: Energy,
    /// Finetuning time that was reached.
    pub time: f64,
    /// ‖R‖_F at the end.
    pub residual: f64,
    /// The training loss at the end, on average over the samples.
    pub loss: Option<f64>,
    /// Relative drift of the conserved matrix (T2), where it applies.
    pub drift: Option<f64>,
    /// Adaptation of the training features.
    pub training: Metrics,
    /// Adaptation of the held-out features.
    pub held_out: Option<Metrics>,
    /// Loss spent by backbone and head (T6).
    pub budget: Option<Budget>,
    /// ‖V‖_F.
    pub head_norm: Change,
    /// Downstream risk: mean squared error on the held-out inputs.
    pub risk: Option<Change>,
    /// Accuracy on the training samples, for classes.
    pub accuracy: Option<Change>,
    /// Accuracy on the held-out inputs, for classes.
    pub held_out_accuracy: Option<Change>,
    /// Accuracy at the end on the samples by which the best probing point is chosen.
    pub validation_accuracy: Option<f64>,
    /// What the task is scored by, where that is not accuracy.
    pub score: Option<Score>,
}

/// What a task is scored by, where that is not accuracy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// What it is.
    pub kind: ScoreKind,
    /// On the training samples.
    pub training: Change,
    /// On the held-out inputs.
    pub held_out: Change,
    /// At the end on the samples by which the best probing point is chosen.
    pub validation: f64,
}

/// Kinds of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreKind {
    /// Mean over the classes of intersection over union.
    MeanIou,
    /// Area under the ROC curve.
    Auc,
}

impl ScoreKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::MeanIou, Self::Auc];

    /// Its name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::MeanIou => "mean_iou",
            Self::Auc => "auc",
        }
    }

    /// Its name in text and figures.
    pub fn title(self) -> &'static str {
        match self {
            Self::MeanIou => "mean IoU",
            Self::Auc => "AUC",
        }
    }
}

/// A number before finetuning and after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// At the start of finetuning.
    pub start: f64,
    /// At its end.
    pub end: f64,
}

/// The metrics that were kept and are defined: a feature that is zero has no direction.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metrics([Option<f64>; Metric::ALL.len()]);

impl Metrics {
    /// Those of an adaptation that are among `kept`.
    pub fn new(adaptation: &Adaptation, kept: &[Metric]) -> Self {
        Self(Metric::ALL.map(|metric| {
            let value = metric.of(adaptation);
            (kept.contains(&metric) && !value.is_nan()).then_some(value)
        }))
    }

    /// One of them.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.0[metric as usize]
    }
}

impl From<Adaptation> for Metrics {
    fn from(adaptation: Adaptation) -> Self {
        Self::new(&adaptation, &Metric::ALL)
    }
}

impl From<[Option<f64>; Metric::ALL.len()]> for Metrics {
    /// In the order of [`Metric::ALL`]; NaN where there is none.
    fn from(values: [Option<f64>; Metric::ALL.len()]) -> Self {
        Self(values.map(|value| value.filter(|v| !v.is_nan())))
    }
}

impl Record {
    /// A cell without numbers.
    pub fn failed(cell: Cell, reason: impl ToString) -> Self {
        Self { cell, outcome: Outcome::Failed(reason.to_string()) }
    }

    /// The numbers, if finetuning got to what was asked for.
    pub fn reached(&self) -> Option<&Measured> {
        match &self.outcome {
            Outcome::Reached(_, measured) => Some(measured),
            Outcome::Stopped(..) | Outcome::Failed(_) => None,
        }
    }

    /// The numbers, wherever finetuning ended.
    pub fn measured(&self) -> Option<&Measured> {
        match &self.outcome {
            Outcome::Reached(_, measured) | Outcome::Stopped(_, measured) => Some(measured),
            Outcome::Failed(_) => None,
        }
    }

    /// What ended finetuning, if it began.
    pub fn stop(&self) -> Option<&Stop> {
        match &self.outcome {
            Outcome::Reached(stop, _) | Outcome::Stopped(stop, _) => Some(stop),
            Outcome::Failed(_) => None,
        }
    }

    /// Why there are no numbers, or none of what was asked for.
    pub fn reason(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Failed(reason) => Some(reason.clone()),
            Outcome::Stopped(stop, _) => Some(stop.to_string()),
            Outcome::Reached(..) => None,
        }
    }
}

/// No cell of a sweep has numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {first}", if *.cells == 1 { "the only cell failed".into() } else { format!("all {cells} cells failed; the first one") })]
pub struct AllFailed {
    /// The number of cells.
    pub cells: usize,
    /// Why the first one failed.
    pub first: String,
}

/// How many cells of a sweep failed and how many stopped early, with the first of each.
#[derive(Debug, Clone, Copy)]
pub struct Counts<'a> {
    /// All cells.
    pub cells: usize,
    /// Cells without numbers.
    pub failed: usize,
    /// Cells whose finetuning ended early.
    pub stopped: usize,
    /// The first cell without numbers.
    pub first_failed: Option<&'a Record>,
    /// The first cell whose finetuning ended early.
    pub first_stopped: Option<&'a Record>,
}

impl<'a> Counts<'a> {
    /// Counts records.
    pub fn of(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut counts =
            Self { cells: 0, failed: 0, stopped: 0, first_failed: None, first_stopped: None };
        for record in records {
            counts.cells += 1;
            match record.outcome {
                Outcome::Failed(_) => {
                    counts.failed += 1;
                    counts.first_failed.get_or_insert(record);
                }
                Outcome::Stopped(..) => {
                    counts.stopped += 1;
                    counts.first_stopped.get_or_insert(record);
                }
                Outcome::Reached(..) => {}
            }
        }
        counts
    }

    /// Refuses a sweep in which no cell has numbers: then the input is at fault.
    ///
    /// # Errors
    ///
    /// Why the first cell failed, if all did.
    pub fn some_succeeded(&self) -> Result<(), AllFailed> {
        match self.first_failed {
            Some(first) if self.failed == self.cells => {
                let first = first.reason().unwrap_or_default();
                Err(AllFailed { cells: self.cells, first })
            }
            _ => Ok(()),
        }
    }

    /// Warnings about the cells that failed and those that stopped early.
    pub fn warnings(&self) -> Vec<String> {
        let say = |count: usize, what: &str, first: Option<&Record>| {
            let record = first?;
            let (number, reason) = (record.cell.number, record.reason().unwrap_or_default());
            let cells = counted(self.cells, "cell");
            Some(format!("{count} of {cells} {what}; the first one is cell {number}: {reason}"))
        };
        let failed = say(self.failed, "failed", self.first_failed);
        let stopped = say(self.stopped, "stopped early", self.first_stopped);
        failed.into_iter().chain(stopped).collect()
    }

    /// Whether every cell got to what was asked for.
    pub fn all_reached(&self) -> bool {
        self.failed + self.stopped == 0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A cell that reached its end, with the values of one metric after the other; there is no Frobenius distance.
    pub(crate) fn reached(seed: u64, point: u64, frobenius: f64, metrics: [f64; 4]) -> Record {
        let [euclidean, cosine, dot, norm] = metrics.map(Some);
        let cell = Cell {
            number: 100 * seed + point,
            problem: "test".into(),
            seed,
            head_scale: 1.0,
            smoothing: 0.0,
            head_rate: 1.0,
            point,
            probe: Asked::Time(0.0),
            time: 1.0,
        };
        let measured = Measured {
            method: "flow".into(),
            probe_time: 0.0,
            energies: Energy { aie: frobenius, frobenius },
            time: 1.0,
            residual: 0.0,
            loss: None,
            drift: None,
            training: [euclidean, cosine, dot, norm, None].into(),
            held_out: None,
            budget: None,
            head_norm: Change { start: 1.0, end: 1.0 },
            risk: None,
            accuracy: None,
            held_out_accuracy: None,
            validation_accuracy: None,
            score: None,
        };
        Record { cell, outcome: Outcome::of(Stop::Time, measured) }
    }

    /// The same cell with label smoothing.
    pub(crate) fn smoothed(mut record: Record) -> Record {
        record.cell.smoothing = 0.2;
        record
    }

    #[test]
    fn what_does_not_exist_or_is_not_kept_is_none() {
        let cosine = f64::NAN;
        let a = Adaptation { euclidean: 1.0, cosine, dot: 0.0, norm: 1.0, frobenius_distance: 2.0 };
        assert_eq!(
            Metric::ALL.map(|m| Metrics::from(a).get(m)),
            [Some(1.0), None, Some(0.0), Some(1.0), Some(2.0)]
        );
        let dot = Metrics::new(&a, &[Metric::Dot]);
        assert_eq!(Metric::ALL.map(|m| dot.get(m)), [None, None, Some(0.0), None, None]);
    }

    #[test]
    fn early_stops_are_neither_failures_nor_successes() {
        let good = reached(0, 0, 1.0, [0.0; 4]);
        let failed = Record::failed(good.cell.clone(), "no");
        let measured = good.measured().unwrap().clone();
        let stop = Stop::StepLimit { steps: 3, time: 0.5 };
        let stopped = Record { outcome: Outcome::of(stop, measured), ..good.clone() };
        assert!(stopped.reached().is_none() && stopped.measured().is_some() && failed.stop().is_none());
        let all = [good, stopped, failed];
        let counts = Counts::of(&all);
        assert_eq!((counts.cells, counts.failed, counts.stopped), (3, 1, 1));
        assert!(!counts.all_reached() && Counts::of(&all[..1]).all_reached());
        assert_eq!(counts.first_stopped, Some(&all[1]));
        let warnings = counts.warnings();
        assert_eq!(warnings[0], "1 of 3 cells failed; the first one is cell 0: no");
        assert!(warnings[1].starts_with("1 of 3 cells stopped early; the first one is cell 0: 3 steps"));
        let none = Counts::of(&all[..1]);
        assert!(
            none.warnings().is_empty()
                && none.some_succeeded().is_ok()
                && counts.some_succeeded().is_ok()
        );
        let error = Counts::of(&all[2..]).some_succeeded().unwrap_err();
        assert_eq!(error.to_string(), "the only cell failed: no");
        assert!(all[1].reason().unwrap().starts_with("3 steps taken") && all[0].reason().is_none());
    }
}
