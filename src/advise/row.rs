//! One choice of probing time, and how it compares with another.

use nalgebra::{DMatrix, DVector};

use crate::adaptation::Adaptation;

/// A difference of two means over the same samples, with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The mean of the differences.
    pub mean: f64,
    /// Its standard error: the deviation of the differences over the root of their number.
    pub error: f64,
}

impl Difference {
    /// Of samples under one choice, each minus the same sample under another.
    pub fn of(one: &[f64], other: &[f64]) -> Self {
        let all: Vec<f64> = one.iter().zip(other).map(|(a, b)| a - b).collect();
        let count = all.len() as f64;
        let mean = all.iter().sum::<f64>() / count;
        let spread = all.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
        Self { mean, error: (spread / count).sqrt() }
    }

    /// No difference at all, where its mean is no larger than the resolution of the scores.
    pub(super) fn beyond(self, resolution: f64) -> Self {
        if self.mean.abs() <= resolution { Self { mean: 0.0, error: 0.0 } } else { self }
    }

    /// Whether it is clearly above 0: by more than two standard errors.
    pub fn is_clear(&self) -> bool {
        self.mean > 2.0 * self.error
    }
}

/// One choice of probing time. Probing is that of all samples from the head of the first seed; what finetuning does is
/// the mean over folds and seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The share of the energy that is left, from 0 (as probed as can be) to 1 (not probed).
    pub share: f64,
    /// The probing time τ, possibly ∞.
    pub probe_time: f64,
    /// Epochs of the given optimiser that take as long; ∞ for τ = ∞.
    pub epochs: Option<f64>,
    /// The strength C of a penalty ½‖V‖² + C·L with the same training loss, as scikit-learn's `LogisticRegression` has
    /// it, whose head for two classes is one vector (but which leaves the intercept free by default).
    pub strength: Option<f64>,
    /// The average initial energy that is left.
    pub energy: f64,
    /// The share of the training samples that the probed head predicts right, if targets are classes.
    pub accuracy: Option<f64>,
    /// ‖V‖_F of the probed head, with the intercept.
    pub head_norm: f64,
    /// Weight of the probed head for the features as given, k×h: the `weight` of a linear layer.
    pub weight: DMatrix<f64>,
    /// Its bias, k.
    pub bias: DVector<f64>,
    /// How far finetuning moves the training features.
    pub adaptation: Adaptation,
    /// The score of held-out samples after probing alone: accuracy, or for other targets minus the loss.
    pub probed: f64,
    /// The score of held-out samples after finetuning.
    pub score: f64,
    /// The standard deviation of that over the seeds; 0 for one seed.
    pub over_seeds: f64,
    /// The standard deviation of that over the folds; 0 where samples are held out once for all.
    pub over_folds: f64,
    /// The mean loss of held-out samples after finetuning.
    pub risk: f64,
    /// In how many of the flows, one for each fold and seed, the level at which finetuning was to stop was never met:
    /// they went on to the time or the limit.
    pub unmet: usize,
    /// By how much the recommended row is better; below 0 where this one happens to have a better mean.
    pub behind: Difference,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_those_of_pairs() {
        let one = [1.0, 0.0, 1.0, 1.0];
        let found = Difference::of(&one, &[0.0, 0.0, 1.0, 1.0]);
        assert_eq!(found.mean, 0.25);
        assert!((found.error - 0.25).abs() < 1e-15);
        assert!(!found.is_clear() && Difference { mean: 0.3, error: 0.1 }.is_clear());
        assert_eq!(Difference::of(&[1.0], &[0.0]).error, 0.0);
    }
}
