//! The loss that training lowers, as far as the flow needs to know it.
//!
//! A loss L(F) of the predictions F = ZV (N×k) is a sum over the samples, convex in each row. The flow sees it only
//! through the residual R = −∂L/∂F, whose rows are the energy of the samples, and its solver through the curvature S =
//! ∂²L/∂F², one k×k matrix for each sample (T22).
//!
//! | loss | L of a row f with target y | R | S |
//! |---|---|---|---|
//! | squared | ½‖y − f‖² | y − f | 1 |
//! | cross-entropy, k ≥ 2 | −Σ y_c ln p_c, p = softmax(f) | y − p | diag(p) − ppᵀ |
//! | cross-entropy, k = 1 | −y ln p − (1−y) ln(1−p), p = 1/(1 + e^{−f}) | y − p | p(1−p) |
//!
//! *Saturated predictions.* Loss, residual and curvature keep their relative accuracy however near p comes to a
//! label: no number is formed as 1 − p. What is wrong with them is what is wrong with f, for any size of f. Another
//! convex loss is one more arm in each `match` of this file.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::setting::Number;

/// By how much the targets of one sample may miss a sum of 1: what single precision leaves of it.
const SUM_TOLERANCE: f64 = 1e-6;

/// A loss.
///
/// ```
/// use taskhead::nalgebra::{self, dmatrix};
/// use taskhead::loss::Loss;
///
/// let (y, f) = (dmatrix![1.0, 0.0], dmatrix![800.0, 0.0]);
/// let r = Loss::CrossEntropy.residual(&y, &dmatrix![40.0, 0.0]);
/// assert!((r[(0, 0)] * 40f64.exp() - 1.0).abs() < 1e-15);
/// assert_eq!(Loss::CrossEntropy.value(&y, &f), 0.0);
/// assert_eq!(Loss::CrossEntropy.value(&dmatrix![0.0, 1.0], &f), 800.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// ½‖Y − F‖²_F.
    #[default]
    Squared,
    /// Cross-entropy after softmax, or the logistic loss of a single output.
    CrossEntropy,
}

/// Why targets do not fit a loss.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LossError {
    /// A target below 0, or above 1 where it is a probability.
    #[error(
        "the target at row {row}, column {column} is {}; cross-entropy accepts probabilities, from 0 to 1",
        Number(*value)
    )]
    Probability {
        /// The sample, from 0.
        row: usize,
        /// The output, from 0.
        column: usize,
        /// The value found.
        value: f64,
    },
    /// Probabilities that do not sum to 1.
    #[error(
        "the targets of row {row} sum to {}; cross-entropy with {outputs} outputs accepts rows that sum to 1 \
         (for one label of two classes, give one column with 0 or 1)",
        Number(*sum)
    )]
    Sum {
        /// The sample, from 0.
        row: usize,
        /// The sum found.
        sum: f64,
        /// k.
        outputs: usize,
    },
}

impl Loss {
    /// Every loss.
    pub const ALL: [Self; 2] = [Self::Squared, Self::CrossEntropy];

