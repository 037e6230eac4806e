//! What advice is made from: features with an intercept, standardised if wanted, and samples held out in turn.

use nalgebra::{DMatrix, DVector, RowDVector};
use rand::seq::SliceRandom;

use crate::loss::{Labels, Loss};
use crate::problem::{Problem, ProblemError};
use crate::tasks::{Task, stream};

/// The random stream that deals samples into folds; those of tasks are numbered from 1.
const FOLDS: u64 = 20;

/// Where the backbone's motion comes from.
#[derive(Debug, Clone)]
enum Backbone {
    /// One more linear layer on the features.
    OnFeatures,
    /// A kernel FFᵀ: F of the samples (N×r), and of the held-out inputs (P×r).
    Factor(DMatrix<f64>, Option<DMatrix<f64>>),
}

/// Samples and held-out inputs as the head sees them.
#[derive(Debug, Clone)]
pub(super) struct Data {
    /// N×h, or N×(h+1) with the intercept last.
    pub features: DMatrix<f64>,
    pub targets: DMatrix<f64>,
    held_out: Option<(DMatrix<f64>, DMatrix<f64>)>,
    backbone: Backbone,
    pub scaling: Scaling,
    pub scorer: Scorer,
}

/// What was done to the features, to be undone in the heads.
#[derive(Debug, Clone)]
pub(super) struct Scaling {
    mean: RowDVector<f64>,
    deviation: RowDVector<f64>,
    intercept: bool,
}

/// How good a prediction is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scorer {
    /// 1 if the largest prediction is that of the class, and of no other.
    Classes,
    /// 1 if a single prediction is on the right side of the threshold: of targets, of predictions.
    Sides(f64, f64),
    /// Minus the loss, so that more is better.
    Loss(Loss),
}

impl Scorer {
    /// Whether scores are accuracies.
    pub fn counts(self) -> bool {
        !matches!(self, Self::Loss(_))
    }

    /// What to predict for targets, and else the loss.
    fn labels(self, targets: &DMatrix<f64>) -> Result<Labels, Loss> {
        match self {
            Self::Loss(loss) => Err(loss),
            Self::Classes => {
                Ok(Labels::Classes(targets.row_iter().map(|y| y.transpose().imax()).collect()))
            }
            Self::Sides(of_targets, threshold) => {
                let above = targets.iter().map(|&y| y > of_targets).collect();
                Ok(Labels::Sides { threshold, above })
            }
        }
    }

    /// The score of every row.
    pub fn scores(self, targets: &DMatrix<f64>, predictions: &DMatrix<f64>) -> Vec<f64> {
        match self.labels(targets) {
            Err(loss) => loss.per_sample(targets, predictions).iter().map(|l| -l).collect(),
            Ok(labels) => {
                let right = |&margin: &f64| f64::from(u8::from(margin > 0.0));
                labels.margins(predictions).iter().map(right).collect()
            }
        }
    }
}

/// A problem with some samples held out, and their targets.
pub(super) struct Split {
    pub problem: Problem,
    pub held_out: DMatrix<f64>,
    /// Which samples those are.
    pub rows: Vec<usize>,
}

impl Data {
    pub fn new(
        task: &Task,
        loss: Loss,
        intercept: bool,
        standardise: bool,
    ) -> Result<Self, ProblemError> {
        let problem = &task.problem;
        let targets = loss.targets(problem.targets())?;
        let held = match (problem.held_out(), &task.held_out_targets) {
            (Some(held), Some(targets)) => Some((held, loss.targets(targets)?)),
            _ => None,
        };
        let scorer = match (loss, Labels::of(loss, &targets)) {
            (Loss::Squared, Some(Labels::Classes(_))) if !task.classes => Scorer::Loss(loss),
            (_, Some(Labels::Classes(_))) => Scorer::Classes,
            (Loss::Squared, Some(Labels::Sides { threshold, .. })) => {
                Scorer::Sides(threshold, threshold)
            }
            (_, Some(Labels::Sides { threshold, .. })) => Scorer::Sides(0.5, threshold),
            (_, None) => Scorer::Loss(loss),
        };
        let scaling = Scaling::of(problem.features(), intercept, standardise);
        let backbone = if problem.is_on_features() {
            Backbone::OnFeatures
        } else {
            let rows = held.as_ref().map(|(held, _)| held.factor().clone());
            Backbone::Factor(problem.kernel().factor(), rows)
        };
        Ok(Self {
            features: scaling.apply(problem.features()),
            targets,
            held_out: held.map(|(held, targets)| (scaling.apply(held.features()), targets)),
            backbone,
            scaling,
            scorer,
        })
    }