    /// Its name, as the command and files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Squared => "squared",
            Self::CrossEntropy => "cross-entropy",
        }
    }

    /// The loss of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|loss| loss.name() == name)
    }

    /// The targets (N×k) as this loss takes them: any for the squared loss. For cross-entropy rows of probabilities,
    /// which are divided by their sum where rounding (up to 1e-6) has left it beside 1; with k = 1 the probability of
    /// the one label.
    pub fn targets(self, targets: &DMatrix<f64>) -> Result<DMatrix<f64>, LossError> {
        match self {
            Self::Squared => return Ok(targets.clone()),
            Self::CrossEntropy => {}
        }
        let (n, k) = targets.shape();
        for (row, column) in (0..n).flat_map(|row| (0..k).map(move |column| (row, column))) {
            let value = targets[(row, column)];
            if !(0.0..=1.0 + SUM_TOLERANCE).contains(&value) || (k == 1 && value > 1.0) {
                return Err(LossError::Probability { row, column, value });
            }
        }
        if k == 1 {
            return Ok(targets.clone());
        }
        let mut out = targets.clone();
        for (row, mut entries) in out.row_iter_mut().enumerate() {
            let sum = entries.sum();
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(LossError::Sum { row, sum, outputs: k });
            }
            if sum != 1.0 {
                entries /= sum;
            }
        }
        Ok(out)
    }

    /// Targets with label smoothing ε in [0, 1] (T21): (1−ε)Y + ε·m. For the squared loss m is the mean of all targets;
    /// for cross-entropy it is the uniform distribution, 1/k or ½ for k = 1. One-hot targets have the same m for both.
    pub fn smooth(self, targets: &DMatrix<f64>, smoothing: f64) -> DMatrix<f64> {
        let mean = match self {
            Self::Squared => targets.mean(),
            Self::CrossEntropy if targets.ncols() == 1 => 0.5,
            Self::CrossEntropy => 1.0 / targets.ncols() as f64,
        };
        targets.map(|y| (1.0 - smoothing) * y + smoothing * mean)
    }

    /// R = −∂L/∂F, N×k, of predictions F for targets Y (N×k, as [`Loss::targets`] gives them).
    ///
    /// # Panics
    ///
    /// Predictions of another shape.
    pub fn residual(self, targets: &DMatrix<f64>, predictions: &DMatrix<f64>) -> DMatrix<f64> {
        assert!(targets.shape() == predictions.shape(), "predictions of another shape");
        let mut out = predictions.clone();
        self.residual_of_block(targets, out.as_mut_slice(), 1);
        out
    }

    /// Turns predictions into residuals. For each output the block has `blocks` columns of N numbers.
    pub(crate) fn residual_of_block(self, targets: &DMatrix<f64>, block: &mut [f64], blocks: usize) {
        let (n, k) = targets.shape();
        match self {
            Self::Squared => {
                for (column, out) in block.chunks_exact_mut(n.max(1)).enumerate() {
                    let y = targets.column(column / blocks);
                    out.iter_mut().zip(y.iter()).for_each(|(f, y)| *f = y - *f);
                }
            }
            Self::CrossEntropy => {
                let (mut f, mut y) = (vec![0.0; k], vec![0.0; k]);
                for row in 0..n {
                    (0..k).for_each(|c| y[c] = targets[(row, c)]);
                    for i in 0..blocks {
                        let at = |c: usize| (c * blocks + i) * n + row;
                        (0..k).for_each(|c| f[c] = block[at(c)]);
                        residual_of_row(&y, &mut f);
                        (0..k).for_each(|c| block[at(c)] = f[c]);
                    }
                }
            }
        }
    }

    /// The loss of each sample.
    ///
    /// # Panics
    ///
    /// Predictions of another shape.
    pub fn per_sample(self, targets: &DMatrix<f64>, predictions: &DMatrix<f64>) -> Vec<f64> {
        assert!(targets.shape() == predictions.shape(), "predictions of another shape");
        let rows = targets.row_iter().zip(predictions.row_iter());
        match self {
            Self::Squared => rows.map(|(y, f)| (y - f).norm_squared() / 2.0).collect(),
            Self::CrossEntropy => {
                let of_row = |y: Vec<f64>, f: Vec<f64>| loss_of_row(&y, &f);
                rows.map(|(y, f)| of_row(y.iter().copied().collect(), f.iter().copied().collect()))
                    .collect()
            }
        }
    }

    /// L(F): the sum over the samples.
    ///
    /// # Panics
    ///
    /// Predictions of another shape.
    pub fn value(self, targets: &DMatrix<f64>, predictions: &DMatrix<f64>) -> f64 {
        self.per_sample(targets, predictions).iter().sum()
    }

    /// The least value that L has for these targets at any predictions, reached or not: the entropy of the targets for
    /// cross-entropy, 0 for the squared loss.
    pub fn floor(self, targets: &DMatrix<f64>) -> f64 {
        let part = |y: f64| if y > 0.0 { -y * y.ln() } else { 0.0 };
        match self {
            Self::Squared => 0.0,
            Self::CrossEntropy if targets.ncols() == 1 => {
                targets.iter().map(|&y| part(y) + part(1.0 - y)).sum()
            }
            Self::CrossEntropy => targets.iter().map(|&y| part(y)).sum(),
        }
    }

    /// S δF, N×k: by how much the residual falls when predictions F move by a small δF.
    pub fn curvature(self, predictions: &DMatrix<f64>, change: &DMatrix<f64>) -> DMatrix<f64> {
        let mut out = change.clone();
        match self {
            Self::Squared => {}
            Self::CrossEntropy => {
                let (n, k) = predictions.shape();
                let (mut p, mut d) = (vec![0.0; k], vec![0.0; k]);
                for row in 0..n {
                    (0..k).for_each(|c| (p[c], d[c]) = (predictions[(row, c)], change[(row, c)]));
                    curvature_of_row(&mut p, &mut d);
                    (0..k).for_each(|c| out[(row, c)] = d[c]);
                }
            }
        }
        out
    }

    /// Every entry of S of every sample: sample, two outputs, value.
    pub(crate) fn each_curvature(
        self,
        predictions: &DMatrix<f64>,
        mut each: impl FnMut(usize, usize, usize, f64),
    ) {
        let k = predictions.ncols();
        let mut p = vec![0.0; k];
        for row in 0..predictions.nrows() {
            (0..k).for_each(|c| p[c] = predictions[(row, c)]);
            match self {
                Self::Squared => (0..k).for_each(|c| each(row, c, c, 1.0)),
                Self::CrossEntropy if k == 1 => {
                    let small = logistic(-p[0].abs());
                    each(row, 0, 0, small * (1.0 - small));
                }
                Self::CrossEntropy => {
                    let (top, rest) = softmax(&mut p);
                    for (c, d) in (0..k).flat_map(|c| (0..k).map(move |d| (c, d))) {
                        let beside = if c == top { rest } else { 1.0 - p[c] };
                        each(row, c, d, if c == d { p[c] * beside } else { -p[c] * p[d] });
                    }
                }
            }
        }
    }

    /// A lower bound of δᵀSδ/‖δ‖² over all samples and all δ without mean: the smallest probability, or the smallest
    /// p(1−p) for k = 1. (The variance of δ under p is at least m Σ(δ − mean)² with the smallest probability m.)
    pub(crate) fn least_curvature(self, predictions: &DMatrix<f64>) -> f64 {
        let k = predictions.ncols();
        match self {
            Self::Squared => return 1.0,
            Self::CrossEntropy => {}
        }
        let mut p = vec![0.0; k];
        let mut least = f64::INFINITY;
        for row in 0..predictions.nrows() {
            (0..k).for_each(|c| p[c] = predictions[(row, c)]);
            if k == 1 {
                let small = logistic(-p[0].abs());
                least = least.min(small * (1.0 - small));
            } else {
                softmax(&mut p);
                least = p.iter().fold(least, |a, &b| a.min(b));
            }
        }
        least
    }

    /// The largest eigenvalue that S has anywhere, for k outputs.
    pub fn steepest(self, outputs: usize) -> f64 {
        match self {
            Self::Squared => 1.0,
            Self::CrossEntropy if outputs == 1 => 0.25,
            Self::CrossEntropy => 0.5,
        }
    }

    /// Whether every target is a single label, so that L is 0 at best and no prediction attains that.
    pub fn has_hard_labels(self, targets: &DMatrix<f64>) -> bool {
        match self {
            Self::Squared => false,
            Self::CrossEntropy => targets.iter().all(|&y| y == 0.0 || y == 1.0),
        }
    }
}

/// The labels of training targets, and which predictions are right.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// The class of each sample.
    Classes(Vec<usize>),
    /// One output that lies above the threshold for some samples and below for the others.
    Sides {
        /// The threshold.
        threshold: f64,
        /// Whether a sample belongs above it.
        above: Vec<bool>,
    },
}

impl Labels {
    /// Number of samples.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Sides { above, .. } => above.len(),
        }
    }

    /// The same for predictions in other units.
    pub(crate) fn rescaled(&self, unit: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Classes(_) => self.clone(),
            Self::Sides { threshold, above } => {
                Self::Sides { threshold: unit(*threshold), above: above.clone() }
            }
        }
    }

    /// The labels in targets (N×k): the largest entry of each row; for k = 1 under cross-entropy whether the target
    /// is above ½, under the squared loss which of two values it has. None where that does not tell.
    pub fn of(loss: Loss, targets: &DMatrix<f64>) -> Option<Self> {
        if targets.ncols() > 1 {
            let class = |row: usize| {
                let y = targets.row(row);
                let best = y.transpose().argmax();
                (y.iter().filter(|&&v| v == best.1).count() == 1).then_some(best.0)
            };
            return (0..targets.nrows()).map(class).collect::<Option<_>>().map(Self::Classes);
        }
        let (low, high) = (targets.min(), targets.max());
        let (middle, threshold) = match loss {
            Loss::CrossEntropy => (0.5, 0.0),
            Loss::Squared => (low + (high - low) / 2.0, low + (high - low) / 2.0),
        };
        let told = match loss {
            Loss::CrossEntropy => targets.iter().all(|&y| y != 0.5),
            Loss::Squared => low < high && targets.iter().all(|&y| y == low || y == high),
        };
        let above = targets.iter().map(|&y| y > middle).collect();
        told.then_some(Self::Sides { threshold, above })
    }

    /// By how much the prediction of each sample (rows of N×k) is on the right side; above 0 it is right.
    pub fn margins(&self, predictions: &DMatrix<f64>) -> Vec<f64> {
        match self {
            Self::Classes(classes) => {
                let margin = |(row, &class): (usize, &usize)| {
                    let f = predictions.row(row);
                    let others = f.iter().enumerate().filter(|(c, _)| *c != class);
                    f[class] - others.fold(f64::NEG_INFINITY, |most, (_, &f)| most.max(f))
                };
                classes.iter().enumerate().map(margin).collect()
            }
            Self::Sides { threshold, above } => {
                let side = |above: bool| if above { 1.0 } else { -1.0 };
                above.iter().zip(predictions.iter()).map(|(&a, f)| side(a) * (f - threshold)).collect()
            }
        }
    }

    /// The share of samples whose prediction is right; one that is as near to another class is not.
    pub fn accuracy(&self, predictions: &DMatrix<f64>) -> f64 {
        let margins = self.margins(predictions);
        margins.iter().filter(|&&m| m > 0.0).count() as f64 / margins.len() as f64
    }
}