    /// The mean loss of a head that predicts 0 for everything.
    pub fn ignorance(&self, loss: Loss) -> f64 {
        loss.value(&self.targets, &(&self.targets * 0.0)) / self.targets.nrows() as f64
    }

    pub fn has_kernel(&self) -> bool {
        matches!(self.backbone, Backbone::Factor(..))
    }

    pub fn has_held_out(&self) -> bool {
        self.held_out.is_some()
    }

    /// The problem of all samples.
    pub fn whole(&self) -> Result<Problem, ProblemError> {
        let (features, targets) = (self.features.clone(), self.targets.clone());
        match &self.backbone {
            Backbone::OnFeatures => Problem::on_features(features, targets),
            Backbone::Factor(factor, _) => Problem::with_factor(features, factor, targets),
        }
    }

    /// The held-out inputs behind all samples, whose problem is `whole`.
    pub fn held_out(&self, whole: &Problem) -> Result<Option<Split>, ProblemError> {
        let Some((features, targets)) = &self.held_out else { return Ok(None) };
        let problem = whole.clone();
        let problem = match &self.backbone {
            Backbone::Factor(_, Some(rows)) => problem.with_held_out_factor(features.clone(), rows)?,
            _ => problem.with_held_out_features(features.clone())?,
        };
        Ok(Some(Split { problem, held_out: targets.clone(), rows: (0..targets.nrows()).collect() }))
    }

    /// Folds: each sample is in one, and as far as can be each class is in each.
    pub fn folds(&self, count: usize, seed: u64) -> Vec<Vec<usize>> {
        let mut rows: Vec<usize> = (0..self.targets.nrows()).collect();
        rows.shuffle(&mut stream(seed, FOLDS));
        match self.scorer.labels(&self.targets) {
            Ok(Labels::Classes(classes)) => rows.sort_by_key(|&row| classes[row]),
            Ok(Labels::Sides { above, .. }) => rows.sort_by_key(|&row| above[row]),
            Err(_) => {}
        }
        let mut folds = vec![Vec::new(); count];
        rows.into_iter().enumerate().for_each(|(place, row)| folds[place % count].push(row));
        folds.iter_mut().for_each(|fold| fold.sort_unstable());
        folds
    }

    /// The samples that are not in a fold, with the fold held out.
    pub fn split(&self, fold: &[usize]) -> Result<Split, ProblemError> {
        let rest: Vec<usize> =
            (0..self.targets.nrows()).filter(|row| fold.binary_search(row).is_err()).collect();
        let pick = |matrix: &DMatrix<f64>, rows: &[usize]| matrix.select_rows(rows);
        let (features, targets) = (pick(&self.features, &rest), pick(&self.targets, &rest));
        let held = pick(&self.features, fold);
        let problem = match &self.backbone {
            Backbone::OnFeatures => {
                Problem::on_features(features, targets)?.with_held_out_features(held)?
            }
            Backbone::Factor(factor, _) => {
                Problem::with_factor(features, &pick(factor, &rest), targets)?
                    .with_held_out_factor(held, &pick(factor, fold))?
            }
        };
        Ok(Split { problem, held_out: pick(&self.targets, fold), rows: fold.to_vec() })
    }
}

impl Scaling {
    fn of(features: &DMatrix<f64>, intercept: bool, standardise: bool) -> Self {
        let h = features.ncols();
        let (mut mean, mut deviation) = (RowDVector::zeros(h), RowDVector::from_element(h, 1.0));
        if standardise {
            // Without an intercept nothing could make up for the mean.
            if intercept {
                mean = features.row_mean();
            }
            for (c, column) in features.column_iter().enumerate() {
                let spread = (column.map(|v| (v - column.mean()).powi(2)).mean()).sqrt();
                if spread > 1e-12 * column.amax() {
                    deviation[c] = spread;
                }
            }
        }
        Self { mean, deviation, intercept }
    }