/// 1/(1 + e^{−f}), with relative accuracy for f < 0.
fn logistic(f: f64) -> f64 {
    if f > 0.0 {
        1.0 / (1.0 + (-f).exp())
    } else {
        let e = f.exp();
        e / (1.0 + e)
    }
}

/// The place of the largest entry.
fn top(f: &[f64]) -> usize {
    let mut best = 0;
    for (c, x) in f.iter().enumerate() {
        if *x > f[best] {
            best = c;
        }
    }
    best
}

/// Turns logits into probabilities; the place of the largest, and the sum of all others.
fn softmax(f: &mut [f64]) -> (usize, f64) {
    let top = top(f);
    let most = f[top];
    let mut rest = 0.0;
    for (c, x) in f.iter_mut().enumerate() {
        *x = (*x - most).exp();
        rest += if c == top { 0.0 } else { *x };
    }
    let sum = 1.0 + rest;
    f.iter_mut().for_each(|x| *x /= sum);
    (top, rest / sum)
}

/// y − p of a row of logits. That of the largest p is the sum of all others with the opposite sign, which does not
/// cancel: there y − p = Σ (p − y) over the others, since both sum to 1.
fn residual_of_row(y: &[f64], f: &mut [f64]) {
    if let ([y], [f]) = (y, &mut *f) {
        *f = if *f > 0.0 { logistic(-*f) - (1.0 - y) } else { y - logistic(*f) };
        return;
    }
    let (top, _) = softmax(f);
    let mut sum = 0.0;
    for (c, (f, y)) in f.iter_mut().zip(y).enumerate() {
        *f = y - *f;
        sum += if c == top { 0.0 } else { *f };
    }
    f[top] = -sum;
}

/// −Σ y ln p of a row of logits: a sum of terms that are not negative.
fn loss_of_row(y: &[f64], f: &[f64]) -> f64 {
    if let ([y], [f]) = (y, f) {
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        let term = |weight: f64, x: f64| if weight == 0.0 { 0.0 } else { weight * softplus(x) };
        return term(*y, -f) + term(1.0 - y, *f);
    }
    let top = top(f);
    let others = f.iter().enumerate().filter(|(c, _)| *c != top);
    let rest: f64 = others.map(|(_, x)| (x - f[top]).exp()).sum();
    let below: f64 = y.iter().zip(f).map(|(y, x)| if *y == 0.0 { 0.0 } else { y * (f[top] - x) }).sum();
    below + rest.ln_1p()
}