    fn apply(&self, features: &DMatrix<f64>) -> DMatrix<f64> {
        let h = features.ncols();
        let scaled = DMatrix::from_fn(features.nrows(), h, |r, c| {
            (features[(r, c)] - self.mean[c]) / self.deviation[c]
        });
        if self.intercept { scaled.insert_column(h, 1.0) } else { scaled }
    }

    /// Weight (k×h) and bias (k) for the features as they were given.
    pub fn undo(&self, head: &DMatrix<f64>) -> (DMatrix<f64>, DVector<f64>) {
        let h = self.mean.len();
        let weight =
            DMatrix::from_fn(head.ncols(), h, |output, c| head[(c, output)] / self.deviation[c]);
        let mut bias = -(&weight * self.mean.transpose());
        if self.intercept {
            bias += head.row(h).transpose();
        }
        (weight, bias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;

    fn task(kernel: bool) -> Task {
        let (z, x) = (wobble(12, 3, 1.0).add_scalar(2.0), wobble(12, 5, 2.0));
        let y = DMatrix::from_fn(12, 3, |r, c| f64::from(u8::from(r % 3 == c)));
        let problem = match kernel {
            true => Problem::new(z, &x * x.transpose(), y),
            false => Problem::on_features(z, y),
        };
        Task::of_problem(problem.unwrap(), None, None)
    }

    /// Every sample is held out once, classes are dealt evenly, and a split has the kernel of its rows.
    #[test]
    fn folds_hold_each_sample_out_once() {
        for kernel in [false, true] {
            let task = task(kernel);
            let data = Data::new(&task, Loss::CrossEntropy, true, false).unwrap();
            let folds = data.folds(4, 1);
            let mut all = folds.concat();
            all.sort_unstable();
            assert_eq!(all, (0..12).collect::<Vec<_>>());
            assert_ne!(data.folds(4, 1), data.folds(4, 2));
            for fold in &folds {
                let mut classes: Vec<usize> = fold.iter().map(|row| row % 3).collect();
                classes.sort_unstable();
                assert_eq!(classes, [0, 1, 2]);
                let split = data.split(fold).unwrap();
                assert_eq!((split.problem.samples(), split.problem.width()), (9, 4));
                if kernel {
                    let whole = task.problem.kernel().to_matrix();
                    let rest: Vec<usize> = (0..12).filter(|row| !fold.contains(row)).collect();
                    let part = whole.select_rows(fold).select_columns(&rest);
                    assert!((split.problem.held_out_kernel().unwrap() - part).norm() < 1e-12);
                }
            }
        }
    }

    /// A head for standardised features with an intercept predicts the same once that is undone.
    #[test]
    fn scaling_is_undone_in_the_head() {
        let task = task(false);
        for (intercept, standardise) in [(true, true), (true, false), (false, true), (false, false)] {
            let data = Data::new(&task, Loss::Squared, intercept, standardise).unwrap();
            let head = wobble(data.features.ncols(), 3, 5.0);
            let (weight, bias) = data.scaling.undo(&head);
            let mut direct = task.problem.features() * weight.transpose();
            direct.row_iter_mut().for_each(|mut row| row += bias.transpose());
            assert!((direct - &data.features * head).norm() < 1e-12, "{intercept} {standardise}");
            if standardise && intercept {
                assert!(data.features.columns(0, 3).row_mean().norm() < 1e-14);
            }
        }
    }

    #[test]
    fn a_tie_is_not_right() {
        let y = DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 1.0]);
        let f = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 0.0, 2.0]);
        assert_eq!(Scorer::Classes.scores(&y, &f), [0.0, 1.0]);
        let (y, f) =
            (DMatrix::from_row_slice(2, 1, &[1.0, 0.0]), DMatrix::from_row_slice(2, 1, &[0.0, -1.0]));
        assert_eq!(Scorer::Sides(0.5, 0.0).scores(&y, &f), [0.0, 1.0]);
    }
}