/// (diag(p) − ppᵀ)δ of a row of logits and a change. S does not see a change of all logits by the same, so that the
/// one of the largest p is taken from all: then nothing cancels.
fn curvature_of_row(f: &mut [f64], d: &mut [f64]) {
    if let ([f], [d]) = (&*f, &mut *d) {
        let small = logistic(-f.abs());
        *d *= small * (1.0 - small);
        return;
    }
    let (top, _) = softmax(f);
    let shift = d[top];
    let mut mean = 0.0;
    for (p, d) in f.iter().zip(d.iter_mut()) {
        *d -= shift;
        mean += p * *d;
    }
    for (p, d) in f.iter().zip(d.iter_mut()) {
        *d = p * (*d - mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::wobble;
    use nalgebra::dmatrix;

    /// Targets and predictions of every kind: one and many outputs, labels hard and soft.
    fn cases() -> Vec<(Loss, DMatrix<f64>, DMatrix<f64>)> {
        let mut all = Vec::new();
        for k in [1, 2, 5] {
            let f = wobble(6, k, 0.3) * 2.0;
            let hard = DMatrix::from_fn(6, k, |r, c| if r % k.max(2) == c { 1.0 } else { 0.0 });
            for y in [hard.clone(), Loss::CrossEntropy.smooth(&hard, 0.2)] {
                all.push((Loss::CrossEntropy, y.clone(), f.clone()));
                all.push((Loss::Squared, y, f.clone()));
            }
        }
        all
    }

    /// R is the slope of L and S that of −R; a factor 2 in R or a softmax over samples shows here.
    #[test]
    fn residual_and_curvature_are_derivatives() {
        for (loss, y, f) in cases() {
            let (r, step) = (loss.residual(&y, &f), 1e-5);
            for i in 0..f.len() {
                let shifted = |by: f64| {
                    let mut f = f.clone();
                    f[i] += by;
                    f
                };
                let slope =
                    (loss.value(&y, &shifted(step)) - loss.value(&y, &shifted(-step))) / (2.0 * step);
                assert!((slope + r[i]).abs() < 1e-9, "{loss:?}: {slope} against {}", -r[i]);
                let mut unit = &f * 0.0;
                unit[i] = 1.0;
                let fallen = loss.residual(&y, &shifted(-step)) - loss.residual(&y, &shifted(step));
                let gap = fallen / (2.0 * step) - loss.curvature(&f, &unit);
                assert!(gap.norm() < 1e-9, "{loss:?}");
            }
            loss.each_curvature(&f, |row, c, d, value| {
                let mut unit = &f * 0.0;
                unit[(row, d)] = 1.0;
                assert!((loss.curvature(&f, &unit)[(row, c)] - value).abs() < 1e-14);
            });
        }
    }

    /// 50-digit values: with x = f₀ − f₁ the residual is 1/(1 + eˣ), the loss ln(1 + e⁻ˣ) and S₀₀ = 1/(2 + 2cosh x).
    #[test]
    fn saturated_predictions_keep_their_digits() {
        for (x, residual, loss, curvature) in [
            (40.0, 4.248354255291589e-18, 4.248354255291589e-18, 4.248354255291589e-18),
            (700.0, 9.85967654375977e-305, 9.85967654375977e-305, 9.85967654375977e-305),
            (-1000.0, 1.0, 1000.0, 0.0),
            (1000.0, 0.0, 0.0, 0.0),
        ] {
            for (y, f) in [
                (dmatrix![1.0, 0.0], dmatrix![x + 1e3, 1e3]),
                (dmatrix![1.0], dmatrix![x]),
                (dmatrix![0.0, 1.0, 0.0], dmatrix![-2e3, x, 0.0]),
            ] {
                let own = y.iter().position(|&y| y == 1.0).unwrap();
                let r = Loss::CrossEntropy.residual(&y, &f);
                let close = |a: f64, b: f64| (a - b).abs() <= 1e-14 * b;
                assert!(close(r[own], residual), "{x}: {}", r[own]);
                assert!(close(Loss::CrossEntropy.value(&y, &f), loss), "{x}");
                let mut unit = &f * 0.0;
                unit[own] = 1.0;
                let s = Loss::CrossEntropy.curvature(&f, &unit)[own];
                assert!(close(s, curvature) || s < 1e-300, "{x}: {s}");
                if f.len() > 1 {
                    assert_eq!(r.sum(), 0.0);
                }
            }
        }
    }

    #[test]
    fn targets_that_are_no_probabilities_are_refused_with_their_place() {
        let message = |y: DMatrix<f64>| Loss::CrossEntropy.targets(&y).unwrap_err().to_string();
        assert!(
            message(dmatrix![0.5, 0.5; -0.1, 1.1]).starts_with("the target at row 1, column 0 is -0.1;")
        );
        assert!(message(dmatrix![1.0; 2.0]).starts_with("the target at row 1, column 0 is 2;"));
        assert!(message(dmatrix![f64::NAN, 1.0]).contains("is NaN"));
        assert!(
            message(dmatrix![0.5, 0.4])
                .starts_with("the targets of row 0 sum to 0.9; cross-entropy with 2")
        );
        let rounded =
            Loss::CrossEntropy.targets(&dmatrix![f64::from(0.1f32), f64::from(0.9f32)]).unwrap();
        assert!((rounded.sum() - 1.0).abs() < 1e-16);
        assert!(Loss::Squared.targets(&dmatrix![-3.0, 7.0]).is_ok());
    }

    #[test]
    fn smoothing_goes_to_the_uniform_distribution() {
        let smooth = |y: DMatrix<f64>| Loss::CrossEntropy.smooth(&y, 0.1);
        assert!(
            (smooth(dmatrix![1.0, 0.0, 0.0, 0.0]) - dmatrix![0.925, 0.025, 0.025, 0.025]).norm() < 1e-15
        );
        assert!((smooth(dmatrix![1.0; 1.0]) - dmatrix![0.95; 0.95]).norm() < 1e-15);
        let soft = dmatrix![0.9, 0.1];
        let floor = Loss::CrossEntropy.floor(&soft);
        let best = Loss::CrossEntropy.value(&soft, &dmatrix![0.9f64.ln(), 0.1f64.ln()]);
        assert!((floor - best).abs() < 1e-15);
        assert!(
            !Loss::CrossEntropy.has_hard_labels(&soft) && !Loss::Squared.has_hard_labels(&dmatrix![1.0])
        );
    }

    #[test]
    fn floor_is_the_entropy_of_the_targets() {
        let entropy = -(0.25 * 0.25f64.ln() + 0.75 * 0.75f64.ln());
        for targets in [DMatrix::from_element(1, 1, 0.25), DMatrix::from_row_slice(1, 2, &[0.25, 0.75])]
        {
            assert!((Loss::CrossEntropy.floor(&targets) - entropy).abs() < 1e-15);
            assert_eq!(Loss::Squared.floor(&targets), 0.0);
        }
    }

    #[test]
    fn accuracy_counts_strict_winners() {
        let y = dmatrix![1.0, 0.0; 0.0, 1.0; 0.0, 1.0];
        let labels = Labels::of(Loss::CrossEntropy, &y).unwrap();
        assert_eq!(labels.accuracy(&dmatrix![2.0, 1.0; 0.0, 0.0; 1.0, 3.0]), 2.0 / 3.0);
        let one = Labels::of(Loss::CrossEntropy, &dmatrix![1.0; 0.0]).unwrap();
        assert_eq!(one.margins(&dmatrix![2.0; -3.0]), [2.0, 3.0]);
        let squared = Labels::of(Loss::Squared, &dmatrix![1.0; -1.0; 1.0]).unwrap();
        assert_eq!(squared.accuracy(&dmatrix![0.2; 0.1; -0.1]), 1.0 / 3.0);
        assert_eq!(Labels::of(Loss::Squared, &dmatrix![1.0; 2.0; 3.0]), None);
        assert_eq!(Labels::of(Loss::CrossEntropy, &dmatrix![0.5, 0.5]), None);
    }
}
